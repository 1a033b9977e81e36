"""The chain takes back blocks with deposits in them: nobody keeps what the chain does not have."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.log_file import LogFile
from offchain.adapters.read_model import ReadModel
from offchain.app.demo.population import Trader
from offchain.app.devnet import GAS_MONEY_WEI, launch, save_deployment
from offchain.app.engine_hash import engine_hash
from offchain.app.keys import development_key
from offchain.core.units import ONE_E6, SECOND_NS
from offchain.ledger.wire import decode_records
from offchain.services.audit import audit
from offchain.services.resequence import Resequenced
from offchain.services.signing import KeySigner
from tests.support.mortal import START_NS, TERMS, WINDOW_S, Inhabited, Life, pay_in

DEPTHS = (1, 2, 16, 64)
MOST_DEPTH = 64
MOST_STATES = 20_000
"""More than the blocks of all depths: what anvil forgets it cannot go back to."""
SETTLED_DEPTH = 16
"""So many blocks have room for a commit and its reports."""
MONEY_E6 = 40_000 * ONE_E6
USD = 119_400
NUMBERS = count(100)
"""Of the newcomers: each has a key of its own."""


class Newcomers:
    """Traders who pay in one after the other, on the blocks that the chain takes back."""

    def __init__(self, here: Inhabited) -> None:
        self.here, self.chain, self.node = here, here.chain, here.node
        self.before = 0

    def arrive(self, depth: int = 12) -> Trader:
        """Bury what there is `depth` blocks deep, and let a newcomer pay in and trade."""
        self.node.settle()
        self.chain.node.request("anvil_mine", hex(depth))
        self.here.price(USD)
        self.before = self.node.store.last_seq
        place = next(NUMBERS)
        key = development_key("mortal", place)
        nonces = iter(range(1, 1_000))
        newcomer = Trader(f"{place}", "", key, MONEY_E6, 0, 0, (), nonces=nonces)
        admin = KeySigner(bytes.fromhex(self.here.devnet.admin_key[2:]))
        self.chain.give_gas(key.address, GAS_MONEY_WEI)
        self.chain.mint(admin, 0, key.address, MONEY_E6)
        self.chain.approve(key, 0, MONEY_E6)
        self.pay(newcomer)
        assert self.node.take_entries() == 1
        newcomer.account = self.account(newcomer) or 0
        self.here.order(newcomer, 1, USD)
        self.here.order(self.here.traders[0], -1, USD)
        return newcomer

    def pay(self, newcomer: Trader) -> None:
        """Send the deposit."""
        self.chain.deposit(newcomer.key, 0, MONEY_E6, newcomer.owner)
        self.block = self.chain.block_number()

    def account(self, newcomer: Trader) -> int | None:
        """Return the newcomer's account, if it has one."""
        return self.node.sequencer.state.accounts.find(newcomer.owner, 0)

    def take_back(self, depth: int) -> None:
        """Let the chain replace its last blocks, the deposit's among them."""
        missing = depth - (self.chain.block_number() - self.block + 1)
        assert missing >= 0
        if missing:
            self.chain.node.request("anvil_mine", hex(missing))
        assert self.chain.block_number() - depth == self.block - 1
        self.chain.node.request("anvil_reorg", depth, [])


@contextmanager
def inhabited(folder: Path, kept_states: int | None = None) -> Iterator[Inhabited]:
    """Start a chain, and a node whose traders have positions."""
    start_s = START_NS // SECOND_NS
    with Anvil(AnvilOptions(timestamp_s=start_s, accounts=1, kept_states=kept_states)) as anvil:
        devnet = launch(anvil.url, anvil.keys[0], START_NS, TERMS)
        save_deployment(devnet, folder / "deployment.json")
        pay_in(devnet)
        found = Inhabited(Life(anvil.url, devnet.admin_key, str(folder), 0, "appended"), devnet)
        try:
            found.node.start()
            found.trade()
            yield found
        finally:
            found.close()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inhabited]:
    with inhabited(tmp_path_factory.mktemp("venue")) as found:
        yield found
        finish(found)


@pytest.fixture
def newcomers(here: Inhabited) -> Newcomers:
    return Newcomers(here)


def finish(here: Inhabited) -> None:
    """Make everything final, and demand that the audit finds nothing."""
    node, chain = here.node, here.chain
    for _ in range(6):
        here.wait(WINDOW_S + 1)
        node.settle(force=True)
        here.keeper.step()
        if chain.finalised() == node.batcher.last_batch:
            break
    assert chain.finalised() == chain.head() == node.batcher.last_batch
    assert node.missing() == []
    assert node.sequencer.failed_listeners == []
    report = audit(collect_facts(chain), engine_hash())
    assert report.is_ok, report.failed
    assert report.records == node.store.last_seq
    node.projector.drain()
    fresh = ReadModel()
    fresh.rebuild(r for frame in node.store.frames() for r in decode_records(frame))
    assert node.read_model.content_hash() == fresh.content_hash()
    fresh.close()
    for row in node.read_model.batches(100):
        assert row["batch_hash"] == "0x" + chain.batch_hash_of(row["batch_no"]).hex()


def lose(newcomers: Newcomers, depth: int) -> Trader:
    """Let a newcomer's deposit be dropped, and perhaps batches with it; return whose it is."""
    newcomer = newcomers.arrive(depth)
    if depth >= SETTLED_DEPTH:
        newcomers.node.settle(force=True)
        newcomers.here.price(USD)
    newcomers.take_back(depth)
    newcomers.here.wait(1)
    return newcomer


def last(newcomers: Newcomers) -> Resequenced:
    return newcomers.node.resequenced[-1]


def dropped(done: Resequenced) -> list[str]:
    return [f"{type(d.command).__name__} {d.reason}" for d in done.dropped]


def stays_away(newcomers: Newcomers, depth: int) -> None:
    newcomer = lose(newcomers, depth)
    assert newcomers.node.take_entries() == 0
    assert newcomers.account(newcomer) is None
    assert last(newcomers).kept == newcomers.before
    assert dropped(last(newcomers)) == [
        "Deposit NOT_ON_THE_CHAIN",
        "PlaceOrder UNKNOWN_ACCOUNT",
    ]
    held = newcomers.chain.call("CollateralVault", "bookedBalance", 0)
    state = newcomers.node.sequencer.state
    assert held == state.flows.deposited[0] - state.flows.withdrawn[0]


def comes_again(newcomers: Newcomers, depth: int) -> None:
    newcomer = lose(newcomers, depth)
    newcomers.chain.give_gas(newcomer.key.address, GAS_MONEY_WEI)
    newcomers.pay(newcomer)
    newcomers.node.take_entries()
    assert (last(newcomers).kept, last(newcomers).dropped) == (newcomers.before, ())
    account = newcomers.account(newcomer)
    assert account == newcomer.account
    assert newcomers.chain.inbox_count() == newcomers.node.sequencer.state.inbox_cursor


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deposit_that_is_gone_gives_no_credit(newcomers: Newcomers, depth: int) -> None:
    stays_away(newcomers, depth)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deposit_that_comes_again_is_credited_once(newcomers: Newcomers, depth: int) -> None:
    comes_again(newcomers, depth)


def test_a_reorganisation_that_keeps_the_deposit_changes_nothing(newcomers: Newcomers) -> None:
    newcomers.arrive()
    newcomers.chain.mine()
    newcomers.chain.mine()
    tip, known = newcomers.node.store.tip, len(newcomers.node.resequenced)
    newcomers.chain.node.request("anvil_reorg", 2, [])
    assert newcomers.node.take_entries() == 0
    assert (newcomers.node.store.tip, len(newcomers.node.resequenced)) == (tip, known)


def test_settling_finds_it_out_by_itself(newcomers: Newcomers) -> None:
    newcomer = newcomers.arrive()
    newcomers.take_back(5)
    newcomers.here.wait(1)
    newcomers.node.settle(force=True)
    assert newcomers.account(newcomer) is None
    assert newcomers.node.chain_problem is None


def test_a_receipt_of_the_branch_that_was_left_is_no_equivocation(newcomers: Newcomers) -> None:
    node, newcomer = newcomers.node, newcomers.arrive()
    promised = node.sequencer.journal.receipt()
    newcomers.take_back(3)
    newcomers.here.wait(1)
    node.take_entries()
    maker = newcomers.here.traders[0]
    while node.sequencer.journal.receipt().seq < promised.seq:
        newcomers.here.order(maker, -1, 130_000)
    now = node.sequencer.journal.receipt()
    assert (now.epoch, now.seq) == (promised.epoch, promised.seq)
    assert now.tip != promised.tip
    assert now.inbox_prefix_hash != promised.inbox_prefix_hash
    assert node.receipts.silent_until == promised.seq
    assert newcomers.account(newcomer) is None


def test_a_node_that_starts_after_the_reorganisation_finds_it_out(
    here: Inhabited, newcomers: Newcomers
) -> None:
    newcomer = newcomers.arrive()
    here.node.settle(force=True)
    here.node.stop()
    newcomers.take_back(12)
    here.wait(1)
    start_again(here)
    newcomers.node = here.node
    assert here.node.take_entries() == 0
    assert newcomers.account(newcomer) is None


def test_a_node_that_ended_while_it_ordered_again_goes_on_with_it(
    here: Inhabited, newcomers: Newcomers, monkeypatch: pytest.MonkeyPatch
) -> None:
    newcomer = newcomers.arrive()
    newcomers.take_back(4)
    here.wait(1)
    with monkeypatch.context() as patched:
        patched.setattr(LogFile, "ordered_again", _end)
        with pytest.raises(KeyboardInterrupt):
            here.node.take_entries()
    assert here.node.sequencer.is_halted
    here.node.stop()
    start_again(here)
    newcomers.node = here.node
    assert (last(newcomers).kept, here.node.store.waits_after) == (newcomers.before, None)
    assert newcomers.account(newcomer) is None


def start_again(here: Inhabited) -> None:
    """Start another node where the last one was."""
    again = Inhabited(here.life, here.devnet)
    again.clock.set(here.clock.now_ns())
    here.clock, here.node, here.keeper = again.clock, again.node, again.keeper
    here.node.start()


def _end(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def copied(base: Inhabited, folder: Path) -> Iterator[Inhabited]:
    """Let another node live on from where one stopped, on the same chain; then take all back."""
    request = base.chain.node.request
    snapshot = request("evm_snapshot")
    shutil.copytree(base.life.folder, folder)
    found = Inhabited(replace(base.life, folder=str(folder)), base.devnet)
    found.clock.set(base.clock.now_ns())
    found.traders = base.traders
    try:
        found.node.start()
        yield found
    finally:
        found.node.stop()
        assert request("evm_revert", snapshot)
        shutil.rmtree(folder)


@pytest.mark.deep
def test_every_depth_with_and_without_the_deposit(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    with inhabited(tmp_path / "base", MOST_STATES) as base:
        base.node.stop()
        for depth in range(1, MOST_DEPTH + 1):
            with copied(base, tmp_path / f"{depth}") as found:
                newcomers = Newcomers(found)
                stays_away(newcomers, depth)
                comes_again(newcomers, depth)
                finish(found)
