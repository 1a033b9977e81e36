"""A small venue in memory: parameters, a machine, and short words for what traders do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from offchain.core.instruments import FeedKind, Listing
from offchain.core.margin import Mode
from offchain.core.oracle import STILL
from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, ETHER, NO_BREAKER, NO_GRACE, Roles, Series, pm36
from offchain.core.units import (
    DAY_NS,
    ONE_E6,
    ONE_E8,
    SECOND_NS,
    AccountId,
    InstrumentId,
    Lots,
    PriceE8,
    RatioE6,
    TimestampNs,
    UsdE6,
)
from offchain.engine import machine
from offchain.engine.events import Event
from offchain.engine.messages import (
    CancelOrder,
    Command,
    Convert,
    Deposit,
    EntryKind,
    Forced,
    FundingTick,
    Genesis,
    Liquidate,
    Observation,
    PlaceOrder,
    PriceReport,
    SetMode,
    TimeInForce,
    Withdraw,
)
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State

START_NS = 1_760_054_400 * SECOND_NS  # 2025-10-10 00:00 UTC
ENTRY_TIME_S = START_NS // SECOND_NS
"""Time of every inbox entry of a test."""
WEEK_NS = START_NS + 7 * DAY_NS
MONTH_NS = START_NS + 21 * DAY_NS
BTC_PERP, BTC_WEEK, BTC_MONTH = 0, 1, 2
ETH_PERP = 256
FAR_FUTURE = TimestampNs(START_NS + 365 * DAY_NS)
NO_SIGNATURE = bytes(65)


def parameters() -> RiskParameters:
    expiries = (("WEEK", WEEK_NS), ("MONTH", MONTH_NS))
    return pm36(
        (
            Series(BITCOIN, expiries, (100_000, 110_000, 120_000, 130_000)),
            Series(ETHER, expiries, (3_600, 4_000, 4_400, 4_800)),
        ),
        Roles(
            tuple(f"0x{i:040x}" for i in range(1, 8)),
            insurance_owner="0x" + "f0" * 20,
            backstop_owner="0x" + "f1" * 20,
        ),
        grace=NO_GRACE,
        breaker=NO_BREAKER,
    )


RULES = parameters()


def scan_only(rules: RiskParameters = RULES) -> RiskParameters:
    """Return the rules with no requirement beyond the scan: every add-on is zero."""
    zero = RatioE6(0)
    addons = tuple(
        replace(
            a,
            roll_rate_e6=zero,
            roll_min_e6=zero,
            naked_mm_e6=zero,
            naked_im_e6=zero,
            delta_tiers=a.delta_tiers[:1],
            unwind_linear_e6=zero,
            unwind_option_e6=zero,
            calm_vol_e8=0,
            confidence_factor_e6=zero,
        )
        for a in rules.addons
    )
    return replace(rules, addons=addons)


def option(label: str) -> InstrumentId:
    """Return the id of an instrument by its symbol, e.g. ``BTC-WEEK-110000-C``."""
    return next(i.id for i in RULES.listing.instruments if i.symbol == label)


NEUTRAL_SHAPE = {
    FeedKind.SLOPE: ONE_E8,
    FeedKind.TILT: 2 * ONE_E8,
    FeedKind.CENTRE: 5 * ONE_E8,
    FeedKind.WIDTH: ONE_E8 + ONE_E8 // 10,
    FeedKind.STABLE: ONE_E8,
}
"""A flat smile (b = 0) and a cash asset at par, in the oracle's biased numbers."""


def all_feeds(
    listing: Listing,
    indices_e8: Sequence[int],
    volatility_e8: int = 45_000_000,
    forwards_e8: Sequence[int] | None = None,
    shape_e8: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return a value for every feed of a listing.

    Forwards are by underlying, at the index unless given. `shape_e8` replaces neutral numbers, by
    the name of the feed in lower case (``slope``, ``stable``, ..).
    """
    forwards = indices_e8 if forwards_e8 is None else forwards_e8
    values = []
    for feed in listing.feeds:
        if feed.kind == FeedKind.INDEX:
            values.append(indices_e8[feed.underlying])
        elif feed.kind == FeedKind.FORWARD:
            values.append(forwards[feed.underlying])
        elif feed.kind == FeedKind.VOLATILITY:
            values.append(volatility_e8)
        else:
            given = shape_e8 or {}
            values.append(given.get(feed.kind.name.lower(), NEUTRAL_SHAPE[feed.kind]))
    return tuple(values)


def feed_values(
    btc_usd: float, eth_usd: float = 4_300, vol_percent: int = 45, **shape_e8: int
) -> tuple[int, ...]:
    """Return a report's values: forwards at the index, one volatility, neutral shapes."""
    indices = (round(btc_usd * 10) * ONE_E8 // 10, round(eth_usd * 100) * ONE_E8 // 100)
    return all_feeds(RULES.listing, indices, vol_percent * ONE_E8 // 100, shape_e8=shape_e8)


@dataclass
class Venue:
    """A machine with helpers; every accepted command is a record of `log`."""

    rules: RiskParameters = field(default_factory=lambda: RULES)
    state: State = field(default_factory=State)
    now: int = START_NS
    log: list[tuple[int, int, Command]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    nonce: int = 0
    round: int = 0

    def __post_init__(self) -> None:
        self.must(Genesis(self.rules))

    def do(self, command: Command) -> machine.Decision:
        seq = self.state.last_seq + 1
        decision = machine.decide(self.state, command, seq, self.now)
        if isinstance(decision, Rejected):
            return decision
        for event in decision:
            machine.evolve(self.state, event, seq, self.now)
            assert self.conserved(), f"{event} breaks SOL-1"  # after every event, not only at rest
        machine.advance(self.state, seq, self.now)
        self.log.append((seq, self.now, command))
        self.events.extend(decision)
        return decision

    def must(self, command: Command) -> tuple[Event, ...]:
        decision = self.do(command)
        assert not isinstance(decision, Rejected), str(decision)
        return decision

    def refuses(self, command: Command) -> Reason:
        decision = self.do(command)
        assert isinstance(decision, Rejected), decision
        return decision.reason

    def deposit(self, name: int, usd: float = 0, btc: float = 0, eth: float = 0) -> int:
        """Deposit for owner `name`; return the account."""
        owner = name.to_bytes(20, "big")
        if usd:
            amount = round(usd * ONE_E6)
            self.must(Deposit(self.state.inbox_cursor + 1, ENTRY_TIME_S, owner, 0, 0, amount))
        for asset, coins in ((1, btc), (2, eth)):
            if coins:
                amount = round(coins * ONE_E8)
                self.must(
                    Deposit(self.state.inbox_cursor + 1, ENTRY_TIME_S, owner, 0, asset, amount)
                )
        account = self.state.accounts.find(owner, 0)
        assert account is not None
        return account

    def entry(
        self, kind: EntryKind, owner: bytes, place: int = 0, amount: int = 0, key: bytes = bytes(20)
    ) -> Forced:
        """Return the next entry of the inbox, of the first sub-account of an owner."""
        index = self.state.inbox_cursor + 1
        return Forced(index, ENTRY_TIME_S, owner, 0, place, amount, kind, key)

    def force(
        self, kind: EntryKind, account: int, place: int = 0, amount: int = 0
    ) -> tuple[Event, ...]:
        """Let the owner of an account force something; return what follows from it."""
        owner = self.state.accounts.owner[account]
        return self.must(self.entry(kind, owner, place, amount))

    def fund(self, insurance_usd: float = 0, backstop_usd: float = 0) -> None:
        """Give the reserved accounts money."""
        self.deposit(int(RULES.insurance_owner, 16), insurance_usd)
        self.deposit(int(RULES.backstop_owner, 16), backstop_usd)

    def report(self, *values: int, step_s: int = 60) -> PriceReport:
        self.now += step_s * SECOND_NS
        self.round += 1
        seen = tuple(Observation(i, values, (STILL,) * len(values), NO_SIGNATURE) for i in range(5))
        return PriceReport(self.round, TimestampNs(self.now), seen)

    def price(
        self, btc_usd: float, eth_usd: float = 4_300, vol_percent: int = 45, step_s: int = 60
    ) -> tuple[Event, ...]:
        """Report a price, twice when the first is outside the band."""
        values = feed_values(btc_usd, eth_usd, vol_percent)
        events = self.must(self.report(*values, step_s=step_s))
        if self.state.market.pending is not None:
            events = self.must(self.report(*values, step_s=step_s))
        return events

    def order(
        self,
        account: int,
        instrument: int,
        lots: int,
        usd: float,
        *,
        tif: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED,
        reduce_only: bool = False,
    ) -> PlaceOrder:
        self.nonce += 1
        tick = self.state.underlying(instrument).tick_e8
        price = round(usd * ONE_E8 / tick) * tick
        return PlaceOrder(
            AccountId(account),
            InstrumentId(instrument),
            Lots(lots),
            PriceE8(price),
            tif,
            reduce_only,
            self.nonce,
            FAR_FUTURE,
            NO_SIGNATURE,
        )

    def cancel(self, account: int, order_id: int) -> CancelOrder:
        self.nonce += 1
        return CancelOrder(AccountId(account), order_id, self.nonce, FAR_FUTURE, NO_SIGNATURE)

    def trade(self, buyer: int, seller: int, instrument: int, lots: int, usd: float) -> None:
        """Let two accounts trade at a price."""
        self.must(self.order(seller, instrument, -lots, usd))
        self.must(self.order(buyer, instrument, lots, usd))

    def withdraw(self, account: int, usd: float = 0, btc: float = 0, eth: float = 0) -> Withdraw:
        self.nonce += 1
        asset, amount = (0, round(usd * ONE_E6)) if usd else (1, round(btc * ONE_E8))
        if eth:
            asset, amount = 2, round(eth * ONE_E8)
        return Withdraw(AccountId(account), asset, amount, self.nonce, FAR_FUTURE, NO_SIGNATURE)

    def set_mode(self, account: int, mode: Mode | int) -> SetMode:
        self.nonce += 1
        return SetMode(AccountId(account), int(mode), self.nonce, FAR_FUTURE, NO_SIGNATURE)

    def convert(self, account: int, asset: int, coins: float, least_usd: float = 0) -> Convert:
        self.nonce += 1
        return Convert(
            AccountId(account),
            asset,
            round(coins * ONE_E8),
            UsdE6(round(least_usd * ONE_E6)),
            self.nonce,
            FAR_FUTURE,
            NO_SIGNATURE,
        )

    def liquidate(self, account: int) -> machine.Decision:
        return self.do(Liquidate(AccountId(account)))

    def fund_tick(self, step_s: int = 3_600) -> tuple[Event, ...]:
        self.now += step_s * SECOND_NS
        return self.must(FundingTick())

    def grant(self, account: int, amount_e6: int) -> None:
        """Set up a balance to the unit: cash that the books know, without a deposit's record."""
        self.state.accounts.add_cash(account, amount_e6)
        self.state.flows.deposited[0] += amount_e6

    def conserved(self) -> bool:
        """SOL-1: in every asset, what is held is what came in less what went out.

        For cash it is cash less cost, over all accounts.
        """
        accounts, flows, n = self.state.accounts, self.state.flows, self.state.accounts.count
        net = sum(accounts.cash[:n].tolist()) - sum(accounts.costs[:n].ravel().tolist())
        coins = accounts.collateral[:n].astype(object).sum(axis=0).tolist()
        due = [i - o for i, o in zip(flows.deposited, flows.withdrawn, strict=True)]
        return [net, *coins] == due if n else True
