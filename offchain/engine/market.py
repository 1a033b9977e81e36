"""Prices in force: the last accepted report and everything computed from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from offchain.core.breaker import Breaker
from offchain.core.collateral import CreditCurve, HaircutState, credit_curve, first_haircut
from offchain.core.oracle import NO_STANDING, Standing
from offchain.core.parameters import RiskParameters
from offchain.core.units import ONE_E6, ROWS, InstrumentId, RatioE6, TimestampNs
from offchain.pricing.charge_table import charge_table
from offchain.pricing.historical import history_losses
from offchain.pricing.risk_array import RiskArrays, price_book


@dataclass(frozen=True, slots=True)
class PendingReport:
    """A report outside the band that waits for a second one."""

    round: int
    observed_at_ns: TimestampNs
    medians: tuple[int, ...]
    standing: Standing = NO_STANDING


NEVER = TimestampNs(0)


def _no_funding() -> NDArray[np.int64]:
    return np.zeros(ROWS, np.int64)


@dataclass(slots=True)
class Market:
    """The market at one epoch. `epoch` counts every change of values, from 1.

    Attributes
    ----------
    arrays, charges, history, curves
        Follow from the rest by `derive`: risk arrays, charges per lot, losses in historical moves
        (None without a shortfall model), and the credit of each collateral. None or empty before
        the first report.
    funding_rates_e8 : tuple of int
        For each underlying, the rate of its perpetual at the last funding tick.
    confidences_e6 : tuple of RatioE6
        For each underlying, how far the observers of its index and forwards agreed.
    haircuts : tuple of HaircutState
        For each volatile collateral.
    standing : Standing
        Of the report in force: whether somebody may be liquidated by it (L-5).
    breakers : tuple of Breaker
        For each underlying, as the report in force left it.
    """

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
    charges: NDArray[np.int64] | None = None
    history: NDArray[np.int32] | None = None
    funding_rates_e8: tuple[int, ...] = ()
    confidences_e6: tuple[RatioE6, ...] = ()
    haircuts: tuple[HaircutState, ...] = ()
    curves: tuple[CreditCurve, ...] = ()
    standing: Standing = NO_STANDING
    breakers: tuple[Breaker, ...] = ()

    def begin(self, rules: RiskParameters) -> None:
        """Set what is known before the first report: no funding, no doubt, capped haircuts."""
        count = len(rules.listing.underlyings)
        self.funding_rates_e8 = (0,) * count
        self.confidences_e6 = (RatioE6(ONE_E6),) * count
        self.haircuts = tuple(first_haircut(c) for c in rules.collateral)
        self.breakers = (Breaker(),) * count

    def derive(self, rules: RiskParameters) -> None:
        """Compute arrays, charges and curves from the report in force, as after a restart."""
        self.arrays = price_book(rules, self.medians, self.observed_at_ns)
        self.charges = charge_table(
            rules,
            self.medians,
            self.observed_at_ns,
            self.arrays,
            self.funding_rates_e8,
            self.confidences_e6,
        )
        self.history = history_losses(rules, self.medians, self.observed_at_ns)
        self.curves = credit_curves(rules, self.medians, self.haircuts)

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

    @property
    def charges_in_force(self) -> NDArray[np.int64]:
        """The charges per lot; only asked for once a report was accepted."""
        assert self.charges is not None, "no prices yet"
        return self.charges

    def net_lot_values(self) -> NDArray[np.int64]:
        """Return the value of one long lot of every row, net of funding. [USD e-6]"""
        return self.prices.lot_values_e6 - self.funding_e6


def credit_curves(
    rules: RiskParameters, medians: Sequence[int], haircuts: Sequence[HaircutState]
) -> tuple[CreditCurve, ...]:
    """Return what a unit of each volatile collateral counts for, bracket by bracket. [USD e-8]"""
    return tuple(
        credit_curve(medians[c.underlying], haircut.haircut_e6, c)
        for c, haircut in zip(rules.collateral, haircuts, strict=True)
    )
