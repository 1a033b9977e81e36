"""Replay: one path of prices, one population, every policy."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from offchain.core.units import SECOND_NS
from offchain.stress.book import BACKSTOP, FIRST_TRADER, INSURANCE, Book
from offchain.stress.crowd import Crowd, Dips, plans
from offchain.stress.impact import Depth, open_markets
from offchain.stress.lab import Lab
from offchain.stress.policies import Binary, Deleveraging, LiquidationPolicy, TwentyPercent
from offchain.stress.population import Population, draw, maker_numbers
from offchain.stress.tally import Tally
from offchain.stress.waterfall import Waterfall
from offchain.stress.winners import by_profit, from_a_random_start, from_the_front

MOST_POINTS = 500
"""In a series of the report."""
ONE_PERCENT = 0.01
Indices = tuple[int, ...]
Path = Sequence[tuple[int, Indices]]
"""(time [ns], index of each contract [USD e-8]), ascending in time."""
POLICIES = ("plimsoll", "binary", "twenty_percent", "ranked_queue", "random_start", "pro_rata")


@dataclass(frozen=True, slots=True)
class Model:
    """All of what is assumed about a venue."""

    population: Population = field(default_factory=Population)
    depth: Depth = field(default_factory=Depth)
    dips: Dips = field(default_factory=Dips)


@dataclass(frozen=True, slots=True)
class Point:
    """The venue at one moment. Prices in USD e-8, amounts in USD e-6."""

    time_ns: int
    indices_e8: Indices
    marks_e8: Indices
    fund_e6: int
    liquidated_e6: int
    deleveraged_e6: int
    socialised_e6: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a venue under one policy.

    Attributes
    ----------
    lowest_premium, highest_premium : float
        Of a mark over its index, when the policy had acted.
    moved_s : int
        How long a mark was more than 1 % away from its index.
    in_debt, below : int
        Traders and makers who end with a negative balance, and below maintenance.
    backstop_e6 : int
        What the backstop won or lost.
    """

    name: str
    title: str
    tally: Tally
    interest_e6: int
    fund_before_e6: int
    fund_after_e6: int
    backstop_e6: int
    lowest_premium: float
    highest_premium: float
    moved_s: int
    halted_steps: int
    steps: int
    in_debt: int
    below: int
    points: tuple[Point, ...]


@dataclass(slots=True)
class Watch:
    """Collects points and extremes on the way."""

    keep_every: int
    points: list[Point] = field(default_factory=list)
    lowest: float = 0.0
    highest: float = 0.0
    moved_ns: int = 0
    _seen: int = 0
    _last_ns: int = 0

    def see(self, lab: Lab, *, is_last: bool) -> None:
        """Look at the venue after the policy acted."""
        premiums = [market.premium for market in lab.markets]
        self.lowest = min(self.lowest, *premiums)
        self.highest = max(self.highest, *premiums)
        if max(map(abs, premiums)) > ONE_PERCENT and self._last_ns:
            self.moved_ns += lab.time_ns - self._last_ns
        self._last_ns = lab.time_ns
        if self._seen % self.keep_every == 0 or is_last:
            self.points.append(
                Point(
                    lab.time_ns,
                    tuple(market.index_e8 for market in lab.markets),
                    lab.marks,
                    lab.fund_e6,
                    lab.tally.liquidated_e6,
                    lab.tally.deleveraged_notional_e6,
                    lab.tally.socialised_e6,
                )
            )
        self._seen += 1


def make_policy(name: str) -> LiquidationPolicy:
    """Return a fresh policy; ValueError for a name that is none of `POLICIES`."""
    policies: dict[str, LiquidationPolicy] = {
        p.name: p
        for p in (
            Waterfall(),
            Binary(),
            TwentyPercent(),
            Deleveraging("ranked_queue", "deleveraging by a ranked queue", from_the_front),
            Deleveraging(
                "random_start", "deleveraging from a random account on", from_a_random_start
            ),
            Deleveraging("pro_rata", "deleveraging pro rata", by_profit),
        )
    }
    if name not in policies:
        raise ValueError(f"no policy {name!r}; there are {', '.join(policies)}")
    return policies[name]


def replay(
    path: Path, model: Model, seed: int, policies: Iterable[LiquidationPolicy]
) -> list[Outcome]:
    """Return what every policy makes of the same crash.

    Raises
    ------
    ConservationError
        A policy lost or made money or positions.
    ValueError
        The path has fewer than two points.
    """
    if len(path) < 2:
        raise ValueError("a path has at least two points")
    book = draw(model.population, path[0][1], seed)
    return [run_policy(path, book.copy(), model, seed, policy) for policy in policies]


def run_policy(
    path: Path, book: Book, model: Model, seed: int, policy: LiquidationPolicy
) -> Outcome:
    """Return what a policy makes of a book; the book is changed."""
    interest = tuple(int(book.lots[:, i].clip(min=0).sum()) for i in range(book.lots.shape[1]))
    source = random.Random(f"policy/{seed}")  # noqa: S311 - a model, not a secret
    makers = maker_numbers(model.population)
    lab = Lab(book, open_markets(path[0][1], interest, model.depth), makers, source)
    crowd = Crowd(
        model.dips, plans(model.dips, range(FIRST_TRADER, makers[0]), seed), policy.breaker
    )
    fund = int(book.cash_e6[INSURANCE])
    watch = Watch(-(-len(path) // (MOST_POINTS - 1)))
    lab.tick(path[0][1], path[0][0])
    backstop = book.margin(BACKSTOP, lab.marks)[0]
    interest_e6 = sum(lab.value_e6(i, lots) for i, lots in enumerate(interest))
    for place, (time_ns, indices) in enumerate(path):
        lab.tick(indices, time_ns)
        crowd.act(lab)
        policy.act(lab)
        lab.book.check()
        watch.see(lab, is_last=place == len(path) - 1)
    balance, required = (column[FIRST_TRADER:] for column in book.margins(lab.marks))
    return Outcome(
        policy.name,
        policy.title,
        lab.tally,
        interest_e6,
        fund,
        int(book.cash_e6[INSURANCE]),
        book.margin(BACKSTOP, lab.marks)[0] - backstop,
        watch.lowest,
        watch.highest,
        watch.moved_ns // SECOND_NS,
        crowd.halted_steps,
        len(path),
        int((balance < 0).sum()),
        int((balance < required).sum()),
        tuple(watch.points),
    )
