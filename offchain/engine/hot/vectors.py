"""Vector instructions over the 36 sums of an account, and the few words that numba lacks.

Sums are int64, four lanes at a time and nine vectors in registers; lots and losses are 32 bits
wide, so a product is one instruction for four scenarios (see `offchain.core.lanes`). `extra` is
lots x slippage, so lots x (loss + slippage) = lots x loss + extra, exactly.

Bounds: |lots| < 2**24, |loss| < 2**31, |slippage| < 2**32: a term is below 2**56 + 2**56, and the
sums of an account are below 2**63 by the argument in `offchain.core.scan`.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from offchain.core.units import SCENARIOS
from offchain.engine.hot.layout import Int32Array, Int64Array

LANES = 4
VECTORS = SCENARIOS // LANES
assert VECTORS * LANES == SCENARIOS

_I1, _I32, _I64, _I128 = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.IntType(128)
_NARROW = ir.VectorType(_I32, LANES)
_WIDE = ir.VectorType(_I64, LANES)
_ZERO = ir.Constant(_WIDE, [0] * LANES)
_Emitted = tuple[Any, Callable[..., Any]]
_WORD = types.int64


def worst_reference(sums: Sequence[int]) -> int:
    """Return max(0, largest sum); defines `worst`."""
    return max(0, *sums)


def worst_after_reference(sums: Sequence[int], losses: Sequence[int], lots: int) -> int:
    """Return max(0, largest sum after a trade); defines `worst_after`."""
    return max([0] + [v + lots * x for v, x in zip(sums, losses, strict=True)])


def swap_order_reference(
    totals: list[int], losses: Sequence[int], old: int, old_extra: int, new: int, new_extra: int
) -> int:
    """Replace a resting order by another, in place; defines `swap_order`."""
    for s in range(SCENARIOS):
        totals[s] += max(0, new * losses[s] + new_extra) - max(0, old * losses[s] + old_extra)
    return worst_reference(totals)


def fill_order_reference(
    totals: list[int], sums: list[int], losses: Sequence[int], lots: int, extra: int
) -> None:
    """Turn `lots` of a resting order into a position, in place; defines `fill_order`."""
    for s in range(SCENARIOS):
        sums[s] += lots * losses[s]
        totals[s] += lots * losses[s] - max(0, lots * losses[s] + extra)


def _spread(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """Return a word in every lane."""
    seed = builder.insert_element(ir.Constant(_WIDE, ir.Undefined), value, ir.Constant(_I32, 0))
    zeros = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.shuffle_vector(seed, ir.Constant(_WIDE, ir.Undefined), zeros)


def _narrowed(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """Return a word in every lane, known to be 32 bits wide."""
    return _spread(builder, builder.sext(builder.trunc(value, _I32), _I64))


def _data(context: Any, builder: ir.IRBuilder, kind: Any, value: Any, offset: ir.Value) -> ir.Value:
    """Return the address of a word of an array."""
    array = context.make_array(kind)(context, builder, value)
    return builder.gep(array.data, [offset])


def _place(builder: ir.IRBuilder, address: ir.Value, kind: Any, vector: int) -> ir.Value:
    pointer = builder.bitcast(address, kind.as_pointer())
    return builder.gep(pointer, [ir.Constant(_I64, vector)])


def _load(builder: ir.IRBuilder, address: ir.Value, vector: int) -> ir.Value:
    return builder.load(_place(builder, address, _WIDE, vector), align=8)


def _store(builder: ir.IRBuilder, value: ir.Value, address: ir.Value, vector: int) -> None:
    builder.store(value, _place(builder, address, _WIDE, vector), align=8)


def _losses(builder: ir.IRBuilder, address: ir.Value, vector: int) -> ir.Value:
    return builder.sext(builder.load(_place(builder, address, _NARROW, vector), align=4), _WIDE)


def _larger(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return builder.select(builder.icmp_signed(">", a, b), a, b)


def _reduce(builder: ir.IRBuilder, worst: ir.Value) -> ir.Value:
    """Return the largest lane."""
    lanes = [builder.extract_element(worst, ir.Constant(_I32, lane)) for lane in range(LANES)]
    return _larger(
        builder, _larger(builder, lanes[0], lanes[1]), _larger(builder, lanes[2], lanes[3])
    )


def _check(rows: Any, losses: Any) -> None:
    assert rows.layout == "C"
    assert rows.dtype == types.int64
    assert losses.layout == "C"
    assert losses.dtype == types.int32


def _type_worst(typing_context: Any, rows: Any, at: Any) -> _Emitted:
    """Return max(0, largest of the 36 sums from `at`)."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        sums = _data(context, builder, signature.args[0], arguments[0], arguments[1])
        largest = _ZERO
        for vector in range(VECTORS):
            largest = _larger(builder, largest, _load(builder, sums, vector))
        return _reduce(builder, largest)

    return _WORD(rows, _WORD), emit


def _type_worst_after(
    typing_context: Any, rows: Any, at: Any, losses: Any, row: Any, lots: Any
) -> _Emitted:
    """Return max(0, largest of the 36 sums from `at` after a trade); nothing is written."""
    _check(rows, losses)

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        sums = _data(context, builder, signature.args[0], arguments[0], arguments[1])
        cells = _data(context, builder, signature.args[2], arguments[2], arguments[3])
        amount = _narrowed(builder, arguments[4])
        largest = _ZERO
        for vector in range(VECTORS):
            change = builder.mul(amount, _losses(builder, cells, vector))
            after = builder.add(_load(builder, sums, vector), change)
            largest = _larger(builder, largest, after)
        return _reduce(builder, largest)

    return _WORD(rows, _WORD, losses, _WORD, _WORD), emit


def _term(builder: ir.IRBuilder, lots: ir.Value, extra: ir.Value, cells: ir.Value) -> ir.Value:
    """Return max(0, lots x loss + extra)."""
    return _larger(builder, builder.add(builder.mul(lots, cells), extra), _ZERO)


def _type_swap_order(
    typing_context: Any,
    rows: Any,
    at: Any,
    losses: Any,
    row: Any,
    old: Any,
    old_extra: Any,
    new: Any,
    new_extra: Any,
) -> _Emitted:
    """Replace a resting order in the 36 totals from `at`; return max(0, largest of them)."""
    _check(rows, losses)

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        totals = _data(context, builder, signature.args[0], arguments[0], arguments[1])
        cells = _data(context, builder, signature.args[2], arguments[2], arguments[3])
        old_lots, new_lots = _narrowed(builder, arguments[4]), _narrowed(builder, arguments[6])
        old_more, new_more = _spread(builder, arguments[5]), _spread(builder, arguments[7])
        largest = _ZERO
        for vector in range(VECTORS):
            loss = _losses(builder, cells, vector)
            total = _load(builder, totals, vector)
            total = builder.add(total, _term(builder, new_lots, new_more, loss))
            total = builder.sub(total, _term(builder, old_lots, old_more, loss))
            _store(builder, total, totals, vector)
            largest = _larger(builder, largest, total)
        return _reduce(builder, largest)

    return _WORD(rows, _WORD, losses, _WORD, _WORD, _WORD, _WORD, _WORD), emit


def _type_fill_order(
    typing_context: Any,
    rows: Any,
    totals_at: Any,
    sums_at: Any,
    losses: Any,
    row: Any,
    lots: Any,
    extra: Any,
) -> _Emitted:
    """Turn `lots` of a resting order into a position, in totals and position sums.

    Totals change by lots x loss - max(0, lots x loss + extra) = min(lots x loss, -extra).
    """
    _check(rows, losses)

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        totals = _data(context, builder, signature.args[0], arguments[0], arguments[1])
        sums = _data(context, builder, signature.args[0], arguments[0], arguments[2])
        cells = _data(context, builder, signature.args[3], arguments[3], arguments[4])
        amount = _narrowed(builder, arguments[5])
        bound = _spread(builder, builder.neg(arguments[6]))
        for vector in range(VECTORS):
            change = builder.mul(amount, _losses(builder, cells, vector))
            _store(builder, builder.add(_load(builder, sums, vector), change), sums, vector)
            less = builder.select(builder.icmp_signed("<", change, bound), change, bound)
            _store(builder, builder.add(_load(builder, totals, vector), less), totals, vector)
        return context.get_dummy_value()

    return types.void(rows, _WORD, _WORD, losses, _WORD, _WORD, _WORD), emit


def _type_prefetch(typing_context: Any, array: Any, at: Any) -> _Emitted:
    """Ask for the cache line of word `at`; a hint, which reads nothing and cannot fail."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        address = _data(context, builder, signature.args[0], arguments[0], arguments[1])
        pointer = builder.bitcast(address, ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, _I32, _I32, _I32])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        hints = [ir.Constant(_I32, hint) for hint in (1, 3, 1)]  # to write, keep, data
        builder.call(function, [pointer, *hints])
        return context.get_dummy_value()

    return types.void(array, _WORD), emit


def _type_borrowed(typing_context: Any, array: Any) -> _Emitted:
    """Return the same array without its reference count, for the length of a kernel.

    numba counts a reference at every use of an array in a tuple, by atomic instructions that would
    cost ten times what the kernels do. The caller's tables outlive the call, so none is needed.
    """

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = ir.Constant(view.meminfo.type, None)
        view.parent = ir.Constant(view.parent.type, None)
        return view._getvalue()  # noqa: SLF001 - how numba reads a structure back

    return array(array), emit


def _type_lowest_bit(typing_context: Any, word: Any) -> _Emitted:
    """Return the place of the lowest set bit of a word that is not zero."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        return builder.cttz(arguments[0], ir.Constant(_I1, 1))

    return _WORD(_WORD), emit


def _type_highest_bit(typing_context: Any, word: Any) -> _Emitted:
    """Return the place of the highest set bit of a word that is not zero."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        zeros = builder.ctlz(arguments[0], ir.Constant(_I1, 1))
        return builder.sub(ir.Constant(_I64, 63), zeros)

    return _WORD(_WORD), emit


def _type_is_product_at_least(typing_context: Any, a: Any, b: Any, c: Any, d: Any) -> _Emitted:
    """Tell whether a x b >= c x d, in 128 bits."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        w, x, y, z = (builder.sext(value, _I128) for value in arguments)
        return builder.icmp_signed(">=", builder.mul(w, x), builder.mul(y, z))

    return types.boolean(_WORD, _WORD, _WORD, _WORD), emit


# numba's decorator hides the parameters of the calls that a kernel makes; these name them again.
worst = cast("Callable[[Int64Array, int], int]", intrinsic(_type_worst))
worst_after = cast(
    "Callable[[Int64Array, int, Int32Array, int, int], int]", intrinsic(_type_worst_after)
)
swap_order = cast(
    "Callable[[Int64Array, int, Int32Array, int, int, int, int, int], int]",
    intrinsic(_type_swap_order),
)
fill_order = cast(
    "Callable[[Int64Array, int, int, Int32Array, int, int, int], None]", intrinsic(_type_fill_order)
)
prefetch = cast("Callable[[Int64Array, int], None]", intrinsic(_type_prefetch))
borrowed = cast("Callable[[NDArray[Any]], Any]", intrinsic(_type_borrowed))
lowest_bit = cast("Callable[[int], int]", intrinsic(_type_lowest_bit))
highest_bit = cast("Callable[[int], int]", intrinsic(_type_highest_bit))
is_product_at_least = cast(
    "Callable[[int, int, int, int], bool]", intrinsic(_type_is_product_at_least)
)
