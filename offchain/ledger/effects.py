"""Effects: what a record does to accounts and to the book, as words of 32 bytes.

``kind u8 | account u32 | place u16 | body 25 bytes``, in the order in which they happen. Whoever
applies the words of a record to the leaves before it has the leaves after it, and the same for the
book: a judge on chain needs nothing else of the engine.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from struct import Struct, error
from typing import Any

from offchain.core.margin import trade_cost_e6
from offchain.engine import events as e
from offchain.engine.accounts import INSURANCE
from offchain.engine.state import State, asset_places
from offchain.ledger.errors import EncodingError

WORD_BYTES = 32


class Effect(IntEnum):
    """The kind of a word; `EFFECT_*` of `contracts/types/Trace.sol`."""

    OPEN = 1
    CASH = 2
    COLLATERAL = 3
    TRADE = 4
    MODE = 5
    OUTPUT = 6
    NOOP = 7
    LIQUIDATION = 8
    SETTLE = 9
    SHORTFALL = 10
    ASSETS = 11


class CashFlow(IntEnum):
    """Why cash moved: the place of a CASH word."""

    DEPOSIT = 1
    TRADING_FEE = 2
    PENALTY = 3
    DEFICIT = 4
    SALE = 5


_PLAIN = Struct(">BIH25x")
_OPEN = Struct(">BIH20s5x")
_AMOUNT = Struct(">BIHq17x")
_COLLATERAL = Struct(">BIHqB16x")
_TRADE = Struct(">BIHiqQ5x")
_OUTPUT = Struct(">BIHQQ9x")
_SHORTFALL = Struct(">BIHQ17x")


def effect_words(state: State, event: e.Event) -> bytes:
    """Return the words of one event; the state is the one before it.

    Raises
    ------
    EncodingError
        A number does not fit its field.
    """
    make = _WORDS.get(type(event))
    if make is None:
        return b""
    try:
        return make(state, event)
    except error as fault:
        raise EncodingError(f"{event} has no effect word: {fault}") from None


def split_words(words: bytes) -> tuple[bytes, ...]:
    """Return the words of a record one by one; EncodingError when bytes are left over."""
    if len(words) % WORD_BYTES:
        raise EncodingError(f"effects come in words of {WORD_BYTES} bytes")
    return tuple(words[i : i + WORD_BYTES] for i in range(0, len(words), WORD_BYTES))


def open_word(account: int, subaccount: int, owner: bytes) -> bytes:
    """Return the word by which the next account opens."""
    return _OPEN.pack(Effect.OPEN, account, subaccount, owner)


def cash_word(account: int, flow: CashFlow, delta_e6: int) -> bytes:
    """Return the word of a change of cash. [USD e-6]"""
    return _AMOUNT.pack(Effect.CASH, account, flow, delta_e6)


def collateral_word(account: int, asset: int, delta: int, *, is_deposit: bool) -> bytes:
    """Return the word of a change of collateral. [token e-8]"""
    return _COLLATERAL.pack(Effect.COLLATERAL, account, asset, delta, is_deposit)


def trade_word(account: int, instrument: int, lots: int, cost_e6: int, order_id: int = 0) -> bytes:
    """Return the word of one side of a trade; `order_id` is the maker's own. [lots, USD e-6]"""
    return _TRADE.pack(Effect.TRADE, account, instrument, lots, cost_e6, order_id)


def mode_word(account: int, mode: int) -> bytes:
    """Return the word of a change of mode."""
    return _PLAIN.pack(Effect.MODE, account, mode)


def output_word(account: int, asset: int, amount: int, output_id: int) -> bytes:
    """Return the word of an output. [engine units]"""
    return _OUTPUT.pack(Effect.OUTPUT, account, asset, amount, output_id)


def noop_word(account: int, reason: int) -> bytes:
    """Return the word of an entry that came to nothing."""
    return _PLAIN.pack(Effect.NOOP, account, reason)


def liquidation_word(account: int, tier: int) -> bytes:
    """Return the word of a liquidation step."""
    return _PLAIN.pack(Effect.LIQUIDATION, account, tier)


def settle_word(instrument: int, lot_value_e6: int) -> bytes:
    """Return the word by which every position in an instrument becomes cash. [USD e-6]"""
    return _AMOUNT.pack(Effect.SETTLE, 0, instrument, lot_value_e6)


def shortfall_word(account: int, amount_e6: int) -> bytes:
    """Return the word of what the insurance fund could not pay. [USD e-6]"""
    return _SHORTFALL.pack(Effect.SHORTFALL, account, 0, amount_e6)


def assets_word(count: int) -> bytes:
    """Return the word by which every account and the book have so many collateral assets."""
    return _PLAIN.pack(Effect.ASSETS, 0, count)


def _to_fund(account: int, flow: CashFlow, delta_e6: int) -> bytes:
    """Return a flow of an account, and its counterpart in the insurance fund; none of nothing."""
    if delta_e6 == 0:
        return b""
    return cash_word(account, flow, delta_e6) + cash_word(INSURANCE, flow, -delta_e6)


def _account_opened(_state: State, event: e.AccountOpened) -> bytes:
    return open_word(event.account, event.subaccount, event.owner)


def _deposited(_state: State, event: e.Deposited) -> bytes:
    if event.asset == 0:
        return cash_word(event.account, CashFlow.DEPOSIT, event.amount)
    return collateral_word(event.account, event.asset, event.amount, is_deposit=True)


def _cost_e6(state: State, instrument: int, lots: int, price_e8: int) -> int:
    divisor = state.underlying(instrument).lot_divisor
    return trade_cost_e6(lots, price_e8, divisor, int(state.market.funding_e6[instrument]))


def _filled(state: State, event: e.Filled) -> bytes:
    instrument, lots = event.instrument, event.lots
    cost = _cost_e6(state, instrument, lots, event.price_e8)
    return (
        trade_word(event.taker, instrument, lots, cost)
        + trade_word(event.maker, instrument, -lots, -cost, event.maker_order_id)
        + _to_fund(event.taker, CashFlow.TRADING_FEE, -event.fee_e6)
    )


def _position_transferred(state: State, event: e.PositionTransferred) -> bytes:
    instrument, lots = event.instrument, event.lots
    cost = _cost_e6(state, instrument, lots, event.price_e8)
    return trade_word(event.taker, instrument, lots, cost) + trade_word(
        event.giver, instrument, -lots, -cost
    )


def _collateral_sold(_state: State, event: e.CollateralSold) -> bytes:
    asset, amount, cash = event.asset, event.amount, event.cash_e6
    return (
        collateral_word(event.seller, asset, -amount, is_deposit=False)
        + collateral_word(event.buyer, asset, amount, is_deposit=False)
        + cash_word(event.seller, CashFlow.SALE, cash)
        + cash_word(event.buyer, CashFlow.SALE, -cash)
    )


def _penalty_charged(_state: State, event: e.PenaltyCharged) -> bytes:
    return _to_fund(event.account, CashFlow.PENALTY, -event.amount_e6)


def _deficit_covered(_state: State, event: e.DeficitCovered) -> bytes:
    paid = _to_fund(event.account, CashFlow.DEFICIT, event.paid_e6)
    if event.shortfall_e6 == 0:
        return paid
    return paid + shortfall_word(event.account, event.shortfall_e6)


def _mode_changed(_state: State, event: e.ModeChanged) -> bytes:
    return mode_word(event.account, event.mode)


def _liquidation_ordered(_state: State, event: e.LiquidationOrdered) -> bytes:
    return liquidation_word(event.account, event.tier)


def _instrument_settled(_state: State, event: e.InstrumentSettled) -> bytes:
    return settle_word(event.instrument, event.lot_value_e6)


def _parameters_replaced(state: State, event: e.ParametersReplaced) -> bytes:
    """Return the word of assets that are listed for the first time; none when there are none."""
    places = asset_places(event.parameters)
    return assets_word(places) if places > state.accounts.assets else b""


def _withdrawn(_state: State, event: e.Withdrawn) -> bytes:
    return output_word(event.account, event.asset, event.amount, event.output_id)


def _deposit_returned(_state: State, event: e.DepositReturned) -> bytes:
    """Return the output of a deposit that found no room: in and out again, through no account."""
    return output_word(e.NO_ACCOUNT, event.asset, event.amount, event.output_id)


def _forced_noop(_state: State, event: e.ForcedNoop) -> bytes:
    return noop_word(event.account, event.reason)


_WORDS: dict[type, Callable[[State, Any], bytes]] = {
    e.AccountOpened: _account_opened,
    e.Deposited: _deposited,
    e.DepositReturned: _deposit_returned,
    e.Filled: _filled,
    e.PositionTransferred: _position_transferred,
    e.CollateralSold: _collateral_sold,
    e.PenaltyCharged: _penalty_charged,
    e.DeficitCovered: _deficit_covered,
    e.ModeChanged: _mode_changed,
    e.LiquidationOrdered: _liquidation_ordered,
    e.InstrumentSettled: _instrument_settled,
    e.ParametersReplaced: _parameters_replaced,
    e.Withdrawn: _withdrawn,
    e.ForcedNoop: _forced_noop,
}
"""Every event that changes a leaf or the book; the others have no words."""

_TOUCHES_BOOK = frozenset(
    {
        Effect.OPEN,
        Effect.CASH,
        Effect.COLLATERAL,
        Effect.OUTPUT,
        Effect.LIQUIDATION,
        Effect.SHORTFALL,
        Effect.ASSETS,
    }
)


def touches_book(words: Sequence[int]) -> bool:
    """Tell whether words, as bytes, may change the book."""
    return any(kind in _TOUCHES_BOOK for kind in words[::WORD_BYTES])
