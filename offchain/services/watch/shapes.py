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


def _struct(*members: str) -> str:
    return f"({','.join(members)})"


PROOF = "bytes32[]"
HEADER = _struct(*[kind for _, kind in HEADER_TYPE.members])
STEP = _struct(*["bytes32"] * 6, "uint64", "uint64", "uint32", "uint32")
STEP_OPENING = _struct(STEP, "uint32", PROOF)
STEP_PAIR = _struct(STEP, STEP, "uint32", PROOF, PROOF, f"{HEADER}[]")
TRACE_BOUNDS = _struct(STEP, PROOF, f"{HEADER}[]", STEP, PROOF)
BOOK = _struct("uint128[]", "uint128[]", *["uint128"] * 3, "uint32", "uint32")
TOTALS = _struct(
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
LEAF = _struct("address", "uint8", "uint8", "int64", "uint64[]", "(uint16,int32,int64)[]")
ACCOUNT = _struct("uint32", f"{LEAF}[]", PROOF)
EPOCH = _struct("uint64", "uint64", *["bytes32"] * 4)
REPORT = _struct("uint64", "uint64", "bytes")
COLUMN = _struct("bytes", PROOF)
OUTPUT = _struct("uint64", "uint32", "address", "uint8", "uint128")
INSTRUCTION = _struct("uint64", "uint32", "uint8", *["bytes32"] * 3, "(uint16,int32,uint64)[]")
_SCAN = _struct(
    *["uint32"] * 3, "uint64", "uint32", "uint32", "(int64,uint32)[7]", "(int64,uint32,bool)[2]"
)
LISTED_INSTRUMENT = _struct(
    "uint16",
    "(uint8,uint64,uint64,uint64,uint64)",
    "(uint16,uint16,uint16,bool,uint16,uint16,uint16,uint16)",
    _SCAN,
    *["uint32"] * 8,
)
INSTRUMENT = _struct(LISTED_INSTRUMENT, "uint32", PROOF)
ASSET = _struct("(uint8,uint16,uint64,uint32,uint32)", "uint32", PROOF)
ORACLE = _struct("(uint16,uint8,uint64,uint32,address[])", PROOF)
RECORD = _struct(STEP_PAIR, "bytes", "bytes")
PAST = _struct(f"{HEADER}[]", STEP_OPENING, "bytes")
FILL = _struct(PAST, "bytes", "uint32")
WALK = _struct("bytes32", "bytes", "uint32", "bytes[]")
STATE_PARTS = _struct(*["bytes32"] * 5, "uint64")

# Kinds 8 and 11.
LINK = _struct(STEP_PAIR, "bytes", "bytes")
WORDS = _struct(STEP_PAIR, "bytes")
STATE = _struct(STEP_OPENING, "bytes", STATE_PARTS)
NEW_EPOCH = _struct(STEP_PAIR, "bytes", EPOCH, EPOCH)
ROOTS = _struct(STEP_OPENING, EPOCH)
SLICE = _struct(STEP_PAIR, "bytes")
REBUILD = _struct(STEP, PROOF, f"{HEADER}[]", "bytes", "bytes32[]", "bytes[]", "bytes[]")
# Kinds 3, 4, 7, 9 and 13.
TRANSITION = _struct(RECORD, ACCOUNT, ACCOUNT)
ROOT = _struct(RECORD, BOOK, f"{ACCOUNT}[]")
ENTRY = _struct(STEP_PAIR, "bytes")
LISTED = _struct(RECORD, ACCOUNT)
BOOK_CHANGE = _struct(STEP_PAIR, "bytes", BOOK, BOOK)
TOTALS_OF_BOOK = _struct(STEP_OPENING, BOOK, TOTALS)
FUND = _struct(STEP_OPENING, ACCOUNT, TOTALS)
OWED = _struct(WALK, STEP_OPENING, ACCOUNT, EPOCH, f"{COLUMN}[]", REPORT, f"{ASSET}[]")
WHOLE = _struct(STEP_OPENING, f"{LEAF}[]", EPOCH, "uint8[]", f"{COLUMN}[]", REPORT, f"{ASSET}[]")
ASSET_COUNT = _struct(STEP_OPENING, BOOK, ASSET, PROOF)
TWIN = _struct(STEP_OPENING, ACCOUNT, ACCOUNT)
FORM = _struct(STEP_OPENING, "uint32", "bytes", PROOF)
PLACE = _struct(STEP_OPENING, BOOK, ACCOUNT)
PUT_OUT = _struct(TRACE_BOUNDS, RECORD, "uint32", ACCOUNT, "bytes32", PROOF)
PUT = _struct(RECORD, "uint32", ACCOUNT)
OUTPUT_LIST = _struct(TRACE_BOUNDS, f"{PUT}[]")
SURPLUS = _struct(TRACE_BOUNDS, OUTPUT, "uint32", PROOF)
# Kinds 1, 2, 5 and 12.
ORACLE_RULE = _struct("uint8", STEP_PAIR, "bytes", ORACLE, EPOCH, REPORT, EPOCH, PAST, "bytes[]")
CELL = _struct(EPOCH, "uint32", PROOF, REPORT, INSTRUMENT, "uint8", COLUMN, COLUMN)
LIQUIDATION = _struct(
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
PART = _struct("uint8", "bytes")
SIGNATURE = _struct(STEP_PAIR, "bytes", ACCOUNT)
TRADE = _struct(RECORD, "uint32", PAST, INSTRUMENT, EPOCH, COLUMN)
PRICE = _struct("uint8", RECORD, "uint32", EPOCH, COLUMN, REPORT, INSTRUMENT)
DEPOSIT = _struct("uint8", RECORD, ACCOUNT, BOOK, ASSET)
HOLDER = _struct("uint8", RECORD, ACCOUNT, PAST, ACCOUNT, "bytes[]")
HISTORY = _struct("uint8", RECORD, "uint32", PAST, ACCOUNT, f"{FILL}[]")
BAND = _struct("uint8", RECORD, "uint32", INSTRUMENT, EPOCH, REPORT, COLUMN, COLUMN)
COLUMN_RULE = _struct(
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
PENALTY = _struct(RECORD, EPOCH, f"{INSTRUMENT}[]", f"{COLUMN}[]", f"{COLUMN}[]")
_OPENED = _struct("uint8", "uint8", *["bytes"] * 2, *[PROOF] * 2, "bytes", PROOF)
SOLVENCY = _struct(
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
