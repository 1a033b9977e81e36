"""What a liquidation step closes, and at which worst price."""

from collections.abc import Sequence

from offchain.core.liquidation import limit_price, share_legs, smallest_share
from offchain.core.margin import is_below
from offchain.core.units import AccountId, InstrumentId, Lots
from offchain.engine.events import Leg, Tier
from offchain.engine.overlay import Overlay
from offchain.engine.risk import account_margin
from offchain.engine.state import State


def legs_of(state: State, account: AccountId, tier: Tier) -> tuple[Leg, ...]:
    """Return a full step's legs, or those of the smallest share that restores the target."""
    positions = [(i, lots) for i, lots, _ in state.accounts.positions(account)]
    if tier is Tier.FULL:
        changes: tuple[tuple[int, Lots], ...] = tuple((i, Lots(-lots)) for i, lots in positions)
    else:
        terms = state.rules.liquidation
        share = smallest_share(lambda k: _restores(state, account, positions, k), terms)
        changes = share_legs(positions, share)
    return tuple(leg_of(state, i, lots) for i, lots in changes)


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


def _restores(
    state: State, account: AccountId, positions: Sequence[tuple[int, int]], share: int
) -> bool:
    """Tell whether closing a share of everything at the mark restores the target ratio."""
    overlay = Overlay()
    for instrument, lots in share_legs(positions, share):
        overlay.trade(account, instrument, lots, cost_at_mark(state, instrument, lots))
    after = account_margin(state, account, overlay, orders=())
    target = state.rules.liquidation.target_e6
    return not is_below(after.margin_balance_e6, after.maintenance_e6, target)


def cost_at_mark(state: State, instrument: int, lots: int) -> int:
    """Return what lots cost at the mark, net of funding. [USD e-6]"""
    return lots * (
        int(state.market.prices.lot_values_e6[instrument])
        - int(state.market.funding_e6[instrument])
    )
