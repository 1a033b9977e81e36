"""What collateral counts for, account by account.

Traders' holdings are credited by brackets. The backstop's are credited at the price of the first
bracket, whatever their size, because that is the price at which it buys: taking collateral over
never lowers its margin balance.
"""

from collections.abc import Sequence

from offchain.core.collateral import CreditCurve, collateral_value, total_credit
from offchain.core.units import PriceE8, UsdE6
from offchain.engine.accounts import BACKSTOP, BALANCE_LIMIT
from offchain.engine.market import Market
from offchain.engine.state import State


def credit_curves_of(market: Market, account: int) -> tuple[CreditCurve, ...]:
    """Return the credit curve of each volatile collateral for an account."""
    if account != BACKSTOP:
        return market.curves
    return tuple(((BALANCE_LIMIT, int(price)),) for price in sale_prices(market))


def sale_prices(market: Market) -> tuple[PriceE8, ...]:
    """Return the price at which the backstop buys each volatile collateral. [USD e-8]

    The index less the haircut; less than that only where the first bracket counts for less.
    """
    return tuple(PriceE8(curve[0][1]) for curve in market.curves)


def credit_of(market: Market, account: int, amounts_e8: Sequence[int]) -> UsdE6:
    """Return what holdings add to the margin balance of an account. [USD e-6]"""
    if not amounts_e8:
        return UsdE6(0)
    curves = credit_curves_of(market, account)
    return total_credit(amounts_e8[: len(curves)], curves)


def full_value(state: State, market: Market, amounts_e8: Sequence[int]) -> UsdE6:
    """Return the value of holdings at the index, before any haircut. [USD e-6]"""
    return UsdE6(
        sum(
            collateral_value(int(amount), market.medians[terms.underlying])
            for amount, terms in zip(amounts_e8, state.rules.collateral, strict=False)
            if amount
        )
    )
