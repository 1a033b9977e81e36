"""Smiles: decoding, known values, floors and caps."""

from typing import Any

import mpmath
import pytest

from offchain.core.instruments import SHAPE_KINDS, Feed, FeedKind
from offchain.core.units import DAY_NS, ONE_E8, YEAR_NS, PriceE8, TimestampNs
from offchain.pricing.fixed_point import LOG_BITS
from offchain.pricing.marks import moved_medians, quote
from offchain.pricing.surface import (
    MAX_VOLATILITY_E8,
    Surface,
    decode_surface,
    encode_surface,
    money_variance,
    surface_of,
    surface_places,
    surface_volatility_reference,
    total_variance_reference,
)
from scripts.vectors_pricing import SMILES, shaped_medians, shaped_parameters

UNIT = 1 << LOG_BITS
MONTH = 30 * DAY_NS
PLAIN = SMILES[1]


@pytest.mark.parametrize("surface", SMILES)
def test_decoding_what_was_encoded_gives_the_smile_back(surface: Surface) -> None:
    volatility, *shape = encode_surface(surface)
    assert decode_surface(volatility, shape) == surface


def test_numbers_outside_their_range_are_moved_to_its_end() -> None:
    low = decode_surface(1, (1, 1, 1, 1))
    assert low == Surface(1, 0, -ONE_E8, -4 * ONE_E8, 10_000)
    high = decode_surface(1 << 45, (1 << 45,) * 4)
    assert high == Surface(10 * ONE_E8, ONE_E8, ONE_E8, 4 * ONE_E8, 4 * ONE_E8)


def test_slope_is_held_to_the_bound_of_lee() -> None:
    for tilt in (-ONE_E8, -40_000_000, 0, 1, 77_777_777, ONE_E8):
        surface = decode_surface(
            50_000_000, (5 * ONE_E8, tilt + 2 * ONE_E8, 5 * ONE_E8, 2 * ONE_E8)
        )
        assert surface.slope_e8 == 2 * ONE_E8 * ONE_E8 // (ONE_E8 + abs(tilt))
        assert surface.slope_e8 * (ONE_E8 + abs(tilt)) <= 2 * ONE_E8 * ONE_E8


def test_expiry_without_shape_is_flat() -> None:
    assert decode_surface(47_000_000) == Surface(47_000_000)
    for moneyness in (0, UNIT, -UNIT, 40 * UNIT):
        assert surface_volatility_reference(Surface(47_000_000), MONTH, moneyness) == 47_000_000


@pytest.mark.parametrize("volatility", [1, 123, 47_000_000, 10 * ONE_E8])
def test_formula_without_slope_gives_the_volatility_at_the_money_exactly(volatility: int) -> None:
    """The shortcut for flat smiles changes nothing: v0 sqrt(w0 / w0) = v0 on every bit."""
    bent = Surface(volatility, 0, 30_000_000, ONE_E8, ONE_E8)
    w0 = money_variance(volatility, MONTH)
    assert total_variance_reference(bent, MONTH, UNIT // 3) == w0
    assert surface_volatility_reference(bent, MONTH, UNIT // 3) == volatility


def test_volatility_at_the_money_is_the_one_reported() -> None:
    for surface in SMILES:
        assert surface_volatility_reference(surface, MONTH, 0) == surface.v0_e8


def test_total_variance_is_that_of_the_raw_parameterisation() -> None:
    """The smile of Axel Vogt (Gatheral and Jacquier 2014, section 3.1), in forty digits."""
    a, b, m, rho, sigma = (
        mpmath.mpf(x) for x in ("-0.0410", "0.1331", "0.3586", "0.3060", "0.4153")
    )
    with mpmath.workdps(40):
        money = a + b * (-rho * m + mpmath.sqrt(m * m + sigma * sigma))
        v0 = int(mpmath.nint(mpmath.sqrt(money) * ONE_E8))
        surface = Surface(v0, 13_310_000, 30_600_000, 35_860_000, 41_530_000)
        for percent in range(-150, 151, 10):
            k = mpmath.mpf(percent) / 100
            true = a + b * (rho * (k - m) + mpmath.sqrt((k - m) ** 2 + sigma * sigma))
            w = total_variance_reference(surface, YEAR_NS, -percent * UNIT // 100)
            assert abs(mpmath.mpf(w) / UNIT - true) < mpmath.mpf("3e-9")  # v0 has eight digits
            volatility = surface_volatility_reference(surface, YEAR_NS, -percent * UNIT // 100)
            assert abs(volatility - mpmath.sqrt(true) * ONE_E8) < 3


def test_low_strikes_are_dearer_under_a_negative_tilt() -> None:
    low, high = (surface_volatility_reference(PLAIN, MONTH, x) for x in (UNIT // 5, -UNIT // 5))
    assert low > high


def test_volatility_falls_no_lower_than_a_quarter_and_rises_to_ten_at_most() -> None:
    steep = decode_surface(40_000_000, (5 * ONE_E8, 1, 6 * ONE_E8, ONE_E8))
    assert surface_volatility_reference(steep, MONTH, -UNIT) == 10_000_000
    assert surface_volatility_reference(steep, DAY_NS, 8 * UNIT) == MAX_VOLATILITY_E8


def test_log_strike_is_cut_at_eight() -> None:
    for sign in (1, -1):
        at_eight = surface_volatility_reference(PLAIN, 2 * YEAR_NS, sign * 8 * UNIT)
        assert surface_volatility_reference(PLAIN, 2 * YEAR_NS, sign * 40 * UNIT) == at_eight


@pytest.mark.parametrize("remaining", [0, 1])
def test_smile_without_variance_is_flat(remaining: int) -> None:
    assert surface_volatility_reference(Surface(1, ONE_E8), remaining, UNIT) == 1


def test_report_gives_the_smile_of_each_expiry() -> None:
    listing = shaped_parameters().listing
    medians = shaped_medians(SMILES)
    expiries = [f for f in listing.feeds if f.kind == FeedKind.VOLATILITY]
    found = [surface_of(listing, medians, f.underlying, f.expiry_ns) for f in expiries]
    assert found == list(SMILES)


def test_half_a_shape_is_a_fault_of_the_listing(book: Any) -> None:
    listing = book.parameters.listing
    assert surface_places(listing, 0, book.expiry_ns) == (3, None)
    half = Feed(SHAPE_KINDS[0], 0, TimestampNs(book.expiry_ns))
    broken = type(listing)(listing.underlyings, listing.instruments, (*listing.feeds, half))
    with pytest.raises(KeyError):
        surface_places(broken, 0, book.expiry_ns)


def test_each_option_is_quoted_with_the_volatility_of_its_strike() -> None:
    parameters = shaped_parameters()
    medians = shaped_medians(SMILES)
    now = parameters.listing.instruments[1].expiry_ns - DAY_NS
    options = [i for i in parameters.listing.of_underlying(0) if i.is_option]
    first = [i for i in options if i.expiry_ns == options[0].expiry_ns]
    volatilities = [quote(parameters.listing, medians, i, now).volatility_e8 for i in first]
    assert volatilities[::2] == volatilities[1::2]  # call and put of a strike
    assert len(set(volatilities)) == len(first) // 2


def test_moving_an_index_moves_its_forwards_and_nothing_else() -> None:
    listing = shaped_parameters().listing
    medians = shaped_medians(SMILES)
    moved = moved_medians(listing, medians, 0, medians[0] // 2)
    for feed, old, new in zip(listing.feeds, medians, moved, strict=True):
        if feed.kind in (FeedKind.INDEX, FeedKind.FORWARD) and feed.underlying == 0:
            assert abs(new - PriceE8(old // 2)) <= 1
        else:
            assert new == old
    assert moved_medians(listing, medians, 0, medians[0]) == tuple(medians)
    assert min(moved_medians(listing, medians, 0, 1)) == 1
