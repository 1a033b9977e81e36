"""Funding of perpetuals: an index in money per lot that is folded into every position's cost."""

from offchain.core.parameters import FundingParameters
from offchain.core.units import ONE_E8, floor_div


def premium_e8(mid_e8: int | None, index_e8: int) -> int:
    """Return (mid - index) / index, rounded down; zero without two sides in the book. [1e-8]"""
    return 0 if mid_e8 is None else floor_div((mid_e8 - index_e8) * ONE_E8, index_e8)


def funding_rate_e8(premium: int, parameters: FundingParameters) -> int:
    """Return the rate for one funding period, positive when longs pay. [1e-8]

    F = P + clamp(interest - P, +-damper), then within +-cap: the damped form that Hyperliquid and
    Binance publish (reference: margin model, section 2.11).
    """
    damped = clamp(parameters.interest_e8 - premium, parameters.damper_e8)
    return clamp(premium + damped, parameters.cap_e8)


def funding_step_e6(
    rate_e8: int, index_lot_value_e6: int, elapsed_ns: int, parameters: FundingParameters
) -> int:
    """Return how far the cumulative index of one lot moves, rounded down. [USD e-6]

    At most one period is charged for a gap of any length. What rounding leaves is not lost: lots
    sum to zero in every instrument, so any integer step moves money between accounts exactly.
    """
    elapsed = min(elapsed_ns, parameters.period_ns)
    return floor_div(rate_e8 * index_lot_value_e6 * elapsed, ONE_E8 * parameters.period_ns)


def clamp(value: int, limit: int) -> int:
    """Return the value held within +-limit."""
    return max(-limit, min(limit, value))
