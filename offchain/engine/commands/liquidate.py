"""Liquidate: one step on an account below its trigger.

Partial: the smallest step that restores the target (`core.sizing`). Full: every position;
then collateral is turned into cash, and the insurance fund pays what is missing. Both sell on the
book first and hand the rest to the backstop at the mark (E-11, E-12, INS-1). A step that would
change nothing is refused, so that nobody is paid for it (K-1).
"""

from dataclasses import dataclass

from offchain.core.margin import AccountMargin, is_below, margin_ratio
from offchain.core.units import SECOND_NS, AccountId, RatioE6, UsdE6, ceil_div
from offchain.engine.accounts import BACKSTOP, INSURANCE
from offchain.engine.collateral_sale import collateral_sales, sale_worth
from offchain.engine.commands.intents import refuse_unsettled_prices
from offchain.engine.events import (
    Closing,
    CollateralSold,
    DeficitCovered,
    Event,
    Filled,
    Leg,
    LiquidationOrdered,
    OrderClosed,
    PenaltyCharged,
    PositionTransferred,
    Tier,
)
from offchain.engine.liquidation_legs import legs_of, liquidation_fee_e6
from offchain.engine.messages import Liquidate
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.reduction import (
    Reduction,
    hand_to_backstop,
    sell_on_book,
)
from offchain.engine.risk import account_margin
from offchain.engine.state import State

NO_FEE = RatioE6(0)
EFFECTS = (Filled, PositionTransferred, CollateralSold, DeficitCovered)
"""What makes a step worth its fee; closing orders alone does not."""


@dataclass(slots=True)
class Step(Reduction):
    """One liquidation step in the making, with the fee that its closing adds up to."""

    fee_e6: int = 0


def decide(
    state: State, command: Liquidate, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept only below the trigger, at fresh and confirmed prices (INV-8), after a grace (L-5)."""
    refused = _refuse(state, command.account, time_ns)
    if refused:
        return refused
    account = command.account
    margin = account_margin(state, account, orders=())
    terms = state.rules.liquidation
    balance, due = margin.margin_balance_e6, margin.maintenance_e6
    if not is_below(balance, due, terms.partial_trigger_e6):
        return Rejected(
            Reason.NOT_LIQUIDATABLE, (("margin_balance_e6", balance), ("maintenance_e6", due))
        )
    is_full = is_below(balance, due, terms.full_trigger_e6)
    tier = Tier.FULL if is_full else Tier.PARTIAL
    if is_full and not _can_act_on_debt(state, account, balance):
        return Rejected(Reason.NOTHING_TO_LIQUIDATE, (("margin_balance_e6", balance),))
    return _execute(state, account, tier, margin, time_ns)


def _refuse(state: State, account: AccountId, time_ns: int) -> Rejected | None:
    if not 0 <= account < state.accounts.count:
        return Rejected(Reason.UNKNOWN_ACCOUNT, (("account", account),))
    if account in {INSURANCE, BACKSTOP}:
        return Rejected(Reason.RESERVED_ACCOUNT, (("account", account),))
    return refuse_unsettled_prices(state, time_ns) or _refuse_grace(state)


def _refuse_grace(state: State) -> Rejected | None:
    """Refuse while the oracle has not been back for long enough (L-5)."""
    standing, grace = state.market.standing, state.rules.oracle.grace
    if standing.is_settled:
        return None
    open_at_s = standing.resumed_at_s + grace.length_ns // SECOND_NS
    return Rejected(
        Reason.AFTER_OUTAGE,
        (("streak", standing.streak), ("reports", grace.reports), ("open_at_s", open_at_s)),
    )


def _can_act_on_debt(state: State, account: AccountId, balance_e6: int) -> bool:
    """Tell whether a full step is worth taking.

    A debt without a position is covered whole or not at all, unless there is collateral to sell
    that is worth the keeper's fee: else a grain of it would buy a fee, again and again (K-1).
    """
    if state.accounts.counts[account]:
        return True
    if sale_worth(state, account) >= max(1, state.rules.liquidation.keeper_fee_e6):
        return True
    return int(state.accounts.cash[INSURANCE]) >= -balance_e6 > 0


def _execute(
    state: State, account: AccountId, tier: Tier, margin: AccountMargin, time_ns: int
) -> tuple[Event, ...] | Rejected:
    legs = legs_of(state, account, tier)
    step = Step(state, account, time_ns)
    for order in state.orders_of(account):
        step.overlay.closed.add(order.order_id)
        step.events.append(
            OrderClosed(order.order_id, account, order.instrument, Closing.LIQUIDATION)
        )
    balance, due = margin.margin_balance_e6, margin.maintenance_e6
    ratio = margin_ratio(balance, due)
    step.events.append(
        LiquidationOrdered(
            account, tier, legs, balance, due, RatioE6(0) if ratio is None else ratio
        )
    )
    left = [(leg, rest) for leg in legs if (rest := _sell_on_book(step, leg))]
    left = _hand_to_backstop(step, left)
    _charge_penalty(step, None if tier is Tier.FULL else (balance, due))
    if tier is Tier.FULL and not left:
        _settle_debt(step)
    if not any(isinstance(event, EFFECTS) for event in step.events):
        return Rejected(Reason.NOTHING_TO_LIQUIDATE, (("margin_balance_e6", balance),))
    return tuple(step.events)


def _sell_on_book(step: Step, leg: Leg) -> int:
    """Match a leg without a trading fee, note its penalty, and return the lots left."""
    left = sell_on_book(step, leg, NO_FEE)
    step.fee_e6 += liquidation_fee_e6(step.state, leg.instrument, leg.lots - left)
    return left


def _hand_to_backstop(step: Step, left: list[tuple[Leg, int]]) -> list[tuple[Leg, int]]:
    """Transfer the rest, all of it or nothing, note its penalty, and return what stays."""
    stays = hand_to_backstop(step, left)
    if not stays:
        for leg, lots in left:
            step.fee_e6 += liquidation_fee_e6(step.state, leg.instrument, lots)
    return stays


def _charge_penalty(step: Step, before: tuple[int, int] | None) -> None:
    """Charge the liquidation fee, as far as the account still has a margin balance.

    A partial step (`before`: margin balance and MM) takes at most half of the balance that stood
    behind the MM it released, and of that what the book's prices have left: a fee on top of them
    would leave a worse ratio than the step found (E-11).
    """
    after = account_margin(step.state, step.account, step.overlay, orders=())
    most = int(after.margin_balance_e6)
    if before is not None:
        balance, due = before
        most = min(most, balance * (due - after.maintenance_e6) // (2 * due))
        most = min(most, after.margin_balance_e6 - ceil_div(balance * after.maintenance_e6, due))
    amount = max(0, min(step.fee_e6, most))
    if amount:
        step.overlay.pay(step.account, -amount)
        step.overlay.pay(INSURANCE, amount)
        step.events.append(PenaltyCharged(step.account, UsdE6(amount)))


def _settle_debt(step: Step) -> None:
    """With every position closed: sell collateral for what is owed, then draw on the fund."""
    state, account = step.state, step.account
    closed = step.overlay.trades.get(account, {})
    cash = int(state.accounts.cash[account]) + step.overlay.cash.get(account, 0)
    costs = sum(cost for _, _, cost in state.accounts.positions(account))
    cash -= costs + sum(cost for _, cost in closed.values())
    for sale in collateral_sales(state, account, -cash):
        step.events.append(sale)
        cash += sale.cash_e6
    if cash < 0:
        fund = int(state.accounts.cash[INSURANCE]) + step.overlay.cash.get(INSURANCE, 0)
        paid = max(0, min(fund, -cash))
        step.events.append(DeficitCovered(account, UsdE6(paid), UsdE6(-cash - paid)))
