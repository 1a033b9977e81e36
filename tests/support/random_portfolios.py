"""Random portfolio files for the margin presets: what Derive's managers may hold."""

import random
from typing import Any


def random_portfolio(seed: int, *, options: int = 8) -> dict[str, Any]:
    """Return a file with a perpetual, options on up to three expiries, and collateral."""
    dice = random.Random(seed)  # noqa: S311  no secret
    spot = dice.choice([2_000.0, 60_000.0, 1.5])
    labels = dice.sample(["a", "b", "c"], dice.randint(1, 3))
    positions: list[dict[str, Any]] = [
        {
            "kind": dice.choice(["call", "put"]),
            "underlying": "U",
            "expiry": dice.choice(labels),
            "strike": round(spot * dice.choice([0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 2.0]), 4),
            "amount": round(dice.uniform(-5, 5), 3),
        }
        for _ in range(dice.randint(1, options))
    ]
    if dice.random() < 0.7:
        positions.append(
            {
                "kind": "perpetual",
                "underlying": "U",
                "amount": round(dice.uniform(-3, 3), 3),
                "unrealised_pnl": round(dice.uniform(-0.1, 0.1) * spot, 4),
            }
        )
    return {
        "cash": round(dice.uniform(-5, 5) * spot, 4),
        "stable_price": dice.choice([1.0, 1.01, 0.985, 0.97, 0.9]),
        "underlyings": {
            "U": {
                "spot": spot,
                "confidence": dice.choice([1.0, 0.9, 0.5, 0.3]),
                "perpetual": {
                    "price": round(spot * dice.uniform(0.99, 1.01), 4),
                    "confidence": dice.choice([1.0, 0.4]),
                },
                "expiries": {label: _expiry(dice, spot) for label in labels},
            }
        },
        "positions": positions,
        "collateral": [_collateral(dice, spot) for _ in range(dice.randint(0, 2))],
    }


def _expiry(dice: random.Random, spot: float) -> dict[str, Any]:
    seconds = dice.choice([0, 900, 1_800, 40_000, 86_400, 2_592_000, 2_592_001, 7_776_000, 3e7])
    forward = round(spot * dice.uniform(0.95, 1.05), 4)
    expiry: dict[str, Any] = {
        "seconds": seconds,
        "rate": dice.choice([0.0, 0.05, -0.02, 0.12]),
        "confidence": {
            "forward": dice.choice([1.0, 0.45]),
            "rate": dice.choice([1.0, 0.8]),
            "volatility": dice.choice([1.0, 0.2]),
        },
    }
    if seconds < 1_800 and dice.random() < 0.5:
        share = dice.random()
        expiry |= {"forward_fixed": forward * share, "forward_variable": forward * (1 - share)}
    else:
        expiry["forward"] = forward
    if dice.random() < 0.5:
        expiry["volatility"] = dice.choice([0.3, 0.6, 1.2])
    else:
        expiry["svi"] = {
            "a": dice.uniform(0.005, 0.05),
            "b": dice.uniform(0.01, 0.2),
            "rho": dice.uniform(-0.7, 0.7),
            "m": dice.uniform(-0.1, 0.1),
            "sigma": dice.uniform(0.02, 0.3),
            "forward": forward * dice.uniform(0.97, 1.03),
            "tau": max(seconds / 31_536_000, 0.001),
        }
    return expiry


def _collateral(dice: random.Random, spot: float) -> dict[str, Any]:
    return {
        "asset": "U",
        "underlying": "U",
        "amount": round(dice.uniform(0, 3), 3),
        "price": round(spot * dice.uniform(0.9, 1.1), 4),
        "haircut_mm": dice.choice([0.0, 0.05]),
        "haircut_im": dice.choice([0.0, 0.1]),
        "confidence": dice.choice([1.0, 0.5]),
        "risk_cancelling": dice.random() < 0.5,
    }
