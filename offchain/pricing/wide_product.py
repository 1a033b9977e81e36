"""Products and quotients of 64-bit words in 128 bits, for kernels: exact and floored.

Plain Python beside each: ``a * b >> shift`` or ``a * b // c`` on unbounded integers.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I64 = ir.IntType(64)
_I128 = ir.IntType(128)
_HALF = 32
_LOW_HALF = (1 << _HALF) - 1
_Emitted = tuple[Any, Callable[..., Any]]


def _product(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return builder.mul(builder.sext(a, _I128), builder.sext(b, _I128))


def _shifted(builder: ir.IRBuilder, value: ir.Value, shift: ir.Value) -> ir.Value:
    return builder.ashr(value, builder.zext(shift, _I128))


def _type_product_shifted(typing_context: Any, a: Any, b: Any, shift: Any) -> _Emitted:
    """Return ``a * b >> shift``, of which the low 64 bits are kept."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        x, y, bits = arguments
        return builder.trunc(_shifted(builder, _product(builder, x, y), bits), ir.IntType(64))

    return types.int64(types.int64, types.int64, types.int64), emit


def _type_product_saturated(
    typing_context: Any, a: Any, b: Any, shift: Any, limit: Any
) -> _Emitted:
    """Return ``min(max(a * b >> shift, -limit), limit)``.

    The comparison is made on 128 bits: narrowed first, a large product would wrap.
    """

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        x, y, bits, bound = arguments
        value = _shifted(builder, _product(builder, x, y), bits)
        high = builder.sext(bound, _I128)
        low = builder.neg(high)
        value = builder.select(builder.icmp_signed(">", value, high), high, value)
        value = builder.select(builder.icmp_signed("<", value, low), low, value)
        return builder.trunc(value, ir.IntType(64))

    return types.int64(types.int64, types.int64, types.int64, types.int64), emit


def _type_products_difference_shifted(
    typing_context: Any, a: Any, b: Any, c: Any, d: Any, shift: Any
) -> _Emitted:
    """Return ``(a * b - c * d) >> shift``, of which the low 64 bits are kept."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        w, x, y, z, bits = arguments
        difference = builder.sub(_product(builder, w, x), _product(builder, y, z))
        return builder.trunc(_shifted(builder, difference, bits), ir.IntType(64))

    word = types.int64
    return word(word, word, word, word, word), emit


def _quotient_digit(
    builder: ir.IRBuilder, rest: ir.Value, digit: ir.Value, divisor: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """Return quotient and rest of (rest x 2**32 + digit) by a divisor of 64 bits, rest below it.

    With the top bit of the divisor set and h its upper half, rest // h exceeds the true quotient
    by at most 2: rest / h - rest / (h + 1) < (h + 1) 2**32 / (h (h + 1)) <= 2 (Knuth 1969,
    section 4.3.1, theorem B, for two digits). So two corrections are enough.
    """
    guess = builder.udiv(rest, builder.lshr(divisor, _I64(_HALF)))
    wide = builder.zext(divisor, _I128)
    dividend = builder.or_(
        builder.shl(builder.zext(rest, _I128), _I128(_HALF)), builder.zext(digit, _I128)
    )
    left = builder.sub(dividend, builder.mul(builder.zext(guess, _I128), wide))
    for _ in range(2):
        over = builder.icmp_signed("<", left, _I128(0))
        guess = builder.sub(guess, builder.zext(over, _I64))
        left = builder.add(left, builder.select(over, wide, _I128(0)))
    return guess, builder.trunc(left, _I64)


def _quotient(builder: ir.IRBuilder, dividend: ir.Value, divisor: ir.Value) -> ir.Value:
    """Return a quotient below 2**63, by long division in two digits of 32 bits."""
    free = builder.ctlz(divisor, ir.IntType(1)(0))
    scaled = builder.shl(divisor, free)
    wide = builder.shl(dividend, builder.zext(free, _I128))
    low = builder.trunc(wide, _I64)
    top = builder.trunc(builder.lshr(wide, _I128(64)), _I64)
    high, rest = _quotient_digit(builder, top, builder.lshr(low, _I64(_HALF)), scaled)
    last, _ = _quotient_digit(builder, rest, builder.and_(low, _I64(_LOW_HALF)), scaled)
    return builder.add(builder.shl(high, _I64(_HALF)), last)


def _type_product_quotient(typing_context: Any, a: Any, b: Any, c: Any, limit: Any) -> _Emitted:
    """Return ``min(a * b // c, limit)`` for a, b, limit >= 0 and c > 0.

    a b // c >= limit is a b >= limit c, which is asked first on 128 bits; what remains has a
    quotient below 2**63. Where the answer is the limit, the division runs on and is not used.
    """

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        x, y, divisor, bound = arguments
        dividend = _product(builder, x, y)
        full = builder.icmp_signed(">=", dividend, _product(builder, bound, divisor))
        return builder.select(full, bound, _quotient(builder, dividend, divisor))

    return types.int64(types.int64, types.int64, types.int64, types.int64), emit


_Ternary = Callable[[int, int, int], int]
_Quaternary = Callable[[int, int, int, int], int]
_Quinary = Callable[[int, int, int, int, int], int]

# numba's decorator hides the parameters of the calls that a kernel makes; these name them again.
product_shifted = cast("_Ternary", intrinsic(_type_product_shifted))
product_quotient = cast("_Quaternary", intrinsic(_type_product_quotient))
product_saturated = cast("_Quaternary", intrinsic(_type_product_saturated))
products_difference_shifted = cast("_Quinary", intrinsic(_type_products_difference_shifted))
