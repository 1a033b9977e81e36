"""What one report says about each group of a plan, in the words that the risk kernels take."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.core.parameters import RiskParameters
from offchain.pricing.black76 import root_of_time
from offchain.pricing.fixed_point import ln
from offchain.pricing.risk_kernel import (
    MARKET_COLUMNS,
    PRICE_LOG,
    W0,
    fill_volatilities,
)
from offchain.pricing.risk_plan import NONE, Group, Plan
from offchain.pricing.surface import (
    WORD_VARIANCE,
    Surface,
    decode_surface,
    money_variance,
    surface_volatility_reference,
    surface_words,
)
from offchain.pricing.volatility import shock_factors

Int64Array = NDArray[np.int64]


def market_of(
    plan: Plan, parameters: RiskParameters, medians: Sequence[int], now_ns: int
) -> Int64Array:
    """Return int64[G, 14], one row for each group; columns in `risk_kernel`."""
    market = np.zeros((len(plan.groups), MARKET_COLUMNS), np.int64)
    for place, group in enumerate(plan.groups):
        row = _row(group, parameters, medians, now_ns)
        market[place, : len(row)] = row
    return market


def _row(
    group: Group, parameters: RiskParameters, medians: Sequence[int], now_ns: int
) -> tuple[int, ...]:
    """Return the columns of one group that are not zero."""
    if now_ns >= group.expiry_ns:  # always true of a perpetual, whose expiry is 0
        price = medians[group.underlying]
        return price, ln(price), int(group.expiry_ns == 0)
    price, remaining = medians[group.forward], group.expiry_ns - now_ns
    if group.volatility == NONE:
        return price, 0, 1
    scan = parameters.scan[group.underlying]
    return (
        price,
        ln(price),
        1,
        root_of_time(remaining),
        *shock_factors(remaining, scan),
        scan.min_vol_up_e8,
        *_smile(_surface(group, medians), remaining),
    )


def _surface(group: Group, medians: Sequence[int]) -> Surface:
    shape = None if group.shape is None else [medians[place] for place in group.shape]
    return decode_surface(medians[group.volatility], shape)


def _smile(surface: Surface, remaining_ns: int) -> tuple[int, ...]:
    """Return V0 and what follows it; a smile that needs wider words says so in W0."""
    if surface.is_flat:
        return (surface.v0_e8,)
    if money_variance(surface.v0_e8, remaining_ns) >= WORD_VARIANCE:
        return surface.v0_e8, WORD_VARIANCE
    return surface_words(surface, remaining_ns)


def own_volatilities(
    plan: Plan, market: Int64Array, medians: Sequence[int], now_ns: int
) -> Int64Array:
    """Return the volatility of each series, int64[N], from the smile of its group. [e-8].

    A variance at the money of 64 or more (ten-fold volatility for eight months) does not fit the
    kernel, and its smile is evaluated by the definition.
    """
    volatilities = np.zeros(plan.series.shape[0], np.int64)
    fill_volatilities(plan.series, market, volatilities)
    for place in np.flatnonzero(market[:, W0] >= WORD_VARIANCE).tolist():
        group = plan.groups[place]
        surface, remaining = _surface(group, medians), group.expiry_ns - now_ns
        for j in np.flatnonzero(plan.series[:, 0] == place).tolist():
            moneyness = int(market[place, PRICE_LOG]) - int(plan.series[j, 2])
            volatilities[j] = surface_volatility_reference(surface, remaining, moneyness)
    return volatilities
