"""Risk arrays of a small book: what must be true of every cell."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offchain.core.instruments import Listing, Underlying
from offchain.core.scenarios import UNCHANGED, scenario_grid
from offchain.core.units import PRICE_BITS, ROWS, SCENARIOS
from offchain.pricing.marks import quote
from offchain.pricing.risk_array import (
    RiskRangeError,
    delta_reference,
    losses_reference,
    price_book,
    vega_reference,
)
from offchain.pricing.risk_plan import plan_of


def test_shapes_and_types_are_those_the_kernels_take(book: Any) -> None:
    arrays = price_book(book.parameters, book.medians, book.now_ns)
    assert arrays.marks_e8.shape == arrays.lot_values_e6.shape == (ROWS,)
    assert arrays.losses_e6.shape == (ROWS, SCENARIOS)
    assert arrays.marks_e8.dtype == arrays.lot_values_e6.dtype == np.dtype(np.int64)
    assert arrays.losses_e6.dtype == np.dtype(np.int32)
    assert arrays.losses_e6.flags.c_contiguous


def test_rows_that_are_not_listed_are_zero(book: Any) -> None:
    arrays = price_book(book.parameters, book.medians, book.now_ns)
    listed = {i.id for i in book.parameters.listing.instruments}
    others = [row for row in range(ROWS) if row not in listed]
    assert not arrays.losses_e6[others].any()
    assert not arrays.marks_e8[others].any()


def test_nothing_is_lost_when_nothing_moves(book: Any) -> None:
    assert not price_book(book.parameters, book.medians, book.now_ns).losses_e6[:, UNCHANGED].any()


def test_lot_values_are_exact(book: Any) -> None:
    arrays = price_book(book.parameters, book.medians, book.now_ns)
    for i in book.parameters.listing.instruments:
        divisor = book.parameters.listing.underlyings[i.underlying].lot_divisor
        assert arrays.lot_values_e6[i.id] * divisor == arrays.marks_e8[i.id]


def test_perpetual_loses_its_price_move_rounded_up(book: Any) -> None:
    arrays = price_book(book.parameters, book.medians, book.now_ns)
    perpetual = book.instrument("BTC-PERPETUAL")
    index = book.medians[0]
    for s, stress in enumerate(scenario_grid(book.parameters.scan[0])):
        shocked = index * (1_000_000 + stress.move_e6) // 1_000_000
        exact = stress.weight_e6 * (index - shocked)
        assert arrays.losses_e6[perpetual.id, s] == -(-exact // (1_000_000 * 100_000))


def test_every_row_equals_its_reference_before_and_after_expiry(book: Any) -> None:
    for now in (book.now_ns, book.expiry_ns - 1, book.expiry_ns, book.expiry_ns + 1):
        arrays = price_book(book.parameters, book.medians, now)
        for i in book.parameters.listing.instruments:
            of = quote(book.parameters.listing, book.medians, i, now)
            row = losses_reference(book.parameters, i, of)
            assert tuple(arrays.losses_e6[i.id].tolist()) == row


def test_call_less_put_loses_what_the_future_loses(book: Any) -> None:
    """The volatility of both legs is the same, so parity holds in every cell up to rounding."""
    losses = price_book(book.parameters, book.medians, book.now_ns).losses_e6.astype(np.int64)
    call, put, future = (losses[book.instrument(f"BTC-{k}").id] for k in ("CALL", "PUT", "FUTURE"))
    assert np.abs(call - put - future).max() <= 1


def with_lots_of(book: Any, lot_divisor: int) -> Any:
    old: Listing = book.parameters.listing
    btc: Underlying = replace(old.underlyings[0], lot_divisor=lot_divisor)
    listing = replace(old, underlyings=(btc, old.underlyings[1]))
    return replace(book.parameters, listing=listing)


def test_lot_that_could_lose_more_than_32_bits_is_refused_by_name(book: Any) -> None:
    with pytest.raises(RiskRangeError, match="BTC-PERPETUAL"):
        price_book(with_lots_of(book, 100), book.medians, book.now_ns)


def test_lot_whose_delta_does_not_fit_is_refused_by_name(book: Any) -> None:
    with pytest.raises(RiskRangeError, match="a delta of BTC-PERPETUAL leaves int32"):
        price_book(with_lots_of(book, 2_500), book.medians, book.now_ns)


def test_lot_worth_more_than_32_bits_is_refused_by_name(book: Any) -> None:
    """A put far in the money is worth ten times what its forward is."""
    parameters = with_lots_of(book, 20_000)
    instruments = tuple(
        replace(i, strike_e8=(1 << PRICE_BITS) - 1) if i.symbol == "BTC-PUT" else i
        for i in parameters.listing.instruments
    )
    parameters = replace(parameters, listing=replace(parameters.listing, instruments=instruments))
    with pytest.raises(RiskRangeError, match="a lot of BTC-PUT is worth 32"):
        price_book(parameters, book.medians, book.now_ns)


def test_rows_of_the_greeks_equal_their_reference(book: Any) -> None:
    for now in (book.now_ns, book.expiry_ns - 1, book.expiry_ns):
        arrays = price_book(book.parameters, book.medians, now)
        assert arrays.deltas_e6.dtype == arrays.vegas_e6.dtype == np.dtype(np.int32)
        for i in book.parameters.listing.instruments:
            of = quote(book.parameters.listing, book.medians, i, now)
            divisor = book.parameters.listing.underlyings[i.underlying].lot_divisor
            assert arrays.deltas_e6[i.id] == delta_reference(i, of, divisor)
            assert arrays.vegas_e6[i.id] == vega_reference(i, of, divisor)


def test_delta_of_a_lot_is_its_value_when_linear_and_nothing_for_expired_options(book: Any) -> None:
    before = price_book(book.parameters, book.medians, book.now_ns).deltas_e6
    after = price_book(book.parameters, book.medians, book.expiry_ns).deltas_e6
    perpetual, future, call, put = (
        book.instrument(f"BTC-{k}").id for k in ("PERPETUAL", "FUTURE", "CALL", "PUT")
    )
    assert before[perpetual] == after[perpetual] == book.medians[0] // 100_000
    assert before[future] == book.medians[2] // 100_000
    assert 0 < before[call] < before[future]
    assert 0 <= before[call] - before[put] - before[future] + 1 <= 2
    assert after[[future, call, put]].tolist() == [book.medians[0] // 100_000, 0, 0]


def test_call_and_put_of_a_strike_have_one_vega(book: Any) -> None:
    vegas = price_book(book.parameters, book.medians, book.now_ns).vegas_e6
    assert vegas[book.instrument("BTC-CALL").id] == vegas[book.instrument("BTC-PUT").id] > 0
    assert vegas[book.instrument("BTC-FUTURE").id] == 0


def test_option_without_its_other_leg_is_priced_alike(book: Any) -> None:
    whole = price_book(book.parameters, book.medians, book.now_ns)
    listing = book.parameters.listing
    put = book.instrument("BTC-PUT")
    alone = replace(listing, instruments=tuple(i for i in listing.instruments if i.id != put.id))
    call = book.instrument("BTC-CALL")
    part = price_book(replace(book.parameters, listing=alone), book.medians, book.now_ns)
    assert part.losses_e6[call.id].tolist() == whole.losses_e6[call.id].tolist()
    assert not part.losses_e6[put.id].any()
    lone = replace(put, id=call.id)
    only_put = tuple(lone if i.id == call.id else i for i in alone.instruments)
    part = price_book(
        replace(book.parameters, listing=replace(alone, instruments=only_put)),
        book.medians,
        book.now_ns,
    )
    assert part.losses_e6[lone.id].tolist() == whole.losses_e6[put.id].tolist()


def test_plan_of_an_equal_parameter_set_is_not_built_twice(book: Any) -> None:
    assert plan_of(replace(book.parameters)) is plan_of(book.parameters)
