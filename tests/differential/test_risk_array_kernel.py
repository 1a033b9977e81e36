"""Risk arrays: the definition, the kernel and the vectors agree on every cell."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.core.instruments import FeedKind
from offchain.core.parameters import RiskParameters
from offchain.core.units import DAY_NS, ONE_E8, PRICE_BITS, SCENARIOS, YEAR_NS
from offchain.pricing.black76 import inverse_of, total_volatility_from
from offchain.pricing.marks import quote
from offchain.pricing.risk_array import (
    RiskRangeError,
    delta_reference,
    losses_reference,
    price_book,
    vega_reference,
)
from offchain.pricing.risk_kernel import (
    inverse_word,
    shocked_price,
    total_volatility_word,
    weighted_loss,
)
from scripts.vectors_pricing import (
    SMILES,
    decimal,
    risk_array,
    sample_parameters,
    shaped_medians,
    shaped_parameters,
    surface,
)

FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = json.loads((FOLDER / "risk_array.json").read_text())
SMILE_VECTORS = json.loads((FOLDER / "surface.json").read_text())
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


@pytest.fixture(scope="module")
def shaped() -> RiskParameters:
    return shaped_parameters()


def test_script_writes_the_committed_vectors() -> None:
    assert decimal(risk_array()) == VECTORS
    assert decimal(surface()) == SMILE_VECTORS


def assert_rows_equal(parameters: RiskParameters, medians: list[int], now_ns: int) -> None:
    arrays = price_book(parameters, medians, now_ns)
    for i in parameters.listing.instruments:
        of = quote(parameters.listing, medians, i, now_ns)
        divisor = parameters.listing.underlyings[i.underlying].lot_divisor
        assert tuple(arrays.losses_e6[i.id].tolist()) == losses_reference(parameters, i, of), i
        assert arrays.deltas_e6[i.id] == delta_reference(i, of, divisor), i
        assert arrays.vegas_e6[i.id] == vega_reference(i, of, divisor), i


def assert_case_holds(parameters: RiskParameters, case: dict[str, Any]) -> None:
    arrays = price_book(parameters, case["medians"], case["now_ns"])
    for row in case["rows"]:
        assert arrays.marks_e8[row["id"]] == row["mark_e8"]
        assert arrays.lot_values_e6[row["id"]] == row["lot_value_e6"]
        assert arrays.deltas_e6[row["id"]] == row["delta_e6"]
        assert arrays.vegas_e6[row["id"]] == row["vega_e6"]
        assert arrays.losses_e6[row["id"]].tolist() == row["losses_e6"]
        assert len(row["losses_e6"]) == SCENARIOS


@pytest.mark.parametrize("case", integers(VECTORS["cases"]), ids=lambda case: case["name"])
def test_kernel_gives_the_vectors(parameters: RiskParameters, case: dict[str, Any]) -> None:
    assert_case_holds(parameters, case)


@pytest.mark.parametrize("case", integers(SMILE_VECTORS["cases"]), ids=lambda case: case["name"])
def test_kernel_gives_the_vectors_of_smiles(shaped: RiskParameters, case: dict[str, Any]) -> None:
    assert_case_holds(shaped, case)


def test_definition_gives_the_vectors(parameters: RiskParameters) -> None:
    case = integers(VECTORS["cases"])[0]
    for instrument, row in zip(parameters.listing.instruments, case["rows"], strict=True):
        of = quote(parameters.listing, case["medians"], instrument, case["now_ns"])
        assert list(losses_reference(parameters, instrument, of)) == row["losses_e6"]


def test_kernel_equals_the_definition_in_random_markets(parameters: RiskParameters) -> None:
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    start = integers(VECTORS["cases"])[0]["now_ns"]
    for _ in range(12):
        now = start + rng.randrange(-DAY_NS, 200 * DAY_NS)
        assert_rows_equal(parameters, random_report(rng, parameters), now)


def random_report(rng: random.Random, parameters: RiskParameters) -> list[int]:
    """Return a report with prices near a common spot and any numbers in the other feeds."""
    spots = [rng.randrange(1, 400_000 * ONE_E8), rng.randrange(1, 40_000 * ONE_E8)]
    medians = []
    for feed in parameters.listing.feeds:
        if feed.kind in (FeedKind.INDEX, FeedKind.FORWARD):
            medians.append(max(spots[feed.underlying] * rng.randrange(900, 1_100) // 1_000, 1))
        elif feed.kind == FeedKind.VOLATILITY:
            wild = rng.randrange(1, (1 << PRICE_BITS) - 1)
            medians.append(rng.choice([1, rng.randrange(1, 4 * ONE_E8), 10 * ONE_E8, wild]))
        else:
            medians.append(rng.choice([1, rng.randrange(1, 10 * ONE_E8), (1 << PRICE_BITS) - 1]))
    return medians


def test_kernel_equals_the_definition_under_random_smiles(shaped: RiskParameters) -> None:
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    start = integers(SMILE_VECTORS["cases"])[0]["now_ns"]
    for _ in range(12):
        now = start + rng.randrange(-DAY_NS, 200 * DAY_NS)
        assert_rows_equal(shaped, random_report(rng, shaped), now)


def test_smile_too_wide_for_the_kernel_is_priced_by_the_definition(shaped: RiskParameters) -> None:
    """Ten-fold volatility for years: the variance at the money passes 64."""
    start = integers(SMILE_VECTORS["cases"])[0]["now_ns"]
    medians = shaped_medians([replace(smile, v0_e8=10 * ONE_E8) for smile in SMILES])
    assert_rows_equal(shaped, medians, start - 3 * YEAR_NS)


def test_words_of_a_total_volatility_equal_their_definition_at_the_limits() -> None:
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    volatilities = [0, 1, 10**9, 1 << 39, *(rng.randrange(1 << 39) for _ in range(100))]
    roots = [0, 1, 1 << 36, (1 << 63) - 1, *(rng.randrange(1 << 63) for _ in range(100))]
    for volatility in volatilities:
        for root in roots:
            total = total_volatility_from(volatility, root)
            assert total_volatility_word(volatility, root) == total
            assert inverse_word(total) == inverse_of(total)


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
