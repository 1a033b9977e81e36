"""A series in time, and its moves over a horizon: only across steps that follow each other."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from offchain.calibration.errors import HistoryError, HistoryTooShortError
from offchain.calibration.settings import DAY_S
from offchain.calibration.statistics import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """Positive values at ascending times on a grid of `step_s` seconds, with gaps.

    Attributes
    ----------
    file : str
        Where it comes from, for messages.
    times : int64[n]
        Unix seconds, strictly ascending.
    values : float64[n]
        Prices or volatilities, finite and positive.
    step_s : int
        The step of the series [s].
    """

    file: str
    times: Ints
    values: Floats
    step_s: int

    def steps(self, days: int) -> int:
        """Return the steps in some days; HistoryError when a day is no whole number of steps."""
        if DAY_S % self.step_s:
            raise HistoryError(self.file, 0, f"a day is no multiple of its step, {self.step_s} s")
        return days * DAY_S // self.step_s

    @cached_property
    def returns(self) -> Floats:
        """The simple return of each step, p1 / p0 - 1; that of a gap is meaningless."""
        return self.values[1:] / self.values[:-1] - 1.0

    @cached_property
    def follows(self) -> NDArray[np.bool_]:
        """Whether each step is one: the next time is exactly `step_s` later."""
        return np.asarray(np.diff(self.times) == self.step_s)

    def moves(self, days: int) -> tuple[Ints, Floats]:
        """Return the places where an unbroken stretch of `days` begins, and the move over it."""
        steps = self.steps(days)
        if len(self.times) <= steps:
            raise HistoryTooShortError(self.file, len(self.times), f"fewer rows than {days} days")
        unbroken = self.times[steps:] - self.times[:-steps] == days * DAY_S
        starts = np.flatnonzero(unbroken)
        return starts, self.values[starts + steps] / self.values[starts] - 1.0

    def daily(self) -> tuple[Ints, Floats]:
        """Return the days (since 1970) whose 24 hours are unbroken, and the return of each."""
        starts, moves = self.moves(1)
        midnight = self.times[starts] % DAY_S == 0
        return self.times[starts][midnight] // DAY_S, moves[midnight]

    def until(self, count: int) -> "Series":
        """Return the first `count` rows."""
        return Series(self.file, self.times[:count], self.values[:count], self.step_s)
