"""Derive's standard manager (SRM), rule based (derive.md 7.13).

Every market is computed alone and the results are added. Within a market and expiry, with
mark_i = price_i n_i (no discount):

    maxLoss  = min over z in {0, every strike} of min(0, sum_i payoff_i(z) n_i)
    netCalls < 0:  maxLoss += (unpairedIM or unpairedMM) F netCalls
    margin   = max(isolated, maxLoss)          (both <= 0; isolated = sum of per-option values)

Net balances: at least 0 is healthy.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as validated

from offchain.models.derive_pm1 import base_amount
from offchain.models.derive_terms import low_confidence, refuse_kinds, short_size
from offchain.models.portfolio import Market, OptionHolding, Portfolio
from offchain.models.quantities import NonNegative
from offchain.models.results import Line, Result
from offchain.models.scenario_engine import option_book, unit_values


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class SrmParameters:
    """Every number of the table of derive.md 7.11; a market may override any of them."""

    perp_mm: NonNegative
    perp_im: NonNegative
    max_spot: NonNegative
    min_spot: NonNegative
    mm_call: NonNegative
    mm_put: NonNegative
    mm_put_mtm: NonNegative
    unpaired_im: NonNegative
    unpaired_mm: NonNegative
    mm_offset: NonNegative
    depeg_threshold: NonNegative
    depeg_factor: NonNegative
    perp_confidence_threshold: NonNegative
    option_confidence_threshold: NonNegative
    base_confidence_threshold: NonNegative
    oracle_factor: NonNegative
    base_factor: NonNegative
    im_scale: NonNegative


@dataclass(frozen=True, slots=True)
class ExpiryMargin:
    """The two candidates of one expiry, for MM and for IM; none is positive. [USD]"""

    isolated_mm: float
    isolated_im: float
    max_loss_mm: float
    max_loss_im: float

    @property
    def maintenance(self) -> float:
        """max(isolated, max loss). [USD]"""
        return max(self.isolated_mm, self.max_loss_mm)

    @property
    def initial(self) -> float:
        """max(isolated, max loss). [USD]"""
        return max(self.isolated_im, self.max_loss_im)


def option_margin(
    option: OptionHolding, mark: float, spot: float, p: SrmParameters, *, is_initial: bool
) -> float:
    """Return the isolated value of one option; 0 when long, else negative."""
    n = option.amount
    if n >= 0:
        return 0.0
    if option.is_call:
        if not is_initial:
            return mark + p.mm_call * spot * n
        otm = max(0.0, (option.strike - spot) / spot)
        return mark + max(p.min_spot, p.max_spot - otm) * spot * n
    maintenance = mark + min(p.mm_put * spot * n, p.mm_put_mtm * mark)
    if not is_initial:
        return maintenance
    otm = max(0.0, (spot - option.strike) / spot)
    initial = mark + max(p.min_spot, p.max_spot - otm) * spot * n
    return min(initial, p.mm_offset * maintenance)


def worst_payoff(options: list[OptionHolding]) -> float:
    """Return the least that options pay at 0 or any strike held, and no more than 0. [USD]"""
    strikes = np.array([o.strike for o in options])
    amounts = np.array([o.amount for o in options])
    sides = np.array([1.0 if o.is_call else -1.0 for o in options])
    return min(
        0.0,
        *(
            math.fsum((amounts * np.maximum(0.0, sides * (point - strikes))).tolist())
            for point in sorted({0.0, *strikes.tolist()})
        ),
    )


def expiry_margin(
    market: Market, expiry: int, marks: list[float], p: SrmParameters
) -> ExpiryMargin:
    """Return the margins of one expiry."""
    held = [(o, m) for o, m in zip(market.options, marks, strict=True) if o.expiry == expiry]
    worst = worst_payoff([o for o, _ in held])
    owed = min(0.0, math.fsum(o.amount for o, _ in held if o.is_call))
    unpaired = market.expiries[expiry].forward * owed
    mm, im = (
        math.fsum(option_margin(o, m, market.spot, p, is_initial=is_initial) for o, m in held)
        for is_initial in (False, True)
    )
    return ExpiryMargin(mm, im, worst + p.unpaired_mm * unpaired, worst + p.unpaired_im * unpaired)


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """Signed terms of one market; `expiries` in the order of the market's."""

    marks: float
    pnl: float
    base_value: float
    expiries: tuple[ExpiryMargin, ...]
    perp_mm: float
    perp_im: float
    base_mm: float
    base_im: float
    depeg: float
    confidence: float

    @property
    def options_mm(self) -> float:
        """MM of all options. [USD]"""
        return math.fsum(e.maintenance for e in self.expiries)

    @property
    def options_im(self) -> float:
        """IM of all options. [USD]"""
        return math.fsum(e.initial for e in self.expiries)


def option_marks(market: Market) -> list[float]:
    """Return the undiscounted value of each option position, at the file's price if any. [USD]"""
    if not market.options:
        return []
    book = option_book(market, discounted=False)
    units = unit_values(book, np.ones(1), book.volatilities[:, None])[:, 0].tolist()
    return [
        o.amount * (unit if o.price is None else o.price)
        for o, unit in zip(market.options, units, strict=True)
    ]


def market_terms(portfolio: Portfolio, market: Market, p: SrmParameters) -> MarketTerms:
    """Return the terms of one market."""
    refuse_kinds(market, futures="the standard manager has no dated futures")
    marks = option_marks(market)
    expiries = range(len(market.expiries))
    size = abs(market.perpetual_amount)
    base = base_amount(portfolio, market, "the standard manager")
    base_mm = base * market.spot * p.base_factor
    shorts = math.fsum(short_size(market, i) for i in expiries)
    gap = max(0.0, p.depeg_threshold - portfolio.stable_price)
    return MarketTerms(
        marks=math.fsum(marks),
        pnl=market.pnl if market.perpetual_amount else 0.0,
        base_value=base * market.spot / portfolio.stable_price,
        expiries=tuple(expiry_margin(market, i, marks, p) for i in expiries),
        perp_mm=-size * market.perpetual_price * p.perp_mm,
        perp_im=-size * market.perpetual_price * p.perp_im,
        base_mm=base_mm,
        base_im=base_mm * p.im_scale,
        depeg=-gap * p.depeg_factor * market.spot * (size + shorts),
        confidence=-_confidence(market, base, p),
    )


def _confidence(market: Market, base: float, p: SrmParameters) -> float:
    spot = market.spot
    linear = low_confidence(
        min(market.spot_confidence, market.perpetual_confidence),
        spot * abs(market.perpetual_amount),
        p.perp_confidence_threshold,
        p.oracle_factor,
    )
    options = math.fsum(
        low_confidence(
            min(market.spot_confidence, e.confidence_forward, e.confidence_volatility),
            spot * short_size(market, i),
            p.option_confidence_threshold,
            p.oracle_factor,
        )
        for i, e in enumerate(market.expiries)
    )
    counted = base if p.base_factor * p.im_scale > 0 else 0.0
    held = low_confidence(
        market.spot_confidence, counted * spot, p.base_confidence_threshold, p.oracle_factor
    )
    return linear + options + held


def srm(
    portfolio: Portfolio, p: SrmParameters, for_market: Callable[[str], SrmParameters]
) -> Result:
    """Return the margins of an account under the standard manager.

    `for_market` gives the parameters of an underlying: `p` with its own overrides.
    """
    found = [(m, market_terms(portfolio, m, for_market(m.name))) for m in portfolio.markets]
    named = [(m.name, terms) for m, terms in found]
    marks = math.fsum(t.marks + t.pnl + t.base_value for _, t in named)
    net_mm = portfolio.cash + math.fsum(
        t.options_mm + t.perp_mm + t.pnl + t.base_mm for _, t in named
    )
    net_im = portfolio.cash + math.fsum(
        t.options_im + t.perp_im + t.pnl + t.base_im + t.depeg + t.confidence for _, t in named
    )
    equity = portfolio.cash + marks
    return Result(
        unit="USD",
        initial_margin=equity - net_im,
        maintenance_margin=equity - net_mm,
        net_initial=net_im,
        net_maintenance=net_mm,
        mark_to_market=marks,
        equity=equity,
        worst="rules, no scenarios",
        scenarios=[],
        lines=[
            Line("cash", portfolio.cash),
            *(line for name, terms in named for line in _lines(name, terms)),
        ],
        detail={
            "markets": {
                m.name: {
                    e.name: asdict(margin)
                    for e, margin in zip(m.expiries, terms.expiries, strict=True)
                }
                for m, terms in found
            }
        },
    )


def _lines(name: str, t: MarketTerms) -> list[Line]:
    return [
        Line(f"{name} option marks", t.marks, "in MtM, not in the margins"),
        Line(f"{name} options MM", t.options_mm, "MM"),
        Line(f"{name} options IM", t.options_im, "IM"),
        Line(f"{name} perpetual MM", t.perp_mm, "MM"),
        Line(f"{name} perpetual IM", t.perp_im, "IM"),
        Line(f"{name} perpetual pnl", t.pnl, "MM and IM"),
        Line(f"{name} base MM", t.base_mm, "MM"),
        Line(f"{name} base IM", t.base_im, "IM"),
        Line(f"{name} depeg", t.depeg, "IM only"),
        Line(f"{name} oracle confidence", t.confidence, "IM only"),
    ]
