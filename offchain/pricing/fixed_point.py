"""Logarithm, exponential and square root in integers: the definitions, run once per parameter.

Work is done with 96 fraction bits. Every intermediate is non-negative and below 2**256, every
rounding is a floor, and every loop has a fixed bound, so 256-bit words repeat it exactly.
"""

from math import isqrt

LOG_BITS = 56
"""Fraction bits of logarithms: 2**-56 is fine enough for Black-76, where a shift common to both
arguments cancels, and the log of any two prices below 2**46 and any move fits int64."""

WORK_BITS = 96
WORK_ONE = 1 << WORK_BITS
LOG_TERMS = 30
EXP_TERMS = 28
MAX_EXPONENT = 32 << LOG_BITS


def _log_of_mantissa(mantissa: int) -> int:
    """Return ln(mantissa) for a mantissa in [1, 2), both with 96 fraction bits.

    ln m = 2 artanh((m - 1) / (m + 1)), whose argument z is at most 1/3: what the series leaves
    out is below 2 z**61 / 61 < 2**-101.
    """
    z = ((mantissa - WORK_ONE) << WORK_BITS) // (mantissa + WORK_ONE)
    square = z * z >> WORK_BITS
    total, power = 0, z
    for k in range(LOG_TERMS):
        total += power // (2 * k + 1)
        power = power * square >> WORK_BITS
    return 2 * total


LN_2 = _log_of_mantissa(2 * WORK_ONE)
"""ln 2 with 96 fraction bits, from the same series."""


def ln(value: int) -> int:
    """Return the natural logarithm of a positive integer.

    Parameters
    ----------
    value : int
        In [1, 2**96).

    Returns
    -------
    int
        Rounded down; the error is below 2**-56 + 2**-80. [2**-56]
    """
    assert 1 <= value < WORK_ONE
    exponent = value.bit_length() - 1
    mantissa = value << (WORK_BITS - exponent)
    return (exponent * LN_2 + _log_of_mantissa(mantissa)) >> (WORK_BITS - LOG_BITS)


def exp(exponent: int) -> int:
    """Return e to the given power.

    Parameters
    ----------
    exponent : int
        In [-32, 32]. [2**-56]

    Returns
    -------
    int
        Rounded down; the relative error is below 2**-85, and the absolute error below 2**-56
        besides. [2**-56]
    """
    assert -MAX_EXPONENT <= exponent <= MAX_EXPONENT
    wide = exponent << (WORK_BITS - LOG_BITS)
    doublings = wide // LN_2
    rest = wide - doublings * LN_2  # in [0, ln 2)
    total, term = 0, WORK_ONE
    for k in range(1, EXP_TERMS + 1):
        total += term
        term = (term * rest >> WORK_BITS) // k
    shift = WORK_BITS - LOG_BITS - doublings
    return total >> shift if shift >= 0 else total << -shift


def square_root(numerator: int, denominator: int, bits: int) -> int:
    """Return floor(sqrt(numerator / denominator) * 2**bits), exactly."""
    assert numerator >= 0
    assert denominator > 0
    return isqrt((numerator << 2 * bits) // denominator)
