"""What the API shows of the engine: plain values in the units of the engine.

Every function reads the state and must be called with the sequencer's lock held. Integers become
decimal strings later, in one place (`json_text`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from offchain.core.collateral import collateral_value
from offchain.core.instruments import Instrument
from offchain.core.margin import AccountMargin, call_level, maintenance_margin, margin_ratio
from offchain.core.scan import scan_risk, scan_sums
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, SCENARIOS
from offchain.engine.book import Order
from offchain.engine.risk import account_margin, haircut_prices, sweep_margins
from offchain.engine.state import State
from offchain.ledger.journal import AccountProof

View = dict[str, Any]
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
    """Return prices and the risk array of an instrument; nulls before the first report."""
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
        "risk_array_e6": None,
    }
    if market.arrays is not None:
        view["index_price_e8"] = state.index_price(instrument.underlying)
        view["mark_price_e8"] = int(market.arrays.marks_e8[instrument.id])
        view["lot_value_e6"] = int(market.arrays.lot_values_e6[instrument.id])
        view["risk_array_e6"] = market.arrays.losses_e6[instrument.id].tolist()
    return view


def margin_view(margin: AccountMargin, levels_e6: Sequence[int]) -> View:
    """Return an account's margin with its ratio and call level."""
    balance, due = margin.margin_balance_e6, margin.maintenance_e6
    return {
        "equity_e6": margin.equity_e6,
        "margin_balance_e6": balance,
        "initial_margin_e6": margin.initial_e6,
        "maintenance_margin_e6": due,
        "scan_risk_e6": margin.scan_e6,
        "margin_ratio_e6": margin.ratio_e6,
        "call_level": call_level(balance, due, levels_e6),
        "worst_scenario": list(margin.worst),
    }


def account_view(state: State, account: int) -> View:
    """Return everything about an account: money, margin, positions and resting orders."""
    accounts = state.accounts
    view = risk_view(state, account)
    return {
        **view,
        "owner": accounts.owner[account],
        "subaccount": accounts.subaccount[account],
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
    market, arrays, rules = state.market, state.market.prices, state.rules
    net = market.net_lot_values()
    ids = np.array([p[0] for p in positions], np.int32)
    lots = np.array([p[1] for p in positions], np.int32)
    sums = np.zeros((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    scan_sums(ids, lots, arrays.losses_e6, sums)
    scan, worst = scan_risk(sums)
    profit = sum(0 if cost is None else n * int(net[i]) - cost for i, n, cost in positions)
    credit = sum(
        collateral_value(amount, price)
        for amount, price in zip(collateral_e8, haircut_prices(state, market), strict=True)
    )
    balance = cash_e6 + profit + credit
    due = maintenance_margin(int(scan), 0, rules.mm_factor_e6)
    return {
        "seq": state.last_seq,
        "round": market.round,
        "margin_balance_e6": balance,
        "profit_e6": profit,
        "initial_margin_e6": int(scan),
        "maintenance_margin_e6": due,
        "margin_ratio_e6": margin_ratio(balance, due),
        "call_level": call_level(balance, due, rules.liquidation.call_levels_e6),
        "underlyings": [
            {
                "symbol": u.symbol,
                "scenario_losses_e6": sums[u.index].tolist(),
                "worst_scenario": int(worst[u.index]),
                "worst_loss_e6": max(0, int(sums[u.index].max())),
            }
            for u in rules.listing.underlyings
        ],
    }


def watch_view(state: State) -> View:
    """Return balance, requirement and ratio of every account that has a requirement or a debt."""
    if state.market.arrays is None:
        return {"seq": state.last_seq, "round": 0, "accounts": [], "left_out": 0}
    balance, scan = sweep_margins(state, state.market, state.market.prices, state.market.funding_e6)
    factor = state.rules.mm_factor_e6
    found = []
    for account in np.flatnonzero((scan > 0) | (balance < 0)).tolist():
        due = maintenance_margin(int(scan[account]), 0, factor)
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
