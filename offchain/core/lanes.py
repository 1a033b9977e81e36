"""Four 64-bit lanes at a time: the multiply-accumulate under the margin sweep.

numba compiles the plain loop over scenarios to 64-bit multiplications, which AVX2 does not have.
Lots and losses are 32 bits wide, so their products are one instruction for four scenarios; the
intrinsic below writes that down, with the nine running sums held in registers.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from offchain.core.units import SCENARIOS

Int32Array = NDArray[np.int32]

LANES = 4
VECTORS = SCENARIOS // LANES
assert VECTORS * LANES == SCENARIOS

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_NARROW = ir.VectorType(_I32, LANES)
_WIDE = ir.VectorType(_I64, LANES)


def worst_loss_reference(
    ids: Sequence[int], lots: Sequence[int], losses_e6: Sequence[Sequence[int]]
) -> int:
    """Return max(0, largest scenario sum) in unbounded integers; defines `worst_loss`."""
    return max(
        [0]
        + [
            sum(n * losses_e6[i][s] for i, n in zip(ids, lots, strict=True))
            for s in range(SCENARIOS)
        ]
    )


def _row_base(builder: ir.IRBuilder, array: Any, index: ir.Value, row: int) -> ir.Value:
    """Return the address of row `index` of a C-contiguous array of int32 rows of length `row`."""
    offset = builder.mul(index, ir.Constant(_I64, row))
    return builder.gep(array.data, [offset])


def _accumulate(
    builder: ir.IRBuilder, sums: list[ir.Value], lots: ir.Value, losses: ir.Value
) -> list[ir.Value]:
    """Add lots times one row of losses to the nine running sums."""
    seed = builder.insert_element(ir.Constant(_NARROW, ir.Undefined), lots, ir.Constant(_I32, 0))
    zeros = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    spread = builder.shuffle_vector(seed, ir.Constant(_NARROW, ir.Undefined), zeros)
    factor = builder.sext(spread, _WIDE)
    pointer = builder.bitcast(losses, _NARROW.as_pointer())
    added = []
    for vector, total in enumerate(sums):
        place = builder.gep(pointer, [ir.Constant(_I64, vector)])
        row = builder.sext(builder.load(place, align=4), _WIDE)
        added.append(builder.add(total, builder.mul(factor, row)))
    return added


def _larger(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return builder.select(builder.icmp_signed(">", a, b), a, b)


def _reduce(builder: ir.IRBuilder, sums: list[ir.Value]) -> ir.Value:
    """Return the largest of all lanes and zero."""
    worst = ir.Constant(_WIDE, [0] * LANES)
    for total in sums:
        worst = _larger(builder, worst, total)
    lanes = [builder.extract_element(worst, ir.Constant(_I32, lane)) for lane in range(LANES)]
    return _larger(
        builder, _larger(builder, lanes[0], lanes[1]), _larger(builder, lanes[2], lanes[3])
    )


def _emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[Any]) -> Any:
    """Emit a loop over positions `start..stop` whose state is the nine sums."""
    arrays = [
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
    ]
    ids, lots, losses = arrays
    start, stop = arguments[3], arguments[4]

    before = builder.block
    head = builder.append_basic_block("position.head")
    body = builder.append_basic_block("position.body")
    done = builder.append_basic_block("position.done")
    builder.branch(head)

    builder.position_at_end(head)
    place = builder.phi(_I64)
    sums = [builder.phi(_WIDE) for _ in range(VECTORS)]
    place.add_incoming(start, before)
    for total in sums:
        total.add_incoming(ir.Constant(_WIDE, [0] * LANES), before)
    builder.cbranch(builder.icmp_signed("<", place, stop), body, done)

    builder.position_at_end(body)
    row = builder.zext(builder.load(builder.gep(ids.data, [place])), _I64)
    amount = builder.load(builder.gep(lots.data, [place]))
    added = _accumulate(builder, sums, amount, _row_base(builder, losses, row, SCENARIOS))
    place.add_incoming(builder.add(place, ir.Constant(_I64, 1)), body)
    for total, new in zip(sums, added, strict=True):
        total.add_incoming(new, body)
    builder.branch(head)

    builder.position_at_end(done)
    return _reduce(builder, sums)


def _type_worst_loss(
    typing_context: Any,
    ids: Any,
    lots: Any,
    losses: Any,
    start: Any,
    stop: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Return max(0, worst scenario sum) of the flat positions ``start..stop``.

    `ids` and `lots` are C-contiguous int32 arrays addressed as if flat, `losses` is C-contiguous
    int32[ROWS, 36]; ids must lie in [0, ROWS). No bounds are checked. Exact: a product is below
    2**(24+31) and a sum of 32 below 2**60.
    """
    for array in (ids, lots, losses):
        assert isinstance(array, types.Array)
        assert array.layout == "C"
        assert array.dtype == types.int32
    signature = types.int64(ids, lots, losses, types.int64, types.int64)
    return signature, _emit


# numba's decorator hides the parameters of the call that a kernel makes; this names them again.
worst_loss = cast(
    "Callable[[Int32Array, Int32Array, Int32Array, int, int], int]", intrinsic(_type_worst_loss)
)
