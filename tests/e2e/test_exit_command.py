"""Leaving a frozen venue by ``plimsoll exit``: with a node, one address and a key for the gas."""

import json
from collections.abc import Iterator

import pytest

from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS
from offchain.services.exit_plan import CollectDeferred, Leaver, WayOut
from offchain.services.freezing import FreezeCause
from tests.support.stopped_venue import (
    ALICE,
    BOB,
    LARGE_USD,
    LATE_USD,
    PAYER,
    WITHDRAWN_USD,
    Place,
    stopped_venue,
)

FORCED_DEADLINE_S = 600


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with stopped_venue(tmp_path_factory.mktemp("stopped")) as found:
        yield found


@pytest.fixture
def place(stopped: Place) -> Iterator[Place]:
    """Return the place as it was, for every test."""
    snapshot = stopped.chain.node.request("evm_snapshot")
    yield stopped
    stopped.chain.node.request("evm_revert", snapshot)


def test_nobody_leaves_before_the_freeze_and_everybody_is_told_when(place: Place) -> None:
    (entry,) = (e for e in place.way_out.entries() if e.subaccount == 3)
    possible_at = entry.time_s + FORCED_DEADLINE_S + 1
    for words in ((), ("--freeze",)):
        ran = place.exit("--json", *words)
        assert ran.code == 5
        assert f"NotFrozenYet: not frozen; a freeze is possible at {possible_at}" in ran.err
        said = json.loads(ran.out)
        assert said["frozen_at"] == 0
        assert said["chances"][0] == {
            "cause": "CENSORED",
            "possible_at": possible_at,
            "is_open": False,
        }
    place.chain.set_time((possible_at - 1) * SECOND_NS)
    assert place.exit("--freeze").code == 5
    place.chain.set_time(possible_at * SECOND_NS)
    assert "possible now (CENSORED)" in place.exit().err
    assert place.exit("--freeze").code == 0
    assert place.way_out.outlook().is_frozen


def test_an_entry_that_waits_is_censored_first_and_unserved_later(place: Place) -> None:
    place.chain.set_time((place.chain.block_time() + FORCED_DEADLINE_S + 1) * SECOND_NS)
    censored, unserved = place.way_out.outlook().chances
    assert (censored.cause, censored.is_open) == (FreezeCause.CENSORED, True)
    assert (unserved.cause, unserved.is_open) == (FreezeCause.UNSERVED, False)
    place.chain.set_time(unserved.possible_at_s * SECOND_NS)
    place.way_out.freeze(PAYER, place.way_out.outlook().chances[1])
    (event,) = (e for e in place.chain.events(["Settlement"]) if e.name == "Frozen")
    assert event.arguments["cause"] == FreezeCause.UNSERVED


def test_an_owner_gets_deposits_outputs_and_account_once(place: Place) -> None:
    place.freeze()
    before = place.balances(ALICE)
    ran = place.exit("--owner", f"0x{ALICE.address.hex()}", "--json")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    paid = {(p["kind"], p["asset"]): int(p["units"]) for p in said["paid"]}
    leaf = place.way_out.final_books().leaf(int(place.venue.account(ALICE)))
    assert paid == {
        ("output", 0): WITHDRAWN_USD * ONE_E6,
        ("deposit", 0): LATE_USD * ONE_E6,
        ("account", 0): leaf.equity_e6,
        ("account", 1): ONE_E8,
    }
    gained = [after - old for after, old in zip(place.balances(ALICE), before, strict=True)]
    cash = sum(units for (_, asset), units in paid.items() if asset == 0)
    assert gained == [cash, ONE_E8, 0]
    assert leaf.equity_e6 == (59_000 + 100) * ONE_E6 - fees(place)
    again = place.exit("--owner", f"0x{ALICE.address.hex()}")
    assert again.code == 0
    assert "nothing was left to be paid" in again.out


def test_nothing_is_read_before_the_first_block_given(place: Place) -> None:
    place.freeze()
    owner = f"0x{ALICE.address.hex()}"
    late = place.exit("--owner", owner, "--first-block", str(place.chain.block_number()))
    assert late.code != 0
    assert "is missing" in late.err
    first = str(place.chain.deployment.block_number)
    assert place.exit("--owner", owner, "--first-block", first).code == 0


def fees(place: Place) -> int:
    """Return what Alice paid to trade: 3 basis points of 0.1 BTC. [USD e-6]"""
    rate = place.venue.rules.taker_fee_e6
    return 12_000 * int(rate)


def test_without_an_owner_the_key_leaves_for_itself_with_what_was_deferred(place: Place) -> None:
    place.freeze()
    left = place.way_out.deferred(0, BOB.address)
    assert 0 < left < LARGE_USD * ONE_E6
    ran = place.exit("--json", key="bob")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    assert said["owner"] == f"0x{BOB.address.hex()}"
    assert {"kind": "deferred", "number": 0, "asset": 0, "units": str(left)} in said["paid"]
    assert place.way_out.deferred(0, BOB.address) == 0


def test_one_account_leaves_alone(place: Place) -> None:
    place.freeze()
    account = str(place.venue.account(ALICE))
    said = json.loads(place.exit("--account", account, "--json").out)
    kinds = {(p["kind"], p["number"]) for p in said["paid"]}
    assert kinds == {("output", 2), ("account", int(account))}, "sub-account 3 was not meant"
    unknown = place.exit("--account", "99")
    assert unknown.code == 3
    assert "NotInCheckpoint: the last final checkpoint has no account 99" in unknown.err
    assert place.exit("--account", "1", "--owner", "0x" + "00" * 20).code == 2


def test_a_token_that_refuses_keeps_back_its_own_asset_only(place: Place) -> None:
    place.freeze()
    token = place.chain.contracts["Collateral1"].checksum_address
    code = place.chain.node.web3.eth.get_code(token).to_0x_hex()  # type: ignore[arg-type]
    place.chain.node.request("anvil_setCode", token, "0xfe")
    words = ("--owner", f"0x{ALICE.address.hex()}")
    ran = place.exit(*words, "--json")
    assert ran.code == 5
    said = json.loads(ran.out)
    account = int(place.venue.account(ALICE))
    assert [r["what"] for r in said["refused"]] == [f"asset 1 of account {account}"]
    assert ("account", 0) in {(p["kind"], p["asset"]) for p in said["paid"]}
    place.chain.node.request("anvil_setCode", token, code)
    later = json.loads(place.exit(*words, "--json").out)
    assert [(p["kind"], p["asset"], p["units"]) for p in later["paid"]] == [
        ("account", 1, str(ONE_E8))
    ]


def test_whoever_comes_second_finds_it_done(place: Place) -> None:
    place.freeze()
    way_out = place.way_out
    books = way_out.final_books()
    assert books.start is not None
    (claim,) = books.claims_of(Leaver(ALICE.address))
    (refund,) = way_out.refunds()
    calls: list[WayOut] = [claim, refund, books.start, books.exit_of(2)]
    calls.append(CollectDeferred(0, BOB.address))
    assert not way_out.is_paid(claim)
    assert not way_out.is_started()
    for call in calls:
        assert way_out.carry_out(PAYER, call) is not None
        assert way_out.carry_out(BOB, call) is None
    assert way_out.is_paid(claim)
    assert way_out.is_paid(refund)
    assert way_out.is_started()
    assert way_out.payouts(books.exit_of(2)) == {}
