"""Trades, cash and collateral that a decision would add to the state, before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.engine.state import State

OrderTerms = tuple[int, int, int]
"""(instrument, signed lots, limit price e8) of an order that may fill."""


@dataclass(slots=True)
class Overlay:
    """What a decision would change, account by account."""

    trades: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    cash: dict[int, int] = field(default_factory=dict)
    collateral: dict[int, dict[int, int]] = field(default_factory=dict)  # by account and asset
    closed: set[int] = field(default_factory=set)  # orders that have already left the book
    filled: dict[int, int] = field(default_factory=dict)  # lots already taken of others, signed

    def trade(self, account: int, instrument: int, lots: int, cost_e6: int) -> None:
        """Add a trade."""
        held = self.trades.setdefault(account, {})
        old_lots, old_cost = held.get(instrument, (0, 0))
        held[instrument] = (old_lots + lots, old_cost + cost_e6)

    def pay(self, account: int, amount_e6: int) -> None:
        """Add (or, negative, take) cash."""
        self.cash[account] = self.cash.get(account, 0) + amount_e6

    def move(self, account: int, asset: int, amount: int) -> None:
        """Add (or, negative, take) collateral. [token e-8]"""
        held = self.collateral.setdefault(account, {})
        held[asset] = held.get(asset, 0) + amount

    def lots(self, state: State, account: int, instrument: int) -> int:
        """Return the position as the overlay leaves it."""
        added = self.trades.get(account, {}).get(instrument, (0, 0))[0]
        return state.accounts.lots_of(account, instrument) + added

    def orders(self, state: State, account: int) -> list[OrderTerms]:
        """Return the resting orders of an account as the overlay leaves them."""
        left = [
            (o.instrument, o.lots - self.filled.get(o.order_id, 0), o.price_e8)
            for o in state.orders_of(account)
            if o.order_id not in self.closed
        ]
        return [terms for terms in left if terms[1]]

    def copy(self) -> "Overlay":
        """Return a copy to try something on."""
        return Overlay(
            {k: dict(v) for k, v in self.trades.items()},
            dict(self.cash),
            {k: dict(v) for k, v in self.collateral.items()},
            set(self.closed),
            dict(self.filled),
        )


def interest_after(state: State, overlay: Overlay | None) -> dict[int, int]:
    """Return by how many lots the trades of an overlay change each open interest."""
    change: dict[int, int] = {}
    for account, trades in overlay.trades.items() if overlay else ():
        for instrument, (lots, _) in trades.items():
            held = state.accounts.lots_of(account, instrument)
            grown = max(0, held + lots) - max(0, held)
            change[instrument] = change.get(instrument, 0) + grown
    return change


def positions_after(
    state: State, account: int, overlay: Overlay | None
) -> tuple[tuple[int, int, int], ...]:
    """Return (instrument, lots, cost) ascending; a closed position keeps its cost, without lots."""
    positions = state.accounts.positions(account)
    added = overlay.trades.get(account) if overlay else None
    if not added:
        return positions
    merged: dict[int, tuple[int, int]] = {i: (lots, cost) for i, lots, cost in positions}
    for instrument, (lots, cost) in added.items():
        old_lots, old_cost = merged.get(instrument, (0, 0))
        merged[instrument] = (old_lots + lots, old_cost + cost)
    return tuple((i, *merged[i]) for i in sorted(merged))


def cash_after(state: State, account: int, overlay: Overlay | None) -> int:
    """Return the cash of an account. [USD e-6]"""
    cash = int(state.accounts.cash[account])
    return cash + overlay.cash.get(account, 0) if overlay else cash


def collateral_after(state: State, account: int, overlay: Overlay | None) -> Sequence[int]:
    """Return the amount of each volatile collateral; empty when there is none. [token e-8]"""
    row = state.accounts.collateral[account]
    added = overlay.collateral.get(account) if overlay else None
    if not added and not row.any():
        return ()
    amounts: list[int] = row.tolist()
    for asset, amount in (added or {}).items():
        amounts[asset - 1] += amount
    return amounts
