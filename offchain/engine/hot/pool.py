"""The pool of orders and the index that finds one by its id.

The pool hands out places 1..capacity: first those given back, then fresh ones. The index is open
addressing with linear probing and no tombstones: taking an id out moves the ones behind it back.
It has at least twice as many places as the pool, so a probe always ends.
"""

import numpy as np
from numba import njit

from offchain.engine.hot.layout import (
    CAPACITY,
    FREE,
    FRESH,
    INDEX_SHIFT,
    LIVE,
    ORDER_ID,
    ORDER_NEXT,
    RECORD,
    Tables,
)

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: spreads consecutive ids (Knuth, TAOCP 3, section 6.4)."""


@njit(cache=True, nogil=True, forceinline=True)
def home(t: Tables, order_id: int) -> int:
    """Return where the index looks for an id first."""
    return int(np.int64((np.uint64(order_id) * GOLDEN) >> np.uint64(t.scalars[INDEX_SHIFT])))


@njit(cache=True, nogil=True, forceinline=True)
def find(t: Tables, order_id: int) -> int:
    """Return the place of a resting order, 0 when there is none."""
    mask = (t.ids.shape[0] >> 1) - 1
    at = home(t, order_id)
    while t.ids[2 * at] != order_id:
        if t.ids[2 * at] == 0:
            return 0
        at = (at + 1) & mask
    return int(t.ids[2 * at + 1])


@njit(cache=True, nogil=True, forceinline=True)
def has_room(t: Tables) -> bool:
    """Tell whether another order can rest."""
    return bool(t.scalars[LIVE] < t.scalars[CAPACITY])


@njit(cache=True, nogil=True, forceinline=True)
def take(t: Tables, order_id: int) -> int:
    """Take a place and put it into the index under an id that is not there; needs `has_room`."""
    place = t.scalars[FREE]
    if place:
        t.scalars[FREE] = t.orders[place * RECORD + ORDER_NEXT]
    else:
        t.scalars[FRESH] += 1
        place = t.scalars[FRESH]
    t.scalars[LIVE] += 1
    t.orders[place * RECORD + ORDER_ID] = order_id
    mask = (t.ids.shape[0] >> 1) - 1
    at = home(t, order_id)
    while t.ids[2 * at] != 0:
        at = (at + 1) & mask
    t.ids[2 * at] = order_id
    t.ids[2 * at + 1] = place
    return int(place)


@njit(cache=True, nogil=True, forceinline=True)
def give_back(t: Tables, place: int) -> None:
    """Take an order out of the index and put its place on the free list."""
    mask = (t.ids.shape[0] >> 1) - 1
    order_id = t.orders[place * RECORD + ORDER_ID]
    t.orders[place * RECORD + ORDER_ID] = 0
    t.orders[place * RECORD + ORDER_NEXT] = t.scalars[FREE]
    t.scalars[FREE] = place
    t.scalars[LIVE] -= 1
    hole = home(t, order_id)
    while t.ids[2 * hole] != order_id:
        hole = (hole + 1) & mask
    at = (hole + 1) & mask
    while t.ids[2 * at] != 0:
        # An entry may move into the hole unless its home lies behind the hole, cyclically.
        if (at - home(t, t.ids[2 * at])) & mask >= (at - hole) & mask:
            t.ids[2 * hole] = t.ids[2 * at]
            t.ids[2 * hole + 1] = t.ids[2 * at + 1]
            hole = at
        at = (at + 1) & mask
    t.ids[2 * hole] = 0
    t.ids[2 * hole + 1] = 0
