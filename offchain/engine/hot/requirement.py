"""What an account is asked for: the machine's scan risk and add-ons, from slots and sums.

`exact_base` is max(R + A, U) of `offchain.core.portfolio`, with resting orders (for IM) or without
(for MM). `base_at_most` is never below it and needs neither nets nor scenarios: the plain sum of
the worst losses stands for R, gross roll and delta for their nets. Where money covers that, the
exact figure is not looked at. The twin in `reference_margin` takes both from `core.portfolio`.

Bounds. The buys and sells of a slot are below 2**25 and its position below 2**24, so an end is
below 2**25.6; 32 slots are below 2**30.6 lots together, and charges below 2**32: each term alone is
below 2**62.6, the scan with orders below 2**60 + 2**62. Their sum might not fit. So terms of IM
are compared with `LIMIT` (2**58, 288 billion USD) before they are added: at or above it, the
requirement is `BEYOND`, which no balance meets. Seven terms below it are below 2**61, and 22 times
the base (the peg is at most 20) below 2**62.5. MM has no orders: below 2**62.1, as in
`core.portfolio`.
"""

from numba import njit

from offchain.core.curves import CURVE_LIMIT, MAX_TIERS
from offchain.core.units import ONE_E6, SCENARIOS
from offchain.engine.hot.layout import (
    BREAKDOWN,
    COVERS,
    CURVE,
    CURVE_LINES,
    CURVE_UPTO,
    GROSS,
    GROUPS_USED,
    IM_FACTOR,
    MM_FACTOR,
    NET,
    NETS,
    OFFSET,
    OFFSET_CAP,
    RATE,
    RATE_BOUGHT,
    RATE_CALM,
    RATE_DELTA,
    RATE_DOUBT,
    RATE_EITHER,
    RATE_EXTRA,
    RATE_GROUP,
    RATE_LONG,
    RATE_ROLL,
    RATE_SHORT,
    RATE_SOLD,
    RATE_UNWIND,
    RECORD,
    ROW,
    SLOT_BUYS,
    SLOT_KEY,
    SLOT_LOTS,
    SLOT_SELLS,
    SLOT_SHIFT,
    SLOTS_OF,
    SUMS,
    TOTALS,
    UNDERLYINGS,
    UNWIND_CURVES,
    Tables,
)
from offchain.engine.hot.positions import row_of, share_ceil
from offchain.engine.hot.vectors import worst

LIMIT = 1 << 58
BEYOND = (1 << 63) - 1


@njit(cache=True, nogil=True, forceinline=True)
def curve_at(t: Tables, curve: int, amount_e6: int) -> int:
    """Return `core.curves.curve_value` of a non-negative amount; mostly the first line decides."""
    amount = min(amount_e6, CURVE_LIMIT)
    if amount <= t.curves[curve + CURVE_UPTO]:
        return share_ceil(amount, t.curves[curve + CURVE_LINES])
    whole, charge = amount // ONE_E6, 0
    rest = amount - whole * ONE_E6
    first = curve + CURVE_LINES
    for line in range(first, first + 3 * MAX_TIERS, 3):
        rate = t.curves[line]
        owed = rate * whole - t.curves[line + 1] - (t.curves[line + 2] - rate * rest) // ONE_E6
        charge = max(charge, owed)
    return charge


@njit(cache=True, nogil=True, forceinline=True)
def initial(t: Tables, base_e6: int) -> int:
    """Return IM: ceil((1 + peg) x base), or `BEYOND`; never below MM, as no term is. [USD e-6]"""
    return share_ceil(base_e6, t.scalars[IM_FACTOR]) if base_e6 < LIMIT else BEYOND


@njit(cache=True, nogil=True, forceinline=True)
def maintenance(t: Tables, base_e6: int) -> int:
    """Return MM: ceil(factor x base). [USD e-6]"""
    return share_ceil(base_e6, t.scalars[MM_FACTOR])


@njit(cache=True, nogil=True, forceinline=True)
def base_at_most(t: Tables, account: int, scan_e6: int, is_initial: bool) -> int:
    """Return a figure that max(R + A, U) does not pass; `BEYOND` where it might not fit.

    `scan_e6` is the plain sum of the worst losses. A lot that may be long or short is charged for
    both; nothing nets; shares that are rounded up once are rounded up for each slot.
    """
    for word in range(GROSS, GROSS + 2 * t.scalars[UNDERLYINGS]):
        t.scratch[word] = 0
    owed = 0
    first = account * t.scalars[SLOTS_OF] * RECORD
    for slot in range(first, first + t.scalars[SLOTS_OF] * RECORD, RECORD):
        if t.slots[slot + SLOT_KEY] == 0:
            break
        instrument = t.slots[slot + SLOT_KEY] - 1
        rate, of = instrument * RATE, GROSS + 2 * (instrument >> SLOT_SHIFT)
        low = high = t.slots[slot + SLOT_LOTS]
        if is_initial:
            high += t.slots[slot + SLOT_BUYS]
            low -= t.slots[slot + SLOT_SELLS]
        bought, sold = max(0, high), max(0, -low)
        most = max(bought, sold)
        owed += max(bought * t.rates[rate + RATE_LONG], sold * t.rates[rate + RATE_SHORT])
        if is_initial:
            owed += most * t.rates[rate + RATE_EITHER] + 1  # the share of calm, rounded up
            owed += sold * t.rates[rate + RATE_SOLD] + bought * t.rates[rate + RATE_BOUGHT]
        else:
            owed += most * abs(t.rates[rate + RATE_ROLL])
        t.scratch[of] += most * abs(t.rates[rate + RATE_DELTA])
        t.scratch[of + 1] += most * t.rates[rate + RATE_UNWIND]
    if scan_e6 >= LIMIT or owed >= LIMIT:
        return BEYOND
    total, floor = scan_e6 + owed, 0
    for underlying in range(t.scalars[UNDERLYINGS]):
        of, curve = GROSS + 2 * underlying, underlying * CURVE
        total += curve_at(t, curve, t.scratch[of])
        floor += curve_at(t, UNWIND_CURVES + curve, t.scratch[of + 1])
    return max(total, floor)


@njit(cache=True, nogil=True)
def cross_risk(t: Tables, account: int, part: int) -> int:
    """Return the scan risk across underlyings (`core.cross`); `part` is TOTALS or SUMS."""
    row = row_of(t, account)
    plain = 0
    for at in range(row + part, row + part + t.scalars[UNDERLYINGS] * ROW, ROW):
        plain += worst(t.rows, at)
    if t.scalars[UNDERLYINGS] == 1:
        return plain  # with a single underlying there is nothing to offset, and breakdown <= 1
    risk = share_ceil(plain, t.scalars[BREAKDOWN])
    offset, cap = t.scalars[OFFSET], t.scalars[OFFSET_CAP]
    for s in range(row + part, row + part + SCENARIOS):
        losses, gains = 0, 0
        for at in range(s, s + t.scalars[UNDERLYINGS] * ROW, ROW):
            losses += max(0, t.rows[at])
            gains += max(0, -t.rows[at])
        if losses > risk:
            whole = gains // ONE_E6
            credit = whole * offset + (gains - whole * ONE_E6) * offset // ONE_E6
            risk = max(risk, losses - min(cap, credit))
    return risk


@njit(cache=True, nogil=True, forceinline=True)
def _clear_nets(t: Tables) -> None:
    for word in range(GROSS, GROSS + NET * t.scalars[UNDERLYINGS]):
        t.scratch[word] = 0
    for word in range(NETS, NETS + NET * t.scalars[UNDERLYINGS] * t.scalars[GROUPS_USED]):
        t.scratch[word] = 0


@njit(cache=True, nogil=True, forceinline=True)
def _widen(t: Tables, at: int, low: int, high: int, charge: int) -> None:
    """Add the least and the most that an instrument can make of a net."""
    one, other = low * charge, high * charge
    t.scratch[at] += min(one, other)
    t.scratch[at + 1] += max(one, other)


@njit(cache=True, nogil=True)
def _netted(t: Tables, is_initial: bool) -> tuple[int, int, int, int]:
    """Return roll, covered calm, delta charge and unwinding floor from the nets of an account."""
    roll = calm = charge = floor = 0
    for underlying in range(t.scalars[UNDERLYINGS]):
        of, curve = GROSS + NET * underlying, underlying * CURVE
        delta = max(abs(t.scratch[of]), abs(t.scratch[of + 1]))
        charge += curve_at(t, curve, delta)
        floor += curve_at(t, UNWIND_CURVES + curve, t.scratch[of + 2])
        first = NETS + NET * underlying * t.scalars[GROUPS_USED]
        for at in range(first, first + NET * t.scalars[GROUPS_USED], NET):
            roll += max(abs(t.scratch[at]), abs(t.scratch[at + 1]))
            if is_initial and t.scratch[at + 2] < 0:
                calm += share_ceil(-t.scratch[at + 2], t.scalars[COVERS + underlying])
    return roll, calm, charge, floor


@njit(cache=True, nogil=True)
def exact_base(t: Tables, account: int, is_initial: bool) -> int:
    """Return max(R + A, U), for IM with resting orders, each term at its worst subset of them.

    `BEYOND` where a term of IM reaches `LIMIT`. [USD e-6]
    """
    _clear_nets(t)
    holding = naked = doubt = 0
    first = account * t.scalars[SLOTS_OF] * RECORD
    for slot in range(first, first + t.scalars[SLOTS_OF] * RECORD, RECORD):
        if t.slots[slot + SLOT_KEY] == 0:
            break
        instrument = t.slots[slot + SLOT_KEY] - 1
        underlying, rate = instrument >> SLOT_SHIFT, instrument * RATE
        low = high = t.slots[slot + SLOT_LOTS]
        if is_initial:
            high += t.slots[slot + SLOT_BUYS]
            low -= t.slots[slot + SLOT_SELLS]
        bought, sold = max(0, high), max(0, -low)
        most = max(bought, sold)
        holding += max(bought * t.rates[rate + RATE_LONG], sold * t.rates[rate + RATE_SHORT])
        _widen(t, GROSS + NET * underlying, low, high, t.rates[rate + RATE_DELTA])
        t.scratch[GROSS + NET * underlying + 2] += most * t.rates[rate + RATE_UNWIND]
        group = underlying * t.scalars[GROUPS_USED] + t.rates[rate + RATE_GROUP]
        _widen(t, NETS + NET * group, low, high, t.rates[rate + RATE_ROLL])
        if is_initial:
            naked += sold * t.rates[rate + RATE_EXTRA]
            doubt += most * t.rates[rate + RATE_DOUBT]
            calm = t.rates[rate + RATE_CALM]
            t.scratch[NETS + NET * group + 2] += min(low * calm, high * calm)
    roll, calm, charge, floor = _netted(t, is_initial)
    if not is_initial:
        return max(cross_risk(t, account, SUMS) + roll + holding + charge, floor)
    risk = cross_risk(t, account, TOTALS)
    largest = max(risk, roll, holding, charge, naked, calm, doubt, floor)
    if largest >= LIMIT:
        return BEYOND
    return max(risk + roll + holding + charge + naked + calm + doubt, floor)
