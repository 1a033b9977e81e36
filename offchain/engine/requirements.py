"""MM and IM of an account from its lines, in every mode (RISK_MODEL, sections 6, 7 and 9)."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.core.addons import NO_ADDONS, TERMS, AccountLine, Addons
from offchain.core.linear_margin import instrument_margin
from offchain.core.margin import (
    AccountMargin,
    Mode,
    initial_margin,
    initial_with_shortfall,
    maintenance_margin,
    peg_e6,
)
from offchain.core.portfolio import (
    FIGURES,
    IS_CORRELATED,
    SCAN,
    SCAN_WITH_ORDERS,
    WORST,
    OrderLine,
    portfolio_margin,
)
from offchain.core.shortfall import shortfall_of_losses
from offchain.core.units import MAX_UNDERLYINGS, SLOT_BITS, RatioE6, UsdE6
from offchain.engine.state import State

Int64Array = NDArray[np.int64]
Worth = tuple[UsdE6, UsdE6]
"""(equity, margin balance). [USD e-6]"""
NOTHING = UsdE6(0)


def without_positions(mode: Mode, worth: Worth) -> AccountMargin:
    """Return the margin of an account that holds and orders nothing: nothing is required."""
    return AccountMargin(
        mode=mode,
        equity_e6=worth[0],
        margin_balance_e6=worth[1],
        scan_e6=NOTHING,
        scan_with_orders_e6=NOTHING,
        addons=NO_ADDONS,
        lines=(),
        slippage_e6=NOTHING,
        peg_e6=RatioE6(0),
        shortfall_e6=None,
        maintenance_e6=NOTHING,
        initial_e6=NOTHING,
        worst=(0,) * MAX_UNDERLYINGS,
        is_correlated=False,
    )


def peg_of(state: State) -> RatioE6:
    """Return how much IM grows while the cash asset is off its peg. [e-6]"""
    place = state.tables.stable_place
    return RatioE6(0) if place is None else peg_e6(state.market.medians[place], state.rules.peg)


def portfolio_requirement(
    state: State, worth: Worth, lines: Sequence[AccountLine], orders: Sequence[OrderLine]
) -> AccountMargin:
    """Return the margin of a portfolio account by scenarios and add-ons."""
    market, tables = state.market, state.tables
    figures = np.empty(FIGURES, np.int64)
    portfolio_margin(
        np.array(lines, np.int64),
        np.array(orders, np.int64).reshape(len(orders), 3),
        market.prices.losses_e6,
        market.charges_in_force,
        tables.curves,
        tables.terms,
        figures,
    )
    found = [UsdE6(figure) for figure in figures.tolist()]
    addons = Addons(*found[:TERMS])
    peg, scan = peg_of(state), found[SCAN]
    due = maintenance_margin(
        scan, addons.maintenance_e6, state.rules.mm_factor_e6, addons.unwind_e6
    )
    base = max(found[SCAN_WITH_ORDERS] + addons.initial_e6, addons.im_unwind_e6)
    initial = initial_margin(base, peg, due)
    shortfall = _shortfall(state, lines, orders)
    if shortfall is not None and tables.shortfall is not None:
        initial = initial_with_shortfall(initial, shortfall, tables.shortfall.weight_e6, due)
    return AccountMargin(
        mode=Mode.PORTFOLIO,
        equity_e6=worth[0],
        margin_balance_e6=worth[1],
        scan_e6=UsdE6(scan),
        scan_with_orders_e6=UsdE6(found[SCAN_WITH_ORDERS]),
        addons=addons,
        lines=(),
        slippage_e6=NOTHING,
        peg_e6=peg,
        shortfall_e6=shortfall,
        maintenance_e6=due,
        initial_e6=initial,
        worst=tuple(found[WORST:FIGURES]),
        is_correlated=bool(found[IS_CORRELATED]),
    )


def _shortfall(
    state: State, lines: Sequence[AccountLine], orders: Sequence[OrderLine]
) -> UsdE6 | None:
    """Return the expected shortfall, where the second model is in force; None otherwise.

    Orders add their worst to each historical move, as they do to each scenario: a sum is below
    2**63, as in `scan`. That is more than positions alone have, and the kernel has room for it: a
    model has a multiple of 32 moves, so ``p`` of its tail is at most 10**6 / 32 < 2**15.
    """
    tail, history = state.tables.tail, state.market.history
    if tail is None or history is None:
        return None
    rows = np.array(lines, np.int64)
    losses = (history[rows[:, 0]] * rows[:, 1:2]).sum(axis=0)
    for i, lots, slip in orders:
        losses += np.maximum(0, lots * (history[i].astype(np.int64) + slip))
    room = np.empty(4 * tail.scenarios + 1, np.int64)
    return UsdE6(int(shortfall_of_losses(losses, tail.scenarios, tail.p, tail.q, room)))


def linear_requirement(
    state: State,
    mode: Mode,
    worth: Worth,
    lines: Sequence[AccountLine],
    orders: Sequence[OrderLine],
    interest: Mapping[int, int],
) -> AccountMargin:
    """Return the margin of an isolated or cross account by tiers; nothing nets.

    `interest` is added to the open interest of the state, in lots.
    """
    deltas = state.market.prices.deltas_e6
    held, classes = state.accounts.open_interest, state.tables.classes
    parts = tuple(
        instrument_margin(
            line,
            abs(int(deltas[line[0]])),
            int(held[line[0]]) + interest.get(line[0], 0),
            classes[line[0] >> SLOT_BITS],
        )
        for line in lines
    )
    slippage = sum(max(0, lots * slip) for _, lots, slip in orders)
    due = UsdE6(sum(part.maintenance_e6 for part in parts))
    peg = peg_of(state)
    base = sum(part.initial_e6 for part in parts) + slippage
    return AccountMargin(
        mode=mode,
        equity_e6=worth[0],
        margin_balance_e6=worth[1],
        scan_e6=NOTHING,
        scan_with_orders_e6=NOTHING,
        addons=NO_ADDONS,
        lines=parts,
        slippage_e6=UsdE6(slippage),
        peg_e6=peg,
        shortfall_e6=None,
        maintenance_e6=due,
        initial_e6=initial_margin(base, peg, due),
        worst=(0,) * MAX_UNDERLYINGS,
        is_correlated=False,
    )
