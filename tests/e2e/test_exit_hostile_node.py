"""``plimsoll exit`` over a node that lies, leaves out, refuses or is asked too often."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from offchain.ledger.header import batch_hash
from tests.support.lying_node import Answer, Body, lying_node
from tests.support.stopped_venue import ALICE, Place, stopped_venue

WORDS = ("--owner", f"0x{ALICE.address.hex()}", "--json")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with stopped_venue(tmp_path_factory.mktemp("hostile")) as found:
        found.freeze()
        yield found


@pytest.fixture
def place(frozen: Place) -> Iterator[Place]:
    snapshot = frozen.chain.node.request("evm_snapshot")
    yield frozen
    frozen.chain.node.request("evm_revert", snapshot)


def of_logs(change: Callable[[list[Body]], list[Body]]) -> Callable[..., Body | Answer]:
    """Return a lie about events alone."""

    def lie(request: Body, ask: Callable[[], Body]) -> Body:
        answer = ask()
        if request["method"] == "eth_getLogs" and answer.get("result"):
            answer["result"] = change(answer["result"])
        return answer

    return lie


def topic(place: Place, contract: str, event: str) -> str:
    return "0x" + place.chain.contracts[contract].event_named(event).topic.hex()


def paid(out: str) -> set[tuple[str, int]]:
    return {(p["kind"], p["asset"]) for p in json.loads(out)["paid"]}


EVERYTHING = {("output", 0), ("deposit", 0), ("account", 0), ("account", 1)}


def refused(place: Place, lie: Callable[..., Body | Answer], code: int, words: str) -> None:
    """Demand that nothing is sent, and that the user is told why."""
    nonce = place.chain.node.nonce(ALICE.address)
    with lying_node(place.chain.node.url, lie) as url:
        ran = place.exit(*WORDS, rpc=url)
    assert ran.code == code, ran.err
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert place.chain.node.nonce(ALICE.address) == nonce


def test_events_that_are_left_out_are_noticed(place: Place) -> None:
    entry = topic(place, "Inbox", "Enqueued")
    without_last = of_logs(lambda logs: logs[:-1] if logs[-1]["topics"][0] == entry else logs)
    refused(place, without_last, 6, "InboxMismatch")
    committed = topic(place, "Settlement", "BatchCommitted")
    refused(
        place,
        of_logs(lambda logs: [log for log in logs if log["topics"][0] != committed]),
        6,
        "CheckpointMismatch",
    )


def test_an_entry_with_another_amount_is_noticed(place: Place) -> None:
    entry = topic(place, "Inbox", "Enqueued")

    def more(logs: list[Body]) -> list[Body]:
        for log in logs:
            if log["topics"][0] == entry:
                log["data"] = log["data"][:190] + "ff" + log["data"][192:]
        return logs

    refused(place, of_logs(more), 6, "InboxMismatch")


def test_events_of_others_twice_or_without_sense_are_noticed(place: Place) -> None:
    def stranger(logs: list[Body]) -> list[Body]:
        return [log | {"address": "0x" + "12" * 20} for log in logs]

    refused(place, of_logs(stranger), 4, "asked for blocks")
    refused(place, of_logs(lambda logs: [*logs, logs[-1]]), 4, "one event twice")
    refused(place, of_logs(lambda logs: [x | {"data": "0x12"} for x in logs]), 4, "tells of no")


def test_events_in_another_order_are_put_in_order(place: Place) -> None:
    with lying_node(place.chain.node.url, of_logs(lambda logs: logs[::-1])) as url:
        ran = place.exit(*WORDS, rpc=url)
    assert ran.code == 0, ran.err
    assert paid(ran.out) == EVERYTHING


def test_another_chain_id_is_noticed(place: Place) -> None:
    def lie(request: Body, ask: Callable[[], Body]) -> Body:
        answer = ask()
        if request["method"] == "eth_chainId":
            answer["result"] = hex(1)
        return answer

    refused(place, lie, 4, "says that it is chain 1")


def test_a_node_that_is_asked_too_often_is_given_time(place: Place) -> None:
    seen: Counter[str] = Counter()

    def lie(request: Body, ask: Callable[[], Body]) -> Body | Answer:
        seen[request["method"]] += 1
        if seen[request["method"]] <= 2:
            return 429, {"error": "slow down"}, {"Retry-After": "0"}
        return ask()

    with lying_node(place.chain.node.url, lie) as url:
        ran = place.exit(*WORDS, rpc=url)
    assert ran.code == 0, ran.err
    assert paid(ran.out) == EVERYTHING


def test_a_node_that_gives_few_blocks_at_once_is_asked_for_few(place: Place) -> None:
    def lie(request: Body, ask: Callable[[], Body]) -> Body | Answer:
        if request["method"] == "eth_getLogs":
            (asked,) = request["params"]
            span = int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) + 1
            if span > 10:
                fault = {"code": -32600, "message": "up to a 10 block range"}
                return 400, {"jsonrpc": "2.0", "id": request["id"], "error": fault}, {}
        return ask()

    with lying_node(place.chain.node.url, lie) as url:
        ran = place.exit(*WORDS, rpc=url)
    assert ran.code == 0, ran.err
    assert paid(ran.out) == EVERYTHING


def test_a_call_that_the_node_refuses_holds_up_no_other(place: Place) -> None:
    exit_at = place.chain.contracts["Exit"].checksum_address
    refund = "0x" + place.chain.contracts["Exit"].function("refund").selector.hex()

    def lie(request: Body, ask: Callable[[], Body]) -> Body:
        if request["method"] == "eth_estimateGas":
            (asked, *_) = request["params"]
            if asked["to"] == exit_at and asked["data"].startswith(refund):
                fault = {"code": -32000, "message": "gas required exceeds allowance"}
                return {"jsonrpc": "2.0", "id": request["id"], "error": fault}
        return ask()

    with lying_node(place.chain.node.url, lie) as url:
        ran = place.exit(*WORDS, rpc=url)
    assert ran.code == 5, ran.err
    assert paid(ran.out) == EVERYTHING - {("deposit", 0)}
    (left,) = json.loads(ran.out)["refused"]
    assert "gas required exceeds allowance" in left["why"]


def test_a_key_without_money_and_an_owner_without_anything_are_told_so(place: Place) -> None:
    ran = place.exit(*WORDS, key="nobody has given me gas")
    assert ran.code == 3
    assert "NoGasMoney" in ran.err
    assert "has no money for gas on chain" in ran.err
    ran = place.exit()
    assert ran.code == 0, ran.err
    assert "is it the address that paid in" in ran.out


def test_another_history_that_is_whole_in_itself_is_noticed(place: Place) -> None:
    (batch,) = place.chain.committed_batches()
    told = replace(batch.header, l1_block_number=batch.header.l1_block_number + 1)
    swap = {
        batch.batch_hash.hex(): batch_hash(told).hex(),
        f"{batch.header.l1_block_number:064x}{batch.header.l1_block_hash.hex()}": (
            f"{told.l1_block_number:064x}{told.l1_block_hash.hex()}"
        ),
    }

    def lie(request: Body, ask: Callable[[], Body]) -> Body:
        text = json.dumps(ask())
        if request["method"] in {"eth_getLogs", "eth_getTransactionByHash"}:
            for true, false in swap.items():
                text = text.replace(true, false)
        found: Body = json.loads(text)
        return found

    refused(place, lie, 6, "the node shows another one")
