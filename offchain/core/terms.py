"""The terms of a parameter set: the eight numbers that may be tightened above its document."""

from dataclasses import dataclass, replace

from offchain.core.parameters import RiskParameters
from offchain.core.units import RatioE6, UsdE6

TERMS = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """`Terms` of `contracts/types/Liquidation.sol`.

    Ratios in 1e-6, the fee in USD e-6, the cap of offsets in USD.
    """

    mm_factor_e6: int
    partial_trigger_e6: int
    full_trigger_e6: int
    partial_cap_e6: int
    offset_e6: int
    breakdown_e6: int
    keeper_fee_e6: int
    offset_cap_usd: int


def terms(parameters: RiskParameters) -> Terms:
    """Return the terms of a parameter set."""
    correlation, liquidation = parameters.correlation, parameters.liquidation
    return Terms(
        parameters.mm_factor_e6,
        liquidation.partial_trigger_e6,
        liquidation.full_trigger_e6,
        liquidation.partial_cap_e6,
        correlation.offset_e6,
        correlation.breakdown_e6,
        liquidation.keeper_fee_e6,
        correlation.offset_cap_usd,
    )


def with_terms(documented: RiskParameters, laid: Terms) -> RiskParameters:
    """Return the set of a document with other terms above its own.

    No contract sees target and call levels, so terms that the contract took must not founder on
    them: a target below the partial trigger is raised to it, and call levels that the trigger has
    reached fall away. Laying a set's own terms above it gives the same set.

    Raises
    ------
    ParameterError
        The terms break a rule of `check_parameters`.
    """
    trigger, liquidation = RatioE6(laid.partial_trigger_e6), documented.liquidation
    return replace(
        documented,
        mm_factor_e6=RatioE6(laid.mm_factor_e6),
        correlation=replace(
            documented.correlation,
            offset_e6=RatioE6(laid.offset_e6),
            breakdown_e6=RatioE6(laid.breakdown_e6),
            offset_cap_usd=laid.offset_cap_usd,
        ),
        liquidation=replace(
            liquidation,
            call_levels_e6=tuple(e for e in liquidation.call_levels_e6 if e > trigger),
            partial_trigger_e6=trigger,
            full_trigger_e6=RatioE6(laid.full_trigger_e6),
            target_e6=RatioE6(max(liquidation.target_e6, trigger)),
            partial_cap_e6=RatioE6(laid.partial_cap_e6),
            keeper_fee_e6=UsdE6(laid.keeper_fee_e6),
        ),
    )
