"""Every number that a venue or a book has published comes out of the presets.

The cases and their sources are in published.json; numbers are facts, inputs were restated in our
schema. `scripts/conformance.py` runs the same cases.
"""

import pytest

from tests.support.published import Case, answer, miss, published_cases, read_at

CASES = published_cases()


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_a_preset_reproduces_the_published_numbers(case: Case) -> None:
    found = answer(case)
    misses = [text for check in case.checks if (text := miss(case, found, check)) is not None]
    assert not misses, "\n".join(misses)


def test_every_case_names_its_source_and_is_named_once() -> None:
    assert all(case.source and case.checks for case in CASES)
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "at",
    ["nope", "lines.nope", "scenarios.1 none", "scenarios.nope.pnl", "options.7.price", "options"],
)
def test_a_place_that_an_answer_does_not_have_is_named(at: str) -> None:
    found = answer(CASES[0])
    with pytest.raises(LookupError, match=f"the answer has no {at}"):
        read_at(found, at)
