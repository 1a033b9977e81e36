"""Marks, lot values and risk arrays of everything listed, from one oracle report.

The loss of one long lot of an instrument in scenario s, in 1e-6 USD:

    loss = ceil( weight x (value_now - value_s) / (1e6 x lot_divisor) )

Both values are in 1e-8 USD a unit and before rounding to the tick. With P the price of its quote
and m the move of s, the shocked price is P_s = floor(P (1e6 + m) / 1e6). A linear instrument is
worth P and P_s; an option is worth `price_reference` of (P, ln P - ln K, volatility) and of
(P_s, ln P - ln K + ln(1e6 + m) - ln 1e6, shocked volatility). So a cell needs one report, one
instrument and one scenario, and can be computed alone: `loss_reference`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from offchain.core.instruments import Instrument, Kind
from offchain.core.parameters import RiskParameters
from offchain.core.scenarios import VolatilityShock, scenario_grid
from offchain.core.units import LOSS_BITS, ONE_E6, ROWS, SCENARIOS, ceil_div, floor_div
from offchain.pricing.black76 import (
    inverse_of,
    price_reference,
    root_of_time,
    total_volatility,
    total_volatility_from,
)
from offchain.pricing.fixed_point import ln
from offchain.pricing.marks import Quote, check_medians, fair_value_e8, mark_price_e8, quote
from offchain.pricing.normal_table import NORMAL_TABLE
from offchain.pricing.risk_kernel import IN_RANGE, fill_losses
from offchain.pricing.volatility import shocked_volatilities, skewed_volatility

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

LOSS_LIMIT = 1 << LOSS_BITS
SHOCKS = len(VolatilityShock)


class RiskRangeError(ValueError):
    """A lot value or a risk array leaves its 32 bits; the message names the instrument."""


@dataclass(frozen=True, slots=True)
class RiskArrays:
    """Everything that margin needs to know about prices; the row is the instrument id.

    Attributes
    ----------
    marks_e8 : int64[ROWS]
        Mark price, on the tick. [USD e-8]
    lot_values_e6 : int64[ROWS]
        Value of one long lot at the mark, exact, before funding. [USD e-6]
    losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario, rounded up. [USD e-6]

    Rows that are not listed are zero. The arrays are shared: nobody writes to them.
    """

    marks_e8: Int64Array
    lot_values_e6: Int64Array
    losses_e6: Int32Array


def loss_reference(
    parameters: RiskParameters, instrument: Instrument, of: Quote, scenario: int
) -> int:
    """Return one cell of the risk array in unbounded integers; this defines the kernel."""
    scan = parameters.scan[instrument.underlying]
    stress = scenario_grid(scan)[scenario]
    price_s = floor_div(of.price_e8 * (ONE_E6 + stress.move_e6), ONE_E6)
    value_s = price_s
    if instrument.is_option:
        moneyness = ln(of.price_e8) - ln(instrument.strike_e8)
        row = volatility_row(of, moneyness, parameters, instrument.underlying)
        value_s = price_reference(
            price_s,
            instrument.strike_e8,
            moneyness + log_of_move(stress.move_e6),
            total_volatility(row[stress.shock], of.remaining_ns),
            is_call=instrument.kind == Kind.CALL,
        )
    divisor = parameters.listing.underlyings[instrument.underlying].lot_divisor
    loss = stress.weight_e6 * (fair_value_e8(instrument, of) - value_s)
    return ceil_div(loss, ONE_E6 * divisor)


def losses_reference(
    parameters: RiskParameters, instrument: Instrument, of: Quote
) -> tuple[int, ...]:
    """Return the 36 losses of one long lot of an instrument. [USD e-6]."""
    return tuple(loss_reference(parameters, instrument, of, s) for s in range(SCENARIOS))


def log_of_move(move_e6: int) -> int:
    """Return ln(1e6 + move) - ln(1e6), each floored. [2**-56]."""
    return ln(ONE_E6 + move_e6) - ln(ONE_E6)


def volatility_row(
    of: Quote, log_moneyness: int, parameters: RiskParameters, underlying: int
) -> tuple[int, ...]:
    """Return the volatilities of an option in the order of `VolatilityShock`. [e-8]."""
    scan = parameters.scan[underlying]
    return (
        *shocked_volatilities(of.volatility_e8, of.remaining_ns, scan),
        *(skewed_volatility(of.volatility_e8, log_moneyness, skew) for skew in scan.skews),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What price_book needs of a parameter set, in listing order; built once for each set."""

    ids: Int64Array
    kinds: Int64Array
    strikes_e8: Int64Array
    lot_divisors: Int64Array
    ticks_e8: Int64Array
    grids: Int64Array
    strike_logs: tuple[int, ...]


@lru_cache(maxsize=8)
def _plan(parameters: RiskParameters) -> _Plan:
    listing = parameters.listing
    owners = [listing.underlyings[i.underlying] for i in listing.instruments]
    grids = [
        [
            (s.move_e6, log_of_move(s.move_e6), int(s.shock), s.weight_e6)
            for s in scenario_grid(scan)
        ]
        for scan in parameters.scan
    ]
    return _Plan(
        ids=np.array([i.id for i in listing.instruments], np.int64),
        kinds=np.array([int(i.kind) for i in listing.instruments], np.int64),
        strikes_e8=np.array([i.strike_e8 for i in listing.instruments], np.int64),
        lot_divisors=np.array([u.lot_divisor for u in owners], np.int64),
        ticks_e8=np.array([u.tick_e8 for u in owners], np.int64),
        grids=np.array(grids, np.int64),
        strike_logs=tuple(ln(i.strike_e8) if i.is_option else 0 for i in listing.instruments),
    )


@dataclass(frozen=True, slots=True)
class _Expiry:
    """What the options of one expiry share in one report."""

    quote: Quote
    price_log: int
    root: int
    totals: tuple[int, ...]


def _expiry(parameters: RiskParameters, underlying: int, of: Quote) -> _Expiry:
    root = root_of_time(of.remaining_ns)
    shocked = shocked_volatilities(of.volatility_e8, of.remaining_ns, parameters.scan[underlying])
    totals = tuple(total_volatility_from(volatility, root) for volatility in shocked)
    return _Expiry(of, ln(of.price_e8), root, totals)


def _option_inputs(
    expiry: _Expiry, strike_log: int, parameters: RiskParameters, underlying: int
) -> tuple[int, tuple[int, ...]]:
    """Return ln(F/K) and the total volatilities in the order of `VolatilityShock`."""
    moneyness = expiry.price_log - strike_log
    skewed = (
        skewed_volatility(expiry.quote.volatility_e8, moneyness, skew)
        for skew in parameters.scan[underlying].skews
    )
    return moneyness, (
        *expiry.totals,
        *(total_volatility_from(volatility, expiry.root) for volatility in skewed),
    )


def price_book(parameters: RiskParameters, medians: Sequence[int], now_ns: int) -> RiskArrays:
    """Return marks, lot values and risk arrays of everything listed.

    Parameters
    ----------
    parameters : RiskParameters
        Listing and scan grids.
    medians : sequence of int
        One positive number for each feed, in listing order.
    now_ns : int
        Time of the report; what expires at or before it is worth its payoff on the index.

    Raises
    ------
    MarketDataError
        A median is missing, not positive or beyond the price limit.
    RiskRangeError
        A lot is worth, or could lose, 2**31 millionths of a dollar or more.
    """
    listing = parameters.listing
    check_medians(listing, medians)
    plan = _plan(parameters)
    count = len(listing.instruments)
    prices = np.zeros(count, np.int64)
    moneyness = np.zeros(count, np.int64)
    vols = np.zeros((count, SHOCKS), np.int64)
    inverses = np.zeros((count, SHOCKS), np.int64)
    expiries: dict[tuple[int, int, bool], _Expiry] = {}
    for place, instrument in enumerate(listing.instruments):
        underlying = instrument.underlying
        key = (underlying, instrument.expiry_ns, instrument.is_option)
        if key not in expiries:
            of = quote(listing, medians, instrument, now_ns)
            expiries[key] = _expiry(parameters, underlying, of)
        prices[place] = expiries[key].quote.price_e8
        if instrument.is_option:
            moneyness[place], vols[place] = _option_inputs(
                expiries[key], plan.strike_logs[place], parameters, underlying
            )
            inverses[place] = [inverse_of(int(total)) for total in vols[place]]
    values = np.zeros(count, np.int64)
    losses = np.zeros((ROWS, SCENARIOS), np.int32)
    bad = fill_losses(
        plan.ids,
        plan.kinds,
        prices,
        plan.strikes_e8,
        moneyness,
        vols,
        inverses,
        plan.lot_divisors,
        plan.grids,
        NORMAL_TABLE,
        values,
        losses,
    )
    if bad != IN_RANGE:
        raise RiskRangeError(f"a loss of {listing.instruments[bad].symbol} leaves int32")
    return _on_the_tick(listing.instruments, plan, values, losses)


def _on_the_tick(
    instruments: Sequence[Instrument], plan: _Plan, values: Int64Array, losses: Int32Array
) -> RiskArrays:
    """Round values to marks and place them by instrument id."""
    marks = np.zeros(ROWS, np.int64)
    lot_values = np.zeros(ROWS, np.int64)
    for place, instrument in enumerate(instruments):
        mark = mark_price_e8(int(values[place]), int(plan.ticks_e8[place]))
        lot_value = floor_div(mark, int(plan.lot_divisors[place]))
        if lot_value >= LOSS_LIMIT:
            raise RiskRangeError(f"a lot of {instrument.symbol} is worth {lot_value}")
        marks[instrument.id], lot_values[instrument.id] = mark, lot_value
    return RiskArrays(marks, lot_values, losses)
