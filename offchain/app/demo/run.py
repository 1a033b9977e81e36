"""The demo from nothing to an audit verdict."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.client import ApiClient
from offchain.adapters.client_witnesses import ApiWitnesses
from offchain.adapters.clock import ReplayClock
from offchain.adapters.guard import ApiLimits
from offchain.adapters.price_file import read_candles
from offchain.app.audit_command import verdict_lines
from offchain.app.demo.decisions import change_modes, choose_modes, sell_collateral
from offchain.app.demo.dispute import Dispute, dispute
from offchain.app.demo.drill import Drill, exit_drill
from offchain.app.demo.explained import margin_lines
from offchain.app.demo.force import Forcing
from offchain.app.demo.listener import StreamListener
from offchain.app.demo.market import path_through
from offchain.app.demo.picture import draw
from offchain.app.demo.population import Trader, draw_makers, draw_traders
from offchain.app.demo.promises import DemoFailed, demand
from offchain.app.demo.record import Book, usd
from offchain.app.demo.screen import Screen
from offchain.app.demo.venue import DemoVenue
from offchain.app.devnet import Devnet, DevnetTerms, launch, save_deployment
from offchain.app.node import Node, NodeChoices
from offchain.app.run_folder import fresh
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS
from offchain.engine.events import Tier
from offchain.engine.withdrawal import withdrawable
from offchain.services.audit import audit
from offchain.services.audit_report import AuditReport
from offchain.services.batcher import BatchPolicy
from offchain.services.keeper import Keeper
from offchain.services.ports import Spot
from offchain.services.signing import KeySigner

SHIPPED = Path(__file__).parents[3] / "data/2025-10-10_BTCUSDT_5m.csv"
BACKSTOP_USD = 400_000
FUND_USD = 60_000
USUAL_E8 = 120_000 * ONE_E8
"""Price of BTC for which the sizes of orders are meant; they grow as it is lower."""
FUNDING_EVERY = 36
OPTIONS_EVERY = 6
LINEAR_EVERY = 2
SETTLE_EVERY = 6
MAX_CLOSING_ROUNDS = 200
CHANGE_MODES = (60, 150)
"""Steps at which those who planned another mode ask for it: in calm, and after the fall."""
SELL_COLLATERAL = 90
KEY_GRANTED, KEY_REVOKED, LEAVES_BY_FORCE = 30, 45, 170
"""Steps at which one trader grants a trading key, revokes it, and leaves through the inbox."""
FORCING = "basis trade 1"
DISPUTED = 54
"""Step at which a bad batch is committed with the sequencer's key, and a stranger objects."""
EXPLAINED = "strangle seller"
"""Of the first of these the margin is shown line by line."""


@dataclass(frozen=True, slots=True)
class DemoChoices:
    """What may be chosen: the candle file, where results go, and the seed of the population."""

    data: Path = SHIPPED
    folder: Path = Path("build/demo")
    seed: int = 10


def run_demo(choices: DemoChoices) -> dict[str, object]:
    """Run the demo, write summary.json, margin.json and demo.png, and return the summary.

    Raises
    ------
    PriceFileError
        The candle file breaks its format.
    FolderNotOurs
        The folder holds what no earlier run left.
    DemoFailed
        Something that the demo promises did not happen.
    AuditFailed
        The audit found something.
    """
    candles = read_candles(choices.data)
    spots = list(path_through(candles.candles, candles.step_ns))
    fresh(choices.folder)
    book, start = Book(), time.perf_counter()
    opening_ns = spots[0].time_ns - 300 * SECOND_NS
    options = AnvilOptions(timestamp_s=opening_ns // SECOND_NS, accounts=1)
    with Screen() as screen, Anvil(options) as anvil:
        screen.stage("deploying contracts")
        with book.stage("deploy"):
            opening = (spots[0].prices_e8[0], spots[0].prices_e8[1])
            choice = DevnetTerms(opening, insurance_seed_e6=FUND_USD * ONE_E6)
            devnet = launch(anvil.url, anvil.keys[0], opening_ns, choice)
            save_deployment(devnet, choices.folder / "deployment.json")
        run = _Run(devnet, choices, spots, book, screen, opening_ns)
        try:
            summary, report = run.everything()
        finally:
            run.close()
    summary["seconds"] = {**book.seconds, "total": round(time.perf_counter() - start, 2)}
    (choices.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    draw(book, choices.folder / "demo.png", f"Plimsoll demo: {choices.data.stem}")
    demand(
        summary, report, is_shipped=choices.data.name == SHIPPED.name
    )  # last, so that a run that failed leaves its record too
    return summary


class _Run:
    """One run: a node, a keeper that is a stranger to it, and the demo's traders."""

    def __init__(
        self,
        devnet: Devnet,
        choices: DemoChoices,
        spots: Sequence[Spot],
        book: Book,
        screen: Screen,
        opening_ns: int,
    ) -> None:
        self.devnet, self.choices, self.spots = devnet, choices, spots
        self.book, self.screen = book, screen
        self.clock = ReplayClock(opening_ns)
        policy = BatchPolicy(max_age_ns=600 * SECOND_NS)
        limits = ApiLimits(rate=5_000, burst=10_000)
        node_choices = NodeChoices(choices.folder / "node", batches=policy, api_limits=limits)
        self.node = Node(devnet, self.clock, node_choices)
        self.node.sequencer.subscribe(book.listen)
        self.node.start()
        self.client = ApiClient(self.node.server.url)
        self.keeper_client = ApiClient(self.node.server.url)
        self.listener = StreamListener(self.node.server.url)
        self.keeper = Keeper(devnet.chain, ApiWitnesses(self.keeper_client), devnet.keys.keeper)
        self.admin = KeySigner(bytes.fromhex(devnet.admin_key[2:]))
        self.venue = DemoVenue(
            self.node,
            self.clock,
            self.client,
            book,
            screen,
            draw_makers(),
            draw_traders(choices.seed, spots[0].prices_e8, _strikes(devnet)),
            _backstop(devnet),
            max(1, USUAL_E8 // spots[0].prices_e8[0]),
            max(1, (spots[1].time_ns - spots[0].time_ns) // SECOND_NS),
        )

        trader = next(t for t in self.venue.traders if t.name == FORCING)
        self.forcing = Forcing(self.venue, trader)
        self.dispute: Dispute | None = None
        self.keys_held = True  # whether the trading key did what it may, and nothing after its end

    def close(self) -> None:
        """Stop everything that was started."""
        self.client.close()
        self.keeper_client.close()
        self.node.stop()
        self.devnet.chain.close()

    def everything(self) -> tuple[dict[str, object], AuditReport]:
        """Go through all stages and return the summary and the audit."""
        book, venue, screen = self.book, self.venue, self.screen
        self.listener.start()
        everyone = len(venue.makers) + 1 + len(venue.traders)
        screen.stage(f"{everyone} traders deposit through the vault", everyone)
        with book.stage("deposits"):
            venue.pay_in(self.admin)
        screen.stage("positions are opened over the API", len(venue.traders))
        with book.stage("positions"):
            venue.tick(self.spots[0])
            choose_modes(venue)
            venue.open_positions()
            self._explain()
            venue.sample()
        screen.stage("replaying the market", len(self.spots) - 1)
        with book.stage("replay"):
            self._replay()
        screen.stage("a trader withdraws; batches become final")
        with book.stage("closing"):
            claimed = self._withdraw_and_close()
            by_force = self.forcing.claim()
        heard = self.listener.stop()
        screen.stage("auditing from chain data alone", self.devnet.chain.head())
        with book.stage("audit"):
            facts = collect_facts(self.devnet.chain)
            engine = self.devnet.engine_hash  # of the files that this process was started from
            report = audit(facts, engine, lambda _done, _all: screen.advance())
        for line in verdict_lines(report):
            screen.say(line, is_key=True)
        screen.stage("exit drill: the operator is gone, and everybody leaves")
        with book.stage("drill"):
            drill = self._drill()
        summary = self._summary(report, len(facts.verified), claimed, heard)
        summary |= {
            "stake_e6": self.devnet.chain.call(
                "SequencerRegistry", "stakeOf", self.devnet.keys.sequencer.address
            )[0],
            "forced": {
                "done": book.forced_done,
                "in_vain": book.forced_in_vain,
                "claimed_e6": by_force,
                "trading_key": self.keys_held,
            },
            "dispute": asdict(self.dispute) if self.dispute else None,
            "drill": drill.to_json(),
        }
        if not drill.is_ok:
            raise DemoFailed(f"not everybody could leave: {drill}")
        return summary, report

    def _drill(self) -> Drill:
        """Let everybody leave on a copy of the chain, and say what came of it."""
        chain = self.devnet.chain
        waiting = self.venue.traders[0].key
        drill = exit_drill(chain.node.url, chain.contracts["Settlement"].address, waiting)
        self.screen.say(
            f"{drill.accounts} accounts left with {usd(drill.cash_e6)} in cash, "
            f"debts {usd(drill.debt_e6)}; frozen for {drill.cause.lower()}",
            is_key=True,
        )
        return drill

    def _replay(self) -> None:
        last = self.spots[0].prices_e8[0]
        for number, spot in enumerate(self.spots[1:], start=1):
            self.venue.tick(spot)
            price = spot.prices_e8[0]
            stress, last = abs(price - last) * ONE_E6 // last, price
            if number % FUNDING_EVERY == 0:
                self.node.accrue_funding()
            if number % LINEAR_EVERY == 0:
                self.venue.make_markets(stress_e6=stress, with_options=number % OPTIONS_EVERY == 0)
            if number in CHANGE_MODES:
                change_modes(self.venue)
            if number == SELL_COLLATERAL:
                sell_collateral(self.venue)
            self._force(number)
            if number == DISPUTED:
                self._dispute()
            elif number % SETTLE_EVERY == 0:
                self._settle()
            else:
                self.node.relayer.flush()  # the hub takes no report older than its heartbeat
            for line in self.book.take_lines():
                self.screen.say(f"BTC {price / 1e8:>10,.1f}  {line}")
            self.venue.sample()
            self.screen.advance()

    def _force(self, number: int) -> None:
        """Let one trader use the inbox, at its steps."""
        if number == KEY_GRANTED:
            self.keys_held &= self.forcing.grant_key()
        elif number == KEY_REVOKED:
            self.keys_held &= self.forcing.revoke_key()
        elif number == LEAVES_BY_FORCE:
            self.forcing.leave()

    def _dispute(self) -> None:
        """Let a stranger object to a planted batch, and go on when it is gone."""
        self._settle(force=True)
        self.dispute = dispute(self.venue)
        self.screen.say(
            f"a batch that pays a thief is reverted: fault of kind {self.dispute.kinds}, the "
            f"stranger gets {usd(self.dispute.collected_e6)} with the bond",
            is_key=True,
        )
        self._settle()

    def _explain(self) -> None:
        """Show the margin of one account line by line, as its owner would ask for it."""
        trader = next(t for t in self.venue.traders if t.profile == EXPLAINED)
        client, account = self.client, trader.account
        explained = {
            "margin": client.account_margin(account),
            "exposure": client.account_exposure(account),
            "prices": client.liquidation_prices(account),
        }
        for line in margin_lines(trader.name, **explained):
            self.screen.say(line, is_key=True)
        text = json.dumps({"name": trader.name, **explained}, indent=1)
        (self.choices.folder / "margin.json").write_text(text + "\n")

    def _settle(self, *, force: bool = False) -> None:
        """Let batcher, relayer and keeper do what is due, and say what became of it."""
        progress = self.node.settle(force=force)
        receipts = self.keeper.step()
        if receipts:
            self.screen.say(f"keeper verified {len(receipts)} liquidations on chain")
        if progress.finalised:
            numbers = ", ".join(map(str, progress.finalised))
            self.screen.say(f"final: batch {numbers}")

    def _withdraw_and_close(self) -> int:
        """Withdraw for whoever can most, finalise everything, and claim; return the amount."""
        trader, amount = self._leaver()
        output = self.venue.withdraw(trader, amount)
        self.screen.say(f"{trader.name} withdraws {usd(amount)}", is_key=True)
        chain, batcher = self.devnet.chain, self.node.batcher
        self._settle(force=True)
        window_ns = (chain.attested_window() + 1) * SECOND_NS
        for _ in range(MAX_CLOSING_ROUNDS):
            if chain.finalised() == batcher.last_batch:
                break
            self.clock.set(self.clock.now_ns() + window_ns)
            chain.set_time(self.clock.now_ns())
            self._settle()
        else:
            raise DemoFailed(f"only {chain.finalised()} of {batcher.last_batch} batches are final")
        claim = batcher.claim(output)
        assert claim is not None
        before = chain.token_balance(0, trader.owner)
        chain.claim(trader.key, claim.header, claim.output, claim.index, claim.proof)
        received = chain.token_balance(0, trader.owner) - before
        self.keeper.claim()
        self.screen.say(f"{trader.name} received {usd(received)} on chain", is_key=True)
        return received

    def _leaver(self) -> tuple[Trader, int]:
        with self.node.sequencer.lock:
            state = self.node.sequencer.state
            free = {t.name: withdrawable(state, t.account, 0) for t in self.venue.traders}
        best = max(self.venue.traders, key=lambda t: free[t.name])
        return best, free[best.name] // 2

    def _summary(
        self, report: AuditReport, verified: int, claimed: int, heard: dict[str, int]
    ) -> dict[str, object]:
        chain, book = self.devnet.chain, self.book
        with self.node.sequencer.lock:
            accounts = self.node.sequencer.state.accounts.count
        steps = book.steps
        return {
            "data": self.choices.data.name,
            "accounts": accounts,
            "orders": book.orders,
            "fills": book.fills,
            "margin_warnings": book.warnings,
            "reports_refused": self.venue.refused,
            "liquidations": {
                "detected": len(steps),
                "verified_on_chain": verified,
                "partial": sum(s.tier is Tier.PARTIAL for s in steps),
                "full": sum(s.tier is Tier.FULL for s in steps),
                "accounts": len({s.account for s in steps}),
            },
            "insurance_draw_e6": book.drawn_e6,
            "shortfall_e6": book.shortfall_e6,
            "batches_finalised": chain.finalised(),
            "withdrawal_claimed": claimed,
            "mode_changes": book.mode_changes,
            "mode_changes_refused": book.modes_refused,
            "conversions": book.conversions,
            "audit": "PASS" if report.is_ok else "FAIL",
            "state_root": f"0x{report.state_root.hex()}",
            "records": report.records,
            "keeper": {
                "earned_e6": self.keeper.earnings.earned_e6,
                "gas_used": self.keeper.earnings.gas_used,
            },
            "stream": heard,
            "gas": {
                name: {"calls": use.count, "mean": use.total // use.count, "largest": use.largest}
                for name, use in sorted(chain.gas_by_call.items())
            },
        }


def _strikes(devnet: Devnet) -> dict[str, list[int]]:
    listing = devnet.parameters.listing
    return {
        u.symbol: sorted(
            {
                i.strike_e8 // ONE_E8
                for i in listing.instruments
                if i.is_option and i.underlying == u.index
            }
        )
        for u in listing.underlyings
    }


def _backstop(devnet: Devnet) -> Trader:
    cash = BACKSTOP_USD * ONE_E6
    return Trader("backstop", "backstop", devnet.keys.backstop, cash, 0, 0, ())
