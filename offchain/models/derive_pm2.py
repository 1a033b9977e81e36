"""Derive PM2 (PMRM_2): grid, tails, skews, discount, forward contingency (derive.md 7.5 to 7.9).

Signed so that a loss is negative. `derive_pm2_margin` assembles the margins from these terms.
"""

import math
from dataclasses import dataclass

import numpy as np
from pydantic import ConfigDict
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
)
from offchain.models.portfolio import Market, Portfolio
from offchain.models.quantities import NonNegative, Number
from offchain.models.scenario_engine import (
    DAY_SECONDS,
    OptionBook,
    Scenarios,
    book_values,
    forwards,
    option_book,
    time_scale,
    unshocked,
)


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Pm2Parameters:
    """Every number of the table of derive.md 7.11, by its name there."""

    scenarios: Scenarios
    im_factor: NonNegative
    mm_factor: NonNegative
    forward_up: NonNegative
    forward_down: NonNegative
    add_factor: NonNegative
    mult_factor: NonNegative
    vol_up: NonNegative
    vol_down: NonNegative
    min_vol_up: NonNegative
    short_power: Number
    long_power: Number
    dte_floor_days: NonNegative
    long_base: NonNegative
    long_mult: Number
    long_add: Number
    short_base: NonNegative
    short_mult: Number
    short_add: Number
    linear_base_cap: Number
    linear_c_base: Number
    abs_base_cap: Number
    abs_c_base: Number
    min_k_star: NonNegative
    width: Number
    vol_param_static: Number
    vol_param_scale: Number
    peg_threshold: NonNegative
    peg_factor: NonNegative
    confidence_threshold: NonNegative
    confidence_margin: NonNegative
    perp_mm: NonNegative
    perp_im: NonNegative
    option_mm: NonNegative
    option_im: NonNegative


@dataclass(frozen=True, slots=True)
class Precomputed:
    """What 7.6 computes for each expiry, as float64[E]."""

    mark: Floats
    factor_up: Floats
    factor_down: Floats
    discount_positive: Floats
    discount_negative: Floats
    contingency: Floats


def precompute(book: OptionBook, rates: Floats, p: Pm2Parameters) -> Precomputed:
    """Return marks, volatility factors, static discounts and contingencies (7.6)."""
    h = time_scale(book.seconds, p.short_power, p.long_power, p.dte_floor_days * DAY_SECONDS)
    r, tau = np.maximum(rates, 0.0), book.taus
    mark = unshocked(book)
    shifts = np.array([p.forward_up, p.forward_down])
    shifted = book_values(book, shifts, np.stack([book.volatilities] * 2, axis=1))
    worst = np.minimum((shifted - mark[:, None]).min(axis=1), 0.0)
    return Precomputed(
        mark=mark,
        factor_up=1.0 + p.vol_up * h,
        factor_down=np.maximum(0.0, 1.0 - p.vol_down * h),
        discount_positive=p.long_base * np.exp(-tau * (r * p.long_mult + p.long_add)),
        discount_negative=np.minimum(
            1.0 / book.discounts, p.short_base * np.exp(tau * (r * p.short_mult + p.short_add))
        ),
        contingency=worst * (p.add_factor + p.mult_factor * tau),
    )


def skew_multipliers(book: OptionBook, kind: str, p: Pm2Parameters) -> Floats:
    """Return float64[I]: the volatility multipliers of a LINEAR or ABS skew (7.7).

    With q = sqrt(tau), cap = cBase q + baseCap, k* = max(minKStar, q width (static + q scale)),
    k = ln(K/F) (its size for ABS), y = k cap / k*: 1 + min(cap, y) right of the forward and
    1 + max(-cap, y) left of it, at least 0. Where K or F is 0 volatility does not matter.
    """
    base, slope = (
        (p.linear_base_cap, p.linear_c_base) if kind == "linear" else (p.abs_base_cap, p.abs_c_base)
    )
    q = np.sqrt(book.taus)
    caps = (slope * q + base)[book.expiry]
    stars = np.maximum(p.min_k_star, q * p.width * (p.vol_param_static + q * p.vol_param_scale))
    ahead = forwards(book, np.ones(1))[book.expiry, 0]
    has_both = (ahead > 0) & (book.strikes > 0)
    ratio = np.where(has_both, book.strikes, 1.0) / np.where(has_both, ahead, 1.0)
    k = np.log(ratio)
    if kind == "abs":
        k = np.abs(k)
    star = stars[book.expiry]
    # A k* of 0 is a step at the forward: the cap on either side, and nothing at it.
    y = np.where(star > 0, k * caps / np.where(star > 0, star, 1.0), np.sign(k) * caps)
    multipliers = np.where(k >= 0, 1.0 + np.minimum(caps, y), 1.0 + np.maximum(-caps, y))
    return np.asarray(np.maximum(0.0, multipliers))


def expiry_profits(book: OptionBook, pre: Precomputed, p: Pm2Parameters) -> Floats:
    """Return float64[E, S]: (V dPos or V dNeg - M) w, and minus its size in a skew (7.7)."""
    scenarios = p.scenarios
    vols = grid_volatilities(book, scenarios, pre.factor_up, pre.factor_down, p.min_vol_up)
    for place, scenario in enumerate(scenarios):
        if scenario.is_skew:
            vols[:, place] = book.volatilities * skew_multipliers(book, scenario.volatility, p)
    values = book_values(book, price_multipliers(scenarios), vols)
    discounts = np.where(
        values >= 0, pre.discount_positive[:, None], pre.discount_negative[:, None]
    )
    weights = np.array([s.weight for s in scenarios])
    profits = (values * discounts - pre.mark[:, None]) * weights[None, :]
    is_skew = np.array([s.is_skew for s in scenarios])
    return np.asarray(np.where(is_skew[None, :], -np.abs(profits), profits))


def linear_profits(portfolio: Portfolio, market: Market | None, p: Pm2Parameters) -> Floats:
    """Return float64[S]: P X (s - 1) w of the perpetual and v (s - 1) w of cancelling assets."""
    held = market.perpetual_amount * market.perpetual_price if market else 0.0
    cancelling = math.fsum(c.value for c in portfolio.collateral if c.risk_cancelling)
    moves = np.array([(s.price - 1.0) * s.weight for s in p.scenarios])
    return np.asarray(held * moves + cancelling * moves)


@dataclass(frozen=True, slots=True)
class Contingencies:
    """Amounts of 7.9, none negative."""

    perp_mm: float = 0.0
    perp_im: float = 0.0
    option_mm: float = 0.0
    option_im: float = 0.0
    collateral_mm: float = 0.0
    collateral_im: float = 0.0
    oracle: float = 0.0


def contingencies(portfolio: Portfolio, market: Market | None, p: Pm2Parameters) -> Contingencies:
    """Return the contingencies and the oracle add-on (7.9)."""
    held = portfolio.collateral
    mm = math.fsum(c.value * c.haircut_mm for c in held)
    im = math.fsum(c.value * c.haircut_im for c in held)
    limits = (p.confidence_threshold, p.confidence_margin)
    spot_confidence = market.spot_confidence if market else 1.0
    oracle = math.fsum(
        low_confidence(min(c.confidence, spot_confidence), c.value, *limits) for c in held
    )
    if market is None:
        return Contingencies(collateral_mm=mm, collateral_im=im, oracle=oracle)
    notional = abs(market.perpetual_amount) * market.spot
    naked = math.fsum(naked_short(market, i) for i in range(len(market.expiries))) * market.spot
    oracle += low_confidence(perpetual_confidence(market), notional, *limits)
    oracle += math.fsum(
        low_confidence(expiry_confidence(market, e), gross_size(market, i) * market.spot, *limits)
        for i, e in enumerate(market.expiries)
    )
    return Contingencies(
        perp_mm=notional * p.perp_mm,
        perp_im=notional * p.perp_im,
        option_mm=naked * p.option_mm,
        option_im=naked * p.option_im,
        collateral_mm=mm,
        collateral_im=im,
        oracle=oracle,
    )


@dataclass(frozen=True, slots=True)
class Losses:
    """What the scenarios say about an account.

    Attributes
    ----------
    mark, contingency : float64[E]
        M and C of each expiry. [USD]
    profits : float64[E, S]
        Discounted and weighted profit of each expiry in each scenario. [USD]
    linear : float64[S]
        Profit of the perpetual and of risk-cancelling collateral. [USD]
    """

    mark: Floats
    contingency: Floats
    profits: Floats
    linear: Floats
    precomputed: Precomputed | None = None
    book: OptionBook | None = None

    @property
    def pnl(self) -> Floats:
        """Profit of the account in each scenario. [USD]"""
        return np.asarray(self.linear + self.profits.sum(axis=0))

    @property
    def basis(self) -> float:
        """The forward contingency, never positive. [USD]"""
        return math.fsum(self.contingency.tolist())

    @property
    def max_loss(self) -> float:
        """min(sum of C, every scenario) (7.8). [USD]"""
        return min(self.basis, float(self.pnl.min()))


def losses(portfolio: Portfolio, market: Market | None, p: Pm2Parameters) -> Losses:
    """Return what the scenarios of a parameter set say (7.5 to 7.8)."""
    linear = linear_profits(portfolio, market, p)
    if market is None or not market.options:
        return Losses(np.zeros(0), np.zeros(0), np.zeros((0, len(p.scenarios))), linear)
    book = option_book(market, discounted=True)
    pre = precompute(book, np.array([e.rate for e in market.expiries]), p)
    profits = expiry_profits(book, pre, p)
    return Losses(pre.mark, pre.contingency, profits, linear, pre, book)
