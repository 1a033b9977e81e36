"""Eight 64-bit lanes at a time: the multiply-accumulate under every margin kernel.

numba compiles the plain loop over scenarios to 64-bit multiplications, which are several
instructions each. Lots and losses are 32 bits wide, so their products are one instruction for all
lanes; the intrinsics below write that down, with the running sums held in registers.

Sixteen neighbouring losses are loaded as eight 64-bit lanes. The multiplication reads the low half
of a lane, which is the even loss as it stands; one shift brings down the odd one. Nothing is
widened on the way, and the order of the sums does not matter to a maximum. A processor with
narrower vectors works through the same lanes in two or four steps.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from offchain.core.units import ROWS, SCENARIOS

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
Triple = tuple[int, int, int]

LANES = 8
BLOCK = 2 * LANES
"""Losses that one load brings: an even and an odd one in each lane."""
PAIR = 2 * BLOCK
"""Losses whose sums `block_sums` holds in registers at once."""
TAIL = 4
WHOLE = 2 * BLOCK
"""int32 of a packed row: 32 losses as they are, two cache lines."""
WIDENED = 2 * TAIL
"""int32 of the rest of a row: four losses widened to 64 bits.

They stand behind all the rows, in 16 KiB that stay in the first-level cache, so that a position
brings two lines from the second level and not three.
"""
LINE = 64
assert 2 * BLOCK + TAIL == SCENARIOS

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_WIDE = ir.VectorType(_I64, LANES)
_NARROW = ir.VectorType(_I64, TAIL)


def worst_loss_reference(
    ids: Sequence[int], lots: Sequence[int], losses_e6: Sequence[Sequence[int]]
) -> int:
    """Return max(0, largest scenario sum) in unbounded integers; defines `position_bounds`."""
    return max(
        [0]
        + [
            sum(n * losses_e6[i][s] for i, n in zip(ids, lots, strict=True))
            for s in range(SCENARIOS)
        ]
    )


@njit(cache=True, nogil=True)
def pack_losses(losses_e6: Int32Array, packed: Int32Array) -> None:
    """Write rows of 36 losses in the order that `position_bounds` loads them.

    Parameters
    ----------
    losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario. [USD e-6]
    packed : int32[ROWS * 40]
        Overwritten; from `packed_space`.
    """
    for row in range(ROWS):
        for s in range(WHOLE):
            packed[row * WHOLE + s] = losses_e6[row, s]
        for s in range(TAIL):
            place = ROWS * WHOLE + row * WIDENED + 2 * s
            packed[place] = losses_e6[row, WHOLE + s]  # the half above it is never read


def packed_space() -> Int32Array:
    """Return zeroed space for packed losses that begins on a cache line."""
    size = ROWS * (WHOLE + WIDENED)
    space = np.zeros(size + LINE // 4, np.int32)
    start = -(space.ctypes.data // 4) % (LINE // 4)
    return space[start : start + size]


def packed_losses(losses_e6: Int32Array) -> Int32Array:
    """Return the losses of one report packed for `position_bounds`."""
    packed = packed_space()
    pack_losses(losses_e6, packed)
    return packed


def _spread(builder: ir.IRBuilder, lots: ir.Value, wide: ir.VectorType) -> ir.Value:
    """Return the lots in every 64-bit lane; one load that repeats 32 bits does it."""
    halves = ir.VectorType(_I32, 2 * wide.count)
    empty = ir.Constant(halves, ir.Undefined)
    seed = builder.insert_element(empty, lots, ir.Constant(_I32, 0))
    zeros = ir.Constant(halves, [0] * halves.count)
    return _low(builder, builder.bitcast(builder.shuffle_vector(seed, empty, zeros), wide))


def _low(builder: ir.IRBuilder, pairs: ir.Value) -> ir.Value:
    """Sign-extend the low half of each lane; the multiplication does that by itself."""
    half = ir.Constant(pairs.type, [32] * pairs.type.count)
    return builder.ashr(builder.shl(pairs, half), half)


def _high(builder: ir.IRBuilder, pairs: ir.Value) -> ir.Value:
    """Sign-extend the high half of each lane, as a load that repeats the odd places."""
    halves = ir.VectorType(_I32, 2 * pairs.type.count)
    odd = ir.Constant(halves, [place | 1 for place in range(halves.count)])
    losses = builder.bitcast(pairs, halves)
    repeated = builder.shuffle_vector(losses, ir.Constant(halves, ir.Undefined), odd)
    return _low(builder, builder.bitcast(repeated, pairs.type))


def _load(builder: ir.IRBuilder, row: ir.Value, column: int, kind: ir.VectorType) -> ir.Value:
    place = builder.gep(row, [ir.Constant(_I64, column)])
    return builder.load(builder.bitcast(place, kind.as_pointer()), align=4)


def _add_blocks(
    builder: ir.IRBuilder, sums: Sequence[ir.Value], lots: ir.Value, row: ir.Value
) -> list[ir.Value]:
    """Add lots times two blocks of losses to four running sums."""
    factor = _spread(builder, lots, _WIDE)
    added = []
    for block in range(2):
        pairs = _load(builder, row, block * BLOCK, _WIDE)
        for total, loss in zip(
            sums[2 * block : 2 * block + 2],
            (_low(builder, pairs), _high(builder, pairs)),
            strict=True,
        ):
            added.append(builder.add(total, builder.mul(factor, loss)))
    return added


def _add_packed(
    builder: ir.IRBuilder, sums: Sequence[ir.Value], lots: ir.Value, row: ir.Value, rest: ir.Value
) -> list[ir.Value]:
    """Add lots times one packed row and the rest of it to the five running sums."""
    tail = _low(builder, _load(builder, rest, 0, _NARROW))
    product = builder.mul(_spread(builder, lots, _NARROW), tail)
    return [*_add_blocks(builder, sums[:4], lots, row), builder.add(sums[4], product)]


def _larger(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return builder.select(builder.icmp_signed(">", a, b), a, b)


def _half(builder: ir.IRBuilder, whole: ir.Value, start: int) -> ir.Value:
    lanes = ir.Constant(ir.VectorType(_I32, TAIL), list(range(start, start + TAIL)))
    return builder.shuffle_vector(whole, ir.Constant(_WIDE, ir.Undefined), lanes)


def _reduce(builder: ir.IRBuilder, sums: Sequence[ir.Value]) -> ir.Value:
    """Return the largest of all lanes and zero."""
    a, b, c, d, tail = sums
    whole = _larger(builder, _larger(builder, a, b), _larger(builder, c, d))
    worst = _larger(builder, _half(builder, whole, 0), _half(builder, whole, TAIL))
    worst = _larger(builder, worst, _larger(builder, tail, ir.Constant(_NARROW, [0] * TAIL)))
    lanes = [builder.extract_element(worst, ir.Constant(_I32, lane)) for lane in range(TAIL)]
    return _larger(
        builder, _larger(builder, lanes[0], lanes[1]), _larger(builder, lanes[2], lanes[3])
    )


_Add = Callable[[Sequence[ir.Value], ir.Value, ir.Value], list[ir.Value]]
"""(running sums, lots, instrument) to the new sums."""


def _zero(kind: ir.Type) -> ir.Constant:
    return ir.Constant(kind, [0] * kind.count if isinstance(kind, ir.VectorType) else 0)


def _loop(
    builder: ir.IRBuilder,
    arrays: Sequence[Any],
    span: tuple[ir.Value, ir.Value],
    kinds: Sequence[ir.Type],
    add: _Add,
) -> list[ir.Value]:
    """Emit a loop over positions `span` whose state is the running sums; return them."""
    ids, lots = arrays
    zeros = [_zero(kind) for kind in kinds]
    before = builder.block
    head = builder.append_basic_block("position.head")
    body = builder.append_basic_block("position.body")
    done = builder.append_basic_block("position.done")
    builder.branch(head)

    builder.position_at_end(head)
    place = builder.phi(_I64)
    sums = [builder.phi(kind) for kind in kinds]
    place.add_incoming(span[0], before)
    for total, zero in zip(sums, zeros, strict=True):
        total.add_incoming(zero, before)
    builder.cbranch(builder.icmp_signed("<", place, span[1]), body, done)

    builder.position_at_end(body)
    number = builder.zext(builder.load(builder.gep(ids.data, [place])), _I64)
    amount = builder.load(builder.gep(lots.data, [place]))
    added = add(sums, amount, number)
    place.add_incoming(builder.add(place, ir.Constant(_I64, 1)), body)
    for total, new in zip(sums, added, strict=True):
        total.add_incoming(new, body)
    builder.branch(head)

    builder.position_at_end(done)
    return sums


def _arrays(
    context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[Any], count: int
) -> list[Any]:
    pairs = zip(signature.args[:count], arguments[:count], strict=True)
    return [context.make_array(kind)(context, builder, value) for kind, value in pairs]


def _check(*arrays: Any) -> None:
    for array in arrays:
        assert isinstance(array, types.Array)
        assert array.layout == "C"


_SUMS = (*[_WIDE] * 4, _NARROW)


def _packed_adder(builder: ir.IRBuilder, packed: Any) -> _Add:
    """Return what adds lots times a packed row to five running sums."""

    def add(sums: Sequence[ir.Value], amount: ir.Value, number: ir.Value) -> list[ir.Value]:
        row = builder.gep(packed.data, [builder.mul(number, _I64(WHOLE))])
        place = builder.add(builder.mul(number, _I64(WIDENED)), _I64(ROWS * WHOLE))
        return _add_packed(builder, sums, amount, row, builder.gep(packed.data, [place]))

    return add


def _emit_bounds(
    context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[Any]
) -> Any:
    ids, lots, packed, values, rates = _arrays(context, builder, signature, arguments, 5)
    span = arguments[5], arguments[6]
    add_row = _packed_adder(builder, packed)

    def add(sums: Sequence[ir.Value], amount: ir.Value, number: ir.Value) -> list[ir.Value]:
        count = builder.sext(amount, _I64)
        size = _larger(builder, count, builder.neg(count))
        value = builder.mul(count, builder.load(builder.gep(values.data, [number])))
        gross = builder.mul(size, builder.load(builder.gep(rates.data, [number])))
        more = builder.add(sums[5], value), builder.add(sums[6], gross)
        return [*add_row(sums[:5], amount, number), *more]

    sums = _loop(builder, (ids, lots), span, (*_SUMS, _I64, _I64), add)
    results = [_reduce(builder, sums[:5]), *sums[5:]]
    return context.make_tuple(builder, signature.return_type, results)


def _type_position_bounds(
    typing_context: Any,
    ids: Any,
    lots: Any,
    packed: Any,
    values: Any,
    rates: Any,
    start: Any,
    stop: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Return max(0, worst scenario sum), sum(lots * value) and sum(|lots| * rate).

    Of the flat positions ``start..stop``: `ids` and `lots` are C-contiguous int32 arrays addressed
    as if flat, `packed` is what `pack_losses` wrote, `values` and `rates` are C-contiguous
    int64[ROWS]; ids must lie in [0, ROWS). No bounds are checked. Exact: a product is below
    2**(24+31) and a sum of 32 below 2**60. In one loop with the vectors, the scalar sums
    cost almost nothing; compiled apart, they become gathers, which are slow for a few positions.
    """
    _check(ids, lots, packed, values, rates)
    assert ids.dtype == lots.dtype == packed.dtype == types.int32
    assert values.dtype == rates.dtype == types.int64
    triple: Any = types.UniTuple(types.int64, 3)  # type: ignore[no-untyped-call] # numba's
    return triple(ids, lots, packed, values, rates, types.int64, types.int64), _emit_bounds


def _emit_block(
    context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[Any]
) -> Any:
    ids, lots, losses, out = _arrays(context, builder, signature, arguments, 4)
    start, stop, stride, column = arguments[4:]
    first = builder.gep(losses.data, [column])

    def add(sums: Sequence[ir.Value], amount: ir.Value, number: ir.Value) -> list[ir.Value]:
        row = builder.gep(first, [builder.mul(number, stride)])
        return _add_blocks(builder, sums, amount, row)

    sums = _loop(builder, (ids, lots), (start, stop), [_WIDE] * 4, add)
    base = builder.gep(out.data, [column])
    for k, total in enumerate(sums):
        place = builder.gep(base, [ir.Constant(_I64, k * LANES)])
        builder.store(total, builder.bitcast(place, _WIDE.as_pointer()), align=8)
    return context.get_dummy_value()


def _type_block_sums(
    typing_context: Any,
    ids: Any,
    lots: Any,
    losses: Any,
    out: Any,
    start: Any,
    stop: Any,
    stride: Any,
    column: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Write the sums of columns ``column..column + 32`` over the flat positions ``start..stop``.

    `losses` is C-contiguous int32 with rows of length `stride`, `out` int64 with a place for each
    column. The 32 sums stand in the order of their lanes, not of their columns. No bounds are
    checked; exact as in `position_bounds`.
    """
    _check(ids, lots, losses, out)
    assert ids.dtype == lots.dtype == losses.dtype == types.int32
    assert out.dtype == types.int64
    number = types.int64
    signature = types.void(ids, lots, losses, out, number, number, number, number)
    return signature, _emit_block


def _type_prefetch(typing_context: Any, array: Any, place: Any) -> tuple[Any, Callable[..., Any]]:
    """Ask for the cache line of a flat place of a C-contiguous array; changes no result.

    A place outside the array is harmless: a prefetch never faults.
    """
    _check(array)

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        (holder,) = _arrays(context, builder, signature, arguments, 1)
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _I32, _I32, _I32])
        request = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        address = builder.bitcast(builder.gep(holder.data, [arguments[1]]), byte)
        for_reading, keep, data = (ir.Constant(_I32, n) for n in (0, 3, 1))
        builder.call(request, [address, for_reading, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), emit


# numba's decorator hides the parameters of the calls that a kernel makes; these name them again.
position_bounds = cast(
    "Callable[[Int32Array, Int32Array, Int32Array, Int64Array, Int64Array, int, int], Triple]",
    intrinsic(_type_position_bounds),
)
block_sums = cast(
    "Callable[[Int32Array, Int32Array, Int32Array, Int64Array, int, int, int, int], None]",
    intrinsic(_type_block_sums),
)
prefetch = cast("Callable[[Int32Array | Int64Array, int], None]", intrinsic(_type_prefetch))
