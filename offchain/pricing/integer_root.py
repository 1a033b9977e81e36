"""Square roots of wide integers on 64-bit words, for kernels: exact floors, no float for a seed.

Plain Python beside each: `math.isqrt`.
"""

from numba import njit

from offchain.pricing.wide_product import products_difference_shifted

_DIGIT_BITS = 31
_WORD_BITS = 2 * _DIGIT_BITS
_WORD_MASK = (1 << _WORD_BITS) - 1
_DIGIT_MASK = (1 << _DIGIT_BITS) - 1
_TOP = 1 << (_WORD_BITS - 2)
"""A word at or above this has its leading pair of bits set."""


@njit(cache=True, nogil=True)
def root_of_word(value: int) -> int:
    """Return floor(sqrt(value)) for a value in [0, 2**62), one binary digit a step.

    Invariant: root is the floor of the root of the bits taken so far, shifted to where they
    stand, and rest is what its square leaves. At most 31 steps.
    """
    rest, root, bit = value, 0, _TOP
    while bit > value:
        bit >>= 2
    while bit:
        if rest >= root + bit:
            rest -= root + bit
            root = (root >> 1) + bit
        else:
            root >>= 1
        bit >>= 2
    return root


@njit(cache=True, nogil=True)
def root_of_squares(x: int, y: int) -> int:
    """Return floor(sqrt(x**2 + y**2)) for |x|, |y| < 2**61.

    The sum has two words of 62 bits. It is shifted left by pairs until the upper word has its
    leading pair; then one division turns the root s and rest r of the upper word into the root of
    both (Zimmermann 1999, "Karatsuba square root"): with the lower word a 2**31 + b,
    q = (r 2**31 + a) // 2s and u its rest, the root is s 2**31 + q, or one less where
    u 2**31 + b < q**2. As floor(sqrt(4**j n)) >> j = floor(sqrt(n)), the shift leaves no trace.

    Bounds: r <= 2s < 2**32, so r 2**31 + a and u 2**31 + b are below 2**63; q <= 2**31.
    """
    high = products_difference_shifted(x, x, -y, y, _WORD_BITS)
    low = products_difference_shifted(x, x, -y, y, 0) & _WORD_MASK
    if high == 0:
        return root_of_word(low)
    pairs = 0
    while high < _TOP:
        high = high << 2 | low >> (_WORD_BITS - 2)
        low = low << 2 & _WORD_MASK
        pairs += 1
    root = root_of_word(high)
    dividend = ((high - root * root) << _DIGIT_BITS) + (low >> _DIGIT_BITS)
    quotient = dividend // (2 * root)
    rest = ((dividend - 2 * root * quotient) << _DIGIT_BITS) + (low & _DIGIT_MASK)
    whole = (root << _DIGIT_BITS) + quotient
    if rest < quotient * quotient:
        whole -= 1
    return whole >> pairs
