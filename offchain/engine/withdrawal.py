"""What may leave an account."""

from offchain.core.collateral import least_amount
from offchain.engine.credit import credit_curves_of, credit_of
from offchain.engine.risk import account_margin, open_profit
from offchain.engine.state import State


def realised_cash(state: State, account: int) -> int:
    """Return realised money less unrealised losses: what an account may pay out. [USD e-6]"""
    profit = open_profit(state, state.accounts.positions(account))
    return int(state.accounts.cash[account]) + min(0, profit)


def withdrawable(state: State, account: int, asset: int) -> int:
    """Return what may leave an account now, in token units.

    Cash: realised money less unrealised losses, as far as initial margin stays covered; unrealised
    profit never leaves. Volatile collateral: as much as leaves initial margin covered, and any
    debt or unrealised loss covered by what stays.
    """
    margin = account_margin(state, account)
    free = margin.margin_balance_e6 - margin.initial_e6
    realised = realised_cash(state, account)
    if asset == 0:
        return max(0, min(realised, free))
    market = state.market
    amounts: list[int] = state.accounts.collateral[account].tolist()
    held, curve = amounts[asset - 1], credit_curves_of(market, account)[asset - 1]
    realised += credit_of(market, account, amounts)
    alone = [0] * len(amounts)
    alone[asset - 1] = held
    kept = least_amount(credit_of(market, account, alone) - min(realised, free), held, curve)
    return 0 if kept is None else held - kept
