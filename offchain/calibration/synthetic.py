"""A generated history: what a calibration uses when no market data is at hand.

It is NOT market data. Two prices with clustered volatility (a GARCH(1,1) in shape), common and own
shocks, and stressed windows at fixed places in which volatility is multiplied, the last of them a
crash; an at-the-money volatility that follows the conditional one. Only integers of a seeded
generator, sums of uniforms, the four operations and square roots are used, so every machine writes
the same file.
"""

import gzip
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = 17
START_S = 1_546_300_800  # 2019-01-01 00:00 UTC
STEP_S = 4 * 3_600
STEPS_A_DAY = 6
DAYS = 2_190
STRESSED_DAYS = ((430, 450, 3.2), (865, 890, 2.4), (1_255, 1_275, 2.4), (1_905, 1_912, 3.0))
"""First day, last day, and what volatility is multiplied by."""
CRASHES = {430 + 6: (-0.26, -0.31), 1_905 + 3: (-0.10, -0.14)}
"""Day and the jumps of both prices in its fourth step."""
COMMON = 0.88
"""Share of a shock that both prices have; outside stress their correlation is near its square."""
SYMBOLS = ("BTC", "ETH")


@dataclass
class _Walk:
    """One price: present value, conditional variance of a step, long-run variance, implied."""

    price: float
    variance: float
    long_run: float
    implied: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the generated history: prices in tenths of a dollar, volatilities in 1e-3."""

    time: int
    prices_e1: tuple[int, ...]
    volatilities_e3: tuple[int, ...]


def generate(seed: int = SEED) -> Iterator[Row]:
    """Yield the whole history, oldest first."""
    source = random.Random(seed)  # noqa: S311 - a reproducible series, no secret
    walks = [_walk(6_000.0, 0.55), _walk(220.0, 0.70)]
    for step in range(DAYS * STEPS_A_DAY):
        day, part = divmod(step, STEPS_A_DAY)
        boost = max((b for first, last, b in STRESSED_DAYS if first <= day <= last), default=1.0)
        jumps = CRASHES.get(day, (0.0, 0.0)) if part == 3 else (0.0, 0.0)
        common = _gaussian(source)
        for walk, jump in zip(walks, jumps, strict=True):
            own = _gaussian(source)
            shock = COMMON * common + math.sqrt(1.0 - COMMON * COMMON) * own
            _advance(walk, shock, boost, jump)
        yield Row(
            START_S + step * STEP_S,
            tuple(round(walk.price * 10) for walk in walks),
            tuple(round(walk.implied * 1_000) for walk in walks),
        )


def write(folder: Path, seed: int = SEED) -> list[Path]:
    """Write the history as gzip CSV files under a folder; the bytes depend on the seed alone."""
    rows = list(generate(seed))
    written = []
    for place, symbol in enumerate(SYMBOLS):
        prices = "".join(f"{r.time},{r.prices_e1[place]}\n" for r in rows)
        volatilities = "".join(f"{r.time},{r.volatilities_e3[place]}\n" for r in rows)
        for name, header, text in (
            (f"calibration/synthetic_spot_{symbol}USD_4h.csv.gz", "ts,close_e1\n", prices),
            (f"vol/synthetic_index_{symbol}_4h.csv.gz", "ts,close_e3\n", volatilities),
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress((header + text).encode("ascii"), 9, mtime=0))
            written.append(path)
    return written


def _walk(price: float, annual: float) -> _Walk:
    variance = annual * annual / (365 * STEPS_A_DAY)
    return _Walk(price, variance, variance, annual)


def _advance(walk: _Walk, shock: float, boost: float, jump: float) -> None:
    """Move one step: v' = v + 0.08 (r^2 - v) + 0.02 (long run - v), as GARCH(0.05, 0.93)."""
    drift = 0.55 / (365 * STEPS_A_DAY)
    change = drift + math.sqrt(walk.variance) * boost * shock
    calm = change / boost  # stress passes: it must not feed on itself
    change = max(change + jump, -0.5)
    walk.price = max(walk.price * (1.0 + change), 1.0)
    walk.variance += 0.05 * (calm * calm - walk.variance) + 0.02 * (walk.long_run - walk.variance)
    current = math.sqrt(walk.variance * 365 * STEPS_A_DAY) * math.sqrt(boost) - 0.6 * jump
    pull = 0.10 if current > walk.implied else 0.02  # fear comes faster than it goes
    walk.implied += pull * (current * 1.1 - walk.implied) - 0.15 * (change - drift) * walk.implied
    walk.implied = min(max(walk.implied, 0.20), 3.0)


def _gaussian(source: random.Random) -> float:
    """Return a draw with mean 0 and variance 1: twelve uniforms less six."""
    return math.fsum(source.random() for _ in range(12)) - 6.0
