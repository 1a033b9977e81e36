"""Marks, lot values and risk arrays of everything listed, from one oracle report.

The loss of one long lot of an instrument in scenario s, in 1e-6 USD:

    loss = ceil( weight x (value_now - value_s) / (1e6 x lot_divisor) )

Both values are in 1e-8 USD a unit and before rounding to the tick. With P the price of its quote
and m the move of s, the shocked price is P_s = floor(P (1e6 + m) / 1e6). A linear instrument is
worth P and P_s; an option is worth `price_reference` of (P, ln P - ln K, volatility) and of
(P_s, ln P - ln K + ln(1e6 + m) - ln 1e6, shocked volatility). So a cell needs one report, one
instrument and one scenario, and can be computed alone: `loss_reference`.

The volatility of an option is that of its strike on the surface of its expiry (`surface`); shocks
and skews act on it, and it stays with the strike while the price moves. Deltas and vegas, for the
charges beside the scan, are `delta_reference` and `vega_reference`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.instruments import Instrument, Kind
from offchain.core.parameters import RiskParameters
from offchain.core.scenarios import scenario_grid
from offchain.core.units import LOSS_BITS, ONE_E6, ROWS, SCENARIOS, ceil_div, floor_div
from offchain.pricing.black76 import (
    call_delta_reference,
    option_price,
    price_reference,
    total_volatility,
)
from offchain.pricing.fixed_point import ln
from offchain.pricing.marks import Quote, check_medians, fair_value_e8
from offchain.pricing.normal_table import NORMAL_TABLE, PROBABILITY_BITS, PROBABILITY_ONE
from offchain.pricing.risk_fill import fill_linear, fill_marks, fill_options
from offchain.pricing.risk_kernel import IN_RANGE, KINDS_OF_FAULT, POINT_E8, VOLS, fill_shocked
from offchain.pricing.risk_market import market_of, own_volatilities
from offchain.pricing.risk_plan import log_of_move, plan_of
from offchain.pricing.volatility import shocked_volatilities, skewed_volatility

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

LOSS_LIMIT = 1 << LOSS_BITS
FAULTS = ("loss", "delta", "vega")


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
    deltas_e6 : int32[ROWS]
        Cash delta of one long lot, rounded down; 0 for an option that has expired. [USD e-6]
    vegas_e6 : int32[ROWS]
        Gain of one long lot when volatility rises by a point, rounded down; 0 for linear
        instruments and what has expired. [USD e-6]

    Rows that are not listed are zero. The arrays are shared: nobody writes to them.
    """

    marks_e8: Int64Array
    lot_values_e6: Int64Array
    losses_e6: Int32Array
    deltas_e6: Int32Array
    vegas_e6: Int32Array


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


def delta_reference(instrument: Instrument, of: Quote, lot_divisor: int) -> int:
    """Return the cash delta of one long lot in unbounded integers; this defines the kernel.

    Price over lot divisor for a linear instrument, N(d1) (a put: less 1) times that for an option,
    0 for an option that has expired; floored once. [USD e-6] A future that has expired follows the
    index until it is settled, so its delta stays: tiers and rolls are charged on it.
    """
    if not instrument.is_option:
        return floor_div(of.price_e8, lot_divisor)
    if _has_expired(instrument, of):
        return 0
    delta = call_delta_reference(
        of.price_e8,
        instrument.strike_e8,
        ln(of.price_e8) - ln(instrument.strike_e8),
        total_volatility(of.volatility_e8, of.remaining_ns),
    )
    if instrument.kind == Kind.PUT:
        delta -= PROBABILITY_ONE
    return floor_div(delta * of.price_e8, lot_divisor << PROBABILITY_BITS)


def vega_reference(instrument: Instrument, of: Quote, lot_divisor: int) -> int:
    """Return what one long lot gains when volatility rises by a point; this defines the kernel.

    The difference of two values before rounding to the tick, floored; 0 for linear instruments and
    for what has expired. [USD e-6]
    """
    if not instrument.is_option or _has_expired(instrument, of):
        return 0
    above = option_price(
        of.price_e8,
        instrument.strike_e8,
        of.volatility_e8 + POINT_E8,
        of.remaining_ns,
        is_call=instrument.kind == Kind.CALL,
    )
    return floor_div(above - fair_value_e8(instrument, of), lot_divisor)


def _has_expired(instrument: Instrument, of: Quote) -> bool:
    return instrument.expiry_ns != 0 and of.remaining_ns == 0


def volatility_row(
    of: Quote, log_moneyness: int, parameters: RiskParameters, underlying: int
) -> tuple[int, ...]:
    """Return the volatilities of an option in the order of `VolatilityShock`. [e-8]."""
    scan = parameters.scan[underlying]
    return (
        *shocked_volatilities(of.volatility_e8, of.remaining_ns, scan),
        *(skewed_volatility(of.volatility_e8, log_moneyness, skew) for skew in scan.skews),
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
    instruments = parameters.listing.instruments
    check_medians(parameters.listing, medians)
    plan = plan_of(parameters)
    market = market_of(plan, parameters, medians, now_ns)
    shocked = np.zeros((len(plan.groups), SCENARIOS), np.int64)
    fill_shocked(market, plan.underlyings, plan.grids, shocked)
    values = np.zeros(len(instruments), np.int64)
    losses = np.zeros((ROWS, SCENARIOS), np.int32)
    greeks = np.zeros((2, ROWS), np.int32)
    fault = fill_linear(
        plan.linear,
        market,
        shocked,
        plan.underlyings,
        plan.grids,
        plan.lot_divisors,
        values,
        losses,
        greeks,
    )
    if fault == IN_RANGE:
        fault = fill_options(
            plan.series,
            own_volatilities(plan, market, medians, now_ns),
            market,
            shocked,
            plan.underlyings,
            plan.grids,
            plan.skews,
            plan.ids,
            plan.lot_divisors,
            NORMAL_TABLE,
            np.zeros((2, VOLS), np.int64),
            np.zeros(SCENARIOS + 2, np.int64),
            values,
            losses,
            greeks,
        )
    if fault != IN_RANGE:
        place, kind = divmod(fault, KINDS_OF_FAULT)
        raise RiskRangeError(f"a {FAULTS[kind]} of {instruments[place].symbol} leaves int32")
    marks = np.zeros(ROWS, np.int64)
    lot_values = np.zeros(ROWS, np.int64)
    bad = fill_marks(values, plan.ticks_e8, plan.ids, plan.lot_divisors, marks, lot_values)
    if bad != IN_RANGE:
        worth = int(lot_values[plan.ids[bad]])
        raise RiskRangeError(f"a lot of {instruments[bad].symbol} is worth {worth}")
    return RiskArrays(marks, lot_values, losses, greeks[0], greeks[1])
