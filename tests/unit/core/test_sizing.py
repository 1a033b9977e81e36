"""The smallest partial step: on a model whose margin is written out here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.margin import partial_lots
from offchain.core.sizing import Account, is_restored, smallest_step
from offchain.core.units import ONE_E6
from tests.support.venue import RULES

TERMS = RULES.liquidation
Losses = tuple[tuple[int, ...], ...]


@dataclass
class Book:
    """Positions whose MM is the worst of a few scenarios; closing them costs no balance."""

    lots: tuple[int, ...]
    losses: Losses  # by scenario, of one long lot
    balance_e6: int
    fees: tuple[int, ...]
    asked: int = field(default=0)

    def margin(self, closed: Mapping[int, int]) -> tuple[int, int]:
        self.asked += 1
        left = [
            held - closed.get(i, 0) if held > 0 else held + closed.get(i, 0)
            for i, held in enumerate(self.lots)
        ]
        worst = max(sum(n * x for n, x in zip(left, row, strict=True)) for row in self.losses)
        return self.balance_e6, max(0, worst)

    def account(self) -> Account:
        positions = [(i, lots) for i, lots in enumerate(self.lots) if lots]
        return Account(positions, self.margin, lambda i, lots: self.fees[i] * lots)

    def cap(self, instrument: int) -> int:
        return partial_lots(self.lots[instrument], TERMS.partial_cap_e6, ONE_E6)


def step_of(book: Book) -> dict[int, int]:
    step = smallest_step(book.account(), TERMS)
    assert [i for i, _ in step] == sorted(i for i, _ in step)
    for instrument, change in step:
        assert (change < 0) == (book.lots[instrument] > 0)
        assert 0 < abs(change) <= book.cap(instrument)
    return {i: abs(change) for i, change in step}


def test_the_leg_that_releases_most_for_its_cost_goes_first() -> None:
    risky = ((10, 10), (-10, -10))
    cheap_second = Book((100, 100), risky, 1_750, (5, 4))
    assert set(step_of(cheap_second)) == {1}
    assert set(step_of(replace(cheap_second, fees=(4, 5)))) == {0}


def test_a_leg_that_costs_nothing_is_no_division_by_zero() -> None:
    assert set(step_of(Book((100, 100), ((10, 10),), 1_750, (0, 1)))) == {0}


def test_a_second_leg_follows_when_the_cap_of_the_first_is_not_enough() -> None:
    book = Book((100, 100), ((10, 10),), 1_400, (1, 2))
    assert step_of(book) == {0: 50, 1: 29}  # 2000 - 790 = 1210 x 1.15 <= 1400 < 1220 x 1.15


def test_a_hedge_is_left_alone() -> None:
    assert set(step_of(Book((100, -60), ((10, 10), (-10, -10)), 200, (1, 1)))) == {0}


def test_the_same_share_of_everything_is_closed_when_no_leg_alone_releases_anything() -> None:
    book = Book((100, 100), ((10, -9), (-9, 10)), 100, (1, 1))
    closed = step_of(book)
    assert closed[0] == closed[1]
    assert is_restored(book.margin(closed), TERMS) or closed[0] == book.cap(0)


def test_equal_legs_are_taken_in_order() -> None:
    assert set(step_of(Book((100, 100, 100), ((10, 10, 10),), 2_900, (1, 1, 1)))) == {0}


@st.composite
def books(draw: st.DrawFn) -> Book:
    count = draw(st.integers(1, 5))
    lots = tuple(draw(st.integers(-60, 60).filter(bool)) for _ in range(count))
    row = st.tuples(*[st.integers(-9, 9)] * count)
    losses = tuple(draw(st.lists(row, min_size=1, max_size=4)))
    fees = tuple(draw(st.integers(0, 5)) for _ in range(count))
    book = Book(lots, losses, 0, fees)
    return replace(book, balance_e6=draw(st.integers(0, book.margin({})[1])))


@given(books())
def test_a_step_is_minimal_bounded_and_never_raises_what_is_required(book: Book) -> None:  # E-11
    required = book.margin({})[1]
    if required == 0:
        return
    book.asked = 0
    closed = step_of(book)
    count = len(book.lots)
    assert book.asked <= count * (count + 1) // 2 + 217 * count + 64
    balance, after = book.margin(closed)
    assert after <= required
    if not is_restored((balance, after), TERMS) or after == required:
        return
    if len(set(closed)) == count > 1:
        return  # it may be a share of everything
    for instrument, lots in closed.items():
        assert not is_restored(book.margin(closed | {instrument: lots - 1}), TERMS)
