"""A chain in memory that can be reorganised, and a venue on it whose log is on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.log_file import LogFile
from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.core.units import ONE_E6, SECOND_NS, TimestampNs
from offchain.engine.messages import CancelOrder, EntryKind, PlaceOrder, Withdraw
from offchain.engine.reasons import Rejected
from offchain.ledger.closing import Anchor
from offchain.ledger.header import BatchHeader
from offchain.ledger.inbox import entry_hash, prefix_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.typed_data import Domain
from offchain.services.attestation import LocalAttestor
from offchain.services.batch_archive import cuts
from offchain.services.batcher import Batcher, BatchPolicy
from offchain.services.gateway import Gateway, intent_digest
from offchain.services.inbox_watcher import InboxWatcher
from offchain.services.ports import InboxEntry, Signer, TransactionReceipt
from offchain.services.receipts import ReceiptSigner
from offchain.services.recovery import recover
from offchain.services.replica import Posted, Replica
from offchain.services.resequence import Files, Resequenced, Resequencer, set_back
from offchain.services.sequencer import Receipt, Sequencer
from tests.support.desk import Desk, key
from tests.support.settlement import Committed, MemorySettlement
from tests.support.venue import START_NS

DOMAIN, VERIFIER = Domain(31_337, b"\x05" * 20), Domain(31_337, b"\x06" * 20)
REGISTRY = Domain(31_337, b"\x07" * 20)
ENGINE_HASH = b"\xe0" * 32
OPERATOR = key(1)
DAY_NS = 86_400 * SECOND_NS


@dataclass(frozen=True)
class ForkedView:
    """What a chain was."""

    hashes: list[bytes]
    entries: list[InboxEntry]
    prefixes: list[bytes]
    batches: list[Committed]
    committed_in: list[int]
    posted: dict[int, Posted]


class ForkingChain(MemorySettlement):
    """Inbox and settlement by the rules of the contracts, on blocks that may be replaced."""

    def __init__(self) -> None:
        super().__init__(max_open=64)
        self.hashes = [keccak256(b"genesis")]
        self.entries: list[InboxEntry] = []
        self.prefixes = [ZERO32]
        self.posted: dict[int, Posted] = {}
        self.committed_in: list[int] = []
        self.forks = 0
        self.mine()

    @property
    def deepest(self) -> int:
        """How many blocks may be replaced without those of final batches."""
        return self.block_no - (self.committed_in[self.final - 1] if self.final else 4)

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            tag = b"%d on branch %d" % (len(self.hashes), self.forks)
            self.hashes.append(keccak256(self.hashes[-1] + tag))
        self.block_no = len(self.hashes) - 1

    def reorganise(self, depth: int) -> list[InboxEntry]:
        """Replace the last blocks by as many empty ones; return the entries that are gone."""
        base = self.block_no - depth
        assert base > 0
        lost = [entry for entry in self.entries if entry.block > base]
        self.entries = self.entries[: len(self.entries) - len(lost)]
        self.prefixes = self.prefixes[: len(self.entries) + 1]
        stay = sum(block <= base for block in self.committed_in)
        assert self.final <= stay, "what is final is deeper than that"
        self.batches, self.committed_in = self.batches[:stay], self.committed_in[:stay]
        self.hashes = self.hashes[: base + 1]
        self.forks += 1
        self.mine(depth)
        return lost

    def view(self) -> "ForkedView":
        """Return what the chain is now, to come back to."""
        return ForkedView(
            self.hashes[:],
            self.entries[:],
            self.prefixes[:],
            self.batches[:],
            self.committed_in[:],
            dict(self.posted),
        )

    def come_back(self, view: "ForkedView") -> None:
        """Be a branch that was left, unless something has become final since."""
        if (
            len(view.batches) < self.final
            or view.batches[: self.final] != self.batches[: self.final]
        ):
            return
        self.hashes, self.entries, self.prefixes = view.hashes, view.entries, view.prefixes
        self.batches, self.committed_in, self.posted = view.batches, view.committed_in, view.posted
        self.forks += 1
        self.mine()

    def push(
        self,
        owner: bytes,
        amount: int,
        kind: int = EntryKind.DEPOSIT,
        place: int = 0,
        granted: bytes = bytes(20),
    ) -> None:
        """Append an entry in a block of its own."""
        self.mine()
        index, time_s = len(self.entries) + 1, self.time_s
        bare = InboxEntry(kind, index, time_s, owner, 0, place, amount, granted, b"", self.block_no)
        self.prefixes.append(prefix_hash(self.prefixes[-1], entry_hash(bare.content())))
        self.entries.append(replace(bare, prefix=self.prefixes[-1]))

    def push_again(self, lost: Sequence[InboxEntry]) -> None:
        """Append the same entries as before, at the present time."""
        for entry in lost:
            self.push(entry.owner, entry.amount, entry.kind, entry.place, entry.key)

    def block_number(self) -> int:
        return self.block_no

    def block_hash(self, number: int) -> bytes:
        return self.hashes[number]

    def block_of(self, number: int) -> Anchor:
        return Anchor(number, self.hashes[number])

    def inbox_count(self) -> int:
        return len(self.entries)

    def inbox_prefix(self, count: int) -> bytes:
        return self.prefixes[count]

    def inbox_entries(self, first_block: int, last_block: int) -> list[InboxEntry]:
        return [e for e in self.entries if first_block <= e.block <= last_block]

    def rollback(self, signer: Signer, header: BatchHeader) -> TransactionReceipt:
        self.mine()
        del self.committed_in[header.batch_no - 1 :]
        return super().rollback(signer, header)

    def commit(
        self, signer: Signer, header: BatchHeader, signature: bytes, data: bytes
    ) -> TransactionReceipt:
        if header.inbox_to > len(self.entries):
            self._revert("commit", "NoSuchEntry")
        if self.prefixes[header.inbox_to] != header.inbox_prefix_hash:
            self._revert("commit", "WrongInboxPrefix")
        self.mine()
        receipt = super().commit(signer, header, signature, data)
        self.posted[header.batch_no] = header, data
        self.committed_in.append(self.block_no)
        return receipt


class ForkedVenue:
    """Sequencer, batcher, watcher and resequencer over a forking chain; files in a folder."""

    def __init__(self, folder: Path, confirmations: int = 0) -> None:
        self.folder, self.confirmations = folder, confirmations
        self.chain, self.gate = ForkingChain(), Gateway(DOMAIN)
        self.chain.time_s = START_NS // SECOND_NS
        self.desk = Desk(store=LogFile(folder / "log", segment_bytes=4_096))
        self.receipts: list[Receipt] = []
        self._wire(self.desk.sequencer)

    def _wire(self, sequencer: Sequencer) -> None:
        self.sequencer, self.log = sequencer, self.desk.store
        self.files = Files(
            self.log, BatchFiles(self.folder / "batches"), SnapshotFiles(self.folder / "snapshots")
        )
        replica = Replica(lambda number: self.chain.posted[number], ENGINE_HASH)
        attestors = [LocalAttestor(key(2), VERIFIER, replica.vouches)]
        self.batcher = Batcher(
            sequencer,
            self.chain,
            self.files.batches,
            OPERATOR,
            attestors,
            1,
            DOMAIN,
            ENGINE_HASH,
            BatchPolicy(max_records=12),
        )
        sequencer.subscribe(self.batcher.on_record)
        self.watcher = InboxWatcher(self.chain, sequencer, 1, self.confirmations)
        self.resequencer = Resequencer(
            self.chain, self.files, sequencer, self.batcher, self.watcher, self.gate
        )
        self.signer = ReceiptSigner(OPERATOR, REGISTRY, self.log.longest_branch)

    def restart(self) -> Resequenced | None:
        """Begin again from what is on disk, as a new process does."""
        self.log.close()
        self.desk.store = LogFile(self.folder / "log", segment_bytes=4_096)
        batches = BatchFiles(self.folder / "batches")
        snapshots = SnapshotFiles(self.folder / "snapshots")
        if self.desk.store.waits_after is not None:
            set_back(Files(self.desk.store, batches, snapshots), self.desk.store.waits_after)
        journal = recover(self.desk.store, snapshots, cuts(batches))
        self.desk.sequencer = Sequencer(journal, self.desk.store, self.desk)
        self._wire(self.desk.sequencer)
        done = self.resequencer.finish()
        self._resume()
        return done

    def resequence(self) -> Resequenced | None:
        """Order again what has to be."""
        done = self.resequencer.run()
        self._resume()
        return done

    def _resume(self) -> None:
        self.desk.state = self.sequencer.state
        self.signer.silent_until = self.log.longest_branch

    def deposit(self, name: int, usd: int) -> None:
        """Pay in for the owner of `key(name)`, and let the engine take it if it is confirmed."""
        self.chain.push(key(name).address, usd * ONE_E6)
        self.watcher.poll()

    def account(self, name: int) -> int | None:
        """Return the account of the owner of `key(name)`."""
        return self.sequencer.state.accounts.find(key(name).address, 0)

    def cash(self, name: int) -> int | None:
        """Return what that account holds, None when there is none. [USD e-6]"""
        account = self.account(name)
        return None if account is None else int(self.sequencer.state.accounts.cash[account])

    def order(self, name: int, lots: int, usd: int, instrument: int = 0) -> Receipt | None:
        """Sign an order and order it; None when it is refused."""
        account = self.account(name)
        assert account is not None
        bare = self.desk.order(account, instrument, lots, usd)
        return self.send(name, replace(bare, expires_at_ns=TimestampNs(self.desk.now + DAY_NS)))

    def cancel(self, name: int, order_id: int) -> Receipt | None:
        """Sign a cancellation and order it."""
        account = self.account(name)
        assert account is not None
        return self.send(name, self.desk.cancel(account, order_id))

    def withdraw(self, name: int, usd: int) -> Receipt | None:
        """Sign a withdrawal and order it."""
        account = self.account(name)
        assert account is not None
        return self.send(name, self.desk.withdraw(account, usd))

    def send(self, name: int, intent: PlaceOrder | CancelOrder | Withdraw) -> Receipt | None:
        """Sign an intent, pass the gate, order it, and sign its receipt."""
        if not isinstance(intent, PlaceOrder):
            soon = TimestampNs(self.desk.now + 60 * SECOND_NS)
            intent = replace(intent, expires_at_ns=soon)
        signed = replace(intent, signature=key(name).sign(intent_digest(DOMAIN, intent)))
        assert self.gate.check(signed, self.sequencer.state, self.sequencer.now_ns()) is None
        answer = self.sequencer.submit(signed)
        if isinstance(answer, Rejected):
            return None
        self.receipts.append(self.signer.signed(answer))
        return answer

    def price(self, usd: float) -> None:
        """Let a minute pass and the oracles report, twice when the first is out of the band."""
        before = self.desk.now
        self.desk.price(usd)
        self.chain.time_s += (self.desk.now - before) // SECOND_NS

    def settle(self) -> None:
        """Cut, commit, verify, wait and make final."""
        self.batcher.step(force=True)
        for number in range(1, self.batcher.last_batch + 1):
            signed = self.batcher.batch(number)
            assert signed is not None
            self.chain.verified[number] = signed.batch.header.liquidation_count
        self.chain.time_s += self.chain.window_s + 1
        self.batcher.step()
