"""Terms of the venue that history can check: the cap of funding and the depeg of the cash asset."""

import math
from dataclasses import dataclass

import numpy as np

from offchain.calibration.history import Depeg
from offchain.calibration.settings import Settings
from offchain.calibration.statistics import Floats, ceil_to_grid, floor_to_grid, order_statistic
from offchain.core.units import ONE_E6, ONE_E8

CALM_S = 86_400
"""The first day of the event file is calm; its noise decides the threshold."""
REACTION_S = 3_600
_PERCENT_E6 = 10_000
_FACTOR_GRID_E6 = 500_000


@dataclass(frozen=True, slots=True)
class FundingCheck:
    """Observed funding for 8 hours against a cap. [1e-8]"""

    symbol: str
    observations: int
    largest_e8: int
    quantile_e8: int
    needed_cap_e8: int


@dataclass(frozen=True, slots=True)
class DepegTerms:
    """IM grows by factor x (threshold - price) below the threshold. [1e-6]"""

    file: str
    lowest_e6: int
    threshold_e6: int
    factor_e6: int


def check_funding(symbol: str, rates: Floats, settings: Settings) -> FundingCheck:
    """Return what a cap must allow: the largest rate seen with the buffer on top."""
    sizes = np.abs(rates)
    largest = float(sizes.max())
    return FundingCheck(
        symbol,
        len(rates),
        _ceil_e8(largest),
        _ceil_e8(order_statistic(sizes, settings.confidence_e6)),
        _ceil_e8(largest * (1.0 + settings.buffer_e6 / ONE_E6)),
    )


def depeg_terms(depeg: Depeg, settings: Settings) -> DepegTerms | None:
    """Return threshold and factor from one event; None when the price never left its calm range.

    The threshold is the low quantile of the calm first day, rounded down to whole percent. The
    factor lets the add-on, an hour after the price first fell below, cover the whole rest of the
    fall: (price then - lowest) / (threshold - price then), rounded up to halves.
    """
    calm = depeg.prices[depeg.times < depeg.times[0] + CALM_S]
    quantile = -order_statistic(-calm, settings.confidence_e6)
    threshold_e6 = min(floor_to_grid(quantile, _PERCENT_E6), ONE_E6 - _PERCENT_E6)
    threshold = threshold_e6 / ONE_E6
    below = np.flatnonzero(depeg.prices < threshold)
    if not len(below):
        return None
    until = depeg.times[below[0]] + REACTION_S
    then = float(depeg.prices[: int(np.searchsorted(depeg.times, until, side="right"))][-1])
    lowest = float(depeg.prices.min())
    # Had the price recovered within the hour, the depth of the hour stands for it.
    gap = max(threshold - then, (threshold - lowest) / 10.0)
    factor = ceil_to_grid(max(then - lowest, 0.0) / gap, _FACTOR_GRID_E6)
    return DepegTerms(
        depeg.file, math.floor(lowest * ONE_E6), threshold_e6, max(factor, _FACTOR_GRID_E6)
    )


def _ceil_e8(rate: float) -> int:
    """Return a rate in 1e-8, rounded up, unless it is a whole number but for its last bits."""
    return math.ceil(round(rate * ONE_E8, 3))
