"""The demo's venue: traders come, deposit, trade, are replayed through a crash, and one leaves."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from offchain.adapters.client import ApiClient, ApiError
from offchain.adapters.clock import ReplayClock
from offchain.app.demo.making import STEP_S, quotes, signed_order
from offchain.app.demo.population import Trader, sized
from offchain.app.demo.record import Book
from offchain.app.demo.screen import Screen
from offchain.app.devnet import GAS_MONEY_WEI
from offchain.app.node import Node
from offchain.core.margin import Mode
from offchain.core.units import (
    ONE_E6,
    SECOND_NS,
    AccountId,
    InstrumentId,
    TimestampNs,
    mul_div_ceil,
)
from offchain.engine.messages import Convert, SetMode, TimeInForce, Withdraw
from offchain.engine.sweeps import maintenance_margins
from offchain.services.gateway import intent_digest
from offchain.services.ports import Spot
from offchain.services.sequencer import Receipt
from offchain.services.signing import KeySigner

SLIPPAGE_E6 = {False: 2_000, True: 40_000}
"""How far from the mark a trader goes for a linear instrument, and for an option."""
SLICE_LOTS = 4_000
"""Traders build their positions in slices, as the makers' quotes come back."""
MAX_SLICES = 6
OPENING_DEPTH = 20
"""Times the usual size that makers show while positions are built."""
MINUTE_NS = 60 * SECOND_NS
Signed = TypeVar("Signed", Convert, SetMode, Withdraw)


@dataclass(slots=True)
class DemoVenue:
    """A node, its chain's clock, and everybody who trades on it."""

    node: Node
    clock: ReplayClock
    client: ApiClient
    book: Book
    screen: Screen
    makers: list[Trader]
    traders: list[Trader]
    backstop: Trader
    scale: int = 1  # how much smaller a lot is than that of the shipped data
    step_s: int = STEP_S
    refused: int = 0  # reports that the venue did not take
    wanted: set[int] = field(default_factory=set)  # options that somebody wants to trade

    def pay_in(self, admin: KeySigner) -> None:
        """Let everybody deposit through the vault, each with its own key."""
        chain = self.node.chain
        for trader in (*self.makers, self.backstop, *self.traders):
            chain.give_gas(trader.owner, GAS_MONEY_WEI)
            for asset, amount in ((0, trader.cash_e6), (trader.coin_asset, trader.coins_e8)):
                if amount:
                    chain.mint(admin, asset, trader.owner, amount)
                    chain.approve(trader.key, asset, amount)
                    chain.deposit(trader.key, asset, amount, trader.owner)
            self.screen.advance()
        self.node.watcher.poll()
        with self.node.sequencer.lock:
            accounts = self.node.sequencer.state.accounts
            for trader in (*self.makers, self.backstop, *self.traders):
                account = accounts.find(trader.owner, 0)
                assert account is not None
                trader.account = account

    def tick(self, spot: Spot) -> None:
        """Move every clock to a spot, and let the oracles report it."""
        self.clock.set(spot.time_ns)
        self.node.chain.set_time(spot.time_ns)
        if not isinstance(self.node.observe(spot), Receipt):
            self.refused += 1  # the price before stays in force, and traders see that it ages

    def make_markets(
        self, *, stress_e6: int = 0, with_options: bool = True, depth: int = 1
    ) -> None:
        """Let the makers quote around the marks."""
        with self.node.sequencer.lock:
            state = self.node.sequencer.state
            held = self._held() | self.wanted if with_options else set()
            shown = [
                (i, int(state.market.prices.marks_e8[i.id]), state.underlying(i.id).tick_e8)
                for i in state.instruments.values()
                if not i.is_option or i.id in held
            ]
        domain, now = self.node.gateway.domain, self.clock.now_ns()
        orders = list(
            quotes(
                domain,
                self.makers,
                [s for s in shown if s[1] > 0],
                now,
                stress_e6,
                depth * self.scale,
                self.step_s,
            )
        )
        for start in range(0, len(orders), 256):
            self.node.place(orders[start : start + 256])

    def open_positions(self) -> None:
        """Let every trader build its portfolio over the API, in slices against the makers."""
        ids = {i.symbol: int(i.id) for i in self.node.devnet.parameters.listing.instruments}
        wanted = {t.name: dict(sized(t, ids, self._initial, self._free(t))) for t in self.traders}
        self.wanted = {i for legs in wanted.values() for i in legs}
        for _ in range(MAX_SLICES):
            left = [t for t in self.traders if any(wanted[t.name].values())]
            if not left:
                break
            self.make_markets(depth=OPENING_DEPTH)
            left.sort(key=lambda t: t.mode is Mode.PORTFOLIO)  # the small ones find quotes
            for trader in left:
                self._trade_slice(trader, wanted[trader.name])
        self.screen.advance(len(self.traders))

    def _trade_slice(self, trader: Trader, wanted: dict[int, int]) -> None:
        for instrument, lots in wanted.items():
            largest = SLICE_LOTS * self.scale
            size = max(-largest, min(largest, lots))
            if size:
                filled = self.take(trader, instrument, size)
                wanted[instrument] = 0 if filled is None else lots - filled

    def take(self, trader: Trader, instrument: int, lots: int) -> int | None:
        """Send one immediate order over the API; return the lots filled, None when refused."""
        with self.node.sequencer.lock:
            state = self.node.sequencer.state
            mark = int(state.market.prices.marks_e8[instrument])
            tick = state.underlying(instrument).tick_e8
            is_option = state.instruments[InstrumentId(instrument)].is_option
        move = mul_div_ceil(mark, SLIPPAGE_E6[is_option], ONE_E6)
        price = max(tick, (mark + (move if lots > 0 else -move)) // tick * tick)
        until = self.clock.now_ns() + MINUTE_NS
        style = TimeInForce.IMMEDIATE_OR_CANCEL
        domain = self.node.gateway.domain
        order = signed_order(domain, trader, instrument, lots, price, until, style)
        try:
            answer = self.client.submit(order)
        except ApiError:
            return None
        return int(answer["lots_filled"])

    def withdraw(self, trader: Trader, amount_e6: int) -> int:
        """Ask for cash over the API; return the id of the output."""
        unsigned = Withdraw(
            AccountId(trader.account),
            0,
            amount_e6,
            next(trader.nonces),
            TimestampNs(self.soon_ns()),
            bytes(65),
        )
        with self.node.sequencer.lock:
            output = self.node.sequencer.state.next_output_id
        self.client.submit(self.signed(trader, unsigned))
        return output

    def soon_ns(self) -> int:
        """Return when an intent that is signed now expires."""
        return self.clock.now_ns() + MINUTE_NS

    def signed(self, trader: Trader, intent: Signed) -> Signed:
        """Return an intent signed by its owner."""
        digest = intent_digest(self.node.gateway.domain, intent)
        return replace(intent, signature=trader.key.sign(digest))

    def sample(self) -> None:
        """Write down prices, ratios and the fund as they are."""
        with self.node.sequencer.lock:
            state = self.node.sequencer.state
            market = state.market
            balance, maintenance = maintenance_margins(state)
            fund = int(state.accounts.cash[0])
        self.book.times.append(self.clock.now_ns())
        self.book.index_e8.append(market.medians[0])
        self.book.fund_e6.append(fund)
        for trader in self.traders:
            due = int(maintenance[trader.account])
            ratio = int(balance[trader.account]) * ONE_E6 // due if due else None
            self.book.ratios_e6.setdefault(trader.account, []).append(ratio)

    def _initial(self, positions: list[tuple[int, int]], mode: Mode) -> int:
        legs = [{"instrument": str(i), "lots": str(lots)} for i, lots in positions]
        answer = self.client.call("public/get_margin", positions=legs, mode=mode.name.lower())
        return int(answer["initial_margin_e6"])

    def _free(self, trader: Trader) -> int:
        answer = self.client.call("public/get_account", account=trader.account)
        return int(answer["margin"]["margin_balance_e6"])

    def _held(self) -> set[int]:
        state = self.node.sequencer.state
        n = state.accounts.count
        return set(state.accounts.ids[:n][state.accounts.lots[:n] != 0].tolist())
