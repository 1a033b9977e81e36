"""Everything the machine knows."""

from copy import copy
from dataclasses import dataclass, field

from offchain.core.instruments import Instrument, Underlying
from offchain.core.parameters import RiskParameters
from offchain.core.units import SECOND_NS, AccountId, InstrumentId, TimestampNs
from offchain.engine.accounts import Accounts
from offchain.engine.book import Book, Order
from offchain.engine.market import Market
from offchain.engine.tables import RuleTables, rule_tables

NONCE_WORD_BITS = 8


def asset_places(parameters: RiskParameters) -> int:
    """Return for how many collateral assets accounts and flows have places: one at least."""
    return max(1, len(parameters.collateral))


@dataclass(slots=True)
class Flows:
    """What came in and went out since genesis: asset amounts in token units, money in USD e-6."""

    deposited: list[int] = field(default_factory=lambda: [0, 0])
    withdrawn: list[int] = field(default_factory=lambda: [0, 0])
    contributed_e6: int = 0
    drawn_e6: int = 0
    shortfall_e6: int = 0
    liquidations: int = 0


class State:
    """The state of the machine: changed by `evolve` and by nothing else."""

    def __init__(self) -> None:
        self.parameters: RiskParameters | None = None
        self.documented: RiskParameters | None = None
        """The set of the document in force; `parameters` has the terms in force above it."""
        self.time_ns = TimestampNs(0)
        self.last_seq = 0
        self.accounts = Accounts()
        self.books: dict[InstrumentId, Book] = {}
        self.market = Market()
        self.flows = Flows()
        self.nonces: dict[int, dict[int, int]] = {}
        self.keys: dict[bytes, dict[bytes, int]] = {}
        """Trading keys: owner to key to expiry [s]. No owner stays in it without a key."""
        self.inbox_cursor = 0
        self.next_output_id = 1
        self.instruments: dict[InstrumentId, Instrument] = {}
        self._tables: RuleTables | None = None
        self._orders: dict[int, Order] = {}
        self._orders_of: dict[int, dict[int, Order]] = {}

    @property
    def rules(self) -> RiskParameters:
        """The parameters in force; only asked for after genesis."""
        assert self.parameters is not None, "no parameters yet"
        return self.parameters

    @property
    def tables(self) -> RuleTables:
        """The rules of margin as arrays; only asked for after genesis."""
        assert self._tables is not None, "no parameters yet"
        return self._tables

    def adopt(self, parameters: RiskParameters, documented: RiskParameters | None = None) -> None:
        """Put a parameter set in force; `documented` is that of its document, if it differs."""
        self.parameters, self.documented = parameters, documented or parameters
        self.instruments = {i.id: i for i in parameters.listing.instruments}
        for instrument in self.instruments:
            self.books.setdefault(instrument, Book())
        self._tables = rule_tables(parameters)
        assets = asset_places(parameters)
        if self.accounts.count == 0:
            self.market.begin(parameters)
            self.accounts = Accounts(assets)
            self.flows.deposited = [0] * (assets + 1)
            self.flows.withdrawn = [0] * (assets + 1)
        elif assets > self.accounts.assets:
            added = [0] * (assets - self.accounts.assets)
            self.accounts.extend(assets)
            self.flows.deposited += added
            self.flows.withdrawn += added

    def under(self, parameters: RiskParameters, market: Market) -> "State":
        """Return this state as it would be with other rules and their market.

        For a look ahead: it shares everything else with this one, so nobody may change it.
        """
        ahead = copy(self)
        ahead.parameters, ahead.market = parameters, market
        ahead._tables = rule_tables(parameters)  # noqa: SLF001 - of its own kind
        assets = asset_places(parameters)
        if assets > self.accounts.assets:
            ahead.accounts = self.accounts.extended(assets)
        return ahead

    def underlying(self, instrument: int) -> Underlying:
        """Return the underlying of an instrument id."""
        return self.rules.listing.underlyings[self.instruments[InstrumentId(instrument)].underlying]

    def index_price(self, underlying: int) -> int:
        """Return the index price in force. [USD e-8]"""
        return self.market.medians[underlying]

    def is_open(self, instrument: int, time_ns: int) -> bool:
        """Tell whether an instrument is listed, unexpired and unsettled."""
        listed = self.instruments.get(InstrumentId(instrument))
        if listed is None or listed.id in self.market.settled:
            return False
        return listed.expiry_ns == 0 or time_ns < listed.expiry_ns

    def is_nonce_used(self, account: int, nonce: int) -> bool:
        """Tell whether a signed intent with this nonce was consumed."""
        word = self.nonces.get(account, {}).get(nonce >> NONCE_WORD_BITS, 0)
        return bool(word >> (nonce & 255) & 1)

    def use_nonce(self, account: int, nonce: int) -> None:
        """Mark a nonce as used."""
        words = self.nonces.setdefault(account, {})
        key = nonce >> NONCE_WORD_BITS
        words[key] = words.get(key, 0) | 1 << (nonce & 255)

    def key_expiry_s(self, owner: bytes, key: bytes) -> int:
        """Return when a trading key of an owner ends [s since 1970], 0 when there is none."""
        return self.keys.get(owner, {}).get(key, 0)

    def grant_key(self, owner: bytes, key: bytes, expires_s: int, time_ns: int) -> None:
        """Let a key sign for an owner; the owner's expired ones are forgotten."""
        held = {**self.keys.pop(owner, {}), key: expires_s}
        live = {k: until for k, until in held.items() if time_ns < until * SECOND_NS}
        if live:
            self.keys[owner] = live

    def revoke_keys(self, owner: bytes, key: bytes | None) -> None:
        """Take a key from an owner, or, with None, all of them."""
        held = self.keys.get(owner, {})
        if key is None:
            held.clear()
        else:
            held.pop(key, None)
        if not held:
            self.keys.pop(owner, None)

    def order(self, order_id: int) -> Order | None:
        """Return a resting order."""
        return self._orders.get(order_id)

    def orders_of(self, account: int) -> list[Order]:
        """Return the resting orders of an account, oldest first."""
        return list(self._orders_of.get(account, {}).values())

    def order_count(self, account: int) -> int:
        """Return how many orders of an account rest."""
        return len(self._orders_of.get(account, {}))

    def rest(self, order: Order) -> None:
        """Put an order into its book."""
        self.books[order.instrument].side_of(order.lots).add(order)
        self._orders[order.order_id] = order
        self._orders_of.setdefault(order.account, {})[order.order_id] = order

    def close(self, order_id: int) -> None:
        """Take an order out of its book."""
        order = self._orders.pop(order_id)
        self.books[order.instrument].side_of(order.lots).remove(order)
        owned = self._orders_of[AccountId(order.account)]
        del owned[order_id]
        if not owned:
            del self._orders_of[order.account]
