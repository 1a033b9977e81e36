"""Whatever is sent, the answer is well-formed JSON-RPC, nothing is changed, and service goes on."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from offchain.adapters.guard import ApiLimits
from offchain.adapters.methods import METHODS
from offchain.adapters.rpc import Fault
from tests.support.garble import Garbler
from tests.support.served import Served, serving
from tests.support.sockets import is_answering

HTTP_CASES, SOCKET_CASES = 1_500, 500
HTTP_SEED, SOCKET_SEED = 20_251_010, 20_251_011
FREE = ApiLimits(rate=1_000_000, burst=1_000_000)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(FREE) as venue:
        yield venue


def garbler(seed: int) -> Garbler:
    return Garbler(seed, [method.name for method in METHODS])


def assert_answer(answer: Any, text: bytes) -> None:
    """Demand one well-formed answer, or a batch of them."""
    if isinstance(answer, list):
        assert answer, text
        for one in answer:
            assert isinstance(one, dict), text
            assert_answer(one, text)
        return
    assert answer["jsonrpc"] == "2.0", text
    assert set(answer) - {"error", "result"} == {"jsonrpc", "id"}, text
    assert ("error" in answer) != ("result" in answer), text
    if "error" in answer:
        error = answer["error"]
        assert isinstance(error["code"], int), text
        assert isinstance(error["message"], str), text
        assert error["code"] != Fault.INTERNAL, (text, error)


def test_http_answers_every_text_in_form_and_serves_on(served: Served) -> None:
    texts, tip = garbler(HTTP_SEED), served.desk.store.tip
    with httpx.Client(timeout=20, trust_env=False) as client:
        for _ in range(HTTP_CASES):
            text = texts.text()
            answer = client.post(f"{served.server.url}/rpc", content=text)
            assert answer.status_code in {200, 204, 400}, (answer.status_code, text)
            if answer.status_code == 204:
                assert answer.content == b"", text
            else:
                assert_answer(answer.json(), text)
    assert is_answering(served)
    assert served.desk.store.tip == tip
    assert served.desk.sequencer.failed_listeners == []


def test_a_socket_answers_every_message_in_form_and_stays_open(served: Served) -> None:
    texts, tip = garbler(SOCKET_SEED), served.desk.store.tip
    url = f"ws://{served.server.host}:{served.server.port}/ws"
    with connect(url, proxy=None, max_size=None) as socket:
        for number in range(SOCKET_CASES):
            text = texts.text()
            socket.send(text)
            mark = f"mark {number}"
            socket.send(json.dumps({"jsonrpc": "2.0", "id": mark, "method": "public/get_time"}))
            while True:
                answer = json.loads(socket.recv(timeout=20))
                if isinstance(answer, dict) and answer.get("id") == mark:
                    break
                if not (isinstance(answer, dict) and answer.get("method") == "stream"):
                    assert_answer(answer, text)
    assert is_answering(served)
    assert served.desk.store.tip == tip


@pytest.mark.parametrize(
    "text",
    [
        b'"' + b'\\"' * 32_000,
        b'{"a":"' + b"\\\\" * 32_000,
        b'"' * 64_000,
        b'["' + b'\\",' * 21_000,
        b"{" * 64_000,
        b"9" * 64_000,
        b"[" + b"1e9," * 16_000,
    ],
    ids=["quotes", "backslashes", "empty strings", "commas", "braces", "digits", "floats"],
)
def test_no_text_within_the_limit_holds_up_the_server(served: Served, text: bytes) -> None:
    answer = httpx.post(f"{served.server.url}/rpc", content=text, timeout=5, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, Fault.PARSE)
