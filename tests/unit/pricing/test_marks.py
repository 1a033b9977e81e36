"""Which feed prices what, and which reports are refused."""

from typing import Any

import pytest

from offchain.core.units import PRICE_BITS
from offchain.pricing.black76 import option_price
from offchain.pricing.marks import MarketDataError, Quote, fair_value_e8, mark_price_e8, quote
from offchain.pricing.risk_array import price_book


def quote_of(book: Any, symbol: str, now_ns: int) -> Quote:
    return quote(book.parameters.listing, book.medians, book.instrument(symbol), now_ns)


def test_perpetual_is_priced_by_the_index(book: Any) -> None:
    assert quote_of(book, "ETH-PERPETUAL", book.now_ns) == Quote(book.medians[1], 0, 0)


def test_future_is_priced_by_its_forward(book: Any) -> None:
    remaining = book.expiry_ns - book.now_ns
    assert quote_of(book, "BTC-FUTURE", book.now_ns) == Quote(book.medians[2], 0, remaining)


def test_option_is_priced_by_forward_and_volatility(book: Any) -> None:
    remaining = book.expiry_ns - book.now_ns
    call = quote_of(book, "BTC-CALL", book.now_ns)
    assert call == Quote(book.medians[2], book.medians[3], remaining)
    assert fair_value_e8(book.instrument("BTC-CALL"), call) == option_price(
        book.medians[2], 60_000 * 10**8, book.medians[3], remaining, is_call=True
    )


@pytest.mark.parametrize("kind", ["FUTURE", "CALL", "PUT"])
def test_at_expiry_everything_is_settled_on_the_index(book: Any, kind: str) -> None:
    instrument = book.instrument(f"BTC-{kind}")
    index = book.medians[0]
    payoff = {
        "FUTURE": index,
        "CALL": max(index - instrument.strike_e8, 0),
        "PUT": max(instrument.strike_e8 - index, 0),
    }
    for late in (0, 1, 10**18):
        at = quote_of(book, f"BTC-{kind}", book.expiry_ns + late)
        assert at == Quote(index, 0, 0)
        assert fair_value_e8(instrument, at) == payoff[kind]


def test_mark_is_rounded_down_to_the_tick() -> None:
    assert mark_price_e8(1_999_999, 1_000_000) == 1_000_000
    assert mark_price_e8(999_999, 1_000_000) == 0


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, 0, "feed 0 is not positive: 0"),
        (3, -5, "feed 3 is not positive: -5"),
        (2, 1 << PRICE_BITS, "feed 2 is not below"),
    ],
)
def test_impossible_median_is_refused_by_name(
    book: Any, place: int, value: int, message: str
) -> None:
    medians = list(book.medians)
    medians[place] = value
    with pytest.raises(MarketDataError, match=message):
        price_book(book.parameters, medians, book.now_ns)


def test_report_of_the_wrong_length_is_refused(book: Any) -> None:
    with pytest.raises(MarketDataError, match="5 medians for 6 feeds"):
        price_book(book.parameters, book.medians[:-1], book.now_ns)
