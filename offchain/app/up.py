"""``plimsoll up``: a devnet that stays, with prices from a seeded random walk."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.client import ApiClient
from offchain.adapters.client_witnesses import ApiWitnesses
from offchain.adapters.clock import SystemClock
from offchain.app.demo.making import quotes
from offchain.app.demo.population import Trader, draw_makers
from offchain.app.devnet import (
    GAS_MONEY_WEI,
    Devnet,
    DevnetTerms,
    launch,
    save_deployment,
    short_windows,
)
from offchain.app.keys import development_key
from offchain.app.node import Node, NodeChoices
from offchain.app.run_folder import fresh
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS
from offchain.ledger.header import DATA_KIND_BLOBS, DATA_KIND_CALLDATA
from offchain.services.batcher import BatchPolicy
from offchain.services.errors import ChainError, InboxReorganised
from offchain.services.keeper import Keeper
from offchain.services.ports import PriceFeed, Spot
from offchain.services.price_path import RandomWalk
from offchain.services.signing import KeySigner

START_E8 = (115_000 * ONE_E8, 4_200 * ONE_E8)
VOLATILITY = (0.6, 0.75)
FAUCETS = 3
FAUCET_USD = 100_000
BACKSTOP_USD = 2_000_000
FUNDING_EVERY = 60


@dataclass(frozen=True, slots=True)
class UpChoices:
    """Ports (0 is any), the node's folder, the seed of the prices, and where batches go."""

    api_port: int
    rpc_port: int
    folder: Path
    seed: int
    in_blobs: bool = False


def run_up(choices: UpChoices) -> None:
    """Run until interrupted. A new chain is a new venue: data of an earlier run is removed.

    A termination is taken as an interruption: otherwise the chain would be left running.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    fresh(choices.folder)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    clock = SystemClock()
    with Anvil(AnvilOptions(port=choices.rpc_port)) as anvil:
        console.print("deploying contracts")
        devnet = launch(
            anvil.url, anvil.keys[0], clock.now_ns(), DevnetTerms(protocol=short_windows(30))
        )
        save_deployment(devnet, choices.folder / "deployment.json")
        kind = DATA_KIND_BLOBS if choices.in_blobs else DATA_KIND_CALLDATA
        policy = BatchPolicy(max_age_ns=10 * SECOND_NS, data_kind=kind)
        node = Node(devnet, clock, NodeChoices(choices.folder / "node", choices.api_port, policy))
        node.start()
        try:
            makers = _populate(devnet, node)
            _greet(console, anvil, devnet, node)
            _run(console, node, makers, clock, choices.seed)
        except KeyboardInterrupt:
            console.print("stopping")
        finally:
            node.stop()


def _populate(devnet: Devnet, node: Node) -> list[Trader]:
    """Fund makers, backstop and faucet accounts; return the makers."""
    chain, admin = devnet.chain, KeySigner(bytes.fromhex(devnet.admin_key[2:]))
    makers = draw_makers()
    funded = [(m.key, m.cash_e6) for m in makers]
    funded.append((devnet.keys.backstop, BACKSTOP_USD * ONE_E6))
    funded += [(development_key("faucet", n), FAUCET_USD * ONE_E6) for n in range(1, FAUCETS + 1)]
    for key, amount in funded:
        chain.give_gas(key.address, GAS_MONEY_WEI)
        chain.mint(admin, 0, key.address, 2 * amount)
        chain.approve(key, 0, amount)
        chain.deposit(key, 0, amount, key.address)
    node.take_entries()
    with node.sequencer.lock:
        for maker in makers:
            found = node.sequencer.state.accounts.find(maker.owner, 0)
            assert found is not None
            maker.account = found
    return makers


def _greet(console: Console, anvil: Anvil, devnet: Devnet, node: Node) -> None:
    settlement = devnet.chain.deployment.address("Settlement")
    with node.sequencer.lock:
        accounts = node.sequencer.state.accounts
        faucets = [
            (accounts.find(development_key("faucet", n).address, 0), development_key("faucet", n))
            for n in range(1, FAUCETS + 1)
        ]
    console.print(f"chain       {anvil.url}  (chain id 31337)")
    console.print(f"API         {node.server.url}/rpc  and  {node.server.url}/ws")
    console.print(f"settlement  {settlement}")
    for account, key in faucets:
        console.print(f"account {account}: owner 0x{key.address.hex()}, {FAUCET_USD:,} USD")
    console.print("try:")
    console.print(
        f"  curl -s {node.server.url}/rpc -H 'content-type: application/json' -d "
        '\'{"jsonrpc":"2.0","id":1,"method":"public/get_account","params":{"account":"'
        f"{faucets[0][0]}\"}}}}'"
    )
    console.print(f"  plimsoll audit --rpc {anvil.url} --settlement {settlement}")
    console.print("ctrl-c stops it")


def _run(console: Console, node: Node, makers: list[Trader], clock: SystemClock, seed: int) -> None:
    walk: PriceFeed = RandomWalk(clock.now_ns(), START_E8, VOLATILITY, seed)
    keeper = Keeper(node.chain, ApiWitnesses(ApiClient(node.server.url)), node.devnet.keys.keeper)
    for number, spot in enumerate(walk):
        node.observe(Spot(clock.now_ns(), spot.prices_e8))
        if number % FUNDING_EVERY == 0:
            node.accrue_funding()
        if number % 20 == 0:
            _quote(node, makers, clock.now_ns())
        try:
            _visit_chain(node, keeper)
        except (
            ChainError,
            InboxReorganised,
        ) as fault:  # trading goes on; what waits for the chain waits
            console.print(f"chain: {type(fault).__name__}: {fault}")
        time.sleep(max(0.0, (spot.time_ns + SECOND_NS - clock.now_ns()) / SECOND_NS))


def _visit_chain(node: Node, keeper: Keeper) -> None:
    """Mine a block, take deposits in, bring reports and batches out, verify liquidations."""
    node.chain.mine()
    node.take_entries()
    node.settle()
    keeper.step()


def _quote(node: Node, makers: list[Trader], now_ns: int) -> None:
    with node.sequencer.lock:
        state = node.sequencer.state
        shown = [
            (i, int(state.market.prices.marks_e8[i.id]), state.underlying(i.id).tick_e8)
            for i in state.instruments.values()
            if not i.is_option
        ]
    node.place(list(quotes(node.gateway.domain, makers, shown, now_ns, 0)))
