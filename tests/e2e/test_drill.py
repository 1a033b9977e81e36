"""A killed operator, a frozen venue, and everybody leaves: `make drill` in small."""

from pathlib import Path

import pytest

from scripts.drill import dooms
from tests.support.evacuation import evacuate

DEATHS = ("committed", "finalising")
ORDERS = 3


@pytest.mark.parametrize("death", DEATHS)
def test_everybody_leaves_in_any_order_with_what_the_protocol_says(
    death: str, tmp_path: Path
) -> None:
    (doom,) = (doom for doom in dooms(20) if doom.death == death)
    outcome = evacuate(tmp_path, doom, ORDERS)
    assert outcome.deviations == []
    assert outcome.death == death
    assert outcome.orders == ORDERS
    assert outcome.accounts > 6
    assert (outcome.debt_e6 == 0) == doom.is_solvent
    assert (outcome.ratio_e6 >= 999_990) == doom.is_solvent


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(100, 104))
def test_everybody_leaves_wherever_the_operator_dies(seed: int, tmp_path: Path) -> None:
    for place, doom in enumerate(dooms(seed)):
        outcome = evacuate(tmp_path / str(place), doom, orders=10)
        assert outcome.deviations == [], doom
