"""Search by halves: the change, in few questions."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.bisection import smallest


@given(st.integers(-(2**40), 2**40), st.integers(1, 2**40), st.data())
def test_the_smallest_is_found_in_few_questions(low: int, width: int, data: st.DataObject) -> None:
    change = data.draw(st.integers(low + 1, low + width))
    asked: list[int] = []

    def holds(number: int) -> bool:
        asked.append(number)
        return number >= change

    assert smallest(low, low + width, holds) == change
    assert len(asked) <= max(0, (width - 1).bit_length())
    assert low not in asked
    assert low + width not in asked


@given(st.sets(st.integers(1, 40)))
def test_where_it_changes_more_than_once_a_change_is_found(places: set[int]) -> None:
    found = smallest(0, 41, lambda number: number == 41 or number in places)
    assert found == 41 or found in places
    assert found == 1 or found - 1 not in places
