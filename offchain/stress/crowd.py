"""Traders who add risk on the way down: what a circuit breaker refuses.

A stated share of the traders buys the dip once, when the index lies as far below its highest point
so far as each of them waits for. The plan is drawn before the replay and is the same for every
policy; whether the initial margin suffices is asked when it comes to it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.core.breaker import Breaker, BreakerTerms, Level, observe
from offchain.core.presets import MAJOR
from offchain.core.units import ONE_E6, TimestampNs
from offchain.stress.book import CONTRACTS
from offchain.stress.lab import Lab
from offchain.stress.winners import maintenance_of


@dataclass(frozen=True, slots=True)
class Dips:
    """Who buys the dip.

    Attributes
    ----------
    share : float
        Of the traders.
    shallow, deep : float
        How far the index must have fallen, drawn evenly between the two.
    leverage : float
        Notional bought over the margin balance of the moment.
    """

    share: float = 0.10
    shallow: float = 0.03
    deep: float = 0.20
    leverage: float = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One trader's: which contract, and how far below its peak [1e-6]."""

    fall_e6: int
    account: int
    place: int


def plans(of: Dips, traders: Sequence[int], seed: int) -> list[Plan]:
    """Return the plans, the shallowest first."""
    source = random.Random(f"dips/{seed}")  # noqa: S311 - a model, not a secret
    drawn = []
    for account in traders:
        chosen, depth = source.random() < of.share, source.uniform(of.shallow, of.deep)
        place = int(source.random() < 0.5)
        if chosen:
            drawn.append(Plan(int(depth * ONE_E6), account, place))
    return sorted(drawn, key=lambda plan: (plan.fall_e6, plan.account))


@dataclass(slots=True)
class Crowd:
    """Carries plans out, as far as a breaker lets it."""

    terms: Dips
    plans: list[Plan]
    breaker_terms: BreakerTerms | None
    _peaks_e8: list[int] = field(default_factory=list)
    _breakers: list[Breaker] = field(default_factory=list)
    halted_steps: int = 0

    def act(self, lab: Lab) -> None:
        """Let whoever waited for this fall buy, or be refused."""
        indices = [market.index_e8 for market in lab.markets]
        levels = self._levels(indices, lab.time_ns)
        peaks = self._peaks_e8 or indices
        self._peaks_e8 = [max(pair) for pair in zip(peaks, indices, strict=True)]
        self.halted_steps += any(levels)
        waiting = []
        for plan in self.plans:
            peak = self._peaks_e8[plan.place]
            if (peak - indices[plan.place]) * ONE_E6 < plan.fall_e6 * peak:
                waiting.append(plan)
            elif levels[plan.place] >= Level.REDUCE_ONLY:
                lab.tally.refused += 1
            else:
                self._buy(lab, plan)
        self.plans = waiting

    def _levels(self, indices: Sequence[int], time_ns: int) -> list[Level]:
        terms = self.breaker_terms
        if terms is None:
            return [Level.OPEN for _ in indices]
        before = self._breakers or [Breaker() for _ in indices]
        self._breakers = [
            observe(breaker, index, TimestampNs(time_ns), terms)
            for breaker, index in zip(before, indices, strict=True)
        ]
        return [breaker.level for breaker in self._breakers]

    def _buy(self, lab: Lab, plan: Plan) -> None:
        """Buy with the initial margin that it takes; a holder who is short only closes."""
        balance, _ = lab.book.margin(plan.account, lab.marks)
        if balance <= 0:
            return
        size = int(balance * self.terms.leverage)
        lots = CONTRACTS[plan.place].lots_of(size, lab.marks[plan.place])
        held = dict(lab.book.positions(plan.account))
        held[plan.place] = held.get(plan.place, 0) + lots
        required = maintenance_of(lab, list(held.items())) * MAJOR.im_multiple_e6
        if lots and balance * ONE_E6 >= required:
            lab.enter(plan.account, plan.place, lots)
