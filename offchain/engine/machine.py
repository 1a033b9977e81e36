"""The machine: one entry for every command, the same on every computer."""

from collections.abc import Callable
from typing import Any

from offchain.core.units import TimestampNs
from offchain.engine import messages as m
from offchain.engine.commands import (
    adopt,
    cancel_order,
    convert,
    deposit,
    funding_tick,
    genesis,
    liquidate,
    place_order,
    price_report,
    set_mode,
    settle_expiry,
    withdraw,
)
from offchain.engine.commands.forced import entry
from offchain.engine.events import Event
from offchain.engine.evolve import evolve
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State
from offchain.engine.sweeps import below_trigger

__all__ = ["advance", "apply", "below_trigger", "decide", "evolve"]

Decision = tuple[Event, ...] | Rejected

_DECIDE: dict[type, Callable[[State, Any, int, int], Decision]] = {
    m.Genesis: genesis.decide,
    m.Deposit: deposit.decide,
    m.PlaceOrder: place_order.decide,
    m.CancelOrder: cancel_order.decide,
    m.PriceReport: price_report.decide,
    m.FundingTick: funding_tick.decide,
    m.Liquidate: liquidate.decide,
    m.Withdraw: withdraw.decide,
    m.SettleExpiry: settle_expiry.decide,
    m.SetMode: set_mode.decide,
    m.Convert: convert.decide,
    m.Forced: entry.decide,
    m.Adopt: adopt.decide,
}


def decide(state: State, command: m.Command, seq: int, time_ns: int) -> Decision:
    """Return what a command would do; the state is not touched."""
    if state.parameters is None and not isinstance(command, m.Genesis):
        return Rejected(Reason.NOT_CONFIGURED)
    if time_ns < state.time_ns:
        return Rejected(Reason.TIME_WENT_BACK, (("now", time_ns), ("last", state.time_ns)))
    return _DECIDE[type(command)](state, command, seq, time_ns)


def advance(state: State, seq: int, time_ns: int) -> None:
    """Close a record: the state is now that after `seq`."""
    assert seq == state.last_seq + 1
    state.last_seq = seq
    state.time_ns = TimestampNs(time_ns)


def apply(state: State, command: m.Command, seq: int, time_ns: int) -> Decision:
    """Decide a command and, when it is accepted, apply its events."""
    decision = decide(state, command, seq, time_ns)
    if not isinstance(decision, Rejected):
        for event in decision:
            evolve(state, event, seq, time_ns)
        advance(state, seq, time_ns)
    return decision
