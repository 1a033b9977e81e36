"""A portfolio with every quantity resolved: what the models compute from.

Positions in the same contract are added up first, as a venue's account holds them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from offchain.models.errors import MarginFileError, UnsupportedPortfolioError
from offchain.models.quantities import MAX_SIZE
from offchain.models.schema import (
    YEAR_SECONDS,
    Expiry,
    PortfolioFile,
    Position,
    Underlying,
    rate_of,
    seconds_of,
)
from offchain.models.surface import svi_volatility

SETTLEMENT_SECONDS = 1_800.0


@dataclass(frozen=True, slots=True)
class ExpiryState:
    """One expiry: time [seconds, years], the two parts of its forward [USD], rate, confidences."""

    name: str
    seconds: float
    tau: float
    fixed: float
    variable: float
    rate: float
    confidence_forward: float
    confidence_rate: float
    confidence_volatility: float

    @property
    def forward(self) -> float:
        """The whole forward, of which only `variable` still moves. [USD]"""
        return self.variable + self.fixed


@dataclass(frozen=True, slots=True)
class OptionHolding:
    """A net option position. `expiry` is the place in the market's expiries.

    `price` is what the file says one contract is worth, None where the model has to price it.
    """

    expiry: int
    strike: float
    is_call: bool
    amount: float
    volatility: float
    price: float | None = None


@dataclass(frozen=True, slots=True)
class FutureHolding:
    """A net dated-future position."""

    expiry: int
    amount: float


@dataclass(frozen=True, slots=True)
class Market:
    """All that is held and known in one underlying. `leverage` is that chosen for the perpetual."""

    name: str
    spot: float
    spot_confidence: float
    perpetual_price: float
    perpetual_confidence: float
    perpetual_amount: float
    pnl: float
    leverage: float | None
    spot_amount: float
    futures: tuple[FutureHolding, ...]
    options: tuple[OptionHolding, ...]
    expiries: tuple[ExpiryState, ...]
    open_interest: float | None


@dataclass(frozen=True, slots=True)
class CollateralHolding:
    """An asset that is held. `price` is in USD, `value` in the stable unit of account."""

    asset: str
    amount: float
    price: float
    value: float
    haircut_mm: float
    haircut_im: float
    confidence: float
    risk_cancelling: bool
    underlying: str | None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One account at one moment."""

    cash: float
    stable_price: float
    markets: tuple[Market, ...]
    collateral: tuple[CollateralHolding, ...]

    def single_market(self, model: str) -> Market | None:
        """Return the only market in which something is held; None where nothing is listed.

        Raises
        ------
        UnsupportedPortfolioError
            Positions in more than one underlying.
        """
        held = [m for m in self.markets if is_held(m)]
        if len(held) > 1:
            names = ", ".join(m.name for m in held)
            raise UnsupportedPortfolioError(
                "positions", f"{model} margins one underlying an account, not {names}"
            )
        candidates = held or list(self.markets)
        return candidates[0] if candidates else None


def value_of(collateral: Iterable[CollateralHolding]) -> float:
    """Return what collateral is worth, before haircuts. [unit of account]"""
    return math.fsum(c.value for c in collateral)


def haircuts_of(collateral: Iterable[CollateralHolding]) -> float:
    """Return what haircuts take off, at most all of it; for models that know one haircut."""
    return math.fsum(c.value * min(c.haircut_mm, 1.0) for c in collateral)


def is_held(market: Market) -> bool:
    """Tell whether the account has a position in a market."""
    return bool(market.options or market.futures or market.perpetual_amount or market.spot_amount)


def resolve(file: PortfolioFile) -> Portfolio:
    """Return the portfolio of a file.

    Raises
    ------
    MarginFileError
        A position names an underlying or an expiry that is not there, or a market lacks a number
        that the position needs.
    """
    for place, position in enumerate(file.positions):
        if position.underlying not in file.underlyings:
            raise MarginFileError(f"positions[{place}].underlying", "is not in underlyings")
    markets = tuple(_market(file, name, of) for name, of in file.underlyings.items())
    return Portfolio(file.cash, file.stable_price, markets, collateral_of(file))


def collateral_of(file: PortfolioFile) -> tuple[CollateralHolding, ...]:
    """Return what is held as collateral, valued; refuse an underlying that is not there."""
    held = []
    for place, c in enumerate(file.collateral):
        if c.underlying is not None and c.underlying not in file.underlyings:
            raise MarginFileError(f"collateral[{place}].underlying", "is not in underlyings")
        price = c.price
        if price is None:
            assert c.underlying is not None
            price = file.underlyings[c.underlying].spot
        held.append(
            CollateralHolding(
                c.asset,
                c.amount,
                price,
                c.amount * price / file.stable_price,
                c.haircut_mm,
                c.haircut_im,
                c.confidence,
                c.risk_cancelling,
                c.underlying,
            )
        )
    return tuple(held)


def _market(file: PortfolioFile, name: str, of: Underlying) -> Market:
    held = [(i, p) for i, p in enumerate(file.positions) if p.underlying == name]
    used = {p.expiry for _, p in held if p.expiry is not None}
    for place, p in held:
        if p.expiry is not None and p.expiry not in of.expiries:
            raise MarginFileError(
                f"positions[{place}].expiry", f"is not in underlyings.{name}.expiries"
            )
    labels = [label for label in of.expiries if label in used]
    states = tuple(
        expiry_state(of.expiries[label], of.spot, file.valuation_time, label, name)
        for label in labels
    )
    places = {label: i for i, label in enumerate(labels)}
    perpetuals = [p for _, p in held if p.kind == "perpetual"]
    price = of.perpetual.price if of.perpetual else of.spot
    linear = {
        label: math.fsum(p.amount for _, p in held if p.kind == "future" and p.expiry == label)
        for label in labels
    }
    forwards = {label: states[places[label]].forward for label in labels}
    return Market(
        name=name,
        spot=of.spot,
        spot_confidence=of.confidence,
        perpetual_price=price,
        perpetual_confidence=of.perpetual.confidence if of.perpetual else 1.0,
        perpetual_amount=math.fsum(p.amount for p in perpetuals),
        pnl=math.fsum(
            profit(p, price if p.kind == "perpetual" else forwards.get(p.expiry or "", of.spot))
            for _, p in held
            if p.kind in {"perpetual", "future"}
        ),
        leverage=_leverage(name, perpetuals),
        spot_amount=math.fsum(p.amount for _, p in held if p.kind == "spot"),
        futures=tuple(FutureHolding(places[k], n) for k, n in linear.items() if n != 0),
        options=_options(held, of, places),
        expiries=states,
        open_interest=of.open_interest,
    )


def _leverage(name: str, perpetuals: Iterable[Position]) -> float | None:
    chosen = {p.leverage for p in perpetuals if p.leverage is not None}
    if len(chosen) > 1:
        raise MarginFileError(
            "positions", f"the perpetual of {name} has more than one leverage, and is one position"
        )
    return chosen.pop() if chosen else None


def profit(position: Position, price: float) -> float:
    """Return the unsettled profit: as given, or (price - entry - funding) x amount. [USD]"""
    if position.unrealised_pnl is not None:
        return position.unrealised_pnl
    funding = position.funding or 0.0
    entry = position.entry_price if position.entry_price is not None else price
    return (price - entry) * position.amount - funding * position.amount


def expiry_state(
    expiry: Expiry, spot: float, valuation_time: float | None, label: str, underlying: str
) -> ExpiryState:
    """Return an expiry with its time, rate and the two parts of its forward (derive.md 7.4)."""
    path = f"underlyings.{underlying}.expiries.{label}"
    seconds = seconds_of(expiry, valuation_time, path)
    tau = seconds / YEAR_SECONDS
    rate = rate_of(expiry, tau)
    fixed, variable = _forward_parts(expiry, spot, seconds, rate, path)
    confidence = expiry.confidence
    return ExpiryState(
        label,
        seconds,
        tau,
        fixed,
        variable,
        rate,
        confidence.forward,
        confidence.rate,
        confidence.volatility,
    )


def _forward_parts(
    expiry: Expiry, spot: float, seconds: float, rate: float, path: str
) -> tuple[float, float]:
    if expiry.forward_fixed is not None and expiry.forward_variable is not None:
        return expiry.forward_fixed, expiry.forward_variable
    forward = expiry.forward
    if forward is None:
        carry = expiry.carry
        if carry is None and expiry.dividend_yield is not None:
            carry = rate - expiry.dividend_yield
        if carry is None:
            raise MarginFileError(
                f"{path}.forward", "is missing, and so are carry and dividend_yield"
            )
        forward = spot * math.exp(carry * seconds / YEAR_SECONDS)
        if forward > MAX_SIZE:
            raise MarginFileError(f"{path}.forward", "is beyond 1e15")
    if seconds >= SETTLEMENT_SECONDS:
        return 0.0, forward
    open_share = seconds / SETTLEMENT_SECONDS
    return forward * (SETTLEMENT_SECONDS - seconds) / SETTLEMENT_SECONDS, forward * open_share


def _options(
    held: Iterable[tuple[int, Position]], of: Underlying, places: dict[str, int]
) -> tuple[OptionHolding, ...]:
    merged: dict[tuple[int, float, bool, float, float | None], float] = {}
    for place, p in held:
        if p.kind not in {"call", "put"} or p.expiry is None or p.strike is None:
            continue
        volatility = volatility_of(p, of.expiries[p.expiry], f"positions[{place}]")
        key = (places[p.expiry], p.strike, p.kind == "call", volatility, p.price)
        merged[key] = merged.get(key, 0.0) + p.amount
    return tuple(
        OptionHolding(expiry, strike, is_call, amount, volatility, price)
        for (expiry, strike, is_call, volatility, price), amount in merged.items()
        if amount != 0
    )


def volatility_of(position: Position, expiry: Expiry, path: str) -> float:
    """Return the volatility of an option: its own, the surface's, or the flat one."""
    assert position.strike is not None
    if position.volatility is not None:
        return position.volatility
    if expiry.svi is not None:
        return svi_volatility(expiry.svi, position.strike, path)
    if expiry.volatility is None:
        raise MarginFileError(
            f"{path}.volatility", "is missing; the expiry has neither volatility nor svi"
        )
    return expiry.volatility
