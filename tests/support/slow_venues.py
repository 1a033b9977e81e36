"""Deribit, OKX and Paradex again, written apart: plain loops over positions, one price at a time.

Follows margin.md 2.1, 2.2 and 2.5 and, where those are silent, the readings that
docs/MARGIN_FILE.md lists. Takes files whose positions are perpetuals, futures and options of one
underlying, with `seconds`, `forward` and `volatility` for each expiry.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

YEAR = 31_536_000.0
DAY = 86_400.0
TAILS = ((0.34, 0.24), (0.67, 0.48), (1.5, 0.32), (2, 0.16), (3, 0.08))
TAILS_BEYOND = ((4, 0.0533), (5, 0.04), (6, 0.032))


def share_below(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def price(forward: float, strike: float, deviation: float, *, is_call: bool) -> float:
    """Return Black's undiscounted price; `deviation` is v sqrt(T)."""
    side = 1.0 if is_call else -1.0
    if deviation <= 0:
        return max(0.0, side * (forward - strike))
    far = math.log(forward / strike) / deviation + deviation / 2
    near = far - deviation
    return side * (forward * share_below(side * far) - strike * share_below(side * near))


def delta(forward: float, strike: float, deviation: float, *, is_call: bool) -> float:
    far = math.log(forward / strike) / deviation + deviation / 2
    return share_below(far) if is_call else share_below(far) - 1.0


@dataclass(frozen=True)
class Deribit:
    """Parameters of margin.md 2.1, by currency pair."""

    reach: float
    up: float
    annual: float
    least: float
    dampener: float
    slope: float
    gains: float
    is_coin: bool


DERIBIT = {
    "btc_usd": Deribit(0.16, 0.50, 0.075, 0.01, 100_000, 5e-5, 1.0, is_coin=True),
    "eth_usd": Deribit(0.18, 0.40, 0.05, 0.005, 200_000, 4e-6, 0.6, is_coin=True),
    "usd_pairs": Deribit(0.16, 0.50, 0.10, 0.01, 25_000, 5e-5, 1.0, is_coin=False),
}
OKX = {
    "BTC": ((0.04, 0.08, 0.12), 0.24, 0.05),
    "SOL": ((0.06, 0.12, 0.18), 0.36, 0.15),
    "KAS": ((0.08, 0.16, 0.25), 0.50, 0.30),
}
"""Moves of MR1, the move of MR6 and the annual move of MR4, for one underlying of each class."""


class Book:
    """The positions of the only underlying of a file."""

    def __init__(self, file: dict[str, Any]) -> None:
        ((self.name, self.of),) = file["underlyings"].items()
        self.spot = self.of["spot"]
        self.positions = file["positions"]

    def leg(self, position: dict[str, Any]) -> tuple[float, float, float]:
        """Return price now, years and volatility of what a position follows."""
        if position["kind"] == "perpetual":
            return self.of["perpetual"]["price"], 0.0, 0.0
        expiry = self.of["expiries"][position["expiry"]]
        return expiry["forward"], expiry["seconds"] / YEAR, expiry["volatility"]

    def profit(
        self, times: float, shock: Callable[[float, float], float], *, is_coin: bool = False
    ) -> float:
        """Return what all positions gain; `shock` is of volatility and years."""
        total = 0.0
        for p in self.positions:
            now, years, vol = self.leg(p)
            then = now * times
            if p["kind"] in {"call", "put"}:
                is_call, root = p["kind"] == "call", math.sqrt(years)
                before = price(now, p["strike"], vol * root, is_call=is_call)
                after = price(then, p["strike"], shock(vol, years) * root, is_call=is_call)
                gain = after / then - before / now if is_coin else after - before
            else:
                gain = 1.0 - 1.0 / times if is_coin else then - now
            total += p["amount"] * gain
        return total

    def delta_of(self, p: dict[str, Any], *, is_net_of_price: bool = False) -> float:
        if p["kind"] not in {"call", "put"}:
            return float(p["amount"])
        now, years, vol = self.leg(p)
        deviation, is_call = vol * math.sqrt(years), p["kind"] == "call"
        found = delta(now, p["strike"], deviation, is_call=is_call)
        if is_net_of_price:
            found -= price(now, p["strike"], deviation, is_call=is_call) / now
        return float(p["amount"]) * found

    def deltas(self, *, is_net_of_price: bool = False) -> dict[str, float]:
        """Return the delta of each expiry, and that of the perpetual under an empty label."""
        found: dict[str, float] = {}
        for p in self.positions:
            label = p.get("expiry", "")
            delta = self.delta_of(p, is_net_of_price=is_net_of_price)
            found[label] = found.get(label, 0.0) + delta
        return found

    def years(self, label: str) -> float:
        return float(self.of["expiries"][label]["seconds"]) / YEAR if label else 0.0


def scaled(years: float) -> float:
    """Return (30 days / time)^p, with the floor of a day."""
    days = max(years * YEAR / DAY, 1.0)
    return float((30.0 / days) ** (0.30 if days <= 30 else 0.13))


def slow_deribit(file: dict[str, Any], of: Deribit) -> dict[str, float]:
    """Return worst loss, roll and delta shock and both margins. [coin or USD]"""
    book = Book(file)
    shocks: dict[str, Callable[[float, float], float]] = {
        "up": lambda v, t: max(v * (1 + of.up * scaled(t)), 0.5),
        "same": lambda v, t: v,
        "down": lambda v, t: max(v * (1 - 0.25 * scaled(t)), 0.0),
    }
    unit = 1.0 if of.is_coin else book.spot
    results = []
    for step in range(-4, 5):
        for shock in shocks.values():
            found = book.profit(1 + step * of.reach / 4, shock, is_coin=of.is_coin)
            results.append(found * of.gains if found > 0 else found)
    for move in (-0.66, -0.33, 0.5, 1, 2, 3, 4, 5):
        found = book.profit(1 + move, shocks["up"], is_coin=of.is_coin) * of.reach / abs(move)
        relief = (abs(move) / of.reach - 1) * of.dampener / (book.spot if of.is_coin else 1)
        results.append(min(0.0, found + relief) if found < 0 else found * of.gains)
    deltas = book.deltas(is_net_of_price=of.is_coin)
    roll = sum(
        abs(d) * unit * max(of.least, of.annual * book.years(label)) for label, d in deltas.items()
    )
    beyond = max(0.0, abs(sum(deltas.values())) - 20e6 / book.spot)
    shock_of_delta = beyond * min(0.10, of.slope * beyond) * unit
    worst = max(0.0, -min(results))
    risk = worst + roll + shock_of_delta
    return {"worst": worst, "roll": roll, "delta": shock_of_delta, "im": risk, "mm": 0.8 * risk}


def slow_okx(file: dict[str, Any], up: float, down: float) -> dict[str, float]:
    """Return MR1, MR4, MR6 and the margins that follow from them. [USD]"""
    book = Book(file)
    moves, extreme, annual = OKX[book.name]
    shocks: list[Callable[[float, float], float]] = [
        lambda v, t: v + up,
        lambda v, t: v,
        lambda v, t: max(0.0, v - down),
    ]

    def worst(sizes: tuple[float, ...]) -> float:
        return max(
            0.0, *(-book.profit(1 + side * m, s) for m in sizes for side in (1, -1) for s in shocks)
        )

    mr4 = sum(
        abs(d) * book.of["expiries"][label]["forward"] * annual * book.years(label)
        for label, d in book.deltas().items()
        if label
    )
    mr1, mr6 = worst((0.0, *moves)), worst((extreme,))
    mm = max(mr1, mr6) + mr4
    return {"mr1": mr1, "mr4": mr4, "mr6": mr6, "mm": mm, "im": 1.3 * mm}


def slow_paradex(file: dict[str, Any]) -> dict[str, float]:
    """Return the margins without provisions. [USD]"""
    book = Book(file)

    def up(vol: float, years: float) -> float:
        return vol * (1 + 0.40 * scaled(years))

    def down(vol: float, years: float) -> float:
        return vol * max(0.0, 1 - 0.22 * scaled(years))

    cells = [book.profit(1 + 0.04 * k, s) for k in range(-3, 4) for s in (up, down)]
    cells += [book.profit(edge, up) for edge in (1.16, 0.84)]
    cells += [book.profit(times, up) * w for times, w in (*TAILS, *TAILS_BEYOND)]
    deltas = [book.delta_of(p) for p in book.positions]
    longs = sum(d for d in deltas if d > 0)
    shorts = -sum(d for d in deltas if d < 0)
    least = (0.02 * abs(longs - shorts) + 0.01 * min(longs, shorts)) * book.spot
    required = max(0.0, -min(cells), least)
    return {"cells": len(cells), "im": required, "mm": required / 2}
