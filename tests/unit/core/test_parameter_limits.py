"""Every number of a parameter set is allowed up to its limits, and refused one beyond, by name."""

import re
from dataclasses import is_dataclass, replace
from typing import Any

import pytest

from offchain.core.model_parameters import JointMove, ShortfallModel
from offchain.core.parameters import ParameterError
from offchain.core.presets import tiers
from offchain.core.units import ONE_E6, ONE_E8, RatioE6
from tests.support.venue import RULES

MOVES = (JointMove((0, 0), (0, 0)),) * 64
MODEL = ShortfallModel(RatioE6(975_000), RatioE6(0), MOVES)


def changed(value: Any, path: str, to: Any) -> Any:
    """Return a set in which one place, `field.index.field`, has another value."""
    step, _, rest = path.partition(".")
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{step: changed(getattr(value, step), rest, to) if rest else to})
    items = list(value)
    items[int(step)] = changed(items[int(step)], rest, to) if rest else to
    return tuple(items)


def base_of(path: str) -> Any:
    """Return a set in which the limits of a place bind before any relation to another place."""
    if path.startswith("shortfall"):
        return replace(RULES, shortfall=(MODEL,))
    if path.endswith(("target_e6", "partial_trigger_e6")):
        return changed(RULES, "liquidation.call_levels_e6", (RatioE6(2_000_000),))
    if path.endswith("im_multiple_e6"):
        return changed(RULES, "classes.0.tiers", tiers((0, 10_000), (1, 50_000)))
    return RULES


LIMITS: list[tuple[str, int | None, int | None, str]] = [
    ("scan.1.price_range_e6", 1, ONE_E6 - 1, "0 < price range < 1"),
    ("scan.0.vol_down_e6", 0, ONE_E6, "0 <= vol down <= 1"),
    ("scan.1.vol_up_e6", 0, 10 * ONE_E6, "0 <= vol up <= 10"),
    ("scan.0.vol_power_short_e6", 0, ONE_E6, "powers of the volatility shock"),
    ("scan.0.vol_power_long_e6", 0, ONE_E6, "powers of the volatility shock"),
    ("scan.0.min_vol_up_e8", 1, 5 * ONE_E8, "0 < minimum up-volatility <= 5"),
    ("scan.0.tails.6.move_e6", 1 - ONE_E6, 9 * ONE_E6, "tail moves lie in (-1, 9]"),
    ("scan.1.tails.0.weight_e6", 1, ONE_E6, "tail weights lie in (0, 1]"),
    ("scan.0.skews.1.cap_e6", 0, ONE_E6 - 1, "0 <= skew cap < 1"),
    ("scan.0.skews.0.slope_e6", -10 * ONE_E6, 10 * ONE_E6, "skew slopes lie within +-10"),
    ("mm_factor_e6", 1, ONE_E6, "0 < MM factor <= 1"),
    ("taker_fee_e6", 0, 10_000, "0 <= taker fee <= 1 %"),
    ("liquidation.full_trigger_e6", 1, 1_000_000, "full trigger <= partial trigger <= target"),
    (
        "liquidation.partial_trigger_e6",
        600_000,
        1_150_000,
        "full trigger <= partial trigger <= target",
    ),
    ("liquidation.target_e6", 1_000_000, None, "full trigger <= partial trigger <= target"),
    ("liquidation.call_levels_e6.2", 1_000_001, 1_249_999, "call levels descend and lie above"),
    ("liquidation.partial_cap_e6", 250_000, 500_000, "25 % <= partial cap <= 50 %"),
    ("liquidation.fee_e6", 0, 50_000, "0 <= liquidation fee <= 5 %"),
    ("liquidation.band_mark_e6", 0, 200_000, "bands lie in [0, 20 %]"),
    ("liquidation.band_index_e6", 0, 200_000, "bands lie in [0, 20 %]"),
    ("liquidation.keeper_fee_e6", 0, 2**32 - 1, "0 <= keeper fee < 2^32"),
    ("funding.damper_e8", 0, 4_000_000, "funding damper <= cap"),
    ("funding.cap_e8", 50_000, None, "funding damper <= cap"),
    ("funding.cap_e8", None, ONE_E8, "funding cap <= 100 % a period"),
    ("funding.period_ns", 1, None, "funding period is positive"),
    ("oracle.quorum", 4, 7, "the quorum is at least 3 and a majority"),
    ("oracle.band_e6", 1, 500_000, "0 < band <= 50 %"),
    ("oracle.heartbeat_ns", 1, None, "heartbeat is positive"),
    ("addons.0.roll_min_e6", 0, ONE_E6, "0 <= least roll move <= 100 %"),
    ("addons.1.roll_rate_e6", 0, ONE_E6, "0 <= annual roll move <= 100 %"),
    ("addons.0.naked_mm_e6", 0, 100_000, "naked-option charges"),
    ("addons.0.naked_im_e6", 0, 100_000, "naked-option charges"),
    ("addons.0.unwind_linear_e6", 0, 50_000, "unwinding costs"),
    ("addons.0.unwind_option_e6", 0, 50_000, "unwinding costs"),
    ("addons.0.calm_vol_e8", 0, 5 * ONE_E8, "0 <= calm volatility <= 5"),
    ("addons.0.calm_cover_e6", 0, ONE_E6, "0 <= calm cover <= 1"),
    ("addons.0.dispersion_e6", 1, ONE_E6, "0 < dispersion <= 1"),
    ("addons.0.confidence_threshold_e6", 0, ONE_E6, "0 <= confidence threshold <= 1"),
    ("addons.0.confidence_factor_e6", 0, 10 * ONE_E6, "0 <= confidence factor <= 10"),
    ("addons.0.delta_tiers.4.rate_e6", 50_001, 100_000, "delta"),
    ("addons.0.delta_tiers.0.rate_e6", 0, 9_999, "delta"),
    ("addons.0.delta_tiers.0.lower_e6", 0, 0, "delta tiers begin at zero"),
    ("addons.0.delta_tiers.4.lower_e6", None, 2**57 - 1, "delta tiers end below 2^57"),
    ("addons.0.unwind_tiers.6.rate_e6", 10_000_001, 2**24 - 1, "unwinding"),
    ("classes.0.max_leverage", 100, 100, "leverage"),
    ("classes.0.im_multiple_e6", ONE_E6, 20 * ONE_E6, "IM"),
    ("classes.0.tiers.0.rate_e6", 5_000, 9_999, "rate"),
    ("classes.0.oi_lower_usd", 0, 4_999_999_999, "0 <= open interest lower < upper"),
    ("classes.0.oi_upper_usd", 1_000_000_001, 2**43 - 1, "0 <= open interest lower < upper"),
    ("classes.1.concentration_share_e6", 1, ONE_E6, "concentration begins at a positive share"),
    ("classes.0.concentration_slope_e6", 0, 10 * ONE_E6, "concentration slope lies in [0, 10]"),
    ("classes.0.concentration_free_usd", 0, 2**43, "0 <= free of concentration"),
    ("class_of.1", 0, 1, "an underlying's margin class is listed"),
    ("correlation.offset_e6", 0, ONE_E6, "0 <= offset <= 1"),
    ("correlation.offset_cap_usd", 0, 2**32 - 1, "0 <= offset cap < 2^32 USD"),
    ("correlation.breakdown_e6", 1, ONE_E6, "0 < breakdown <= 1"),
    ("peg.threshold_e8", 0, ONE_E8, "0 <= peg threshold <= 1 USD"),
    ("peg.factor_e6", 0, 20 * ONE_E6, "0 <= peg factor <= 20"),
    ("collateral.0.haircut_floor_e6", 1, 500_000, "0 < haircut floor <= cap < 1"),
    ("collateral.0.haircut_cap_e6", 50_000, ONE_E6 - 1, "0 < haircut floor <= cap < 1"),
    ("collateral.1.underlying", 0, 1, "collateral is priced by a listed underlying"),
    ("collateral.0.multiplier_e6", ONE_E6, 10 * ONE_E6, "haircut multiplier lies in [1, 10]"),
    ("collateral.0.horizon_ns", 1, None, "haircut horizon is positive"),
    ("collateral.0.ratchet_e6", 1, ONE_E6, "haircut ratchet lies in (0, 1]"),
    ("collateral.1.cap_e8", 0, 2**60 - 1, "0 <= collateral cap < 2^60"),
    ("collateral.0.brackets.0.upto_e8", 1, None, "bracket amounts lie in (0, 2^60)"),
    ("collateral.0.brackets.2.upto_e8", None, 2**60 - 1, "bracket amounts lie in (0, 2^60)"),
    ("collateral.0.brackets.0.weight_e6", 800_001, ONE_E6, "weight"),
    ("collateral.0.brackets.2.weight_e6", 0, 799_999, "weight"),
    ("shortfall.0.confidence_e6", 900_000, 984_375, "shortfall"),  # 1.5625 % of 64 moves is one
    ("shortfall.0.weight_e6", 0, ONE_E6, "0 <= shortfall weight <= 1"),
    ("shortfall.0.moves.63.prices_e6.1", 1 - ONE_E6, 9 * ONE_E6, "moves lie in (-1, 9]"),
    ("shortfall.0.moves.0.vols_e6.0", 1 - ONE_E6, 9 * ONE_E6, "moves lie in (-1, 9]"),
]
LEAST = [(path, low, rule) for path, low, _, rule in LIMITS if low is not None]
MOST = [(path, high, rule) for path, _, high, rule in LIMITS if high is not None]


@pytest.mark.parametrize(("path", "limit", "rule"), LEAST)
def test_the_least_value_is_allowed_and_one_less_is_refused(
    path: str, limit: int, rule: str
) -> None:
    base = base_of(path)
    changed(base, path, limit)
    with pytest.raises(ParameterError, match=re.escape(rule)):
        changed(base, path, limit - 1)


@pytest.mark.parametrize(("path", "limit", "rule"), MOST)
def test_the_largest_value_is_allowed_and_one_more_is_refused(
    path: str, limit: int, rule: str
) -> None:
    base = base_of(path)
    changed(base, path, limit)
    with pytest.raises(ParameterError, match=re.escape(rule)):
        changed(base, path, limit + 1)


def test_leverage_of_one_needs_a_rate_of_one() -> None:
    whole = replace(RULES.classes[0], tiers=tiers((0, ONE_E6)), im_multiple_e6=RatioE6(ONE_E6))
    one = replace(RULES, classes=(replace(whole, max_leverage=1), RULES.classes[1]))
    assert one.classes[0].max_leverage == 1
    with pytest.raises(ParameterError, match="1 <= leverage <= 100"):
        changed(one, "classes.0.max_leverage", 0)
    changed(one, "classes.0.max_leverage", 100)
    with pytest.raises(ParameterError, match="1 <= leverage <= 100"):
        changed(one, "classes.0.max_leverage", 101)
    with pytest.raises(ParameterError, match=re.escape("maintenance rates lie in [0, 1000000]")):
        changed(one, "classes.0.tiers.0.rate_e6", ONE_E6 + 1)


@pytest.mark.parametrize(
    ("path", "item", "least", "most", "rule"),
    [
        ("classes", RULES.classes[0], 1, 8, "between 1 and 8 margin classes"),
        ("addons", RULES.addons[0], 2, 2, "one set of add-ons for each underlying"),
        ("class_of", 0, 2, 2, "one margin class for each underlying"),
        ("scan", RULES.scan[0], 2, 2, "one scan grid for each underlying"),
        ("scan.0.tails", RULES.scan[0].tails[0], 7, 7, "7 tails and 2 skews"),
        ("scan.0.skews", RULES.scan[0].skews[0], 2, 2, "7 tails and 2 skews"),
        ("shortfall", MODEL, 0, 1, "at most one shortfall model"),
        ("shortfall.0.moves", MOVES[0], 64, 64, "moves are a multiple of 32"),
        ("shortfall.0.moves.0.prices_e6", 0, 2, 2, "a price and a volatility for each underlying"),
        ("shortfall.0.moves.0.vols_e6", 0, 2, 2, "a price and a volatility for each underlying"),
    ],
)
def test_a_list_has_as_many_entries_as_its_rule_says(
    path: str, item: Any, least: int, most: int, rule: str
) -> None:
    base = changed(base_of(path + "."), "class_of", (0, 0))
    for count in {least, most}:
        changed(base, path, (item,) * count)
    for count in {max(0, least - 1), most + 1} - {least, most}:
        with pytest.raises(ParameterError, match=re.escape(rule)):
            changed(base, path, (item,) * count)


@pytest.mark.parametrize("kind", ["delta", "unwind"])
def test_a_curve_has_one_to_eight_tiers_that_rise_in_bound_and_rate(kind: str) -> None:
    path = f"addons.0.{kind}_tiers"
    changed(RULES, path, tiers((0, 0)))
    changed(RULES, path, tiers(*((k, k) for k in range(8))))
    for wrong in (
        (),
        tuple((k, k) for k in range(9)),
        ((0, 0), (0, 1)),
        ((0, 1), (1, 1)),
        ((0, 0), (2, 1), (1, 2)),
        ((1, 0),),
    ):
        with pytest.raises(ParameterError, match="tiers"):
            changed(RULES, path, tiers(*wrong))


def test_assets_are_at_most_eight_and_of_different_names() -> None:
    asset = RULES.collateral[0]
    eight = tuple(replace(asset, symbol=f"T{k}") for k in range(8))
    assert len(replace(RULES, collateral=eight).collateral) == 8
    with pytest.raises(ParameterError, match="at most 8 collateral assets"):
        replace(RULES, collateral=(*eight, replace(asset, symbol="T8")))
    with pytest.raises(ParameterError, match="collateral symbols differ"):
        replace(RULES, collateral=(*eight[:2], eight[0]))


def test_brackets_are_one_to_four() -> None:
    bracket = RULES.collateral[0].brackets[0]
    four = tuple(replace(bracket, upto_e8=k, weight_e6=RatioE6(9 - k)) for k in range(1, 6))
    changed(RULES, "collateral.0.brackets", four[:4])
    changed(RULES, "collateral.0.brackets", four[:1])
    for wrong in ((), four):
        with pytest.raises(ParameterError, match="between 1 and 4 brackets"):
            changed(RULES, "collateral.0.brackets", wrong)


@pytest.mark.parametrize(
    ("count", "confidence", "rule"),
    [
        (32, 968_750, ""),
        (32, 968_751, "the tail of the shortfall is at least one move"),
        (1_024, 999_023, ""),
        (1_024, 999_024, "the tail of the shortfall is at least one move"),
        (1_056, 900_000, "moves are a multiple of 32, at most 1024"),
        (0, 900_000, "moves are a multiple of 32"),
        (33, 900_000, "moves are a multiple of 32"),
        (1_024, ONE_E6 - 1, "the tail of the shortfall"),
        (1_024, ONE_E6, "90 % <= shortfall confidence < 100 %"),
    ],
)
def test_the_tail_of_the_shortfall_holds_a_whole_move(
    count: int, confidence: int, rule: str
) -> None:
    model = ShortfallModel(RatioE6(confidence), RatioE6(0), MOVES[:1] * count)
    if not rule:
        assert replace(RULES, shortfall=(model,)).shortfall == (model,)
        return
    with pytest.raises(ParameterError, match=re.escape(rule)):
        replace(RULES, shortfall=(model,))


@pytest.mark.parametrize(
    ("signers", "quorum", "is_valid"),
    [(5, 3, True), (6, 3, False), (3, 3, True), (3, 2, False), (4, 4, True), (4, 5, False)],
)
def test_a_quorum_is_three_signers_and_a_majority(
    signers: int, quorum: int, is_valid: bool
) -> None:
    oracle = replace(RULES.oracle, signers=RULES.oracle.signers[:signers], quorum=quorum)
    if is_valid:
        assert replace(RULES, oracle=oracle).oracle.quorum == quorum
        return
    with pytest.raises(ParameterError, match="the quorum is at least 3"):
        replace(RULES, oracle=oracle)


@pytest.mark.parametrize("levels", [(1_500_000, 1_500_000), (1_200_000, 1_300_000)])
def test_call_levels_fall_strictly(levels: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="call levels descend"):
        changed(RULES, "liquidation.call_levels_e6", levels)


@pytest.mark.parametrize(
    "address", ["", "0x" + "F0" * 20, "0x" + "f0" * 19, "0x" + "f0" * 21, "f0" * 21]
)
@pytest.mark.parametrize("place", ["insurance_owner", "backstop_owner", "oracle.signers.6"])
def test_an_address_is_forty_small_hexadecimal_digits(place: str, address: str) -> None:
    with pytest.raises(ParameterError, match="owners and signers are 0x addresses"):
        changed(RULES, place, address)


def test_signers_do_not_repeat() -> None:
    signers = RULES.oracle.signers
    with pytest.raises(ParameterError, match="signers ascend without repeats"):
        changed(RULES, "oracle.signers", (*signers[:-1], signers[-2]))
