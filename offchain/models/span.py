"""SPAN with 16 scenarios (margin.md 2.8): arrays given, or computed from scan ranges.

Per commodity: scan risk = worst loss over the 16; + inter-month charge + delivery; then
inter-commodity credits; at least the short-option minimum. The net option value stands apart and
counts as equity. A given `risk_array` is the gain of one long unit in the 16 scenarios (exchanges'
files have losses: the other sign), a given `delta` its composite delta, a given `price` its value.

Order of the scenarios: price 0, +1/3, -1/3, +2/3, -2/3, +1, -1 of the price scan range, each with
volatility up and down; then up and down by `extreme_multiple` ranges, of which a share is covered.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as validated

from offchain.models.black import Floats, generalised_black_scholes, option_prices
from offchain.models.errors import MarginFileError
from offchain.models.portfolio import (
    ExpiryState,
    collateral_of,
    expiry_state,
    haircuts_of,
    profit,
    value_of,
    volatility_of,
)
from offchain.models.quantities import Fraction, Name, NonNegative, Positive
from offchain.models.results import Line, Result, ScenarioLine, requirements
from offchain.models.schema import PortfolioFile, Position, Underlying

SCENARIOS = 16
EXTREME = 14
"""Place of the first of the two extreme scenarios, which leave volatility alone."""
MAX_CREDITS = 64
_STEPS = (0, 1, -1, 2, -2, 3, -3)


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class SpreadCredit:
    """Spreads of `first_ratio` deltas against `second_ratio` of the other way earn `rate`."""

    first: Name
    second: Name
    first_ratio: Positive
    second_ratio: Positive
    rate: Fraction


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class SpanParameters:
    """Ranges and rates; an underlying may override any of them but the credits.

    `price_scan_range` is a share of the price, `price_scan_amount` an amount of it that takes its
    place, `volatility_scan_range` in volatility (0.05 is 5 points); inter-month and delivery rates
    are USD for a delta, the minimum for a short option.
    """

    price_scan_range: Positive
    volatility_scan_range: NonNegative
    extreme_multiple: Positive
    extreme_cover: Fraction
    intermonth_rate: NonNegative = 0.0
    delivery_rate: NonNegative = 0.0
    short_option_minimum: NonNegative = 0.0
    maintenance_share: Fraction = 1.0
    price_scan_amount: Positive | None = None
    credits: Annotated[tuple[SpreadCredit, ...], Field(max_length=MAX_CREDITS)] = ()


SPAN_DEFAULT = SpanParameters(
    price_scan_range=0.10, volatility_scan_range=0.05, extreme_multiple=3.0, extreme_cover=0.33
)
"""The form is CME's; the ranges are examples of ours, because each contract has its own."""


@dataclass(frozen=True, slots=True)
class Commodity:
    """One underlying: gains float64[16] of the account, deltas by month, shorts, option value."""

    name: str
    gains: Floats
    deltas: dict[str, float]
    short_options: float
    option_value: float
    pnl: float

    @property
    def scan_risk(self) -> float:
        """The worst loss, never negative. [USD]"""
        return max(0.0, -float(self.gains.min()))

    @property
    def price_risk(self) -> float:
        """Scan risk less what volatility and time contribute. [USD]

        The average of the worst scenario and its twin of opposite volatility (an extreme scenario
        has none), less that of the first two scenarios, in which the price stays.
        """
        place = int(self.gains.argmin())
        twin = place ^ 1 if place < EXTREME else place
        pair = -float(self.gains[[place, twin]].mean())
        return max(0.0, pair + float(self.gains[:2].mean()))


def scenario_moves(p: SpanParameters) -> list[tuple[float, float, float]]:
    """Return (price move in scan ranges, volatility change, cover) of the 16 scenarios."""
    moves = [
        (step / 3.0, sign * p.volatility_scan_range, 1.0) for step in _STEPS for sign in (1, -1)
    ]
    extreme = p.extreme_multiple
    return [*moves, (extreme, 0.0, p.extreme_cover), (-extreme, 0.0, p.extreme_cover)]


def price_of(position: Position, of: Underlying, expiry: ExpiryState | None) -> float:
    """Return the price that a position follows: the forward, the perpetual's, or spot. [USD]"""
    if expiry is not None:
        return expiry.forward
    is_perpetual = position.kind == "perpetual" and of.perpetual is not None
    return of.perpetual.price if is_perpetual and of.perpetual else of.spot


def risk_array(
    position: Position, of: Underlying, expiry: ExpiryState | None, p: SpanParameters, path: str
) -> Floats:
    """Return float64[16]: the gain of one long unit, computed. [USD]"""
    moves = scenario_moves(p)
    price = price_of(position, of, expiry)
    shifts = np.array([m for m, _, _ in moves]) * (
        p.price_scan_amount or p.price_scan_range * price
    )
    covers = np.array([c for _, _, c in moves])
    if position.kind not in {"call", "put"}:
        return np.asarray(shifts * covers)
    assert expiry is not None
    assert position.expiry is not None
    assert position.strike is not None
    volatility = volatility_of(position, of.expiries[position.expiry], path)
    values = option_prices(
        np.append(np.maximum(0.0, price + shifts), price),
        np.array(position.strike),
        np.append(np.maximum(0.0, volatility + np.array([v for _, v, _ in moves])), volatility),
        np.array(expiry.tau),
        np.array(math.exp(-expiry.rate * expiry.tau)),
        np.array(position.kind == "call"),
    )
    return np.asarray((values[:-1] - values[-1]) * covers)


def commodity(name: str, file: PortfolioFile, p: SpanParameters) -> Commodity:
    """Return the sums of one underlying."""
    gains = np.zeros(SCENARIOS)
    deltas: dict[str, float] = {}
    shorts = value = pnl = 0.0
    for place, position in enumerate(file.positions):
        if position.underlying != name:
            continue
        path = f"positions[{place}]"
        of = file.underlyings.get(name)
        expiry = None
        if of is not None and position.expiry in of.expiries:
            expiry = expiry_state(
                of.expiries[position.expiry], of.spot, file.valuation_time, position.expiry, name
            )
        if position.risk_array is not None:
            array = np.array(position.risk_array)
        elif of is None:
            raise MarginFileError(f"{path}.underlying", "is not in underlyings, and no risk_array")
        elif position.expiry is not None and expiry is None:
            raise MarginFileError(f"{path}.expiry", f"is not in underlyings.{name}.expiries")
        else:
            array = risk_array(position, of, expiry, p, path)
        gains += position.amount * array
        is_option = position.kind in {"call", "put"}
        shorts += -position.amount if is_option and position.amount < 0 else 0.0
        delta, worth = _delta_and_value(position, of, expiry, p, path)
        month = position.expiry or "spot"
        deltas[month] = deltas.get(month, 0.0) + position.amount * delta
        value += position.amount * worth
        if not is_option:
            pnl += profit(position, price_of(position, of, expiry)) if of else _stated(position)
    return Commodity(name, gains, deltas, shorts, value, pnl)


def _stated(position: Position) -> float:
    return position.unrealised_pnl or 0.0


def _delta_and_value(
    position: Position,
    of: Underlying | None,
    expiry: ExpiryState | None,
    p: SpanParameters,
    path: str,
) -> tuple[float, float]:
    """Return delta and price of an option, given or by Black-76; 1 and 0 of anything else."""
    delta, price = position.delta, position.price
    if position.kind not in {"call", "put"}:
        return 1.0 if delta is None else delta, 0.0
    if of is None or expiry is None or position.strike is None or position.expiry is None:
        if delta is None and (p.intermonth_rate or p.delivery_rate or p.credits):
            raise MarginFileError(f"{path}.delta", "is needed: these parameters charge deltas")
        return delta or 0.0, price or 0.0
    found = generalised_black_scholes(
        expiry.forward,
        position.strike,
        expiry.tau,
        expiry.rate,
        0.0,
        volatility_of(position, of.expiries[position.expiry], path),
        is_call=position.kind == "call",
    )
    return found.delta if delta is None else delta, found.price if price is None else price


def intermonth_charge(of: Commodity, p: SpanParameters) -> float:
    """Return rate x the deltas that long and short months cancel."""
    longs = math.fsum(d for d in of.deltas.values() if d > 0)
    shorts = math.fsum(-d for d in of.deltas.values() if d < 0)
    return p.intermonth_rate * min(longs, shorts)


def credit_of(first: Commodity, second: Commodity, c: SpreadCredit) -> tuple[float, float]:
    """Return the credits to both legs: deltas spread x price risk of a delta x rate."""
    a, b = math.fsum(first.deltas.values()), math.fsum(second.deltas.values())
    if a * b >= 0:
        return 0.0, 0.0
    spreads = min(abs(a) / c.first_ratio, abs(b) / c.second_ratio)
    return (
        spreads * c.first_ratio * first.price_risk / abs(a) * c.rate,
        spreads * c.second_ratio * second.price_risk / abs(b) * c.rate,
    )


def scan_share(of: Underlying | None, p: SpanParameters) -> float:
    """Return the scan range as a share of spot, for display."""
    if p.price_scan_amount is None or of is None:
        return p.price_scan_range
    return p.price_scan_amount / of.spot


def span(
    file: PortfolioFile, p: SpanParameters, for_market: Callable[[str], SpanParameters]
) -> Result:
    """Return the requirement of every commodity and their sum."""
    names = list(dict.fromkeys(position.underlying for position in file.positions))
    found = {name: commodity(name, file, for_market(name)) for name in names}
    credited = dict.fromkeys(names, 0.0)
    for c in p.credits:
        if c.first in found and c.second in found:
            for name, amount in zip(
                (c.first, c.second), credit_of(found[c.first], found[c.second], c), strict=True
            ):
                credited[name] += amount
    total, lines, scenarios, worst = 0.0, [], [], []
    for name, of in found.items():
        rules = for_market(name)
        month = intermonth_charge(of, rules)
        delivery = rules.delivery_rate * math.fsum(abs(d) for d in of.deltas.values())
        minimum = rules.short_option_minimum * of.short_options
        risk = max(of.scan_risk + month + delivery - credited[name], minimum)
        total += risk
        place = int(of.gains.argmin())
        share = scan_share(file.underlyings.get(name), rules)
        worst.append(f"{name} scenario {place + 1}" if of.scan_risk else f"{name} none")
        lines += [
            Line(f"{name} scan risk", of.scan_risk, "requirement"),
            Line(f"{name} inter-month charge", month, "requirement"),
            Line(f"{name} delivery charge", delivery, "requirement"),
            Line(f"{name} inter-commodity credit", -credited[name], "credit"),
            Line(f"{name} short option minimum", minimum, "floor"),
            Line(f"{name} risk", risk, "requirement"),
            Line(f"{name} net option value", of.option_value, "equity, apart"),
        ]
        scenarios += [
            ScenarioLine(f"{name} {i + 1}", 1 + m * share, f"{v:+g}", w, float(of.gains[i]))
            for i, (m, v, w) in enumerate(scenario_moves(rules))
        ]
    value = math.fsum(of.option_value + of.pnl for of in found.values())
    collateral = collateral_of(file)
    value += value_of(collateral)
    return requirements(
        "USD",
        total,
        p.maintenance_share * total,
        file.cash + value - haircuts_of(collateral),
        value,
        ", ".join(worst) or "none",
        scenarios,
        lines,
    )
