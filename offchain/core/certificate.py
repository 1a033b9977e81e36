"""No-recompute certificates: which accounts a tick cannot have moved across a threshold.

At its last recomputation an account got a slack: how far its excess (balance less a multiple of
MM) was from the nearest threshold, on whichever side. A tick changes the excess by at most

    sum over positions of |lots| x drift,   drift = |change of value| + weight x |change of MM|

of one lot, and both changes are read off the old and the new rows of values, losses and charges.
So the bound holds whatever moved them: prices, volatilities, funding, confidence or time. While
the slack is not used up, the account is on the side where it was. One that is flagged has its
margin computed and gets a new slack; so does one that trades or moves collateral, and all when
parameters change.

To touch an account with one multiplication per underlying, drifts are bounded by units: a row has
a unit, an account the exposure ``sum |lots| x unit``, an underlying the largest drift per unit.

Why the drift bounds MM. The scan risk, correlated or broken down, moves by at most the sum over
underlyings of the largest change of a scenario sum: offsets and breakdown are shares. Add-ons are
sums of absolute values and of curves whose slope is at most the last rate. The maximum with the
unwinding floor moves by at most the larger of the two, position by position. Each of the few
roundings on the way moves a result by at most one at either end: `ROUNDING_E6` covers them.

Bounds: units are at most 2**12, lots below 2**24 and positions 32, so an exposure is at most
2**41; drifts per unit above 2**20 flag every account that is exposed; with two underlyings a tick
uses at most 2**62, and other changes, added to it, are at most 2**61. Balances are below 2**62 and
an MM of 2**60 or more is always computed, so its product with a threshold is below 2**62.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.addons import Charge
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, SCENARIOS, SLOT_BITS, ceil_div

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

UNIT_BITS = 20
MAX_DRIFT = 1 << 20
MAX_OTHER_E6 = 1 << 61
MAX_REQUIREMENT_E6 = 1 << 60
MAX_THRESHOLD_E6 = 3 * ONE_E6
UNDECIDED = -1
"""The slack of an account whose side is not known: any change flags it."""
ROUNDING_E6 = 64
"""More than all roundings of MM times a threshold: at most 3 x (2 + 4 x MAX_UNDERLYINGS)."""
assert 3 * (2 + 4 * MAX_UNDERLYINGS) < ROUNDING_E6

_DELTA, _ROLL, _LONG = int(Charge.DELTA), int(Charge.ROLL), int(Charge.LONG)
_SHORT, _UNWIND, _GROUP = int(Charge.SHORT), int(Charge.UNWIND), int(Charge.GROUP)


def requirement_weight_e6(thresholds_e6: Sequence[int], mm_factor_e6: int) -> int:
    """Return by how much an excess falls at most when scan and add-ons rise by one. [e-6]"""
    assert max(thresholds_e6) <= MAX_THRESHOLD_E6
    return ceil_div(max(thresholds_e6) * mm_factor_e6, ONE_E6)


@njit(cache=True, nogil=True)
def exposure_units(losses_e6: Int32Array, units: Int64Array) -> None:
    """Write a unit for each row: its largest loss in steps of 2**20 e-6 USD, at least one.

    Any positive units are sound; these make instruments of one underlying drift alike.
    """
    for row in range(losses_e6.shape[0]):
        most = 0
        for s in range(losses_e6.shape[1]):
            most = max(most, abs(int(losses_e6[row, s])))
        units[row] = 1 + (most >> UNIT_BITS)


def drift_reference(
    values: tuple[int, int],
    losses_e6: tuple[Sequence[int], Sequence[int]],
    charges: tuple[Sequence[int], Sequence[int]],
    top_rates_e6: tuple[int, int, int],
    weight_e6: int,
) -> int:
    """Return the drift of one instrument from its (old, new) rows; defines `instrument_drifts`.

    `top_rates_e6` are the last rates of the delta curve, of the unwinding curve and of linear
    margin on the notional; `charges` are rows as in `addons.Charge`.
    """
    old, new = charges
    by_delta, by_unwind, by_notional = top_rates_e6
    change = [abs(b - a) for a, b in zip(old, new, strict=True)]
    if old[Charge.GROUP] != new[Charge.GROUP]:  # no longer netted with the same neighbours
        change[Charge.ROLL] = abs(old[Charge.ROLL]) + abs(new[Charge.ROLL])
    value = abs(values[1] - values[0])
    scan = max(abs(b - a) for a, b in zip(*losses_e6, strict=True))
    addons = change[Charge.ROLL] + max(change[Charge.LONG], change[Charge.SHORT])
    addons += ceil_div(change[Charge.DELTA] * by_delta, ONE_E6)
    floor = ceil_div(change[Charge.UNWIND] * by_unwind, ONE_E6)
    linear = ceil_div(value * by_notional, ONE_E6)
    return value + ceil_div(weight_e6 * max(scan + addons, floor, linear), ONE_E6)


@njit(cache=True, nogil=True)
def _part(amount: int, rate_e6: int) -> int:
    """Return ceil(amount x rate); amounts below 2**33 and rates below 2**24."""
    return -(-amount * rate_e6 // ONE_E6)


@njit(cache=True, nogil=True)
def instrument_drifts(
    old_values: Int64Array,
    new_values: Int64Array,
    old_losses_e6: Int32Array,
    new_losses_e6: Int32Array,
    old_charges: Int64Array,
    new_charges: Int64Array,
    top_rates_e6: Int64Array,
    weight_e6: int,
    drifts: Int64Array,
) -> None:
    """Write by how much one lot of each instrument may have changed an excess.

    Parameters
    ----------
    old_values, new_values : int64[ROWS]
        Value of one long lot net of funding, below 2**33. [USD e-6]
    old_losses_e6, new_losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario. [USD e-6]
    old_charges, new_charges : int64[ROWS, 9]
        Charges per lot, below 2**32. [USD e-6]
    top_rates_e6 : int64[MAX_UNDERLYINGS, 3]
        Last rates of the delta curve, the unwinding curve and linear margin on notional; zero
        where there is none.
    weight_e6 : int
        From `requirement_weight_e6`.
    drifts : int64[ROWS]
        Overwritten. [USD e-6 per lot]
    """
    for row in range(drifts.shape[0]):
        scan = 0
        for s in range(SCENARIOS):
            change = int(new_losses_e6[row, s]) - int(old_losses_e6[row, s])
            scan = max(scan, abs(change))
        old, new = old_charges[row], new_charges[row]
        roll = abs(new[_ROLL] - old[_ROLL])
        if old[_GROUP] != new[_GROUP]:
            roll = abs(new[_ROLL]) + abs(old[_ROLL])
        holding = max(abs(new[_LONG] - old[_LONG]), abs(new[_SHORT] - old[_SHORT]))
        rates = top_rates_e6[row >> SLOT_BITS]
        delta = _part(abs(new[_DELTA] - old[_DELTA]), rates[0])
        floor = _part(abs(new[_UNWIND] - old[_UNWIND]), rates[1])
        value = abs(new_values[row] - old_values[row])
        most = max(scan + roll + holding + delta, floor, _part(value, rates[2]))
        drifts[row] = value + _part(most, weight_e6)


@njit(cache=True, nogil=True)
def underlying_drifts(drifts: Int64Array, units: Int64Array, out: Int64Array) -> None:
    """Write the largest drift per unit of each underlying, rounded up; int64[MAX_UNDERLYINGS]."""
    out[:] = 0
    for row in range(drifts.shape[0]):
        underlying = row >> SLOT_BITS
        out[underlying] = max(out[underlying], -(-drifts[row] // units[row]))


@njit(cache=True, nogil=True)
def set_exposures(
    chosen: Int64Array,
    ids: Int32Array,
    lots: Int32Array,
    counts: Int32Array,
    units: Int64Array,
    exposures: Int64Array,
) -> None:
    """Write the exposures of the chosen accounts; int64[A, MAX_UNDERLYINGS].

    After every trade of an account, and of all accounts after new units.
    """
    for place in range(chosen.shape[0]):
        a = chosen[place]
        for u in range(MAX_UNDERLYINGS):
            exposures[a, u] = 0
        for j in range(counts[a]):
            row = ids[a, j]
            exposures[a, row >> SLOT_BITS] += abs(np.int64(lots[a, j])) * units[row]


def slack_reference(
    balance_e6: int, least_e6: int, most_e6: int, thresholds_e6: Sequence[int]
) -> int:
    """Return the slack of an account whose MM lies within ``least..most``; defines `set_slacks`.

    The distance from the balance to the nearest threshold, and to zero, less the roundings;
    `UNDECIDED` where the bounds of MM leave a side open.
    """
    if most_e6 >= MAX_REQUIREMENT_E6:
        return UNDECIDED
    slack = abs(balance_e6)
    for threshold in thresholds_e6:
        if balance_e6 * ONE_E6 >= threshold * most_e6:
            slack = min(slack, balance_e6 - ceil_div(threshold * most_e6, ONE_E6))
        elif balance_e6 * ONE_E6 < threshold * least_e6:
            slack = min(slack, threshold * least_e6 // ONE_E6 - balance_e6)
        else:
            return UNDECIDED
    return max(UNDECIDED, slack - ROUNDING_E6)


@njit(cache=True, nogil=True)
def set_slacks(
    chosen: Int64Array,
    balances_e6: Int64Array,
    least_e6: Int64Array,
    most_e6: Int64Array,
    thresholds_e6: Int64Array,
    slacks: Int64Array,
) -> None:
    """Write the slack of the chosen accounts from their balances and bounds of their MM.

    Parameters
    ----------
    chosen : int64[n]
        Accounts whose margin was computed just now.
    balances_e6 : int64[n]
        Their margin balances, below 2**62 in size. [USD e-6]
    least_e6, most_e6 : int64[n]
        Bounds of their MM; equal where it is known. [USD e-6]
    thresholds_e6 : int64[m]
        Every ratio of balance to MM at which something happens, at most `MAX_THRESHOLD_E6`.
    slacks : int64[A]
        Written; see `slack_reference`. [USD e-6]
    """
    for place in range(chosen.shape[0]):
        a = chosen[place]
        balance, least, most = balances_e6[place], least_e6[place], most_e6[place]
        slack = abs(balance)
        if most >= MAX_REQUIREMENT_E6:
            slacks[a] = UNDECIDED
            continue
        least_whole, least_rest = least // ONE_E6, least % ONE_E6
        most_whole, most_rest = most // ONE_E6, most % ONE_E6
        for k in range(thresholds_e6.shape[0]):
            rate = thresholds_e6[k]
            above = most_whole * rate + _part(most_rest, rate)
            below = least_whole * rate + least_rest * rate // ONE_E6
            ceiling = least_whole * rate + _part(least_rest, rate)
            if balance >= above:
                slack = min(slack, balance - above)
            elif balance < ceiling:
                slack = min(slack, below - balance)
            else:
                slack = UNDECIDED
                break
        slacks[a] = max(UNDECIDED, slack - ROUNDING_E6)


@njit(cache=True, nogil=True)
def spend(
    slacks: Int64Array,
    exposures: Int64Array,
    drifts: Int64Array,
    others_e6: Int64Array,
    flagged: Int64Array,
) -> int:
    """Charge a tick to every certificate; return how many accounts must be computed.

    Parameters
    ----------
    slacks : int64[A]
        Changed in place. [USD e-6]
    exposures : int64[A, MAX_UNDERLYINGS]
        From `set_exposures`.
    drifts : int64[MAX_UNDERLYINGS]
        From `underlying_drifts`.
    others_e6 : int64[A]
        What else may have moved the excess of an account, such as the value of its collateral;
        at most `MAX_OTHER_E6`. [USD e-6]
    flagged : int64[A]
        The first places are written: accounts whose slack is used up, ascending. Whoever charges
        the next tick has given each of them a new slack by `set_slacks` before.

    Notes
    -----
    An account that nothing moved is not flagged, whatever its slack: its margin is the same.
    """
    for u in range(MAX_UNDERLYINGS):
        if drifts[u] > MAX_DRIFT:
            return _flag_exposed(slacks, exposures, others_e6, flagged)
    count = 0
    for a in range(slacks.shape[0]):
        used = others_e6[a]
        for u in range(MAX_UNDERLYINGS):
            used += exposures[a, u] * drifts[u]
        left = max(UNDECIDED, slacks[a] - used)
        slacks[a] = left
        flagged[count] = a
        count += int((left <= 0) & (used > 0))
    return count


@njit(cache=True, nogil=True)
def _flag_exposed(
    slacks: Int64Array, exposures: Int64Array, others_e6: Int64Array, flagged: Int64Array
) -> int:
    """Flag every account that the tick may have moved at all."""
    count = 0
    for a in range(slacks.shape[0]):
        is_moved = others_e6[a] > 0
        for u in range(MAX_UNDERLYINGS):
            is_moved |= exposures[a, u] > 0
        if is_moved:
            slacks[a] = UNDECIDED
            flagged[count] = a
            count += 1
    return count
