"""Losses of one lot in the historical moves of a shortfall model, from one report.

A move gives, for each underlying, a relative change m of prices and v of volatilities. The loss of
one long lot is that of a scenario (`risk_array`) with weight one and these two changes:

    P_s = floor(P (1e6 + m) / 1e6),   volatility_s = floor(volatility (1e6 + v) / 1e6)
    loss = ceil((value - value_s) / lot_divisor)
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.instruments import Instrument, Kind
from offchain.core.model_parameters import JointMove
from offchain.core.parameters import RiskParameters
from offchain.core.units import LOSS_BITS, ONE_E6, ROWS, ceil_div, floor_div
from offchain.pricing.black76 import option_value, price_reference, total_volatility
from offchain.pricing.fixed_point import ln
from offchain.pricing.marks import Quote, fair_value_e8
from offchain.pricing.normal_table import NORMAL_TABLE
from offchain.pricing.risk_array import RiskRangeError
from offchain.pricing.risk_kernel import (
    IN_RANGE,
    PRICE,
    PRICE_LOG,
    ROOT,
    inverse_word,
    shocked_price,
    total_volatility_word,
)
from offchain.pricing.risk_market import market_of, own_volatilities
from offchain.pricing.risk_plan import log_of_move, plan_of

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

_LIMIT = 1 << LOSS_BITS
_KEPT = 4
_MOVE, _LOG_MOVE, _VOL_MOVE = range(3)


def history_loss_reference(
    parameters: RiskParameters, instrument: Instrument, of: Quote, move: JointMove
) -> int:
    """Return one loss in unbounded integers; defines `history_losses`. [USD e-6]"""
    underlying = instrument.underlying
    by_price, by_vol = move.prices_e6[underlying], move.vols_e6[underlying]
    price = floor_div(of.price_e8 * (ONE_E6 + by_price), ONE_E6)
    value = price
    if instrument.is_option:
        moneyness = ln(of.price_e8) - ln(instrument.strike_e8) + log_of_move(by_price)
        volatility = floor_div(of.volatility_e8 * (ONE_E6 + by_vol), ONE_E6)
        total = total_volatility(volatility, of.remaining_ns)
        is_call = instrument.kind == Kind.CALL
        value = price_reference(price, instrument.strike_e8, moneyness, total, is_call=is_call)
    divisor = parameters.listing.underlyings[underlying].lot_divisor
    return ceil_div(fair_value_e8(instrument, of) - value, divisor)


def history_losses(
    parameters: RiskParameters, medians: Sequence[int], now_ns: int
) -> Int32Array | None:
    """Return the loss of one long lot of everything listed in each move of the shortfall model.

    Parameters
    ----------
    medians : sequence of int
        One positive number for each feed, in listing order, that `price_book` has accepted.
    now_ns : int
        Time of the report.

    Returns
    -------
    int32[ROWS, n] or None
        Rounded up; the row is the instrument id. None without a shortfall model. [USD e-6]

    Raises
    ------
    RiskRangeError
        A lot could lose 2**31 millionths of a dollar or more.
    """
    if not parameters.shortfall:
        return None
    moves = _moves_of(parameters)
    plan = plan_of(parameters)
    market = market_of(plan, parameters, medians, now_ns)
    losses = np.zeros((ROWS, moves.shape[1]), np.int32)
    bad = fill_linear_history(
        plan.linear, market, plan.underlyings, plan.lot_divisors, moves, losses
    )
    if bad == IN_RANGE:
        bad = fill_option_history(
            plan.series,
            own_volatilities(plan, market, medians, now_ns),
            market,
            plan.underlyings,
            plan.ids,
            plan.lot_divisors,
            moves,
            NORMAL_TABLE,
            losses,
        )
    if bad != IN_RANGE:
        symbol = parameters.listing.instruments[bad].symbol
        raise RiskRangeError(f"a historical loss of {symbol} leaves int32")
    return losses


_recent: list[tuple[RiskParameters, Int64Array]] = []


def _moves_of(parameters: RiskParameters) -> Int64Array:
    """Return int64[U, n, 3]: price move [e-6], its log [2**-56], volatility move [e-6]."""
    for known, moves in _recent:
        if known is parameters:
            return moves
    rows = [
        [
            (m.prices_e6[u.index], log_of_move(m.prices_e6[u.index]), m.vols_e6[u.index])
            for m in parameters.shortfall[0].moves
        ]
        for u in parameters.listing.underlyings
    ]
    moves = np.array(rows, np.int64)
    _recent[:] = [(parameters, moves), *_recent[: _KEPT - 1]]
    return moves


@njit(cache=True, nogil=True)
def fill_linear_history(
    linear: Int64Array,
    market: Int64Array,
    underlyings: Int64Array,
    lot_divisors: Int64Array,
    moves: Int64Array,
    losses_e6: Int32Array,
) -> int:
    """Write the losses of perpetuals and futures; arguments as `fill_option_history`."""
    for n in range(linear.shape[0]):
        place, row, group = linear[n, 0], linear[n, 1], linear[n, 2]
        price, divisor = market[group, PRICE], lot_divisors[place]
        for s in range(moves.shape[1]):
            fall = price - shocked_price(price, moves[underlyings[group], s, _MOVE])
            loss = -(-fall // divisor)
            if abs(loss) >= _LIMIT:
                return int(place)
            losses_e6[row, s] = loss
    return IN_RANGE


@njit(cache=True, nogil=True)
def fill_option_history(
    series: Int64Array,
    volatilities_e8: Int64Array,
    market: Int64Array,
    underlyings: Int64Array,
    ids: Int64Array,
    lot_divisors: Int64Array,
    moves: Int64Array,
    table: Int64Array,
    losses_e6: Int32Array,
) -> int:
    """Write the losses of options, call and put of a series from the value of the call.

    Parameters
    ----------
    series, underlyings, ids, lot_divisors : int64 arrays
        Of the `Plan`.
    volatilities_e8 : int64[N]
        Own volatility of each series. [e-8]
    market : int64[G, 14]
        Of each group; columns in `risk_kernel`.
    moves : int64[U, n, 3]
        Price move [e-6], its log [2**-56], volatility move [e-6].
    table : int64[2560]
        `NORMAL_TABLE`.
    losses_e6 : int32[ROWS, n]
        Written by id, rounded up. [USD e-6]

    Returns
    -------
    int
        The place of the first instrument whose loss leaves int32; -1 when all fit.
    """
    for j in range(series.shape[0]):
        group, strike = series[j, 0], series[j, 1]
        price, root = market[group, PRICE], market[group, ROOT]
        moneyness = market[group, PRICE_LOG] - series[j, 2]
        total = total_volatility_word(volatilities_e8[j], root)
        now = option_value(price, strike, moneyness, total, inverse_word(total), True, table)
        for s in range(moves.shape[1]):
            move = moves[underlyings[group], s]
            shocked = shocked_price(price, move[_MOVE])
            total = total_volatility_word(shocked_price(volatilities_e8[j], move[_VOL_MOVE]), root)
            value = option_value(
                shocked,
                strike,
                moneyness + move[_LOG_MOVE],
                total,
                inverse_word(total),
                True,
                table,
            )
            for leg in range(2):
                place = series[j, 3 + leg]
                if place < 0:
                    continue
                fall = now - value
                if leg == 1:  # by parity the put falls by that less the fall of the forward
                    fall += shocked - price
                loss = -(-fall // lot_divisors[place])
                if abs(loss) >= _LIMIT:
                    return int(place)
                losses_e6[ids[place], s] = loss
    return IN_RANGE
