"""Write the golden vectors of margins from opened columns, some exactly at a trigger."""

import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

import numpy as np

from offchain.core.addons import COLUMNS, Charge
from offchain.core.collateral import CreditCurve
from offchain.core.units import ONE_E6, SCENARIOS, SLOT_BITS, SLOTS, ceil_div
from offchain.engine.events import Tier
from offchain.ledger.columns import ColumnOpening, Columns
from offchain.ledger.leaf import AccountLeaf, Position
from offchain.ledger.liquidation import is_liquidatable, witness_margin
from offchain.ledger.terms import Curves, Terms, pack_curves
from scripts.golden import Case, Files, camel, case, leaf_fields, number, owner, write

TERMS = Terms(800_000, 1_000_000, 600_000, 500_000, 500_000, 850_000, 5 * ONE_E6, 300)
PLAIN = replace(TERMS, offset_e6=0, breakdown_e6=ONE_E6)
SLOT_COUNTS = (6, 4)
LOW64, LOW32 = -(2**63), -(2**31)
ISOLATED, CROSS, PORTFOLIO = range(3)
CREDITS: tuple[CreditCurve, ...] = (
    ((150_000_000, 11_000_000_000_000), (900_000_000, 9_999_999_999_999), (10**10, 5 * 10**12)),
    ((2**40, 123_456_789),),
    ((1, 3), (2, 2), (3, 1), (2**60, 0)),
)
CURVES = pack_curves(
    [
        Curves(
            delta=((0, 0), (10_000, 10_000 * 10**9), (25_000, 47_500 * 10**9)),
            unwind=((1_000_000, 0), (2_000_000, 10_000 * ONE_E6 * ONE_E6)),
            linear=((5_000, 0), (10_000, 5_000 * 10**10), (50_000, 405_000 * 10**10)),
        ),
        Curves(delta=((3, 0),), unwind=(), linear=((333_333, 0), (2**32 - 1, 2**96 - 1))),
    ]
)


def book(name: str, *, largest: bool = False) -> Columns:
    """Return columns of arbitrary values, or of the numbers at the ends of their types."""
    values = np.zeros(2 * SLOTS, np.int64)
    losses = np.zeros((2 * SLOTS, SCENARIOS), np.int32)
    charges = np.zeros((2 * SLOTS, COLUMNS), np.int64)
    for u, slots in enumerate(SLOT_COUNTS):
        for slot in range(slots):
            row = u * SLOTS + slot
            values[row] = number(f"{name} {row}", -(10**9), 10**9)
            losses[row] = [number(f"{name} {row} {s}", -(10**8), 10**8) for s in range(SCENARIOS)]
            charges[row] = arbitrary_charges(f"{name} {row}")
            charges[row, Charge.GROUP] = slot % 3
            if largest:
                values[row], losses[row] = LOW64, 2**31 - 1
                charges[row, [Charge.DELTA, Charge.ROLL]] = LOW32
                charges[row, [Charge.LONG, Charge.SHORT, Charge.UNWIND]] = 2**32 - 1
                charges[row, Charge.GROUP] = 31
    return Columns.of_arrays(values, np.zeros_like(values), losses, charges, CREDITS, SLOT_COUNTS)


def arbitrary_charges(name: str) -> list[int]:
    """Return a row of charges of a usual size."""
    row = [0] * COLUMNS
    row[Charge.DELTA] = number(f"{name} delta", -(10**8), 10**8)
    row[Charge.ROLL] = number(f"{name} roll", -(10**6), 10**6)
    for place in (Charge.LONG, Charge.SHORT, Charge.UNWIND):
        row[place] = number(f"{name} charge {place}", 0, 10**6)
    return row


BOOK, EXTREME = book("margin"), book("extreme", largest=True)


@dataclass(frozen=True)
class Problem:
    """An account, a witness scenario for each underlying held, and whether charges are opened."""

    leaf: AccountLeaf
    scenarios: tuple[int, ...]
    columns: Columns = BOOK
    terms: Terms = TERMS
    has_charges: bool = False

    def openings(self) -> tuple[ColumnOpening, ...]:
        """Return the columns that the witness opens."""
        held = sorted({p.instrument >> SLOT_BITS for p in self.leaf.positions})
        is_portfolio = self.leaf.mode == PORTFOLIO
        pairs = zip(held, self.scenarios, strict=True)
        return tuple(
            self.columns.opening(u, s if is_portfolio else None, with_charges=self.has_charges)
            for u, s in pairs
        )

    def collateral(self) -> bytes:
        """Return the collateral column, when it is needed."""
        return self.columns.collateral if any(self.leaf.collateral_e8) else b""

    def curves(self) -> bytes:
        """Return the tier curves, when they are needed."""
        return CURVES if self.has_charges and self.leaf.positions else b""

    def margins(self) -> tuple[int, int]:
        """Return margin balance and maintenance margin."""
        opened = self.openings(), self.collateral(), self.curves()
        return witness_margin(self.leaf, *opened, self.terms)

    def with_balance(self, balance_e6: int) -> "Problem":
        """Return the same with cash such that the margin balance is this."""
        cash = self.leaf.cash_e6 + balance_e6 - self.margins()[0]
        return replace(self, leaf=replace(self.leaf, cash_e6=cash))


def leaf(
    cash_e6: int, collateral_e8: tuple[int, ...], *positions: tuple[int, int, int], mode: int = 2
) -> AccountLeaf:
    """Return a leaf."""
    held = tuple(Position(*p) for p in positions)
    return AccountLeaf(owner("margin"), 0, mode, cash_e6, collateral_e8, held)


def charged(problem: Problem) -> Problem:
    """Return the problem with its charges opened."""
    return replace(problem, has_charges=True)


def worst(problem: Problem) -> Problem:
    """Return the problem with the scenarios in which most is lost, one underlying at a time."""
    choices = []
    for place in range(len(problem.scenarios)):
        best = max(range(SCENARIOS), key=lambda s: _maintenance(problem, place, s))
        choices.append(best)
    return replace(problem, scenarios=tuple(choices))


def worst_gain(problem: Problem) -> Problem:
    """Return the problem with the scenario of the first underlying that gains most."""
    best = min(range(SCENARIOS), key=lambda s: _maintenance(problem, 0, s))
    return replace(problem, scenarios=(best, *problem.scenarios[1:]))


def _maintenance(problem: Problem, place: int, scenario: int) -> int:
    chosen = [*problem.scenarios]
    chosen[place] = scenario
    return replace(problem, scenarios=tuple(chosen)).margins()[1]


BOTH = ((1, 10, -5), (3, -40, 10**9), (256, 7, 1), (259, -9, 0))
MANY = tuple((i, 3 - 2 * i, i) for i in range(6)) + tuple((256 + i, i - 7, i) for i in range(4))


def problems() -> Iterator[tuple[str, Problem]]:
    """Name problems: plain, at the triggers, at the limits."""
    one, both = leaf(10**9, (0,), (0, 25, 7 * 10**9)), leaf(-(10**9), (12_345_678,), *BOTH)
    yield "no position", Problem(leaf(10**9, (0,)), ())
    yield "no position, one unit of debt", Problem(leaf(-1, ()), ())
    yield from collaterals()
    yield "one long, gain in the scenario", worst_gain(Problem(one, (0,)))
    yield "one long, worst scenario", worst(Problem(one, (0,)))
    yield "both underlyings, any scenario", Problem(both, (0, 35))
    yield "both underlyings, worst scenarios", worst(Problem(both, (0, 0)))
    yield "no credit for a gain", worst_gain(worst(Problem(both, (0, 0), terms=PLAIN)))
    yield "all slots held", worst(Problem(leaf(10**10, (5,), *MANY), (0, 0)))
    for s in (0, 5, 17, 35):
        yield f"one scenario {s} for both", Problem(both, (s, s))
        yield f"one scenario {s} for all slots", Problem(leaf(0, (), *MANY), (s, s))
    yield from charges_opened(one, both)
    yield from linear()
    yield from at_triggers("one", worst(Problem(one, (0,))))
    yield from at_triggers("both", charged(worst(Problem(both, (0, 0)))))
    odd = replace(TERMS, mm_factor_e6=777_777, breakdown_e6=333_333, partial_trigger_e6=1_000_001)
    yield from at_triggers("odd terms", charged(worst(Problem(both, (0, 0), terms=odd))))
    short = leaf(2**63 - 1, (2**64 - 1,) * 3, (0, LOW32, LOW64), (256, LOW32, LOW64))
    yield "largest loss of value", charged(Problem(short, (0, 35), EXTREME))
    long = leaf(LOW64, (), (0, 2**31 - 1, 2**63 - 1), (256, 2**31 - 1, 2**63 - 1))
    yield "largest scan risk", charged(Problem(long, (0, 35), EXTREME))
    yield "largest notional", charged(Problem(replace(long, mode=CROSS), (0, 0), EXTREME))


def collaterals() -> Iterator[tuple[str, Problem]]:
    """Name holdings within, between and beyond brackets."""
    yield "debt covered by collateral", Problem(leaf(-(10**6), (10**5,)), ())
    yield "collateral rounds down", Problem(leaf(0, (99_999_999,)), ())
    for amount in (149_999_999, 150_000_000, 150_000_001, 900_000_001, 10**10, 10**10 + 1):
        yield f"{amount} of an asset in three brackets", Problem(leaf(0, (amount,)), ())
    yield "three assets, each rounded", Problem(leaf(0, (7, 9_999_999, 2**60)), ())
    yield "the second asset alone", Problem(leaf(0, (0, 10**12)), ())
    yield "an asset that is not listed is not held", Problem(leaf(0, (1, 0, 0, 0)), ())


def charges_opened(one: AccountLeaf, both: AccountLeaf) -> Iterator[tuple[str, Problem]]:
    """Name portfolios whose add-ons, or whose floor, decide."""
    yield "one long, charged", charged(worst(Problem(one, (0,))))
    yield "both underlyings, charged", charged(worst(Problem(both, (0, 0))))
    yield "a gain, charged all the same", charged(worst_gain(Problem(one, (0,))))
    yield "all slots held, charged", charged(worst(Problem(leaf(0, (5,), *MANY), (0, 0))))
    for size in (10**3, 10**5, 2**24 - 1):
        large = leaf(0, (), (0, size, 0), (1, -size, 0), (4, size // 2, 0))
        yield f"{size} lots across expiries, charged", charged(worst(Problem(large, (0,))))
        one_side = leaf(0, (), (256, -size, 0), (257, -size, 0))
        yield f"{size} lots short, charged", charged(worst_gain(Problem(one_side, (0,))))


def linear() -> Iterator[tuple[str, Problem]]:
    """Name isolated and cross accounts."""
    for name, mode in (("isolated", ISOLATED), ("cross", CROSS)):
        for size in (1, 10**4, 10**6, 2**24 - 1):
            held = leaf(10**9, (10**6,), (0, -size, -5), mode=mode)
            yield f"{name}, {size} lots", charged(Problem(held, (0,)))
        yield f"{name}, charges not opened", Problem(leaf(-5, (), (0, 3, 0), mode=mode), (0,))
        yield f"{name}, no position", Problem(leaf(-5, (1,), mode=mode), ())
    every = leaf(0, (1, 2, 3), *MANY, mode=CROSS)
    yield "cross, all slots held", charged(Problem(every, (0, 0)))
    yield from at_triggers("cross", charged(Problem(every, (0, 0))))


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
    names = [camel(name) for name in Terms.__dataclass_fields__]
    for name, problem in problems():
        openings, terms = problem.openings(), problem.terms
        balance, maintenance = problem.margins()
        yield case(
            name,
            **leaf_fields(problem.leaf),
            **dict(zip(names, astuple(terms), strict=True)),
            collateral=problem.collateral(),
            curves=problem.curves(),
            openedUnderlyings=[o.underlying for o in openings],
            openedScenarios=[o.scenario for o in openings],
            openedValues=[o.values for o in openings],
            openedLosses=[o.losses for o in openings],
            openedCharges=[o.charges for o in openings],
            marginBalanceE6=balance,
            maintenanceE6=maintenance,
            isBelowPartial=is_liquidatable(Tier.PARTIAL, balance, maintenance, terms),
            isBelowFull=is_liquidatable(Tier.FULL, balance, maintenance, terms),
        )


FILES: Files = {"margin": margin}

if __name__ == "__main__":
    sys.exit(write(FILES))
