"""Rules for perpetuals and futures alone: a rate on the notional of each underlying.

* Hyperliquid: tiers of maximum leverage; mmr = 1 / (2 max leverage), with deductions.
* dYdX: initial margin fraction scaled by open interest (OIMF).
* Deribit linear perpetual: a base rate that grows with the size in coin.
* FTX and Backpack: IMF = max(base, f sqrt(size)).
* Brackets of the Binance kind: maintenance rates with cumulative amounts.

All from margin.md 2.9. A model is one of the parameter records below.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass as validated

from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.portfolio import Market, Portfolio
from offchain.models.quantities import Fraction, NonNegative, Positive
from offchain.models.results import Line, Result, requirements
from offchain.models.tiers import MAX_TIERS, Tier, Tiers, deductions, tier_of

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class LinearMargin:
    """The requirement of one underlying, with what explains it."""

    initial: float
    maintenance: float
    explanation: tuple[tuple[str, float], ...]


@validated(frozen=True, slots=True, config=STRICT)
class LeverageTier:
    """From `lower` [USD] on, at most `max_leverage`."""

    lower: NonNegative
    max_leverage: Positive


def _leverage_tiers(tiers: tuple[LeverageTier, ...]) -> tuple[LeverageTier, ...]:
    lowers = [t.lower for t in tiers]
    if lowers[0] != 0 or lowers != sorted(set(lowers)):
        raise ValueError("lower bounds must ascend from 0")
    return tiers


@validated(frozen=True, slots=True, config=STRICT)
class HyperliquidParameters:
    """Leverage tiers; maintenance is `maintenance_share` of the initial margin at most leverage."""

    tiers: Annotated[
        tuple[LeverageTier, ...],
        Field(min_length=1, max_length=MAX_TIERS),
        AfterValidator(_leverage_tiers),
    ]
    maintenance_share: Fraction = 0.5

    def margin(self, market: Market, size: float, notional: float) -> LinearMargin:
        """MM = N mmr - deduction; IM = N / leverage, at most (and else) that of the tier of N."""
        rates = tuple(Tier(t.lower, self.maintenance_share / t.max_leverage) for t in self.tiers)
        k = tier_of(notional, rates)
        deduction = deductions(rates)[k]
        maintenance = notional * rates[k].rate - deduction
        most = self.tiers[k].max_leverage
        return LinearMargin(
            notional / min(market.leverage or most, most),
            maintenance,
            (
                ("tier", float(k)),
                ("max leverage", most),
                ("maintenance rate", rates[k].rate),
                ("deduction", deduction),
            ),
        )


@validated(frozen=True, slots=True, config=STRICT)
class DydxParameters:
    """IMF = min(base + max((OI - lower) / (upper - lower) (1 - base), 0), 1) [USD of OI]."""

    base_imf: Fraction
    open_interest_lower: NonNegative
    open_interest_upper: NonNegative
    maintenance_fraction: Fraction

    def margin(self, market: Market, size: float, notional: float) -> LinearMargin:
        """IM = N IMF(open interest); MM = N base fraction, which open interest leaves alone."""
        interest = market.open_interest or 0.0
        factor = self.scaled_imf(interest)
        return LinearMargin(
            notional * factor,
            notional * self.base_imf * self.maintenance_fraction,
            (("initial margin fraction", factor), ("open interest", interest)),
        )

    def scaled_imf(self, interest: float) -> float:
        """Return the initial margin fraction at an open interest [USD]."""
        width = self.open_interest_upper - self.open_interest_lower
        if width <= 0:
            return self.base_imf
        scale = (interest - self.open_interest_lower) / width
        return min(self.base_imf + max(scale * (1.0 - self.base_imf), 0.0), 1.0)


@validated(frozen=True, slots=True, config=STRICT)
class DeribitLinearParameters:
    """IM % = initial + slope x coins, MM % = maintenance + slope x coins."""

    initial_rate: NonNegative
    maintenance_rate: NonNegative
    slope_per_coin: NonNegative

    def margin(self, market: Market, size: float, notional: float) -> LinearMargin:
        """Return the rates times the notional."""
        growth = self.slope_per_coin * size
        rates = (self.initial_rate + growth, self.maintenance_rate + growth)
        return LinearMargin(
            notional * rates[0],
            notional * rates[1],
            (("initial rate", rates[0]), ("maintenance rate", rates[1])),
        )


@validated(frozen=True, slots=True, config=STRICT)
class SquareRootParameters:
    """IMF = max(base, f sqrt(size)), MMF = max(maintenance base, share x f sqrt(size))."""

    base_imf: Fraction
    imf_factor: NonNegative
    base_mmf: Fraction
    mmf_factor: NonNegative
    size_in_usd: bool = False
    collateral_weight: Fraction = 1.0
    collateral_factor: NonNegative = 0.0

    def margin(self, market: Market, size: float, notional: float) -> LinearMargin:
        """Return the fractions times the notional."""
        root = math.sqrt(notional if self.size_in_usd else size)
        initial = max(self.base_imf, self.imf_factor * root)
        maintenance = max(self.base_mmf, self.mmf_factor * root)
        return LinearMargin(
            notional * initial,
            notional * maintenance,
            (("initial margin fraction", initial), ("maintenance margin fraction", maintenance)),
        )

    def weight(self, notional: float) -> float:
        """Return the weight of collateral: min(base, 1.1 / (1 + f sqrt(notional)))."""
        return min(
            self.collateral_weight, 1.1 / (1.0 + self.collateral_factor * math.sqrt(notional))
        )


@validated(frozen=True, slots=True, config=STRICT)
class BracketParameters:
    """Maintenance rates by notional; IM = N / leverage, or at the most leverage of the bracket."""

    brackets: Tiers
    leverages: Annotated[tuple[Positive, ...], Field(max_length=MAX_TIERS)] = ()

    def __post_init__(self) -> None:
        """Refuse leverages that do not match the brackets."""
        if self.leverages and len(self.leverages) != len(self.brackets):
            raise ValueError("leverages, where given, are one for each bracket")

    def margin(self, market: Market, size: float, notional: float) -> LinearMargin:
        """MM = N rate - cumulative amount."""
        k = tier_of(notional, self.brackets)
        cumulative = deductions(self.brackets)[k]
        maintenance = notional * self.brackets[k].rate - cumulative
        most = self.leverages[k] if self.leverages else None
        leverage = market.leverage or most
        if leverage is not None and most is not None:
            leverage = min(leverage, most)
        initial = maintenance if leverage is None else notional / leverage
        return LinearMargin(
            max(initial, maintenance),
            maintenance,
            (
                ("bracket", float(k + 1)),
                ("maintenance rate", self.brackets[k].rate),
                ("cumulative amount", cumulative),
            ),
        )


LinearParameters = (
    HyperliquidParameters
    | DydxParameters
    | DeribitLinearParameters
    | SquareRootParameters
    | BracketParameters
)


def exposures(market: Market) -> list[tuple[str, float, float]]:
    """Return label, size in coin and notional [USD] of the perpetual and of each future."""
    found = []
    if market.perpetual_amount:
        size = abs(market.perpetual_amount)
        found.append((f"{market.name} perpetual", size, size * market.perpetual_price))
    for future in market.futures:
        expiry = market.expiries[future.expiry]
        size = abs(future.amount)
        found.append((f"{market.name} {expiry.name}", size, size * expiry.forward))
    return found


def linear_margin(
    portfolio: Portfolio,
    p: LinearParameters,
    for_market: Callable[[str], LinearParameters],
) -> Result:
    """Return the margins of an account of perpetuals and futures; markets are added up."""
    lines: list[Line] = []
    initial = maintenance = pnl = 0.0
    for market in portfolio.markets:
        if market.options or market.spot_amount:
            raise UnsupportedPortfolioError(
                "positions", f"{market.name}: this model has perpetuals and futures only"
            )
        pnl += market.pnl
        for label, size, notional in exposures(market):
            of = for_market(market.name).margin(market, size, notional)
            initial += of.initial
            maintenance += of.maintenance
            lines += [
                Line(f"{label} notional", notional),
                Line(f"{label} initial margin", of.initial, "requirement"),
                Line(f"{label} maintenance margin", of.maintenance, "requirement"),
                *(Line(f"{label} {name}", value, "explains") for name, value in of.explanation),
            ]
    collateral = math.fsum(c.value for c in portfolio.collateral)
    weighted = math.fsum(
        c.value
        * (p.weight(c.value) if isinstance(p, SquareRootParameters) else 1.0)
        * (1.0 - min(c.haircut_mm, 1.0))
        for c in portfolio.collateral
    )
    lines += [
        Line("cash", portfolio.cash),
        Line("unrealised pnl", pnl),
        Line("collateral value", collateral),
        Line("collateral after weights", weighted, "counts as equity"),
    ]
    return requirements(
        "USD",
        initial,
        maintenance,
        portfolio.cash + pnl + weighted,
        pnl + collateral,
        "rates, no scenarios",
        lines=lines,
    )
