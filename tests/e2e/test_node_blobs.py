"""A whole node that posts in blobs: attested by replicas that read them, final, and audited."""

from pathlib import Path

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.clock import ReplayClock
from offchain.app.devnet import launch
from offchain.app.engine_hash import engine_hash
from offchain.app.node import Node, NodeChoices
from offchain.core.units import ONE_E8, SECOND_NS
from offchain.ledger.header import DATA_KIND_BLOBS
from offchain.services.audit import audit
from offchain.services.batch_policy import BatchPolicy
from offchain.services.ports import Spot
from tests.support.mortal import START_NS, TERMS, WINDOW_S, pay_in

SPOT_E8 = (120_000 * ONE_E8, 4_150 * ONE_E8)


def test_a_node_in_blobs_is_attested_final_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    choices = NodeChoices(tmp_path / "node", batches=BatchPolicy(data_kind=DATA_KIND_BLOBS))
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS, accounts=1)) as anvil:
        devnet = launch(anvil.url, anvil.keys[0], START_NS, TERMS)
        pay_in(devnet)
        clock = ReplayClock(START_NS)
        for count in (1, 2):
            node = Node(devnet, clock, choices)
            node.start()
            _live(node, clock)
            assert node.batcher.finalised == count
            node.stop()
        report = audit(collect_facts(devnet.chain), engine_hash())
        assert report.is_ok, report.failed
        kinds = [batch.header.da_kind for batch in devnet.chain.committed_batches()]
        assert kinds == [DATA_KIND_BLOBS] * 2
        devnet.chain.close()


def _live(node: Node, clock: ReplayClock) -> None:
    """Take in what was paid and a price, and make the batch of it final."""
    node.watcher.poll()
    for _ in range(2):
        clock.set(clock.now_ns() + (WINDOW_S + 1) * SECOND_NS)
        node.chain.set_time(clock.now_ns())
        if node.batcher.last_batch == node.chain.finalised():
            node.observe(Spot(clock.now_ns(), SPOT_E8))
        node.settle(force=True)
