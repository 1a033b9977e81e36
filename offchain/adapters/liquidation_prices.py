"""Where an account would be liquidated: the prices of each underlying at which its excess fails.

The excess is over the trigger of a partial liquidation. For display, and outside the sequencer's
lock: `frozen` takes a copy under the lock, everything else works on that. The index of one
underlying moves, its forwards in proportion; smiles move along with the forward, other underlyings
and haircuts stand still. Isolated and cross accounts whose only exposure to the underlying is one
perpetual have a closed form; all others are searched by pricing again at each price looked at, at
most `2 (CELLS + 24) + 1` times an underlying.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

from offchain.adapters.margin_views import Holding, View
from offchain.core.instruments import Kind, Underlying
from offchain.core.linear_margin import maintenance_lines
from offchain.core.margin import AccountMargin, Mode
from offchain.core.units import (
    LOSS_BITS,
    ONE_E6,
    PRICE_BITS,
    SLOT_BITS,
    InstrumentId,
    RatioE6,
    floor_div,
)
from offchain.engine.market import Market, credit_curves
from offchain.engine.risk import margin_of
from offchain.engine.state import State
from offchain.pricing.charge_table import charge_table
from offchain.pricing.liquidation_price import (
    LinearAccount,
    LiquidationPrices,
    PriceReason,
    linear_liquidation_price,
    search_liquidation_prices,
)
from offchain.pricing.marks import moved_medians
from offchain.pricing.risk_array import price_book

CELLS = 32
"""Coarse steps to each side; a failure inside one step that ends before it does is not seen."""
HIGHEST = 4
"""Prices up to this multiple of the index are looked at."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an account holds at one moment, and the market of that moment."""

    state: State
    account: int
    mode: Mode
    cash_e6: int
    collateral_e8: tuple[int, ...]
    positions: tuple[Holding, ...]

    def margin(self, market: Market) -> AccountMargin:
        """Return the margin without orders in a market."""
        there = copy.copy(self.state)
        there.market = market
        return margin_of(
            there, self.mode, self.positions, self.cash_e6, self.collateral_e8, (), self.account
        )

    def excess_e6(self, market: Market) -> int:
        """Return how far the account is above the trigger; negative where it is below. [USD e-6]"""
        margin = self.margin(market)
        balance, due = margin.margin_balance_e6, margin.maintenance_e6
        return min(balance, floor_div(balance * ONE_E6 - self.trigger_e6 * due, ONE_E6))

    @property
    def trigger_e6(self) -> RatioE6:
        """The margin ratio below which an account is liquidated."""
        return self.state.rules.liquidation.partial_trigger_e6


def frozen(state: State, account: int) -> Held:
    """Return a copy of what the search reads; call with the sequencer's lock held.

    Arrays of a report are replaced and never written to; what is written to in place is copied.
    """
    still, accounts = copy.copy(state), copy.copy(state.accounts)
    accounts.open_interest = state.accounts.open_interest.copy()
    still.accounts = accounts
    still.market = replace(state.market, funding_e6=state.market.funding_e6.copy())
    return Held(
        still,
        account,
        Mode(int(state.accounts.mode[account])),
        int(state.accounts.cash[account]),
        tuple(state.accounts.collateral[account].tolist()),
        tuple((int(i), lots, cost) for i, lots, cost in state.accounts.positions(account)),
    )


def liquidation_prices_view(held: Held, wanted: Sequence[Underlying]) -> View:
    """Return the liquidation prices of some underlyings, each with its reason.

    Raises
    ------
    RiskRangeError
        A price looked at leaves the range of the risk arrays.
    """
    market = held.state.market
    return {
        "account": held.account,
        "mode": held.mode.name.lower(),
        "seq": held.state.last_seq,
        "round": market.round,
        "underlyings": [_view(held, u) for u in wanted],
    }


def _view(held: Held, underlying: Underlying) -> View:
    position = _closed_form_position(held, underlying.index)
    prices = (
        _searched(held, underlying)
        if position is None
        else _in_closed_form(held, underlying, position)
    )
    return {
        "symbol": underlying.symbol,
        "index_price_e8": held.state.market.medians[underlying.index],
        "method": "search" if position is None else "closed_form",
        "lower_e8": prices.lower_e8,
        "lower_reason": prices.lower_reason.name.lower(),
        "upper_e8": prices.upper_e8,
        "upper_reason": prices.upper_reason.name.lower(),
    }


def _closed_form_position(held: Held, underlying: int) -> Holding | None:
    """Return the one perpetual that all depends on, or None."""
    mine = [p for p in held.positions if p[0] >> SLOT_BITS == underlying]
    if held.mode is Mode.PORTFOLIO or len(mine) != 1 or _has_collateral_in(held, underlying):
        return None
    if held.trigger_e6 != ONE_E6:
        return None
    kind = held.state.instruments[InstrumentId(mine[0][0])].kind
    return mine[0] if kind is Kind.PERPETUAL else None


def _has_collateral_in(held: Held, underlying: int) -> bool:
    terms = held.state.rules.collateral
    return any(
        amount and of.underlying == underlying
        for amount, of in zip(held.collateral_e8, terms, strict=False)
    )


def _price_range(held: Held, underlying: Underlying) -> tuple[int, int, int]:
    """Return index, lowest and highest price looked at, all on the tick. [USD e-8]"""
    tick = underlying.tick_e8
    index = max(tick, held.state.market.medians[underlying.index] // tick * tick)
    most = min(HIGHEST * index, (1 << LOSS_BITS) * underlying.lot_divisor, 1 << PRICE_BITS)
    return index, tick, max(index, (most - 1) // tick * tick)


def _in_closed_form(held: Held, underlying: Underlying, position: Holding) -> LiquidationPrices:
    """Return the prices of a perpetual: all else stands still, so it is one number."""
    state, (instrument, lots, _) = held.state, position
    margin = held.margin(state.market)
    part = next(line for line in margin.lines if line.instrument == instrument)
    others = margin.maintenance_e6 - part.maintenance_e6
    value = lots * int(state.market.prices.lot_values_e6[instrument])
    index, _, highest = _price_range(held, underlying)
    account = LinearAccount(
        lots=lots,
        entry_e8=0,
        other_e6=margin.margin_balance_e6 - value - others,
        lines=maintenance_lines(state.tables.classes[underlying.index]),
        lot_divisor=underlying.lot_divisor,
        tick_e8=underlying.tick_e8,
    )
    return linear_liquidation_price(account, index, highest)


def _searched(held: Held, underlying: Underlying) -> LiquidationPrices:
    def excess(price_e8: int) -> int:
        return held.excess_e6(market_at(held.state, underlying.index, price_e8))

    index, lowest, highest = _price_range(held, underlying)
    moves = any(i >> SLOT_BITS == underlying.index for i, _, _ in held.positions)
    if not held.positions:
        never = PriceReason.NO_POSITIONS
        return LiquidationPrices(None, never, None, never)
    return search_liquidation_prices(
        excess,
        index,
        underlying.tick_e8,
        (lowest, highest),
        has_positions=moves or _has_collateral_in(held, underlying.index),
        cells=CELLS,
    )


def market_at(state: State, underlying: int, index_e8: int) -> Market:
    """Return the market with one index moved, and priced again; the expected shortfall is left out.

    That is in IM only, and liquidations look at MM.
    """
    market, rules = state.market, state.rules
    medians: Sequence[int] = moved_medians(rules.listing, market.medians, underlying, index_e8)
    arrays = price_book(rules, medians, market.observed_at_ns)
    charges = charge_table(
        rules,
        medians,
        market.observed_at_ns,
        arrays,
        market.funding_rates_e8,
        market.confidences_e6,
    )
    return replace(
        market,
        medians=tuple(medians),
        arrays=arrays,
        charges=charges,
        history=None,
        curves=credit_curves(rules, medians, market.haircuts),
    )
