"""A node with a random population; run as a program, it is killed somewhere in its life.

The seed decides who trades, what they do and where the node dies. Nothing is handed over at the
end: whoever wants the money out has the chain and nothing else.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.chain import Chain
from offchain.adapters.clock import ReplayClock
from offchain.adapters.deployment import Deployment
from offchain.adapters.log_file import LogFile
from offchain.app.demo.making import signed_order
from offchain.app.demo.population import Trader
from offchain.app.devnet import GAS_MONEY_WEI, Devnet, DevnetTerms, reopen, short_windows
from offchain.app.keys import development_key
from offchain.app.node import Node, NodeChoices
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, AccountId, TimestampNs
from offchain.engine.messages import Liquidate, Withdraw
from offchain.ledger.header import DATA_KIND_BLOBS, DATA_KIND_CALLDATA
from offchain.ledger.wire import decode_records
from offchain.services.batcher import BatchPolicy
from offchain.services.gateway import intent_digest
from offchain.services.keeper import Keeper
from offchain.services.ports import Spot
from offchain.services.signing import KeySigner

START_NS = 1_760_054_400 * SECOND_NS  # 2025-10-10 00:00 UTC
WINDOW_S = 30
OPENING_USD = 120_000
ETHER_RATIO = 29
STEPS = 12
FEWEST, MOST = 6, 10
"""Traders, besides a maker."""
DEATHS: dict[str, tuple[type, str, bool]] = {
    "appending": (LogFile, "append", False),
    "cutting": (BatchFiles, "save", True),
    "committing": (Chain, "commit", True),
    "committed": (Chain, "commit", False),
    "finalising": (Chain, "finalise", True),
    "finalised": (Chain, "finalise", False),
    "liquidating": (LogFile, "append", False),
    "verifying": (Chain, "verify_liquidation", False),
}
"""Where a node may be killed: before (True) or after a method of a class."""
OLD_AGE = "old age"
"""What kills a node whose deadly method was not called often enough."""
IN_CRASH = frozenset({"liquidating", "verifying"})
"""Deaths that need a crash of the price to happen."""


@dataclass(frozen=True, slots=True)
class Doom:
    """One life: where, whose, and how it ends.

    `crash_e6` is how far the price falls in one move, in the middle of the life [1e-6]; `delay` is
    how often the deadly method works before it kills.
    """

    url: str
    admin_key: str
    folder: str
    seed: int
    death: str
    delay: int
    crash_e6: int
    insurance_usd: int
    in_blobs: bool = False

    @property
    def terms(self) -> DevnetTerms:
        """What the contracts were deployed with."""
        return DevnetTerms(
            protocol=short_windows(WINDOW_S), insurance_seed_e6=self.insurance_usd * ONE_E6
        )

    @property
    def is_solvent(self) -> bool:
        """Whether backstop and insurance can carry the crash."""
        return self.crash_e6 < 200_000


class Doomed:
    """A node, its traders and a keeper, with a random life ahead."""

    def __init__(self, doom: Doom) -> None:
        self.doom, self.random = doom, random.Random(doom.seed)  # noqa: S311 - a test
        self.clock = ReplayClock(START_NS)
        deployed = Deployment.load(Path(doom.folder) / "deployment.json")
        devnet = reopen(doom.url, doom.admin_key, deployed, START_NS, doom.terms)
        self.devnet, self.chain = devnet, devnet.chain
        kind = DATA_KIND_BLOBS if doom.in_blobs else DATA_KIND_CALLDATA
        choices = NodeChoices(Path(doom.folder) / "node", batches=BatchPolicy(data_kind=kind))
        self.node = Node(devnet, self.clock, choices)
        self.keeper = Keeper(self.chain, self.node.batcher, devnet.keys.keeper)
        self.maker, *self.traders = population(doom.seed)
        self.usd, self.deaths = OPENING_USD, 0

    def live(self) -> None:
        """Trade, crash, trade on; killed on the way, or at the end."""
        self.node.start()
        half = STEPS // 2
        is_early = self.doom.is_solvent and self.doom.death not in IN_CRASH
        if is_early:
            arm(self.doom)
        self._trade_some(half)
        if self.doom.death in IN_CRASH:
            arm(self.doom)
        self._move(self.usd * (ONE_E6 - self.doom.crash_e6) // ONE_E6)
        if not is_early:
            self._make_final()  # the checkpoint has the crash
        if not is_early and self.doom.death not in IN_CRASH:
            arm(self.doom)
        self._trade_some(half)
        self._make_final()
        die(OLD_AGE)

    def _trade_some(self, steps: int) -> None:
        for _ in range(steps):
            self.node.watcher.poll()
            self._know_accounts()
            self._move(self.usd * self.random.randint(990_000, 1_010_000) // ONE_E6)
            for trader in self.random.sample(self.traders, self.random.randint(2, 5)):
                self._trade(trader)
            self._withdraw(self.random.choice(self.traders))
            if self.random.random() < 0.4:
                self._force(self.random.choice(self.traders))
            if self.random.random() < 0.7:
                self._settle()

    def _settle(self) -> None:
        self.node.settle(force=True)
        self.keeper.step()
        self._wait(self.random.choice((1, WINDOW_S + 1)))

    def _make_final(self) -> None:
        for _ in range(2):
            self.node.settle(force=True)
            self.keeper.step()
            self._wait(WINDOW_S + 1)
        self.node.settle()

    def _know_accounts(self) -> None:
        with self.node.sequencer.lock:
            accounts = self.node.sequencer.state.accounts
            for trader in (self.maker, *self.traders):
                found = accounts.find(trader.owner, 0)
                trader.account = -1 if found is None else found

    def _move(self, usd: int) -> None:
        """Report a price, twice when the first was beyond the band."""
        self.usd = usd
        for _ in range(2):
            self._wait(10)
            prices = (usd * ONE_E8, usd * ONE_E8 // ETHER_RATIO)
            self.node.observe(Spot(self.clock.now_ns(), prices))
            with self.node.sequencer.lock:
                if self.node.sequencer.state.market.pending is None:
                    return

    def _trade(self, trader: Trader) -> None:
        """Let a trader buy from the maker, or sell what is too much, by its own taste."""
        if trader.account < 0:
            return
        lots = trader.legs[0][1] * self.random.randint(-300, 1_000) // 1_000
        if lots:
            until = self.clock.now_ns() + 60 * SECOND_NS
            domain, price = self.node.gateway.domain, self.usd * ONE_E8
            self.node.place([signed_order(domain, self.maker, 0, -lots, price, until)])
            self.node.place([signed_order(domain, trader, 0, lots, price, until)])

    def _withdraw(self, trader: Trader) -> None:
        if trader.account < 0:
            return
        until = TimestampNs(self.clock.now_ns() + 60 * SECOND_NS)
        amount = self.random.randint(1, 500 * ONE_E6)
        intent = Withdraw(
            AccountId(trader.account), 0, amount, next(trader.nonces), until, bytes(65)
        )
        digest = intent_digest(self.node.gateway.domain, intent)
        self.node.sequencer.submit(replace(intent, signature=trader.key.sign(digest)))

    def _force(self, trader: Trader) -> None:
        force(self.chain, self.random, trader)

    def _wait(self, seconds: int) -> None:
        self.clock.set(self.clock.now_ns() + seconds * SECOND_NS)
        self.chain.set_time(self.clock.now_ns())


def population(seed: int) -> list[Trader]:
    """Return a maker and random traders: cash, bitcoin or both, and how many lots each likes."""
    source = random.Random(f"population {seed}")  # noqa: S311 - a test
    made = [
        Trader("maker", "", development_key(f"maker {seed}"), 3_000_000 * ONE_E6, 0, 0, (("", 0),))
    ]
    for number in range(source.randint(FEWEST, MOST)):
        has_coins = source.random() < 0.5
        cash_usd = source.randint(5_000, 60_000) if not has_coins or source.random() < 0.5 else 0
        coins_e8 = source.randint(ONE_E8 // 10, ONE_E8) if has_coins else 0
        worth = cash_usd + coins_e8 * OPENING_USD // ONE_E8
        lots = worth * source.randint(3, 11) * 1_000 // OPENING_USD
        key = development_key(f"trader {seed}", number)
        made.append(
            Trader(f"trader {number}", "", key, cash_usd * ONE_E6, coins_e8, 0, (("", lots),))
        )
    return made


def pay_in(devnet: Devnet, seed: int) -> None:
    """Deposit for everybody, and for the backstop, through the vault."""
    backstop = devnet.keys.backstop
    money = [(t.key, (t.cash_e6, t.coins_e8)) for t in population(seed)]
    for key, amounts in (*money, (backstop, (1_000_000 * ONE_E6, 0))):
        devnet.chain.give_gas(key.address, GAS_MONEY_WEI)
        for asset, amount in enumerate(amounts):
            deposit(devnet.chain, devnet.admin_key, key, asset, amount)


def deposit(chain: Chain, admin_key: str, key: KeySigner, asset: int, amount: int) -> None:
    """Mint and deposit; nothing when the amount is zero. [engine units]"""
    if amount:
        chain.mint(KeySigner(bytes.fromhex(admin_key[2:])), asset, key.address, amount)
        chain.approve(key, asset, amount)
        chain.deposit(key, asset, amount, key.address)


def force(chain: Chain, source: random.Random, trader: Trader) -> None:
    """Push one random operation of an owner into the inbox."""
    function, *arguments = source.choice(
        [
            ("forceWithdraw", 0, 0, source.randint(1, 1_000 * ONE_E6)),
            ("forceWithdraw", 0, 1, source.randint(1, ONE_E8 // 100)),
            ("forceCancelAll", 0),
            ("forceClose", 0, 0, source.randint(0, 500)),
        ]
    )
    chain.send(trader.key, "Inbox", str(function), *arguments)


def die(of: str) -> None:
    """Say what this process dies of, and be gone."""
    sys.stdout.write(of)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def arm(doom: Doom) -> None:
    """Let this process be killed, without a chance to do anything, at a point of its work."""
    owner, name, is_before = DEATHS[doom.death]
    real: Callable[..., Any] = getattr(owner, name)
    left = doom.delay

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        is_meant = doom.death != "liquidating" or _liquidates(arguments[1])
        if not is_meant:
            return real(*arguments, **named)
        left -= 1
        if left >= 0:
            return real(*arguments, **named)
        if not is_before:
            real(*arguments, **named)
        die(doom.death)
        return None

    setattr(owner, name, deadly)


def _liquidates(frames: Any) -> bool:
    records = (record for frame in frames for record in decode_records(frame))
    return any(isinstance(record.command, Liquidate) for record in records)


def arguments_of(doom: Doom) -> list[str]:
    """Return the command line of a child process that lives this life."""
    return [sys.executable, "-m", "tests.support.doomed", json.dumps(asdict(doom))]


if __name__ == "__main__":
    Doomed(Doom(**json.loads(sys.argv[1]))).live()
