"""Greeks at published values, in their units, and at their edges."""

import math
from typing import Any

import pytest

from offchain.core.units import DAY_NS, ONE_E8, YEAR_NS
from offchain.pricing.black76 import VOL_BITS, option_price
from offchain.pricing.greeks import (
    DENSITY_BITS,
    EXPIRED,
    LINEAR,
    ONE_E12,
    Greeks,
    density,
    option_greeks,
    unit_greeks,
)
from offchain.pricing.marks import quote

FORWARD = 60_000 * ONE_E8


def test_reproduces_the_greeks_of_hull() -> None:
    """Hull, S = 49, K = 50, r = 5 %, vol 20 %, 20 weeks: 0.522, 0.066, 12.1, on its forward.

    A call on the spot is exp(-rT) calls on the forward S exp(rT), so delta is N(d1) itself, gamma
    in spot is exp(rT) x gamma in the forward, and vega is discounted. 12.1 is for 100 points.
    """
    years = 20 / 52
    growth = math.exp(0.05 * years)
    forward = round(49 * growth * ONE_E8)
    g = option_greeks(forward, 50 * ONE_E8, 20_000_000, YEAR_NS * 20 // 52, is_call=True)
    assert g.delta_e8 / ONE_E8 == pytest.approx(0.522, abs=5e-4)
    assert g.gamma_e12 / ONE_E12 * growth == pytest.approx(0.066, abs=5e-4)
    assert g.vega_e8 / ONE_E8 * 100 / growth == pytest.approx(12.1, abs=5e-2)


def test_density_at_zero_is_the_known_constant() -> None:
    assert density(0) / 2**DENSITY_BITS == pytest.approx(0.3989422804014327, abs=1e-15)
    one = 1 << VOL_BITS
    assert density(one) == density(-one)
    assert density(one) / 2**DENSITY_BITS == pytest.approx(0.24197072451914337, abs=1e-15)
    assert density(12 * one) == 0


def test_greeks_are_the_slopes_of_the_price() -> None:
    """Central differences of the integer price, in the units that the names state."""
    strike, volatility, time_ns = 65_000 * ONE_E8, 55_000_000, 45 * DAY_NS

    def price(forward: int = FORWARD, vol: int = volatility, time: int = time_ns) -> int:
        return option_price(forward, strike, vol, time, is_call=True)

    g = option_greeks(FORWARD, strike, volatility, time_ns, is_call=True)
    step = 100 * ONE_E8
    up, down = price(FORWARD + step), price(FORWARD - step)
    assert g.delta_e8 / ONE_E8 == pytest.approx((up - down) / (2 * step), rel=1e-4)
    curve = (up - 2 * price() + down) / step / (step / ONE_E8)
    assert g.gamma_e12 / ONE_E12 == pytest.approx(curve, rel=1e-3)
    point = 1_000_000
    vega = (price(vol=volatility + point) - price(vol=volatility - point)) / 2
    assert g.vega_e8 == pytest.approx(vega, rel=1e-3)
    day = (price(time=time_ns - DAY_NS // 2) - price(time=time_ns + DAY_NS // 2)) / 1
    assert g.theta_e8 == pytest.approx(day, rel=1e-3)


def test_put_has_one_less_delta_and_the_rest_alike() -> None:
    call = option_greeks(FORWARD, FORWARD + 1, 50_000_000, 30 * DAY_NS, is_call=True)
    put = option_greeks(FORWARD, FORWARD + 1, 50_000_000, 30 * DAY_NS, is_call=False)
    assert call.delta_e8 - put.delta_e8 == ONE_E8
    assert (call.gamma_e12, call.vega_e8, call.theta_e8) == (
        put.gamma_e12,
        put.vega_e8,
        put.theta_e8,
    )


@pytest.mark.parametrize(("volatility", "time_ns"), [(0, DAY_NS), (50_000_000, 0)])
def test_without_total_volatility_only_delta_is_left(volatility: int, time_ns: int) -> None:
    for strike, delta in ((FORWARD - 1, ONE_E8), (FORWARD, 0), (FORWARD + 1, 0)):
        call = option_greeks(FORWARD, strike, volatility, time_ns, is_call=True)
        put = option_greeks(FORWARD, strike, volatility, time_ns, is_call=False)
        assert call == Greeks(delta, 0, 0, 0)
        assert put == Greeks(delta - ONE_E8, 0, 0, 0)


def test_instrument_has_the_greeks_of_its_own_side_and_quote(book: Any) -> None:
    for kind in ("CALL", "PUT"):
        option = book.instrument(f"ETH-{kind}")
        of = quote(book.parameters.listing, book.medians, option, book.now_ns)
        args = (of.price_e8, option.strike_e8, of.volatility_e8, of.remaining_ns)
        assert unit_greeks(option, of) == option_greeks(*args, is_call=kind == "CALL")


def test_linear_instruments_have_delta_one_and_what_expired_has_none(book: Any) -> None:
    assert Greeks(ONE_E8, 0, 0, 0) == LINEAR
    assert Greeks(0, 0, 0, 0) == EXPIRED
    listing = book.parameters.listing
    for i in listing.instruments:
        late = unit_greeks(i, quote(listing, book.medians, i, book.expiry_ns))
        early = unit_greeks(i, quote(listing, book.medians, i, book.now_ns))
        if i.expiry_ns == 0:
            assert early == late == LINEAR
        else:
            assert late == EXPIRED
            assert (early == LINEAR) == (not i.is_option)
