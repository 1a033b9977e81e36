"""A venue whose operator has stopped, which owes something of every kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.chain_exit import ChainExit
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS
from offchain.ledger.keccak import keccak256
from offchain.services.signing import KeySigner
from tests.support.command_line import Ran, plimsoll
from tests.support.devnet import GAS_WEI, WINDOW_S, Devnet, devnet, signer

ALICE, BOB, PAYER = signer("alice"), signer("bob"), signer("payer")
LATE_USD, WITHDRAWN_USD, LARGE_USD = 777, 1_000, 3_000_000
LIVENESS_S = 3_600


@dataclass(frozen=True)
class Place:
    """A venue whose operator has stopped, and how to ask for a way out of it."""

    venue: Devnet
    chain: Chain
    folder: Path

    @property
    def way_out(self) -> ChainExit:
        return ChainExit(self.chain)

    def exit(self, *words: str, key: str = "payer", rpc: str = "") -> Ran:
        file = self.folder / key
        file.write_text("0x" + keccak256(key.encode()).hex())
        venue = self.chain.contracts["Settlement"].checksum_address
        at = ("--rpc", rpc or self.chain.node.url, "--settlement", venue, "--key-file", str(file))
        return plimsoll("exit", *at, *words)

    def freeze(self) -> None:
        """Let the last deposit wait too long, and freeze."""
        self.chain.set_time(self.chain.block_time() * SECOND_NS + LIVENESS_S * SECOND_NS)
        chance = self.way_out.outlook().open_now
        assert chance is not None
        self.way_out.freeze(PAYER, chance)

    def balances(self, key: KeySigner) -> list[int]:
        return [self.chain.token_balance(asset, key.address) for asset in self.way_out.assets]


@contextmanager
def stopped_venue(folder: Path) -> Iterator[Place]:
    """Stop an operator that owes an output, a deposit, a part of a large claim, and positions."""
    with devnet(folder / "exit") as venue:
        venue.deposit(ALICE, usd=60_000, btc_e8=ONE_E8)
        venue.deposit(BOB, usd=5_000_000)
        venue.price(120_000)
        venue.trade(ALICE, BOB, 0, 100, 120_000)
        venue.withdraw(BOB, LARGE_USD)
        venue.withdraw(ALICE, WITHDRAWN_USD)
        venue.price(121_000)
        venue.batcher.step(force=True)
        venue.wait(WINDOW_S + 1)
        venue.batcher.step()
        assert venue.chain.finalised() == 1
        large = venue.batcher.claim(1)
        assert large is not None
        assert large.output.owner == BOB.address
        venue.chain.claim(BOB, large.header, large.output, large.index, large.proof)
        venue.chain.give_gas(PAYER.address, GAS_WEI)
        venue.chain.mint(ALICE, 0, ALICE.address, LATE_USD * ONE_E6)
        venue.chain.approve(ALICE, 0, LATE_USD * ONE_E6)
        venue.chain.deposit(ALICE, 0, LATE_USD * ONE_E6, ALICE.address, 3)
        found = discover(venue.chain.node.url, venue.chain.contracts["Settlement"].address)
        with Chain(venue.chain.node.url, found) as chain:
            keys = folder / "keys"
            keys.mkdir()
            yield Place(venue, chain, keys)
