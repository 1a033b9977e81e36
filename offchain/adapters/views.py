"""What the API shows of the engine: plain values in the units of the engine.

Every function reads the state and must be called with the sequencer's lock held. Integers become
decimal strings later, in one place (`json_text`).
"""

from collections.abc import Sequence

import numpy as np

from offchain.adapters.margin_views import View, breakdown_view, margin_view, scan_sums_of
from offchain.adapters.market_views import pricing_view
from offchain.core.instruments import Instrument
from offchain.core.margin import Mode, margin_ratio
from offchain.core.units import ONE_E6
from offchain.engine.accounts import INSURANCE
from offchain.engine.book import Order
from offchain.engine.risk import account_margin, margin_of
from offchain.engine.state import State
from offchain.engine.sweeps import maintenance_margins
from offchain.ledger.journal import AccountProof

MAX_WATCHED = 2_000
"""Accounts in one margin watch, the worst first."""


def instrument_view(instrument: Instrument) -> View:
    """Return what is fixed about an instrument."""
    return {
        "instrument": instrument.id,
        "symbol": instrument.symbol,
        "kind": instrument.kind.name.lower(),
        "underlying": instrument.underlying,
        "expiry_ns": instrument.expiry_ns,
        "strike_e8": instrument.strike_e8,
    }


def ticker_view(state: State, instrument: Instrument) -> View:
    """Return prices, Greeks, charges and risk array; nulls before the first report."""
    market, book = state.market, state.books[instrument.id]
    view: View = {
        **instrument_view(instrument),
        "best_bid_e8": book.best_bid(),
        "best_ask_e8": book.best_ask(),
        "round": market.round,
        "observed_at_ns": market.observed_at_ns,
        "index_price_e8": None,
        "mark_price_e8": None,
        "lot_value_e6": None,
        "funding_e6": int(market.funding_e6[instrument.id]),
        "open_interest_lots": int(state.accounts.open_interest[instrument.id]),
        "risk_array_e6": None,
        "pricing": None,
    }
    if market.arrays is not None:
        view["index_price_e8"] = state.index_price(instrument.underlying)
        view["mark_price_e8"] = int(market.arrays.marks_e8[instrument.id])
        view["lot_value_e6"] = int(market.arrays.lot_values_e6[instrument.id])
        view["risk_array_e6"] = market.arrays.losses_e6[instrument.id].tolist()
        view["pricing"] = pricing_view(state, instrument)
    return view


def account_view(state: State, account: int) -> View:
    """Return everything about an account: money, margin, positions and resting orders."""
    accounts = state.accounts
    view = risk_view(state, account)
    return {
        **view,
        "owner": accounts.owner[account],
        "subaccount": accounts.subaccount[account],
        "mode": Mode(int(accounts.mode[account])).name.lower(),
        "cash_e6": int(accounts.cash[account]),
        "collateral_e8": [int(amount) for amount in accounts.collateral[account]],
        "orders": [order_view(order) for order in state.orders_of(account)],
    }


def risk_view(state: State, account: int) -> View:
    """Return the margin of an account and its positions at the mark."""
    levels = state.rules.liquidation.call_levels_e6
    has_margin = state.market.arrays is not None
    margin = margin_view(account_margin(state, account), levels) if has_margin else None
    return {
        "account": account,
        "seq": state.last_seq,
        "round": state.market.round,
        "margin": margin,
        "positions": [
            _position_view(state, instrument, lots, cost)
            for instrument, lots, cost in state.accounts.positions(account)
        ],
    }


def _position_view(state: State, instrument: int, lots: int, cost_e6: int) -> View:
    market = state.market
    value = lots * (
        int(market.prices.lot_values_e6[instrument]) - int(market.funding_e6[instrument])
    )
    return {
        "instrument": instrument,
        "lots": lots,
        "cost_e6": cost_e6,
        "mark_price_e8": int(market.prices.marks_e8[instrument]),
        "profit_e6": value - cost_e6,
    }


def order_view(order: Order) -> View:
    """Return a resting order."""
    return {
        "order_id": order.order_id,
        "account": order.account,
        "instrument": order.instrument,
        "lots_left": order.lots,
        "limit_price_e8": order.price_e8,
        "reduce_only": order.reduce_only,
        "expires_at_ns": order.expires_at_ns,
    }


def what_if_view(
    state: State,
    mode: Mode,
    cash_e6: int,
    collateral_e8: Sequence[int],
    positions: Sequence[tuple[int, int, int | None]],
) -> View:
    """Return the margin of a portfolio that need not exist, with all 36 sums an underlying.

    Parameters
    ----------
    positions : sequence of (instrument, lots, cost)
        Each instrument once; cost None is the present value. [lots, USD e-6]
    """
    net = state.market.net_lot_values()
    held = [(i, n, n * int(net[i]) if cost is None else cost) for i, n, cost in positions]
    sums = scan_sums_of(state, held)
    margin = margin_of(state, mode, held, cash_e6, collateral_e8)
    return {
        "seq": state.last_seq,
        "round": state.market.round,
        **breakdown_view(state, margin, INSURANCE, cash_e6, collateral_e8, held),
        "underlyings": [
            {
                "symbol": u.symbol,
                "scenario_losses_e6": sums[u.index],
                "worst_scenario": margin.worst[u.index],
                "worst_loss_e6": max(0, *sums[u.index]),
            }
            for u in state.rules.listing.underlyings
        ],
    }


def watch_view(state: State) -> View:
    """Return balance, requirement and ratio of every account that has a requirement or a debt."""
    if state.market.arrays is None:
        return {"seq": state.last_seq, "round": 0, "accounts": [], "left_out": 0}
    balance, maintenance = maintenance_margins(state)
    found = []
    for account in np.flatnonzero((maintenance > 0) | (balance < 0)).tolist():
        due = int(maintenance[account])
        rank = int(balance[account]) * ONE_E6 // max(1, due)
        found.append((rank, account, int(balance[account]), due))
    found.sort()
    return {
        "seq": state.last_seq,
        "round": state.market.round,
        "accounts": [
            {
                "account": account,
                "margin_balance_e6": of,
                "maintenance_margin_e6": due,
                "margin_ratio_e6": margin_ratio(of, due),
                "mode": Mode(int(state.accounts.mode[account])).name.lower(),
                "call_level": int(state.accounts.level[account]),
            }
            for _, account, of, due in found[:MAX_WATCHED]
        ],
        "left_out": max(0, len(found) - MAX_WATCHED),
    }


def proof_view(proof: AccountProof, seq: int) -> View:
    """Return an account's leaf and siblings under the account root after record `seq`."""
    leaf = proof.leaf
    return {
        "account": proof.account,
        "seq": seq,
        "account_root": proof.account_root,
        "siblings": list(proof.siblings),
        "leaf": {
            "owner": leaf.owner,
            "subaccount": leaf.subaccount,
            "mode": leaf.mode,
            "cash_e6": leaf.cash_e6,
            "collateral_e8": list(leaf.collateral_e8),
            "positions": [
                {"instrument": p.instrument, "lots": p.lots, "cost_e6": p.cost_e6}
                for p in leaf.positions
            ],
        },
    }
