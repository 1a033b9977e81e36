"""A portfolio file in the integers of PM-36: listing, one report, positions in lots.

Floats become integers here, once, to the nearest unit; amounts must be whole lots. A surface in
the file becomes the venue's own form: with k = ln(K/F) on today's forward and variance scaled to
today's time T,

    v0 = sqrt(w(0) / T),  b' = b T / tau_svi,  m' = m + ln(F_svi / F),  rho and sigma as they are.

The venue's surface has no bound 4 sqrt(a + b sigma) on k as Derive's has (`surface`), so beyond it
the two differ; within it they agree to the rounding.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from offchain.core.instruments import (
    SHAPE_KINDS,
    Feed,
    FeedKind,
    Instrument,
    Kind,
    Listing,
    Underlying,
)
from offchain.core.presets import BITCOIN, ETHER
from offchain.core.units import (
    LOTS_BITS,
    MAX_UNDERLYINGS,
    ONE_E6,
    ONE_E8,
    SECOND_NS,
    SLOT_BITS,
    SLOTS,
    InstrumentId,
    PriceE8,
    TimestampNs,
)
from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.portfolio import ExpiryState, Market, Portfolio, is_held
from offchain.models.schema import PortfolioFile, Svi
from offchain.models.surface import svi_volatility
from offchain.pricing.surface import Surface, encode_surface

KNOWN: Mapping[str, Underlying] = {"BTC": BITCOIN, "ETH": ETHER}
BASE_NS = 1_700_000_000 * SECOND_NS
"""The time of a file that states none; only differences of times matter."""
LOT_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Translated:
    """What the integer engine takes.

    Attributes
    ----------
    medians : tuple of int
        One for each feed of the listing.
    lots : dict
        Position by instrument id, none zero.
    markets : tuple of Market
        In the order of the underlyings.
    """

    listing: Listing
    medians: tuple[int, ...]
    now_ns: int
    lots: dict[int, int]
    markets: tuple[Market, ...]


def translate(file: PortfolioFile, portfolio: Portfolio) -> Translated:
    """Return the listing, report and positions of a file.

    Raises
    ------
    UnsupportedPortfolioError
        Another underlying than BTC and ETH, spot, a fraction of a lot, or volatilities that no
        surface of an expiry gives.
    """
    markets = tuple(m for m in portfolio.markets if is_held(m)) or portfolio.markets[:1]
    if len(markets) > MAX_UNDERLYINGS or not markets:
        raise UnsupportedPortfolioError(
            "underlyings", f"PM-36 margins 1 to {MAX_UNDERLYINGS}, not {len(markets)}"
        )
    now = round((file.valuation_time or 0) * SECOND_NS) or BASE_NS
    underlyings, instruments, lots = [], [], {}
    feeds: dict[Feed, int] = {}
    for index, market in enumerate(markets):
        if market.name not in KNOWN:
            raise UnsupportedPortfolioError(
                f"underlyings.{market.name}", f"PM-36 has parameters for {', '.join(KNOWN)}"
            )
        underlyings.append(replace(KNOWN[market.name], index=index))
        feeds[Feed(FeedKind.INDEX, index, TimestampNs(0))] = price_e8(market.spot)
    for underlying, market in zip(underlyings, markets, strict=True):
        times = expiry_times(market, now)
        feeds |= _expiry_feeds(file, market, underlying.index, times)
        for instrument, amount in _instruments(market, underlying, times):
            instruments.append(instrument)
            lots[int(instrument.id)] = whole_lots(amount, underlying, instrument.symbol)
    stable = price_e8(portfolio.stable_price)
    feeds[Feed(FeedKind.STABLE, 0, TimestampNs(0))] = stable
    listing = Listing(tuple(underlyings), tuple(instruments), tuple(feeds))
    held = {i: n for i, n in lots.items() if n}
    return Translated(listing, tuple(feeds.values()), now, held, markets)


def price_e8(price: float) -> int:
    """Return a price in 1e-8 USD, to the nearest, at least 1."""
    return max(1, round(price * ONE_E8))


def whole_lots(amount: float, underlying: Underlying, symbol: str) -> int:
    """Return an amount in lots; refuse a fraction of one."""
    exact = amount * underlying.lot_divisor / 100
    lots = round(exact)
    if abs(exact - lots) > LOT_TOLERANCE:
        raise UnsupportedPortfolioError(
            "positions",
            f"{symbol}: {amount:g} is no whole number of lots of {100 / underlying.lot_divisor:g}",
        )
    if abs(lots) >> LOTS_BITS:
        raise UnsupportedPortfolioError(
            "positions", f"{symbol}: an account holds fewer than 2**{LOTS_BITS} lots"
        )
    return lots


def expiry_times(market: Market, now_ns: int) -> list[TimestampNs]:
    """Return when each expiry is; no two at once."""
    times = [TimestampNs(now_ns + round(e.seconds * SECOND_NS)) for e in market.expiries]
    if len(set(times)) != len(times):
        raise UnsupportedPortfolioError(
            f"underlyings.{market.name}.expiries", "two of them are at the same time"
        )
    return times


def _instruments(
    market: Market, underlying: Underlying, times: list[TimestampNs]
) -> list[tuple[Instrument, float]]:
    """List the perpetual and every contract that is held, with the amounts."""
    if market.spot_amount:
        raise UnsupportedPortfolioError("positions", "PM-36 takes spot as collateral")
    rows: list[tuple[str, Kind, TimestampNs, int, float]] = [
        ("PERP", Kind.PERPETUAL, TimestampNs(0), 0, market.perpetual_amount)
    ]
    for future in market.futures:
        label = market.expiries[future.expiry].name
        rows.append((label, Kind.FUTURE, times[future.expiry], 0, future.amount))
    for o in market.options:
        kind = Kind.CALL if o.is_call else Kind.PUT
        label = f"{market.expiries[o.expiry].name}-{o.strike:.8f}-{kind.name[0]}"
        rows.append((label, kind, times[o.expiry], price_e8(o.strike), o.amount))
    if len(rows) > SLOTS:
        raise UnsupportedPortfolioError("positions", f"more than {SLOTS} contracts")
    return [
        (
            Instrument(
                InstrumentId(underlying.index << SLOT_BITS | slot),
                f"{market.name}-{label}",
                kind,
                time,
                PriceE8(strike),
            ),
            amount,
        )
        for slot, (label, kind, time, strike, amount) in enumerate(rows)
    ]


def _expiry_feeds(
    file: PortfolioFile, market: Market, index: int, times: list[TimestampNs]
) -> dict[Feed, int]:
    feeds: dict[Feed, int] = {}
    for place, (expiry, time) in enumerate(zip(market.expiries, times, strict=True)):
        feeds[Feed(FeedKind.FORWARD, index, time)] = price_e8(expiry.forward)
        own = {o.volatility for o in market.options if o.expiry == place}
        if not own:
            continue
        svi = file.underlyings[market.name].expiries[expiry.name].svi
        stated = any(
            p.volatility is not None
            for p in file.positions
            if (p.underlying, p.expiry) == (market.name, expiry.name)
        )
        if stated and (svi is not None or len(own) > 1):
            raise UnsupportedPortfolioError(
                f"underlyings.{market.name}.expiries.{expiry.name}",
                "PM-36 has one surface for an expiry, and no volatility of a single option",
            )
        surface = Surface(round(max(own) * ONE_E8)) if svi is None else surface_of(svi, expiry)
        level, *shape = encode_surface(surface)
        feeds[Feed(FeedKind.VOLATILITY, index, time)] = max(1, level)
        if svi is not None:
            for kind, value in zip(SHAPE_KINDS, shape, strict=True):
                feeds[Feed(kind, index, time)] = value
    return feeds


def surface_of(svi: Svi, expiry: ExpiryState) -> Surface:
    """Return a surface of the file in the venue's form, to the nearest 1e-8."""
    forward = expiry.forward if expiry.forward > 0 else svi.forward
    at_money = svi_volatility(svi, forward, f"expiries.{expiry.name}.svi")
    return Surface(
        v0_e8=round(at_money * ONE_E8),
        slope_e8=round(svi.b * expiry.tau / svi.tau * ONE_E8),
        tilt_e8=round(svi.rho * ONE_E8),
        centre_e8=round((svi.m + math.log(svi.forward) - math.log(forward)) * ONE_E8),
        width_e8=round(svi.sigma * ONE_E8),
    )


def ratio_e6(ratio: float) -> int:
    """Return a ratio in millionths, to the nearest."""
    return round(ratio * ONE_E6)
