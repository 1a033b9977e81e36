"""Black-76: the definition, the kernel, the vectors and forty digits of mpmath agree."""

import json
import random
from pathlib import Path

import mpmath
import numpy as np
import pytest

from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, YEAR_NS
from offchain.pricing.black76 import (
    MAX_DISTANCE,
    MAX_TOTAL_VOL,
    MIN_TOTAL_VOL,
    VOL_BITS,
    call_delta,
    call_delta_reference,
    inverse_of,
    normal,
    normal_reference,
    option_price,
    option_value,
    price_options,
    price_reference,
    total_volatility,
)
from offchain.pricing.fixed_point import LOG_BITS, ln
from offchain.pricing.normal_table import NORMAL_TABLE, PROBABILITY_ONE
from scripts.vectors_pricing import black76, decimal

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "black76.json").read_text())
SEED = 1_976
Cell = tuple[int, int, int, int, bool]


def random_cell(rng: random.Random) -> Cell:
    """Return forward, strike, ln(F/K), total volatility and side, edges among them."""
    largest = 1 << rng.randrange(1, 50)
    forward = rng.randrange(largest)
    strike = rng.randrange(1, 1 << rng.randrange(1, 47))
    moneyness = rng.choice(
        [
            ln(max(forward, 1)) - ln(strike),
            rng.randrange(-(64 << LOG_BITS), 64 << LOG_BITS),
            rng.randrange(-(1 << LOG_BITS), 1 << LOG_BITS),
            (1 << 62) - 1,
            -(1 << 62),
        ]
    )
    total = rng.choice(
        [
            0,
            MIN_TOTAL_VOL,
            MAX_TOTAL_VOL,
            rng.randrange(MIN_TOTAL_VOL, MAX_TOTAL_VOL),
            rng.randrange(MIN_TOTAL_VOL, 1 << VOL_BITS),
        ]
    )
    return forward, strike, moneyness, total, rng.random() < 0.5


def assert_kernel_equals_definition(seed: int, count: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
    cells = [random_cell(rng) for _ in range(count)]
    forwards, strikes, logs, totals = (
        np.array([cell[k] for cell in cells], np.int64) for k in range(4)
    )
    inverses = np.array([inverse_of(cell[3]) for cell in cells], np.int64)
    are_calls = np.array([cell[4] for cell in cells], np.bool_)
    out = np.zeros(len(cells), np.int64)
    price_options(forwards, strikes, logs, totals, inverses, are_calls, NORMAL_TABLE, out)
    for cell, price in zip(cells, out.tolist(), strict=True):
        *numbers, is_call = cell
        assert price == price_reference(*numbers, is_call=is_call), cell


def test_kernel_equals_the_definition_on_every_bit() -> None:
    assert_kernel_equals_definition(SEED, 5_000)


@pytest.mark.deep
def test_kernel_equals_the_definition_on_a_million_cells() -> None:
    for batch in range(100):
        assert_kernel_equals_definition(SEED + 1 + batch, 10_000)


def test_normal_kernel_equals_the_definition_on_every_bit() -> None:
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    edges = [0, 1, 8 << VOL_BITS, (8 << VOL_BITS) - 1, MAX_DISTANCE, 16 << VOL_BITS]
    edges += [k << (VOL_BITS - 6) for k in range(513)] + [(k << 52) - 1 for k in range(1, 513)]
    points = edges + [-x for x in edges]
    points += [rng.randrange(-9 << VOL_BITS, 9 << VOL_BITS) for _ in range(2_000)]
    for x in points:
        assert normal(x, NORMAL_TABLE) == normal_reference(x), x


def test_distance_that_passes_64_bits_is_cut_and_not_wrapped() -> None:
    """Narrowed before it is cut, this product would wrap and misprice by the whole forward."""
    forward, strike = 60_000 * ONE_E8, 59_000 * ONE_E8
    for moneyness in (40 << LOG_BITS, -(40 << LOG_BITS)):
        assert abs(moneyness * inverse_of(MIN_TOTAL_VOL) >> 38) > 1 << 70
        price = option_value(
            forward,
            strike,
            moneyness,
            MIN_TOTAL_VOL,
            inverse_of(MIN_TOTAL_VOL),
            True,
            NORMAL_TABLE,
        )
        assert price == max(forward - strike, 0)


def true_price(forward: int, strike: int, volatility: int, time_ns: int) -> mpmath.mpf:
    """Return the call by the formula, in 1e-8 USD."""
    f, k = mpmath.mpf(forward), mpmath.mpf(strike)
    w = mpmath.mpf(volatility) / ONE_E8 * mpmath.sqrt(mpmath.mpf(time_ns) / YEAR_NS)
    d1 = mpmath.log(f / k) / w + w / 2
    return f * mpmath.ncdf(d1) - k * mpmath.ncdf(d1 - w)


def test_error_against_forty_digits_is_below_five_units_of_1e_8_usd() -> None:
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    worst = mpmath.mpf(0)
    with mpmath.workdps(40):
        for _ in range(3_000):
            forward = rng.randrange(ONE_E8, 700_000 * ONE_E8)
            strike = min(forward * rng.randrange(50_000, 20_000_000) // ONE_E6, (1 << 46) - 1)
            volatility = rng.randrange(ONE_E8 // 100, 5 * ONE_E8)
            time_ns = rng.randrange(1_000_000, rng.choice([DAY_NS, 30 * DAY_NS, 2 * YEAR_NS]))
            if not MIN_TOTAL_VOL <= total_volatility(volatility, time_ns) < MAX_TOTAL_VOL:
                continue
            call = option_price(forward, strike, volatility, time_ns, is_call=True)
            error = abs(call - true_price(forward, strike, volatility, time_ns))
            assert error <= 1 + mpmath.mpf(2e-14) * (forward + strike)
            worst = max(worst, error)
    assert worst <= 5


def test_delta_kernel_equals_the_definition_on_every_bit() -> None:
    rng = random.Random(SEED + 200)  # noqa: S311 - reproducible data, not secrets
    for _ in range(5_000):
        f, k, log, total, _ = random_cell(rng)
        found = call_delta(f, k, log, total, inverse_of(total), NORMAL_TABLE)
        assert found == call_delta_reference(f, k, log, total), (f, k, log, total)


def test_delta_without_volatility_is_that_of_the_payoff() -> None:
    for strike, delta in ((99, PROBABILITY_ONE), (100, 0), (101, 0)):
        assert call_delta_reference(100, strike, 0, 0) == delta
        assert call_delta(100, strike, 0, 0, 0, NORMAL_TABLE) == delta


def test_script_writes_the_committed_vectors() -> None:
    assert decimal(black76()) == VECTORS


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_vectors_hold(case: dict[str, str]) -> None:
    n = {key: int(value) for key, value in case.items() if key != "name"}
    moneyness = ln(n["forward_e8"]) - ln(n["strike_e8"])
    total = total_volatility(n["volatility_e8"], n["remaining_ns"])
    assert (moneyness, total) == (n["log_moneyness"], n["total_volatility"])
    for is_call, expected in ((True, n["call_e8"]), (False, n["put_e8"])):
        cell = (n["forward_e8"], n["strike_e8"], moneyness, total)
        assert price_reference(*cell, is_call=is_call) == expected
        assert option_value(*cell, inverse_of(total), is_call, NORMAL_TABLE) == expected


def test_vectors_of_the_normal_distribution_and_logarithm_hold() -> None:
    assert VECTORS["schema"] == "black76/1"
    for point in VECTORS["normal"]:
        assert normal(int(point["x"]), NORMAL_TABLE) == int(point["probability"])
    for point in VECTORS["logarithm"]:
        assert ln(int(point["value"])) == int(point["logarithm"])
