"""The margin rule: equity, margin balance, requirements, and which changes of risk are allowed.

Mirrored by `contracts/libraries/Margin.sol`. Ratios are compared by cross-multiplication.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from offchain.core.addons import Addons
from offchain.core.linear_margin import InstrumentMargin
from offchain.core.model_parameters import PegParameters
from offchain.core.units import (
    ONE_E6,
    ONE_E8,
    RatioE6,
    UsdE6,
    ceil_div,
    mul_div_ceil,
    mul_div_floor,
)


class Mode(IntEnum):
    """How an account is margined (docs/RISK_MODEL.md, section 9)."""

    ISOLATED = 0  # one linear instrument, tiered margin
    CROSS = 1  # any number of linear instruments, tiered margin
    PORTFOLIO = 2  # everything, by scenarios


@dataclass(frozen=True, slots=True)
class AccountMargin:
    """The margin of one account at one epoch, line by line. [USD e-6]

    Attributes
    ----------
    mode : Mode
        Portfolio accounts have `scan_e6` and `addons`, the others `lines` and `slippage_e6`.
    equity_e6 : UsdE6
        Cash, collateral at full value and positions at their mark.
    margin_balance_e6 : UsdE6
        Equity after haircuts; what requirements are compared with.
    scan_e6, scan_with_orders_e6 : UsdE6
        Scan risk across underlyings, and with the worst fills of resting orders.
    addons : Addons
        Requirements beyond the scan; `floor_e6` is not added, but the least of the whole.
    lines : tuple of InstrumentMargin
        Of isolated and cross accounts, one for each instrument held or ordered.
    slippage_e6 : UsdE6
        What their resting orders lose against the mark when they fill; IM only.
    peg_e6 : RatioE6
        By how much IM grows while the cash asset is off its peg.
    shortfall_e6 : UsdE6 or None
        Expected shortfall, where the second model is in force.
    maintenance_e6, initial_e6 : UsdE6
        MM and IM.
    worst : tuple of int
        The scenario that decides, for each underlying; one for all where `is_correlated`.
    is_correlated : bool
        Whether a common scenario decides, or the worst of each (correlation broken down).
    """

    mode: Mode
    equity_e6: UsdE6
    margin_balance_e6: UsdE6
    scan_e6: UsdE6
    scan_with_orders_e6: UsdE6
    addons: Addons
    lines: tuple[InstrumentMargin, ...]
    slippage_e6: UsdE6
    peg_e6: RatioE6
    shortfall_e6: UsdE6 | None
    maintenance_e6: UsdE6
    initial_e6: UsdE6
    worst: tuple[int, ...]
    is_correlated: bool

    @property
    def ratio_e6(self) -> RatioE6 | None:
        """Margin balance over MM, rounded down, for display; None without a requirement."""
        return margin_ratio(self.margin_balance_e6, self.maintenance_e6)

    @property
    def addons_e6(self) -> UsdE6:
        """What MM adds to the scan risk."""
        return self.addons.maintenance_e6

    @property
    def floor_e6(self) -> UsdE6:
        """The unwinding cost, below which scan risk and add-ons together never count."""
        return self.addons.unwind_e6


def margin_ratio(balance_e6: int, maintenance_e6: int) -> RatioE6 | None:
    """Return floor(balance / maintenance) in millionths, for display; None when nothing is due."""
    if maintenance_e6 == 0:
        return None
    return RatioE6(mul_div_floor(balance_e6, ONE_E6, maintenance_e6))


def maintenance_margin(
    scan_e6: int, addons_e6: int, factor_e6: RatioE6, floor_e6: int = 0
) -> UsdE6:
    """Return MM of a portfolio: ceil(factor x max(scan + add-ons, floor)). [USD e-6]"""
    return UsdE6(mul_div_ceil(max(scan_e6 + addons_e6, floor_e6), factor_e6, ONE_E6))


def initial_margin(base_e6: int, peg_e6: RatioE6, maintenance_e6: int) -> UsdE6:
    """Return IM: ceil((1 + peg) x base), never below MM. [USD e-6]"""
    return UsdE6(max(maintenance_e6, mul_div_ceil(base_e6, ONE_E6 + peg_e6, ONE_E6)))


def initial_with_shortfall(
    initial_e6: int, shortfall_e6: int, weight_e6: RatioE6, maintenance_e6: int
) -> UsdE6:
    """Return IM of both models: the larger, or the mix by weight; never below MM. [USD e-6]"""
    if weight_e6 == 0:
        return UsdE6(max(initial_e6, shortfall_e6, maintenance_e6))
    mixed = (ONE_E6 - weight_e6) * initial_e6 + weight_e6 * shortfall_e6
    return UsdE6(max(maintenance_e6, ceil_div(mixed, ONE_E6)))


def peg_e6(stable_e8: int, terms: PegParameters) -> RatioE6:
    """Return how much IM grows at a price of the cash asset, rounded up. [e-6]"""
    distance = max(0, terms.threshold_e8 - stable_e8)
    return RatioE6(mul_div_ceil(distance, terms.factor_e6, ONE_E8))


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
