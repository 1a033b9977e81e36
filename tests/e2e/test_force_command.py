"""Operations forced by ``plimsoll force``: the engine serves each, or the venue may be frozen."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offchain.core.units import DAY_NS, ONE_E6, SECOND_NS
from offchain.engine.events import Event, KeyGranted, KeyRevoked, OrderClosed, Withdrawn
from offchain.ledger.keccak import keccak256
from tests.support.command_line import Ran, plimsoll
from tests.support.devnet import Devnet, devnet, signer

ALICE, BOB, FRIEND = signer("alice"), signer("bob"), signer("friend")


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    with devnet(tmp_path_factory.mktemp("force")) as running:
        running.deposit(ALICE, usd=50_000)
        running.deposit(BOB, usd=1_000_000)
        running.price(120_000)
        yield running


@pytest.fixture
def events(venue: Devnet) -> list[Event]:
    """Collect what the engine decides during a test."""
    found: list[Event] = []
    venue.sequencer.subscribe(lambda _record, decided: found.extend(decided))
    return found


def force(venue: Devnet, folder: Path, *words: str) -> Ran:
    """Run the command with Alice's key."""
    file = folder / "key"
    file.write_text("0x" + keccak256(b"alice").hex())
    at = ("--rpc", venue.chain.node.url, "--settlement")
    settlement = venue.chain.contracts["Settlement"].checksum_address
    return plimsoll("force", words[0], *at, settlement, "--key-file", file, *words[1:])


def forced(venue: Devnet, folder: Path, *words: str) -> dict[str, Any]:
    """Force something, let the watcher bring it to the engine, and return what was printed."""
    ran = force(venue, folder, *words)
    assert ran.code == 0, ran.err
    said: dict[str, Any] = json.loads(ran.out)
    assert said["owner"] == f"0x{ALICE.address.hex()}"
    assert said["index"] == venue.chain.inbox_count()
    assert said["freezable_from"] == said["time"] + 600 + 1
    assert venue.watcher.poll() == 1
    return said


def test_a_forced_withdrawal_goes_out(venue: Devnet, events: list[Event], tmp_path: Path) -> None:
    said = forced(venue, tmp_path, "withdraw", "--amount", str(7 * ONE_E6))
    assert said["kind"] == "WITHDRAWAL"
    (out,) = (event for event in events if isinstance(event, Withdrawn))
    assert (out.owner, out.asset, out.amount) == (ALICE.address, 0, 7 * ONE_E6)


def test_forced_orders_are_cancelled_and_positions_closed(
    venue: Devnet, events: list[Event], tmp_path: Path
) -> None:
    account = venue.account(ALICE)
    venue.trade(ALICE, BOB, 0, 100, 120_000)
    venue.order(ALICE, 0, 50, 110_000)
    events.clear()
    assert forced(venue, tmp_path, "cancel-all")["kind"] == "CANCEL_ALL"
    assert [event.account for event in events if isinstance(event, OrderClosed)] == [account]
    venue.order(BOB, 0, 100, 120_000)
    lots = int(venue.sequencer.state.accounts.lots[account].sum())
    assert forced(venue, tmp_path, "close", "--instrument", "0", "--lots", "40")["kind"] == "CLOSE"
    assert int(venue.sequencer.state.accounts.lots[account].sum()) == lots - 40
    forced(venue, tmp_path, "close", "--instrument", "0")
    assert int(venue.sequencer.state.accounts.lots[account].sum()) == 0


def test_trading_keys_are_granted_once_and_revoked(
    venue: Devnet, events: list[Event], tmp_path: Path
) -> None:
    key = f"0x{FRIEND.address.hex()}"
    expires = (venue.now + DAY_NS) // SECOND_NS
    words = ("grant", "--trading-key", key, "--expires", str(expires))
    assert forced(venue, tmp_path, *words)["kind"] == "GRANT"
    assert KeyGranted(ALICE.address, FRIEND.address, expires) in events
    again = force(venue, tmp_path, *words)
    assert again.code == 1
    assert "Inbox.grantKey reverted: KeyGrantedBefore" in again.err
    assert forced(venue, tmp_path, "revoke", "--trading-key", key)["kind"] == "REVOKE"
    assert KeyRevoked(ALICE.address, FRIEND.address) in events
    forced(venue, tmp_path, "revoke")
    assert KeyRevoked(ALICE.address, bytes(20)) in events


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("withdraw", "--amount", "0"), "Invalid value for '--amount'"),
        (("withdraw", "--subaccount", "256"), "Invalid value for '--subaccount'"),
        (("close",), "Missing option '--instrument'"),
        (("grant", "--trading-key", "0x12", "--expires", "9"), "is no 0x address of 20 bytes"),
    ],
)
def test_wrong_words_are_named(
    venue: Devnet, tmp_path: Path, words: tuple[str, ...], problem: str
) -> None:
    ran = force(venue, tmp_path, *words)
    assert ran.code == 2
    assert problem in ran.err
