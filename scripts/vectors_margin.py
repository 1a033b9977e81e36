"""Write the golden vectors of margin in witness scenarios, some exactly at a trigger."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from offchain.core.units import ONE_E6, SCENARIOS, SLOT_BITS, SLOTS, ceil_div
from offchain.engine.events import Tier
from offchain.ledger.columns import ColumnOpening, Columns
from offchain.ledger.leaf import AccountLeaf, Position
from offchain.ledger.liquidation import is_liquidatable, witness_margin
from offchain.ledger.terms import Terms
from scripts.golden import Case, Files, case, leaf_fields, number, owner, write

TERMS = Terms(800_000, 1_000_000, 600_000, 500_000, 100_000, 0, 5 * ONE_E6)
SLOT_COUNTS = (6, 4)
INDEX_E8 = 12_345_678_912_345
LOW64, LOW32 = -(2**63), -(2**31)


def book(name: str, *, largest: bool = False) -> Columns:
    """Return columns of arbitrary values, or of the numbers at the ends of their types."""
    values = np.zeros(2 * SLOTS, np.int64)
    losses = np.zeros((2 * SLOTS, SCENARIOS), np.int32)
    for u, slots in enumerate(SLOT_COUNTS):
        for slot in range(slots):
            row = u * SLOTS + slot
            values[row] = number(f"{name} {row}", -(10**9), 10**9)
            losses[row] = [number(f"{name} {row} {s}", -(10**8), 10**8) for s in range(SCENARIOS)]
            if largest:
                values[row], losses[row] = LOW64, 2**31 - 1
    return Columns.of_arrays(values, losses, SLOT_COUNTS)


BOOK, EXTREME = book("margin"), book("extreme", largest=True)


@dataclass(frozen=True)
class Problem:
    """An account with a witness scenario for each underlying held."""

    leaf: AccountLeaf
    scenarios: tuple[int, ...]
    columns: Columns = BOOK
    terms: Terms = TERMS
    index_e8: int = INDEX_E8

    def openings(self) -> tuple[ColumnOpening, ...]:
        """Return the columns that the witness opens."""
        held = sorted({p.instrument >> SLOT_BITS for p in self.leaf.positions})
        pairs = zip(held, self.scenarios, strict=True)
        return tuple(self.columns.opening(u, s) for u, s in pairs)

    def margins(self) -> tuple[int, int]:
        """Return margin balance and maintenance margin."""
        return witness_margin(self.leaf, self.openings(), self.index_e8, self.terms)

    def with_balance(self, balance_e6: int) -> "Problem":
        """Return the same with cash such that the margin balance is this."""
        cash = self.leaf.cash_e6 + balance_e6 - self.margins()[0]
        return replace(self, leaf=replace(self.leaf, cash_e6=cash))


def leaf(cash_e6: int, collateral_e8: int, *positions: tuple[int, int, int]) -> AccountLeaf:
    """Return a leaf with one collateral asset."""
    held = tuple(Position(*p) for p in positions)
    return AccountLeaf(owner("margin"), 0, 2, cash_e6, (collateral_e8,), held)


def worst(problem: Problem) -> Problem:
    """Return the problem with the scenarios in which most is lost."""
    choices = []
    for place in range(len(problem.scenarios)):
        best = max(range(SCENARIOS), key=lambda s: _maintenance(problem, place, s))
        choices.append(best)
    return replace(problem, scenarios=tuple(choices))


def _maintenance(problem: Problem, place: int, scenario: int) -> int:
    chosen = [*problem.scenarios]
    chosen[place] = scenario
    return replace(problem, scenarios=tuple(chosen)).margins()[1]


def problems() -> Iterator[tuple[str, Problem]]:
    """Name problems: plain, at the triggers, at the limits."""
    none, one = leaf(10**9, 0), leaf(10**9, 0, (0, 25, 7 * 10**9))
    both = leaf(-(10**9), 12_345_678, (1, 10, -5), (3, -40, 10**9), (256, 7, 1), (259, -9, 0))
    many = tuple((i, 3 - 2 * i, i) for i in range(6)) + tuple((256 + i, i - 7, i) for i in range(4))
    yield "no position", Problem(none, ())
    yield "no position, one unit of debt", Problem(leaf(-1, 0), ())
    yield "debt covered by collateral", Problem(leaf(-(10**6), 10**5), ())
    yield "collateral rounds down twice", Problem(leaf(0, 99_999_999), (), index_e8=INDEX_E8 + 1)
    yield "one long, gain in the scenario", worst_gain(Problem(one, (0,)))
    yield "one long, worst scenario", worst(Problem(one, (0,)))
    yield "both underlyings, any scenario", Problem(both, (0, 35))
    yield "both underlyings, worst scenarios", worst(Problem(both, (0, 0)))
    yield "gain in one underlying does not help", worst_gain(worst(Problem(both, (0, 0))))
    yield "all slots held", worst(Problem(leaf(10**10, 5, *many), (0, 0)))
    yield from at_triggers("one", worst(Problem(one, (0,))))
    yield from at_triggers("both", worst(Problem(both, (0, 0))))
    odd = replace(TERMS, mm_factor_e6=777_777, haircut_e6=333_333, partial_trigger_e6=1_000_001)
    yield from at_triggers("odd terms", worst(Problem(both, (0, 0), terms=odd)))
    short = leaf(2**63 - 1, 2**40 - 1, (0, LOW32, LOW64), (256, LOW32, LOW64))
    yield "largest loss of value", Problem(short, (0, 35), EXTREME, index_e8=2**46 - 1)
    long = leaf(LOW64, 0, (0, 2**31 - 1, 2**63 - 1), (256, 2**31 - 1, 2**63 - 1))
    yield "largest scan risk", Problem(long, (0, 35), EXTREME)


def worst_gain(problem: Problem) -> Problem:
    """Return the problem with the scenario of the first underlying that gains most."""
    best = min(range(SCENARIOS), key=lambda s: _maintenance(problem, 0, s))
    return replace(problem, scenarios=(best, *problem.scenarios[1:]))


def at_triggers(name: str, problem: Problem) -> Iterator[tuple[str, Problem]]:
    """Name balances just below, at and just above both triggers."""
    due = problem.margins()[1]
    for tier, trigger in (
        ("partial", problem.terms.partial_trigger_e6),
        ("full", problem.terms.full_trigger_e6),
    ):
        exact = ceil_div(trigger * due, ONE_E6)  # the least balance that is not below
        for offset in (-1, 0, 1):
            label = f"{name}: {offset:+d} from the {tier} trigger"
            yield label, problem.with_balance(exact + offset)
    for offset in (-1, 0):
        yield f"{name}: balance of {offset}", problem.with_balance(offset)


def margin() -> Iterator[Case]:
    """Yield every problem with its answer."""
    for name, problem in problems():
        openings, terms = problem.openings(), problem.terms
        balance, maintenance = problem.margins()
        yield case(
            name,
            **leaf_fields(problem.leaf),
            mmFactorE6=terms.mm_factor_e6,
            partialTriggerE6=terms.partial_trigger_e6,
            fullTriggerE6=terms.full_trigger_e6,
            partialCapE6=terms.partial_cap_e6,
            haircutE6=terms.haircut_e6,
            collateralFeed=terms.collateral_feed,
            keeperFeeE6=terms.keeper_fee_e6,
            indexPriceE8=problem.index_e8,
            openedUnderlyings=[o.underlying for o in openings],
            openedScenarios=[o.scenario for o in openings],
            openedValues=[o.values for o in openings],
            openedLosses=[o.losses for o in openings],
            marginBalanceE6=balance,
            maintenanceE6=maintenance,
            isBelowPartial=is_liquidatable(Tier.PARTIAL, balance, maintenance, terms),
            isBelowFull=is_liquidatable(Tier.FULL, balance, maintenance, terms),
        )


FILES: Files = {"margin": margin}

if __name__ == "__main__":
    sys.exit(write(FILES))
