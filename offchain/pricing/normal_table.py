"""The normal distribution function N(x) as a table of polynomials, in integers.

Layout of `NORMAL_TABLE`, int64[2560]: segment ``i`` covers x in [i/64, (i+1)/64), i < 512, and its
five coefficients, lowest power first, stand at ``5 i .. 5 i + 4`` with 62 fraction bits:

    N(x) = c0 + t (c1 + t (c2 + t (c3 + t c4))),   t = 128 (x - centre of the segment) in [-1, 1)

where every product is shifted right by 62. For x >= 8, N is what it is just below 8; for x < 0,
N(x) = 1 - N(-x). 20,480 bytes: it fits the code of one contract.

Accuracy: |error| < 3e-14 on the whole line (the cut at 8 costs 6.3e-16).

The table is computed when the module is imported (about 10 ms), from nothing but integers: Taylor
series around each centre with 160 fraction bits, whose powers 5 to 8 are folded into the lower ones
by the Chebyshev polynomials (economisation: Lanczos 1938). `tests` pin its hash.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

PROBABILITY_BITS = 62
PROBABILITY_ONE = 1 << PROBABILITY_BITS
SEGMENT_BITS = 6
SEGMENTS = 512
COEFFICIENTS = 5
LIMIT = SEGMENTS >> SEGMENT_BITS
"""Where the table ends: beyond, N is what it is just below."""

_BITS = 160  # of the work; `density_at_zero` has as many
_ONE = 1 << _BITS
_TERMS = 26  # of the series that steps from one centre to the next, (1/64)**26 < 2**-155
_DEGREE = 8

# t**n less a multiple of the Chebyshev polynomial T_n, as (divisor, lower coefficients).
_FOLDS: dict[int, tuple[int, tuple[int, ...]]] = {
    5: (16, (0, -5, 0, 20, 0)),
    6: (32, (1, 0, -18, 0, 48, 0)),
    7: (64, (0, 7, 0, -56, 0, 112, 0)),
    8: (128, (-1, 0, 32, 0, -160, 0, 256, 0)),
}


def _arctangent_of_inverse(n: int) -> int:
    """Return arctan(1/n) for an integer n > 1."""
    power = total = _ONE // n
    for k in range(1, _BITS):
        power //= n * n
        term = power // (2 * k + 1)
        total += -term if k % 2 else term
    return total


def density_at_zero() -> int:
    """Return 1 / sqrt(2 pi) with 160 fraction bits, pi by Machin's formula (1706)."""
    pi = 4 * (4 * _arctangent_of_inverse(5) - _arctangent_of_inverse(239))
    return isqrt((_ONE << 2 * _BITS) // (2 * pi))


def _density_series(numerator: int, density: int) -> list[int]:
    """Return the Taylor coefficients of the density around numerator/128.

    From f' = -x f: (k + 1) a[k+1] = -(c a[k] + a[k-1]).
    """
    series = [density, -(numerator * density >> 7)]
    for k in range(1, _TERMS):
        series.append(-((numerator * series[k] >> 7) + series[k - 1]) // (k + 1))
    return series


def _step(series: Sequence[int], shift: int) -> tuple[int, int]:
    """Return density and growth of N at distance 2**-shift from the centre."""
    density = sum(a >> shift * k for k, a in enumerate(series))
    growth = sum((a >> shift * (k + 1)) // (k + 1) for k, a in enumerate(series))
    return density, growth


def _fold(polynomial: list[int]) -> list[int]:
    """Lower the degree to 4, each time by the polynomial of least deviation on [-1, 1]."""
    for degree in range(_DEGREE, COEFFICIENTS - 1, -1):
        divisor, lower = _FOLDS[degree]
        top = polynomial.pop()
        for power, factor in enumerate(lower):
            polynomial[power] += top * factor // divisor
    return polynomial


def _round(value: int) -> int:
    """Round from 160 to 62 fraction bits, halves up."""
    drop = _BITS - PROBABILITY_BITS
    return (value + (1 << (drop - 1))) >> drop


def normal_coefficients() -> list[int]:
    """Return the flat table as Python integers; this defines `NORMAL_TABLE`."""
    table: list[int] = []
    density, growth = _step(_density_series(0, density_at_zero()), 7)
    value = _ONE // 2 + growth
    for segment in range(SEGMENTS):
        series = _density_series(2 * segment + 1, density)
        powers = range(1, _DEGREE + 1)  # of t, which counts half segments of 2**-7
        polynomial = [value, *((series[k - 1] // k) >> 7 * k for k in powers)]
        table.extend(_round(c) for c in _fold(polynomial))
        density, growth = _step(series, SEGMENT_BITS)
        value += growth
    return table


NORMAL_TABLE: NDArray[np.int64] = np.array(normal_coefficients(), np.int64)
NORMAL_TABLE.setflags(write=False)
