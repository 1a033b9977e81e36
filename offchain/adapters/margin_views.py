"""The margin of an account line by line, so that every total can be added up by its reader.

Rules are in docs/RISK_MODEL.md, sections 4 to 9; nothing is computed here but sums that the model
has anyway. Call with the sequencer's lock held, or on a state that nobody changes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from offchain.core.collateral import collateral_credit, collateral_value
from offchain.core.margin import AccountMargin, Mode, call_level
from offchain.core.scan import scan_sums
from offchain.core.scenarios import Scenario, VolatilityShock, scenario_grid
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, SCENARIOS, SLOT_BITS
from offchain.engine.credit import credit_curves_of
from offchain.engine.risk import open_profit
from offchain.engine.state import State

View = dict[str, Any]
Holding = tuple[int, int, int]
"""(instrument, lots, cost). [lots, USD e-6]"""
_VOLATILITY = {
    VolatilityShock.DOWN: "volatility down",
    VolatilityShock.SAME: "volatility the same",
    VolatilityShock.UP: "volatility up",
    VolatilityShock.FIRST_SKEW: "smile tilted",
    VolatilityShock.SECOND_SKEW: "wings raised",
}


def margin_view(margin: AccountMargin, levels_e6: Sequence[int]) -> View:
    """Return an account's margin in short, with its ratio and call level."""
    balance, due = margin.margin_balance_e6, margin.maintenance_e6
    return {
        "mode": margin.mode.name.lower(),
        "equity_e6": margin.equity_e6,
        "margin_balance_e6": balance,
        "initial_margin_e6": margin.initial_e6,
        "maintenance_margin_e6": due,
        "scan_risk_e6": margin.scan_e6,
        "addons_e6": margin.addons_e6,
        "margin_ratio_e6": margin.ratio_e6,
        "call_level": call_level(balance, due, levels_e6),
        "worst_scenario": list(margin.worst),
    }


def breakdown_view(
    state: State,
    margin: AccountMargin,
    account: int,
    cash_e6: int,
    collateral_e8: Sequence[int],
    positions: Sequence[Holding],
) -> View:
    """Return a margin with everything that it is made of.

    Parameters
    ----------
    margin : AccountMargin
        Of exactly these holdings.
    account : int
        Whose credit curves apply.
    cash_e6, collateral_e8, positions
        What the margin was computed from. [USD e-6, token e-8, lots and USD e-6]
    """
    is_portfolio = margin.mode is Mode.PORTFOLIO
    return {
        **margin_view(margin, state.rules.liquidation.call_levels_e6),
        "free_e6": margin.margin_balance_e6 - margin.initial_e6,
        "cash_e6": cash_e6,
        "profit_e6": open_profit(state, positions),
        "collateral": collateral_view(state, account, collateral_e8),
        "scan": scan_view(state, margin, positions) if is_portfolio else None,
        "maintenance": _maintenance(state, margin) if is_portfolio else None,
        "initial": _initial(margin) if is_portfolio else None,
        "linear": None if is_portfolio else _linear(state, margin),
        "peg_e6": margin.peg_e6,
        "shortfall_e6": margin.shortfall_e6,
    }


def collateral_view(state: State, account: int, amounts_e8: Sequence[int]) -> list[View]:
    """Return what each asset held is worth, and counts for, by bracket."""
    market = state.market
    curves = credit_curves_of(market, account)
    found = []
    for place, amount in enumerate(amounts_e8[: len(curves)]):
        if not amount:
            continue
        terms, curve = state.rules.collateral[place], curves[place]
        price = market.medians[terms.underlying]
        found.append(
            {
                "asset": place + 1,
                "symbol": terms.symbol,
                "amount_e8": int(amount),
                "index_price_e8": price,
                "haircut_e6": market.haircuts[place].haircut_e6,
                "value_e6": collateral_value(int(amount), price),
                "credit_e6": collateral_credit(int(amount), curve),
                "brackets": _brackets(int(amount), curve),
            }
        )
    return found


def _brackets(amount_e8: int, curve: Sequence[tuple[int, int]]) -> list[View]:
    rows, below = [], 0
    for upto, price in curve:
        inside = max(0, min(amount_e8, upto) - below)
        rows.append({"upto_e8": upto, "credit_price_e8": price, "amount_e8": inside})
        below = upto
    return rows


def scan_sums_of(state: State, positions: Sequence[Holding]) -> list[list[int]]:
    """Return the loss of a portfolio in every scenario, by underlying. [USD e-6]"""
    sums = np.zeros((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    ids = np.array([i for i, _, _ in positions], np.int32)
    lots = np.array([n for _, n, _ in positions], np.int32)
    scan_sums(ids, lots, state.market.prices.losses_e6, sums)
    found: list[list[int]] = sums.tolist()
    return found


def scan_view(state: State, margin: AccountMargin, positions: Sequence[Holding]) -> View:
    """Return the scenarios that decide, in words, with the loss of each underlying there."""
    sums = scan_sums_of(state, positions)
    held = {i >> SLOT_BITS for i, lots, _ in positions if lots}
    terms = state.rules.correlation
    return {
        "risk_e6": margin.scan_e6,
        "risk_with_orders_e6": margin.scan_with_orders_e6,
        "decided_by": "correlated" if margin.is_correlated else "breakdown",
        "offset_e6": terms.offset_e6,
        "offset_cap_usd": terms.offset_cap_usd,
        "breakdown_e6": terms.breakdown_e6,
        "underlyings": [
            {
                "symbol": u.symbol,
                "scenario": margin.worst[u.index],
                "move": scenario_words(scenario_grid(state.rules.scan[u.index])[place]),
                "loss_e6": sums[u.index][place],
            }
            for u in state.rules.listing.underlyings
            if u.index in held
            for place in [margin.worst[u.index]]
        ],
    }


def scenario_words(of: Scenario) -> str:
    """Return a scenario as people say it: ``price -12.00 %, volatility up``."""
    sign = "-" if of.move_e6 < 0 else "+" if of.move_e6 else ""
    price = f"price {sign}{_percent(abs(of.move_e6))}" if of.move_e6 else "price the same"
    covered = "" if of.weight_e6 == ONE_E6 else f", {_percent(of.weight_e6)} of the loss"
    return f"{price}, {_VOLATILITY[of.shock]}{covered}"


def _percent(share_e6: int) -> str:
    """Return millionths as percent with two decimals, cut."""
    hundredths = share_e6 // 100
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def _maintenance(state: State, margin: AccountMargin) -> View:
    addons = margin.addons
    return {
        "scan_e6": margin.scan_e6,
        "roll_e6": addons.roll_e6,
        "holding_e6": addons.holding_e6,
        "large_delta_e6": addons.delta_e6,
        "sum_e6": margin.scan_e6 + addons.maintenance_e6,
        "unwinding_floor_e6": addons.unwind_e6,
        "factor_e6": state.rules.mm_factor_e6,
        "margin_e6": margin.maintenance_e6,
    }


def _initial(margin: AccountMargin) -> View:
    addons = margin.addons
    return {
        "scan_with_orders_e6": margin.scan_with_orders_e6,
        "roll_e6": addons.im_roll_e6,
        "holding_e6": addons.im_holding_e6,
        "large_delta_e6": addons.im_delta_e6,
        "naked_options_e6": addons.im_naked_e6,
        "calm_vega_e6": addons.im_calm_e6,
        "doubt_e6": addons.im_doubt_e6,
        "sum_e6": margin.scan_with_orders_e6 + addons.initial_e6,
        "unwinding_floor_e6": addons.im_unwind_e6,
        "peg_e6": margin.peg_e6,
        "margin_e6": margin.initial_e6,
    }


def _linear(state: State, margin: AccountMargin) -> View:
    listed = {int(i.id): i.symbol for i in state.rules.listing.instruments}
    return {
        "instruments": [
            {
                "instrument": part.instrument,
                "symbol": listed[part.instrument],
                "notional_e6": part.notional_e6,
                "maintenance_e6": part.maintenance_e6,
                "tier_initial_e6": part.tier_initial_e6,
                "interest_initial_e6": part.interest_initial_e6,
                "concentration_e6": part.concentration_e6,
                "initial_e6": part.initial_e6,
            }
            for part in margin.lines
        ],
        "slippage_e6": margin.slippage_e6,
        "maintenance_margin_e6": margin.maintenance_e6,
        "initial_margin_e6": margin.initial_e6,
    }
