"""The parameter watch brings the engine to the set of the chain, or says what is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.adapters.parameter_files import ParameterFiles
from offchain.app.parameters_command import PARAMETERS, NodeMissing, add_document
from offchain.core.parameters import RiskParameters
from offchain.core.terms import Terms, terms, with_terms
from offchain.engine.messages import Adopt, Liquidate
from offchain.ledger.document import document
from offchain.ledger.errors import WireError
from offchain.ledger.keccak import keccak256
from offchain.ledger.terms import params_hash
from offchain.ledger.wire import Record, decode_records
from offchain.services.batch_archive import cuts
from offchain.services.batcher import BatchPolicy
from offchain.services.errors import BatchOverdue
from offchain.services.gateway import Gateway
from offchain.services.parameter_watch import ParameterWatch
from offchain.services.recovery import recover
from offchain.services.reorder import AFTERWARDS, Dropped, Reordering
from offchain.services.sequencer import Receipt
from tests.support.adoption import adopt, dearer, tighter, with_strike
from tests.support.batcher_rig import DOMAIN, Rig
from tests.support.desk import Desk
from tests.support.venue import BTC_PERP, RULES


class Contract:
    """The contract of the parameters in memory."""

    def __init__(self) -> None:
        self.sets: dict[bytes, tuple[Terms, bytes]] = {}
        self.active = b""
        self.put(RULES)

    def put(self, documented: RiskParameters, laid: Terms | None = None) -> bytes:
        rules = with_terms(documented, laid or terms(documented))
        self.active = params_hash(rules, documented)
        self.sets[self.active] = terms(rules), keccak256(document(documented))
        return self.active

    def active_params_hash(self) -> bytes:
        return self.active

    def terms_of(self, params_hash: bytes) -> Terms:
        return self.sets[params_hash][0]

    def document_hash_of(self, params_hash: bytes) -> bytes:
        return self.sets[params_hash][1]


class Watched(Rig):
    """A rig with the contract, a folder of documents, and the watch."""

    def __init__(self, folder: Path, policy: BatchPolicy | None = None) -> None:
        super().__init__(folder / "batches", policy)
        self.contract, self.documents = Contract(), ParameterFiles(folder / PARAMETERS)
        self.watch = ParameterWatch(
            self.contract, self.desk.sequencer, self.batcher, self.documents
        )

    @property
    def hash(self) -> bytes:
        return self.desk.sequencer.journal.params_hash


@pytest.fixture
def rig(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_nothing_is_done_while_the_sets_agree(rig: Watched) -> None:
    before = rig.desk.store.last_seq
    assert rig.watch.poll() is None
    assert (rig.desk.store.last_seq, rig.batcher.last_batch, rig.watch.problem) == (before, 0, None)


def test_a_tightening_needs_nothing_but_the_chain(rig: Watched) -> None:
    wanted = rig.contract.put(RULES, tighter(RULES))
    assert rig.watch.poll() == rig.hash == wanted
    assert rig.batcher.last_batch == 1, "what came before was cut"
    assert rig.desk.sequencer.journal.open_records == 1
    assert terms(rig.desk.state.rules) == tighter(RULES)
    assert rig.watch.poll() is None


def test_another_document_is_asked_for_and_then_taken(rig: Watched) -> None:
    rules = with_strike(dearer(RULES))
    wanted = rig.contract.put(rules, tighter(rules))
    assert rig.watch.poll() is None
    assert rig.watch.problem is not None
    assert keccak256(document(rules)).hex() in rig.watch.problem
    assert rig.hash == params_hash(RULES)
    rig.documents.add(document(rules))
    assert rig.watch.poll() == rig.hash == wanted
    assert rig.watch.problem is None


def test_the_set_before_can_be_adopted_again(rig: Watched) -> None:
    rig.documents.add(document(dearer(RULES)))
    rig.contract.put(dearer(RULES))
    rig.watch.poll()
    assert rig.contract.put(RULES) == rig.watch.poll() == rig.hash


def test_terms_that_no_rule_allows_are_reported(rig: Watched) -> None:
    bad = replace(terms(RULES), keeper_fee_e6=0, offset_cap_usd=0, mm_factor_e6=2_000_000)
    rig.contract.active = b"\x01" * 32
    rig.contract.sets[rig.contract.active] = bad, keccak256(document(RULES))
    assert rig.watch.poll() is None
    assert rig.watch.problem is not None
    assert "breaks a rule" in rig.watch.problem


def test_curves_or_a_listing_of_another_document_are_reported(rig: Watched) -> None:
    rig.contract.active = b"\x02" * 32
    rig.contract.sets[rig.contract.active] = terms(RULES), keccak256(document(RULES))
    assert rig.watch.poll() is None
    assert rig.watch.problem is not None
    assert params_hash(RULES).hex() in rig.watch.problem


def test_a_set_that_the_engine_refuses_is_reported_and_stops_nothing(rig: Watched) -> None:
    other = replace(RULES, backstop_owner="0x" + "f2" * 20)
    rig.documents.add(document(other))
    rig.contract.put(other)
    assert rig.watch.poll() is None
    assert rig.watch.problem is not None
    assert "OWNERS_CHANGED" in rig.watch.problem
    assert not rig.desk.sequencer.is_halted
    rig.records()


def test_it_waits_while_batches_wait_for_the_chain(tmp_path: Path) -> None:
    rig = Watched(tmp_path, BatchPolicy(max_uncommitted=1))
    rig.batches(1)
    rig.records()
    rig.contract.put(RULES, tighter(RULES))
    assert rig.watch.poll() is None
    assert rig.watch.problem is not None
    assert rig.hash == params_hash(RULES)
    rig.batcher.commit_pending()
    assert rig.watch.poll() == rig.hash


def test_a_restart_goes_on_under_the_adopted_set(rig: Watched) -> None:
    wanted = rig.contract.put(RULES, tighter(RULES))
    rig.watch.poll()
    rig.batches(1)
    assert rig.restart().last_batch == 2
    assert recover(rig.desk.store, cuts=cuts(rig.files)).params_hash == wanted


def test_an_adopted_set_never_stands_within_a_batch() -> None:
    desk = Desk()
    desk.price(120_000)
    with pytest.raises(BatchOverdue):
        desk.sequencer.submit(adopt(dearer(RULES)))
    with pytest.raises(ValueError, match="call of its own"):
        desk.sequencer.submit_batch([adopt(dearer(RULES)), desk.order(2, BTC_PERP, 1, 100)])
    assert not desk.sequencer.is_halted


def test_liquidations_that_it_makes_due_follow_at_once() -> None:
    desk = Desk(liquidations_per_tick=1)
    desk.fund(insurance_usd=50_000, backstop_usd=20_000_000)
    maker = desk.deposit(10, 50_000_000)
    desk.price(120_000)
    for name in (11, 12, 13):
        desk.trade(desk.deposit(name, 31_000), maker, BTC_PERP, 1_000, 120_000)
    desk.sequencer.journal.cut(bytes(32))
    before = desk.store.last_seq
    laid = replace(terms(RULES), partial_trigger_e6=4_000_000)
    assert isinstance(desk.sequencer.submit(adopt(RULES, laid)), Receipt)
    after = [r.command for r in decode_records(b"".join(desk.store.log[before:]))]
    assert [type(command) for command in after] == [Adopt, Liquidate]
    assert desk.sequencer.backlog > 0
    desk.sequencer.journal.cut(bytes(32))
    before = desk.store.last_seq
    assert isinstance(desk.sequencer.submit(adopt(RULES, replace(laid, offset_e6=0))), Receipt)
    after = [r.command for r in decode_records(b"".join(desk.store.log[before:]))]
    assert isinstance(after[0], Adopt), "whoever waits for a step waits for the new set"


def test_ordering_the_log_again_leaves_adopted_sets_to_the_watch() -> None:
    desk = Desk()
    desk.price(120_000)
    again = Reordering(desk.sequencer, Gateway(DOMAIN), ())
    record = Record(desk.store.last_seq + 1, desk.now, 1, adopt(dearer(RULES)))
    again.run([record])
    assert again.dropped == [Dropped(record.seq, record.command, AFTERWARDS)]
    assert (again.ordered, desk.sequencer.is_halted) == (0, False)


def test_a_folder_takes_canonical_documents_alone(tmp_path: Path) -> None:
    files = ParameterFiles(tmp_path)
    key = files.add(document(RULES))
    assert files.add(document(RULES)) == key == keccak256(document(RULES))
    assert files.find(key) == document(RULES)
    with pytest.raises(WireError):
        files.add(document(RULES) + b" ")
    assert files.find(keccak256(document(RULES) + b" ")) is None
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"{}")
    assert files.find(key) is None, "a damaged file is not there"


def test_the_command_gives_a_node_a_document_and_says_what_to_propose(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_bytes(document(dearer(RULES)))
    with pytest.raises(NodeMissing):
        add_document(tmp_path / "node", file)
    (tmp_path / "node" / "log").mkdir(parents=True)
    said = add_document(tmp_path / "node", file)
    assert said["params_hash"] == f"0x{params_hash(dearer(RULES)).hex()}"
    key = keccak256(document(dearer(RULES)))
    assert said["document_hash"] == f"0x{key.hex()}"
    assert ParameterFiles(tmp_path / "node" / PARAMETERS).find(key) == file.read_bytes()
