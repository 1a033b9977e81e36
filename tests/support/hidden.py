"""Batches that hide something behind a hash, and a court in memory that has contents shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eth_abi.abi import decode

from offchain.core.units import SCENARIOS
from offchain.ledger.batch import Batch
from offchain.ledger.columns import Columns, pack_values, unpack_values
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import ListTree, root_from
from offchain.ledger.totals import Totals, totals_hash
from offchain.ledger.trace import Step, step_hash
from offchain.ledger.trace_data import encode_step_data
from offchain.services.contents import (
    IS_EPOCH,
    IS_TOTALS,
    TREES,
    ContentPlace,
    OpenContent,
    ShownContent,
    root_of,
)
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.watch.content_inquiry import COLUMN_OPENING
from offchain.services.watch.shapes import STEP_OPENING
from tests.support.lying_tree import BOND_E6, REVEAL_S, refusal

Posted = tuple[BatchHeader, bytes]


@dataclass(frozen=True)
class Liar:
    """A `Holder` who shows whatever it made up."""

    of_totals: Totals
    of_epochs: tuple[Epoch, ...] = ()
    of_columns: Columns | None = None

    def totals(self) -> Totals:
        return self.of_totals

    def epochs(self) -> Sequence[Epoch]:
        return self.of_epochs

    def columns(self, hash_of_epoch: bytes) -> Columns:
        assert hash_of_epoch
        assert self.of_columns is not None
        return self.of_columns


def with_totals(batch: Batch, hash_of_totals: bytes) -> Posted:
    """Return the batch with another hash of totals, and a state root that nobody can open."""
    root = keccak256(hash_of_totals)
    return replace(batch.header, totals_hash=hash_of_totals, state_root=root), batch.data


def with_epoch(
    batch: Batch, hash_of_epoch: bytes, epoch: Epoch | None = None, place: int = -1
) -> Posted:
    """Return the batch with another hash in place of an epoch, consistent in all the rest."""
    hashes = [epoch_hash(known) for known in batch.epochs]
    honest, hashes[place] = hashes[place], hash_of_epoch
    steps = [
        replace(step, epoch_hash=hash_of_epoch) if step.epoch_hash == honest else step
        for step in batch.steps
    ]
    data = batch.log + _trace(batch, steps)
    last = batch.epochs[-1] if epoch is None or place != -1 else epoch
    header = replace(
        batch.header,
        trace_root=ListTree.of([step_hash(step) for step in steps]).root,
        da_hash=keccak256(data),
        da_length=len(data),
        epoch_root=ListTree.of(hashes).root,
        price_root=last.price_root,
        risk_root=last.risk_root,
    )
    return header, data


def _trace(batch: Batch, steps: Sequence[Step]) -> bytes:
    before = (batch.previous, *steps)
    pairs = zip(before, steps, batch.words, strict=False)
    return b"".join(encode_step_data(previous, step, words) for previous, step, words in pairs)


def epoch_over(honest: Epoch, columns: Columns) -> Epoch:
    """Return an epoch over other columns."""
    return replace(
        honest,
        price_root=columns.price_root,
        risk_root=columns.risk_root,
        charge_root=columns.charge_root,
    )


def with_values(columns: Columns, underlying: int, packed: bytes) -> Columns:
    """Return columns of which those of values are others."""
    values = (*columns.values[:underlying], packed, *columns.values[underlying + 1 :])
    return _again(columns, values=values)


def with_fundings(columns: Columns, underlying: int, packed: bytes) -> Columns:
    """Return columns of which those of funding are others."""
    fundings = (*columns.fundings[:underlying], packed, *columns.fundings[underlying + 1 :])
    return _again(columns, fundings=fundings)


def with_losses(columns: Columns, underlying: int, scenario: int, packed: bytes) -> Columns:
    """Return columns of which one of losses is another."""
    losses = [list(of) for of in columns.losses]
    losses[underlying][scenario] = packed
    return _again(columns, losses=tuple(tuple(of) for of in losses))


def with_charges(columns: Columns, underlying: int, packed: bytes) -> Columns:
    """Return columns of which those of charges are others."""
    charges = (*columns.charges[:underlying], packed, *columns.charges[underlying + 1 :])
    return _again(columns, charges=charges)


def with_collateral(columns: Columns, packed: bytes) -> Columns:
    """Return columns of which that of collateral is another."""
    return _again(columns, collateral=packed)


def with_funding_of(columns: Columns, underlying: int, slot: int, step_e6: int) -> Columns:
    """Return columns in which funding of one instrument moved, and its value with it."""
    fundings = list(unpack_values(columns.fundings[underlying]))
    values = list(unpack_values(columns.values[underlying]))
    fundings[slot] += step_e6
    values[slot] -= step_e6
    moved = with_fundings(columns, underlying, pack_values(fundings))
    return with_values(moved, underlying, pack_values(values))


def _again(
    columns: Columns,
    values: tuple[bytes, ...] | None = None,
    fundings: tuple[bytes, ...] | None = None,
    losses: tuple[tuple[bytes, ...], ...] | None = None,
    charges: tuple[bytes, ...] | None = None,
    collateral: bytes | None = None,
) -> Columns:
    return Columns.of_packed(
        values or columns.values,
        fundings or columns.fundings,
        losses or columns.losses,
        charges or columns.charges,
        collateral or columns.collateral,
    )


def flipped(packed: bytes, at: int = -1) -> bytes:
    """Return a column one number of which is another."""
    changed = bytearray(packed)
    changed[at] ^= 1
    return bytes(changed)


class MemoryContents:
    """The court's rules for contents, in memory; it knows the headers that are open."""

    def __init__(self, *headers: BatchHeader) -> None:
        self.headers = {batch_hash(header): header for header in headers}
        self.time_s = 1_000
        self.open: dict[bytes, OpenContent] = {}
        self.shown: dict[bytes, list[ShownContent]] = {}
        self.bonds: dict[bytes, int] = {}
        self.reverted: list[int] = []
        self.places: dict[tuple[int, bytes], ContentPlace] = {}
        self.calls: list[str] = []
        self.refuse_next: str | None = None

    def block_time(self) -> int:
        return self.time_s

    def open_contents(self) -> list[OpenContent]:
        return list(self.open.values())

    def shown_contents(self, hash_of_batch: bytes) -> list[ShownContent]:
        return self.shown.get(hash_of_batch, [])

    def expect(self, place: ContentPlace, signer: Signer, header: BatchHeader) -> None:
        """Demand a place without an opening, as a stranger."""
        hash_of_batch = batch_hash(header)
        number = keccak256(hash_of_batch + repr(place).encode())
        until = self.time_s + REVEAL_S
        self.open[number] = OpenContent(
            number, header.batch_no, hash_of_batch, place, signer.address, until
        )

    def demand_content(
        self, signer: Signer, header: BatchHeader, what: int, opening: bytes
    ) -> TransactionReceipt:
        receipt = self._take("demand")
        if batch_hash(header) not in self.headers:
            raise refusal("NotOpen")
        self.expect(demanded_place(header, what, opening), signer, header)
        return receipt

    def answer_content(
        self, signer: Signer, demand: OpenContent, header: BatchHeader, content: bytes
    ) -> TransactionReceipt:
        receipt = self._take("answer")
        assert batch_hash(header) == demand.batch_hash
        if demand.id not in self.open:
            raise refusal("NoSuchDemand")
        shown = ShownContent(demand.place, content)
        if root_shown(shown) != demand.place.expected:
            raise refusal("WrongContent")
        del self.open[demand.id]
        self.shown.setdefault(demand.batch_hash, []).append(shown)
        self.bonds[signer.address] = self.bonds.get(signer.address, 0) + BOND_E6
        return receipt

    def settle_content(
        self, signer: Signer, demand: OpenContent, header: BatchHeader
    ) -> TransactionReceipt:
        receipt = self._take("settle")
        if self.time_s <= demand.until_s:
            raise refusal("AnswerStillOpen")
        del self.open[demand.id]
        self.bonds[demand.challenger] = self.bonds.get(demand.challenger, 0) + BOND_E6
        self.headers.pop(batch_hash(header))
        self.reverted.append(header.batch_no)
        assert signer.address
        return receipt

    def claim_bonds(self, signer: Signer) -> int:
        self._take("claim")
        return self.bonds.pop(signer.address, 0)

    def _take(self, call: str) -> TransactionReceipt:
        self.calls.append(call)
        if self.refuse_next is not None:
            name, self.refuse_next = self.refuse_next, None
            raise refusal(name)
        return TransactionReceipt(call, ZERO32, 1, 0, 0, b"")


def demanded_place(header: BatchHeader, what: int, opening: bytes) -> ContentPlace:
    """Return what an opening leads to, as the court does; nothing about it is checked."""
    if what == IS_TOTALS:
        return ContentPlace(what, 0, 0, header.totals_hash)
    if what == IS_EPOCH:
        ((step, _, _),) = decode([STEP_OPENING], opening)
        return ContentPlace(what, 0, 0, Step(*step).epoch_hash)
    ((_, epoch, index, last, _),) = decode([COLUMN_OPENING], opening)
    underlyings = (last[0][0] >> 8) + 1
    count = (2 * underlyings, SCENARIOS * underlyings, 1 + underlyings)[TREES.index(what)]
    return ContentPlace(what, index, count, root_of(Epoch(*epoch), what))


def root_shown(shown: ShownContent) -> bytes:
    """Return the hash of what is shown, or the root above a column; none of another depth."""
    totals, epoch, column = shown.totals, shown.epoch, shown.column
    if totals is not None:
        return totals_hash(totals)
    if epoch is not None:
        return epoch_hash(epoch)
    assert column is not None
    packed, proof = column
    if len(proof) != (shown.place.count - 1).bit_length():
        return ZERO32
    return root_from(shown.place.leaf(packed), shown.place.place, proof)
