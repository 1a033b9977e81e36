"""Parameter sets of the venues other than Derive (margin.md 2.1, 2.2, 2.5, 2.8, 2.9)."""

from dataclasses import replace

from offchain.models.deribit_pm import DeribitParameters
from offchain.models.linear_margin import (
    DeribitLinearParameters,
    DydxParameters,
    HyperliquidParameters,
    LeverageTier,
    SquareRootParameters,
)
from offchain.models.okx_tiers import OkxParameters
from offchain.models.paradex_pm import ParadexParameters
from offchain.models.scenario_engine import Scenario, Shock
from offchain.models.tiers import Tier

DERIBIT_BTC_USD = DeribitParameters(
    settlement="coin",
    price_range=0.16,
    volatility_range_up=0.50,
    volatility_range_down=0.25,
    min_volatility_for_shock_up=0.50,
    short_term_vega_power=0.30,
    long_term_vega_power=0.13,
    extended_moves=(-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0),
    extended_table_factor=1.0,
    extended_dampener=100_000.0,
    delta_total_liq_shock_threshold=20e6,
    m_inc=5e-5,
    max_delta_shock=0.10,
    annualised_move_risk=0.075,
    min_annualised_move=0.01,
    mm_factor=0.8,
    pnl_offset=1.0,
    days_to_expiry_floor=1.0,
)
"""As in the documentation of 2024. The floor on the days to expiry is ours: none is published."""

DERIBIT_USD_PAIRS = replace(
    DERIBIT_BTC_USD, settlement="usd", annualised_move_risk=0.10, extended_dampener=25_000.0
)
DERIBIT_ETH_USD = replace(
    DERIBIT_BTC_USD,
    price_range=0.18,
    volatility_range_up=0.40,
    m_inc=4e-6,
    annualised_move_risk=0.05,
    min_annualised_move=0.005,
    pnl_offset=0.6,
    extended_dampener=200_000.0,
)
"""From a production response of February 2026."""

DERIBIT_LINEAR = DeribitLinearParameters(
    initial_rate=0.02, maintenance_rate=0.01, slope_per_coin=0.00005
)
HYPERLIQUID_BTC = HyperliquidParameters(
    tiers=(LeverageTier(0.0, 40.0), LeverageTier(150e6, 20.0)), maintenance_share=0.5
)
DYDX_EXAMPLE = DydxParameters(
    base_imf=0.2,
    open_interest_lower=25e6,
    open_interest_upper=50e6,
    maintenance_fraction=0.5,
)
"""The published test value; the maintenance fraction is a placeholder of ours, to be overridden."""
BACKPACK_EXAMPLE = SquareRootParameters(
    base_imf=0.02, imf_factor=0.002, base_mmf=0.01, mmf_factor=0.0012
)
"""The form is published (margin.md 2.9); these figures are examples of ours."""

_MINIMUM_TIERS = tuple(
    Tier(lower, rate)
    for lower, rate in (
        (0.0, 1.0),
        (10e3, 2.0),
        (70e3, 4.0),
        (170e3, 6.0),
        (300e3, 8.0),
        (470e3, 10.0),
        (700e3, 12.0),
    )
)
_DEPEG_TIERS = (Tier(0.0, 0.0075), Tier(1e6, 0.0175), Tier(5e6, 0.025))
OKX_MAJORS = OkxParameters(
    spot_moves=(0.04, 0.08, 0.12),
    extreme_move=0.24,
    annual_move=0.05,
    im_factor=1.3,
    minimum_tiers=_MINIMUM_TIERS,
    depeg_tiers=_DEPEG_TIERS,
)
"""BTC and ETH, January 2025. Depeg tiers are known up to 10 million USD of hedge."""
OKX_MIDDLE = replace(OKX_MAJORS, spot_moves=(0.06, 0.12, 0.18), extreme_move=0.36, annual_move=0.15)
OKX_OTHERS = replace(OKX_MAJORS, spot_moves=(0.08, 0.16, 0.25), extreme_move=0.50, annual_move=0.30)

_BOTH: tuple[Shock, ...] = ("up", "down")
PARADEX = ParadexParameters(
    scenarios=(
        Scenario(1.16, "up"),
        *(
            Scenario(price, kind)
            for price in (1.12, 1.08, 1.04, 1.0, 0.96, 0.92, 0.88)
            for kind in _BOTH
        ),
        Scenario(0.84, "up"),
        *(
            Scenario(price, "up", weight)
            for price, weight in (
                (0.34, 0.24),
                (0.67, 0.48),
                (1.5, 0.32),
                (2.0, 0.16),
                (3.0, 0.08),
                (4.0, 0.0533),
                (5.0, 0.04),
                (6.0, 0.032),
            )
        ),
    ),
    vol_up=0.40,
    vol_down=0.22,
    short_power=0.30,
    long_power=0.13,
    dte_floor_days=1.0,
    net_delta_rate=0.02,
    hedged_delta_rate=0.01,
    mm_factor=0.5,
)
