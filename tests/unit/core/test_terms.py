"""Terms above a document: laid whole, and held to the rules again."""

from dataclasses import replace

import pytest

from offchain.core.parameters import ParameterError
from offchain.core.terms import Terms, terms, with_terms
from tests.support.venue import RULES

LAID = Terms(900_000, 1_050_000, 700_000, 400_000, 250_000, 950_000, 7_000_000, 1_234)


def test_the_terms_of_a_set_laid_above_it_change_nothing() -> None:
    assert with_terms(RULES, terms(RULES)) == RULES


def test_every_term_is_laid_and_nothing_else() -> None:
    laid = with_terms(RULES, LAID)
    assert terms(laid) == LAID
    assert with_terms(laid, terms(RULES)) == RULES


def test_a_trigger_above_target_and_call_levels_takes_them_along() -> None:
    laid = with_terms(RULES, replace(terms(RULES), partial_trigger_e6=1_200_000)).liquidation
    assert laid.target_e6 == 1_200_000
    assert laid.call_levels_e6 == (1_500_000, 1_250_000)


def test_a_call_level_at_the_trigger_falls_away() -> None:
    laid = with_terms(RULES, replace(terms(RULES), partial_trigger_e6=1_100_000)).liquidation
    assert laid.target_e6 == RULES.liquidation.target_e6
    assert laid.call_levels_e6 == (1_500_000, 1_250_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mm_factor_e6", 1_000_001),
        ("full_trigger_e6", 1_000_001),
        ("partial_cap_e6", 500_001),
        ("offset_e6", 1_000_001),
        ("breakdown_e6", 0),
        ("keeper_fee_e6", 1 << 32),
        ("offset_cap_usd", 1 << 32),
    ],
)
def test_terms_that_break_a_rule_are_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError):
        with_terms(RULES, replace(terms(RULES), **{name: value}))
