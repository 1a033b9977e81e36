"""Every rule of the risk model refuses the set that breaks it, by name, one step too far."""

from dataclasses import replace
from typing import Any

import pytest

from offchain.core.instruments import SHAPE_KINDS, Feed, FeedKind
from offchain.core.model_parameters import Bracket, JointMove, ShortfallModel, Tier
from offchain.core.parameters import ParameterError
from offchain.core.presets import tiers
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, RatioE6, TimestampNs, UsdE6
from tests.support.venue import RULES, WEEK_NS

Change = dict[str, Any]


def addons(**change: Any) -> Change:
    return {"addons": (replace(RULES.addons[0], **change), RULES.addons[1])}


def margin_class(**change: Any) -> Change:
    return {"classes": (replace(RULES.classes[0], **change), RULES.classes[1])}


def collateral(**change: Any) -> Change:
    return {"collateral": (replace(RULES.collateral[0], **change), RULES.collateral[1])}


def correlation(**change: Any) -> Change:
    return {"correlation": replace(RULES.correlation, **change)}


def peg(**change: Any) -> Change:
    return {"peg": replace(RULES.peg, **change)}


def feeds(*added: Feed, without: FeedKind | None = None) -> Change:
    kept = [f for f in RULES.listing.feeds if f.kind != without]
    return {"listing": replace(RULES.listing, feeds=(*kept, *added))}


MOVE = JointMove((0, 0), (0, 0))


def shortfall(
    confidence: int = 975_000, weight: int = 0, moves: tuple[JointMove, ...] = (MOVE,) * 64
) -> Change:
    return {"shortfall": (ShortfallModel(RatioE6(confidence), RatioE6(weight), moves),)}


def brackets(*rows: tuple[int, int]) -> Change:
    return collateral(brackets=tuple(Bracket(a, RatioE6(w)) for a, w in rows))


TIER = Tier(UsdE6(0), RatioE6(1))
TOO_MANY = tuple(Tier(UsdE6(k), RatioE6(k)) for k in range(9))
ZERO = TimestampNs(0)
WEEK = TimestampNs(WEEK_NS)

BROKEN: list[tuple[Change, str]] = [
    ({"addons": RULES.addons[:1]}, "one set of add-ons for each underlying"),
    ({"class_of": (0,)}, "one margin class for each underlying"),
    ({"class_of": (0, 2)}, "margin class is listed"),
    ({"class_of": (0, -1)}, "margin class is listed"),
    ({"classes": ()}, "between 1 and 8 margin classes"),
    ({"classes": RULES.classes[:1] * 9}, "between 1 and 8 margin classes"),
    (addons(roll_min_e6=ONE_E6 + 1), "least roll move"),
    (addons(roll_min_e6=-1), "least roll move"),
    (addons(roll_rate_e6=ONE_E6 + 1), "annual roll move"),
    (addons(naked_mm_e6=100_001), "naked-option"),
    (addons(naked_im_e6=-1), "naked-option"),
    (addons(unwind_linear_e6=50_001), "unwinding costs"),
    (addons(unwind_option_e6=-1), "unwinding costs"),
    (addons(delta_tiers=()), "delta tiers: between 1 and 8"),
    (addons(delta_tiers=TOO_MANY), "delta tiers: between 1 and 8"),
    (addons(delta_tiers=tiers((1, 5))), "delta tiers begin at zero"),
    (addons(delta_tiers=tiers((0, 5), (7, 5))), "delta tiers ascend"),
    (addons(delta_tiers=tiers((0, 5), (7, 9), (7, 10))), "delta tiers ascend"),
    (addons(delta_tiers=tiers((0, 5), (7, 100_001))), "delta rates"),
    (addons(delta_tiers=tiers((0, -1))), "delta rates"),
    (
        addons(delta_tiers=(TIER, Tier(UsdE6(1 << 57), RatioE6(2)))),
        "delta tiers end below",
    ),
    (addons(unwind_tiers=tiers((0, 1 << 24))), "unwinding rates"),
    (addons(unwind_tiers=tiers((0, 2), (5, 1))), "unwinding tiers ascend"),
    (addons(calm_vol_e8=5 * ONE_E8 + 1), "calm volatility"),
    (addons(calm_cover_e6=ONE_E6 + 1), "calm cover"),
    (addons(dispersion_e6=0), "dispersion"),
    (addons(dispersion_e6=ONE_E6 + 1), "dispersion"),
    (addons(confidence_threshold_e6=ONE_E6 + 1), "confidence threshold"),
    (addons(confidence_factor_e6=10 * ONE_E6 + 1), "confidence factor"),
    (margin_class(tiers=()), "maintenance tiers: between 1 and 8"),
    (margin_class(tiers=tiers((0, 5_000), (1, 1_000_001))), "maintenance rates"),
    (margin_class(max_leverage=0), "leverage"),
    (margin_class(max_leverage=101), "leverage"),
    (margin_class(im_multiple_e6=ONE_E6 - 1), "IM >= MM"),
    (margin_class(max_leverage=99), "1 / leverage"),  # 1 % is 100x, and no less
    (margin_class(im_multiple_e6=21 * ONE_E6), "IM rates are at most one"),
    (margin_class(oi_lower_usd=-1), "open interest"),
    (margin_class(oi_upper_usd=1_000_000_000), "open interest"),
    (margin_class(oi_upper_usd=1 << 43), "open interest"),
    (margin_class(concentration_share_e6=0), "positive share"),
    (margin_class(concentration_share_e6=ONE_E6 + 1), "positive share"),
    (margin_class(concentration_slope_e6=10 * ONE_E6 + 1), "concentration slope"),
    (margin_class(concentration_free_usd=-1), "free of concentration"),
    (correlation(offset_e6=ONE_E6 + 1), "offset <= 1"),
    (correlation(offset_cap_usd=1 << 32), "offset cap"),
    (correlation(offset_cap_usd=-1), "offset cap"),
    (correlation(breakdown_e6=0), "breakdown"),
    (correlation(breakdown_e6=ONE_E6 + 1), "breakdown"),
    (peg(threshold_e8=ONE_E8 + 1), "peg threshold"),
    (peg(factor_e6=20 * ONE_E6 + 1), "peg factor"),
    ({"collateral": RULES.collateral[:1] * 9}, "at most 8 collateral assets"),
    ({"collateral": RULES.collateral[:1] * 2}, "collateral symbols differ"),
    (collateral(haircut_floor_e6=0), "haircut floor"),
    (collateral(haircut_floor_e6=500_001), "floor <= cap"),
    (collateral(haircut_cap_e6=ONE_E6), "cap < 1"),
    (collateral(underlying=2), "priced by a listed"),
    (collateral(underlying=-1), "priced by a listed"),
    (collateral(multiplier_e6=ONE_E6 - 1), "multiplier"),
    (collateral(multiplier_e6=10 * ONE_E6 + 1), "multiplier"),
    (collateral(horizon_ns=ZERO), "horizon"),
    (collateral(ratchet_e6=0), "ratchet"),
    (collateral(ratchet_e6=ONE_E6 + 1), "ratchet"),
    (collateral(cap_e8=-1), "collateral cap"),
    (collateral(cap_e8=1 << 60), "collateral cap"),
    (brackets(), "between 1 and 4 brackets"),
    (brackets(*((k, 10 - k) for k in range(1, 6))), "between 1 and 4 brackets"),
    (brackets((1, 5), (1, 4)), "brackets ascend"),
    (brackets((1, 5), (2, 5)), "fall in weight"),
    (brackets((0, 5)), "bracket amounts"),
    (brackets((1 << 60, 5)), "bracket amounts"),
    (brackets((1, ONE_E6 + 1)), "weights in"),
    (brackets((1, -1)), "weights in"),
    ({"shortfall": shortfall()["shortfall"] * 2}, "at most one shortfall model"),
    (shortfall(confidence=899_999), "shortfall confidence"),
    (shortfall(confidence=ONE_E6), "shortfall confidence"),
    (shortfall(weight=ONE_E6 + 1), "shortfall weight"),
    (shortfall(moves=()), "moves are a multiple of 32"),
    (shortfall(moves=(MOVE,) * 33), "moves are a multiple of 32"),
    (shortfall(moves=(MOVE,) * 1_056), "moves are a multiple of 32, at most 1024"),
    (shortfall(moves=(MOVE,) * 32), "tail of the shortfall"),  # 2.5 % of 32 is less than one
    (shortfall(moves=(JointMove((0,), (0, 0)), *(MOVE,) * 63)), "for each underlying"),
    (shortfall(moves=(JointMove((-ONE_E6, 0), (0, 0)), *(MOVE,) * 63)), "moves lie in"),
    (shortfall(moves=(JointMove((0, 0), (0, 9 * ONE_E6 + 1)), *(MOVE,) * 63)), "moves lie in"),
    (feeds(without=SHAPE_KINDS[0]), "all four shape feeds or none"),
    (feeds(Feed(FeedKind.FORWARD, 0, ZERO)), "indices have no expiry"),
    (feeds(Feed(FeedKind.STABLE, 0, WEEK)), "indices have no expiry"),
    (feeds(Feed(FeedKind.STABLE, 1, ZERO), without=FeedKind.STABLE), "with the first underlying"),
]


@pytest.mark.parametrize(("change", "rule"), BROKEN)
def test_a_broken_rule_is_named(change: Change, rule: str) -> None:
    with pytest.raises(ParameterError, match=rule):
        replace(RULES, **change)


@pytest.mark.parametrize(
    "change",
    [
        addons(roll_min_e6=ONE_E6, roll_rate_e6=ONE_E6, naked_mm_e6=100_000, calm_vol_e8=0),
        addons(delta_tiers=tiers((0, 0))),
        margin_class(im_multiple_e6=20 * ONE_E6),
        correlation(offset_e6=0, offset_cap_usd=0, breakdown_e6=ONE_E6),
        peg(threshold_e8=0, factor_e6=0),
        {"collateral": ()},
        collateral(haircut_floor_e6=1, haircut_cap_e6=ONE_E6 - 1, ratchet_e6=ONE_E6),
        collateral(horizon_ns=TimestampNs(30 * DAY_NS), cap_e8=0),
        brackets((1, 0)),
        shortfall(confidence=900_000, moves=(MOVE,) * 32),
        shortfall(weight=ONE_E6, moves=(MOVE,) * 1_024),
        feeds(without=FeedKind.STABLE),
    ],
)
def test_the_last_values_that_a_rule_allows_are_allowed(change: Change) -> None:
    replace(RULES, **change)
