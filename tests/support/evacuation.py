"""Everybody leaves a venue whose operator is gone, in many orders, and each is compared."""

import random
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain import Chain
from offchain.adapters.chain_abi import checksum
from offchain.adapters.chain_discovery import discover
from offchain.adapters.chain_exit import ChainExit, call_of
from offchain.app.devnet import GAS_MONEY_WEI, launch, save_deployment
from offchain.app.exit_command import leave
from offchain.core.units import ONE_E6, SECOND_NS
from offchain.services.errors import NotFrozenYet
from offchain.services.exit_plan import ExitAccount, FinalBooks, WayOut
from offchain.services.signing import KeySigner
from tests.support.doomed import START_NS, Doom, arguments_of, deposit, force, pay_in, population
from tests.support.exit_rule import Owed, Payouts, ratios_e6, unfair_to

ROOT = Path(__file__).parents[2]
DEATH_TIMEOUT_S = 300
SAME_RATIO_E6 = 10
"""By how much rounding may make two ratios differ. [1e-6]"""
GAS, RECEIPT_S = 1_000_000, 30
STRANGER = KeySigner(bytes(31) + b"\x11")
"""Pays the gas for everybody and is owed nothing."""


@dataclass(slots=True)
class Outcome:
    """What came of one evacuation; `deviations` is empty when all is as it should be."""

    death: str
    seed: int
    cause: str = ""
    checkpoint: int = 0
    accounts: int = 0
    claims: int = 0
    refunds: int = 0
    orders: int = 0
    equity_e6: int = 0
    debt_e6: int = 0
    ratio_e6: int = 0
    deviations: list[str] = field(default_factory=list)

    def expect(self, problem: str, *, holds: bool) -> None:
        """Note a deviation when something does not hold."""
        if not holds:
            self.deviations.append(problem)


def evacuate(folder: Path, doom: Doom, orders: int) -> Outcome:
    """Let a node live and die on a chain of its own, freeze, and let everybody leave."""
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS, accounts=1)) as anvil:
        doom = replace(doom, url=anvil.url, admin_key=anvil.keys[0], folder=str(folder))
        devnet = launch(anvil.url, anvil.keys[0], START_NS, doom.terms)
        with devnet.chain:
            save_deployment(devnet, folder / "deployment.json")
            pay_in(devnet, doom.seed)
            settlement = devnet.chain.contracts["Settlement"].address
        death = death_of(doom)
        with Chain(anvil.url, discover(anvil.url, settlement)) as chain:
            return Evacuation(chain, doom, death).run(orders)


def death_of(doom: Doom) -> str:
    """Live a life in a process of its own, which must end violently; return how it did."""
    child = subprocess.run(  # noqa: S603 - our own interpreter and module
        arguments_of(doom),
        cwd=ROOT,
        capture_output=True,
        timeout=DEATH_TIMEOUT_S,
        text=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, (doom, child.stderr[-4_000:])
    return child.stdout


class Evacuation:
    """The way out of everybody, by nothing but the node of a chain."""

    def __init__(self, chain: Chain, doom: Doom, death: str) -> None:
        self.chain, self.doom, self.way_out = chain, doom, ChainExit(chain)
        self.random = random.Random(f"evacuation {doom.seed}")  # noqa: S311 - a test
        self.outcome = Outcome(death, doom.seed)
        self._made: dict[int, dict[str, str]] = {}
        chain.node.request("anvil_impersonateAccount", checksum(STRANGER.address))
        chain.give_gas(STRANGER.address, GAS_MONEY_WEI)

    def run(self, orders: int) -> Outcome:
        """Freeze, let everybody leave in so many orders and once by the command, and compare."""
        self._freeze()
        books, outcome = self.way_out.final_books(), self.outcome
        calls = self._calls(books)
        owed = Owed.of(calls, self._vault())
        expected = owed.payouts()
        for number in range(orders):
            paid = self._in_random_order(books, calls, owed.owners)
            outcome.expect(
                f"order {number}: {_differences(paid, expected)}", holds=paid == expected
            )
            outcome.orders += 1
        self._judge(books, owed)
        paid = self._by_command(owed.owners)
        outcome.expect(f"command: {_differences(paid, expected)}", holds=paid == expected)
        self._judge_rest(owed)
        return outcome

    def _freeze(self) -> None:
        """Be refused while the venue may still live; then wait, and freeze it for any reason."""
        if self.random.random() < 0.6 or not self.way_out.outlook().chances:
            trader = self.random.choice(population(self.doom.seed)[1:])
            force(self.chain, self.random, trader)
            deposit(self.chain, self.doom.admin_key, trader.key, 0, 7 * ONE_E6 + 1)
        outlook = self.way_out.outlook()
        if outlook.open_now is None:
            self._be_refused(outlook.chances[0].possible_at_s)
        chance = self.random.choice(outlook.chances)
        self.chain.set_time(chance.possible_at_s * SECOND_NS)
        (chosen,) = (c for c in self.way_out.outlook().chances if c.cause is chance.cause)
        self.outcome.cause = chosen.cause.name
        self.outcome.expect("the freeze is late, yet refused", holds=chosen.is_open)
        self.way_out.freeze(STRANGER, chosen)

    def _be_refused(self, possible_at_s: int) -> None:
        self.chain.set_time((possible_at_s - 1) * SECOND_NS)
        try:
            leave(self.way_out, STRANGER, None, freeze=True)
        except NotFrozenYet as why:
            self.outcome.expect(f"said {why}", holds=str(possible_at_s) in str(why))
        else:
            self.outcome.expect("frozen too early", holds=False)

    def _calls(self, books: FinalBooks) -> list[WayOut]:
        """Return every call that pays somebody, but for the start."""
        claims = [claim for claim in books.claims if not self.way_out.is_paid(claim)]
        refunds, outcome = self.way_out.refunds(), self.outcome
        outcome.claims, outcome.refunds = len(claims), len(refunds)
        outcome.accounts = books.count
        outcome.checkpoint = books.start.header.batch_no if books.start else 0
        return [*claims, *refunds, *map(books.exit_of, range(books.count))]

    def _in_random_order(
        self, books: FinalBooks, calls: Sequence[WayOut], owners: Sequence[bytes]
    ) -> Payouts:
        """Return what everybody got when the calls came in a random order, and undo it."""
        node, block = self.chain.node, self.chain.block_number()
        snapshot = node.request("evm_snapshot")
        order = map(self._transaction, self._shuffled(books, calls))
        *_, last = [node.request("eth_sendTransaction", sent) for sent in order]
        node.receipt("the last to leave", bytes.fromhex(last[2:]), RECEIPT_S)
        paid = self._transferred(block + 1, owners)
        node.request("evm_revert", snapshot)
        return paid

    def _transaction(self, call: WayOut) -> dict[str, str]:
        """Return a call as the node sends it for the stranger; made once for all orders."""
        if id(call) not in self._made:
            name, function, arguments = call_of(call)
            contract = self.chain.contracts[name]
            data = contract.function(function).encode(arguments)
            self._made[id(call)] = {
                "from": checksum(STRANGER.address),
                "to": contract.checksum_address,
                "data": f"0x{data.hex()}",
                "gas": hex(GAS),
            }
        return self._made[id(call)]

    def _transferred(self, first_block: int, owners: Sequence[bytes]) -> Payouts:
        """Return what the tokens say that the vault has paid since a block."""
        names = self.chain.deployment.tokens
        tokens = [self.chain.contracts[name].address for name in names]
        vault = self.chain.contracts["CollateralVault"].address.rjust(32, b"\0")
        transfer = self.chain.contracts[names[0]].event_named("Transfer").topic
        paid = dict.fromkeys(((o, a) for o in owners for a in self.way_out.assets), 0)
        last = self.chain.block_number()
        for log in self.chain.node.logs(first_block, last, tokens, [transfer, vault]):
            place = log.topics[2][-20:], tokens.index(log.address)
            paid[place] = paid.get(place, 0) + int.from_bytes(log.data)
        return paid

    def _shuffled(self, books: FinalBooks, calls: Sequence[WayOut]) -> list[WayOut]:
        """Return all calls in random order, the start anywhere before the first exit."""
        order = self.random.sample(calls, len(calls))
        if books.start is not None:
            exits = [place for place, call in enumerate(order) if isinstance(call, ExitAccount)]
            order.insert(self.random.randint(0, exits[0]), books.start)
        return order

    def _by_command(self, owners: Sequence[bytes]) -> Payouts:
        """Return what everybody got by the command, owner by owner; this one stays."""
        before, order = self._balances(owners), self.random.sample(owners, len(owners))
        for owner in order:
            report = leave(self.way_out, STRANGER, owner)
            self.outcome.expect(f"refused: {report.refused}", holds=not report.refused)
        again = leave(self.way_out, STRANGER, order[0])
        self.outcome.expect(f"paid twice: {again.paid}", holds=not again.paid)
        return _gained(before, self._balances(owners))

    def _judge(self, books: FinalBooks, owed: Owed) -> None:
        """Compare what is paid with what it is worth: all of it, or the same part for all."""
        outcome, prices = self.outcome, books.prices_e8
        outcome.equity_e6, outcome.debt_e6 = owed.equity_e6, owed.debt_e6
        ratios = ratios_e6(owed, prices)
        outcome.ratio_e6 = min(ratios, default=ONE_E6)
        even = max(ratios, default=ONE_E6) - outcome.ratio_e6 <= SAME_RATIO_E6
        outcome.expect(f"unequal parts: {ratios}", holds=even)
        if not owed.debt_e6:
            problems = unfair_to(owed, prices)
            outcome.expect("; ".join(problems), holds=not problems)
        is_as_meant = (owed.debt_e6 == 0) == self.doom.is_solvent
        outcome.expect(f"the debts are {owed.debt_e6}", holds=is_as_meant)

    def _judge_rest(self, owed: Owed) -> None:
        """Demand that no more stays in the vault than what rounding kept back."""
        rest = self._vault()
        most = 2 * len(owed.leaves)
        outcome = self.outcome
        outcome.expect(f"the vault keeps {rest}", holds=all(r <= most for r in rest.values()))

    def _balances(self, owners: Sequence[bytes]) -> Payouts:
        return {
            (owner, asset): self.chain.token_balance(asset, owner)
            for owner in owners
            for asset in self.way_out.assets
        }

    def _vault(self) -> dict[int, int]:
        vault = self.chain.contracts["CollateralVault"].address
        return {asset: self.chain.token_balance(asset, vault) for asset in self.way_out.assets}


def _gained(before: Payouts, after: Payouts) -> Payouts:
    return {place: after[place] - before[place] for place in before}


def _differences(paid: Payouts, expected: Payouts) -> str:
    wrong = [place for place in expected if paid.get(place) != expected[place]]
    return ", ".join(
        f"0x{owner.hex()} asset {asset}: {paid.get((owner, asset))}, not {expected[owner, asset]}"
        for owner, asset in wrong
    )
