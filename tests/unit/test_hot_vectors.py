"""The vector instructions of the batched core equal their twins, at the edges too."""

from random import Random
from typing import Any

import numpy as np
import pytest
from numba import njit

from offchain.core.units import SCENARIOS
from offchain.engine.hot import vectors as v
from offchain.engine.hot.layout import Int32Array, Int64Array
from tests.support.hot import seeded

CASES = 200


@njit(nogil=True)
def run_worst(rows: Int64Array, at: int) -> int:
    return v.worst(rows, at)


@njit(nogil=True)
def run_worst_after(rows: Int64Array, at: int, losses: Int32Array, row: int, lots: int) -> int:
    return v.worst_after(rows, at, losses, row, lots)


@njit(nogil=True)
def run_swap(
    rows: Int64Array, at: int, losses: Int32Array, row: int, a: int, b: int, c: int, d: int
) -> int:
    return v.swap_order(rows, at, losses, row, a, b, c, d)


@njit(nogil=True)
def run_fill(
    rows: Int64Array, at: int, sums: int, losses: Int32Array, row: int, lots: int, extra: int
) -> None:
    v.fill_order(rows, at, sums, losses, row, lots, extra)


@njit(nogil=True)
def run_bits(word: int) -> tuple[int, int]:
    return v.lowest_bit(word), v.highest_bit(word)


@njit(nogil=True)
def run_compare(a: int, b: int, c: int, d: int) -> bool:
    return v.is_product_at_least(a, b, c, d)


def draw(random: Random) -> tuple[Int64Array, Int32Array, int]:
    """Return 160 words, two risk rows and a place in the words; sums near their bounds at times."""
    size = random.choice([10, 10**12, 2**60])
    rows = np.array([random.randint(-size, size) for _ in range(160)], np.int64)
    edge = random.choice([5, 10**6, 2**31 - 1])
    losses = np.array([random.randint(-edge, edge) for _ in range(2 * SCENARIOS)], np.int32)
    return rows, losses, random.randrange(0, 40)


def terms(random: Random) -> tuple[int, int]:
    """Return lots and lots x slippage."""
    lots = random.choice([0, 1, -1, 2**24 - 1, 1 - 2**24, random.randint(-1000, 1000)])
    return lots, lots * random.choice([0, 2**31, -(2**31), random.randint(-(10**9), 10**9)])


@pytest.mark.parametrize("seed", range(4))
def test_vector_sums_equal_their_twins(seed: int) -> None:
    random = seeded(seed)
    for _ in range(CASES):
        rows, losses, at = draw(random)
        cells = losses[SCENARIOS:].tolist()
        own: list[int] = rows[at : at + SCENARIOS].tolist()
        (old, old_extra), (new, new_extra) = terms(random), terms(random)
        assert run_worst(rows, at) == v.worst_reference(own)
        after = run_worst_after(rows, at, losses, SCENARIOS, new)
        assert after == v.worst_after_reference(own, cells, new)

        expected = rows.tolist()
        worst = v.swap_order_reference(own, cells, old, old_extra, new, new_extra)
        expected[at : at + SCENARIOS] = own
        swapped = rows.copy()
        found = run_swap(swapped, at, losses, SCENARIOS, old, old_extra, new, new_extra)
        assert found == worst
        assert swapped.tolist() == expected, "only the 36 words change"

        sums: list[int] = rows[at + 40 : at + 76].tolist()
        v.fill_order_reference(own, sums, cells, new, new_extra)
        expected[at : at + SCENARIOS], expected[at + 40 : at + 76] = own, sums
        run_fill(swapped, at, at + 40, losses, SCENARIOS, new, new_extra)
        assert swapped.tolist() == expected


def test_swapping_back_restores_the_totals_exactly() -> None:
    random = seeded(9)
    for _ in range(CASES):
        rows, losses, at = draw(random)
        words: Any = (*terms(random), *terms(random))
        kept = rows.copy()
        run_swap(rows, at, losses, 0, *words)
        run_swap(rows, at, losses, 0, *words[2:], *words[:2])
        assert np.array_equal(rows, kept)


def test_bits_are_found_from_both_ends() -> None:
    for low in range(64):
        for high in range(low, 64):
            word = 1 << low | 1 << high
            signed = word - 2**64 if word >> 63 else word
            assert run_bits(signed) == (low, high)


def test_products_are_compared_beyond_64_bits() -> None:
    random = seeded(5)
    edge = [0, 1, -1, 2**62, -(2**62), 2**63 - 1, -(2**63)]
    for _ in range(5 * CASES):
        a, b, c, d = (random.choice([*edge, random.randint(-(2**63), 2**63 - 1)]) for _ in "abcd")
        assert run_compare(a, b, c, d) == (a * b >= c * d)
