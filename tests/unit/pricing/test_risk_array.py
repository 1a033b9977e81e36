"""Risk arrays of a small book: what must be true of every cell."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offchain.core.instruments import Listing, Underlying
from offchain.core.scenarios import UNCHANGED, scenario_grid
from offchain.core.units import ROWS, SCENARIOS
from offchain.pricing.marks import quote
from offchain.pricing.risk_array import RiskRangeError, losses_reference, price_book


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


def test_lot_worth_more_than_32_bits_is_refused_by_name(book: Any) -> None:
    with pytest.raises(RiskRangeError, match="a lot of BTC-PERPETUAL is worth"):
        price_book(with_lots_of(book, 2_500), book.medians, book.now_ns)
