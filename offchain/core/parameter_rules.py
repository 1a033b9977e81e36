"""The rules that a parameter set obeys: relations between its numbers, not only ranges."""

import re
from typing import TYPE_CHECKING

from offchain.core.instruments import SHAPE_KINDS, FeedKind, Kind, Listing
from offchain.core.model_rules import check_model
from offchain.core.rules import ParameterError, require
from offchain.core.units import (
    DAY_NS,
    MAX_UNDERLYINGS,
    ONE_E6,
    ONE_E8,
    PRICE_BITS,
    SECOND_NS,
    SLOTS,
)

if TYPE_CHECKING:
    from offchain.core.parameters import RiskParameters

__all__ = ["ParameterError", "check_parameters"]

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
UNDATED = (FeedKind.INDEX, FeedKind.STABLE)
MAX_GRACE_REPORTS = 100
MAX_EXPIRIES = 31
"""Of one underlying; with the perpetual they are the 32 groups of an account's roll."""


def check_parameters(parameters: "RiskParameters") -> None:
    """Refuse a set that breaks a relation; ParameterError names the rule."""
    _check_listing(parameters.listing)
    _check_feeds(parameters.listing)
    _check_scan(parameters)
    check_model(parameters)
    _check_terms(parameters)


def _check_listing(listing: Listing) -> None:
    require(
        f"between 1 and {MAX_UNDERLYINGS} underlyings",
        holds=0 < len(listing.underlyings) <= MAX_UNDERLYINGS,
    )
    require(
        "underlyings are numbered from 0 in order",
        holds=[u.index for u in listing.underlyings] == list(range(len(listing.underlyings))),
    )
    symbols = [i.symbol for i in listing.instruments]
    require("symbols differ", holds=len(symbols) == len(set(symbols)))
    require("feeds differ", holds=len(listing.feeds) == len(set(listing.feeds)))
    for u in listing.underlyings:
        require(
            "tick is a positive multiple of the lot divisor",
            holds=u.lot_divisor > 0 and u.tick_e8 > 0 and u.tick_e8 % u.lot_divisor == 0,
        )
        slots = [i.slot for i in listing.of_underlying(u.index)]
        require("slots are dense and ascending", holds=slots == list(range(len(slots))))
        # Of columns, a contract counts as many underlyings as the last listed instrument says.
        require("every underlying has an instrument", holds=bool(slots))
        require(f"at most {SLOTS} instruments an underlying", holds=len(slots) <= SLOTS)
        require(
            "every underlying has an index feed at its own place",
            holds=len(listing.feeds) > u.index
            and listing.feeds[u.index].kind == FeedKind.INDEX
            and listing.feeds[u.index].underlying == u.index,
        )
    for i in listing.instruments:
        require(
            "an instrument's underlying is listed",
            holds=0 <= i.underlying < len(listing.underlyings),
        )
        require("options, and only they, have a strike", holds=i.is_option == (i.strike_e8 > 0))
        require("strikes are below the price limit", holds=0 <= i.strike_e8 < 1 << PRICE_BITS)
        require("times lie in [0, 2^63)", holds=0 <= i.expiry_ns < 1 << 63)
        require(
            "perpetuals, and only they, have no expiry", holds=(i.kind == 0) == (i.expiry_ns == 0)
        )
    perpetuals = [i.underlying for i in listing.instruments if i.kind == Kind.PERPETUAL]
    require(
        "at most one perpetual an underlying, whose funding is provided for",
        holds=len(perpetuals) == len(set(perpetuals)),
    )


def _check_feeds(listing: Listing) -> None:
    kinds: dict[tuple[int, int], set[FeedKind]] = {}
    for feed in listing.feeds:
        kinds.setdefault((feed.underlying, feed.expiry_ns), set()).add(feed.kind)
        require("feeds are of listed underlyings", holds=feed.underlying in range(MAX_UNDERLYINGS))
    for i in listing.instruments:
        if i.expiry_ns:
            held = kinds.get((i.underlying, i.expiry_ns), set())
            needed = {FeedKind.FORWARD} | ({FeedKind.VOLATILITY} if i.is_option else set())
            missing = sorted(needed - held)
            require(f"every expiry has its feeds; missing {missing}", holds=not missing)
    for (underlying, expiry), held in kinds.items():
        shape = held & set(SHAPE_KINDS)
        require("an expiry has all four shape feeds or none", holds=len(shape) in {0, 4})
        require(
            "indices have no expiry, surfaces and forwards do",
            holds=all((expiry == 0) == (kind in UNDATED) for kind in held),
        )
        require(
            "the cash asset is priced with the first underlying",
            holds=FeedKind.STABLE not in held or underlying == 0,
        )
    for u in listing.underlyings:
        dates = {i.expiry_ns for i in listing.of_underlying(u.index) if i.expiry_ns}
        require(f"at most {MAX_EXPIRIES} expiries an underlying", holds=len(dates) <= MAX_EXPIRIES)


def _check_scan(parameters: "RiskParameters") -> None:
    require(
        "one scan grid for each underlying",
        holds=len(parameters.scan) == len(parameters.listing.underlyings),
    )
    for scan in parameters.scan:
        require("7 tails and 2 skews", holds=(len(scan.tails), len(scan.skews)) == (7, 2))
        require("0 < price range < 1", holds=0 < scan.price_range_e6 < ONE_E6)
        require("0 <= vol down <= 1", holds=0 <= scan.vol_down_e6 <= ONE_E6)
        require("0 <= vol up <= 10", holds=0 <= scan.vol_up_e6 <= 10 * ONE_E6)
        powers = (scan.vol_power_short_e6, scan.vol_power_long_e6)
        require(
            "0 <= powers of the volatility shock <= 1",
            holds=min(powers) >= 0 and max(powers) <= ONE_E6,
        )
        require("0 < minimum up-volatility <= 5", holds=0 < scan.min_vol_up_e8 <= 5 * ONE_E8)
        for tail in scan.tails:
            require("tail moves lie in (-1, 9]", holds=-ONE_E6 < tail.move_e6 <= 9 * ONE_E6)
            require("tail weights lie in (0, 1]", holds=0 < tail.weight_e6 <= ONE_E6)
        for skew in scan.skews:
            require("0 <= skew cap < 1", holds=0 <= skew.cap_e6 < ONE_E6)
            require("skew slopes lie within +-10", holds=abs(skew.slope_e6) <= 10 * ONE_E6)


def _check_terms(parameters: "RiskParameters") -> None:
    p, liq = parameters, parameters.liquidation
    require("0 < MM factor <= 1, so that IM >= MM", holds=0 < p.mm_factor_e6 <= ONE_E6)
    require("0 <= taker fee <= 1 %", holds=0 <= p.taker_fee_e6 <= 10_000)
    require(
        "full trigger <= partial trigger <= target, all positive",
        holds=0 < liq.full_trigger_e6 <= liq.partial_trigger_e6 <= liq.target_e6,
    )
    require(
        "call levels descend and lie above the partial trigger",
        holds=list(liq.call_levels_e6) == sorted(set(liq.call_levels_e6), reverse=True)
        and all(level > liq.partial_trigger_e6 for level in liq.call_levels_e6),
    )
    require("25 % <= partial cap <= 50 %", holds=250_000 <= liq.partial_cap_e6 <= 500_000)
    require("0 <= liquidation fee <= 5 %", holds=0 <= liq.fee_e6 <= 50_000)
    bands = (liq.band_mark_e6, liq.band_index_e6)
    require("bands lie in [0, 20 %]", holds=min(bands) >= 0 and max(bands) <= 200_000)
    require("0 <= keeper fee < 2^32", holds=0 <= liq.keeper_fee_e6 < 1 << 32)
    require("funding damper <= cap", holds=0 <= p.funding.damper_e8 <= p.funding.cap_e8)
    require("funding cap <= 100 % a period", holds=p.funding.cap_e8 <= ONE_E8)
    require("funding period is positive", holds=p.funding.period_ns > 0)
    require(
        "one breaker for each underlying",
        holds=len(p.breakers) == len(p.listing.underlyings),
    )
    oracle = p.oracle
    named = (p.insurance_owner, p.backstop_owner, *oracle.signers)
    require(
        "owners and signers are 0x addresses in lower case",
        holds=all(_ADDRESS.fullmatch(address) for address in named),
    )
    require(
        "the insurance fund and the backstop have different owners",
        holds=p.insurance_owner != p.backstop_owner,
    )
    require(
        "signers ascend without repeats", holds=list(oracle.signers) == sorted(set(oracle.signers))
    )
    require(
        "the quorum is at least 3 and a majority of the signers",
        holds=3 <= oracle.quorum <= len(oracle.signers) < 2 * oracle.quorum,
    )
    require("0 < band <= 50 %", holds=0 < oracle.band_e6 <= 500_000)
    require("heartbeat is positive", holds=oracle.heartbeat_ns > 0)
    require("a grace has 1 to 100 reports", holds=1 <= oracle.grace_reports <= MAX_GRACE_REPORTS)
    require(
        "a grace is whole seconds, at most a day",
        holds=0 <= oracle.grace_ns <= DAY_NS and oracle.grace_ns % SECOND_NS == 0,
    )
