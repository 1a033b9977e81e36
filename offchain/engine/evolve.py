"""Apply events to the state. Nothing here can refuse; a broken invariant stops the process."""

from collections.abc import Callable
from typing import Any

from offchain.core.margin import trade_cost_e6
from offchain.core.units import TimestampNs
from offchain.engine import events as e
from offchain.engine.accounts import INSURANCE
from offchain.engine.commands.place_order import resting_order
from offchain.engine.market import PendingReport
from offchain.engine.state import State


def _begin_epoch(state: State, seq: int, time_ns: int) -> None:
    """Count a change of values once for each record."""
    if state.market.epoch_seq != seq:
        state.market.epoch += 1
        state.market.epoch_seq = seq
        state.market.epoch_time_ns = TimestampNs(time_ns)


def _parameters_adopted(state: State, event: e.ParametersAdopted, _seq: int, _time: int) -> None:
    state.adopt(event.parameters)


def _parameters_replaced(state: State, event: e.ParametersReplaced, seq: int, time_ns: int) -> None:
    state.adopt(event.parameters, event.documented)
    market = state.market
    market.arrays, market.charges, market.history = event.arrays, event.charges, event.history
    market.haircuts, market.curves = event.haircuts, event.curves
    market.breakers = event.breakers
    if event.arrays is not None:
        _begin_epoch(state, seq, time_ns)


def _account_opened(state: State, event: e.AccountOpened, _seq: int, _time: int) -> None:
    opened = state.accounts.open(event.owner, event.subaccount)
    assert opened == event.account


def _consume(state: State, index: int) -> None:
    """Move the inbox cursor over the next entry, and no other."""
    assert index == state.inbox_cursor + 1
    state.inbox_cursor = index


def _put_out(state: State, output_id: int, asset: int, amount: int) -> None:
    assert output_id == state.next_output_id
    state.next_output_id += 1
    state.flows.withdrawn[asset] += amount


def _deposited(state: State, event: e.Deposited, _seq: int, _time: int) -> None:
    _consume(state, event.index)
    state.flows.deposited[event.asset] += event.amount
    if event.asset == 0:
        state.accounts.add_cash(event.account, event.amount)
    else:
        state.accounts.add_collateral(event.account, event.asset, event.amount)


def _deposit_returned(state: State, event: e.DepositReturned, _seq: int, _time: int) -> None:
    _consume(state, event.index)
    state.flows.deposited[event.asset] += event.amount
    _put_out(state, event.output_id, event.asset, event.amount)


def _entry_answered(
    state: State, event: e.ForcedDone | e.ForcedNoop, _seq: int, _time: int
) -> None:
    _consume(state, event.index)


def _key_granted(state: State, event: e.KeyGranted, _seq: int, time_ns: int) -> None:
    state.grant_key(event.owner, event.key, event.expires_s, time_ns)


def _key_revoked(state: State, event: e.KeyRevoked, _seq: int, _time: int) -> None:
    state.revoke_keys(event.owner, None if event.key == e.NO_KEY else event.key)


def _nonce_used(state: State, event: e.NonceUsed, _seq: int, _time: int) -> None:
    state.use_nonce(event.account, event.nonce)


def _order_rested(state: State, event: e.OrderRested, _seq: int, _time: int) -> None:
    state.rest(resting_order(event))


def _order_closed(state: State, event: e.OrderClosed, _seq: int, _time: int) -> None:
    if state.order(event.order_id) is not None:  # an unfilled order never rested
        state.close(event.order_id)


def _filled(state: State, event: e.Filled, _seq: int, _time: int) -> None:
    divisor = state.underlying(event.instrument).lot_divisor
    funding = int(state.market.funding_e6[event.instrument])
    cost = trade_cost_e6(event.lots, event.price_e8, divisor, funding)
    state.accounts.trade(event.taker, event.instrument, event.lots, cost)
    state.accounts.trade(event.maker, event.instrument, -event.lots, -cost)
    if event.fee_e6:
        state.accounts.add_cash(event.taker, -event.fee_e6)
        _contribute(state, event.fee_e6)
    maker = state.order(event.maker_order_id)
    assert maker is not None
    maker.lots += event.lots
    if maker.lots == 0:
        maker.lots -= event.lots  # the book finds its side by the sign
        state.close(maker.order_id)


def _contribute(state: State, amount_e6: int) -> None:
    state.accounts.add_cash(INSURANCE, amount_e6)
    state.flows.contributed_e6 += amount_e6


def _price_accepted(state: State, event: e.PriceAccepted, seq: int, time_ns: int) -> None:
    market = state.market
    market.round, market.observed_at_ns = event.round, event.observed_at_ns
    market.medians, market.arrays, market.pending = event.medians, event.arrays, None
    market.charges, market.history = event.charges, event.history
    market.confidences_e6 = event.confidences_e6
    market.haircuts, market.curves = event.haircuts, event.curves
    market.standing, market.breakers = event.standing, event.breakers
    _begin_epoch(state, seq, time_ns)


def _breaker_tripped(_state: State, _event: e.BreakerTripped, _seq: int, _time: int) -> None:
    """Change nothing: the accepted report brought the breakers with it."""


def _price_held(state: State, event: e.PriceHeld, _seq: int, _time: int) -> None:
    state.market.pending = PendingReport(
        event.round, event.observed_at_ns, event.medians, event.standing
    )


def _funding_accrued(state: State, event: e.FundingAccrued, seq: int, time_ns: int) -> None:
    state.market.funding_e6[event.instrument] += event.step_e6
    state.market.funding_time_ns = TimestampNs(time_ns)
    _begin_epoch(state, seq, time_ns)


def _charges_revised(state: State, event: e.ChargesRevised, _seq: int, _time: int) -> None:
    state.market.funding_rates_e8 = event.funding_rates_e8
    state.market.charges = event.charges


def _mode_changed(state: State, event: e.ModeChanged, _seq: int, _time: int) -> None:
    state.accounts.set_mode(event.account, event.mode)


def _level_changed(state: State, event: e.MarginLevelChanged, _seq: int, _time: int) -> None:
    state.accounts.level[event.account] = event.level


def _liquidation_ordered(state: State, _event: e.LiquidationOrdered, _seq: int, _time: int) -> None:
    state.flows.liquidations += 1


def _position_transferred(
    state: State, event: e.PositionTransferred, _seq: int, _time: int
) -> None:
    divisor = state.underlying(event.instrument).lot_divisor
    funding = int(state.market.funding_e6[event.instrument])
    cost = trade_cost_e6(event.lots, event.price_e8, divisor, funding)
    state.accounts.trade(event.taker, event.instrument, event.lots, cost)
    state.accounts.trade(event.giver, event.instrument, -event.lots, -cost)


def _collateral_sold(state: State, event: e.CollateralSold, _seq: int, _time: int) -> None:
    state.accounts.add_collateral(event.seller, event.asset, -event.amount)
    state.accounts.add_collateral(event.buyer, event.asset, event.amount)
    state.accounts.add_cash(event.seller, event.cash_e6)
    state.accounts.add_cash(event.buyer, -event.cash_e6)


def _penalty_charged(state: State, event: e.PenaltyCharged, _seq: int, _time: int) -> None:
    state.accounts.add_cash(event.account, -event.amount_e6)
    _contribute(state, event.amount_e6)


def _deficit_covered(state: State, event: e.DeficitCovered, _seq: int, _time: int) -> None:
    state.accounts.add_cash(INSURANCE, -event.paid_e6)
    state.accounts.add_cash(event.account, event.paid_e6)
    state.flows.drawn_e6 += event.paid_e6
    state.flows.shortfall_e6 += event.shortfall_e6
    assert state.accounts.cash[INSURANCE] >= 0, "the insurance fund went negative"


def _withdrawn(state: State, event: e.Withdrawn, _seq: int, _time: int) -> None:
    _put_out(state, event.output_id, event.asset, event.amount)
    if event.asset == 0:
        state.accounts.add_cash(event.account, -event.amount)
    else:
        state.accounts.add_collateral(event.account, event.asset, -event.amount)


def _instrument_settled(state: State, event: e.InstrumentSettled, seq: int, time_ns: int) -> None:
    state.accounts.settle(event.instrument, event.lot_value_e6)
    state.market.settled.add(event.instrument)
    _begin_epoch(state, seq, time_ns)


_APPLY: dict[type, Callable[[State, Any, int, int], None]] = {
    e.ParametersAdopted: _parameters_adopted,
    e.ParametersReplaced: _parameters_replaced,
    e.AccountOpened: _account_opened,
    e.Deposited: _deposited,
    e.DepositReturned: _deposit_returned,
    e.ForcedDone: _entry_answered,
    e.ForcedNoop: _entry_answered,
    e.KeyGranted: _key_granted,
    e.KeyRevoked: _key_revoked,
    e.NonceUsed: _nonce_used,
    e.OrderRested: _order_rested,
    e.OrderClosed: _order_closed,
    e.Filled: _filled,
    e.PriceAccepted: _price_accepted,
    e.BreakerTripped: _breaker_tripped,
    e.PriceHeld: _price_held,
    e.FundingAccrued: _funding_accrued,
    e.ChargesRevised: _charges_revised,
    e.ModeChanged: _mode_changed,
    e.MarginLevelChanged: _level_changed,
    e.LiquidationOrdered: _liquidation_ordered,
    e.PositionTransferred: _position_transferred,
    e.CollateralSold: _collateral_sold,
    e.PenaltyCharged: _penalty_charged,
    e.DeficitCovered: _deficit_covered,
    e.Withdrawn: _withdrawn,
    e.InstrumentSettled: _instrument_settled,
}


def evolve(state: State, event: e.Event, seq: int, time_ns: int) -> None:
    """Apply one event of record `seq`."""
    _APPLY[type(event)](state, event, seq, time_ns)
