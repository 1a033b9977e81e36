"""Charges: what one lot of each instrument adds to the requirement beyond the scan (RISK_MODEL, 5).

A row is a function of the parameters, one report, the funding rate and the confidence in the
underlying; rounding is up, except for the delta, which is what it is, and the calm gain, a credit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.core.addons import COLUMNS, Charge
from offchain.core.instruments import FeedKind, Instrument, Kind
from offchain.core.parameters import RiskParameters
from offchain.core.units import (
    LOSS_BITS,
    ONE_E6,
    ONE_E8,
    ROWS,
    YEAR_NS,
    ceil_div,
    floor_div,
)
from offchain.pricing.risk_array import RiskArrays, RiskRangeError

Int64Array = NDArray[np.int64]
POINT_E8 = ONE_E6
"""One volatility point. [1e-8]"""
CHARGE_LIMIT = (1 << 32) - 1
CALM_LIMIT = (1 << LOSS_BITS) - 1
"""Keeps the gain of a lot within the bounds of `offchain.core.addons`."""


def charge_rows(
    parameters: RiskParameters,
    medians: Sequence[int],
    now_ns: int,
    arrays: RiskArrays,
    funding_rates_e8: Sequence[int],
    confidences_e6: Sequence[int],
) -> Int64Array:
    """Return the charges of every listed instrument; the row is the instrument id.

    Parameters
    ----------
    medians : sequence of int
        One for each feed, in listing order.
    now_ns : int
        Time of the report.
    arrays : RiskArrays
        Made from the same report.
    funding_rates_e8, confidences_e6 : sequence of int
        One for each underlying: rate for one funding period, positive when longs pay; confidence
        in [0, 1e6].

    Returns
    -------
    int64[ROWS, COLUMNS]
        In the order of `Charge`. [USD e-6 per lot]

    Raises
    ------
    RiskRangeError
        The index value of a lot is 2**31 millionths of a dollar or more.
    """
    rows = np.zeros((ROWS, COLUMNS), np.int64)
    groups = _groups(parameters)
    for underlying in parameters.listing.underlyings:
        lot_index = medians[underlying.index] // underlying.lot_divisor
        if lot_index >> LOSS_BITS:
            raise RiskRangeError(f"an index lot of {underlying.symbol} is worth {lot_index}")
    for instrument in parameters.listing.instruments:
        rows[instrument.id] = _row(
            parameters,
            instrument,
            medians,
            now_ns,
            arrays,
            funding_rates_e8[instrument.underlying],
            confidences_e6[instrument.underlying],
            groups[instrument.underlying][instrument.expiry_ns],
        )
    return rows


def _groups(parameters: RiskParameters) -> tuple[dict[int, int], ...]:
    """Return, for each underlying, the place of each expiry; 0 for perpetuals."""
    groups = []
    for underlying in parameters.listing.underlyings:
        dates = {i.expiry_ns for i in parameters.listing.of_underlying(underlying.index)}
        dated = sorted(date for date in dates if date)
        groups.append({0: 0} | {date: place for place, date in enumerate(dated, start=1)})
    return tuple(groups)


def _row(
    parameters: RiskParameters,
    instrument: Instrument,
    medians: Sequence[int],
    now_ns: int,
    arrays: RiskArrays,
    funding_rate_e8: int,
    confidence_e6: int,
    group: int,
) -> list[int]:
    underlying = instrument.underlying
    addons = parameters.addons[underlying]
    lot_index = medians[underlying] // parameters.listing.underlyings[underlying].lot_divisor
    delta = int(arrays.deltas_e6[instrument.id])
    close = ceil_div(int(arrays.lot_values_e6[instrument.id]) * parameters.taker_fee_e6, ONE_E6)
    funding = funding_rate_e8 if instrument.kind == Kind.PERPETUAL else 0
    naked = ceil_div(addons.naked_mm_e6 * lot_index, ONE_E6) if instrument.is_option else 0
    extra = ceil_div(addons.naked_im_e6 * lot_index, ONE_E6) if instrument.is_option else 0
    unwind = addons.unwind_option_e6 if instrument.is_option else addons.unwind_linear_e6
    row = [0] * COLUMNS
    row[Charge.DELTA] = delta
    row[Charge.ROLL] = _roll(delta, instrument.expiry_ns, now_ns, parameters, underlying)
    row[Charge.LONG] = close + ceil_div(max(0, funding) * lot_index, ONE_E8)
    row[Charge.SHORT] = close + ceil_div(max(0, -funding) * lot_index, ONE_E8) + naked
    row[Charge.UNWIND] = ceil_div(unwind * lot_index, ONE_E6)
    row[Charge.SHORT_EXTRA] = extra
    row[Charge.CALM] = _calm(parameters, instrument, medians, arrays)
    row[Charge.DOUBT] = doubt_e6(lot_index, confidence_e6, parameters, underlying)
    row[Charge.GROUP] = group
    return row


def _roll(
    delta_e6: int, expiry_ns: int, now_ns: int, parameters: RiskParameters, underlying: int
) -> int:
    """Return the signed move of one lot against other expiries, its size rounded up."""
    addons = parameters.addons[underlying]
    remaining = max(0, expiry_ns - now_ns)
    move = max(addons.roll_min_e6, floor_div(addons.roll_rate_e6 * remaining, YEAR_NS))
    size = ceil_div(abs(delta_e6) * min(move, ONE_E6), ONE_E6)
    return size if delta_e6 > 0 else -size


def _calm(
    parameters: RiskParameters, instrument: Instrument, medians: Sequence[int], arrays: RiskArrays
) -> int:
    """Return what one long lot gains when at-the-money volatility returns to the calm level."""
    if not instrument.is_option:
        return 0
    listing, underlying = parameters.listing, instrument.underlying
    place = listing.feed_index(FeedKind.VOLATILITY, underlying, instrument.expiry_ns)
    gap = max(0, parameters.addons[underlying].calm_vol_e8 - medians[place])
    gain = floor_div(int(arrays.vegas_e6[instrument.id]) * gap, POINT_E8)
    return min(max(gain, -CALM_LIMIT), CALM_LIMIT)


def doubt_e6(
    lot_index_e6: int, confidence_e6: int, parameters: RiskParameters, underlying: int
) -> int:
    """Return the charge for low confidence in an underlying's price, of one lot. [USD e-6]

    At most `CHARGE_LIMIT`: factors of up to ten would leave the bounds of `offchain.core.addons`.
    """
    addons = parameters.addons[underlying]
    if confidence_e6 >= addons.confidence_threshold_e6:
        return 0
    share = (ONE_E6 - confidence_e6) * addons.confidence_factor_e6
    return min(ceil_div(share * lot_index_e6, ONE_E6 * ONE_E6), CHARGE_LIMIT)
