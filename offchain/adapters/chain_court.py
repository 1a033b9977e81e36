"""The court, the judges and the deadlines of a deployment, as a watcher uses them."""

from functools import cached_property

from offchain.adapters.blobs import piece_opening, versioned_hash
from offchain.adapters.chain import Chain
from offchain.adapters.chain_abi import ContractInterface
from offchain.adapters.chain_freeze import ChainFreeze
from offchain.adapters.chain_history import ChainEvent
from offchain.adapters.compiler import abi
from offchain.engine.events import Leg
from offchain.ledger.abi import address as address_word
from offchain.ledger.abi import unsigned
from offchain.ledger.blob_data import pieces
from offchain.ledger.columns import (
    CHARGE_COLUMN,
    COLLATERAL_COLUMN,
    COLLATERAL_UNDERLYING,
    VALUE_COLUMN,
)
from offchain.ledger.epoch import Epoch
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.inbox import InboxEntry
from offchain.ledger.instruction import Instruction
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.services.contents import ContentPlace, ShownContent
from offchain.services.errors import TransactionReverted
from offchain.services.freezing import FreezeChance
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.watch.disclosures import Disclosures, ShownColumn, ShownLiquidation
from offchain.services.watch.judges.structure import BlobProof
from offchain.services.watch.moment import Accusation

COURT, REGISTRY, SETTLEMENT = "Court", "SequencerRegistry", "Settlement"
MANAGER, INBOX = "LiquidationManager", "Inbox"
CASH = 0


def commitment_of(challenger: bytes, kind: int, header_hash: bytes, evidence: bytes) -> bytes:
    """Return what a challenger commits to, as the court hashes it."""
    words = (address_word(challenger), unsigned(kind, 8), header_hash, keccak256(evidence))
    return keccak256(b"".join(words))


class ChainCourt:
    """A `WatchChain` of one deployment."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._judges: dict[int, ContractInterface] = {}
        self._entries: list[InboxEntry] = []
        self._prefix = ZERO32
        self._read_to = chain.deployment.block_number - 1

    def head(self) -> int:
        """Return the number of the last committed batch, 0 when there is none."""
        return self._chain.head()

    def finalised(self) -> int:
        """Return the number of the last finalised batch, 0 when there is none."""
        return self._chain.finalised()

    def batch_hash_of(self, batch_no: int) -> bytes:
        """Return the hash committed under a number, 32 zero bytes when there is none."""
        return self._chain.batch_hash_of(batch_no)

    def posted(self, batch_no: int) -> tuple[BatchHeader, bytes]:
        """Return header and posted data of a batch; BatchDataMissing when it is unreadable."""
        self.refresh()
        found = self._chain.history.committed_batch(batch_no)
        return found.header, found.data

    def blob_proof(self, batch_no: int) -> BlobProof:
        """Return what shows that the blobs of a batch hold its data."""
        found = self._chain.history.committed_batch(batch_no)
        padded = (*pieces(found.data), *[b""] * len(found.blobs))
        openings = [
            piece_opening(blob, piece) for blob, piece in zip(found.blobs, padded, strict=False)
        ]
        hashes = [versioned_hash(blob) for blob in found.blobs]
        return hashes, [o.commitment for o in openings], [o.proof for o in openings]

    def entry(self, index: int) -> InboxEntry | None:
        """Return an entry of the inbox, None when there is none of this number."""
        if index > len(self._entries):
            self.refresh()
        return self._entries[index - 1] if 0 < index <= len(self._entries) else None

    def refresh(self) -> None:
        """Read the entries since the last time; all of them when the chain took some back."""
        last = self._chain.block_number()
        if self._is_stale(last):
            self._entries, self._read_to = [], self._chain.deployment.block_number - 1
        found = self._chain.inbox_entries(self._read_to + 1, last)
        self._entries += [entry.content() for entry in found]
        self._prefix = found[-1].prefix if found else self._prefix
        self._read_to = last

    def _is_stale(self, last: int) -> bool:
        """Tell whether the chain does not have the entries that are known any more."""
        count = len(self._entries)
        if last < self._read_to or count > self._chain.inbox_count():
            return True
        return count > 0 and self._chain.inbox_prefix(count) != self._prefix

    def disclosures(self, header: BatchHeader) -> Disclosures:
        """Return what verified liquidations of a batch opened, and what was shown on demand."""
        wanted = batch_hash(header)
        shown = [
            liquidation
            for event in self._chain.history.events((MANAGER,))
            if event.arguments.get("batchNo") == header.batch_no
            and (liquidation := self._shown(event, wanted)) is not None
        ]
        return Disclosures(tuple(shown), tuple(contents_shown(self._chain, wanted)))

    def _shown(self, event: ChainEvent, wanted: bytes) -> ShownLiquidation | None:
        """Return what the transaction of an event opened; None when it was no direct call."""
        manager = self._chain.contracts[MANAGER]
        sent = self._chain.node.transaction(event.transaction_hash)
        if sent is None or sent.receiver != manager.address:
            return None
        arguments = manager.function("verify").decode_input(sent.calldata)
        if arguments is None or batch_hash(BatchHeader(*arguments[0])) != wanted:
            return None
        _, instruction, witness = arguments
        index, proof, epoch, epoch_index, epoch_proof, _, _, openings, *others = witness
        number, account, tier, account_root, leaf_hash, epoch_hash, legs = instruction
        columns = tuple(column for opening in openings for column in _columns_of(opening))
        collateral, collateral_proof, _ = others
        if collateral:
            of = (COLLATERAL_UNDERLYING, COLLATERAL_COLUMN, collateral, tuple(collateral_proof))
            columns = (*columns, ShownColumn(*of))
        return ShownLiquidation(
            Instruction(
                number,
                account,
                tier,
                account_root,
                leaf_hash,
                epoch_hash,
                tuple(Leg(*leg) for leg in legs),
            ),
            index,
            tuple(proof),
            Epoch(*epoch),
            epoch_index,
            tuple(epoch_proof),
            columns,
        )

    def judge(self, kind: int) -> ContractInterface | None:
        """Return who decides a kind, None when nobody does."""
        if kind not in self._judges:
            where = bytes.fromhex(str(self._chain.call(COURT, "judgeOf", kind))[2:])
            if not any(where):
                return None
            self._judges[kind] = ContractInterface("IJudge", where, abi("IJudge"))
        return self._judges[kind]

    def is_faulty(self, header: BatchHeader, accusation: Accusation) -> bool:
        """Ask the judge; False also when it refuses the evidence."""
        return self.answer(header, accusation) is True

    def answer(self, header: BatchHeader, accusation: Accusation) -> bool | str:
        """Return what the judge says, or the name of the error with which it refuses."""
        judge = self.judge(accusation.kind)
        if judge is None:
            return "UnknownKind"
        arguments = (header.values(), accusation.evidence)
        try:
            (answer,) = self._chain.node.call(judge, judge.function("isFaulty"), arguments)
        except TransactionReverted as reverted:
            return reverted.name
        return bool(answer)

    @cached_property
    def bond_e6(self) -> int:
        """What a challenge costs until it is decided. [USD e-6]"""
        return int(self._chain.call(COURT, "bondE6"))

    def accuse(
        self, signer: Signer, header: BatchHeader, accusation: Accusation
    ) -> tuple[TransactionReceipt, ...]:
        """Pay the bond, open the challenge and reveal the evidence.

        A challenge that comes too late, because the batch fell to another one, is closed again.

        Raises
        ------
        TransactionReverted
            The batch is not open any more, or the fault was not upheld.
        """
        paid = self._chain.approve(signer, CASH, self.bond_e6, COURT)
        opened = self.open(signer, header, accusation)
        return paid, opened, self.reveal(signer, header, accusation)

    def open(
        self, signer: Signer, header: BatchHeader, accusation: Accusation
    ) -> TransactionReceipt:
        """Open a challenge; the court must be allowed to take the bond.

        Raises
        ------
        TransactionReverted
            Another batch has the number by now, or none. Then no bond was taken.
        """
        commitment = self._commitment(signer, header, accusation)
        return self._chain.send(
            signer, COURT, "open", header.batch_no, batch_hash(header), commitment
        )

    def reveal(
        self, signer: Signer, header: BatchHeader, accusation: Accusation
    ) -> TransactionReceipt:
        """Have the judge decide; otherwise close the challenge, if the batch is gone.

        Raises
        ------
        TransactionReverted
            The batch is not open any more, or the fault was not upheld.
        """
        kind, evidence = accusation.kind, accusation.evidence
        try:
            return self._chain.send(signer, COURT, "reveal", header.values(), kind, evidence)
        except TransactionReverted:
            self._close(signer, self._commitment(signer, header, accusation))
            raise

    def _commitment(self, signer: Signer, header: BatchHeader, accusation: Accusation) -> bytes:
        of_header, evidence = batch_hash(header), accusation.evidence
        return commitment_of(signer.address, accusation.kind, of_header, evidence)

    def _close(self, signer: Signer, commitment: bytes) -> None:
        """Get the bond back, if the batch is gone."""
        number = keccak256(address_word(signer.address) + commitment)
        try:
            self._chain.send(signer, COURT, "close", number)
        except TransactionReverted:
            return  # the batch is still open: the bond is lost unless the evidence is shown in time

    def collect(self, signer: Signer) -> int:
        """Claim bonds that came back, and bounties. [USD e-6]"""
        bond, reward = self.bonds_of(signer.address), self.reward_of(signer.address)
        if bond:
            self._chain.send(signer, COURT, "claimBond")
        if reward:
            self._chain.send(signer, REGISTRY, "claimReward")
        return bond + reward

    def bonds_of(self, owner: bytes) -> int:
        """Return the bonds that wait for an address. [USD e-6]"""
        return int(self._chain.call(COURT, "bondOf", owner))

    def reward_of(self, owner: bytes) -> int:
        """Return the bounties that wait for an address. [USD e-6]"""
        return int(self._chain.call(REGISTRY, "rewardOf", owner))

    def is_overdue(self, header: BatchHeader) -> bool:
        """Tell whether anyone may revert a batch for liquidations that nobody verified."""
        return self._would_pass("revertUnverified", header.values())

    def revert_unverified(self, signer: Signer, header: BatchHeader) -> TransactionReceipt:
        """Revert a batch for liquidations that nobody verified in time."""
        return self._chain.send(signer, SETTLEMENT, "revertUnverified", header.values())

    def freeze_chances(self) -> tuple[FreezeChance, ...]:
        """Return how anyone may freeze the venue now."""
        chances = ChainFreeze(self._chain, self.entry).outlook().chances
        return tuple(sorted((c for c in chances if c.is_open), key=lambda c: c.cause))

    def freeze(self, signer: Signer, chance: FreezeChance) -> TransactionReceipt:
        """Freeze the venue for ever."""
        return ChainFreeze(self._chain, self.entry).freeze(signer, chance)

    def _would_pass(self, function: str, *arguments: object) -> bool:
        try:
            self._chain.call(SETTLEMENT, str(function), *arguments)
        except TransactionReverted:
            return False
        return True


def contents_shown(chain: Chain, hash_of_batch: bytes) -> list[ShownContent]:
    """Return the contents that were shown of a batch because they were demanded, in order."""
    return [
        ShownContent(ContentPlace(*event.arguments["place"]), event.arguments["shown"])
        for event in chain.history.events((COURT,))
        if event.name == "ContentAnswered" and event.arguments["batchHash"] == hash_of_batch
    ]


def _columns_of(opening: tuple[object, ...]) -> list[ShownColumn]:
    """Return the columns that a witness opens of one underlying."""
    underlying, scenario, values, losses, value_proof, loss_proof, charges, charge_proof = opening
    shown = (
        (VALUE_COLUMN, values, value_proof),
        (scenario, losses, loss_proof),
        (CHARGE_COLUMN, charges, charge_proof),
    )
    found = []
    for kind, packed, proof in shown:
        assert isinstance(kind, int)
        assert isinstance(underlying, int)
        assert isinstance(packed, bytes)
        assert isinstance(proof, tuple)
        if packed:
            found.append(ShownColumn(underlying, kind, packed, proof))
    return found
