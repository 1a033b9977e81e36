"""The chain goes away, loses answers and takes blocks back: the node repeats nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain_facts import collect_facts
from offchain.app.devnet import launch, save_deployment
from offchain.app.engine_hash import engine_hash
from offchain.core.units import SECOND_NS
from offchain.services.audit import audit
from offchain.services.errors import ChainUnreachable
from tests.support.mortal import START_NS, TERMS, WINDOW_S, Inhabited, Life, pay_in
from tests.support.proxy import Proxy, proxy

SENT = b"eth_sendRawTransaction"
REPORTS = 4


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[tuple[Proxy, Inhabited]]:
    """Start a node whose chain is behind a proxy; its longs are liquidated by the first prices."""
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS, accounts=1)) as anvil:
        devnet = launch(anvil.url, anvil.keys[0], START_NS, TERMS)
        save_deployment(devnet, tmp_path / "deployment.json")
        pay_in(devnet)
        devnet.chain.close()
        with proxy(anvil.url) as between:
            here = Inhabited(Life(between.url, devnet.admin_key, str(tmp_path), 0, "appended"))
            here.node.start()
            here.trade()
            for _ in range(2):
                here.price(110_000)
            yield between, here
            here.close()


def finish(here: Inhabited) -> None:
    """Make everything final, and demand that the audit finds nothing."""
    for _ in range(3):
        here.node.settle(force=True)
        here.keeper.step()
        here.wait(WINDOW_S + 1)
    here.node.settle()
    chain = here.chain
    assert chain.finalised() == chain.head() == here.node.batcher.last_batch
    assert here.node.missing() == []
    facts = collect_facts(chain)
    assert len(facts.verified) >= 2
    report = audit(facts, engine_hash())
    assert report.is_ok, report.failed


def test_orders_go_on_while_the_node_is_away_and_settlement_follows(
    venue: tuple[Proxy, Inhabited],
) -> None:
    between, here = venue
    node = here.node
    between.is_refusing = True
    with pytest.raises(ChainUnreachable):
        node.settle(force=True)
    assert node.batcher.last_batch == 1, "batches are cut while the chain is away"
    for attempt in (node.settle, here.keeper.step, node.watcher.poll, node.settle):
        with pytest.raises(ChainUnreachable):
            attempt()
    assert node.missing() == ["chain"]
    before = node.store.last_seq
    here.order(here.traders[0], -1, 130_000)
    assert node.store.last_seq == before + 1
    between.is_refusing = False
    finish(here)


def test_a_transaction_whose_answer_was_lost_is_not_done_twice(
    venue: tuple[Proxy, Inhabited],
) -> None:
    between, here = venue
    node = here.node
    for _ in range(REPORTS):
        between.lose = SENT
        with pytest.raises(ChainUnreachable):
            node.relayer.flush()
    between.lose = SENT
    with pytest.raises(ChainUnreachable):
        node.settle(force=True)
    assert node.settle().committed == ()
    assert here.chain.newest_round() == node.sequencer.state.market.last_round
    assert here.chain.head() == node.batcher.last_batch == 1
    between.lose = SENT
    with pytest.raises(ChainUnreachable):
        here.keeper.step()
    here.keeper.step()
    here.wait(WINDOW_S + 1)
    between.lose = SENT
    with pytest.raises(ChainUnreachable):
        node.settle()
    assert node.settle().finalised == ()
    assert here.chain.finalised() == 1
    assert {row["status"] for row in node.read_model.batches(10)} == {"FINALIZED"}
    finish(here)


def test_a_report_that_cannot_be_relayed_holds_up_no_batch(
    venue: tuple[Proxy, Inhabited],
) -> None:
    between, here = venue
    between.lose = SENT
    with pytest.raises(ChainUnreachable):
        here.node.settle(force=True)
    assert here.chain.head() == 1
    finish(here)


def test_a_reorganisation_that_took_reports_a_commit_and_a_verification_is_made_good(
    venue: tuple[Proxy, Inhabited],
) -> None:
    _, here = venue
    node, chain = here.node, here.chain
    node.settle(force=True)
    here.order(here.traders[0], -1, 130_000)
    here.price(104_000)
    before = chain.node.request("evm_snapshot")
    here.price(103_900)
    node.settle(force=True)
    assert here.keeper.step()
    assert (chain.head(), node.batcher.committed) == (2, 2)
    assert chain.node.request("evm_revert", before)
    assert chain.head() == 1
    here.wait(1)
    node.settle()
    assert chain.head() == node.batcher.committed == 2
    assert chain.newest_round() == node.sequencer.state.market.last_round
    finish(here)
