"""The size of a partial step: the smallest share that does it, and never more than the cap."""

import pytest

from offchain.core.liquidation import smallest_share
from offchain.core.margin import is_valid_risk_change
from tests.support.venue import RULES

CAP = 32  # half of 64


@pytest.mark.parametrize("enough", [1, 2, 3, CAP - 2, CAP - 1, CAP])
def test_the_smallest_share_that_restores_the_target_is_taken(enough: int) -> None:
    assert smallest_share(lambda share: share >= enough, RULES.liquidation) == enough


def test_the_cap_is_taken_when_nothing_restores_the_target() -> None:
    asked: list[int] = []

    def never(share: int) -> bool:
        asked.append(share)
        return False

    assert smallest_share(never, RULES.liquidation) == CAP
    assert asked == list(range(1, CAP))


@pytest.mark.parametrize(
    ("before", "after", "is_valid"),
    [
        ((100, 0), (99, 0), True),  # met before and after
        ((100, 0), (-1, 0), False),  # nothing was required, and now there is debt
        ((-5, 0), (-6, 0), False),
        ((-5, 0), (-5, 0), True),
        ((90, 100), (45, 50), True),  # the ratio stays
        ((90, 100), (44, 50), False),
        ((90, 100), (95, 101), False),  # more is required of an account that is below
        ((90, 100), (101, 101), True),
        ((-10, 100), (-10, 100), True),
        ((-10, 100), (-11, 100), False),
    ],
)
def test_a_change_of_risk_is_valid_when_it_meets_the_requirement_or_keeps_the_ratio(  # INV-7
    before: tuple[int, int], after: tuple[int, int], is_valid: bool
) -> None:
    assert is_valid_risk_change(*before, *after) is is_valid
