"""A node that is killed at any point goes on where it stood: nothing lost, nothing done twice."""

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.read_model import ReadModel
from offchain.app.devnet import Devnet, launch, save_deployment
from offchain.app.engine_hash import engine_hash
from offchain.core.units import SECOND_NS
from offchain.engine.events import Event
from offchain.engine.reasons import Rejected
from offchain.ledger.journal import Journal
from offchain.ledger.wire import Record, decode_records
from offchain.services import recovery
from offchain.services.audit import audit
from offchain.services.errors import StartRefused
from tests.support.mortal import (
    DEATHS,
    START_NS,
    TERMS,
    WINDOW_S,
    Inhabited,
    Life,
    arguments,
    pay_in,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Devnet, Life, dict[int, str]]]:
    """Kill a node at every point, one after the other, in one folder on one chain."""
    folder = tmp_path_factory.mktemp("venue")
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS, accounts=1)) as anvil:
        devnet = launch(anvil.url, anvil.keys[0], START_NS, TERMS)
        save_deployment(devnet, folder / "deployment.json")
        pay_in(devnet)
        acknowledged: dict[int, str] = {}
        life = Life(anvil.url, devnet.admin_key, str(folder), 0, "")
        for number, death in enumerate(DEATHS):
            life = replace(life, number=number, death=death)
            acknowledged |= _die(life)
        yield devnet, replace(life, number=len(DEATHS), death=""), acknowledged
        devnet.chain.close()


def _die(life: Life) -> dict[int, str]:
    child = subprocess.run(  # noqa: S603 - our own interpreter and module
        arguments(life), cwd=ROOT, capture_output=True, timeout=120, text=True, check=False
    )
    assert child.returncode == -signal.SIGKILL, (life.death, child.stderr[-2_000:])
    found = [json.loads(line) for line in child.stdout.splitlines()]
    assert len(found) >= 5, (life.death, child.stdout)
    return dict(found)


def test_a_node_killed_at_every_point_goes_on_and_passes_its_audit(
    killed: tuple[Devnet, Life, dict[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    devnet, life, acknowledged = killed
    replayed = []

    class Counted(Journal):
        def apply(self, record: Record) -> tuple[Event, ...] | Rejected:
            replayed.append(record.seq)
            return super().apply(record)

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "Journal", Counted)
        here = Inhabited(life, devnet)
    node, store = here.node, here.node.store
    assert list(node.snapshots.newest_first())
    assert len(replayed) < store.last_seq / 2, "the snapshot was not used"
    assert {seq: store.tip_at(seq).hex() for seq in acknowledged} == acknowledged
    assert node.read_model.last_seq() == store.last_seq

    node.start()
    here.trade()
    assert len(here.acknowledged) >= 5
    for _ in range(4):
        node.settle(force=True)
        here.keeper.step()
        here.wait(WINDOW_S + 1)
    node.settle()
    assert devnet.chain.finalised() == devnet.chain.head() == node.batcher.last_batch
    rows = node.read_model.batches(100)
    assert [row["batch_no"] for row in rows] == list(range(node.batcher.last_batch, 0, -1))
    assert {row["status"] for row in rows} == {"FINALIZED"}
    assert node.missing() == []

    report = audit(collect_facts(devnet.chain), engine_hash())
    assert report.is_ok, [(v.check, [str(f) for f in v.findings]) for v in report.verdicts.values()]
    assert report.records == store.last_seq
    assert len(collect_facts(devnet.chain).verified) >= 2
    node.projector.drain()
    fresh = ReadModel()
    fresh.rebuild(r for frame in store.frames() for r in decode_records(frame))
    assert node.read_model.content_hash() == fresh.content_hash()
    fresh.close()
    here.node.stop()


def test_a_log_of_another_venue_is_refused(
    killed: tuple[Devnet, Life, dict[int, str]],
) -> None:
    devnet, life, _ = killed
    other = replace(devnet, parameters=replace(devnet.parameters, version=2))
    for _ in range(2):  # the lock is given back
        with pytest.raises(StartRefused, match="another venue"):
            Inhabited(life, other)


def test_an_engine_that_the_chain_does_not_pin_is_refused(
    killed: tuple[Devnet, Life, dict[int, str]],
) -> None:
    devnet, life, _ = killed
    with pytest.raises(StartRefused, match="engine"):
        Inhabited(life, replace(devnet, engine_hash=bytes(32)))
