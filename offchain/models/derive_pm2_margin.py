"""The margins of Derive PM2 (derive.md 7.10), assembled line by line.

    MM = mmFactor maxLoss - MMcont + MtM + cash
    IM = (imFactor + peg) maxLoss - MMcont - IMcont - oracle + MtM + cash

Both are net balances: at least 0 is healthy.
"""

import math
from dataclasses import replace
from typing import Any

from offchain.models.derive_pm2 import (
    Contingencies,
    Losses,
    Pm2Parameters,
    contingencies,
    losses,
)
from offchain.models.derive_terms import refuse_kinds
from offchain.models.portfolio import Market, Portfolio
from offchain.models.results import Line, Result, ScenarioLine
from offchain.models.scenario_engine import Scenario


def pm2(portfolio: Portfolio, p: Pm2Parameters) -> Result:
    """Return the margins of an account under PM2."""
    market = portfolio.single_market("PM2")
    refuse_kinds(market, futures="PM2 has no dated futures", spot="give it as collateral to PM2")
    of = losses(portfolio, market, p)
    terms = contingencies(portfolio, market, p)
    pnl = market.pnl if market is not None and market.perpetual_amount else 0.0
    options = math.fsum(of.mark.tolist())
    collateral = math.fsum(c.value for c in portfolio.collateral)
    mark_to_market = options + collateral + pnl
    equity = mark_to_market + portfolio.cash
    peg = max(0.0, p.peg_threshold - portfolio.stable_price) * p.peg_factor
    mm_terms = terms.perp_mm + terms.option_mm + terms.collateral_mm
    im_terms = terms.perp_im + terms.option_im + terms.collateral_im + terms.oracle
    rest = equity - mm_terms
    net_mm = p.mm_factor * of.max_loss + rest
    net_im = (p.im_factor + peg) * of.max_loss + rest - im_terms
    worst = worst_name(of, p.scenarios)
    return Result(
        unit="USD",
        initial_margin=equity - net_im,
        maintenance_margin=equity - net_mm,
        net_initial=net_im,
        net_maintenance=net_mm,
        mark_to_market=mark_to_market,
        equity=equity,
        worst=worst,
        scenarios=_scenario_lines(market, of, p, rest),
        lines=[
            Line("options mark to market", options, "sum of M over expiries"),
            Line("perpetual pnl", pnl),
            Line("collateral value", collateral, "amount x price / stable price"),
            Line("cash", portfolio.cash),
            Line("forward contingency", of.basis, "sum of C; a candidate for the worst loss"),
            Line("max loss", of.max_loss, worst),
            *_contingency_lines(terms),
            Line("loss factor MM", p.mm_factor, "a factor"),
            Line("loss factor IM", p.im_factor + peg, "a factor; includes the peg loss"),
        ],
        detail={
            "expiries": _expiry_detail(market, of),
            "trusted_path_net_maintenance": p.mm_factor
            * losses(portfolio, market, trusted(p)).max_loss
            + rest,
        },
    )


def trusted(p: Pm2Parameters) -> Pm2Parameters:
    """Return the same parameters with the three scenarios of the trusted path."""
    three = tuple(Scenario(s, "none") for s in (p.forward_up, p.forward_down, 1.0))
    return replace(p, scenarios=three)


def worst_name(of: Losses, scenarios: tuple[Scenario, ...]) -> str:
    """Return what decides the loss: a scenario, or the forward contingency."""
    place = int(of.pnl.argmin())
    return scenarios[place].name if of.pnl[place] <= of.basis else "forward contingency"


def _scenario_lines(
    market: Market | None, of: Losses, p: Pm2Parameters, rest: float
) -> list[ScenarioLine]:
    """List the scenarios, each with MM as if it were the only witness (a liquidation's check)."""
    names = [e.name for e in market.expiries] if market is not None and of.book else []
    pnl = of.pnl.tolist()
    return [
        ScenarioLine(
            s.name,
            s.price,
            s.volatility,
            s.weight,
            pnl[i],
            {
                "by_expiry": dict(zip(names, of.profits[:, i].tolist(), strict=True)),
                "linear": float(of.linear[i]),
                "witness_net_maintenance": p.mm_factor * min(of.basis, pnl[i]) + rest,
            },
        )
        for i, s in enumerate(p.scenarios)
    ]


def _contingency_lines(terms: Contingencies) -> list[Line]:
    return [
        Line("perpetual contingency MM", -terms.perp_mm, "MM and IM"),
        Line("perpetual contingency IM", -terms.perp_im, "IM only, on top"),
        Line("naked option contingency MM", -terms.option_mm, "MM and IM"),
        Line("naked option contingency IM", -terms.option_im, "IM only, on top"),
        Line("collateral haircut MM", -terms.collateral_mm, "MM and IM"),
        Line("collateral haircut IM", -terms.collateral_im, "IM only, on top"),
        Line("oracle confidence", -terms.oracle, "IM only"),
    ]


def _expiry_detail(market: Market | None, of: Losses) -> dict[str, Any]:
    if market is None or of.book is None or of.precomputed is None:
        return {}
    pre, book = of.precomputed, of.book
    return {
        e.name: {
            "seconds": e.seconds,
            "forward": e.forward,
            "mark_to_market": float(pre.mark[i]),
            "forward_contingency": float(pre.contingency[i]),
            "vol_factor_up": float(pre.factor_up[i]),
            "vol_factor_down": float(pre.factor_down[i]),
            "discount": float(book.discounts[i]),
            "static_discount_positive": float(pre.discount_positive[i]),
            "static_discount_negative": float(pre.discount_negative[i]),
        }
        for i, e in enumerate(market.expiries)
    }
