"""Turning the collateral of an account into cash, for what it owes."""

from offchain.core.collateral import UNITS_E10, collateral_value
from offchain.core.units import AccountId, ceil_div
from offchain.engine.accounts import BACKSTOP
from offchain.engine.credit import sale_prices
from offchain.engine.events import CollateralSold
from offchain.engine.state import State


def collateral_sales(state: State, account: AccountId, needed_e6: int) -> list[CollateralSold]:
    """Return the sales to the backstop that raise what is needed, asset by asset.

    The least amount of each that is enough, as far as it reaches; nothing when nothing is needed.
    The backstop's margin balance does not fall: it counts the asset at that same price.
    """
    sales: list[CollateralSold] = []
    for asset, price in enumerate(sale_prices(state.market), start=1):
        held = int(state.accounts.collateral[account, asset - 1])
        if price == 0 or held == 0 or needed_e6 <= 0:
            continue
        amount = min(held, ceil_div(needed_e6 * UNITS_E10, price))
        cash = collateral_value(amount, price)
        sales.append(CollateralSold(asset, amount, cash, account, BACKSTOP))
        needed_e6 -= cash
    return sales


def sale_worth(state: State, account: AccountId) -> int:
    """Return what all collateral of an account would bring. [USD e-6]"""
    return sum(
        collateral_value(int(state.accounts.collateral[account, asset]), price)
        for asset, price in enumerate(sale_prices(state.market))
    )
