"""The bitmap of prices, the pool of orders and its index, against sets and dictionaries."""

import numpy as np
from numba import njit

from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import BITS, WINDOW, Int64Array, Limits, Tables
from offchain.engine.hot.levels import _clear, _mark, next_above, next_below
from offchain.engine.hot.pool import find, give_back, has_room, take
from offchain.engine.hot.positions import share_ceil
from tests.support.hot import model, seeded


@njit(nogil=True)
def run_mark(bits: Int64Array, tick: int) -> None:
    _mark(bits, 0, tick)


@njit(nogil=True)
def run_clear(bits: Int64Array, tick: int) -> None:
    _clear(bits, 0, tick)


@njit(nogil=True)
def run_next(bits: Int64Array, tick: int) -> tuple[int, int]:
    return next_below(bits, 0, tick), next_above(bits, 0, tick)


@njit(nogil=True)
def run_share(amount: int, rate: int) -> int:
    return share_ceil(amount, rate)


def tables(orders: int) -> Tables:
    return HotExchange(Limits(accounts=2, orders=orders, books=1), model(0, 0)[0]).tables


def test_the_next_price_is_found_wherever_it_is() -> None:
    random = seeded(1)
    bits, known = np.zeros(BITS, np.int64), set[int]()
    near = [0, 1, 62, 63, 64, 65, 4_095, 4_096, WINDOW // 2, WINDOW - 64, WINDOW - 2, WINDOW - 1]
    for _ in range(3_000):
        tick = random.choice([random.choice(near), random.randrange(WINDOW)])
        if random.random() < 0.6 and len(known) < 20:
            run_mark(bits, tick)
            known.add(tick)
        elif known:
            gone = random.choice(sorted(known))
            run_clear(bits, gone)
            known.remove(gone)
        below = max((x for x in known if x < tick), default=-1)
        above = min((x for x in known if x > tick), default=WINDOW)
        assert run_next(bits, tick) == (below, above)
    for tick in known:
        run_clear(bits, tick)
    assert not bits.any()


def test_the_index_finds_exactly_what_rests() -> None:
    random = seeded(2)
    t, known = tables(40), dict[int, int]()
    for step in range(5_000):
        if random.random() < 0.55 and len(known) < 40:
            order_id = random.choice([step + 1, random.randrange(2**62, 2**63), 64 * step + 7])
            if order_id not in known:
                assert has_room(t)
                known[order_id] = take(t, order_id)
        elif known:
            give_back(t, known.pop(random.choice(sorted(known))))
        assert len(set(known.values())) == len(known)
        assert all(find(t, order_id) == place for order_id, place in known.items())
        assert find(t, step + 10_000_000) == 0
    assert has_room(t) == (len(known) < 40)


def test_the_pool_is_full_at_its_capacity_and_not_before() -> None:
    t = tables(5)
    places = [take(t, n) for n in range(1, 6)]
    assert sorted(places) == [1, 2, 3, 4, 5]
    assert not has_room(t)
    give_back(t, places[2])
    assert has_room(t)
    assert take(t, 77) == places[2]


def test_a_share_is_rounded_up_without_losing_high_bits() -> None:
    random = seeded(3)
    for _ in range(2_000):
        amount = random.choice([0, 1, 999_999, 10**6, 2**62 - 1, random.randrange(2**62)])
        rate = random.choice([0, 1, 300, 800_000, 10**6])
        assert run_share(amount, rate) == -(-amount * rate // 10**6)
