"""Prices in force: the last accepted report and everything computed from it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from offchain.core.units import ROWS, InstrumentId, TimestampNs
from offchain.pricing.risk_array import RiskArrays


@dataclass(frozen=True, slots=True)
class PendingReport:
    """A report outside the band that waits for a second one."""

    round: int
    observed_at_ns: TimestampNs
    medians: tuple[int, ...]


NEVER = TimestampNs(0)


def _no_funding() -> NDArray[np.int64]:
    return np.zeros(ROWS, np.int64)


@dataclass(slots=True)
class Market:
    """The market at one epoch. `epoch` counts every change of values, from 1."""

    round: int = 0
    observed_at_ns: TimestampNs = NEVER
    medians: tuple[int, ...] = ()
    pending: PendingReport | None = None
    arrays: RiskArrays | None = None
    funding_e6: NDArray[np.int64] = field(default_factory=_no_funding)
    funding_time_ns: TimestampNs = NEVER
    epoch: int = 0
    epoch_seq: int = 0
    epoch_time_ns: TimestampNs = NEVER
    settled: set[InstrumentId] = field(default_factory=set)

    @property
    def prices(self) -> RiskArrays:
        """The arrays in force; only asked for once a report was accepted."""
        assert self.arrays is not None, "no prices yet"
        return self.arrays

    @property
    def last_round(self) -> int:
        """The highest round seen, accepted or pending."""
        return max(self.round, self.pending.round if self.pending else 0)

    @property
    def last_observed_at_ns(self) -> int:
        """The latest observation time seen, accepted or pending."""
        pending = self.pending.observed_at_ns if self.pending else 0
        return max(self.observed_at_ns, pending)

    def net_lot_values(self) -> NDArray[np.int64]:
        """Return the value of one long lot of every row, net of funding. [USD e-6]"""
        return self.prices.lot_values_e6 - self.funding_e6
