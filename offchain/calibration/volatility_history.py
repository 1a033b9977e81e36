"""The volatility that is to be shocked: implied, else a neighbour's, else realised.

Per underlying, in this order: its own implied volatility index (30 days, such as DVOL); the index
of another underlying, its changes scaled by how much more or less the surfaces of the two moved
while both were known; the realised volatility of its price, with a memory of 30 days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offchain.calibration.errors import HistoryError
from offchain.calibration.history import History, Surface
from offchain.calibration.series import Series
from offchain.calibration.statistics import Floats, ewma_variances, mean_square, root_mean_square

TENOR_DAYS = 30
_YEAR_DAYS = 365


@dataclass(frozen=True)
class VolatilityHistory:
    """The volatility of one underlying.

    Attributes
    ----------
    source : str
        Where it comes from, in words.
    series : Series
        Annual volatility (1.0 is 100 %) or an index in proportion to it.
    factor : float
        What a change of the series is worth for this underlying; 1 when it is its own.
    realised : Series
        Realised volatility of the price, for times that `series` does not cover.
    """

    source: str
    series: Series
    factor: float
    realised: Series

    @cached_property
    def is_implied(self) -> bool:
        """Whether the series is an implied volatility."""
        return self.series is not self.realised

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {int(time): row for row, time in enumerate(self.series.times)}

    @cached_property
    def _realised_places(self) -> Mapping[int, int]:
        return {int(time): row for row, time in enumerate(self.realised.times)}

    def change(self, start: int, end: int) -> float:
        """Return the relative change between two times, of the realised one where need be."""
        places = self._places
        if start in places and end in places:
            values = self.series.values
            return self.factor * (float(values[places[end]] / values[places[start]]) - 1.0)
        places, values = self._realised_places, self.realised.values
        return float(values[places[end]] / values[places[start]]) - 1.0


def realised_volatility(prices: Series, seed_days: int) -> Series:
    """Return the annual realised volatility of a price, exponentially weighted over 30 days."""
    seed_rows, day = prices.steps(seed_days), prices.steps(1)
    returns = prices.returns
    seed = mean_square(returns[:seed_rows][prices.follows[:seed_rows]])
    variances = ewma_variances(
        returns.tolist(), prices.follows.tolist(), 1.0 / (TENOR_DAYS * day), seed
    )
    volatility = np.sqrt(variances * (day * _YEAR_DAYS))
    return Series(prices.file, prices.times, volatility, prices.step_s)


def daily_changes(surface: Surface, tenor: int) -> Floats:
    """Return the relative changes of one tenor over about a day (24 h, an hour more or less).

    HistoryError when there is none.
    """
    times, values = surface.times, surface.tenors[tenor]
    known = np.isfinite(values)
    times, values = times[known], values[known]
    ends = np.searchsorted(times, times + 82_800, side="left")
    inside = ends < len(times)
    starts, ends = np.flatnonzero(inside), ends[inside]
    close = times[ends] - times[starts] <= 90_000
    if not close.any() or not (values[ends[close]] != values[starts[close]]).any():
        raise HistoryError(surface.file, 0, f"no change over a day at {tenor} days")
    return values[ends[close]] / values[starts[close]] - 1.0


def volatility_history(history: History, symbol: str, seed_days: int) -> VolatilityHistory:
    """Return the best volatility that a history has for an underlying."""
    realised = realised_volatility(history.prices[symbol], seed_days)
    if symbol in history.volatilities:
        own = history.volatilities[symbol]
        return VolatilityHistory(f"implied, {own.file}", own, 1.0, realised)
    mine = history.surfaces.get(symbol)
    for other, series in history.volatilities.items():
        theirs = history.surfaces.get(other)
        if mine and theirs:
            factor = _swing(mine) / _swing(theirs)
            source = f"implied, {series.file} x {factor:.2f} (changes of the 30-day surfaces)"
            return VolatilityHistory(source, series, factor, realised)
    return VolatilityHistory(f"realised over 30 days, {realised.file}", realised, 1.0, realised)


def _swing(surface: Surface) -> float:
    return root_mean_square(daily_changes(surface, TENOR_DAYS))
