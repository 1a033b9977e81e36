"""OKX portfolio margin, as far as its published rules are known (margin.md 2.2).

    MMR = max( max(MR1, MR2, MR6) + MR3 + MR4 + MR5, MR7 ) + MR8 + MR9,   IMR = 1.3 MMR

Computed here: MR1 and MR6 of perpetuals, futures and (where volatility shocks are given) options,
MR4 from the deltas by expiry, MR7 and MR9 from their tiers. MR2, MR3, MR5 and MR8 are charges that
the file states, because their rules are not public to us; a charge that is stated replaces the
computed one.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as validated

from offchain.models.black import generalised_black_scholes
from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.portfolio import Market, Portfolio, haircuts_of, value_of
from offchain.models.quantities import NonNegative
from offchain.models.results import Line, Result, ScenarioLine, requirements
from offchain.models.scenario_engine import book_values, option_book, unshocked
from offchain.models.tiers import Tiers, tiered

CHARGES = frozenset(
    {"mr1", "mr2", "mr3", "mr4", "mr5", "mr6", "mr7", "mr7_raw", "mr8", "mr9", "mr9_hedge"}
)


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class OkxParameters:
    """Moves of one class of underlyings; `vol_points` are absolute, without a known default."""

    spot_moves: tuple[NonNegative, ...]
    extreme_move: NonNegative
    annual_move: NonNegative
    im_factor: NonNegative
    minimum_tiers: Tiers
    depeg_tiers: Tiers
    vol_points_up: NonNegative | None = None
    vol_points_down: NonNegative | None = None


def market_pnl(market: Market, p: OkxParameters) -> list[ScenarioLine]:
    """Return the profit of one risk unit in the cells of MR1 and MR6. [USD]

    Raises
    ------
    UnsupportedPortfolioError
        Options without volatility shocks.
    """
    if market.options and (p.vol_points_up is None or p.vol_points_down is None):
        raise UnsupportedPortfolioError(
            "parameters.vol_points_up", "and vol_points_down are needed where options are held"
        )
    moves = sorted({0.0, *p.spot_moves, *(-m for m in p.spot_moves)})
    points = {"down": -(p.vol_points_down or 0.0), "none": 0.0, "up": p.vol_points_up or 0.0}
    kinds = list(points) if market.options else ["none"]
    cells = [(m, k, "MR1") for m in moves for k in kinds]
    cells += [(m, k, "MR6") for m in (-p.extreme_move, p.extreme_move) for k in kinds]
    pnl = np.array([_linear_value(market) * move for move, _, _ in cells])
    if market.options:
        book = option_book(market, discounted=False)
        shifts = np.array([points[k] for _, k, _ in cells])
        vols = np.maximum(0.0, book.volatilities[:, None] + shifts[None, :])
        prices = np.array([1.0 + move for move, _, _ in cells])
        pnl = pnl + (book_values(book, prices, vols) - unshocked(book)[:, None]).sum(axis=0)
    return [
        ScenarioLine(f"{market.name} {rule} {move:+.2%} {kind}", 1 + move, kind, 1.0, float(v))
        for (move, kind, rule), v in zip(cells, pnl, strict=True)
    ]


def _linear_value(market: Market) -> float:
    """Return USD of profit for a relative move of 1.00 of everything linear."""
    futures = math.fsum(f.amount * market.expiries[f.expiry].forward for f in market.futures)
    return (
        market.perpetual_amount * market.perpetual_price
        + market.spot_amount * market.spot
        + futures
    )


def basis_charge(market: Market, p: OkxParameters) -> float:
    """Return MR4: the sum over expiries of |delta| x forward x annual move x years."""
    charge = 0.0
    for place, expiry in enumerate(market.expiries):
        delta = math.fsum(f.amount for f in market.futures if f.expiry == place)
        for option in market.options:
            if option.expiry == place:
                of = generalised_black_scholes(
                    expiry.forward,
                    option.strike,
                    expiry.tau,
                    0.0,
                    0.0,
                    option.volatility,
                    is_call=option.is_call,
                )
                delta += option.amount * of.delta
        charge += abs(delta) * expiry.forward * p.annual_move * expiry.tau
    return charge


def okx(
    portfolio: Portfolio,
    p: OkxParameters,
    for_market: Callable[[str], OkxParameters],
    charges: Mapping[str, float],
) -> Result:
    """Return the margins of a portfolio; risk units are added up."""
    scenarios: list[ScenarioLine] = []
    computed = {"mr1": 0.0, "mr4": 0.0, "mr6": 0.0}
    for market in portfolio.markets:
        cells = market_pnl(market, for_market(market.name))
        scenarios += cells
        for rule in ("MR1", "MR6"):
            worst = min((c.pnl for c in cells if f" {rule} " in c.name), default=0.0)
            computed[rule.lower()] += max(0.0, -worst)
        computed["mr4"] += basis_charge(market, for_market(market.name))
    computed["mr7"] = tiered(max(0.0, charges.get("mr7_raw", 0.0)), p.minimum_tiers)
    computed["mr9"] = tiered(max(0.0, charges.get("mr9_hedge", 0.0)), p.depeg_tiers)
    mr = {f"mr{k}": charges.get(f"mr{k}", computed.get(f"mr{k}", 0.0)) for k in range(1, 10)}
    scan = max(mr["mr1"], mr["mr2"], mr["mr6"])
    stacked = scan + mr["mr3"] + mr["mr4"] + mr["mr5"]
    maintenance = max(stacked, mr["mr7"]) + mr["mr8"] + mr["mr9"]
    pnl = math.fsum(m.pnl for m in portfolio.markets)
    spot = math.fsum(m.spot_amount * m.spot for m in portfolio.markets)
    options = math.fsum(
        float(unshocked(option_book(m, discounted=False)).sum())
        for m in portfolio.markets
        if m.options
    )
    value = pnl + spot + options + value_of(portfolio.collateral)
    lines = [Line(name.upper(), amount, _NOTES[name]) for name, amount in mr.items()]
    lines.append(Line("scan with MR3 to MR5", stacked, "compared with MR7"))
    return requirements(
        "USD",
        p.im_factor * maintenance,
        maintenance,
        portfolio.cash + value - haircuts_of(portfolio.collateral),
        value,
        "MR7 minimum charge" if mr["mr7"] > stacked else "scan",
        scenarios,
        lines,
    )


_NOTES = {
    "mr1": "spot shock, in the maximum",
    "mr2": "theta decay, in the maximum",
    "mr3": "vega term structure, added",
    "mr4": "basis, added",
    "mr5": "interest rate, added",
    "mr6": "extreme move, in the maximum",
    "mr7": "minimum charge after its tiers, a floor",
    "mr8": "borrowing, on top",
    "mr9": "stablecoin depeg after its tiers, on top",
}
