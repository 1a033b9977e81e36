"""Risk parameters: versioned data, checked as relations, hashed into every batch."""

import re
from dataclasses import dataclass

from offchain.core.instruments import FeedKind, Listing
from offchain.core.units import (
    MAX_UNDERLYINGS,
    ONE_E6,
    ONE_E8,
    PRICE_BITS,
    SLOTS,
    RatioE6,
    TimestampNs,
    UsdE6,
)

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


class ParameterError(ValueError):
    """A parameter set breaks a rule; the message names the rule."""


@dataclass(frozen=True, slots=True)
class Tail:
    """An extreme move with volatility up, of which only a share is covered."""

    move_e6: int
    weight_e6: RatioE6


@dataclass(frozen=True, slots=True)
class Skew:
    """A tilt of the smile: volatility times 1 + slope x log-moneyness, within +-cap."""

    slope_e6: RatioE6
    cap_e6: RatioE6
    absolute: bool


@dataclass(frozen=True, slots=True)
class ScanParameters:
    """The scan grid of one underlying.

    27 cells k/4 x `price_range_e6` (k = -4..4) x volatility {down, same, up}, then 7 tails with
    volatility up, then 2 skews: 36 scenarios. Up and down factors are scaled by (30/DTE)^p with
    `vol_power_short_e6` below 30 days and `vol_power_long_e6` above.
    """

    price_range_e6: RatioE6
    vol_up_e6: RatioE6
    vol_down_e6: RatioE6
    min_vol_up_e8: int
    vol_power_short_e6: RatioE6
    vol_power_long_e6: RatioE6
    tails: tuple[Tail, ...]
    skews: tuple[Skew, ...]


@dataclass(frozen=True, slots=True)
class CollateralParameters:
    """A volatile collateral asset: USDC, asset 0, is not listed here.

    Asset ids count from 1 in listing order. One whole token is 10^8 units.
    """

    symbol: str
    underlying: int
    haircut_e6: RatioE6
    cap_e8: int


@dataclass(frozen=True, slots=True)
class LiquidationParameters:
    """Thresholds on the margin ratio (margin balance / MM) and the terms of each step."""

    call_levels_e6: tuple[RatioE6, ...]
    partial_trigger_e6: RatioE6
    full_trigger_e6: RatioE6
    target_e6: RatioE6
    partial_cap_e6: RatioE6
    fee_e6: RatioE6
    band_mark_e6: RatioE6
    band_index_e6: RatioE6
    keeper_fee_e6: UsdE6


@dataclass(frozen=True, slots=True)
class FundingParameters:
    """Funding of perpetuals: rate over `period_ns`, damped and capped."""

    period_ns: TimestampNs
    interest_e8: int
    damper_e8: int
    cap_e8: int


@dataclass(frozen=True, slots=True)
class OracleParameters:
    """When a price report is believed."""

    signers: tuple[str, ...]
    quorum: int
    heartbeat_ns: TimestampNs
    band_e6: RatioE6


@dataclass(frozen=True, slots=True)
class RiskParameters:
    """One version of everything that decides a margin.

    `insurance_owner` and `backstop_owner` (0x addresses, lower case) own accounts 0 and 1: the
    insurance fund, which never holds a position, and the backstop that takes over what the book
    does not. A tail's weight already contains range / |move|.
    """

    version: int
    listing: Listing
    scan: tuple[ScanParameters, ...]
    collateral: tuple[CollateralParameters, ...]
    mm_factor_e6: RatioE6
    taker_fee_e6: RatioE6
    liquidation: LiquidationParameters
    funding: FundingParameters
    oracle: OracleParameters
    insurance_owner: str
    backstop_owner: str

    def __post_init__(self) -> None:
        """Refuse a set that breaks a relation, naming the rule."""
        _check_listing(self.listing)
        _check_scan(self)
        _check_terms(self)


def _require(rule: str, *, holds: bool) -> None:
    if not holds:
        raise ParameterError(rule)


def _check_listing(listing: Listing) -> None:
    _require(
        f"between 1 and {MAX_UNDERLYINGS} underlyings",
        holds=0 < len(listing.underlyings) <= MAX_UNDERLYINGS,
    )
    _require(
        "underlyings are numbered from 0 in order",
        holds=[u.index for u in listing.underlyings] == list(range(len(listing.underlyings))),
    )
    symbols = [i.symbol for i in listing.instruments]
    _require("symbols differ", holds=len(symbols) == len(set(symbols)))
    _require("feeds differ", holds=len(listing.feeds) == len(set(listing.feeds)))
    for u in listing.underlyings:
        _require(
            "tick is a positive multiple of the lot divisor",
            holds=u.lot_divisor > 0 and u.tick_e8 > 0 and u.tick_e8 % u.lot_divisor == 0,
        )
        slots = [i.slot for i in listing.of_underlying(u.index)]
        _require("slots are dense and ascending", holds=slots == list(range(len(slots))))
        _require(f"at most {SLOTS} instruments an underlying", holds=len(slots) <= SLOTS)
        _require(
            "every underlying has an index feed at its own place",
            holds=len(listing.feeds) > u.index
            and listing.feeds[u.index].kind == FeedKind.INDEX
            and listing.feeds[u.index].underlying == u.index,
        )
    for i in listing.instruments:
        _require(
            "an instrument's underlying is listed",
            holds=0 <= i.underlying < len(listing.underlyings),
        )
        _require("options, and only they, have a strike", holds=i.is_option == (i.strike_e8 > 0))
        _require("strikes are below the price limit", holds=0 <= i.strike_e8 < 1 << PRICE_BITS)
        _require("times are not negative", holds=i.expiry_ns >= 0)
        _require(
            "perpetuals, and only they, have no expiry", holds=(i.kind == 0) == (i.expiry_ns == 0)
        )
        if i.expiry_ns:
            try:
                listing.feed_index(FeedKind.FORWARD, i.underlying, i.expiry_ns)
                if i.is_option:
                    listing.feed_index(FeedKind.VOLATILITY, i.underlying, i.expiry_ns)
            except KeyError as missing:
                raise ParameterError(f"every expiry has its feeds; missing {missing}") from missing


def _check_scan(parameters: RiskParameters) -> None:
    _require(
        "one scan grid for each underlying",
        holds=len(parameters.scan) == len(parameters.listing.underlyings),
    )
    for scan in parameters.scan:
        _require("7 tails and 2 skews", holds=(len(scan.tails), len(scan.skews)) == (7, 2))
        _require("0 < price range < 1", holds=0 < scan.price_range_e6 < ONE_E6)
        _require("0 <= vol down <= 1", holds=0 <= scan.vol_down_e6 <= ONE_E6)
        _require("0 <= vol up <= 10", holds=0 <= scan.vol_up_e6 <= 10 * ONE_E6)
        powers = (scan.vol_power_short_e6, scan.vol_power_long_e6)
        _require(
            "0 <= powers of the volatility shock <= 1",
            holds=min(powers) >= 0 and max(powers) <= ONE_E6,
        )
        _require("0 < minimum up-volatility <= 5", holds=0 < scan.min_vol_up_e8 <= 5 * ONE_E8)
        for tail in scan.tails:
            _require("tail moves lie in (-1, 9]", holds=-ONE_E6 < tail.move_e6 <= 9 * ONE_E6)
            _require("tail weights lie in (0, 1]", holds=0 < tail.weight_e6 <= ONE_E6)
        for skew in scan.skews:
            _require("0 <= skew cap < 1", holds=0 <= skew.cap_e6 < ONE_E6)


def _check_terms(parameters: RiskParameters) -> None:
    p, liq = parameters, parameters.liquidation
    _require("0 < MM factor <= 1, so that IM >= MM", holds=0 < p.mm_factor_e6 <= ONE_E6)
    _require("0 <= taker fee <= 1 %", holds=0 <= p.taker_fee_e6 <= 10_000)
    for c in p.collateral:
        _require("0 < haircut < 1", holds=0 < c.haircut_e6 < ONE_E6)
        _require(
            "collateral is priced by a listed underlying", holds=0 <= c.underlying < len(p.scan)
        )
    _require(
        "full trigger <= partial trigger <= target, all positive",
        holds=0 < liq.full_trigger_e6 <= liq.partial_trigger_e6 <= liq.target_e6,
    )
    _require(
        "call levels descend and lie above the partial trigger",
        holds=list(liq.call_levels_e6) == sorted(set(liq.call_levels_e6), reverse=True)
        and all(level > liq.partial_trigger_e6 for level in liq.call_levels_e6),
    )
    _require("25 % <= partial cap <= 50 %", holds=250_000 <= liq.partial_cap_e6 <= 500_000)
    _require("0 <= liquidation fee <= 5 %", holds=0 <= liq.fee_e6 <= 50_000)
    bands = (liq.band_mark_e6, liq.band_index_e6)
    _require("bands lie in [0, 20 %]", holds=min(bands) >= 0 and max(bands) <= 200_000)
    _require("keeper fee is not negative", holds=liq.keeper_fee_e6 >= 0)
    _require("funding damper <= cap", holds=0 <= p.funding.damper_e8 <= p.funding.cap_e8)
    _require("funding cap <= 100 % a period", holds=p.funding.cap_e8 <= ONE_E8)
    _require("funding period is positive", holds=p.funding.period_ns > 0)
    oracle = p.oracle
    named = (p.insurance_owner, p.backstop_owner, *oracle.signers)
    _require(
        "owners and signers are 0x addresses in lower case",
        holds=all(_ADDRESS.fullmatch(address) for address in named),
    )
    _require(
        "the insurance fund and the backstop have different owners",
        holds=p.insurance_owner != p.backstop_owner,
    )
    _require(
        "signers ascend without repeats", holds=list(oracle.signers) == sorted(set(oracle.signers))
    )
    _require(
        "the quorum is at least 3 and a majority of the signers",
        holds=3 <= oracle.quorum <= len(oracle.signers) < 2 * oracle.quorum,
    )
    _require("0 < band <= 50 %", holds=0 < oracle.band_e6 <= 500_000)
    _require("heartbeat is positive", holds=oracle.heartbeat_ns > 0)
