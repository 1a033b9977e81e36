"""Greeks of one unit of an instrument, in integers, for display and exposure.

Deribit's conventions, with F the forward, T in years of 365 days and phi the normal density:

    delta = N(d1) (put: N(d1) - 1)            forward delta, not adjusted by the premium
    gamma = phi(d1) / (F sigma sqrt(T))       change of delta for one dollar
    vega  = F phi(d1) sqrt(T) / 100           for one volatility point
    theta = -F phi(d1) sigma / (2 sqrt(T)) / 365    for one day

Requirements do not use these: they take `delta_reference` and `vega_reference` of `risk_array`.

Accuracy: delta is floored after an error of 3e-14; the others after an error below 1e-12 of what
they are where d1 is zero (measured for prices up to 200,000 USD, volatility of 5 to 300 %, and one
hour to two years).
"""

from dataclasses import dataclass

from offchain.core.instruments import Instrument, Kind
from offchain.core.units import ONE_E8, YEAR_NS, floor_div
from offchain.pricing.black76 import (
    VOL_BITS,
    call_delta_reference,
    first_distance_reference,
    root_of_time,
    total_volatility_from,
)
from offchain.pricing.fixed_point import LOG_BITS, MAX_EXPONENT, exp, ln
from offchain.pricing.marks import Quote
from offchain.pricing.normal_table import PROBABILITY_BITS, PROBABILITY_ONE, density_at_zero

ONE_E12 = 10**12
DAYS = 365
POINTS = 100
DENSITY_BITS = 80
_PEAK = density_at_zero() >> (160 - DENSITY_BITS)
_SQUARE_SHIFT = 2 * VOL_BITS + 1 - LOG_BITS


@dataclass(frozen=True, slots=True)
class Greeks:
    """Sensitivities of one unit (one BTC) of an instrument, each rounded down.

    Attributes
    ----------
    delta_e8 : int
        Units of the underlying that move alike. [e-8]
    gamma_e12 : int
        Change of delta for one dollar. [e-12]
    vega_e8 : int
        Change of value for one volatility point. [USD e-8]
    theta_e8 : int
        Change of value in one day. [USD e-8]
    """

    delta_e8: int
    gamma_e12: int
    vega_e8: int
    theta_e8: int


LINEAR = Greeks(ONE_E8, 0, 0, 0)
EXPIRED = Greeks(0, 0, 0, 0)


def density(x: int) -> int:
    """Return phi(x) for x of 58 fraction bits, at most 2**-55 too low; zero beyond 8. [2**-80]."""
    exponent = x * x >> _SQUARE_SHIFT
    return _PEAK * exp(-exponent) >> LOG_BITS if exponent < MAX_EXPONENT else 0


def unit_greeks(instrument: Instrument, of: Quote) -> Greeks:
    """Return the Greeks of one unit; a perpetual or future has delta 1, what has expired none."""
    if instrument.expiry_ns and not of.remaining_ns:
        return EXPIRED
    if not instrument.is_option:
        return LINEAR
    return option_greeks(
        of.price_e8,
        instrument.strike_e8,
        of.volatility_e8,
        of.remaining_ns,
        is_call=instrument.kind == Kind.CALL,
    )


def option_greeks(
    forward_e8: int, strike_e8: int, volatility_e8: int, remaining_ns: int, *, is_call: bool
) -> Greeks:
    """Return the Greeks of an option from market quantities.

    Without total volatility delta is 0 or +-1 and the rest zero.
    """
    moneyness = ln(forward_e8) - ln(strike_e8)
    root = root_of_time(remaining_ns)
    total = total_volatility_from(volatility_e8, root)
    delta = call_delta_reference(forward_e8, strike_e8, moneyness, total)
    if not is_call:
        delta -= PROBABILITY_ONE
    delta_e8 = delta * ONE_E8 >> PROBABILITY_BITS
    if not total:
        return Greeks(delta_e8, 0, 0, 0)
    phi = density(first_distance_reference(moneyness, total))
    # gamma = phi / (F w): phi has 80 fraction bits and w 58, so 22 remain below the bar.
    gamma = floor_div(phi * ONE_E12 * ONE_E8, (forward_e8 * total) << (DENSITY_BITS - VOL_BITS))
    vega = floor_div(forward_e8 * phi * root, POINTS << (DENSITY_BITS + VOL_BITS))
    # sigma / sqrt(T) = sigma root / T
    decay = forward_e8 * phi * volatility_e8 * root * YEAR_NS
    theta = floor_div(-decay, (2 * DAYS * ONE_E8 * remaining_ns) << (DENSITY_BITS + VOL_BITS))
    return Greeks(delta_e8, gamma, vega, theta)
