"""The structs of evidence, as the judges on chain decode them.

`contracts/types/{Evidence,StructureEvidence,ContentEvidence}.sol`, name for name. A value is a
tuple in the order of the struct; `encode` is ``abi.encode`` of one struct.
"""

from collections.abc import Sequence
from dataclasses import astuple
from functools import cache
from typing import Any

from eth_abi.abi import encode as abi_encode

from offchain.ledger.columns import pack_values
from offchain.ledger.epoch import Report
from offchain.ledger.header import HEADER_TYPE
from offchain.ledger.instruction import Instruction
from offchain.ledger.keccak import ZERO32
from offchain.ledger.leaf import AccountLeaf
from offchain.ledger.trace import GENESIS_STEP

Value = tuple[Any, ...]


def struct(*members: str) -> str:
    """Return the type of a struct."""
    return f"({','.join(members)})"


PROOF = "bytes32[]"
HEADER = struct(*[kind for _, kind in HEADER_TYPE.members])
STEP = struct(*["bytes32"] * 6, "uint64", "uint64", "uint32", "uint32")
STEP_OPENING = struct(STEP, "uint32", PROOF)
STEP_PAIR = struct(STEP, STEP, "uint32", PROOF, PROOF, f"{HEADER}[]")
TRACE_BOUNDS = struct(STEP, PROOF, f"{HEADER}[]", STEP, PROOF)
BOOK = struct("uint128[]", "uint128[]", *["uint128"] * 3, "uint32", "uint32")
TOTALS = struct(
    "int128",
    "uint128[]",
    "uint128",
    "uint128[]",
    "uint128",
    "uint128[]",
    "int128",
    *["uint128"] * 3,
    *["uint32"] * 3,
)
LEAF = struct("address", "uint8", "uint8", "int64", "uint64[]", "(uint16,int32,int64)[]")
ACCOUNT = struct("uint32", f"{LEAF}[]", PROOF)
EPOCH = struct("uint64", "uint64", *["bytes32"] * 4)
REPORT = struct("uint64", "uint64", "bytes")
COLUMN = struct("bytes", PROOF)
OUTPUT = struct("uint64", "uint32", "address", "uint8", "uint128")
INSTRUCTION = struct("uint64", "uint32", "uint8", *["bytes32"] * 3, "(uint16,int32,uint64)[]")
_SCAN = struct(
    *["uint32"] * 3, "uint64", "uint32", "uint32", "(int64,uint32)[7]", "(int64,uint32,bool)[2]"
)
LISTED_INSTRUMENT = struct(
    "uint16",
    "(uint8,uint64,uint64,uint64,uint64)",
    "(uint16,uint16,uint16,bool,uint16,uint16,uint16,uint16)",
    _SCAN,
    *["uint32"] * 8,
)
INSTRUMENT = struct(LISTED_INSTRUMENT, "uint32", PROOF)
ASSET = struct("(uint8,uint16,uint64,uint32,uint32)", "uint32", PROOF)
ORACLE = struct("(uint16,uint8,uint64,uint32,address[])", PROOF)
RECORD = struct(STEP_PAIR, "bytes", "bytes")
PAST = struct(f"{HEADER}[]", STEP_OPENING, "bytes")
FILL = struct(PAST, "bytes", "uint32")
WALK = struct("bytes32", "bytes", "uint32", "bytes[]")
STATE_PARTS = struct(*["bytes32"] * 5, "uint64")

# Kinds 8 and 11.
LINK = struct(STEP_PAIR, "bytes", "bytes")
WORDS = struct(STEP_PAIR, "bytes")
STATE = struct(STEP_OPENING, "bytes", STATE_PARTS)
NEW_EPOCH = struct(STEP_PAIR, "bytes", EPOCH, EPOCH)
ROOTS = struct(STEP_OPENING, EPOCH)
SLICE = struct(STEP_PAIR, "bytes")
REBUILD = struct(STEP, PROOF, f"{HEADER}[]", "bytes", "bytes32[]", "bytes[]", "bytes[]")
# Kinds 3, 4, 7, 9 and 13.
TRANSITION = struct(RECORD, ACCOUNT, ACCOUNT)
ROOT = struct(RECORD, BOOK, f"{ACCOUNT}[]")
ENTRY = struct(STEP_PAIR, "bytes")
LISTED = struct(RECORD, ACCOUNT)
BOOK_CHANGE = struct(STEP_PAIR, "bytes", BOOK, BOOK)
TOTALS_OF_BOOK = struct(STEP_OPENING, BOOK, TOTALS)
FUND = struct(STEP_OPENING, ACCOUNT, TOTALS)
OWED = struct(WALK, STEP_OPENING, ACCOUNT, EPOCH, f"{COLUMN}[]", REPORT, f"{ASSET}[]")
WHOLE = struct(STEP_OPENING, f"{LEAF}[]", EPOCH, "uint8[]", f"{COLUMN}[]", REPORT, f"{ASSET}[]")
ASSET_COUNT = struct(STEP_OPENING, BOOK, ASSET, PROOF)
TWIN = struct(STEP_OPENING, ACCOUNT, ACCOUNT)
FORM = struct(STEP_OPENING, "uint32", "bytes", PROOF)
PLACE = struct(STEP_OPENING, BOOK, ACCOUNT)
PUT_OUT = struct(TRACE_BOUNDS, RECORD, "uint32", ACCOUNT, "bytes32", PROOF)
PUT = struct(RECORD, "uint32", ACCOUNT)
OUTPUT_LIST = struct(TRACE_BOUNDS, f"{PUT}[]")
SURPLUS = struct(TRACE_BOUNDS, OUTPUT, "uint32", PROOF)
# Kinds 1, 2, 5 and 12.
ORACLE_RULE = struct("uint8", STEP_PAIR, "bytes", ORACLE, EPOCH, REPORT, EPOCH, PAST, "bytes[]")
CELL = struct(EPOCH, "uint32", PROOF, REPORT, INSTRUMENT, "uint8", COLUMN, COLUMN)
LIQUIDATION = struct(
    "uint8",
    RECORD,
    INSTRUCTION,
    "uint32",
    PROOF,
    ACCOUNT,
    "uint32",
    INSTRUMENT,
    EPOCH,
    REPORT,
    COLUMN,
    COLUMN,
)
PART = struct("uint8", "bytes")
SIGNATURE = struct(STEP_PAIR, "bytes", ACCOUNT)
TRADE = struct(RECORD, "uint32", PAST, INSTRUMENT, EPOCH, COLUMN)
PRICE = struct("uint8", RECORD, "uint32", EPOCH, COLUMN, REPORT, INSTRUMENT)
DEPOSIT = struct("uint8", RECORD, ACCOUNT, BOOK, ASSET)
HOLDER = struct("uint8", RECORD, ACCOUNT, PAST, ACCOUNT, "bytes[]")
HISTORY = struct("uint8", RECORD, "uint32", PAST, ACCOUNT, f"{FILL}[]")
BAND = struct("uint8", RECORD, "uint32", INSTRUMENT, EPOCH, REPORT, COLUMN, COLUMN)
COLUMN_RULE = struct(
    "uint8",
    STEP_PAIR,
    "bytes",
    PAST,
    INSTRUMENT,
    ASSET,
    "bytes",
    "uint32",
    *[EPOCH] * 2,
    REPORT,
    *[COLUMN] * 2,
)
PENALTY = struct(RECORD, EPOCH, f"{INSTRUMENT}[]", f"{COLUMN}[]", f"{COLUMN}[]")
_OPENED = struct("uint8", "uint8", *["bytes"] * 2, *[PROOF] * 2, "bytes", PROOF)
SOLVENCY = struct(
    "uint8", RECORD, *[ACCOUNT] * 2, EPOCH, f"{_OPENED}[]", f"{_OPENED}[]", COLUMN, "bytes"
)

# What stands where a rule looks at nothing.
NO_STEP = astuple(GENESIS_STEP)
NO_OPENING = (NO_STEP, 0, ())
NO_PAST = ((), NO_OPENING, b"")
NO_ACCOUNT_OPENING = (0, (), ())
NO_EPOCH = (0, 0, ZERO32, ZERO32, ZERO32, ZERO32)
NO_REPORT = (0, 0, b"")
NO_COLUMN = (b"", ())
NO_BOOK = ((), (), 0, 0, 0, 0, 0)
NO_ASSET = ((0,) * 5, 0, ())
NO_INSTRUMENT = (
    (
        0,
        (0,) * 5,
        (0, 0, 0, False, 0, 0, 0, 0),
        (*(0,) * 6, ((0, 0),) * 7, ((0, 0, False),) * 2),
        *(0,) * 8,
    ),
    0,
    (),
)
NO_INSTRUCTION = (0, 0, 0, ZERO32, ZERO32, ZERO32, ())


def encode(shape: str, value: Sequence[object]) -> bytes:
    """Return ``abi.encode`` of one struct."""
    return abi_encode(_types(shape), (value,))


@cache
def _types(shape: str) -> tuple[str, ...]:
    return (shape,)


def leaf_value(leaf: AccountLeaf) -> Value:
    """Return a leaf as the ABI takes it."""
    positions = tuple(astuple(p) for p in leaf.positions)
    return (
        leaf.owner,
        leaf.subaccount,
        leaf.mode,
        leaf.cash_e6,
        leaf.collateral_e8,
        positions,
    )


def report_value(report: Report) -> Value:
    """Return a report as the ABI takes it."""
    return report.round, report.observed_at_ns, pack_values(report.medians)


def instruction_value(instruction: Instruction) -> Value:
    """Return an instruction as the ABI takes it."""
    return instruction.abi_tuple()
