"""Delta-equivalent exposure over perpetuals, futures and options, and the sums of the Greeks."""

from dataclasses import replace
from typing import Any

import pytest

from offchain.core.instruments import Listing
from offchain.core.units import ONE_E8, PriceE8
from offchain.pricing.exposure import exposures, listed_greeks, position_greeks
from offchain.pricing.greeks import LINEAR, Greeks, option_greeks, unit_greeks
from offchain.pricing.marks import quote

LOTS_PER_BTC = 1_000
GIVEN = Greeks(60_000_000, 12_345_678, 9_876_543_210, -1_234_567_890)


def with_strike_of_delta(book: Any, delta_e8: int) -> Listing:
    """Return the listing with its BTC call struck where the delta is exactly that."""
    listing: Listing = book.parameters.listing
    call = book.instrument("BTC-CALL")
    of = quote(listing, book.medians, call, book.now_ns)

    def delta(strike: int) -> int:
        args = (of.price_e8, strike, of.volatility_e8, of.remaining_ns)
        return option_greeks(*args, is_call=True).delta_e8

    low, high = of.price_e8 // 2, of.price_e8 * 2  # delta falls as the strike rises
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if delta(middle) >= delta_e8 else (low, middle)
    struck = replace(call, strike_e8=PriceE8(low))
    return replace(
        listing, instruments=tuple(struck if i.id == call.id else i for i in listing.instruments)
    )


def test_perpetuals_futures_and_calls_of_delta_0_6_are_worth_270_btc(book: Any) -> None:
    listing = with_strike_of_delta(book, 60_000_000)
    greeks = listed_greeks(listing, book.medians, book.now_ns)
    call = book.instrument("BTC-CALL")
    assert greeks[call.id].delta_e8 == 60_000_000
    held = [
        (book.instrument("BTC-PERPETUAL").id, 100 * LOTS_PER_BTC),
        (book.instrument("BTC-FUTURE").id, 50 * LOTS_PER_BTC),
        (call.id, 200 * LOTS_PER_BTC),
    ]
    btc, eth = exposures(listing, held, greeks)
    assert btc.perpetual_delta_e8 == 100 * ONE_E8
    assert btc.future_delta_e8 == 50 * ONE_E8
    assert btc.option_delta_e8 == 120 * ONE_E8
    assert btc.delta_e8 == 270 * ONE_E8
    assert (eth.delta_e8, eth.gamma_e12, eth.vega_e6, eth.theta_e6) == (0, 0, 0, 0)


def test_short_positions_count_against_long_ones(book: Any) -> None:
    listing = book.parameters.listing
    perpetual, call = book.instrument("BTC-PERPETUAL"), book.instrument("BTC-CALL")
    held = [(perpetual.id, -60), (call.id, 100)]
    btc, _ = exposures(listing, held, {perpetual.id: LINEAR, call.id: GIVEN})
    assert btc.delta_e8 == 0
    assert btc.gamma_e12 == 100 * GIVEN.gamma_e12 // LOTS_PER_BTC
    assert btc.vega_e6 == 100 * GIVEN.vega_e8 // 100_000
    assert btc.theta_e6 == 100 * GIVEN.theta_e8 // 100_000


def test_position_counts_units_of_the_underlying_and_dollars(book: Any) -> None:
    """2,500 lots of 0.001 BTC are 2.5 BTC."""
    found = position_greeks(book.instrument("BTC-CALL"), 2_500, GIVEN, 100_000)
    assert found.instrument == book.instrument("BTC-CALL").id
    assert found.lots == 2_500
    assert found.delta_e8 == GIVEN.delta_e8 * 5 // 2
    assert found.gamma_e12 == GIVEN.gamma_e12 * 5 // 2
    assert found.vega_e6 == GIVEN.vega_e8 * 5 // 200
    assert found.theta_e6 == GIVEN.theta_e8 * 5 // 200


def test_each_underlying_counts_its_own_units(book: Any) -> None:
    listing = book.parameters.listing
    btc, eth = book.instrument("BTC-PERPETUAL"), book.instrument("ETH-PERPETUAL")
    found = exposures(listing, [(btc.id, 7), (eth.id, -3)], {btc.id: LINEAR, eth.id: LINEAR})
    assert [e.delta_e8 for e in found] == [7 * ONE_E8 // 1_000, -3 * ONE_E8 // 100]


def test_position_is_floored_and_a_sum_only_once(book: Any) -> None:
    listing = book.parameters.listing
    call, put = book.instrument("BTC-CALL"), book.instrument("BTC-PUT")
    third = Greeks(333, 333, 333, -333)
    one = position_greeks(call, 1, third, 100_000)
    assert (one.delta_e8, one.gamma_e12, one.vega_e6, one.theta_e6) == (0, 0, 0, -1)
    both = position_greeks(call, -1, third, 100_000)
    assert (both.delta_e8, both.gamma_e12, both.vega_e6, both.theta_e6) == (-1, -1, -1, 0)
    held = [(call.id, 3), (put.id, -3)]
    btc, _ = exposures(listing, held, {call.id: third, put.id: third})
    assert (btc.delta_e8, btc.gamma_e12, btc.vega_e6, btc.theta_e6) == (0, 0, 0, 0)


def test_greeks_of_everything_listed_are_those_of_each_quote(book: Any) -> None:
    listing = book.parameters.listing
    greeks = listed_greeks(listing, book.medians, book.now_ns)
    assert greeks == {
        i.id: unit_greeks(i, quote(listing, book.medians, i, book.now_ns))
        for i in listing.instruments
    }


def test_what_is_not_listed_has_no_exposure(book: Any) -> None:
    with pytest.raises(KeyError):
        exposures(book.parameters.listing, [(99, 1)], {99: LINEAR})
