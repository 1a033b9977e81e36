"""The worked example of docs/RISK_MODEL.md, executed figure by figure."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "RISK_MODEL.md"
LEAST = 50


def test_every_figure_of_the_worked_example_is_what_the_code_says() -> None:
    outcome = doctest.testfile(str(PAGE), module_relative=False)
    assert outcome.failed == 0
    assert outcome.attempted >= LEAST
