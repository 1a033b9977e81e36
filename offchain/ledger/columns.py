"""Price and risk columns: what a witness opens about one underlying.

The value column of an underlying is one int64 for each listed slot, the risk column of a scenario
one int32; both are packed big-endian. `price_root` is over value columns, `risk_root` over risk
columns with leaf index ``underlying * 36 + scenario``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.units import SCENARIOS, SLOTS
from offchain.ledger.abi import unsigned
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256
from offchain.ledger.merkle import ListTree

VALUE_COLUMN = 255
"""The column number that stands for values; scenarios are 0..35."""


@dataclass(frozen=True, slots=True)
class ColumnOpening:
    """The two columns of one underlying under a price root and a risk root."""

    underlying: int
    scenario: int
    values: bytes
    losses: bytes
    value_proof: tuple[bytes, ...]
    loss_proof: tuple[bytes, ...]


def pack_values(values: Sequence[int] | NDArray[np.int64]) -> bytes:
    """Return packed int64, big-endian two's complement."""
    return np.asarray(values, np.int64).astype(">i8").tobytes()


def pack_losses(losses: Sequence[int] | NDArray[np.int32]) -> bytes:
    """Return packed int32, big-endian two's complement."""
    return np.asarray(losses, np.int32).astype(">i4").tobytes()


def unpack_values(packed: bytes) -> tuple[int, ...]:
    """Return the int64 numbers of a packed column; EncodingError when bytes are left over."""
    if len(packed) % 8:
        raise EncodingError("packed int64 come in eights of bytes")
    return tuple(np.frombuffer(packed, ">i8").tolist())


def unpack_losses(packed: bytes) -> tuple[int, ...]:
    """Return the int32 numbers of a packed column; EncodingError when bytes are left over."""
    if len(packed) % 4:
        raise EncodingError("packed int32 come in fours of bytes")
    return tuple(np.frombuffer(packed, ">i4").tolist())


def column_hash(underlying: int, column: int, packed: bytes) -> bytes:
    """Return the leaf of a packed column; `column` is a scenario, or 255 for values."""
    return keccak256(unsigned(underlying, 8) + unsigned(column, 8) + keccak256(packed))


@dataclass(frozen=True, slots=True)
class Columns:
    """All columns of one epoch, packed, with their trees.

    Attributes
    ----------
    values : tuple of bytes
        Value column of each underlying.
    losses : tuple of tuple of bytes
        Risk column of each underlying and scenario.
    """

    values: tuple[bytes, ...]
    losses: tuple[tuple[bytes, ...], ...]
    value_tree: ListTree
    loss_tree: ListTree

    @property
    def price_root(self) -> bytes:
        """List root over the value columns."""
        return self.value_tree.root

    @property
    def risk_root(self) -> bytes:
        """List root over the risk columns, leaf ``underlying * 36 + scenario``."""
        return self.loss_tree.root

    @classmethod
    def of_packed(
        cls, values: tuple[bytes, ...], losses: tuple[tuple[bytes, ...], ...]
    ) -> "Columns":
        """Return the columns with their trees."""
        value_leaves = [column_hash(u, VALUE_COLUMN, x) for u, x in enumerate(values)]
        loss_leaves = [
            column_hash(u, s, x) for u, columns in enumerate(losses) for s, x in enumerate(columns)
        ]
        return cls(values, losses, ListTree.of(value_leaves), ListTree.of(loss_leaves))

    @classmethod
    def of_arrays(
        cls, values_e6: NDArray[np.int64], losses_e6: NDArray[np.int32], slots: Sequence[int]
    ) -> "Columns":
        """Return the columns of risk arrays.

        Parameters
        ----------
        values_e6 : int64[R]
            Value of one long lot net of cumulative funding, row ``underlying * 256 + slot``.
            [USD e-6]
        losses_e6 : int32[R, 36]
            Loss of one long lot in each scenario. [USD e-6]
        slots : sequence of int
            Number of listed slots of each underlying.
        """
        rows = [slice(u * SLOTS, u * SLOTS + n) for u, n in enumerate(slots)]
        values = tuple(pack_values(values_e6[r]) for r in rows)
        return cls.of_packed(values, tuple(_packed_scenarios(losses_e6[r]) for r in rows))

    def opening(self, underlying: int, scenario: int) -> ColumnOpening:
        """Return both columns of an underlying, with their proofs."""
        place = underlying * SCENARIOS + scenario
        return ColumnOpening(
            underlying,
            scenario,
            self.values[underlying],
            self.losses[underlying][scenario],
            self.value_tree.proof(underlying),
            self.loss_tree.proof(place),
        )


def _packed_scenarios(losses_e6: NDArray[np.int32]) -> tuple[bytes, ...]:
    """Return the column of each scenario; one copy in the other byte order, then slices."""
    packed = np.ascontiguousarray(losses_e6.T).astype(">i4").tobytes()
    size = 4 * losses_e6.shape[0]
    return tuple(packed[s * size : (s + 1) * size] for s in range(SCENARIOS))
