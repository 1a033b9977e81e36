"""The columns of an epoch: what a witness opens of prices, losses, charges and collateral.

The value and the funding column of an underlying are one int64 for each listed slot, the risk
column of a scenario one int32, the charge column one row of `charge_columns`; all are packed
big-endian. `price_root` is over the value and the funding column of each underlying in turn,
`risk_root` over risk columns with leaf index ``underlying * 36 + scenario``, `charge_root` over the
collateral column and then the charge columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from offchain.core.collateral import CreditCurve
from offchain.core.units import SCENARIOS, SLOTS
from offchain.ledger.abi import unsigned
from offchain.ledger.charge_columns import pack_charges, pack_collateral
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256
from offchain.ledger.merkle import ListTree

VALUE_COLUMN = 255
"""The column number that stands for values; scenarios are 0..35."""
CHARGE_COLUMN = 254
COLLATERAL_COLUMN = 253
FUNDING_COLUMN = 252
COLLATERAL_UNDERLYING = 255
"""The collateral column belongs to no underlying."""
COLLATERAL_PLACE = 0
"""Its place under the charge root; the charge column of underlying `u` is at ``u + 1``."""


@dataclass(frozen=True, slots=True)
class ColumnOpening:
    """The columns of one underlying under the roots of an epoch.

    Scenario and losses are for portfolio accounts, and zero and empty for others. Charges and their
    proof are empty when they are not opened.
    """

    underlying: int
    scenario: int
    values: bytes
    losses: bytes
    value_proof: tuple[bytes, ...]
    loss_proof: tuple[bytes, ...]
    charges: bytes = b""
    charge_proof: tuple[bytes, ...] = ()

    @property
    def has_charges(self) -> bool:
        """Whether the charges of the underlying are opened."""
        return bool(self.charges or self.charge_proof)


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
    """Return the leaf of a packed column; `column` is a scenario, or 255, 254, 253 or 252."""
    return keccak256(_column_head(underlying, column) + keccak256(packed))


@cache
def _column_head(underlying: int, column: int) -> bytes:
    """Return the two words before a column's own hash; there are 2**16 of them at most."""
    return unsigned(underlying, 8) + unsigned(column, 8)


@dataclass(frozen=True, slots=True)
class Columns:
    """All columns of one epoch, packed, with their trees.

    Attributes
    ----------
    values, fundings : tuple of bytes
        Value column and funding column of each underlying.
    losses : tuple of tuple of bytes
        Risk column of each underlying and scenario.
    charges : tuple of bytes
        Charge column of each underlying.
    collateral : bytes
        The collateral column.
    """

    values: tuple[bytes, ...]
    fundings: tuple[bytes, ...]
    losses: tuple[tuple[bytes, ...], ...]
    charges: tuple[bytes, ...]
    collateral: bytes
    value_tree: ListTree
    loss_tree: ListTree
    charge_tree: ListTree

    @property
    def price_root(self) -> bytes:
        """List root over the value and funding columns, leaves ``2 * underlying`` and one more."""
        return self.value_tree.root

    @property
    def risk_root(self) -> bytes:
        """List root over the risk columns, leaf ``underlying * 36 + scenario``."""
        return self.loss_tree.root

    @property
    def charge_root(self) -> bytes:
        """List root over the collateral column and the charge columns."""
        return self.charge_tree.root

    @classmethod
    def of_packed(
        cls,
        values: tuple[bytes, ...],
        fundings: tuple[bytes, ...],
        losses: tuple[tuple[bytes, ...], ...],
        charges: tuple[bytes, ...],
        collateral: bytes,
    ) -> "Columns":
        """Return the columns with their trees."""
        value_leaves = [
            column_hash(u, column, packed)
            for u, pair in enumerate(zip(values, fundings, strict=True))
            for column, packed in zip((VALUE_COLUMN, FUNDING_COLUMN), pair, strict=True)
        ]
        loss_leaves = [
            column_hash(u, s, x) for u, columns in enumerate(losses) for s, x in enumerate(columns)
        ]
        charge_leaves = [
            column_hash(COLLATERAL_UNDERLYING, COLLATERAL_COLUMN, collateral),
            *[column_hash(u, CHARGE_COLUMN, x) for u, x in enumerate(charges)],
        ]
        trees = [ListTree.of(x) for x in (value_leaves, loss_leaves, charge_leaves)]
        return cls(values, fundings, losses, charges, collateral, *trees)

    @classmethod
    def of_arrays(
        cls,
        values_e6: NDArray[np.int64],
        funding_e6: NDArray[np.int64],
        losses_e6: NDArray[np.int32],
        charges: NDArray[np.int64],
        credits_e8: Sequence[CreditCurve],
        slots: Sequence[int],
    ) -> "Columns":
        """Return the columns of risk arrays.

        Parameters
        ----------
        values_e6 : int64[R]
            Value of one long lot net of cumulative funding, row ``underlying * 256 + slot``.
            [USD e-6]
        funding_e6 : int64[R]
            Cumulative funding of one long lot. [USD e-6]
        losses_e6 : int32[R, 36]
            Loss of one long lot in each scenario. [USD e-6]
        charges : int64[R, COLUMNS]
            Charges per lot, in the order of `Charge`. [USD e-6]
        credits_e8 : sequence of CreditCurve
            What a unit of each collateral asset counts for. [token e-8, USD e-8]
        slots : sequence of int
            Number of listed slots of each underlying.

        Raises
        ------
        EncodingError
            A charge or a credit does not fit its field.
        """
        rows = [slice(u * SLOTS, u * SLOTS + n) for u, n in enumerate(slots)]
        return cls.of_packed(
            tuple(pack_values(values_e6[r]) for r in rows),
            tuple(pack_values(funding_e6[r]) for r in rows),
            tuple(_packed_scenarios(losses_e6[r]) for r in rows),
            tuple(pack_charges(charges[r]) for r in rows),
            pack_collateral(credits_e8),
        )

    def opening(
        self, underlying: int, scenario: int | None, *, with_charges: bool = False
    ) -> ColumnOpening:
        """Return columns of an underlying with their proofs; no losses when `scenario` is None."""
        values, proof = self.values[underlying], self.value_tree.proof(value_place(underlying))
        opening = ColumnOpening(underlying, 0, values, b"", proof, ())
        if scenario is not None:
            place = underlying * SCENARIOS + scenario
            losses, loss_proof = self.losses[underlying][scenario], self.loss_tree.proof(place)
            opening = replace(opening, scenario=scenario, losses=losses, loss_proof=loss_proof)
        if with_charges:
            charge_proof = self.charge_tree.proof(charge_place(underlying))
            charges = self.charges[underlying]
            opening = replace(opening, charges=charges, charge_proof=charge_proof)
        return opening

    def funding_proof(self, underlying: int) -> tuple[bytes, ...]:
        """Return the siblings of the funding column of an underlying."""
        return self.value_tree.proof(funding_place(underlying))

    def collateral_proof(self) -> tuple[bytes, ...]:
        """Return the siblings of the collateral column."""
        return self.charge_tree.proof(COLLATERAL_PLACE)


def value_place(underlying: int) -> int:
    """Return the place of an underlying's value column under the price root."""
    return 2 * underlying


def funding_place(underlying: int) -> int:
    """Return the place of an underlying's funding column under the price root."""
    return 2 * underlying + 1


def charge_place(underlying: int) -> int:
    """Return the place of an underlying's charge column under the charge root."""
    return COLLATERAL_PLACE + 1 + underlying


def _packed_scenarios(losses_e6: NDArray[np.int32]) -> tuple[bytes, ...]:
    """Return the column of each scenario; one copy in the other byte order, then slices."""
    packed = np.ascontiguousarray(losses_e6.T).astype(">i4").tobytes()
    size = 4 * losses_e6.shape[0]
    return tuple(packed[s * size : (s + 1) * size] for s in range(SCENARIOS))
