"""Smiles: the definition, the kernel and the vectors agree on every bit."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from offchain.core.units import ONE_E8, YEAR_NS
from offchain.pricing.fixed_point import LOG_BITS
from offchain.pricing.surface import (
    WORD_VARIANCE,
    Surface,
    decode_surface,
    money_variance,
    surface_volatility,
    surface_volatility_reference,
    surface_words,
    total_variance_reference,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "surface.json").read_text())
SEED = 2_004
Point = tuple[Surface, int, int]


def random_point(rng: random.Random) -> Point:
    """Return smile, time to expiry and ln(F/K), ends of the ranges among them."""
    volatility = rng.choice([1, 10 * ONE_E8, rng.randrange(1, 3 * ONE_E8), rng.randrange(1, 1_000)])
    ends = [1, 1 << 45]
    shape = (
        rng.choice([*ends, rng.randrange(ONE_E8, 5 * ONE_E8)]),
        rng.choice([*ends, rng.randrange(ONE_E8, 3 * ONE_E8)]),
        rng.choice([*ends, rng.randrange(ONE_E8, 9 * ONE_E8)]),
        rng.choice([*ends, rng.randrange(ONE_E8, 5 * ONE_E8), ONE_E8 + rng.randrange(1, 10**6)]),
    )
    time_ns = rng.choice([0, 1, rng.randrange(YEAR_NS), rng.randrange(1 << rng.randrange(1, 60))])
    moneyness = rng.randrange(-(9 << LOG_BITS), 9 << LOG_BITS) >> rng.choice([0, 3, 6, 60])
    return decode_surface(volatility, shape), time_ns, moneyness


def assert_kernel_equals_definition(seed: int, count: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
    for _ in range(count):
        surface, time_ns, moneyness = random_point(rng)
        if money_variance(surface.v0_e8, time_ns) >= WORD_VARIANCE:
            continue
        expected = surface_volatility_reference(surface, time_ns, moneyness)
        words = surface_words(surface, time_ns)
        assert surface_volatility(moneyness, *words) == expected, (surface, time_ns, moneyness)


def test_kernel_equals_the_definition_on_every_bit() -> None:
    assert_kernel_equals_definition(SEED, 20_000)


@pytest.mark.deep
def test_kernel_equals_the_definition_on_a_million_points() -> None:
    assert_kernel_equals_definition(SEED + 1, 1_000_000)


def test_kernel_holds_at_the_largest_variance_that_it_takes() -> None:
    """w0 just below 2**62 and the steepest wing: the sum stays within 64 bits."""
    surface = decode_surface(10 * ONE_E8, (1 << 45, 1 << 45, 5 * ONE_E8, ONE_E8))
    time_ns = 64 * YEAR_NS // 100 - 1
    assert WORD_VARIANCE * 99 // 100 < money_variance(surface.v0_e8, time_ns) < WORD_VARIANCE
    for moneyness in (-8 << LOG_BITS, 8 << LOG_BITS, -1, 1):
        expected = surface_volatility_reference(surface, time_ns, moneyness)
        assert surface_volatility(moneyness, *surface_words(surface, time_ns)) == expected


@pytest.mark.parametrize("case", VECTORS["smiles"], ids=lambda case: case["name"])
def test_vectors_hold(case: dict[str, Any]) -> None:
    assert VECTORS["schema"] == "surface/1"
    volatility, *shape = (int(value) for value in case["values"])
    surface = decode_surface(volatility, shape)
    time_ns = int(case["remaining_ns"])
    fits = money_variance(surface.v0_e8, time_ns) < WORD_VARIANCE
    for point in case["points"]:
        x, variance, expected = (int(n) for n in point.values())
        assert total_variance_reference(surface, time_ns, x) == variance
        assert surface_volatility_reference(surface, time_ns, x) == expected
        if fits:
            assert surface_volatility(x, *surface_words(surface, time_ns)) == expected
