"""Volatility surfaces: one SVI smile for each expiry, in integers.

Total variance at log-strike k = ln(K/F), in Gatheral's raw form (Gatheral 2004, "A parsimonious
arbitrage-free implied volatility parameterization") with its level given by the at-the-money
volatility v0 instead of `a`:

    w(k) = w0 + b (rho k + sqrt((k - m)^2 + sigma^2) - sqrt(m^2 + sigma^2)),   w0 = v0^2 T

The report carries v0 and, for an expiry with a smile, b, rho, m and sigma, each with a bias (see
`FeedKind`). What lies outside its range is moved to the end of the range: a quorum agreed on the
number, and the model stays defined. Without shape feeds b = 0, and the smile is flat at v0.

`surface_volatility_reference` is the definition; `surface_volatility` is the same on 64-bit words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from numba import njit

from offchain.core.instruments import SHAPE_KINDS, FeedKind, Listing
from offchain.core.units import ONE_E8, YEAR_NS, floor_div
from offchain.pricing.fixed_point import LOG_BITS
from offchain.pricing.integer_root import root_of_squares, root_of_word
from offchain.pricing.wide_product import product_quotient, product_shifted

MAX_VOLATILITY_E8 = 10 * ONE_E8
MAX_SLOPE_E8 = 4 * ONE_E8
MAX_TILT_E8 = ONE_E8
MAX_CENTRE_E8 = 4 * ONE_E8
MIN_WIDTH_E8 = 10_000
MAX_WIDTH_E8 = 4 * ONE_E8
MAX_LOG_STRIKE = 8 << LOG_BITS
SLOPE_BIAS_E8, TILT_BIAS_E8, CENTRE_BIAS_E8, WIDTH_BIAS_E8 = (n * ONE_E8 for n in (1, 2, 5, 1))
FLOOR_BITS = 4
"""Total variance never falls below w0 / 2**4, so volatility not below a quarter of v0."""
WORD_VARIANCE = 1 << 62
"""The kernel takes w0 below this, a variance of 64; beyond, the definition is used. [2**-56]."""

_TOP_SQUARE = MAX_VOLATILITY_E8 * MAX_VOLATILITY_E8


@dataclass(frozen=True, slots=True)
class Surface:
    """The smile of one expiry: decoded, every number in its range. [e-8]."""

    v0_e8: int
    slope_e8: int = 0
    tilt_e8: int = 0
    centre_e8: int = 0
    width_e8: int = MIN_WIDTH_E8

    @property
    def is_flat(self) -> bool:
        """Whether every strike has the volatility at the money."""
        return self.slope_e8 == 0


def decode_surface(volatility_e8: int, shape: Sequence[int] | None = None) -> Surface:
    """Return the smile from its medians: volatility, and the four of `SHAPE_KINDS` if listed.

    b is limited so that b (1 + |rho|) <= 2, the bound on the slope of total variance in the wings
    (Lee 2004, "The moment formula for implied volatility at extreme strikes").
    """
    v0 = min(volatility_e8, MAX_VOLATILITY_E8)
    if shape is None:
        return Surface(v0)
    slope, tilt, centre, width = shape
    tilt = _clamp(tilt - TILT_BIAS_E8, -MAX_TILT_E8, MAX_TILT_E8)
    steepest = floor_div(2 * ONE_E8 * ONE_E8, ONE_E8 + abs(tilt))
    return Surface(
        v0,
        min(_clamp(slope - SLOPE_BIAS_E8, 0, MAX_SLOPE_E8), steepest),
        tilt,
        _clamp(centre - CENTRE_BIAS_E8, -MAX_CENTRE_E8, MAX_CENTRE_E8),
        _clamp(width - WIDTH_BIAS_E8, MIN_WIDTH_E8, MAX_WIDTH_E8),
    )


def encode_surface(surface: Surface) -> tuple[int, int, int, int, int]:
    """Return what a report carries: the volatility, then the four of `SHAPE_KINDS`. [e-8]."""
    return (
        surface.v0_e8,
        surface.slope_e8 + SLOPE_BIAS_E8,
        surface.tilt_e8 + TILT_BIAS_E8,
        surface.centre_e8 + CENTRE_BIAS_E8,
        surface.width_e8 + WIDTH_BIAS_E8,
    )


def surface_places(
    listing: Listing, underlying: int, expiry_ns: int
) -> tuple[int, tuple[int, ...] | None]:
    """Return where a report has the volatility of an expiry, and its shape if it has one.

    Raises
    ------
    KeyError
        The volatility is not listed, or only a part of the shape is.
    """
    volatility = listing.feed_index(FeedKind.VOLATILITY, underlying, expiry_ns)
    found = {
        f.kind for f in listing.feeds if (f.underlying, f.expiry_ns) == (underlying, expiry_ns)
    }
    if not found & set(SHAPE_KINDS):
        return volatility, None
    return volatility, tuple(listing.feed_index(k, underlying, expiry_ns) for k in SHAPE_KINDS)


def surface_of(
    listing: Listing, medians: Sequence[int], underlying: int, expiry_ns: int
) -> Surface:
    """Return the smile of one expiry; the medians must have passed `check_medians`."""
    volatility, shape = surface_places(listing, underlying, expiry_ns)
    return decode_surface(
        medians[volatility], None if shape is None else [medians[place] for place in shape]
    )


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def to_log_bits(value_e8: int) -> int:
    """Return a number of e-8 with 56 fraction bits, floored."""
    return floor_div(value_e8 << LOG_BITS, ONE_E8)


def money_variance(v0_e8: int, remaining_ns: int) -> int:
    """Return w0, the total variance at the money, floored. [2**-56]."""
    return floor_div((v0_e8 * v0_e8 * remaining_ns) << LOG_BITS, ONE_E8 * ONE_E8 * YEAR_NS)


def total_variance_reference(surface: Surface, remaining_ns: int, log_moneyness: int) -> int:
    """Return w(k), at least w0 / 16, every step floored. [2**-56].

    `log_moneyness` is ln(F/K) = -k; k is cut at 8 in size. [2**-56]
    """
    w0 = money_variance(surface.v0_e8, remaining_ns)
    k = _clamp(-log_moneyness, -MAX_LOG_STRIKE, MAX_LOG_STRIKE)
    centre, width = to_log_bits(surface.centre_e8), to_log_bits(surface.width_e8)
    bend = (to_log_bits(surface.tilt_e8) * k >> LOG_BITS) + _root(k - centre, width)
    bend -= _root(centre, width)
    return max(w0 + (to_log_bits(surface.slope_e8) * bend >> LOG_BITS), w0 >> FLOOR_BITS)


def _root(x: int, width: int) -> int:
    return isqrt(x * x + width * width)


def surface_volatility_reference(surface: Surface, remaining_ns: int, log_moneyness: int) -> int:
    """Return the volatility of one strike in unbounded integers; this defines the kernel.

    Parameters
    ----------
    surface : Surface
        The smile of the expiry.
    remaining_ns : int
        Time to expiry, not negative.
    log_moneyness : int
        ln(F/K). [2**-56]

    Returns
    -------
    int
        v0 sqrt(w(k) / w0), floored, at most 10; v0 where w0 is zero or the smile flat. [e-8]
    """
    w0 = money_variance(surface.v0_e8, remaining_ns)
    if w0 == 0 or surface.is_flat:
        return surface.v0_e8
    w = total_variance_reference(surface, remaining_ns, log_moneyness)
    return min(isqrt(surface.v0_e8 * surface.v0_e8 * w // w0), MAX_VOLATILITY_E8)


def surface_words(surface: Surface, remaining_ns: int) -> tuple[int, int, int, int, int, int, int]:
    """Return what `surface_volatility` takes after ln(F/K), of an expiry with w0 < 2**62."""
    centre, width = to_log_bits(surface.centre_e8), to_log_bits(surface.width_e8)
    return (
        surface.v0_e8,
        money_variance(surface.v0_e8, remaining_ns),
        to_log_bits(surface.slope_e8),
        to_log_bits(surface.tilt_e8),
        centre,
        width,
        _root(centre, width),
    )


@njit(cache=True, nogil=True)
def surface_volatility(
    log_moneyness: int,
    v0_e8: int,
    w0: int,
    slope: int,
    tilt: int,
    centre: int,
    width: int,
    centre_root: int,
) -> int:
    """Return the volatility of one strike; the twin of the definition on 64-bit words. [e-8].

    Bounds, with 56 fraction bits: |k| <= 2**59, so |k - m| < 2**60 and a root is below 2**61;
    a root grows no faster than k, so b |bend| <= b (1 + |rho|) |k| <= 16 = 2**60, and with
    w0 < 2**62 the variance is below 2**63. v0^2 w < 2**123; its quotient is cut at 10^18.
    """
    if w0 == 0 or slope == 0:
        return v0_e8
    k = min(max(-log_moneyness, -MAX_LOG_STRIKE), MAX_LOG_STRIKE)
    bend = product_shifted(tilt, k, LOG_BITS) + root_of_squares(k - centre, width) - centre_root
    w = max(w0 + product_shifted(slope, bend, LOG_BITS), w0 >> FLOOR_BITS)
    return root_of_word(product_quotient(v0_e8 * v0_e8, w, w0, _TOP_SQUARE))
