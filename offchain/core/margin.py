"""The margin rule: equity, margin balance, requirements, and which changes of risk are allowed.

Mirrored by `contracts/libraries/Margin.sol`. Ratios are compared by cross-multiplication.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.core.units import ONE_E6, RatioE6, UsdE6, ceil_div, mul_div_ceil, mul_div_floor


@dataclass(frozen=True, slots=True)
class AccountMargin:
    """The margin of one account at one epoch. [USD e-6]

    Attributes
    ----------
    equity_e6 : UsdE6
        Cash, collateral at full value and positions at their mark.
    margin_balance_e6 : UsdE6
        Equity after haircuts; what requirements are compared with.
    scan_e6 : UsdE6
        Worst scenario loss, summed over underlyings.
    addons_e6 : UsdE6
        Requirements beyond the scan; PM-36's add-ons enter here.
    maintenance_e6, initial_e6 : UsdE6
        MM = ceil(factor x (scan + add-ons)); IM = the same with resting orders and factor 1.
    worst : tuple of int
        The scenario that decides, for each underlying; 0 when nothing is lost.
    """

    equity_e6: UsdE6
    margin_balance_e6: UsdE6
    scan_e6: UsdE6
    addons_e6: UsdE6
    maintenance_e6: UsdE6
    initial_e6: UsdE6
    worst: tuple[int, ...]

    @property
    def ratio_e6(self) -> RatioE6 | None:
        """Margin balance over MM, rounded down, for display; None without a requirement."""
        return margin_ratio(self.margin_balance_e6, self.maintenance_e6)


def margin_ratio(balance_e6: int, maintenance_e6: int) -> RatioE6 | None:
    """Return floor(balance / maintenance) in millionths, for display; None when nothing is due."""
    if maintenance_e6 == 0:
        return None
    return RatioE6(mul_div_floor(balance_e6, ONE_E6, maintenance_e6))


def maintenance_margin(scan_e6: int, addons_e6: int, factor_e6: RatioE6) -> UsdE6:
    """Return ceil(factor x (scan + add-ons)). [USD e-6]"""
    return UsdE6(mul_div_ceil(scan_e6 + addons_e6, factor_e6, ONE_E6))


def is_below(balance_e6: int, maintenance_e6: int, trigger_e6: RatioE6) -> bool:
    """Tell whether an account is under a trigger on its margin ratio.

    A negative balance is under every trigger, even when no position requires margin.
    """
    return balance_e6 < 0 or balance_e6 * ONE_E6 < trigger_e6 * maintenance_e6


def is_valid_risk_change(
    balance_before: int, required_before: int, balance_after: int, required_after: int
) -> bool:
    """Tell whether an operation may leave this behind (INV-7, E-5).

    Allowed when the requirement is met afterwards, or when the ratio of balance to requirement
    does not fall. Where nothing was required there is no ratio, and the balance may not fall.
    Requirements are positive or zero; figures in USD e-6.
    """
    if balance_after >= required_after:
        return True
    if required_after > required_before:
        return False
    if required_before == 0:
        return balance_after >= balance_before
    return balance_after * required_before >= balance_before * required_after


def call_level(balance_e6: int, maintenance_e6: int, levels_e6: Sequence[int]) -> int:
    """Return how many call levels (descending thresholds) the margin ratio has passed."""
    return sum(1 for level in levels_e6 if is_below(balance_e6, maintenance_e6, RatioE6(level)))


def trade_cost_e6(lots: int, price_e8: int, lot_divisor: int, funding_e6: int) -> int:
    """Return what a trade adds to the cost of a position, exactly. [USD e-6]

    Prices are multiples of the lot divisor (checked where an order enters), so nothing rounds. The
    funding index of the moment is folded in, which is what makes funding accrue in O(1).
    """
    assert price_e8 % lot_divisor == 0
    return lots * (price_e8 // lot_divisor - funding_e6)


def fee_e6(lots: int, price_e8: int, lot_divisor: int, rate_e6: RatioE6) -> UsdE6:
    """Return a fee on a trade's notional, rounded up. [USD e-6]"""
    return UsdE6(mul_div_ceil(abs(lots) * (price_e8 // lot_divisor), rate_e6, ONE_E6))


def partial_lots(position_lots: int, numerator: int, denominator: int) -> int:
    """Return ceil(|position| x numerator / denominator), the lots that a partial step closes."""
    return ceil_div(abs(position_lots) * numerator, denominator)
