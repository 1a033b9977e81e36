"""Between the machine and the batched core: a state becomes tables, an event array events.

The core has no expiry, nonces or signatures; what carries them is the front end: it gives
`machine_outcomes` the time at which each order expires, and cancels what has expired. Nor does it
know tiered margin, the expected shortfall or what a circuit breaker halts: a state that needs them
is refused, and stays with the machine.
"""

from collections.abc import Mapping

from offchain.core.margin import Mode
from offchain.core.parameters import RiskParameters
from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, TimestampNs, UsdE6
from offchain.engine.breakers import highest_level
from offchain.engine.credit import credit_of
from offchain.engine.events import Closing, Event, Filled, OrderClosed, OrderRested
from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import (
    COMMAND_ACCOUNT,
    REDUCE_ONLY,
    TIF_MASK,
    WINDOW,
    Action,
    HotReason,
    HotRules,
    Int64Array,
    Limits,
    Outcome,
)
from offchain.engine.messages import PlaceOrder
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.requirements import peg_of
from offchain.engine.state import State
from offchain.engine.tables import rule_tables

Refusal = Rejected | HotReason
CommandWords = tuple[int, int, int, int, int, int, int, int]


class UnknownToMachineError(ValueError):
    """The machine has no event for this: an order that shrank in its place."""


class OtherModelError(ValueError):
    """A state asks for what the core does not know: tiers, expected shortfall, a breaker."""


def hot_rules(rules: RiskParameters) -> HotRules:
    """Return what the core needs of a parameter set.

    Raises
    ------
    OtherModelError
        If the set has a shortfall model.
    """
    if rules.shortfall:
        raise OtherModelError("expected shortfall")
    tables = rule_tables(rules)
    return HotRules(rules.taker_fee_e6, tables.mm_factor_e6, tables.curves, tables.terms)


def load_state(state: State, limits: Limits) -> HotExchange:
    """Return the core that a priced state describes.

    Parameters
    ----------
    state : State
        With prices in force; positions, cash, credit of collateral and resting orders are copied.
    limits : Limits
        Sizes; every listed instrument gets a book, its window centred on the mark.

    Raises
    ------
    HotLimitError
        If something does not fit: too many accounts, or an order outside the window.
    OtherModelError
        If an account is not a portfolio account, the set has a shortfall model, or a circuit
        breaker is not open.
    """
    rules, accounts, prices = state.rules, state.accounts, state.market.prices
    if not (accounts.mode[: accounts.count] == Mode.PORTFOLIO).all():
        raise OtherModelError("an account that is not in portfolio mode")
    exchange = HotExchange(limits, hot_rules(rules))
    for listed in rules.listing.instruments:
        of = rules.listing.underlyings[listed.underlying]
        mark = int(prices.marks_e8[listed.id]) // of.tick_e8
        base = max(0, mark - WINDOW // 2)
        exchange.list_instrument(listed.id, of.tick_e8, of.lot_divisor, base)
    numbers: dict[bytes, int] = {}
    owners = [numbers.setdefault(owner, len(numbers)) for owner in accounts.owner]
    exchange.open_accounts(owners)
    resting = []
    for account in range(accounts.count):
        exchange.add_cash(account, int(accounts.cash[account]))
        for instrument, lots, cost in accounts.positions(account):
            exchange.set_position(account, instrument, lots, cost)
        resting += state.orders_of(account)
    for order in sorted(resting, key=lambda order: order.order_id):  # as they arrived
        exchange.restore_order(
            order.order_id,
            order.account,
            order.instrument,
            order.price_e8,
            order.lots,
            is_reducing=order.reduce_only,
        )
    adopt_market(exchange, state)
    return exchange


def adopt_market(exchange: HotExchange, state: State) -> None:
    """Give the core the machine's market: prices, funding, charges, peg and credit of collateral.

    Parameters
    ----------
    exchange : HotExchange
        With the accounts of the state.
    state : State
        With prices in force.

    Raises
    ------
    OtherModelError
        If a circuit breaker is not open.
    """
    market = state.market
    if highest_level(state, state.time_ns):
        raise OtherModelError("a circuit breaker that is not open")
    for account in range(state.accounts.count):
        amounts = state.accounts.collateral[account].tolist()
        exchange.set_credit(account, credit_of(market, account, amounts))
    exchange.reprice(
        market.prices.losses_e6,
        market.prices.lot_values_e6,
        market.funding_e6,
        market.charges_in_force,
        peg_of(state),
    )


def place_words(command: PlaceOrder, order_id: int) -> CommandWords:
    """Return the words of a new order; the machine's id is the number of its record."""
    flags = int(command.time_in_force) & TIF_MASK
    return (
        Action.PLACE,
        order_id,
        command.account,
        command.instrument,
        command.limit_price_e8,
        command.lots,
        flags | (REDUCE_ONLY if command.reduce_only else 0),
        0,
    )


def machine_outcomes(
    commands: Int64Array, events: Int64Array, expiries_ns: Mapping[int, int]
) -> dict[int, list[Event] | Refusal]:
    """Return what a batch did in the machine's words: command to its events or its refusal.

    Parameters
    ----------
    commands, events : int64[n, 8]
        What `HotExchange.submit` was given and what it returned.
    expiries_ns : mapping
        When each order that rests expires.

    Raises
    ------
    UnknownToMachineError
        For an order that shrank in its place.
    """
    outcomes: dict[int, list[Event] | Refusal] = {}
    for words in events.tolist():
        command = words[1]
        if words[0] == Outcome.REFUSED:
            outcomes[command] = _refusal(words[5], words[6], words[7])
            continue
        found = outcomes.setdefault(command, [])
        assert isinstance(found, list), "a refused command has no other events"
        taker = int(commands[command, COMMAND_ACCOUNT])
        found.append(_event(words, taker, expiries_ns))
    return outcomes


def _refusal(code: int, balance: int, required: int) -> Refusal:
    if code >= HotReason.BAD_COMMAND:
        return HotReason(code)
    if code == Reason.INSUFFICIENT_MARGIN:
        figures = (("margin_balance_e6", balance), ("initial_margin_e6", required))
        return Rejected(Reason.INSUFFICIENT_MARGIN, figures)
    return Rejected(Reason(code))


def _event(words: list[int], taker: int, expiries_ns: Mapping[int, int]) -> Event:
    kind, _, order_id, account, number, a, b, c = words
    owner, instrument = AccountId(account), InstrumentId(number)
    if kind == Outcome.FILLED:
        return Filled(
            instrument=instrument,
            price_e8=PriceE8(a),
            lots=Lots(b),
            taker=AccountId(taker),
            maker=owner,
            maker_order_id=order_id,
            fee_e6=UsdE6(c),
        )
    if kind == Outcome.RESTED:
        expiry = TimestampNs(expiries_ns[order_id])
        return OrderRested(order_id, owner, instrument, Lots(b), PriceE8(a), bool(c), expiry)
    if kind == Outcome.AMENDED:  # it comes in again: fills and the rest follow
        return OrderClosed(order_id, owner, instrument, Closing.CANCELLED)
    if kind == Outcome.CLOSED:
        return OrderClosed(order_id, owner, instrument, Closing(a))
    raise UnknownToMachineError(order_id)
