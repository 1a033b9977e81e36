"""Deribit portfolio margin, S:PM in coin or X:PM in USD (margin.md 2.1).

27 cells (9 prices x 3 volatilities) and an extended table with volatility up. An inverse future
earns q (1 - 1/(1+s)) coins; an option is worth Black-76 / F coins with r = 0.

    risk matrix margin = worst + delta shock + roll shock + correlation contingency
    MM = mm_factor x risk matrix margin
    IM = risk matrix margin + spot_margin + mmp_margin + open_orders_margin

Not published, so our reading: which delta shock and which extended cell (see those functions).
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass as validated

from offchain.models.black import Floats, generalised_black_scholes
from offchain.models.derive_terms import grid_volatilities
from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.portfolio import Market, Portfolio, haircuts_of, value_of
from offchain.models.quantities import Fraction, NonNegative, Number, Positive
from offchain.models.results import Line, Result, ScenarioLine
from offchain.models.scenario_engine import (
    DAY_SECONDS,
    Scenario,
    forwards,
    option_book,
    time_scale,
    unit_values,
)

CHARGES = frozenset(
    {
        "spot_margin",
        "mmp_margin",
        "open_orders_margin",
        "correlation_contingency",
        "delta_shock",
    }
)
BUCKETS = 4
MAX_MOVES = 32


def _moving(moves: tuple[float, ...]) -> tuple[float, ...]:
    if not all(moves):
        raise ValueError("an extended move is not 0")
    return moves


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class DeribitParameters:
    """One currency's risk parameters, by their names in the API."""

    settlement: Literal["coin", "usd"]
    price_range: Positive
    volatility_range_up: NonNegative
    volatility_range_down: NonNegative
    min_volatility_for_shock_up: NonNegative
    short_term_vega_power: Number
    long_term_vega_power: Number
    extended_moves: Annotated[
        tuple[Number, ...], Field(max_length=MAX_MOVES), AfterValidator(_moving)
    ]
    extended_table_factor: NonNegative
    extended_dampener: NonNegative
    delta_total_liq_shock_threshold: NonNegative
    m_inc: NonNegative
    max_delta_shock: NonNegative
    annualised_move_risk: NonNegative
    min_annualised_move: NonNegative
    mm_factor: NonNegative
    pnl_offset: Fraction
    days_to_expiry_floor: Positive


def scenarios_of(p: DeribitParameters) -> tuple[Scenario, ...]:
    """Return the 27 cells and the extended moves, as price multipliers."""
    kinds: tuple[Literal["down", "none", "up"], ...] = ("down", "none", "up")
    cells = [
        Scenario(1.0 + k * p.price_range / BUCKETS, kind)
        for k in range(-BUCKETS, BUCKETS + 1)
        for kind in kinds
    ]
    return (*cells, *(Scenario(max(0.0, 1.0 + move), "up") for move in p.extended_moves))


def raw_pnl(market: Market, p: DeribitParameters, scenarios: tuple[Scenario, ...]) -> Floats:
    """Return float64[S]: profit in each cell before offsets. [coin or USD]"""
    moves = np.array([s.price for s in scenarios])
    is_coin = p.settlement == "coin"
    linear = math.fsum([market.perpetual_amount, *(f.amount for f in market.futures)])
    if is_coin:
        pnl = linear * (1.0 - 1.0 / np.maximum(moves, 1e-12))
    else:
        notional = market.perpetual_amount * market.perpetual_price + math.fsum(
            f.amount * market.expiries[f.expiry].forward for f in market.futures
        )
        pnl = notional * (moves - 1.0) + market.spot_amount * market.spot * (moves - 1.0)
    if not market.options:
        return np.asarray(pnl)
    book = option_book(market, discounted=False)
    h = time_scale(
        book.seconds,
        p.short_term_vega_power,
        p.long_term_vega_power,
        p.days_to_expiry_floor * DAY_SECONDS,
    )
    vols = grid_volatilities(
        book,
        scenarios,
        1.0 + p.volatility_range_up * h,
        np.maximum(0.0, 1.0 - p.volatility_range_down * h),
        p.min_volatility_for_shock_up,
    )
    now = unit_values(book, np.ones(1), book.volatilities[:, None])
    then = unit_values(book, moves, vols)
    if is_coin:
        now = now / forwards(book, np.ones(1))[book.expiry]
        then = then / np.maximum(forwards(book, moves)[book.expiry], 1e-12)
    return np.asarray(pnl + ((then - now) * book.amounts[:, None]).sum(axis=0))


def covered_pnl(raw: Floats, index: float, p: DeribitParameters, cells: int) -> Floats:
    """Return what counts: gains at `pnl_offset`; extended cells scaled and dampened.

    Our reading of an extended cell with move m: raw x factor x range / |m|; a loss is then reduced
    by min(loss, (|m| / range - 1) x dampener), the dampener in USD (third-party description).
    """
    covered = raw.copy()
    for place, move in enumerate(p.extended_moves):
        cell = float(raw[cells + place]) * p.extended_table_factor * p.price_range / abs(move)
        unit = index if p.settlement == "coin" else 1.0
        relief = max(0.0, abs(move) / p.price_range - 1.0) * p.extended_dampener / unit
        covered[cells + place] = cell + min(-cell, relief) if cell < 0 else cell
    return np.where(covered > 0, covered * p.pnl_offset, covered)


def deltas_by_expiry(market: Market, p: DeribitParameters) -> dict[str, float]:
    """Return the delta of the perpetual (and spot) and of each expiry, in coins.

    In coin an option's delta is net of its price in coin, as Deribit's net transaction delta is.
    """
    deltas = {"perpetual": market.perpetual_amount}
    if p.settlement == "usd":
        deltas["perpetual"] += market.spot_amount
    for place, expiry in enumerate(market.expiries):
        total = math.fsum(f.amount for f in market.futures if f.expiry == place)
        for o in market.options:
            if o.expiry == place:
                of = generalised_black_scholes(
                    expiry.forward,
                    o.strike,
                    expiry.tau,
                    0.0,
                    0.0,
                    o.volatility,
                    is_call=o.is_call,
                )
                paid = of.price / expiry.forward if p.settlement == "coin" else 0.0
                total += o.amount * (of.delta - paid)
        deltas[expiry.name] = total
    return deltas


def roll_shock(market: Market, deltas: Mapping[str, float], p: DeribitParameters) -> float:
    """Return sum |delta_e| x max(min move, annual move x T_e); the perpetual at the minimum."""
    unit = market.spot if p.settlement == "usd" else 1.0
    taus = {e.name: e.tau for e in market.expiries}
    return math.fsum(
        abs(delta) * unit * max(p.min_annualised_move, p.annualised_move_risk * taus.get(name, 0.0))
        for name, delta in deltas.items()
    )


def delta_shock(market: Market, deltas: Mapping[str, float], p: DeribitParameters) -> float:
    """Return the charge on a large total delta. [coin or USD]

    Our reading, not verified: x coins beyond the threshold cost x min(max_delta_shock, m_inc x).
    """
    total = abs(math.fsum(deltas.values()))
    beyond = max(0.0, total - p.delta_total_liq_shock_threshold / market.spot)
    unit = market.spot if p.settlement == "usd" else 1.0
    return beyond * min(p.max_delta_shock, p.m_inc * beyond) * unit


def deribit(portfolio: Portfolio, p: DeribitParameters, charges: Mapping[str, float]) -> Result:
    """Return the margins of one settlement currency, in coin or USD."""
    market = portfolio.single_market("Deribit S:PM")
    if market is None:
        raise UnsupportedPortfolioError("underlyings", "one underlying is needed")
    scenarios = scenarios_of(p)
    cells = len(scenarios) - len(p.extended_moves)
    raw = raw_pnl(market, p, scenarios)
    pnl = covered_pnl(raw, market.spot, p, cells)
    place = int(pnl.argmin())
    worst = max(0.0, -float(pnl[place]))
    deltas = deltas_by_expiry(market, p)
    roll = roll_shock(market, deltas, p)
    shock = charges.get("delta_shock", delta_shock(market, deltas, p))
    risk = worst + shock + roll + charges.get("correlation_contingency", 0.0)
    extra = [charges.get(k, 0.0) for k in ("spot_margin", "mmp_margin", "open_orders_margin")]
    initial, maintenance = risk + math.fsum(extra), p.mm_factor * risk
    is_coin = p.settlement == "coin"
    unit = market.spot if is_coin else 1.0
    mark = _option_value(market, p) + market.pnl / unit + value_of(portfolio.collateral) / unit
    mark += market.spot_amount * market.spot / unit
    equity = portfolio.cash / unit + mark - haircuts_of(portfolio.collateral) / unit
    weights = [1.0] * cells + [
        p.extended_table_factor * p.price_range / abs(m) for m in p.extended_moves
    ]
    return Result(
        unit=market.name if is_coin else "USD",
        initial_margin=initial,
        maintenance_margin=maintenance,
        net_initial=equity - initial,
        net_maintenance=equity - maintenance,
        mark_to_market=mark,
        equity=equity,
        worst=scenarios[place].name if worst > 0 else "none",
        scenarios=[
            ScenarioLine(
                s.name, s.price, s.volatility, w, float(pnl[i]), {"raw_pnl": float(raw[i])}
            )
            for i, (s, w) in enumerate(zip(scenarios, weights, strict=True))
        ],
        lines=[
            Line("worst scenario", worst, "requirement"),
            Line("delta shock", shock, "requirement; our reading unless stated"),
            Line("roll shock", roll, "requirement"),
            Line("correlation contingency", charges.get("correlation_contingency", 0.0), "stated"),
            Line("risk matrix margin", risk, "sum of the above"),
            Line("spot margin", extra[0], "IM only, stated"),
            Line("mmp margin", extra[1], "IM only, stated"),
            Line("open orders margin", extra[2], "IM only, stated"),
            Line("delta total", math.fsum(deltas.values()), "coins"),
        ],
        detail={"deltas": deltas},
    )


def _option_value(market: Market, p: DeribitParameters) -> float:
    if not market.options:
        return 0.0
    book = option_book(market, discounted=False)
    units = unit_values(book, np.ones(1), book.volatilities[:, None])
    if p.settlement == "coin":
        units = units / forwards(book, np.ones(1))[book.expiry]
    return float((units[:, 0] * book.amounts).sum())
