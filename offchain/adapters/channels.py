"""What the machine's events say on which channel."""

from collections.abc import Iterator

from offchain.adapters.margin_views import View
from offchain.adapters.rpc import Fault, RpcError
from offchain.adapters.served_venue import ServedVenue
from offchain.adapters.stream import EVERY, StreamHub
from offchain.adapters.views import risk_view, watch_view
from offchain.engine import events as e
from offchain.ledger.wire import Record

MAX_WATCHED_ACCOUNTS = 1_000
"""Different `account.*` channels that may be subscribed at a time."""
_WATCH = "margin.watch"
_MOVES_PRICES = (e.PriceAccepted, e.FundingAccrued, e.InstrumentSettled)
_PARTIES = ("account", "taker", "maker", "giver", "seller", "buyer")


class Publisher:
    """A listener of the sequencer that publishes to the hub what somebody subscribed to.

    It is called with the sequencer's lock held, so it may read the state.
    """

    def __init__(self, venue: ServedVenue, hub: StreamHub) -> None:
        self.venue, self.hub = venue, hub

    def listen(self, record: Record, events: tuple[e.Event, ...]) -> None:
        """Publish what one record caused."""
        for event in events:
            self._tell(record, event)
        wanted = self.hub.wanted
        if not wanted:
            return
        has_new_prices = any(isinstance(event, _MOVES_PRICES) for event in events)
        if has_new_prices and _WATCH in wanted:
            self.hub.publish(_WATCH, watch_view(self.venue.state))
        watched = {a for c in wanted if (a := account_of(c)) is not None}
        for account in watched if has_new_prices else watched & set(parties(events)):
            self.hub.publish(f"account.{account}.risk", risk_view(self.venue.state, account))

    def snapshot(self, channel: str) -> object:
        """Return the present content of a channel that keeps the latest message."""
        if channel == _WATCH:
            return watch_view(self.venue.state)
        account = account_of(channel)
        assert account is not None
        return risk_view(self.venue.state, account)

    def check(self, channel: str) -> None:
        """Refuse a channel that does not exist."""
        account = account_of(channel)
        if account is None:
            if channel != _WATCH and channel not in EVERY:
                raise RpcError(Fault.UNKNOWN_CHANNEL, "unknown channel")
            return
        if account >= self.venue.state.accounts.count:
            raise RpcError(Fault.UNKNOWN_CHANNEL, "unknown account")
        if channel not in self.hub.wanted and len(self.hub.wanted) >= MAX_WATCHED_ACCOUNTS:
            raise RpcError(Fault.BUSY, "too many accounts are watched")

    def _tell(self, record: Record, event: e.Event) -> None:
        told = described(event)
        if told is not None:
            channel, view = told
            self.hub.publish(channel, {"seq": record.seq, "time_ns": record.time_ns, **view})


def account_of(channel: str) -> int | None:
    """Return the account of ``account.{id}.risk``, None for another channel."""
    head, _, rest = channel.partition(".")
    number, _, tail = rest.partition(".")
    is_risk = head == "account" and tail == "risk"
    if not is_risk or not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    return int(number) if str(int(number)) == number else None


def described(event: e.Event) -> tuple[str, View] | None:
    """Return the channel of an event and what it says there."""
    match event:
        case e.Filled():
            return "fills", {
                "instrument": event.instrument,
                "price_e8": event.price_e8,
                "lots": event.lots,
                "taker": event.taker,
                "maker": event.maker,
            }
        case e.LiquidationOrdered():
            return "liquidations", {
                "account": event.account,
                "tier": event.tier.name.lower(),
                "margin_balance_e6": event.margin_balance_e6,
                "maintenance_margin_e6": event.maintenance_e6,
                "legs": [
                    {"instrument": x.instrument, "lots": x.lots, "limit_price_e8": x.limit_price_e8}
                    for x in event.legs
                ],
            }
        case e.BreakerTripped():
            return "breakers", {
                "underlying": event.underlying,
                "level": int(event.level),
                "until_ns": event.until_ns if event.level else None,
            }
        case e.MarginLevelChanged():
            return "warnings", {
                "account": event.account,
                "call_level": event.level,
                "margin_balance_e6": event.margin_balance_e6,
                "maintenance_margin_e6": event.maintenance_e6,
            }
        case _:
            return None


def parties(events: tuple[e.Event, ...]) -> Iterator[int]:
    """Yield every account that an event names."""
    for event in events:
        for name in _PARTIES:
            account = getattr(event, name, None)
            if account is not None:
                yield account
