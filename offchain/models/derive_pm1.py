"""Derive PM v1 (PMRM): what differs from PM2 (derive.md 7.12).

No discount inside Black-76, no dampening, no skew, no volatility floor; a static discount only on
a positive expiry value; one base asset that is always shocked with spot.

    MM = maxLoss - static + MtM + cash
    IM = (maxLoss - static) (imFactor + peg) - confidence + MtM + cash

Both are net balances: at least 0 is healthy.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass as validated

from offchain.models.black import Floats
from offchain.models.derive_terms import (
    expiry_confidence,
    grid_volatilities,
    gross_size,
    low_confidence,
    naked_short,
    perpetual_confidence,
    price_multipliers,
    refuse_kinds,
)
from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.portfolio import Market, Portfolio
from offchain.models.quantities import NonNegative, Number
from offchain.models.results import Line, Result, ScenarioLine
from offchain.models.scenario_engine import (
    DAY_SECONDS,
    MAX_SCENARIOS,
    Scenario,
    book_values,
    option_book,
    time_scale,
    unshocked,
)


def _regular(scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    if any(s.is_skew or s.weight != 1 for s in scenarios):
        raise ValueError("PM v1 has neither skews nor weights")
    return scenarios


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Pm1Parameters:
    """Every number of the table of derive.md 7.11, by its name there."""

    scenarios: Annotated[
        tuple[Scenario, ...],
        Field(min_length=1, max_length=MAX_SCENARIOS),
        AfterValidator(_regular),
    ]
    im_factor: NonNegative
    long_base: NonNegative
    long_mult: Number
    long_add: Number
    vol_up: NonNegative
    vol_down: NonNegative
    short_power: Number
    long_power: Number
    dte_floor_days: NonNegative
    forward_up: NonNegative
    forward_down: NonNegative
    add_factor: NonNegative
    mult_factor: NonNegative
    peg_threshold: NonNegative
    peg_factor: NonNegative
    confidence_threshold: NonNegative
    confidence_margin: NonNegative
    base_percentage: NonNegative
    perp_percentage: NonNegative
    option_percentage: NonNegative


@dataclass(frozen=True, slots=True)
class Pm1Losses:
    """Marks and contingencies float64[E], profits by expiry float64[E, S], linear float64[S]."""

    mark: Floats
    contingency: Floats
    profits: Floats
    linear: Floats


def base_amount(portfolio: Portfolio, market: Market, model: str) -> float:
    """Return the base asset: spot positions, and collateral that names the underlying.

    Raises
    ------
    UnsupportedPortfolioError
        Collateral of another asset, or spot that is owed: the model has no rule for either.
    """
    for place, c in enumerate(portfolio.collateral):
        if c.underlying is None:
            raise UnsupportedPortfolioError(
                f"collateral[{place}].underlying", f"is needed: {model} knows base assets only"
            )
    held = [c.amount for c in portfolio.collateral if c.underlying == market.name]
    base = math.fsum([market.spot_amount, *held])
    if base < 0:
        raise UnsupportedPortfolioError(
            "positions",
            f"spot of {market.name} is owed: {model} holds base assets, never owes them",
        )
    return base


def losses(market: Market, base_value: float, p: Pm1Parameters) -> Pm1Losses:
    """Return what the scenarios say."""
    moves = np.array([s.price - 1.0 for s in p.scenarios])
    linear = np.asarray(
        base_value * moves + market.perpetual_amount * market.perpetual_price * moves
    )
    if not market.options:
        empty = np.zeros((0, len(p.scenarios)))
        return Pm1Losses(np.zeros(0), np.zeros(0), empty, linear)
    book = option_book(market, discounted=False)
    h = time_scale(book.seconds, p.short_power, p.long_power, p.dte_floor_days * DAY_SECONDS)
    mark = unshocked(book)
    vols = grid_volatilities(
        book, p.scenarios, 1.0 + p.vol_up * h, np.maximum(0.0, 1.0 - p.vol_down * h), 0.0
    )
    values = book_values(book, price_multipliers(p.scenarios), vols)
    rates = np.maximum(np.array([e.rate for e in market.expiries]), 0.0)
    static = p.long_base * np.exp(-book.taus * (rates * p.long_mult + p.long_add))
    discounted = np.where(values > 0, values * static[:, None], values)
    shifts = np.array([p.forward_up, p.forward_down])
    shifted = book_values(book, shifts, np.stack([book.volatilities] * 2, axis=1))
    worst = np.minimum((shifted - mark[:, None]).min(axis=1), 0.0)
    contingency = worst * (p.add_factor + p.mult_factor * book.taus)
    return Pm1Losses(mark, contingency, discounted - mark[:, None], linear)


def confidence_charge(market: Market, base: float, p: Pm1Parameters) -> float:
    """Return (1 - confidence) x margin x size x S of linear holdings and of each expiry."""
    limits = (p.confidence_threshold, p.confidence_margin)
    linear = (abs(market.perpetual_amount) + base) * market.spot
    charge = low_confidence(perpetual_confidence(market), linear, *limits)
    return charge + math.fsum(
        low_confidence(expiry_confidence(market, e), gross_size(market, i) * market.spot, *limits)
        for i, e in enumerate(market.expiries)
    )


def pm1(portfolio: Portfolio, p: Pm1Parameters) -> Result:
    """Return the margins of an account under PM v1."""
    market = portfolio.single_market("PM v1")
    if market is None:
        raise UnsupportedPortfolioError("underlyings", "PM v1 needs one underlying")
    refuse_kinds(market, futures="PM v1 has no dated futures")
    base = base_amount(portfolio, market, "PM v1")
    base_value = base * market.spot / portfolio.stable_price
    of = losses(market, base_value, p)
    pnl = of.linear + of.profits.sum(axis=0)
    basis = math.fsum(of.contingency.tolist())
    place = int(pnl.argmin())
    max_loss = min(basis, float(pnl[place]))
    worst = p.scenarios[place].name if pnl[place] <= basis else "forward contingency"
    naked = math.fsum(naked_short(market, i) for i in range(len(market.expiries)))
    linear_static = (
        abs(market.perpetual_amount) * p.perp_percentage + base * p.base_percentage
    ) * market.spot
    option_static = naked * p.option_percentage * market.spot
    static = linear_static + option_static
    confidence = confidence_charge(market, base, p)
    perpetual_pnl = market.pnl if market.perpetual_amount else 0.0
    options = math.fsum(of.mark.tolist())
    mark_to_market = options + base_value + perpetual_pnl
    equity = mark_to_market + portfolio.cash
    factor = p.im_factor + max(0.0, p.peg_threshold - portfolio.stable_price) * p.peg_factor
    net_mm = max_loss - static + equity
    net_im = (max_loss - static) * factor - confidence + equity
    names = [e.name for e in market.expiries] if market.options else []
    return Result(
        unit="USD",
        initial_margin=equity - net_im,
        maintenance_margin=equity - net_mm,
        net_initial=net_im,
        net_maintenance=net_mm,
        mark_to_market=mark_to_market,
        equity=equity,
        worst=worst,
        scenarios=[
            ScenarioLine(
                s.name,
                s.price,
                s.volatility,
                s.weight,
                float(pnl[i]),
                {
                    "by_expiry": dict(zip(names, of.profits[:, i].tolist(), strict=True)),
                    "linear": float(of.linear[i]),
                    "witness_net_maintenance": min(basis, float(pnl[i])) - static + equity,
                },
            )
            for i, s in enumerate(p.scenarios)
        ],
        lines=[
            Line("options mark to market", options, "sum of M over expiries"),
            Line("perpetual pnl", perpetual_pnl),
            Line("base value", base_value, "amount x spot / stable price"),
            Line("cash", portfolio.cash),
            Line("forward contingency", basis, "sum of C; a candidate for the worst loss"),
            Line("max loss", max_loss, worst),
            Line("static linear", -linear_static, "before the IM factor"),
            Line("static naked options", -option_static, "before the IM factor"),
            Line("oracle confidence", -confidence, "IM only"),
            Line("loss factor IM", factor, "a factor; includes the peg loss"),
        ],
        detail={
            "expiries": {
                name: {
                    "mark_to_market": float(of.mark[i]),
                    "forward_contingency": float(of.contingency[i]),
                }
                for i, name in enumerate(names)
            }
        },
    )
