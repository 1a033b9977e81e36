"""Strikes follow the opening price in round steps."""

import pytest

from offchain.app.devnet import (
    BTC_LADDER,
    BTC_STEP_E6,
    ETH_LADDER,
    ETH_STEP_E6,
    PricesTooLow,
    strikes,
)
from offchain.core.units import ONE_E8


@pytest.mark.parametrize(
    ("usd", "expected"),
    [
        (121_662, (100_000, 105_000, 110_000, 115_000, 120_000, 125_000, 130_000)),
        (30_400, (26_000, 27_000, 28_000, 29_000, 30_000, 31_000, 32_000)),
        (7_930, (7_200, 7_400, 7_600, 7_800, 8_000, 8_200, 8_400)),
        (104, (85, 90, 95, 100, 105, 110, 115)),
    ],
)
def test_bitcoin_strikes_are_round_and_lie_around_the_price(
    usd: int, expected: tuple[int, ...]
) -> None:
    found = strikes(usd * ONE_E8, BTC_LADDER, BTC_STEP_E6)
    assert found == expected
    step = found[1] - found[0]
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert step * 1_000_000 <= usd * BTC_STEP_E6
    assert abs(found[4] - usd) * 2 <= step


def test_ether_strikes_lie_around_the_price() -> None:
    assert strikes(4_195 * ONE_E8, ETH_LADDER, ETH_STEP_E6) == (3_000, 3_500, 4_000, 4_500, 5_000)
    assert strikes(273 * ONE_E8, ETH_LADDER, ETH_STEP_E6) == (240, 260, 280, 300, 320)


@pytest.mark.parametrize("price_e8", [1, ONE_E8, 19 * ONE_E8])
def test_a_price_without_strikes_in_whole_dollars_is_refused(price_e8: int) -> None:
    with pytest.raises(PricesTooLow, match="whole dollars"):
        strikes(price_e8, BTC_LADDER, BTC_STEP_E6)
