"""Charge and collateral columns: what a lot adds to a requirement, what a token adds to a balance.

Packed big-endian. A row of charges has 21 bytes: delta i32 | roll i32 | long u32 | short u32 |
unwind u32 | group u8, the charges of MM only. Collateral has 64 bytes for each asset: four brackets
of upper amount u64 [token e-8] and credit of a unit u64 [USD e-8]; unused ones are zero.
`contracts/libraries/Charges.sol` and `Collateral.sol` read them.
"""

from collections.abc import Sequence
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from offchain.core.addons import COLUMNS, GROUPS, Charge
from offchain.core.collateral import CreditCurve
from offchain.core.model_rules import MAX_BRACKETS
from offchain.ledger.errors import EncodingError

_ROW = np.dtype(
    [
        ("delta", ">i4"),
        ("roll", ">i4"),
        ("long", ">u4"),
        ("short", ">u4"),
        ("unwind", ">u4"),
        ("group", "u1"),
    ]
)
_PLACES = (
    Charge.DELTA,
    Charge.ROLL,
    Charge.LONG,
    Charge.SHORT,
    Charge.UNWIND,
    Charge.GROUP,
)
CHARGE_BYTES = _ROW.itemsize
_BRACKET = Struct(">QQ")
ASSET_BYTES = MAX_BRACKETS * _BRACKET.size

ChargeRow = tuple[int, ...]
"""In the order of `Charge`; what belongs to IM alone is zero."""


def pack_charges(charges: NDArray[np.int64]) -> bytes:
    """Return the packed charge column of rows int64[n, COLUMNS].

    Raises
    ------
    EncodingError
        A charge does not fit its field.
    """
    packed = np.empty(len(charges), _ROW)
    for name, place in zip(_ROW.names or (), _PLACES, strict=True):
        column = charges[:, place]
        low, high = (0, GROUPS - 1) if name == "group" else _limits(name)
        if len(column) and not (low <= column.min() and column.max() <= high):
            raise EncodingError(f"a charge {name} leaves [{low}, {high}]")
        packed[name] = column
    return packed.tobytes()


def _limits(name: str) -> tuple[int, int]:
    info = np.iinfo(_ROW[name])
    return int(info.min), int(info.max)


def unpack_charges(packed: bytes) -> tuple[ChargeRow, ...]:
    """Return the rows of a packed charge column; EncodingError when bytes are left over."""
    if len(packed) % CHARGE_BYTES:
        raise EncodingError(f"packed charges come in {CHARGE_BYTES} bytes")
    rows = []
    for values in np.frombuffer(packed, _ROW).tolist():
        row = [0] * COLUMNS
        for place, value in zip(_PLACES, values, strict=True):
            row[place] = value
        rows.append(tuple(row))
    return tuple(rows)


def pack_collateral(curves: Sequence[CreditCurve]) -> bytes:
    """Return the packed collateral column of the credit curve of each asset.

    Raises
    ------
    EncodingError
        A curve has more than four brackets, or a number does not fit 64 bits.
    """
    return b"".join([_pack_curve(curve) for curve in curves])


def _pack_curve(curve: CreditCurve) -> bytes:
    if len(curve) > MAX_BRACKETS:
        raise EncodingError(f"an asset has at most {MAX_BRACKETS} brackets")
    for step in curve:
        if not all(0 <= number < 1 << 64 for number in step):
            raise EncodingError(f"the bracket {step} does not fit")
    return b"".join([_BRACKET.pack(*step) for step in curve]).ljust(ASSET_BYTES, b"\0")


def unpack_collateral(packed: bytes) -> tuple[CreditCurve, ...]:
    """Return the credit curves of a packed column; EncodingError when bytes are left over.

    Unused brackets at the end of a curve are left out. One between others, which no engine writes,
    stays and means what it means on chain.
    """
    if len(packed) % ASSET_BYTES:
        raise EncodingError(f"packed collateral comes in {ASSET_BYTES} bytes")
    steps = list(_BRACKET.iter_unpack(packed))
    assets = [steps[i : i + MAX_BRACKETS] for i in range(0, len(steps), MAX_BRACKETS)]
    return tuple(tuple(curve[: _used(curve)]) for curve in assets)


def _used(curve: Sequence[tuple[int, int]]) -> int:
    return max((place for place, (upto, _) in enumerate(curve, start=1) if upto), default=0)
