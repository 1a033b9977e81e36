"""Encodings: what fits is encoded, what does not is refused, and one backend hashes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from offchain.core.addons import COLUMNS, Charge
from offchain.core.units import InstrumentId, Lots, PriceE8
from offchain.engine.events import Leg
from offchain.ledger import abi, columns, keccak
from offchain.ledger.charge_columns import (
    pack_charges,
    pack_collateral,
    unpack_charges,
    unpack_collateral,
)
from offchain.ledger.errors import EncodingError
from offchain.ledger.instruction import Instruction, encode_instruction
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.leaf import AccountLeaf, Position, encode_leaf
from offchain.ledger.terms import Curves, pack_curves, unpack_curves

ROOT = Path(__file__).parents[3]


def test_keccak_is_the_one_of_ethereum() -> None:
    assert keccak.BACKEND == "safe-pysha3"
    assert keccak256(b"") == keccak.EMPTY_HASH
    selector = keccak256(b"transfer(address,uint256)")[:4]
    assert selector.hex() == "a9059cbb"


@pytest.mark.parametrize(
    ("sabotage", "module", "said"),
    [
        ("sys.modules['sha3'] = None", "keccak", "needs the package safe-pysha3"),
        (
            "import hashlib; hashlib.keccak_256 = hashlib.sha3_256; sys.modules['sha3'] = hashlib",
            "keccak",
            "is not safe-pysha3",
        ),
        ("sys.modules['coincurve'] = None", "signatures", "need the package coincurve"),
    ],
)
def test_a_missing_or_wrong_backend_is_named_and_never_replaced(
    sabotage: str, module: str, said: str
) -> None:
    program = f"import sys; {sabotage}; import offchain.ledger.{module}"
    ran = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode != 0
    assert said in ran.stderr


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint64", -1),
        ("int32", 2**31),
        ("int64", -(2**63) - 1),
        ("bool", 2),
        ("address", bytes(19)),
        ("address", 5),
        ("bytes32", bytes(31)),
        ("uint8", b"\x01"),
        ("string", b"text"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(kind: str, value: int | bytes) -> None:
    with pytest.raises(EncodingError):
        abi.static([kind], [value])


def leaf_with(*positions: tuple[int, int, int]) -> AccountLeaf:
    return AccountLeaf(bytes(20), 0, 2, 0, (), tuple(Position(*p) for p in positions))


@pytest.mark.parametrize(
    "positions",
    [
        [(1, 1, 0), (1, 1, 0)],
        [(2, 1, 0), (1, 1, 0)],
        [(1, 0, 0)],
        [(i, 1, 0) for i in range(33)],
    ],
    ids=["repeated", "descending", "empty", "33 positions"],
)
def test_a_leaf_with_wrong_positions_is_refused(positions: list[tuple[int, int, int]]) -> None:
    with pytest.raises(EncodingError):
        encode_leaf(leaf_with(*positions))


def test_legs_out_of_order_are_refused() -> None:
    legs = tuple(Leg(InstrumentId(i), Lots(1), PriceE8(1)) for i in (5, 5))
    with pytest.raises(EncodingError):
        encode_instruction(Instruction(1, 0, 1, ZERO32, ZERO32, ZERO32, legs))


def test_columns_hold_the_listed_slots_only() -> None:
    values = np.arange(512, dtype=np.int64)
    losses = np.arange(512 * 36, dtype=np.int32).reshape(512, 36)
    charges = np.zeros((512, COLUMNS), np.int64)
    charges[:, Charge.LONG] = np.arange(512)
    made = columns.Columns.of_arrays(values, -values, losses, charges, (((5, 6),),), (3, 2))
    assert columns.unpack_values(made.values[1]) == (256, 257)
    assert columns.unpack_values(made.fundings[1]) == (-256, -257)
    assert made.value_tree.size == 4
    assert columns.unpack_losses(made.losses[0][35]) == (35, 71, 107)
    assert made.loss_tree.size == 72
    rows = unpack_charges(made.charges[1])
    assert [row[Charge.LONG] for row in rows] == [256, 257]
    assert unpack_collateral(made.collateral) == (((5, 6),),)
    assert made.charge_tree.size == 3


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (Charge.DELTA, 2**31),
        (Charge.DELTA, -(2**31) - 1),
        (Charge.ROLL, 2**31),
        (Charge.LONG, -1),
        (Charge.LONG, 2**32),
        (Charge.SHORT, 2**32),
        (Charge.UNWIND, -1),
        (Charge.GROUP, 32),
        (Charge.GROUP, -1),
    ],
)
def test_a_charge_that_does_not_fit_its_field_is_refused(place: Charge, value: int) -> None:
    charges = np.zeros((2, COLUMNS), np.int64)
    charges[1, place] = value
    with pytest.raises(EncodingError):
        pack_charges(charges)


@pytest.mark.parametrize("curve", [((1, 1),) * 5, ((2**64, 1),), ((1, 2**64),), ((1, -1),)])
def test_brackets_that_do_not_fit_are_refused(curve: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(EncodingError):
        pack_collateral([curve])


@pytest.mark.parametrize(
    "packed",
    [b"\x01", b"\x00", b"\x00\x00", b"\x02" + bytes(31), bytes(4), bytes(3) + b"\x01" + bytes(15)],
)
def test_curves_that_are_not_whole_are_refused(packed: bytes) -> None:
    with pytest.raises(EncodingError):
        unpack_curves(packed)


@pytest.mark.parametrize("lines", [((2**32, 0),), ((0, 2**96),), ((0, -1),), ((1, 1),) * 256])
def test_curves_that_do_not_fit_are_refused(lines: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(EncodingError):
        pack_curves([Curves(lines, (), ())])


def test_bytes_left_over_in_a_column_are_refused() -> None:
    with pytest.raises(EncodingError):
        columns.unpack_values(bytes(9))
    with pytest.raises(EncodingError):
        columns.unpack_losses(bytes(6))
    with pytest.raises(EncodingError):
        unpack_charges(bytes(20))
    with pytest.raises(EncodingError):
        unpack_collateral(bytes(63))
