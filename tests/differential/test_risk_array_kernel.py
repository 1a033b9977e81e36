"""Risk arrays: the definition, the kernel and the vectors agree on every cell."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from offchain.core.instruments import FeedKind
from offchain.core.parameters import RiskParameters
from offchain.core.units import DAY_NS, ONE_E8, PRICE_BITS, SCENARIOS
from offchain.pricing.marks import quote
from offchain.pricing.risk_array import RiskRangeError, losses_reference, price_book
from offchain.pricing.risk_kernel import shocked_price, weighted_loss
from scripts.vectors_pricing import decimal, risk_array, sample_parameters

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "risk_array.json").read_text())
SEED = 36


def integers(value: Any) -> Any:
    """Return the same structure with decimal strings read as integers."""
    if isinstance(value, dict):
        return {key: integers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [integers(inner) for inner in value]
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value


@pytest.fixture(scope="module")
def parameters() -> RiskParameters:
    return sample_parameters()


def test_script_writes_the_committed_vectors() -> None:
    assert decimal(risk_array()) == VECTORS


def assert_rows_equal(parameters: RiskParameters, medians: list[int], now_ns: int) -> None:
    arrays = price_book(parameters, medians, now_ns)
    for i in parameters.listing.instruments:
        of = quote(parameters.listing, medians, i, now_ns)
        assert tuple(arrays.losses_e6[i.id].tolist()) == losses_reference(parameters, i, of), i


@pytest.mark.parametrize("case", integers(VECTORS["cases"]), ids=lambda case: case["name"])
def test_kernel_gives_the_vectors(parameters: RiskParameters, case: dict[str, Any]) -> None:
    arrays = price_book(parameters, case["medians"], case["now_ns"])
    for row in case["rows"]:
        assert arrays.marks_e8[row["id"]] == row["mark_e8"]
        assert arrays.lot_values_e6[row["id"]] == row["lot_value_e6"]
        assert arrays.losses_e6[row["id"]].tolist() == row["losses_e6"]
        assert len(row["losses_e6"]) == SCENARIOS


def test_definition_gives_the_vectors(parameters: RiskParameters) -> None:
    case = integers(VECTORS["cases"])[0]
    for instrument, row in zip(parameters.listing.instruments, case["rows"], strict=True):
        of = quote(parameters.listing, case["medians"], instrument, case["now_ns"])
        assert list(losses_reference(parameters, instrument, of)) == row["losses_e6"]


def test_kernel_equals_the_definition_in_random_markets(parameters: RiskParameters) -> None:
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    start = integers(VECTORS["cases"])[0]["now_ns"]
    for _ in range(12):
        spots = [rng.randrange(1, 400_000 * ONE_E8), rng.randrange(1, 40_000 * ONE_E8)]
        medians = []
        for feed in parameters.listing.feeds:
            price = max(spots[feed.underlying] * rng.randrange(900, 1_100) // 1_000, 1)
            volatility = rng.choice([1, rng.randrange(1, 4 * ONE_E8), 1 << 62])
            medians.append(volatility if feed.kind == FeedKind.VOLATILITY else price)
        assert_rows_equal(parameters, medians, start + rng.randrange(-DAY_NS, 200 * DAY_NS))


def test_smallest_prices_have_small_losses(parameters: RiskParameters) -> None:
    now = integers(VECTORS["cases"])[0]["now_ns"]
    assert_rows_equal(parameters, [1] * len(parameters.listing.feeds), now)


def test_largest_prices_are_refused_because_a_lot_would_not_fit(parameters: RiskParameters) -> None:
    largest = [(1 << PRICE_BITS) - 1] * len(parameters.listing.feeds)
    with pytest.raises(RiskRangeError, match="ETH-0-PERPETUAL"):
        price_book(parameters, largest, 0)


def test_parts_of_a_cell_equal_their_plain_formula_at_the_limits() -> None:
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    edges = [0, 1, -1, 999_999, -999_999, 1 << 50, -(1 << 50)]
    for fall in edges + [rng.randrange(-(1 << 50), 1 << 50) for _ in range(500)]:
        for weight in (1, 32_000, 999_999, 1_000_000):
            for divisor in (1, 10_000, 100_000):
                exact = -(-weight * fall // (1_000_000 * divisor))
                assert weighted_loss(fall, weight, divisor) == exact
    for price in [1, (1 << PRICE_BITS) - 1] + [rng.randrange(1 << PRICE_BITS) for _ in range(200)]:
        for move in (-999_999, -1, 0, 1, 9_000_000):
            assert shocked_price(price, move) == price * (1_000_000 + move) // 1_000_000
