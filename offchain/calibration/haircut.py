"""Haircuts of collateral from short-term volatility, and weights by concentration."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.series import Series
from offchain.calibration.settings import DAY_S, Asset, Settings
from offchain.calibration.statistics import (
    ceil_to_grid,
    floor_to_grid,
    mean_square,
    order_statistic,
)
from offchain.core.units import ONE_E6

MULTIPLIER = 1.25 * 2.33
"""25 % on top (EMIR RTS 153/2013 Art. 28(1)(a)) of 99 % of a normal distribution, one-sided."""
LARGEST_FALL_E6 = 10_000
"""A haircut falls by at most 1 % of value a day, and rises at once."""
CURVE_SIGMAS_E6 = tuple(range(10_000, 160_000, 10_000))
"""Volatilities of a day for which the curve is tabled."""
EDGES_USD = (2_000_000, 10_000_000, 50_000_000)
"""Holdings at which the brackets of the report end. [USD]"""


@dataclass(frozen=True, slots=True)
class Haircut:
    """The proposal for one kind of collateral.

    Attributes
    ----------
    sigma_24h, sigma_7d, sigma_stressed : float
        Volatility of a day: present, over 24 hours and 7 days, and the quantile of the larger of
        the two over all of history.
    now_e6, ratcheted_e6 : int
        What the formula says now, and with the ratchet over its path.
    floor_e6, cap_e6 : int
        Bounds: the floor is policy; the cap is the formula at the stressed volatility.
    last_price, impact : float
        Of the underlying; k of the concentration weight, per square root of a dollar.
    curve : tuple of (sigma_e6, haircut_e6)
        The formula at tabled volatilities of a day, between floor and cap.
    brackets : tuple of (upto_usd, weight_e6)
        Of the part of a holding up to there, this share counts at most.
    path : tuple of (day, now_e6, ratcheted_e6)
    """

    asset: Asset
    sigma_24h: float
    sigma_7d: float
    sigma_stressed: float
    now_e6: int
    ratcheted_e6: int
    floor_e6: int
    cap_e6: int
    last_price: float
    impact: float
    curve: tuple[tuple[int, int], ...]
    brackets: tuple[tuple[int, int], ...]
    path: tuple[tuple[int, int, int], ...]


def haircut_e6(sigma_day: float, floor_e6: int, cap_e6: int, settings: Settings) -> int:
    """Return clamp(floor, 1.25 x 2.33 x sigma x sqrt(H), cap), rounded up to the grid. [1e-6]

    H is the time to sell in days.
    """
    raw = MULTIPLIER * sigma_day * math.sqrt(settings.collateral_days)
    return min(max(ceil_to_grid(raw, settings.haircut_grid_e6), floor_e6), cap_e6)


def ratchet(path: Sequence[int]) -> list[int]:
    """Return the haircut day by day: up at once, down by at most 1 % of value a day."""
    held: list[int] = []
    for value in path:
        held.append(max(value, held[-1] - LARGEST_FALL_E6) if held else value)
    return held


def bracket_weights(uppers_usd: Sequence[float], impact: float, grid_e6: int) -> list[int]:
    """Return the weight of each bracket, such that a holding N counts min(1, 1.1/(1 + k sqrt N)).

    Weights belong to the part inside a bracket, so the credit at every upper edge is the curve's;
    between edges it is below it, the curve of credit being concave. Rounded down; each weight is
    below the one before by at least a step of the grid. [1e-6]
    """
    weights: list[int] = []
    below, credited = 0.0, 0.0
    for upper in uppers_usd:
        credit = upper * min(1.0, 1.1 / (1.0 + impact * math.sqrt(upper)))
        weight = floor_to_grid((credit - credited) / (upper - below), grid_e6)
        weights.append(max(0, min(weight, weights[-1] - grid_e6) if weights else weight))
        below, credited = upper, credit
    return weights


def propose_haircut(
    prices: Series, asset: Asset, turnover_usd: float | None, settings: Settings
) -> Haircut:
    """Propose the haircut of an asset whose price follows `prices`.

    The impact k follows the square-root law: selling N while being a share p of the turnover V of
    a day takes N / (p V) days, during which the price moves by sigma x sqrt(that); sigma is the
    stressed one. Without a turnover, or for a token that trades apart, k is a setting.

    Raises
    ------
    HistoryTooShortError
        No unbroken week that ends with a day.
    """
    days = _daily_sigmas(prices)
    if not days:
        raise HistoryTooShortError(prices.file, len(prices.times), "no unbroken week")
    sigmas = np.array([max(day, week) for _, day, week in days])
    stressed = order_statistic(sigmas, settings.confidence_e6)
    cap = haircut_e6(stressed, asset.floor_e6, asset.cap_e6, settings)
    path = [haircut_e6(sigma, asset.floor_e6, cap, settings) for sigma in sigmas.tolist()]
    held = ratchet(path)
    if turnover_usd and asset.symbol == asset.underlying:
        share = settings.collateral_participation_e6 / ONE_E6
        impact = stressed / math.sqrt(share * turnover_usd)
    else:
        impact = settings.collateral_impact_e9.get(asset.symbol, 100_000) / 1e9
    weights = bracket_weights(EDGES_USD, impact, settings.haircut_grid_e6)
    return Haircut(
        asset,
        days[-1][1],
        days[-1][2],
        stressed,
        path[-1],
        held[-1],
        asset.floor_e6,
        cap,
        float(prices.values[-1]),
        impact,
        tuple((s, haircut_e6(s / ONE_E6, asset.floor_e6, cap, settings)) for s in CURVE_SIGMAS_E6),
        tuple(zip(EDGES_USD, weights, strict=True)),
        tuple((day[0], now, kept) for day, now, kept in zip(days, path, held, strict=True)),
    )


def _daily_sigmas(prices: Series) -> list[tuple[int, float, float]]:
    """Return (day, sigma of the last 24 h, of the last 7 d), each a day's, for every full week."""
    day, week = prices.steps(1), prices.steps(7)
    rows = np.flatnonzero(prices.times % DAY_S == 0)
    found = []
    for row in rows[rows >= week]:
        if prices.times[row] - prices.times[row - week] == 7 * DAY_S:
            returns = prices.returns[row - week : row]
            fast = math.sqrt(mean_square(returns[-day:]) * day)
            slow = math.sqrt(mean_square(returns) * day)
            found.append((int(prices.times[row] // DAY_S), fast, slow))
    return found
