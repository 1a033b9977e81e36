"""The parts of a parameter set that say what is required: add-ons, tiers, collateral, shortfall.

Rules between them are in `offchain.core.parameter_rules`.
"""

from dataclasses import dataclass

from offchain.core.units import RatioE6, TimestampNs, UsdE6


@dataclass(frozen=True, slots=True)
class Tier:
    """A marginal rate on the part of an amount above `lower_e6`. [USD e-6, e-6]"""

    lower_e6: UsdE6
    rate_e6: RatioE6


@dataclass(frozen=True, slots=True)
class AddonParameters:
    """What one underlying requires beyond its scan risk (docs/RISK_MODEL.md, section 5).

    Attributes
    ----------
    roll_rate_e6, roll_min_e6 : RatioE6
        Move between expiries: annualised, and at least.
    naked_mm_e6, naked_im_e6 : RatioE6
        Of the index value of each short option; the second in IM only, on top.
    delta_tiers : tuple of Tier
        Charge on the size of the net cash delta.
    unwind_linear_e6, unwind_option_e6 : RatioE6
        Cost of closing, of the index value of each lot.
    unwind_tiers : tuple of Tier
        Multiples of that cost by its size; the requirement is never below it.
    calm_vol_e8, calm_cover_e6 : int, RatioE6
        Net short vega of an expiry pays this share of the way up to the calm volatility; IM only.
    dispersion_e6, confidence_threshold_e6, confidence_factor_e6 : RatioE6
        Confidence falls from one to zero as the observations disperse; below the threshold, IM
        takes (1 - confidence) x factor of the index value of each lot.
    """

    roll_rate_e6: RatioE6
    roll_min_e6: RatioE6
    naked_mm_e6: RatioE6
    naked_im_e6: RatioE6
    delta_tiers: tuple[Tier, ...]
    unwind_linear_e6: RatioE6
    unwind_option_e6: RatioE6
    unwind_tiers: tuple[Tier, ...]
    calm_vol_e8: int
    calm_cover_e6: RatioE6
    dispersion_e6: RatioE6
    confidence_threshold_e6: RatioE6
    confidence_factor_e6: RatioE6


@dataclass(frozen=True, slots=True)
class CorrelationParameters:
    """How losses and gains of different underlyings meet.

    Gains in a common scenario are credited at `offset_e6`, at most `offset_cap_usd` (whole
    dollars); the result is never below `breakdown_e6` of the sum of the worst losses.
    """

    offset_e6: RatioE6
    offset_cap_usd: int
    breakdown_e6: RatioE6


@dataclass(frozen=True, slots=True)
class PegParameters:
    """When the cash asset trades below `threshold_e8`, IM grows by `factor_e6` x the distance."""

    threshold_e8: int
    factor_e6: RatioE6


@dataclass(frozen=True, slots=True)
class MarginClass:
    """Tiered linear margin of isolated and cross accounts, for a class of underlyings.

    Attributes
    ----------
    max_leverage : int
        1 / IM rate is nowhere above this.
    tiers : tuple of Tier
        Marginal maintenance rates on the notional of one instrument.
    im_multiple_e6 : RatioE6
        IM over MM.
    oi_lower_usd, oi_upper_usd : int
        Open interest between which the IM rate rises to one. [USD]
    concentration_free_usd : int
        Only what lies above this pays for concentration. [USD]
    concentration_share_e6, concentration_slope_e6 : RatioE6
        IM rate grows by slope x (share of the open interest - this share).
    """

    symbol: str
    max_leverage: int
    tiers: tuple[Tier, ...]
    im_multiple_e6: RatioE6
    oi_lower_usd: int
    oi_upper_usd: int
    concentration_free_usd: int
    concentration_share_e6: RatioE6
    concentration_slope_e6: RatioE6


@dataclass(frozen=True, slots=True)
class JointMove:
    """One historical scenario: relative moves of price and volatility by underlying. [e-6]"""

    prices_e6: tuple[int, ...]
    vols_e6: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShortfallModel:
    """Expected shortfall over filtered historical scenarios, as a second model of IM.

    With `weight_e6` zero, IM is the larger of both models; else (1 - weight) of PM-36 and weight of
    the shortfall, never below MM.
    """

    confidence_e6: RatioE6
    weight_e6: RatioE6
    moves: tuple[JointMove, ...]


@dataclass(frozen=True, slots=True)
class Bracket:
    """Of a holding up to `upto_e8`, at most `weight_e6` of the value counts. [token e-8, e-6]"""

    upto_e8: int
    weight_e6: RatioE6


@dataclass(frozen=True, slots=True)
class CollateralParameters:
    """A volatile collateral asset: USDC, asset 0, is not listed here.

    Asset ids count from 1 in listing order. One whole token is 10^8 units.

    Attributes
    ----------
    underlying : int
        Its index feed prices the asset.
    haircut_floor_e6, haircut_cap_e6 : RatioE6
        Bounds of the dynamic haircut.
    multiplier_e6 : RatioE6
        Haircut as a multiple of the volatility over the horizon: 1.25 x 2.33 by default.
    horizon_ns : TimestampNs
        Time to sell the asset.
    ratchet_e6 : RatioE6
        How far the haircut may fall in a day; it rises at once.
    brackets : tuple of Bracket
        Concentration: ascending amounts, falling weights; what lies above the last counts nothing.
    cap_e8 : int
        What the venue holds of the asset at most; a deposit beyond it goes back to its owner.
    """

    symbol: str
    underlying: int
    haircut_floor_e6: RatioE6
    haircut_cap_e6: RatioE6
    multiplier_e6: RatioE6
    horizon_ns: TimestampNs
    ratchet_e6: RatioE6
    brackets: tuple[Bracket, ...]
    cap_e8: int
