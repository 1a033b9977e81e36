"""A journal as bytes, and back: what a restart reads instead of the whole log.

``magic | schema u16 | keccak256 of the body | body``; the body is MessagePack of plain integers,
bytes and lists. Restoring rebuilds everything that follows from these (risk arrays, columns,
account tree) and demands that the state root computed then is the one in the image.
"""

import struct
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from offchain.core.breaker import Breaker
from offchain.core.oracle import Standing
from offchain.core.terms import Terms, terms, with_terms
from offchain.core.units import ROWS, InstrumentId, RatioE6, TimestampNs
from offchain.engine.accounts import Accounts
from offchain.engine.book import Order
from offchain.engine.market import Market, PendingReport
from offchain.engine.state import Flows, State
from offchain.ledger.document import document, parse_document
from offchain.ledger.errors import SnapshotError
from offchain.ledger.keccak import keccak256
from offchain.ledger.open_batch import OpenBatch
from offchain.ledger.state_root import pack_haircut, unpack_haircut
from offchain.ledger.terms import params_hash
from offchain.ledger.trace import book_hash, book_of

if TYPE_CHECKING:
    from offchain.ledger.journal import Journal

SCHEMA = 6
MAGIC = b"PLIMSOLL"
_HEAD = struct.Struct(">8sH32s")
_ROWS = (
    ("cash", ">i8"),
    ("collateral", ">i8"),
    ("ids", ">i4"),
    ("lots", ">i4"),
    ("costs", ">i8"),
    ("counts", ">i4"),
    ("level", ">i4"),
    ("mode", ">i1"),
)
_BROKEN = (LookupError, ValueError, TypeError, OverflowError, AssertionError, struct.error)


@dataclass(slots=True)
class AccountsImage:
    """The accounts: every array of `Accounts` as packed bytes of the rows in use."""

    owners: list[bytes]
    subaccounts: list[int]
    rows: dict[str, bytes]


@dataclass(slots=True)
class MarketImage:
    """The market without what follows from the rest; haircuts as `pack_haircut` packs them."""

    round: int
    observed_at_ns: int
    medians: tuple[int, ...]
    pending: PendingReport | None
    funding_e6: bytes
    funding_time_ns: int
    epoch: int
    epoch_seq: int
    epoch_time_ns: int
    settled: list[int]
    funding_rates_e8: tuple[int, ...]
    confidences_e6: tuple[RatioE6, ...]
    haircuts: list[bytes]
    standing: Standing
    breakers: tuple[Breaker, ...]


@dataclass(slots=True)
class StateImage:
    """The state of the machine; orders are in the order in which they came to rest.

    `terms` are those in force above the document; none before genesis.
    """

    document: bytes
    terms: tuple[int, ...]
    time_ns: int
    last_seq: int
    inbox_cursor: int
    next_output_id: int
    flows: Flows
    accounts: AccountsImage
    market: MarketImage
    orders: list[Order]
    nonces: list[tuple[int, int, bytes]]
    keys: list[tuple[bytes, bytes, int]]


@dataclass(slots=True)
class JournalImage:
    """The journal, with the root that its state must have."""

    root: bytes
    state: StateImage
    tip: bytes
    batch_no: int
    fence: int
    prev_batch_hash: bytes
    prev_state_root: bytes
    inbox_prefix: bytes
    open: OpenBatch


def snapshot(journal: "Journal") -> bytes:
    """Return a journal as bytes; the same journal always gives the same bytes."""
    image = JournalImage(
        root=journal.state_root(),
        state=_image_of_state(journal.state),
        tip=journal.tip,
        batch_no=journal.batch_no,
        fence=journal.fence,
        prev_batch_hash=journal.prev_batch_hash,
        prev_state_root=journal.prev_state_root,
        inbox_prefix=journal.inbox_prefix,
        open=journal.open,
    )
    body = msgspec.msgpack.encode(image)
    return _HEAD.pack(MAGIC, SCHEMA, keccak256(body)) + body


def restore_into(journal: "Journal", data: bytes) -> None:
    """Put an image into a new journal.

    Raises
    ------
    SnapshotError
        Another magic or schema, a wrong checksum, a body that is no image, or a state whose root
        is not the one in the image.
    """
    image = _decode(data)
    try:
        _rebuild(journal, image)
        root = journal.state_root()
    except SnapshotError:
        raise
    except _BROKEN as fault:  # assertions too: here they speak of the image, not of the program
        raise SnapshotError(f"the image describes no state: {fault!r}") from fault
    if root != image.root:
        raise SnapshotError(f"the state restores to root {root.hex()}, not {image.root.hex()}")


def _decode(data: bytes) -> JournalImage:
    if len(data) < _HEAD.size:
        raise SnapshotError("shorter than its head")
    magic, schema, checksum = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if magic != MAGIC:
        raise SnapshotError("not a snapshot")
    if schema != SCHEMA:
        raise SnapshotError(f"schema {schema}, this program reads {SCHEMA}")
    if keccak256(body) != checksum:
        raise SnapshotError("damaged: the checksum differs")
    try:
        return msgspec.msgpack.decode(body, type=JournalImage)
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise SnapshotError(f"the body is no image: {fault}") from fault


def _rebuild(journal: "Journal", image: JournalImage) -> None:
    journal.tip, journal.fence = image.tip, image.fence
    journal.batch_no, journal.open = image.batch_no, image.open
    journal.prev_batch_hash = image.prev_batch_hash
    journal.prev_state_root = image.prev_state_root
    journal.inbox_prefix = image.inbox_prefix
    _restore_state(journal.state, image.state)
    if journal.state.parameters is not None:
        journal.params_hash = params_hash(journal.state.parameters, journal.state.documented)
    if journal.state.market.arrays is not None:
        journal.refresh_columns()
        if journal.epoch != journal.epoch_now():
            raise SnapshotError("the last epoch is not that of the market")
    if journal.state.last_seq:
        journal.book = book_of(journal.state)
    last = journal.open.last_step
    if (last.account_root, last.book_hash) != (journal.account_root(), book_hash(journal.book)):
        raise SnapshotError("the last step is not that of the state")


def _image_of_state(state: State) -> StateImage:
    orders = [order for book in state.books.values() for order in book.orders()]
    return StateImage(
        document=document(state.documented) if state.documented else b"",
        terms=astuple(terms(state.parameters)) if state.parameters else (),
        time_ns=state.time_ns,
        last_seq=state.last_seq,
        inbox_cursor=state.inbox_cursor,
        next_output_id=state.next_output_id,
        flows=state.flows,
        accounts=_image_of_accounts(state.accounts),
        market=_image_of_market(state.market),
        orders=sorted(orders, key=lambda order: order.order_id),
        nonces=[
            (account, word, state.nonces[account][word].to_bytes(32))
            for account in sorted(state.nonces)
            for word in sorted(state.nonces[account])
        ],
        keys=[
            (owner, key, state.keys[owner][key])
            for owner in sorted(state.keys)
            for key in sorted(state.keys[owner])
        ],
    )


def _restore_state(state: State, image: StateImage) -> None:
    if image.document:
        documented = parse_document(image.document)
        state.adopt(with_terms(documented, Terms(*image.terms)), documented)
    state.time_ns, state.last_seq = TimestampNs(image.time_ns), image.last_seq
    state.inbox_cursor, state.next_output_id = image.inbox_cursor, image.next_output_id
    state.flows = image.flows
    _restore_accounts(state.accounts, image.accounts)
    _restore_market(state, image.market)
    for order in image.orders:  # ascending ids are the order of arrival, so queues are as before
        state.rest(order)
    for account, word, bitmap in image.nonces:
        state.nonces.setdefault(account, {})[word] = int.from_bytes(bitmap)
    for owner, key, expires_s in image.keys:
        state.keys.setdefault(owner, {})[key] = expires_s


def _image_of_accounts(accounts: Accounts) -> AccountsImage:
    n = accounts.count
    rows = {name: _array(accounts, name)[:n].astype(kind).tobytes() for name, kind in _ROWS}
    return AccountsImage(accounts.owner, accounts.subaccount, rows)


def _restore_accounts(accounts: Accounts, image: AccountsImage) -> None:
    for owner, subaccount in zip(image.owners, image.subaccounts, strict=True):
        accounts.open(owner, subaccount)
    n = accounts.count
    for name, kind in _ROWS:
        row = _array(accounts, name)
        row[:n] = np.frombuffer(image.rows[name], kind).reshape((n, *row.shape[1:]))
    accounts.count_open_interest()


def _array(accounts: Accounts, name: str) -> NDArray[np.int64]:
    array: NDArray[np.int64] = getattr(accounts, name)
    return array


def _image_of_market(market: Market) -> MarketImage:
    return MarketImage(
        round=market.round,
        observed_at_ns=market.observed_at_ns,
        medians=market.medians,
        pending=market.pending,
        funding_e6=market.funding_e6.astype(">i8").tobytes(),
        funding_time_ns=market.funding_time_ns,
        epoch=market.epoch,
        epoch_seq=market.epoch_seq,
        epoch_time_ns=market.epoch_time_ns,
        settled=sorted(market.settled),
        funding_rates_e8=market.funding_rates_e8,
        confidences_e6=market.confidences_e6,
        haircuts=[pack_haircut(haircut) for haircut in market.haircuts],
        standing=market.standing,
        breakers=market.breakers,
    )


def _restore_market(state: State, image: MarketImage) -> None:
    market = state.market
    market.round, market.medians = image.round, image.medians
    market.observed_at_ns = TimestampNs(image.observed_at_ns)
    market.pending = image.pending
    market.funding_e6 = np.frombuffer(image.funding_e6, ">i8").astype(np.int64).reshape(ROWS)
    market.funding_time_ns = TimestampNs(image.funding_time_ns)
    market.epoch, market.epoch_seq = image.epoch, image.epoch_seq
    market.epoch_time_ns = TimestampNs(image.epoch_time_ns)
    market.settled = {InstrumentId(instrument) for instrument in image.settled}
    market.funding_rates_e8 = image.funding_rates_e8
    market.confidences_e6 = image.confidences_e6
    market.haircuts = tuple(unpack_haircut(packed) for packed in image.haircuts)
    market.standing, market.breakers = image.standing, image.breakers
    if image.medians:
        market.derive(state.rules)
