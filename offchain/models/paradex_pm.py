"""Paradex portfolio margin (margin.md 2.5).

    IMR = max(SCAN, (net rate x |net delta| + hedged rate x hedged delta) x spot) + funding + fees
    MMR = 0.5 x max(..) + funding + fees

The 24 cells, in our reading of the published moves: seven prices (0 to +-12 %) with volatility up
and down, the edges (+-16 %) and eight weighted tails with volatility up alone. Hedged delta is the
smaller of long and short.
Funding and fee provisions are charges that the file states.
"""

import math
from collections.abc import Mapping

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as validated

from offchain.models.black import Floats, generalised_black_scholes
from offchain.models.derive_terms import grid_volatilities
from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.portfolio import Market, Portfolio, haircuts_of, value_of
from offchain.models.quantities import NonNegative, Number, Positive
from offchain.models.results import Line, Result, ScenarioLine, requirements
from offchain.models.scenario_engine import (
    DAY_SECONDS,
    Scenarios,
    book_values,
    option_book,
    time_scale,
    unshocked,
)

CHARGES = frozenset({"funding_provision", "fee_provision"})


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class ParadexParameters:
    """The cells and the rates of the minimum delta requirement."""

    scenarios: Scenarios
    vol_up: NonNegative
    vol_down: NonNegative
    short_power: Number
    long_power: Number
    dte_floor_days: Positive
    net_delta_rate: NonNegative
    hedged_delta_rate: NonNegative
    mm_factor: NonNegative


def pnl_of(market: Market, p: ParadexParameters) -> Floats:
    """Return float64[S]: weighted profit in each cell. [USD]"""
    moves = np.array([s.price - 1.0 for s in p.scenarios])
    weights = np.array([s.weight for s in p.scenarios])
    linear = market.perpetual_amount * market.perpetual_price + market.spot_amount * market.spot
    linear += math.fsum(f.amount * market.expiries[f.expiry].forward for f in market.futures)
    pnl = linear * moves
    if market.options:
        book = option_book(market, discounted=False)
        floor = p.dte_floor_days * DAY_SECONDS
        h = time_scale(book.seconds, p.short_power, p.long_power, floor)
        down = np.maximum(0.0, 1.0 - p.vol_down * h)
        vols = grid_volatilities(book, p.scenarios, 1.0 + p.vol_up * h, down, 0.0)
        values = book_values(book, moves + 1.0, vols)
        pnl = pnl + (values - unshocked(book)[:, None]).sum(axis=0)
    return np.asarray(pnl * weights)


def long_and_short_delta(market: Market) -> tuple[float, float]:
    """Return the sums of positive and of negative position deltas, the latter as a size."""
    deltas = [market.perpetual_amount, market.spot_amount, *(f.amount for f in market.futures)]
    for o in market.options:
        e = market.expiries[o.expiry]
        of = generalised_black_scholes(
            e.forward, o.strike, e.tau, 0.0, 0.0, o.volatility, is_call=o.is_call
        )
        deltas.append(o.amount * of.delta)
    return math.fsum(d for d in deltas if d > 0), math.fsum(-d for d in deltas if d < 0)


def paradex(portfolio: Portfolio, p: ParadexParameters, charges: Mapping[str, float]) -> Result:
    """Return the margins of an account in one underlying."""
    market = portfolio.single_market("Paradex PM")
    if market is None:
        raise UnsupportedPortfolioError("underlyings", "one underlying is needed")
    pnl = pnl_of(market, p)
    place = int(pnl.argmin())
    scan = max(0.0, -float(pnl[place]))
    longs, shorts = long_and_short_delta(market)
    net, hedged = abs(longs - shorts), min(longs, shorts)
    minimum = (p.net_delta_rate * net + p.hedged_delta_rate * hedged) * market.spot
    required = max(scan, minimum)
    provisions = [charges.get(k, 0.0) for k in ("funding_provision", "fee_provision")]
    options = float(unshocked(option_book(market, discounted=False)).sum()) if market.options else 0
    value = market.pnl + options + market.spot_amount * market.spot
    value += value_of(portfolio.collateral)
    return requirements(
        "USD",
        required + math.fsum(provisions),
        p.mm_factor * required + math.fsum(provisions),
        portfolio.cash + value - haircuts_of(portfolio.collateral),
        value,
        p.scenarios[place].name if scan >= minimum else "minimum delta requirement",
        [
            ScenarioLine(s.name, s.price, s.volatility, s.weight, float(pnl[i]))
            for i, s in enumerate(p.scenarios)
        ],
        [
            Line("scan", scan, "requirement"),
            Line("net delta", net, "coins"),
            Line("hedged delta", hedged, "coins"),
            Line("minimum delta requirement", minimum, "requirement"),
            Line("funding provision", provisions[0], "stated"),
            Line("fee provision", provisions[1], "stated"),
        ],
    )
