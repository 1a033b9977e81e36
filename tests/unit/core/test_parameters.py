"""A parameter set that breaks a relation is refused with the rule that it breaks."""

from dataclasses import replace
from typing import Any

import pytest

from offchain.core.instruments import FeedKind
from offchain.core.parameters import ParameterError
from offchain.core.units import InstrumentId, PriceE8, RatioE6, TimestampNs
from tests.support.venue import RULES


def test_the_starting_set_is_valid_and_lists_dense_slots() -> None:
    for underlying in RULES.listing.underlyings:
        slots = [i.slot for i in RULES.listing.of_underlying(underlying.index)]
        assert slots == list(range(len(slots)))


def liquidation(**change: Any) -> dict[str, Any]:
    return {"liquidation": replace(RULES.liquidation, **change)}


def oracle(**change: Any) -> dict[str, Any]:
    return {"oracle": replace(RULES.oracle, **change)}


def scan(**change: Any) -> dict[str, Any]:
    return {"scan": (replace(RULES.scan[0], **change), RULES.scan[1])}


def listing(**change: Any) -> dict[str, Any]:
    return {"listing": replace(RULES.listing, **change)}


FIRST, *REST = RULES.listing.instruments
BITCOINS = RULES.listing.of_underlying(0)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"mm_factor_e6": 1_000_001}, "MM factor"),
        ({"mm_factor_e6": 0}, "MM factor"),
        ({"taker_fee_e6": 10_001}, "taker fee"),
        ({"backstop_owner": RULES.insurance_owner}, "different owners"),
        (liquidation(band_index_e6=-1), "bands"),
        ({"funding": replace(RULES.funding, cap_e8=10**8 + 1)}, "100 %"),
        (scan(vol_power_short_e6=10**6 + 1), "powers"),
        (scan(vol_power_long_e6=-1), "powers"),
        (listing(feeds=(*RULES.listing.feeds, RULES.listing.feeds[-1])), "feeds differ"),
        (listing(instruments=(replace(FIRST, symbol=REST[0].symbol), *REST)), "symbols differ"),
        (
            listing(
                instruments=(
                    *RULES.listing.instruments,
                    replace(FIRST, id=InstrumentId(-1), symbol="X"),
                )
            ),
            "underlying is listed",
        ),
        (listing(instruments=(replace(FIRST, strike_e8=PriceE8(-5)), *REST)), "price limit"),
        (
            listing(
                instruments=(
                    *RULES.listing.instruments,
                    replace(FIRST, id=InstrumentId(len(BITCOINS)), symbol="BTC-PERP-2"),
                )
            ),
            "at most one perpetual",
        ),
        (liquidation(full_trigger_e6=1_000_001), "full trigger"),
        (liquidation(target_e6=999_999), "target"),
        (liquidation(call_levels_e6=(1_100_000, 1_500_000)), "descend"),
        (liquidation(call_levels_e6=(1_000_000,)), "above the partial"),
        (liquidation(partial_cap_e6=500_001), "partial cap"),
        (liquidation(fee_e6=-1), "liquidation fee"),
        (liquidation(band_mark_e6=200_001), "bands"),
        (liquidation(keeper_fee_e6=-1), "keeper fee"),
        ({"breakers": RULES.breakers[:1]}, "one breaker for each underlying"),
        (oracle(quorum=2), "quorum"),
        (oracle(quorum=3), "majority"),
        (oracle(quorum=8), "quorum"),
        (oracle(signers=RULES.oracle.signers[::-1]), "ascend"),
        (oracle(band_e6=0), "band"),
        (oracle(heartbeat_ns=0), "heartbeat"),
        (oracle(grace_reports=0), "1 to 100 reports"),
        (oracle(grace_reports=101), "1 to 100 reports"),
        (oracle(grace_ns=TimestampNs(-(10**9))), "whole seconds"),
        (oracle(grace_ns=TimestampNs(1)), "whole seconds"),
        (oracle(grace_ns=TimestampNs(86_401 * 10**9)), "whole seconds"),
        ({"funding": replace(RULES.funding, damper_e8=10**9)}, "damper"),
        ({"funding": replace(RULES.funding, period_ns=TimestampNs(0))}, "period"),
        (scan(tails=()), "7 tails"),
        (scan(price_range_e6=10**6), "price range"),
        (scan(vol_down_e6=10**6 + 1), "vol down"),
        (scan(vol_up_e6=-1), "vol up"),
        (scan(min_vol_up_e8=0), "minimum up-volatility"),
        (scan(tails=(replace(RULES.scan[0].tails[0], move_e6=-(10**6)),) * 7), "tail moves"),
        (scan(tails=(replace(RULES.scan[0].tails[0], weight_e6=RatioE6(0)),) * 7), "tail weights"),
        (scan(skews=(replace(RULES.scan[0].skews[0], cap_e6=RatioE6(10**6)),) * 2), "skew cap"),
        ({"scan": RULES.scan[:1]}, "one scan grid"),
        (listing(underlyings=()), "underlyings"),
        (listing(underlyings=RULES.listing.underlyings[::-1]), "numbered"),
        (
            listing(
                underlyings=(
                    replace(RULES.listing.underlyings[0], tick_e8=PriceE8(1)),
                    RULES.listing.underlyings[1],
                )
            ),
            "tick",
        ),
        (listing(instruments=RULES.listing.instruments[1:]), "dense"),
        (listing(feeds=RULES.listing.feeds[1:]), "index feed"),
        (
            listing(feeds=tuple(f for f in RULES.listing.feeds if f.kind != FeedKind.VOLATILITY)),
            "expiry has its feeds",
        ),
        (
            listing(instruments=(replace(FIRST, strike_e8=PriceE8(5)), *REST)),
            "strike",
        ),
        (
            listing(
                instruments=(
                    replace(FIRST, expiry_ns=TimestampNs(5)),
                    *REST,
                )
            ),
            "perpetuals",
        ),
    ],
)
def test_a_broken_relation_is_named(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(ParameterError, match=rule):
        replace(RULES, **change)
