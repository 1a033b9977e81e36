"""On random books and paths every policy conserves, wrongs nobody and charges only who holds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS
from offchain.stress.book import CONTRACTS, FIRST_TRADER, Book
from offchain.stress.crowd import Dips
from offchain.stress.impact import Depth
from offchain.stress.population import Population
from offchain.stress.replay import POLICIES, Model, Outcome, Path, make_policy, replay, run_policy
from offchain.stress.second_look import maintenance_e6
from tests.support.stress import BITCOIN_E8, ETHER_E8, START

LOTS = st.integers(-100_000, 100_000)
CASH = st.integers(0, 2_000_000 * ONE_E6)
TRADER = st.tuples(LOTS, LOTS, CASH)
MOVE = st.integers(-150_000, 150_000)
MAKERS = 2


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Return traders of any size who entered at the start, one without positions, and makers."""
    traders = [*draw(st.lists(TRADER, min_size=1, max_size=8)), (0, 0, 1_000 * ONE_E6)]
    count = FIRST_TRADER + len(traders) + MAKERS
    lots, cost = np.zeros((count, 2), np.int64), np.zeros((count, 2), np.int64)
    cash = np.zeros(count, np.int64)
    cash[:2] = draw(st.integers(0, 10**12)), draw(st.integers(0, 10**12))
    for account, (bitcoin, ether, own) in enumerate(traders, start=FIRST_TRADER):
        lots[account], cash[account] = (bitcoin, ether), own
    lots[count - 1] = -lots.sum(axis=0)
    cash[count - MAKERS :] = 10**15
    for place, contract in enumerate(CONTRACTS):
        cost[:, place] = lots[:, place] * (START[place] // contract.lot_divisor)
    return Book(lots, cost, cash)


@st.composite
def paths(draw: st.DrawFn) -> Path:
    """Return walks of both prices, by up to 15 % a step."""
    prices = [BITCOIN_E8, ETHER_E8]
    path = [(SECOND_NS, (prices[0], prices[1]))]
    for moves in draw(st.lists(st.tuples(MOVE, MOVE), min_size=1, max_size=6)):
        prices = [p + p * m // ONE_E6 for p, m in zip(prices, moves, strict=True)]
        path.append((path[-1][0] + 20 * SECOND_NS, (prices[0], prices[1])))
    return path


def run(name: str, path: Path, book: Book, depth: float) -> Outcome:
    population = Population(accounts=book.count - FIRST_TRADER - MAKERS, makers=MAKERS)
    model = Model(population, Depth(share=depth), Dips(share=0.0))
    return run_policy(path, book, model, 1, make_policy(name))


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=40)
@given(books(), paths(), st.sampled_from([1e-9, 0.02, 10.0]))
def test_money_and_positions_are_conserved_and_nobody_is_wronged(
    name: str, book: Book, path: Path, depth: float
) -> None:
    bystander = book.count - MAKERS - 1
    before = int(book.cash_e6[bystander])
    outcome = run(name, path, book, depth)  # checks money and positions at every step
    assert int(book.cash_e6[bystander]) == before
    assert outcome.tally.wrongful == 0
    assert outcome.tally.overshoot_lots == 0
    tally = outcome.tally
    assert tally.deficit_e6 == tally.insured_e6 + tally.deleveraged_e6 + tally.socialised_e6
    assert outcome.fund_after_e6 >= 0
    if name == "plimsoll":
        assert tally.weakened == 0


@given(books(), paths())
def test_the_kernel_the_reference_and_the_second_look_agree(book: Book, path: Path) -> None:
    marks = path[-1][1]
    tidy = tuple(c.on_tick(m) for c, m in zip(CONTRACTS, marks, strict=True))
    balance, required = book.margins(tidy)
    for account in range(book.count):
        assert (int(balance[account]), int(required[account])) == book.margin(account, tidy)
        exact = sum(
            maintenance_e6(Fraction(n * (m // c.lot_divisor)))
            for n, m, c in zip(book.lots[account].tolist(), tidy, CONTRACTS, strict=True)
        )
        assert exact <= int(required[account]) < exact + len(CONTRACTS)


def test_the_same_seed_gives_the_same_outcome() -> None:
    model = Model(Population(accounts=60, makers=3))
    path = [(k * 20 * SECOND_NS + 1, ((50_000 - 400 * k) * ONE_E8, ETHER_E8)) for k in range(20)]
    first, second = (replay(path, model, 1, map(make_policy, POLICIES)) for _ in range(2))
    assert first == second
    assert first != replay(path, model, 2, map(make_policy, POLICIES))
