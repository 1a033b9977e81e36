"""Deleveraging clusters of 10 October 2025: how much more than the deficit was closed?

A cluster is the deleveraging of one coin in one moment: a deficit and the winners who could close
it. The rule of the project closes it to the lot; the reference is what the production queue took
beyond it, as reported for the real clusters (MIT, pluriholonomic/autodeleveraging-analysis), or a
modelled queue that closes whole positions in rank order.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.core.deleverage import Candidate, Policy, proportional, rank, shares
from offchain.core.units import ONE_E6, AccountId, Lots, UsdE6

LOT_USD = 1
"""Size of a lot in these comparisons. [USD]"""
ACCOUNTS, FILLS, CLUSTERS = 19_337, 34_983, 1_125
"""What was deleveraged within twelve minutes (arXiv 2602.15182)."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A deficit, what winners could close, and what the queue took beyond the deficit. [USD]

    `overshoot_usd` is negative where nothing was reported.
    """

    coin: str
    deficit_usd: float
    capacity_usd: float
    overshoot_usd: float = -1.0


@dataclass(frozen=True, slots=True)
class WinnerSample:
    """A winner to draw from: size [USD] and open profit in per cent of it."""

    notional_usd: float
    profit_percent: float


@dataclass(slots=True)
class Comparison:
    """Both rules on the same deficits. Amounts in USD, overshoot in lots where it says so."""

    clusters: int = 0
    without_deficit: int = 0
    deficit_usd: float = 0.0
    closed_usd: float = 0.0
    unclosed_usd: float = 0.0
    fills: int = 0
    accounts: set[int] = field(default_factory=set)
    overshoot_usd: float = 0.0
    overshoot_lots_max: int = 0
    whole_positions_usd: float = 0.0
    reported_usd: float = 0.0
    reported_everywhere_usd: float = 0.0

    @property
    def ratio(self) -> float:
        """Our overshoot over the queue's: the reported one, or the modelled where none is."""
        reference = self.reported_usd or self.whole_positions_usd
        return self.overshoot_usd / reference if reference else 0.0


def twin(seed: int, count: int = CLUSTERS) -> list[Cluster]:
    """Return clusters of the same shape: log-normal capacities, and of each a share as deficit.

    The median capacity is 250,000 USD with sigma 2.2 (the real total is 2.9 billion USD in 1,125
    clusters); the share is uniform between 1 % and 90 %.
    """
    source = random.Random(f"clusters/{seed}")  # noqa: S311 - a model, not a secret
    found = []
    for number in range(count):
        capacity = min(max(source.lognormvariate(math.log(250_000), 2.2), 5_000.0), 2e8)
        found.append(Cluster(f"C{number}", capacity * source.uniform(0.01, 0.9), capacity))
    return found


def twin_winners(seed: int, count: int = ACCOUNTS) -> list[WinnerSample]:
    """Return winners like the real ones: sizes log-normal around 500 USD, sigma 2.6."""
    source = random.Random(f"winners/{seed}")  # noqa: S311 - a model, not a secret
    return [
        WinnerSample(source.lognormvariate(math.log(500), 2.6), source.uniform(1, 60))
        for _ in range(count)
    ]


def compare(
    clusters: Sequence[Cluster], winners: Sequence[WinnerSample], seed: int, fills: int = FILLS
) -> Comparison:
    """Return what both rules close beyond the deficits.

    Parameters
    ----------
    fills : int
        Winners asked, over all clusters: shared out by the square root of capacity, one at least.
    """
    found = Comparison()
    for cluster, asked in drawn(clusters, winners, seed, fills):
        found.clusters += 1
        found.reported_everywhere_usd += max(0.0, cluster.overshoot_usd)
        if cluster.deficit_usd <= 0:
            found.without_deficit += 1
            continue
        _close(found, cluster, asked)
    return found


def drawn(
    clusters: Sequence[Cluster], winners: Sequence[WinnerSample], seed: int, fills: int
) -> list[tuple[Cluster, list[Candidate]]]:
    """Return each cluster with its winners, whose capacities add up to the cluster's."""
    source = random.Random(f"drawn/{seed}")  # noqa: S311 - a model, not a secret
    roots = [math.sqrt(max(1.0, c.capacity_usd)) for c in clusters]
    total = sum(roots)
    result = []
    for cluster, root in zip(clusters, roots, strict=True):
        count = min(len(winners), max(1, round(fills * root / total)))
        chosen = sorted(source.sample(range(len(winners)), count))
        result.append((cluster, _candidates(cluster, chosen, winners)))
    return result


def _candidates(
    cluster: Cluster, chosen: Sequence[int], winners: Sequence[WinnerSample]
) -> list[Candidate]:
    capacity = int(cluster.capacity_usd) // LOT_USD
    rows = [(a, capacity, max(1, int(winners[a].notional_usd))) for a in chosen]
    lots = proportional(capacity, rows)
    return [
        Candidate(
            AccountId(a),
            Lots(lots.get(a, 0)),
            UsdE6(int(lots.get(a, 0) * LOT_USD * ONE_E6 * winners[a].profit_percent / 100)),
            UsdE6(lots.get(a, 0) * LOT_USD * ONE_E6),
            UsdE6(max(1, lots.get(a, 0) * LOT_USD * ONE_E6)),
            UsdE6(max(1, lots.get(a, 0) * LOT_USD * ONE_E6)),
        )
        for a in chosen
    ]


def _close(found: Comparison, cluster: Cluster, asked: Sequence[Candidate]) -> None:
    deficit_lots = math.ceil(cluster.deficit_usd / LOT_USD)
    closed = shares(deficit_lots, asked, Policy.PRO_RATA)
    lots = sum(share.lots for share in closed)
    found.deficit_usd += cluster.deficit_usd
    found.closed_usd += lots * LOT_USD
    found.unclosed_usd += max(0.0, cluster.deficit_usd - lots * LOT_USD)
    found.fills += len(closed)
    found.accounts.update(share.account for share in closed)
    found.overshoot_usd += max(0.0, lots * LOT_USD - cluster.deficit_usd)
    found.overshoot_lots_max = max(found.overshoot_lots_max, lots - deficit_lots)
    found.whole_positions_usd += max(
        0.0, whole_positions(deficit_lots, asked) * LOT_USD - cluster.deficit_usd
    )
    found.reported_usd += max(0.0, cluster.overshoot_usd)


def whole_positions(deficit_lots: int, asked: Sequence[Candidate]) -> int:
    """Return the lots that a queue closes which takes whole positions from the front."""
    closed = 0
    for candidate in rank(asked):
        if closed >= deficit_lots:
            break
        closed += candidate.lots
    return closed
