"""The API over a real server: what it answers, and how it answers in trouble."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import httpx
import pytest

from offchain.adapters.client import ApiClient, ApiError, ApiUnavailable
from offchain.adapters.guard import ApiLimits
from offchain.adapters.methods import METHODS
from offchain.core.curves import curve_lines
from offchain.core.oracle import Standing
from offchain.core.portfolio import portfolio_reference
from offchain.core.presets import BREAKER
from offchain.core.scan import scan_sums_reference
from offchain.core.terms import terms
from offchain.core.units import SECOND_NS, AccountId, TimestampNs, ceil_div
from offchain.engine.messages import CancelOrder, Withdraw
from offchain.engine.reasons import Reason
from offchain.engine.risk import account_margin
from offchain.ledger.leaf import AccountLeaf, Position, leaf_hash
from offchain.ledger.merkle import verify_account
from offchain.services.errors import LogFailed
from tests.support.desk import key
from tests.support.served import DOMAIN, MAKER, TRADER, Served, order_params, serving
from tests.support.sockets import joined
from tests.support.venue import BTC_PERP, RULES, option

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


def code(call: Any, *args: object, **params: object) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        call(*args, **params)
    return caught.value.code, caught.value.reason


def test_health_tells_that_orders_are_taken(served: Served) -> None:
    assert httpx.get(f"{served.server.url}/health/live", trust_env=False).json() == {
        "status": "live"
    }
    assert served.client.is_ready()


def test_every_method_is_listed_with_its_schema(served: Served) -> None:
    listed = {m["name"]: m for m in served.client.call("public/list_methods")}
    assert set(listed) == {m.name for m in METHODS}
    assert "signature" in json.loads(listed["private/place_order"]["params"])["properties"]
    assert all(m["doc"].endswith(".") for m in listed.values())


def test_parameters_and_instruments_are_published(served: Served) -> None:
    found = served.client.call("public/get_parameters")
    assert found["params_hash"] == "0x" + served.desk.sequencer.journal.params_hash.hex()
    rules = served.desk.state.rules
    assert {name: int(term) for name, term in found["terms"].items()} == asdict(terms(rules))
    assert found["domain"]["verifying_contract"] == "0x" + DOMAIN.contract.hex()
    listing = served.client.call("public/get_instruments")
    assert listing["instruments"][0]["symbol"] == "BTC-PERP"
    assert len(listing["instruments"]) == len(served.desk.state.instruments)


def test_a_ticker_has_the_mark_and_the_whole_risk_array(served: Served) -> None:
    call = option("BTC-WEEK-120000-C")
    ticker = served.client.call("public/get_ticker", instrument=call)
    arrays = served.desk.state.market.prices
    assert int(ticker["mark_price_e8"]) == arrays.marks_e8[call]
    assert [int(x) for x in ticker["risk_array_e6"]] == arrays.losses_e6[call].tolist()


def test_a_signed_order_rests_shows_in_the_book_and_is_cancelled(served: Served) -> None:
    placed = served.place(served.order(MAKER, -7, 125_000))
    assert (placed["lots_filled"], placed["lots_resting"]) == ("0", "-7")
    book = served.client.call("public/get_order_book", instrument=BTC_PERP)
    assert book["asks"] == [{"price_e8": "12500000000000", "lots": "7"}]
    cancel = CancelOrder(
        AccountId(2),
        int(placed["order_id"]),
        10**6,
        TimestampNs(served.desk.now + 10**9),
        b"",
    )
    done = served.signed(cancel, MAKER)
    receipt = served.client.call(
        "private/cancel_order",
        account=2,
        order_id=done.order_id,
        nonce=done.nonce,
        expires_at_ns=done.expires_at_ns,
        signature=done.signature,
    )
    assert int(receipt["seq"]) == served.desk.store.last_seq
    assert receipt["log_hash"] == "0x" + served.desk.store.tip.hex()
    assert served.client.call("public/get_order_book", instrument=BTC_PERP)["asks"] == []


def test_orders_that_meet_are_filled_and_the_fill_is_in_the_history(served: Served) -> None:
    served.place(served.order(MAKER, -3, 120_000))
    placed = served.place(served.order(TRADER, 3, 120_000))
    assert placed["lots_filled"] == "3"
    assert placed["fills"][0]["price_e8"] == "12000000000000"
    served.projector.drain()
    fills = served.client.call("public/get_fills", account=3, limit=1)
    assert fills["rows"][0]["lots"] == "3"
    older = served.client.call("public/get_fills", account=3, before=int(fills["next_before"]))
    assert older["rows"][0]["lots"] == "1500"
    assert older["next_before"] is None


def test_an_account_is_found_by_id_and_by_owner_with_the_margin_of_the_engine(
    served: Served,
) -> None:
    by_id = served.client.call("public/get_account", account=3)
    assert served.client.call("public/get_account", owner=key(TRADER).address) == by_id
    margin = account_margin(served.desk.state, 3)
    assert int(by_id["margin"]["margin_balance_e6"]) == margin.margin_balance_e6
    assert int(by_id["margin"]["maintenance_margin_e6"]) == margin.maintenance_e6
    assert by_id["positions"][0]["instrument"] == "0"


def test_an_account_proof_holds_under_its_root(served: Served) -> None:
    found = served.client.call("public/get_account_proof", account=3)
    leaf = AccountLeaf(
        bytes.fromhex(found["leaf"]["owner"][2:]),
        int(found["leaf"]["subaccount"]),
        int(found["leaf"]["mode"]),
        int(found["leaf"]["cash_e6"]),
        tuple(int(c) for c in found["leaf"]["collateral_e8"]),
        tuple(
            Position(int(p["instrument"]), int(p["lots"]), int(p["cost_e6"]))
            for p in found["leaf"]["positions"]
        ),
    )
    root, *siblings = [bytes.fromhex(h[2:]) for h in (found["account_root"], *found["siblings"])]
    assert verify_account(root, 3, leaf_hash(leaf), tuple(siblings))
    assert not verify_account(root, 2, leaf_hash(leaf), tuple(siblings))


def test_what_if_margin_is_the_rule_with_all_scenarios(served: Served) -> None:
    held = [(BTC_PERP, 1_000), (option("BTC-WEEK-120000-C"), -1_000), (256, -50)]
    answer = served.client.call(
        "public/get_margin",
        cash_e6=50_000 * 10**6,
        collateral_e8=[10**8],
        positions=[{"instrument": i, "lots": n} for i, n in held],
    )
    state = served.desk.state
    market, tables = state.market, state.tables
    lines = [[curve_lines(t) for t in (a.delta_tiers, a.unwind_tiers)] for a in RULES.addons]
    addons, scan, _, worst = portfolio_reference(
        [(i, n, 0, 0) for i, n in held],
        [],
        market.prices.losses_e6.tolist(),
        market.charges_in_force.tolist(),
        [delta for delta, _ in lines],
        [unwind for _, unwind in lines],
        tables.terms.tolist(),
    )
    due = ceil_div(max(scan + addons.maintenance_e6, addons.unwind_e6) * 8, 10)
    assert int(answer["maintenance_margin_e6"]) == due
    assert int(answer["initial_margin_e6"]) == scan + addons.initial_e6
    losses = market.prices.losses_e6.tolist()
    sums = scan_sums_reference([i for i, _ in held], [n for _, n in held], losses)
    for u in (0, 1):
        shown = answer["underlyings"][u]
        assert [int(x) for x in shown["scenario_losses_e6"]] == sums[u]
        assert int(shown["worst_scenario"]) == worst[u]
    haircut = market.haircuts[0].haircut_e6
    assert int(answer["margin_balance_e6"]) == 50_000 * 10**6 + 120_000 * (10**6 - haircut)


def test_what_if_of_a_real_account_is_its_margin(served: Served) -> None:
    account = served.client.call("public/get_account", account=3)
    answer = served.client.call(
        "public/get_margin",
        cash_e6=int(account["cash_e6"]),
        positions=[
            {"instrument": p["instrument"], "lots": p["lots"], "cost_e6": p["cost_e6"]}
            for p in account["positions"]
        ],
    )
    for name in ("margin_balance_e6", "maintenance_margin_e6", "margin_ratio_e6"):
        assert answer[name] == account["margin"][name]


def test_a_withdrawal_is_ordered_and_named_by_its_output(served: Served) -> None:
    intent = served.signed(
        Withdraw(AccountId(2), 0, 10**6, 10**7, TimestampNs(served.desk.now + 10**9), b""), MAKER
    )
    done = served.client.call(
        "private/withdraw",
        account=2,
        asset=0,
        amount=intent.amount,
        nonce=intent.nonce,
        expires_at_ns=intent.expires_at_ns,
        signature=intent.signature,
    )
    assert (done["output_id"], done["batch_no"]) == ("1", "1")


def test_insurance_batches_and_witnesses_are_served(served: Served) -> None:
    fund = served.client.call("public/get_insurance")
    assert int(fund["balance_e6"]) == served.desk.state.accounts.cash[0]
    moves = served.client.call("public/get_insurance_moves")["rows"]
    assert sum(int(m["amount_e6"]) for m in moves) == int(fund["balance_e6"])
    served.model.report_batch(1, "0x" + "11" * 32, "0x" + "22" * 32, "committed", {"batch_no": "1"})
    assert served.client.call("public/get_batch", batch_no=1)["header"] == {"batch_no": "1"}
    assert len(served.client.call("public/get_batches")["rows"]) == 1
    assert served.client.call("keeper/get_witness", batch_no=1, index=0)["proof"] == [
        "0x" + "00" * 32
    ]


def test_several_calls_in_one_request_are_answered_in_order(served: Served) -> None:
    calls = [json.loads(request("public/get_time")) | {"id": n} for n in (1, "two")]
    silent = {k: v for k, v in calls[0].items() if k != "id"}
    status, answers = post(served, json.dumps([calls[0], silent, calls[1]]))
    assert status == 200
    assert [a["id"] for a in answers] == [1, "two"]
    assert post(served, json.dumps(silent)) == (204, None)


def test_a_client_beyond_its_rate_is_told_to_wait() -> None:
    with serving(ApiLimits(rate=0.001, burst=3)) as served:
        answers = [
            httpx.post(
                f"{served.server.url}/rpc", content=request("public/get_time"), trust_env=False
            )
            for _ in range(4)
        ]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert answers[3].json()["error"]["code"] == 10028
    assert answers[3].headers["retry-after"] == "1"


def test_calls_beyond_the_capacity_of_the_engine_are_refused() -> None:
    with serving(PLENTY) as served:
        served.api.runner.engine.capacity = 0
        assert code(served.client.call, "public/get_time") == (10029, "")


def test_analyses_beyond_their_capacity_are_refused_and_hold_up_nothing_else() -> None:
    with serving(PLENTY) as served:
        served.api.runner.analysis.capacity = 0
        call = served.client.call
        assert code(call, "public/get_liquidation_prices", account=3) == (10029, "")
        assert call("public/get_account_margin", account=3)["account"] == "3"


def test_a_halted_sequencer_answers_nothing_and_is_not_ready() -> None:
    with serving(PLENTY) as served:
        order = served.order(TRADER, 1, 110_000)
        served.desk.store.is_broken = True
        with pytest.raises(ApiError) as caught:
            served.place(order)
        assert caught.value.code == 16101
        for method in ("public/get_time", "public/get_market"):
            assert code(served.client.call, method) == (16101, "")
        assert code(served.client.liquidation_prices, 3) == (16101, "")
        answer = httpx.get(f"{served.server.url}/health/ready", trust_env=False)
        assert (answer.status_code, answer.json()["missing"]) == (503, ["log"])


def test_a_halted_sequencer_answers_a_subscription_and_keeps_the_socket() -> None:
    with serving(PLENTY) as served, joined(served) as socket:
        served.desk.store.is_broken = True
        with pytest.raises(LogFailed):
            served.desk.price(119_000)
        for channel in ("margin.watch", "account.3.risk"):
            assert socket.call("subscribe", channels=[channel])["error"]["code"] == 16101
        assert socket.call("public/get_time")["error"]["code"] == 16101
        assert "result" in socket.call("public/list_methods")


def test_a_crowded_engine_is_not_ready_and_no_fault_of_the_server() -> None:
    with serving(PLENTY) as served:
        served.api.runner.engine.capacity = 0
        answer = httpx.get(f"{served.server.url}/health/ready", trust_env=False)
        assert (answer.status_code, answer.json()["missing"]) == (503, ["capacity"])


def test_health_and_market_say_whether_anybody_can_be_liquidated() -> None:
    with serving(PLENTY) as served:
        url = f"{served.server.url}/health/ready"
        assert httpx.get(url, trust_env=False).json()["is_liquidation_open"] is True
        with served.desk.sequencer.lock:
            served.desk.sequencer.state.market.standing = Standing(7, 2)
        assert httpx.get(url, trust_env=False).json()["is_liquidation_open"] is False
        market = served.client.call("public/get_market")
        assert market["is_liquidation_open"] is False
        assert (int(market["oracle_resumed_at_s"]), int(market["reports_since"])) == (7, 2)


def test_stale_prices_make_the_server_not_ready() -> None:
    with serving(PLENTY) as served:
        served.desk.now += 10**12
        answer = httpx.get(f"{served.server.url}/health/ready", trust_env=False)
        assert (answer.status_code, answer.json()["missing"]) == (503, ["prices"])


def test_a_listener_that_was_dropped_makes_the_server_not_ready() -> None:
    with serving(PLENTY) as served:

        def broken(*_: object) -> None:
            raise RuntimeError("no more")

        served.desk.sequencer.subscribe(broken)
        served.desk.price(119_000)
        answer = httpx.get(f"{served.server.url}/health/ready", trust_env=False)
        assert (answer.status_code, answer.json()["missing"]) == (503, ["listeners"])


def test_a_server_that_is_gone_is_unavailable() -> None:
    with serving(PLENTY) as served:
        url = served.server.url
    with ApiClient(url) as client:
        assert not client.is_ready()
        with pytest.raises(ApiUnavailable):
            client.call("public/get_time")
        with pytest.raises(TypeError, match="float"):
            client.call("public/get_account", account=1.5)


def test_the_parameters_of_an_order_are_those_of_the_method() -> None:
    with serving(PLENTY) as served:
        params = order_params(served.order(TRADER, 1, 110_000))
    method = METHODS.get("private/place_order")
    assert set(params) == set(method.params.model_fields)


def test_a_tripped_breaker_is_told_and_refuses_new_risk_until_it_has_cooled() -> None:
    guarded = replace(RULES, breakers=(BREAKER, BREAKER))
    with serving(PLENTY, guarded) as served, joined(served) as socket:
        socket.subscribe("breakers")
        desk, url = served.desk, f"{served.server.url}/health/ready"
        served.place(served.order(MAKER, 1, 100_000))
        desk.price(105_000, step_s=10)  # a jump, and the report that confirms it
        until_ns = desk.now + BREAKER.cool_ns
        refused = code(served.place, served.order(MAKER, 1, 100_000))
        assert refused == (Reason.RISK_HALTED, "RISK_HALTED")
        told = socket.message()["data"]
        assert (told["level"], told["until_ns"]) == ("1", str(until_ns))
        told = served.client.call("public/get_market")["underlyings"]
        assert [int(of["breaker_level"]) for of in told] == [1, 0]
        assert [of["breaker_until_ns"] for of in told] == [str(until_ns), None]
        assert httpx.get(url, trust_env=False).json()["breaker_level"] == "1"
        desk.price(105_000, step_s=BREAKER.cool_ns // SECOND_NS)
        served.place(served.order(MAKER, 1, 100_000))
        assert httpx.get(url, trust_env=False).json()["breaker_level"] == "0"
