"""What no longer fits 32 bits is refused, by place and kind; the largest that fits is kept."""

import numpy as np
import pytest

from offchain.core.units import ONE_E6, ROWS, SCENARIOS
from offchain.pricing.historical import fill_linear_history
from offchain.pricing.normal_table import PROBABILITY_ONE
from offchain.pricing.risk_fill import fill_linear, fill_marks
from offchain.pricing.risk_kernel import (
    IN_RANGE,
    KINDS_OF_FAULT,
    MARKET_COLUMNS,
    OF_DELTA,
    OF_LOSS,
    OF_VEGA,
    PRICE,
    REMAINS,
    fill_leg,
    shocked_price,
    weighted_loss,
)

LARGEST = 2**31 - 1
DIVISOR = 100
ROW, PLACE = 7, 3
NOW = SCENARIOS
POINT = SCENARIOS + 1


def market(price: int, remains: int = 1) -> np.ndarray:
    row = np.zeros(MARKET_COLUMNS, np.int64)
    row[PRICE], row[REMAINS] = price, remains
    return row


def grid(weight: int = ONE_E6, move: int = 0) -> np.ndarray:
    return np.tile(np.array([move, 0, 1, weight], np.int64), (SCENARIOS, 1))


def leg(
    *,
    is_call: bool = True,
    price: int = 0,
    now: int = 0,
    point: int | None = None,
    falls: int = 0,
    delta: int = 0,
    remains: int = 1,
    shocked: int | None = None,
) -> tuple[int, int, int, int]:
    """Return the answer of the kernel, and the last loss, the delta and the vega that it wrote."""
    calls = np.full(SCENARIOS + 2, now, np.int64)
    calls[SCENARIOS - 1] = now - falls
    calls[POINT] = now if point is None else point
    prices = np.full(SCENARIOS, price if shocked is None else shocked, np.int64)
    losses = np.zeros((ROWS, SCENARIOS), np.int32)
    greeks = np.zeros((2, ROWS), np.int32)
    found = fill_leg(
        ROW, is_call, market(price, remains), prices, grid(), calls, delta, DIVISOR, losses, greeks
    )
    return found, int(losses[ROW, -1]), int(greeks[0, ROW]), int(greeks[1, ROW])


@pytest.mark.parametrize("sign", [1, -1])
def test_an_option_may_lose_and_gain_up_to_31_bits(sign: int) -> None:
    edge = sign * LARGEST * DIVISOR
    assert leg(falls=edge) == (IN_RANGE, sign * LARGEST, 0, 0)
    assert leg(falls=edge + sign * DIVISOR)[0] == OF_LOSS


@pytest.mark.parametrize("sign", [1, -1])
def test_a_vega_may_have_31_bits(sign: int) -> None:
    edge = sign * LARGEST * DIVISOR
    assert leg(point=edge) == (IN_RANGE, 0, 0, sign * LARGEST)
    assert leg(point=edge + sign * DIVISOR)[0] == OF_VEGA


def test_a_cash_delta_may_have_31_bits() -> None:
    edge = LARGEST * DIVISOR
    whole = PROBABILITY_ONE
    assert leg(price=edge, delta=whole) == (IN_RANGE, 0, LARGEST, 0)
    assert leg(price=edge + DIVISOR, delta=whole)[0] == OF_DELTA
    # A put has one less: from none of a call, all of a short.
    assert leg(is_call=False, price=edge, delta=0) == (IN_RANGE, 0, -LARGEST, 0)
    assert leg(is_call=False, price=edge + DIVISOR, delta=0)[0] == OF_DELTA
    assert leg(is_call=False, price=edge, delta=whole) == (IN_RANGE, 0, 0, 0)


def test_what_has_expired_has_no_greeks_and_so_no_fault_of_them() -> None:
    price = 2 * LARGEST * DIVISOR
    found = leg(price=price, delta=PROBABILITY_ONE, point=price, remains=0)
    assert found == (IN_RANGE, 0, 0, 0)


def test_a_put_falls_by_what_its_call_falls_less_the_fall_of_the_forward() -> None:
    assert leg(is_call=False, price=1_000, shocked=700, falls=500)[1] == 2  # (500 - 300) / 100
    assert leg(is_call=False, price=1_000, shocked=1_250, falls=-100)[1] == 2
    assert leg(is_call=True, price=1_000, shocked=700, falls=500)[1] == 5


def linear(price: int, shocked: int, divisor: int = DIVISOR, remains: int = 1) -> tuple[int, ...]:
    losses = np.zeros((ROWS, SCENARIOS), np.int32)
    greeks = np.zeros((2, ROWS), np.int32)
    values = np.zeros(PLACE + 1, np.int64)
    found = fill_linear(
        np.array([[PLACE, ROW, 0]], np.int64),
        market(price, remains)[None, :],
        np.full((1, SCENARIOS), shocked, np.int64),
        np.zeros(1, np.int64),
        grid()[None, :, :],
        np.full(PLACE + 1, divisor, np.int64),
        values,
        losses,
        greeks,
    )
    return found, int(losses[ROW, -1]), int(greeks[0, ROW]), int(values[PLACE])


def test_a_future_may_lose_and_gain_up_to_31_bits() -> None:
    edge = LARGEST * DIVISOR
    assert linear(edge, 0) == (IN_RANGE, LARGEST, LARGEST, edge)
    assert linear(0, edge) == (IN_RANGE, -LARGEST, 0, 0)
    fault = PLACE * KINDS_OF_FAULT + OF_LOSS
    assert linear(edge + DIVISOR, 0)[0] == fault
    assert linear(0, edge + DIVISOR)[0] == fault


def test_the_cash_delta_of_a_future_may_have_31_bits() -> None:
    price = (LARGEST + 1) * DIVISOR
    assert linear(price - 1, price - 1)[:3] == (IN_RANGE, 0, LARGEST)
    assert linear(price, price)[0] == PLACE * KINDS_OF_FAULT + OF_DELTA
    assert linear(price - 1, price - 1, remains=0)[:3] == (IN_RANGE, 0, LARGEST)  # expired too


@pytest.mark.parametrize(("lots", "answer"), [(LARGEST, IN_RANGE), (LARGEST + 1, 1)])
def test_a_lot_may_be_worth_31_bits_and_its_mark_lies_on_the_tick(lots: int, answer: int) -> None:
    ids = np.array([5, ROW], np.int64)
    marks, values = np.zeros(ROWS, np.int64), np.zeros(ROWS, np.int64)
    found = fill_marks(
        np.array([1_999, lots * DIVISOR + DIVISOR - 1], np.int64),
        np.array([1_000, DIVISOR], np.int64),
        ids,
        np.array([DIVISOR, DIVISOR], np.int64),
        marks,
        values,
    )
    assert found == answer
    assert marks[ids].tolist() == [1_000, lots * DIVISOR]
    assert values[ids].tolist() == [10, lots]


@pytest.mark.parametrize("move", [-500_000, 1_000_000])
def test_a_historical_loss_may_have_31_bits(move: int) -> None:
    losses = np.zeros((ROWS, 1), np.int32)
    price = LARGEST * DIVISOR * 2 if move < 0 else LARGEST * DIVISOR

    def fill(extra: int) -> int:
        return int(
            fill_linear_history(
                np.array([[PLACE, ROW, 0]], np.int64),
                market(price + extra)[None, :],
                np.zeros(1, np.int64),
                np.full(PLACE + 1, DIVISOR, np.int64),
                np.array([[[move, 0, 0]]], np.int64),
                losses,
            )
        )

    assert fill(0) == IN_RANGE
    assert abs(losses[ROW, 0]) == LARGEST
    assert fill(2 * DIVISOR) == PLACE


@pytest.mark.parametrize("weight", [1, 320_000, 999_999, ONE_E6])
@pytest.mark.parametrize("fall", [0, 1, -1, 999_999, -999_999, 10**6 + 1, 2**50 - 1, 1 - 2**50])
def test_a_weighted_loss_rounds_up_once(fall: int, weight: int) -> None:
    for divisor in (1, 7, 100_000):
        exact = -(-weight * fall // (ONE_E6 * divisor))
        assert weighted_loss(fall, weight, divisor) == exact


@pytest.mark.parametrize("move", [1 - ONE_E6, -1, 0, 1, 160_000, 9 * ONE_E6])
@pytest.mark.parametrize("price", [0, 1, 999_999, ONE_E6, 12_345_678_901_234, 2**46 - 1])
def test_a_shocked_price_is_the_floor(price: int, move: int) -> None:
    assert shocked_price(price, move) == price * (ONE_E6 + move) // ONE_E6
