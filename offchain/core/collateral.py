"""What volatile collateral is worth to a margin account.

Two values: the plain one counts in equity, the haircut one in the margin balance. Both round down.
"""

from numba import njit

from offchain.core.units import ONE_E6, PriceE8, RatioE6, UsdE6, mul_div_floor

UNITS_E10 = 10**10
"""A price [USD e-8] times an amount [units e-8], divided by this, is USD e-6."""
HALF = 100_000
"""The kernel splits both factors at 10^5, so that no product leaves 63 bits."""


def haircut_price(price_e8: int, haircut_e6: RatioE6) -> PriceE8:
    """Return the price after the haircut, rounded down. [USD e-8]"""
    return PriceE8(mul_div_floor(price_e8, ONE_E6 - haircut_e6, ONE_E6))


def collateral_value_reference(amount_e8: int, price_e8: int) -> UsdE6:
    """Return floor(amount x price / 10^10) in unbounded integers; defines the kernel."""
    return UsdE6(mul_div_floor(amount_e8, price_e8, UNITS_E10))


@njit(cache=True)
def collateral_value(amount_e8: int, price_e8: int) -> int:
    """Return the value of an amount, rounded down.

    Parameters
    ----------
    amount_e8 : int64
        Units of the asset, 0 <= amount < 2**40. [1e-8]
    price_e8 : int64
        Price, 0 <= price < 2**46. [USD e-8]

    Returns
    -------
    int64
        floor(amount x price / 10^10). [USD e-6]

    Notes
    -----
    Exact. With a = a1*10^5 + a0 and p = p1*10^5 + p0, the middle terms are below
    (2**23.4 * 10^5 + 10^5 * 2**29.4) * 10^5 < 2**63.
    """
    a1, a0 = amount_e8 // HALF, amount_e8 % HALF
    p1, p0 = price_e8 // HALF, price_e8 % HALF
    return a1 * p1 + ((a1 * p0 + a0 * p1) * HALF + a0 * p0) // UNITS_E10
