"""The trace: one step for each record of a batch, so that a single one can be disputed."""

from dataclasses import dataclass
from functools import cache

from offchain.engine.state import State
from offchain.ledger.abi import WORD, unsigned
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import EMPTY_HASH, ZERO32, keccak256
from offchain.ledger.merkle import EMPTY_SUBTREES

_BOOK_HEAD = 7
_HALF, _MOST = bytes(16), bytes(28)
"""What stands before a uint128 and a uint32 in their words."""


@dataclass(frozen=True, slots=True)
class Book:
    """Running sums of the venue since genesis.

    Attributes
    ----------
    deposited, withdrawn : tuple of int
        By asset, cash first. [engine units]
    contributed_e6, drawn_e6, shortfall_e6 : int
        Into the insurance fund, out of it, and not paid by it. [USD e-6]
    accounts, liquidations : int
        Counts.
    """

    deposited: tuple[int, ...]
    withdrawn: tuple[int, ...]
    contributed_e6: int
    drawn_e6: int
    shortfall_e6: int
    accounts: int
    liquidations: int


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from one record; `Step` of `contracts/types/Trace.sol`.

    Attributes
    ----------
    frame_hash, effects_hash : bytes
        Of the frame and of the effect words, one after another.
    tip, account_root, epoch_hash, book_hash : bytes
        Log chain, account tree, price epoch in force and book, after the record.
    inbox_cursor, outputs : int
        Entries consumed and outputs put out since genesis, after the record.
    liquidations, data_end : int
        Instructions and bytes of this batch, this record's included.
    """

    frame_hash: bytes
    effects_hash: bytes
    tip: bytes
    account_root: bytes
    epoch_hash: bytes
    book_hash: bytes
    inbox_cursor: int
    outputs: int
    liquidations: int
    data_end: int


def book_of(state: State) -> Book:
    """Return the book of a state; it has as many assets as accounts do."""
    flows = state.flows
    return Book(
        tuple(flows.deposited),
        tuple(flows.withdrawn),
        flows.contributed_e6,
        flows.drawn_e6,
        flows.shortfall_e6,
        state.accounts.count,
        flows.liquidations,
    )


def encode_book(book: Book) -> bytes:
    """Return ``abi.encode(book)``; EncodingError when a value does not fit its type."""
    deposited, withdrawn = book.deposited, book.withdrawn
    sums = (book.contributed_e6, book.drawn_e6, book.shortfall_e6)
    try:
        return b"".join(
            [
                _offsets(len(deposited)),
                *[_HALF + amount.to_bytes(16) for amount in sums],
                _MOST + book.accounts.to_bytes(4),
                _MOST + book.liquidations.to_bytes(4),
                len(deposited).to_bytes(WORD),
                *[_HALF + amount.to_bytes(16) for amount in deposited],
                len(withdrawn).to_bytes(WORD),
                *[_HALF + amount.to_bytes(16) for amount in withdrawn],
            ]
        )
    except OverflowError:
        raise EncodingError(f"{book} does not fit its types") from None


@cache
def _offsets(assets: int) -> bytes:
    """Return where the struct and its two arrays begin; a record changes no number of assets."""
    return b"".join(
        [
            unsigned(WORD, 256),
            unsigned(_BOOK_HEAD * WORD, 256),
            unsigned((_BOOK_HEAD + 1 + assets) * WORD, 256),
        ]
    )


def book_hash(book: Book) -> bytes:
    """Return ``keccak256(abi.encode(book))``."""
    return keccak256(encode_book(book))


def encode_step(step: Step) -> bytes:
    """Return ``abi.encode(step)``; EncodingError when a value does not fit its type."""
    hashes = (
        step.frame_hash,
        step.effects_hash,
        step.tip,
        step.account_root,
        step.epoch_hash,
        step.book_hash,
    )
    if any(len(value) != WORD for value in hashes):
        raise EncodingError("a hash of a step has 32 bytes")
    return b"".join(
        [
            *hashes,
            unsigned(step.inbox_cursor, 64),
            unsigned(step.outputs, 64),
            unsigned(step.liquidations, 32),
            unsigned(step.data_end, 32),
        ]
    )


def step_hash(step: Step) -> bytes:
    """Return the leaf of a step in the trace of its batch."""
    return keccak256(encode_step(step))


GENESIS_BOOK = Book((), (), 0, 0, 0, 0, 0)
"""Before the first record: not even the assets are known."""
GENESIS_STEP = Step(
    ZERO32, ZERO32, ZERO32, EMPTY_SUBTREES[-1], ZERO32, book_hash(GENESIS_BOOK), 0, 0, 0, 0
)
"""The step before batch 1."""
NO_EFFECTS = EMPTY_HASH
"""The effects hash of a record without effects."""
