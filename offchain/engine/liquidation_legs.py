"""What a liquidation step closes, and at which worst price."""

from collections.abc import Sequence
from dataclasses import replace

from offchain.core.bankruptcy import MarkedLeg, limit_prices, room_e6
from offchain.core.liquidation import limit_price
from offchain.core.margin import fee_e6
from offchain.core.sizing import Account, Closings, smallest_step
from offchain.core.units import AccountId, InstrumentId, Lots, UsdE6
from offchain.engine.events import Leg, Tier
from offchain.engine.overlay import Overlay
from offchain.engine.risk import account_margin
from offchain.engine.state import State


def legs_of(state: State, account: AccountId, tier: Tier) -> tuple[Leg, ...]:
    """Return a full step's legs, or those of the smallest step that restores the target.

    Their limit prices leave the account no worse than it was: a partial step's ratio does not fall,
    and a full one's account that owed nothing owes nothing, whatever the book pays. What is below
    zero already is sold within the band: the insurance fund pays.
    """
    positions = [(i, lots) for i, lots, _ in state.accounts.positions(account)]
    if tier is Tier.FULL:
        changes: tuple[tuple[int, Lots], ...] = tuple((i, Lots(-lots)) for i, lots in positions)
    else:
        sized = Account(
            positions,
            lambda closed: margin_after(state, account, positions, closed),
            lambda instrument, lots: liquidation_fee_e6(state, instrument, lots),
        )
        changes = smallest_step(sized, state.rules.liquidation)
    legs = tuple(leg_of(state, i, lots) for i, lots in changes)
    closed = {i: abs(lots) for i, lots in changes}
    balance, before = margin_after(state, account, positions, {})
    if balance < 0 or not legs:
        return legs
    room = balance
    if tier is Tier.PARTIAL:
        room = room_e6(balance, before, margin_after(state, account, positions, closed)[1])
    bands = [leg.limit_price_e8 for leg in legs]
    limits = limit_prices([_marked(state, leg) for leg in legs], room, bands)
    return tuple(
        replace(leg, limit_price_e8=price) for leg, price in zip(legs, limits, strict=True)
    )


def _marked(state: State, leg: Leg) -> MarkedLeg:
    underlying = state.underlying(leg.instrument)
    mark = int(state.market.prices.marks_e8[leg.instrument])
    return MarkedLeg(int(leg.lots), mark, underlying.lot_divisor, underlying.tick_e8)


def leg_of(state: State, instrument: int, lots: Lots) -> Leg:
    """Return the leg that changes a position by lots, at the edge of the liquidation band."""
    underlying = state.underlying(instrument)
    price = limit_price(
        int(state.market.prices.marks_e8[instrument]),
        state.index_price(underlying.index),
        underlying.tick_e8,
        buys=lots > 0,
        parameters=state.rules.liquidation,
    )
    return Leg(InstrumentId(instrument), lots, price)


def cost_at_mark(state: State, instrument: int, lots: int) -> int:
    """Return what lots cost at the mark, net of funding. [USD e-6]"""
    return lots * (
        int(state.market.prices.lot_values_e6[instrument])
        - int(state.market.funding_e6[instrument])
    )


def liquidation_fee_e6(state: State, instrument: int, lots: int) -> UsdE6:
    """Return the liquidation fee on lots at the mark, rounded up. [USD e-6]"""
    divisor = state.underlying(instrument).lot_divisor
    mark = int(state.market.prices.marks_e8[instrument])
    return fee_e6(lots, mark, divisor, state.rules.liquidation.fee_e6)


def margin_after(
    state: State, account: AccountId, positions: Sequence[tuple[int, int]], closed: Closings
) -> tuple[int, int]:
    """Return (margin balance, MM) after closing lots at their marks, without orders. [USD e-6]"""
    overlay = Overlay()
    for instrument, held in positions:
        lots = closed.get(instrument, 0)
        if lots:
            change = -lots if held > 0 else lots
            overlay.trade(account, instrument, change, cost_at_mark(state, instrument, change))
    after = account_margin(state, account, overlay, orders=())
    return after.margin_balance_e6, after.maintenance_e6
