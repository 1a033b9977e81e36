"""Withdraw: debit at once, pay on chain when the batch is final."""

from offchain.engine.commands.intents import refuse_intent, refuse_unsettled_prices
from offchain.engine.events import Event, NonceUsed, Withdrawn
from offchain.engine.messages import Withdraw
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State
from offchain.engine.withdrawal import withdrawable


def decide(
    state: State, command: Withdraw, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept what the account can spare; without positions or debt no price is needed."""
    account = command.account
    refused = refuse_intent(state, account, command.nonce, command.expires_at_ns, time_ns)
    if refused:
        return refused
    if not 0 <= command.asset <= len(state.rules.collateral):
        return Rejected(Reason.BAD_ASSET, (("asset", command.asset),))
    if command.amount <= 0:
        return Rejected(Reason.BAD_AMOUNT, (("amount", command.amount),))
    free = available(state, account, command.asset, time_ns)
    if isinstance(free, Rejected):
        return free
    if command.amount > free:
        return Rejected(Reason.NOT_WITHDRAWABLE, (("amount", command.amount), ("available", free)))
    output = Withdrawn(
        state.next_output_id,
        account,
        state.accounts.owner[account],
        command.asset,
        command.amount,
    )
    return (NonceUsed(account, command.nonce), output)


def available(state: State, account: int, asset: int, time_ns: int) -> int | Rejected:
    """Return what may leave an account, in token units; Rejected when prices are in doubt.

    Without positions, orders or debt it is what the account has, whatever the prices.
    """
    accounts = state.accounts
    carries_risk = accounts.counts[account] or state.order_count(account)
    if not carries_risk and accounts.cash[account] >= 0:
        if asset == 0:
            return int(accounts.cash[account])
        return int(accounts.collateral[account, asset - 1])
    # While a jump waits for confirmation, what looks free now may be owed then.
    return refuse_unsettled_prices(state, time_ns) or withdrawable(state, account, asset)
