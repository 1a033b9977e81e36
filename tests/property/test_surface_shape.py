"""The shape of any smile: bounds, continuity, and what a price must keep whatever it is."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.units import ONE_E8, YEAR_NS
from offchain.pricing.black76 import option_price
from offchain.pricing.fixed_point import LOG_BITS, ln
from offchain.pricing.surface import (
    MAX_VOLATILITY_E8,
    Surface,
    decode_surface,
    encode_surface,
    money_variance,
    surface_volatility_reference,
    total_variance_reference,
)

ANY = st.integers(1, (1 << 46) - 1)
USUAL = st.integers(ONE_E8 // 20, 3 * ONE_E8)
TIMES = st.integers(0, 3 * YEAR_NS)
LOGS = st.integers(-(9 << LOG_BITS), 9 << LOG_BITS)
SURFACES = st.builds(decode_surface, ANY | USUAL, st.tuples(ANY, ANY, ANY, ANY))
SMALL = st.integers(ONE_E8, 9 * ONE_E8)
SMILES = st.builds(decode_surface, USUAL, st.tuples(SMALL, SMALL, SMALL, SMALL))


@given(SURFACES)
def test_decoding_twice_changes_nothing(surface: Surface) -> None:
    volatility, *shape = encode_surface(surface)
    assert decode_surface(volatility, shape) == surface


@given(SURFACES, TIMES, LOGS)
def test_volatility_stays_within_its_bounds(surface: Surface, time_ns: int, log: int) -> None:
    volatility = surface_volatility_reference(surface, time_ns, log)
    assert volatility <= MAX_VOLATILITY_E8
    # a floored variance takes less than one unit of 2**-56 from the quarter
    w0 = money_variance(surface.v0_e8, time_ns)
    least = surface.v0_e8 // 4 if w0 >> 40 else 0
    assert volatility >= min(least - 1, MAX_VOLATILITY_E8)


@given(SMILES, TIMES, LOGS, st.integers(0, 1 << LOG_BITS))
def test_variance_grows_no_faster_than_twice_the_log_strike(
    surface: Surface, time_ns: int, log: int, step: int
) -> None:
    """Lee's bound, which makes total variance continuous in the strike as well."""
    first = total_variance_reference(surface, time_ns, log)
    second = total_variance_reference(surface, time_ns, log + step)
    assert abs(second - first) <= 2 * step + 16


@given(SMILES, st.integers(1, 3 * YEAR_NS), USUAL, st.integers(300_000, 3_000_000))
def test_call_and_put_of_a_strike_keep_parity_under_a_smile(
    surface: Surface, time_ns: int, price: int, ratio: int
) -> None:
    forward, strike = price * 1_000, price * ratio // 1_000
    volatility = surface_volatility_reference(surface, time_ns, ln(forward) - ln(strike))
    call, put = (
        option_price(forward, strike, volatility, time_ns, is_call=side) for side in (True, False)
    )
    assert call - put == forward - strike
    assert min(call, put) >= 0
