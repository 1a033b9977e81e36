"""Every wrong request to the API has its own code, and leaves nothing behind."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from offchain.adapters.client import ApiError
from offchain.adapters.guard import ApiLimits
from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, TimestampNs
from tests.support.served import MAKER, TRADER, Served, serving

PLENTY = ApiLimits(rate=10_000, burst=10_000)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(PLENTY) as one:
        yield one


def post(served: Served, body: bytes | str) -> tuple[int, Any]:
    answer = httpx.post(f"{served.server.url}/rpc", content=body, trust_env=False)
    return answer.status_code, answer.json() if answer.content else None


def request(method: str, **params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})


def error_of(served: Served, body: bytes | str) -> tuple[int, int]:
    status, answer = post(served, body)
    return status, answer["error"]["code"]


def code(call: Any, *args: object, **params: object) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        call(*args, **params)
    return caught.value.code, caught.value.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":NaN}}',
        b"[" * 60_000,
        b'{"a":' * 20,
        b'{"id":1,"id":2}',
    ],
)
def test_a_body_that_is_not_json_is_a_parse_error(served: Served, body: bytes) -> None:
    assert error_of(served, body) == (400, -32700)


@pytest.mark.parametrize(
    "body",
    [
        "1",
        '"text"',
        "[]",
        "[1]",
        "{}",
        '{"jsonrpc":"1.0","id":1,"method":"public/get_time"}',
        '{"jsonrpc":"2.0","id":1}',
        '{"jsonrpc":"2.0","id":1,"method":5}',
        '{"jsonrpc":"2.0","id":[],"method":"public/get_time"}',
        '{"jsonrpc":"2.0","id":true,"method":"public/get_time"}',
        '{"jsonrpc":"2.0","id":1.5,"method":"public/get_time"}',
        '{"jsonrpc":"2.0","id":1,"method":"public/get_time","more":1}',
        json.dumps([{"jsonrpc": "2.0", "id": 1, "method": "public/get_time"}] * 21),
    ],
)
def test_json_that_is_no_request_is_an_invalid_request(served: Served, body: str) -> None:
    status, answer = post(served, body)
    answers = answer if isinstance(answer, list) else [answer]
    assert status == 200
    assert {a["error"]["code"] for a in answers} == {-32600}


def test_an_unknown_method_has_its_code(served: Served) -> None:
    assert error_of(served, request("public/get_everything")) == (200, -32601)
    assert error_of(served, request("__class__")) == (200, -32601)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("public/get_account", {}),
        ("public/get_account", {"account": 3, "owner": "0x" + "00" * 20}),
        ("public/get_account", {"account": "three"}),
        ("public/get_account", {"account": 3.0}),
        ("public/get_account", {"account": "-1"}),
        ("public/get_account", {"account": 3, "colour": "red"}),
        ("public/get_time", {"verbose": True}),
        ("public/get_order_book", {"instrument": 0, "depth": 101}),
        ("public/get_fills", {"limit": 501}),
        ("public/get_fills", {"limit": 0}),
        ("public/get_margin", {"positions": [{"instrument": 0, "lots": 1}] * 2}),
        ("private/place_order", {"account": 3}),
    ],
)
def test_wrong_parameters_are_named(served: Served, method: str, params: dict[str, object]) -> None:
    status, answer = post(served, request(method, **params))
    assert (status, answer["error"]["code"]) == (200, -32602)


def test_parameters_by_position_are_refused(served: Served) -> None:
    body = '{"jsonrpc":"2.0","id":1,"method":"public/get_account","params":[3]}'
    assert error_of(served, body) == (200, -32602)


def test_a_problem_names_the_parameter_and_never_repeats_the_input(served: Served) -> None:
    _, answer = post(served, request("public/get_account", account="SECRET"))
    assert answer["error"]["data"]["problems"][0]["param"] == "account"
    assert "SECRET" not in json.dumps(answer)


def test_a_body_beyond_64_kib_is_refused(served: Served) -> None:
    assert error_of(served, b" " * 65_537) == (413, 10031)


def test_unknown_things_have_their_codes(served: Served) -> None:
    call = served.client.call
    assert code(call, "public/get_account", account=99) == (11002, "UNKNOWN_ACCOUNT")
    assert code(call, "public/get_account", owner=bytes(20)) == (11002, "UNKNOWN_ACCOUNT")
    assert code(call, "public/get_account_proof", account=99) == (11002, "UNKNOWN_ACCOUNT")
    assert code(call, "public/get_ticker", instrument=200) == (11001, "UNKNOWN_INSTRUMENT")
    assert code(call, "public/get_order_book", instrument=200) == (11001, "UNKNOWN_INSTRUMENT")
    position = {"instrument": 200, "lots": 1}
    assert code(call, "public/get_margin", positions=[position]) == (11001, "UNKNOWN_INSTRUMENT")
    assert code(call, "public/get_margin", collateral_e8=[1, 1, 1]) == (16005, "BAD_ASSET")
    assert code(call, "public/get_batch", batch_no=99) == (11101, "NOT_FOUND")
    assert code(call, "keeper/get_witness", batch_no=1, index=5) == (11101, "NOT_FOUND")


def test_wrong_intents_have_their_codes(served: Served) -> None:
    good = served.order(TRADER, 1, 110_000)
    place = served.place
    assert code(place, replace(good, signature=bytes(65))) == (14101, "BAD_SIGNATURE")
    assert code(place, replace(good, lots=Lots(2))) == (14102, "WRONG_SIGNER")
    assert code(place, served.signed(good, MAKER)) == (14102, "WRONG_SIGNER")
    late = served.signed(replace(good, expires_at_ns=TimestampNs(served.desk.now)), TRADER)
    assert code(place, late) == (14002, "INTENT_EXPIRED")
    far = TimestampNs(served.desk.now + 10**18)
    assert code(place, served.signed(replace(good, expires_at_ns=far), TRADER)) == (
        14103,
        "EXPIRY_TOO_FAR",
    )
    nobody = replace(good, account=AccountId(99))
    assert code(place, nobody) == (11002, "UNKNOWN_ACCOUNT")
    nowhere = served.signed(replace(good, instrument=InstrumentId(200)), TRADER)
    assert code(place, nowhere) == (11001, "UNKNOWN_INSTRUMENT")
    off_tick = served.signed(replace(good, limit_price_e8=PriceE8(good.limit_price_e8 + 1)), TRADER)
    assert code(place, off_tick) == (11004, "BAD_PRICE")


def test_a_used_nonce_is_refused_although_the_signature_holds(served: Served) -> None:
    order = served.order(TRADER, 1, 110_000)
    served.place(order)
    assert code(served.place, order) == (14001, "NONCE_USED")


def test_an_order_beyond_the_margin_says_by_how_much(served: Served) -> None:
    with pytest.raises(ApiError) as caught:
        served.place(served.order(TRADER, 100_000, 120_000))
    assert (caught.value.code, caught.value.reason) == (12001, "INSUFFICIENT_MARGIN")
    assert caught.value.numbers["initial_margin_e6"] > caught.value.numbers["margin_balance_e6"]


def test_refused_requests_leave_nothing_in_the_log(served: Served) -> None:
    last = served.desk.store.last_seq
    code(served.place, replace(served.order(TRADER, 1, 110_000), signature=bytes(65)))
    code(served.place, served.order(TRADER, 100_000, 120_000))
    post(served, b"{")
    assert served.desk.store.last_seq == last


def test_internal_text_never_leaves(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(served.model, "fills", broken)
    _, answer = post(served, request("public/get_fills"))
    assert answer["error"] == {"code": -32603, "message": "internal error", "data": {}}
