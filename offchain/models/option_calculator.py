"""Prices and Greeks of the options in a file: Black-76 on forwards, or generalised Black-Scholes.

The generalised form has cost of carry b (Haug 2007, ch. 1.1.6): b = r is Black-Scholes, r - q
Merton, 0 Black-76, r - rf Garman-Kohlhagen. Here there is no margin: both requirements are none.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as validated

from offchain.models.black import Greeks, generalised_black_scholes
from offchain.models.portfolio import ExpiryState, Market, OptionHolding, Portfolio
from offchain.models.quantities import Positive
from offchain.models.results import Line, Result


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class CalculatorParameters:
    """`basis` says with respect to what delta and gamma are: the forward, or spot."""

    basis: Literal["forward", "spot"]
    days_per_year: Positive = 365.0


def option_greeks(market: Market, option: OptionHolding, basis: str) -> Greeks:
    """Return the Greeks of one long contract."""
    expiry = market.expiries[option.expiry]
    price, carry = expiry.forward, 0.0
    if basis == "spot":
        price, carry = market.spot, carry_of(market.spot, expiry)
    return generalised_black_scholes(
        price,
        option.strike,
        expiry.tau,
        expiry.rate,
        carry,
        option.volatility,
        is_call=option.is_call,
    )


def carry_of(spot: float, expiry: ExpiryState) -> float:
    """Return b = ln(F / S) / T; 0 at expiry."""
    if expiry.tau <= 0 or expiry.forward <= 0:
        return 0.0
    return (math.log(expiry.forward) - math.log(spot)) / expiry.tau


def describe(option: OptionHolding, expiry: str, of: Greeks, days: float) -> Mapping[str, Any]:
    """Return one option as JSON values: per contract, and the value of the position."""
    return {
        "kind": "call" if option.is_call else "put",
        "expiry": expiry,
        "strike": option.strike,
        "amount": option.amount,
        "volatility": option.volatility,
        "price": of.price,
        "delta": of.delta,
        "gamma": of.gamma,
        "vega": of.vega,
        "vega_per_point": of.vega / 100.0,
        "theta": of.theta,
        "theta_per_day": of.theta / days,
        "rho": of.rho,
        "rho_per_point": of.rho / 100.0,
        "value": of.price * option.amount,
    }


def option_lines(
    portfolio: Portfolio, basis: str = "forward", days: float = 365.0
) -> list[dict[str, Any]]:
    """Return every option of a portfolio with price and Greeks."""
    return [
        {
            "underlying": market.name,
            **describe(
                option,
                market.expiries[option.expiry].name,
                option_greeks(market, option, basis),
                days,
            ),
        }
        for market in portfolio.markets
        for option in market.options
    ]


def calculator(portfolio: Portfolio, p: CalculatorParameters) -> Result:
    """Return prices and Greeks; sums are over positions."""
    options = option_lines(portfolio, p.basis, p.days_per_year)
    totals = {
        name: math.fsum(o["amount"] * o[name] for o in options)
        for name in ("price", "delta", "gamma", "vega", "theta", "rho")
    }
    value = totals.pop("price")
    linear = math.fsum(
        [
            *(m.perpetual_amount + m.spot_amount for m in portfolio.markets),
            *(f.amount for m in portfolio.markets for f in m.futures),
        ]
    )
    totals["delta"] += linear
    pnl = math.fsum(m.pnl + m.spot_amount * m.spot for m in portfolio.markets)
    return Result(
        unit="USD",
        initial_margin=None,
        maintenance_margin=None,
        net_initial=None,
        net_maintenance=None,
        mark_to_market=value + pnl,
        equity=portfolio.cash + value + pnl,
        worst="no scenarios",
        scenarios=[],
        lines=[
            Line("option value", value),
            *(Line(f"total {name}", amount) for name, amount in totals.items()),
        ],
        detail={"options": options},
    )
