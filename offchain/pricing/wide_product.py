"""Products of 64-bit words in 128 bits, for kernels: exact, floored by an arithmetic shift.

Plain Python beside each: ``a * b >> shift`` on unbounded integers.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I128 = ir.IntType(128)
_Emitted = tuple[Any, Callable[..., Any]]


def _product(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return builder.mul(builder.sext(a, _I128), builder.sext(b, _I128))


def _shifted(builder: ir.IRBuilder, value: ir.Value, shift: ir.Value) -> ir.Value:
    return builder.ashr(value, builder.zext(shift, _I128))


def _type_product_shifted(typing_context: Any, a: Any, b: Any, shift: Any) -> _Emitted:
    """Return ``a * b >> shift``; the result must fit int64."""

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
    """Return ``(a * b - c * d) >> shift``; the result must fit int64."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        w, x, y, z, bits = arguments
        difference = builder.sub(_product(builder, w, x), _product(builder, y, z))
        return builder.trunc(_shifted(builder, difference, bits), ir.IntType(64))

    word = types.int64
    return word(word, word, word, word, word), emit


_Ternary = Callable[[int, int, int], int]
_Quaternary = Callable[[int, int, int, int], int]
_Quinary = Callable[[int, int, int, int, int], int]

# numba's decorator hides the parameters of the calls that a kernel makes; these name them again.
product_shifted = cast("_Ternary", intrinsic(_type_product_shifted))
product_saturated = cast("_Quaternary", intrinsic(_type_product_saturated))
products_difference_shifted = cast("_Quinary", intrinsic(_type_products_difference_shifted))
