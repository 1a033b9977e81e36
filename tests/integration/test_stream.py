"""Streams are complete and in order for those who read."""

import threading
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from offchain.adapters.guard import ApiLimits
from tests.support.served import Served, serving
from tests.support.sockets import joined
from tests.support.venue import BTC_PERP

PLENTY = ApiLimits(rate=10_000, burst=10_000)


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(PLENTY) as one:
        yield one


def trade(served: Served, lots: int = 1) -> None:
    served.desk.trade(3, 2, BTC_PERP, lots, 120_000)


def test_the_methods_of_http_answer_over_the_socket(served: Served) -> None:
    with joined(served) as client:
        over_socket = client.call("public/get_account", account=3)["result"]
        assert over_socket == served.client.call("public/get_account", account=3)
        assert client.call("public/nothing")["error"]["code"] == -32601
        client.connection.send("{")
        assert client.receive()["error"]["code"] == -32700


def test_a_subscription_is_answered_then_shown_then_updated_in_sequence(served: Served) -> None:
    with joined(served) as client:
        (snapshot,) = client.subscribe("fills")
        assert snapshot["type"] == "snapshot"
        assert snapshot["prev_seq"] is None
        assert [f["lots"] for f in snapshot["data"]["recent"]] == ["1500"]
        for n in (1, 2, 3):
            trade(served, n)
        seen = snapshot["seq"]
        for n in (1, 2, 3):
            update = client.message()
            assert (update["type"], update["prev_seq"], update["seq"]) == ("update", seen, seen + 1)
            assert update["data"]["lots"] == str(n)
            seen = update["seq"]


def test_every_price_shows_the_margin_of_all_accounts(served: Served) -> None:
    with joined(served) as client:
        (snapshot,) = client.subscribe("margin.watch")
        before = {a["account"]: a for a in snapshot["data"]["accounts"]}
        served.desk.price(119_000)
        after = {a["account"]: a for a in client.message()["data"]["accounts"]}
        assert set(after) == {"2", "3"}
        fallen = int(before["3"]["margin_balance_e6"]) - int(after["3"]["margin_balance_e6"])
        assert fallen == 1_500 * 10**6
        shown = served.client.call("public/get_account", account=3)["margin"]
        assert after["3"]["margin_ratio_e6"] == shown["margin_ratio_e6"]


def test_an_account_hears_of_its_risk_when_it_trades_and_when_prices_move(served: Served) -> None:
    with joined(served) as client:
        (snapshot,) = client.subscribe("account.3.risk")
        assert snapshot["data"]["positions"][0]["lots"] == "1500"
        trade(served)
        assert client.message()["data"]["positions"][0]["lots"] == "1501"
        served.desk.price(119_000)
        update = client.message()
        assert update["data"]["round"] == "2"


def test_a_crash_is_told_as_warnings_then_liquidations(served: Served) -> None:
    with joined(served) as client:
        client.subscribe("warnings", "liquidations")
        served.desk.price(114_200)
        told = [client.message() for _ in range(2)]
        assert [m["channel"] for m in told] == ["warnings", "liquidations"]
        assert told[0]["data"]["account"] == told[1]["data"]["account"] == "3"
        assert told[1]["data"]["tier"] == "partial"


def test_what_others_publish_reaches_its_channel(served: Served) -> None:
    with joined(served) as client:
        client.subscribe("batches")
        served.api.hub.publish("batches", {"batch_no": 1, "status": "committed"})
        assert client.message()["data"] == {"batch_no": "1", "status": "committed"}


def test_an_ended_subscription_is_silent(served: Served) -> None:
    with joined(served) as client:
        client.subscribe("fills", "margin.watch")
        answer = client.call("unsubscribe", channels=["fills"])
        assert answer["result"] == {"channels": ["margin.watch"]}
        trade(served)
        served.desk.price(119_000)
        assert client.message()["channel"] == "margin.watch"
        assert served.api.hub.wanted == {"margin.watch"}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"channels": ["secrets"]}, 11102),
        ({"channels": ["account.99.risk"]}, 11102),
        ({"channels": ["account.3.orders"]}, 11102),
        ({"channels": ["account.03.risk"]}, 11102),
        ({"channels": ["account.\u0663.risk"]}, 11102),
        ({"channels": []}, -32602),
        ({"channels": "fills"}, -32602),
        ({"channels": [5]}, -32602),
        ({"channels": ["x" * 65]}, -32602),
        ({}, -32602),
        ({"channels": ["fills"], "from": 1}, -32602),
    ],
)
def test_a_wrong_subscription_has_its_code(
    served: Served, params: dict[str, object], code: int
) -> None:
    with joined(served) as client:
        assert client.call("subscribe", **params)["error"]["code"] == code
        assert served.api.hub.wanted == frozenset()


def test_one_socket_has_a_bounded_number_of_channels() -> None:
    with (
        serving(ApiLimits(rate=1e4, burst=1e4, subscriptions=2)) as served,
        joined(served) as client,
    ):
        client.subscribe("fills", "warnings")
        answer = client.call("subscribe", channels=["batches"])
        assert (answer["error"]["code"], answer["error"]["data"]) == (10029, {"limit": "2"})
        assert "result" in client.call("subscribe", channels=["fills"])


def test_a_message_beyond_the_limit_closes_the_socket(served: Served) -> None:
    with joined(served) as client:
        client.connection.send(" " * 65_537)
        with pytest.raises(ConnectionClosed) as caught:
            client.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


def test_a_client_beyond_its_rate_is_told_so() -> None:
    with serving(ApiLimits(rate=0.001, burst=3)) as served, joined(served) as client:
        assert "result" in client.call("public/get_time")
        assert "result" in client.call("public/get_time")
        client.connection.send("{}")
        assert client.receive()["error"]["code"] == 10028


def test_a_socket_beyond_the_number_of_connections_is_turned_away() -> None:
    limits = ApiLimits(rate=1e4, burst=1e4, connections=1)
    with serving(limits) as served, joined(served) as client:
        client.call("public/get_time")
        with pytest.raises(InvalidStatus), joined(served):
            pass


def test_a_socket_outlives_the_time_in_which_a_first_request_must_come() -> None:
    limits = ApiLimits(rate=10_000, burst=10_000, idle_seconds=0.05)
    with serving(limits) as served, joined(served) as client:
        client.subscribe("fills")
        passed = threading.Event()
        timer = threading.Timer(0.2, passed.set)  # four times the limit, without a message
        timer.start()
        assert passed.wait(timeout=5)
        trade(served)
        assert client.message()["type"] == "update"
