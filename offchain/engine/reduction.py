"""Closing positions without a counterparty's consent: on the book first, the rest to the backstop.

Liquidations and forced closes share it. Nothing here changes the state: trades are noted in an
overlay, and what happened is kept as events.
"""

from dataclasses import dataclass, field

from offchain.core.units import MAX_POSITIONS, AccountId, Lots, PriceE8, RatioE6
from offchain.engine.accounts import BACKSTOP, LOTS_LIMIT
from offchain.engine.events import Event, Leg, PositionTransferred
from offchain.engine.liquidation_legs import cost_at_mark
from offchain.engine.matching import MATCH_LIMIT, Incoming, match
from offchain.engine.overlay import Overlay
from offchain.engine.risk import account_margin
from offchain.engine.state import State


@dataclass(slots=True)
class Reduction:
    """The closing of positions of one account, in the making.

    Attributes
    ----------
    room : int
        Resting orders that it may still touch, over all legs.
    """

    state: State
    account: AccountId
    time_ns: int
    overlay: Overlay = field(default_factory=Overlay)
    events: list[Event] = field(default_factory=list)
    room: int = MATCH_LIMIT


def sell_on_book(step: Reduction, leg: Leg, fee_rate_e6: RatioE6) -> int:
    """Match a leg as an immediate order; return the lots left.

    Orders left in the book of an expired instrument were meant for a price that no longer moves:
    nothing trades there any more.
    """
    if not step.state.is_open(leg.instrument, step.time_ns):
        return leg.lots
    order = Incoming(step.account, leg.instrument, leg.lots, leg.limit_price_e8, fee_rate_e6)
    found = match(step.state, order, step.time_ns, step.overlay, step.room)
    step.room -= found.touched
    step.events.extend(found.events)
    return found.left


def hand_to_backstop(step: Reduction, left: list[tuple[Leg, int]]) -> list[tuple[Leg, int]]:
    """Transfer the rest at the mark when the backstop can carry all of it; return what stays."""
    state = step.state
    if not left or not _backstop_can_carry(step, left):
        return left
    for leg, lots in left:
        cost = cost_at_mark(state, leg.instrument, lots)
        step.overlay.trade(step.account, leg.instrument, lots, cost)
        step.overlay.trade(BACKSTOP, leg.instrument, -lots, -cost)
        mark = PriceE8(int(state.market.prices.marks_e8[leg.instrument]))
        step.events.append(
            PositionTransferred(leg.instrument, mark, Lots(-lots), step.account, BACKSTOP)
        )
    return []


def _backstop_can_carry(step: Reduction, left: list[tuple[Leg, int]]) -> bool:
    state, trial = step.state, step.overlay.copy()
    for leg, lots in left:
        cost = cost_at_mark(state, leg.instrument, lots)
        trial.trade(BACKSTOP, leg.instrument, -lots, -cost)
    held, orders = trial.trades.get(BACKSTOP, {}), trial.orders(state, BACKSTOP)
    slots = {i for i, _, _ in state.accounts.positions(BACKSTOP)} | set(held)
    fits = len(slots) <= MAX_POSITIONS and all(
        abs(trial.lots(state, BACKSTOP, i)) < LOTS_LIMIT for i in held
    )
    if not fits:
        return False
    margin = account_margin(state, BACKSTOP, trial, orders)
    return margin.margin_balance_e6 >= margin.initial_e6
