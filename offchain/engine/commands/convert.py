"""Convert: sell collateral to the backstop for cash, at the index less the haircut."""

from offchain.core.collateral import collateral_value
from offchain.core.margin import AccountMargin
from offchain.engine.accounts import BACKSTOP
from offchain.engine.commands.intents import refuse_intent, refuse_unsettled_prices
from offchain.engine.credit import sale_prices
from offchain.engine.events import CollateralSold, Event, NonceUsed
from offchain.engine.messages import Convert
from offchain.engine.overlay import Overlay
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State
from offchain.engine.withdrawal import realised_cash


def decide(state: State, command: Convert, _seq: int, time_ns: int) -> tuple[Event, ...] | Rejected:
    """Accept at fresh and confirmed prices, when both sides can afford it (SOL-3).

    The backstop pays with realised money less its unrealised losses, so that nobody turns
    collateral into cash that belongs to others, and must be left at IM. An account under IM may
    not be left worse (E-5). The money is rounded down, and never below what its owner asked for.
    """
    account, asset = command.account, command.asset
    refused = (
        refuse_intent(state, account, command.nonce, command.expires_at_ns, time_ns)
        or _refuse_terms(state, command)
        or refuse_unsettled_prices(state, time_ns)
    )
    if refused:
        return refused
    cash = collateral_value(command.amount, sale_prices(state.market)[asset - 1])
    if cash < max(1, command.minimum_e6):
        return Rejected(
            Reason.BELOW_MINIMUM, (("cash_e6", cash), ("minimum_e6", command.minimum_e6))
        )
    overlay = Overlay()
    for party, sign in ((account, -1), (BACKSTOP, 1)):
        overlay.move(party, asset, sign * command.amount)
        overlay.pay(party, -sign * cash)
    refused = (
        _refuse_purse(state, cash)
        or _refuse_buyer(account_margin(state, BACKSTOP, overlay))
        or _refuse_seller(account_margin(state, account), account_margin(state, account, overlay))
    )
    if refused:
        return refused
    return (
        NonceUsed(account, command.nonce),
        CollateralSold(asset, command.amount, cash, account, BACKSTOP),
    )


def _refuse_terms(state: State, command: Convert) -> Rejected | None:
    if command.account == BACKSTOP:
        return Rejected(Reason.RESERVED_ACCOUNT, (("account", command.account),))
    if not 1 <= command.asset <= len(state.rules.collateral):
        return Rejected(Reason.BAD_ASSET, (("asset", command.asset),))
    held = int(state.accounts.collateral[command.account, command.asset - 1])
    if not 0 < command.amount <= held:
        return Rejected(Reason.BAD_AMOUNT, (("amount", command.amount), ("held", held)))
    return None


def _refuse_purse(state: State, cash_e6: int) -> Rejected | None:
    free = realised_cash(state, BACKSTOP)
    if cash_e6 <= free:
        return None
    return Rejected(Reason.BACKSTOP_FULL, (("cash_e6", cash_e6), ("free_cash_e6", free)))


def _refuse_buyer(after: AccountMargin) -> Rejected | None:
    if after.margin_balance_e6 >= after.initial_e6:
        return None
    return Rejected(
        Reason.BACKSTOP_FULL,
        (("margin_balance_e6", after.margin_balance_e6), ("initial_margin_e6", after.initial_e6)),
    )


def _refuse_seller(before: AccountMargin, after: AccountMargin) -> Rejected | None:
    free = after.margin_balance_e6 - after.initial_e6
    if free >= 0 or free >= before.margin_balance_e6 - before.initial_e6:
        return None
    return Rejected(
        Reason.INSUFFICIENT_MARGIN,
        (("margin_balance_e6", after.margin_balance_e6), ("initial_margin_e6", after.initial_e6)),
    )
