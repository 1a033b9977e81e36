"""What volatile collateral is worth to a margin account.

Two values: the plain one counts in equity, the haircut one in the margin balance. Both round down.
Amount times price needs more than 63 bits, so these are Python integers and not a kernel.
"""

from offchain.core.units import ONE_E6, PriceE8, RatioE6, UsdE6, mul_div_floor

UNITS_E10 = 10**10
"""A price [USD e-8] times an amount [units e-8], divided by this, is USD e-6."""


def haircut_price(price_e8: int, haircut_e6: RatioE6) -> PriceE8:
    """Return the price after the haircut, rounded down. [USD e-8]"""
    return PriceE8(mul_div_floor(price_e8, ONE_E6 - haircut_e6, ONE_E6))


def collateral_value(amount_e8: int, price_e8: int) -> UsdE6:
    """Return the value of an amount, floor(amount x price / 10^10). [USD e-6]"""
    return UsdE6(mul_div_floor(amount_e8, price_e8, UNITS_E10))
