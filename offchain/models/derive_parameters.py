"""Derive's parameter sets (derive.md 7.11 and 7.14).

``mainnet`` is the configuration in the repository (scripts/config-mainnet.sol; live values may
differ), ``tests`` the default of its published test cases.
"""

from dataclasses import replace

from offchain.models.derive_auction import AuctionParameters
from offchain.models.derive_pm1 import Pm1Parameters
from offchain.models.derive_pm2 import Pm2Parameters
from offchain.models.derive_srm import SrmParameters
from offchain.models.scenario_engine import Scenario, Shock

_KINDS: tuple[Shock, ...] = ("up", "none", "down")
_INNER = (1.135, 1.09, 1.045, 1.0, 0.955, 0.91, 0.865)
_SKEWS = (Scenario(1.0, "linear"), Scenario(1.0, "abs"))


def grid(inner: tuple[float, ...], *edges: float) -> tuple[Scenario, ...]:
    """Return every inner price with volatility up, none, down, between edges with up alone."""
    cells = [Scenario(price, kind) for price in inner for kind in _KINDS]
    first = [Scenario(price, "up") for price in edges[:1]]
    last = [Scenario(price, "up") for price in edges[1:]]
    return (*first, *cells, *last)


def tails(share: float, prices: tuple[float, ...]) -> tuple[Scenario, ...]:
    """Return tails with volatility up, dampened by share x 18 % / |s - 1|."""
    return tuple(Scenario(s, "up", share * 0.18 / abs(s - 1.0)) for s in prices)


PM2_MAINNET = Pm2Parameters(
    scenarios=(
        *grid(_INNER, 1.18, 0.82),
        *tails(0.77, (0.34, 0.67, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)),
        *_SKEWS,
    ),
    im_factor=1.0,
    mm_factor=0.8,
    forward_up=1.045,
    forward_down=0.955,
    add_factor=0.5,
    mult_factor=2.0,
    vol_up=0.5,
    vol_down=0.3,
    min_vol_up=0.4,
    short_power=0.3,
    long_power=0.13,
    dte_floor_days=1.0,
    long_base=1.05,  # the reverse of what one expects; derive.md 2.6
    long_mult=0.0,
    long_add=0.16,
    short_base=0.95,
    short_mult=0.0,
    short_add=0.16,
    linear_base_cap=0.25,
    linear_c_base=-0.1,
    abs_base_cap=0.25,
    abs_c_base=-0.1,
    min_k_star=0.01,
    width=4.0,
    vol_param_static=0.6,
    vol_param_scale=0.0,
    peg_threshold=0.99,
    peg_factor=4.0,
    confidence_threshold=0.55,
    confidence_margin=1.0,
    perp_mm=0.03,
    perp_im=0.01,
    option_mm=0.003,
    option_im=0.002,
)

PM2_TESTS = replace(
    PM2_MAINNET,
    scenarios=(
        *grid(_INNER, 1.18, 0.82),
        *tails(0.2, (0.34, 0.67, 1.5, 2.0, 3.0, 4.0)),
        *_SKEWS,
    ),
    vol_down=0.275,
    min_vol_up=0.45,
    long_base=0.95,
    long_mult=1.0,
    long_add=0.08,
    short_base=1.04,
    short_mult=0.5,
    short_add=0.08,
    linear_base_cap=0.15,
    linear_c_base=-0.05,
    abs_base_cap=0.15,
    abs_c_base=-0.05,
    vol_param_scale=-0.1,
    peg_threshold=0.98,
    peg_factor=2.0,
    perp_mm=0.015,
    perp_im=0.005,
)

_PM1_INNER = (1.15, 1.10, 1.05, 1.0, 0.95, 0.90, 0.85)

PM1_MAINNET = Pm1Parameters(
    scenarios=grid(_PM1_INNER, 1.2, 0.8),
    im_factor=1.25,
    long_base=0.95,
    long_mult=1.0,
    long_add=0.12,
    vol_up=0.6,
    vol_down=0.3,
    short_power=0.3,
    long_power=0.13,
    dte_floor_days=1.0,
    forward_up=1.05,
    forward_down=0.95,
    add_factor=1.0,
    mult_factor=1.2,
    peg_threshold=0.99,
    peg_factor=4.0,
    confidence_threshold=0.55,
    confidence_margin=1.0,
    base_percentage=0.03,
    perp_percentage=0.03,
    option_percentage=0.02,
)

PM1_TESTS = replace(
    PM1_MAINNET,
    scenarios=grid(_PM1_INNER),
    im_factor=1.3,
    long_mult=4.0,
    long_add=0.05,
    vol_up=0.45,
    add_factor=0.25,
    mult_factor=0.01,
    peg_threshold=0.98,
    peg_factor=2.0,
    confidence_threshold=0.6,
    confidence_margin=0.5,
    base_percentage=0.02,
    perp_percentage=0.02,
    option_percentage=0.01,
)

PM1_PORTFOLIO_TESTS = replace(
    PM1_TESTS,
    long_add=0.12,
    confidence_margin=0.4,
    base_percentage=0.025,
    perp_percentage=0.025,
)
"""The values in brackets in derive.md 7.11: those of the "-portfolio-pm" file."""

SRM_MAINNET = SrmParameters(
    perp_mm=0.065,
    perp_im=0.10,
    max_spot=0.15,
    min_spot=0.13,
    mm_call=0.09,
    mm_put=0.09,
    mm_put_mtm=0.09,
    unpaired_im=1.2,
    unpaired_mm=1.1,
    mm_offset=1.05,
    depeg_threshold=0.99,
    depeg_factor=2.0,
    perp_confidence_threshold=0.55,
    option_confidence_threshold=0.55,
    base_confidence_threshold=0.55,
    oracle_factor=1.0,
    base_factor=0.8,
    im_scale=0.9375,
)
"""Base factor and scale are those of ETH; an underlying that is not named below has them too."""
SRM_MAINNET_MARKETS = {
    "BTC": {"base_factor": 0.75, "im_scale": 0.93},
    "DEGEN": {"perp_mm": 0.20, "perp_im": 0.33},
    "TRUMP": {"perp_mm": 0.45, "perp_im": 0.50},
    "SNX": {"base_factor": 0.70, "im_scale": 0.65},
}
"""derive.md 2.1."""

SRM_TESTS = replace(
    SRM_MAINNET,
    perp_mm=0.05,
    perp_im=0.065,
    min_spot=0.10,
    mm_call=0.075,
    mm_put=0.075,
    mm_put_mtm=0.075,
    depeg_threshold=0.98,
    depeg_factor=1.2,
    perp_confidence_threshold=0.4,
    option_confidence_threshold=0.4,
    base_confidence_threshold=0.4,
    oracle_factor=0.4,
    im_scale=1.0,
)

AUCTION_MAINNET = AuctionParameters(
    start=0.95,
    cut=0.70,
    fast_seconds=900.0,
    slow_seconds=43_200.0,
    buffer=0.15,
    fee_rate=0.10,
    insolvent_seconds=3_600.0,
)
AUCTION_TESTS = AuctionParameters(
    start=0.98,
    cut=0.80,
    fast_seconds=100.0,
    slow_seconds=14_400.0,
    buffer=0.20,
    fee_rate=0.02,
    insolvent_seconds=600.0,
)
