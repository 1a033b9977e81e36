"""A node on a devnet, and its traders; run as a program, it lives a while and is then killed.

Everything that it was told is durable is printed before it goes on, so that whoever started it can
hold the next node to it.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
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
from offchain.core.presets import NO_GRACE
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS
from offchain.services.keeper import Keeper
from offchain.services.ports import Spot
from offchain.services.sequencer import Receipt
from offchain.services.signing import KeySigner

START_NS = 1_760_054_400 * SECOND_NS  # 2025-10-10 00:00 UTC
WINDOW_S = 30
TERMS = DevnetTerms(
    protocol=short_windows(WINDOW_S), insurance_seed_e6=100_000 * ONE_E6, grace=NO_GRACE
)
LIFE_S = 90
DEATHS: dict[str, tuple[type, str, bool]] = {
    "appended": (LogFile, "append", False),
    "cut": (BatchFiles, "save", True),
    "stored": (Chain, "commit", True),
    "committed": (Chain, "commit", False),
    "finalised": (Chain, "finalise", False),
}
"""Where a node may be killed: before (True) or after a method of a class."""
PRICES_USD = {
    "appended": (120_000, 119_500),
    "cut": (118_000, 117_500),
    "stored": (110_000, 110_100),
    "committed": (110_500, 110_600),
    "finalised": (110_700, 110_800),
    "": (110_900, 111_000),
}
"""The second price of `stored` confirms its first, which is a fall out of the band."""
LOTS = (2_000, 1_500, 300)


@dataclass(frozen=True, slots=True)
class Life:
    """Where a node lives, how many lived before it, and how it ends: "" is of its own will."""

    url: str
    admin_key: str
    folder: str
    number: int
    death: str

    @property
    def start_ns(self) -> int:
        """When it begins."""
        return START_NS + self.number * LIFE_S * SECOND_NS


class Inhabited:
    """A node with a maker, some leveraged longs and a keeper."""

    def __init__(self, life: Life, devnet: Devnet | None = None) -> None:
        self.life, self.clock = life, ReplayClock(life.start_ns)
        folder = Path(life.folder)
        deployed = Deployment.load(folder / "deployment.json")
        self.devnet = devnet or reopen(life.url, life.admin_key, deployed, START_NS, TERMS)
        self.chain = self.devnet.chain
        choices = NodeChoices(folder / "node", snapshot_every=1)
        self.node = Node(self.devnet, self.clock, choices)
        self.keeper = Keeper(self.chain, self.node.batcher, self.devnet.keys.keeper)
        self.traders = traders(life.number)
        self.acknowledged: list[tuple[int, str]] = []

    def trade(self) -> None:
        """Take in deposits, report two prices, and trade when the marks are not in doubt."""
        first, second = PRICES_USD[self.life.death]
        self.node.watcher.poll()
        self.price(first)
        with self.node.sequencer.lock:
            accounts = self.node.sequencer.state.accounts
            for trader in self.traders:
                trader.account = accounts.find(trader.owner, 0) or 0
            is_held = self.node.sequencer.state.market.pending is not None
        if is_held:  # nobody adds risk until the second price confirms the first
            self.price(second)
            self._trade_at(second)
        else:
            self._trade_at(first)
            self.price(second)

    def _trade_at(self, usd: int) -> None:
        maker, *longs = self.traders
        is_first = self.life.number == 0
        for trader, lots in zip(longs, LOTS if is_first else (1, 1, 1), strict=True):
            self.order(maker, -lots, usd)
            self.order(trader, lots, usd)

    def price(self, usd: int) -> None:
        """Let time pass and the oracles report."""
        self.wait(10)
        spot = Spot(self.clock.now_ns(), (usd * ONE_E8, usd * ONE_E8 // 29))
        self.note([self.node.observe(spot)])

    def wait(self, seconds: int) -> None:
        """Let time pass, here and on chain."""
        self.clock.set(self.clock.now_ns() + seconds * SECOND_NS)
        self.chain.set_time(self.clock.now_ns())

    def order(self, trader: Trader, lots: int, usd: int) -> None:
        """Place an order and note the answer."""
        until = self.clock.now_ns() + 60 * SECOND_NS
        domain = self.node.gateway.domain
        order = signed_order(domain, trader, 0, lots, usd * ONE_E8, until)
        self.note(self.node.place([order]))

    def note(self, answers: Iterable[object]) -> None:
        """Write down what is acknowledged, as a client would."""
        for answer in answers:
            if isinstance(answer, Receipt):
                self.acknowledged.append((answer.seq, answer.tip.hex()))
                sys.stdout.write(json.dumps(self.acknowledged[-1]) + "\n")
                sys.stdout.flush()

    def close(self) -> None:
        """Stop in good order."""
        self.node.stop()
        self.chain.close()


def traders(number: int) -> list[Trader]:
    """Return maker and longs; the nonces of each life are its own."""
    money = (5_000_000, 21_000, 21_000, 21_000)
    found = []
    for place, usd in enumerate(money):
        key = development_key("mortal", place)
        nonces = iter(range(1_000 * number + 1, 1_000 * number + 1_000))
        found.append(Trader(f"{place}", "", key, usd * ONE_E6, 0, 0, (), nonces=nonces))
    return found


def pay_in(devnet: Devnet) -> None:
    """Deposit for everybody, and for the backstop, through the vault."""
    admin = KeySigner(bytes.fromhex(devnet.admin_key[2:]))
    chain = devnet.chain
    money = [(t.key, t.cash_e6) for t in traders(0)]
    for key, amount in (*money, (devnet.keys.backstop, 2_000_000 * ONE_E6)):
        chain.give_gas(key.address, GAS_MONEY_WEI)
        chain.mint(admin, 0, key.address, amount)
        chain.approve(key, 0, amount)
        chain.deposit(key, 0, amount, key.address)


def arm(death: str) -> None:
    """Let this process be killed, without a chance to do anything, at a point of its work."""
    owner, name, is_before = DEATHS[death]
    real: Callable[..., Any] = getattr(owner, name)

    def dying(*arguments: object, **named: object) -> None:
        if not is_before:
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, dying)


def live(life: Life) -> None:
    """Live through a life up to its violent end."""
    here = Inhabited(life)
    here.node.start()
    if life.death == "appended":
        here.trade()
        here.node.settle(force=True)
        arm(life.death)
        here.order(here.traders[0], -1, 130_000)
        return
    here.trade()
    if life.death == "cut":
        arm(life.death)
    elif life.death != "finalised":
        here.node.relayer.flush()
        arm(life.death)
    else:
        here.node.settle()
        here.keeper.step()
        here.wait(WINDOW_S + 1)
        arm(life.death)
    here.node.settle(force=True)


def arguments(life: Life) -> list[str]:
    """Return the command line of a child process that lives this life."""
    return [sys.executable, "-m", "tests.support.mortal", json.dumps(asdict(life))]


if __name__ == "__main__":
    live(Life(**json.loads(sys.argv[1])))
