"""What has no closed form is refused, whatever stands beside it."""

import pytest

from offchain.core.units import ONE_E6
from offchain.pricing.liquidation_price import LinearAccount


@pytest.mark.parametrize("lines", [((5_000, 0), (ONE_E6, 1)), ((-1, 0), (5_000, 0))])
def test_one_rate_out_of_range_is_enough(lines: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="rates lie in"):
        LinearAccount(1, 0, 0, lines, 100_000, 10_000_000)


def test_a_tick_between_lot_values_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of the lot divisor"):
        LinearAccount(1, 0, 0, ((5_000, 0),), 100_000, 150_000)
