"""One engine for every scenario model: options x scenarios as arrays.

A scenario multiplies every price by `price`, treats volatility as its name says and counts a
`weight` of the result. `OptionBook` holds the options of one market as arrays; `book_values`
prices all of them in all scenarios at once and adds them up by expiry.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as validated

from offchain.models.black import Booleans, Floats, option_prices
from offchain.models.portfolio import Market
from offchain.models.quantities import NonNegative

DAY_SECONDS = 86_400.0
REFERENCE_SECONDS = 30 * DAY_SECONDS
MAX_SCENARIOS = 128

Shock = Literal["up", "none", "down", "linear", "abs"]


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Scenario:
    """One stress: price multiplier, what happens to volatility, share of the result counted."""

    price: NonNegative
    volatility: Shock
    weight: NonNegative = 1.0

    @property
    def name(self) -> str:
        """Return ``1.18 up``; what the results call it."""
        return f"{self.price:g} {self.volatility}"

    @property
    def is_skew(self) -> bool:
        """Whether it bends the smile instead of moving it."""
        return self.volatility in {"linear", "abs"}


Scenarios = Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=MAX_SCENARIOS)]


@dataclass(frozen=True, slots=True)
class OptionBook:
    """The options of one market: I options in E expiries.

    Attributes
    ----------
    expiry : int64[I]
        Place of each option's expiry.
    strikes, amounts, volatilities : float64[I]
        USD, contracts, per year.
    is_call : bool[I]
        Call or put.
    fixed, variable, taus, seconds, discounts : float64[E]
        Forward parts [USD], time [years, seconds] and discount factor of each expiry.
    """

    expiry: NDArray[np.int64]
    strikes: Floats
    amounts: Floats
    volatilities: Floats
    is_call: Booleans
    fixed: Floats
    variable: Floats
    taus: Floats
    seconds: Floats
    discounts: Floats

    @property
    def expiries(self) -> int:
        """How many expiries there are."""
        return int(self.taus.size)


def option_book(market: Market, *, discounted: bool) -> OptionBook:
    """Return the options of a market as arrays; D = exp(-max(r, 0) tau), or 1."""
    e, o = market.expiries, market.options
    taus = np.array([x.tau for x in e], np.float64)
    rates = np.array([max(x.rate, 0.0) for x in e], np.float64)
    return OptionBook(
        expiry=np.array([x.expiry for x in o], np.int64),
        strikes=np.array([x.strike for x in o], np.float64),
        amounts=np.array([x.amount for x in o], np.float64),
        volatilities=np.array([x.volatility for x in o], np.float64),
        is_call=np.array([x.is_call for x in o], np.bool_),
        fixed=np.array([x.fixed for x in e], np.float64),
        variable=np.array([x.variable for x in e], np.float64),
        taus=taus,
        seconds=np.array([x.seconds for x in e], np.float64),
        discounts=np.exp(-rates * taus) if discounted else np.ones_like(taus),
    )


def forwards(book: OptionBook, prices: Floats) -> Floats:
    """Return float64[E, S]: variable x s + fixed, so that only what is still open moves."""
    return book.variable[:, None] * prices[None, :] + book.fixed[:, None]


def unit_values(book: OptionBook, prices: Floats, volatilities: Floats) -> Floats:
    """Return float64[I, S]: the price of one contract in each scenario. [USD]

    Parameters
    ----------
    prices : float64[S]
        Price multiplier of each scenario.
    volatilities : float64[I, S]
        Shocked volatility of each option.
    """
    moved = forwards(book, prices)[book.expiry]
    return option_prices(
        moved,
        book.strikes[:, None],
        volatilities,
        book.taus[book.expiry][:, None],
        book.discounts[book.expiry][:, None],
        book.is_call[:, None],
    )


def book_values(book: OptionBook, prices: Floats, volatilities: Floats) -> Floats:
    """Return float64[E, S]: amount x price, added up by expiry. [USD]"""
    totals = np.zeros((book.expiries, prices.size))
    units = unit_values(book, prices, volatilities)
    np.add.at(totals, book.expiry, units * book.amounts[:, None])
    return totals


def time_scale(
    seconds: Floats, short_power: float, long_power: float, floor_seconds: float
) -> Floats:
    """Return (30 days / max(time, floor))^p, p short up to 30 days and long beyond."""
    powers = np.where(seconds <= REFERENCE_SECONDS, short_power, long_power)
    return np.asarray((REFERENCE_SECONDS / np.maximum(seconds, floor_seconds)) ** powers)


def unshocked(book: OptionBook) -> Floats:
    """Return float64[E]: the value of each expiry now. [USD]"""
    return book_values(book, np.ones(1), book.volatilities[:, None])[:, 0]
