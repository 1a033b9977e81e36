"""Deribit, OKX and Paradex equal second implementations, written apart, on random portfolios."""

import random
from typing import Any

import pytest

from offchain.app.margin_command import answer_of
from offchain.models.schema import read_portfolio
from tests.support.slow_venues import DAY, DERIBIT, OKX, slow_deribit, slow_okx, slow_paradex

SEEDS = range(24)
RELATIVE = 1e-11
UP, DOWN = 0.11, 0.07


def portfolio(seed: int, name: str = "BTC") -> dict[str, Any]:
    """Return a perpetual, futures and options over three expiries, some of them very large."""
    dice = random.Random(seed)  # noqa: S311  no secret
    spot = dice.uniform(500, 100_000)
    size = dice.choice([1.0, 1.0, 3_000.0, 2e6])
    expiries = {
        label: {
            "seconds": dice.choice([0.4, 6, 20, 30, 55, 300]) * DAY * dice.uniform(0.9, 1.1),
            "forward": spot * dice.uniform(0.9, 1.2),
            "volatility": dice.uniform(0.15, 1.4),
        }
        for label in ("a", "b", "c")
    }
    positions: list[dict[str, Any]] = [
        {"kind": "perpetual", "underlying": name, "amount": size * dice.uniform(-2, 2)}
    ]
    for label in expiries:
        if dice.random() < 0.5:
            amount = size * dice.uniform(-2, 2)
            positions.append(
                {"kind": "future", "underlying": name, "expiry": label, "amount": amount}
            )
        positions += [
            {
                "kind": dice.choice(["call", "put"]),
                "underlying": name,
                "expiry": label,
                "strike": spot * dice.uniform(0.5, 1.7),
                "amount": size * dice.uniform(-3, 3),
            }
            for _ in range(dice.randrange(4))
        ]
    perpetual = {"price": spot * dice.uniform(0.98, 1.02)}
    return {
        "underlyings": {name: {"spot": spot, "perpetual": perpetual, "expiries": expiries}},
        "positions": positions,
    }


def gross(file: dict[str, Any], unit: float = 1.0) -> float:
    ((_, of),) = file["underlyings"].items()
    return float(sum(abs(p["amount"]) for p in file["positions"]) * of["spot"] / unit)


def line(found: dict[str, Any], name: str) -> float:
    return float(next(x["amount"] for x in found["lines"] if x["name"] == name))


def near(value: float, size: float) -> Any:
    return pytest.approx(value, rel=RELATIVE, abs=RELATIVE * size)


@pytest.mark.parametrize("name", DERIBIT)
@pytest.mark.parametrize("seed", SEEDS)
def test_deribit_equals_its_slow_twin(seed: int, name: str) -> None:
    file = portfolio(seed)
    slow = slow_deribit(file, DERIBIT[name])
    found = answer_of(read_portfolio(file), "deribit-pm", name)
    size = gross(file, file["underlyings"]["BTC"]["spot"] if DERIBIT[name].is_coin else 1.0)
    assert line(found, "worst scenario") == near(slow["worst"], size)
    assert line(found, "roll shock") == near(slow["roll"], size)
    assert line(found, "delta shock") == near(slow["delta"], size)
    assert found["initial_margin"] == near(slow["im"], size)
    assert found["maintenance_margin"] == near(slow["mm"], size)


def test_some_portfolios_are_large_enough_for_each_part_of_the_delta_shock() -> None:
    shocks = [slow_deribit(portfolio(seed), DERIBIT["btc_usd"]) for seed in SEEDS]
    assert any(s["delta"] == 0 for s in shocks)
    assert any(s["delta"] > s["worst"] / 10 for s in shocks)


@pytest.mark.parametrize("name", OKX)
@pytest.mark.parametrize("seed", SEEDS)
def test_okx_equals_its_slow_twin(seed: int, name: str) -> None:
    file = portfolio(seed, name)
    slow = slow_okx(file, UP, DOWN)
    stated = {"parameters": {"vol_points_up": UP, "vol_points_down": DOWN}}
    found = answer_of(read_portfolio({**file, **stated}), "okx", None)
    for key in ("mr1", "mr4", "mr6"):
        assert line(found, key.upper()) == near(slow[key], gross(file)), key
    assert found["maintenance_margin"] == near(slow["mm"], gross(file))
    assert found["initial_margin"] == near(slow["im"], gross(file))


@pytest.mark.parametrize("seed", SEEDS)
def test_paradex_equals_its_slow_twin(seed: int) -> None:
    file = portfolio(seed)
    slow = slow_paradex(file)
    found = answer_of(read_portfolio(file), "paradex-pm", None)
    assert len(found["scenarios"]) == slow["cells"]
    assert found["initial_margin"] == near(slow["im"], gross(file))
    assert found["maintenance_margin"] == near(slow["mm"], gross(file))


@pytest.mark.parametrize(
    ("raw", "charge"),
    [
        (10_000, 10_000),
        (70_000, 130_000),
        (170_000, 530_000),
        (300_000, 1_310_000),
        (470_000, 2_670_000),
        (700_000, 4_970_000),
        (800_000, 6_170_000),
    ],
)
def test_the_minimum_charge_of_okx_at_every_bound_of_its_tiers(raw: float, charge: float) -> None:
    """By hand: slices of 10, 60, 100, 130, 170, 230 and 100 thousand at 1, 2, 4, 6, 8, 10, 12."""
    found = answer_of(read_portfolio({"charges": {"mr7_raw": raw}}), "okx", None)
    assert found["maintenance_margin"] == charge
