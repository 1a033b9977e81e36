"""One process runs everything: its threads do not stop one another, and its files stay few."""

import json
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from websockets.sync.client import connect

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.client import ApiClient, ApiError
from offchain.adapters.client_intents import intent_params
from offchain.app.demo.making import signed_order
from offchain.app.devnet import launch, save_deployment
from offchain.app.engine_hash import engine_hash
from offchain.core.units import DAY_NS, ONE_E8, SECOND_NS
from offchain.engine.reasons import Reason
from offchain.services.audit import audit
from offchain.services.batcher import BatchPolicy
from offchain.services.ports import Spot
from offchain.services.sequencer import Receipt
from tests.support.mortal import START_NS, TERMS, WINDOW_S, Inhabited, Life, pay_in

ORDERS, ROUNDS = 60, 8  # an account has 64 resting orders at most


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Inhabited]:
    """Start a node with small batches whose traders have positions."""
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS, accounts=1)) as anvil:
        devnet = launch(anvil.url, anvil.keys[0], START_NS, TERMS)
        save_deployment(devnet, tmp_path / "deployment.json")
        pay_in(devnet)
        life = Life(anvil.url, devnet.admin_key, str(tmp_path), 0, "appended")
        found = Inhabited(life, devnet)
        found.node.start()
        found.trade()
        yield found
        found.close()


def finish(here: Inhabited) -> None:
    """Make everything final, and demand that the audit finds nothing."""
    for _ in range(40):
        here.node.settle(force=True)
        here.keeper.step()
        if here.chain.finalised() == here.node.batcher.last_batch:
            break
        here.wait(WINDOW_S + 1)
    report = audit(collect_facts(here.chain), engine_hash())
    assert report.is_ok, report.failed
    assert report.records == here.node.store.last_seq


def test_trading_streaming_pricing_and_settling_at_once_end_in_a_good_audit(
    here: Inhabited,
) -> None:
    node, maker = here.node, here.traders[0]
    node.batcher.policy = BatchPolicy(max_records=25)
    faults: list[BaseException] = []
    heard: list[str] = []

    def trade() -> None:
        try:
            with ApiClient(node.server.url) as client:
                for number in range(ORDERS):
                    until = here.clock.now_ns() + 3_600 * SECOND_NS
                    usd, lots = 100_000 + 100 * number, 1
                    domain = node.gateway.domain
                    order = signed_order(domain, maker, 0, lots, usd * ONE_E8, until)
                    try:
                        client.call("private/place_order", **intent_params(order))
                    except ApiError as refused:
                        if refused.code != Reason.STALE_PRICES:  # while a jump is in doubt
                            raise
        except BaseException as fault:  # noqa: BLE001 - whatever it is, the test shows it
            faults.append(fault)

    def listen() -> None:
        url = node.server.url.replace("http", "ws", 1) + "/ws"
        channels = ["margin.watch", "batches", "fills", "warnings"]
        request = {"id": 1, "method": "subscribe", "params": {"channels": channels}}
        with connect(url, proxy=None) as socket:
            socket.send(json.dumps({"jsonrpc": "2.0", **request}))
            while "FINALIZED" not in "".join(heard[-1:]):
                heard.append(str(socket.recv(timeout=60)))

    threads = [threading.Thread(target=work, daemon=True) for work in (trade, listen)]
    for thread in threads:
        thread.start()
    for step in range(ROUNDS):
        here.price(119_500 - 1_500 * step)
        node.settle()
        here.keeper.step()
    threads[0].join(60)
    finish(here)
    threads[1].join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert faults == []
    assert any("COMMITTED" in message for message in heard)
    assert node.sequencer.failed_listeners == []
    assert node.missing() == []
    assert max(_sizes(here)) <= 25 + 3, "a batch is cut with the call that fills it"


def _sizes(here: Inhabited) -> list[int]:
    batcher = here.node.batcher
    ends = [0]
    for number in range(1, batcher.last_batch + 1):
        signed = batcher.batch(number)
        assert signed is not None
        ends.append(signed.last_seq)
    return [after - before for before, after in pairwise(ends[1:])]


def test_what_has_expired_is_settled_with_the_first_price_after_it(here: Inhabited) -> None:
    node = here.node
    listed = node.devnet.parameters.listing.instruments
    week = {i.id for i in listed if 0 < i.expiry_ns <= START_NS + 8 * DAY_NS}
    assert week
    here.wait(8 * 24 * 3_600)
    answer = node.observe(Spot(here.clock.now_ns(), (119_000 * ONE_E8, 4_100 * ONE_E8)))
    assert isinstance(answer, Receipt)
    assert node.sequencer.state.market.settled == week
    node.observe(Spot(here.clock.now_ns() + 1, (119_000 * ONE_E8, 4_100 * ONE_E8)))
    assert node.sequencer.state.market.settled == week


def test_snapshots_are_few_and_the_newest_is_recent(here: Inhabited) -> None:
    node = here.node
    for step in range(6):
        here.price(119_400 - step)
        node.settle(force=True)
    kept = list(node.snapshots.newest_first())
    assert len(kept) == 3
    last = node.batcher.batch(node.batcher.last_batch)
    assert last is not None
    assert kept[0].seq == last.last_seq


def test_a_node_that_never_served_can_be_stopped_and_its_folder_used_again(
    here: Inhabited,
) -> None:
    here.node.stop()
    for _ in range(2):
        again = Inhabited(here.life, here.devnet)
        again.node.stop()
