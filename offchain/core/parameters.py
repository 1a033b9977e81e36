"""Risk parameters: versioned data, checked as relations, hashed into every batch."""

from dataclasses import dataclass

from offchain.core.breaker import BreakerTerms
from offchain.core.instruments import Listing
from offchain.core.model_parameters import (
    AddonParameters,
    CollateralParameters,
    CorrelationParameters,
    MarginClass,
    PegParameters,
    ShortfallModel,
)
from offchain.core.oracle import Grace
from offchain.core.parameter_rules import ParameterError, check_parameters
from offchain.core.units import RatioE6, TimestampNs, UsdE6

__all__ = [
    "FundingParameters",
    "LiquidationParameters",
    "OracleParameters",
    "ParameterError",
    "RiskParameters",
    "ScanParameters",
    "Skew",
    "Tail",
]


@dataclass(frozen=True, slots=True)
class Tail:
    """An extreme move with volatility up, of which only a share is covered."""

    move_e6: int
    weight_e6: RatioE6


@dataclass(frozen=True, slots=True)
class Skew:
    """A tilt of the smile: volatility times 1 + slope x log-moneyness, within +-cap."""

    slope_e6: RatioE6
    cap_e6: RatioE6
    absolute: bool


@dataclass(frozen=True, slots=True)
class ScanParameters:
    """The scan grid of one underlying.

    27 cells k/4 x `price_range_e6` (k = -4..4) x volatility {down, same, up}, then 7 tails with
    volatility up, then 2 skews: 36 scenarios. Up and down factors are scaled by (30/DTE)^p with
    `vol_power_short_e6` below 30 days and `vol_power_long_e6` above.
    """

    price_range_e6: RatioE6
    vol_up_e6: RatioE6
    vol_down_e6: RatioE6
    min_vol_up_e8: int
    vol_power_short_e6: RatioE6
    vol_power_long_e6: RatioE6
    tails: tuple[Tail, ...]
    skews: tuple[Skew, ...]


@dataclass(frozen=True, slots=True)
class LiquidationParameters:
    """Thresholds on the margin ratio (margin balance / MM) and the terms of each step."""

    call_levels_e6: tuple[RatioE6, ...]
    partial_trigger_e6: RatioE6
    full_trigger_e6: RatioE6
    target_e6: RatioE6
    partial_cap_e6: RatioE6
    fee_e6: RatioE6
    band_mark_e6: RatioE6
    band_index_e6: RatioE6
    keeper_fee_e6: UsdE6


@dataclass(frozen=True, slots=True)
class FundingParameters:
    """Funding of perpetuals: rate over `period_ns`, damped and capped."""

    period_ns: TimestampNs
    interest_e8: int
    damper_e8: int
    cap_e8: int


@dataclass(frozen=True, slots=True)
class OracleParameters:
    """When a price report is believed, and when somebody may be liquidated by it.

    After a silence longer than the heartbeat nobody is before `grace_reports` accepted ones and
    `grace_ns`, in whole seconds, since the first of them (L-5).
    """

    signers: tuple[str, ...]
    quorum: int
    heartbeat_ns: TimestampNs
    band_e6: RatioE6
    grace_reports: int
    grace_ns: TimestampNs

    @property
    def grace(self) -> Grace:
        """What `core.oracle` needs to tell whether an outage is over."""
        return Grace(self.heartbeat_ns, self.grace_reports, self.grace_ns)


@dataclass(frozen=True, slots=True)
class RiskParameters:
    """One version of everything that decides a margin.

    `insurance_owner` and `backstop_owner` (0x addresses, lower case) own accounts 0 and 1: the
    insurance fund, which never holds a position, and the backstop that takes over what the book
    does not. A tail's weight already contains range / |move|. `scan`, `addons`, `class_of` and
    `breakers` have one entry for each underlying, `shortfall` none or one.
    """

    version: int
    listing: Listing
    scan: tuple[ScanParameters, ...]
    addons: tuple[AddonParameters, ...]
    correlation: CorrelationParameters
    peg: PegParameters
    shortfall: tuple[ShortfallModel, ...]
    classes: tuple[MarginClass, ...]
    class_of: tuple[int, ...]
    collateral: tuple[CollateralParameters, ...]
    mm_factor_e6: RatioE6
    taker_fee_e6: RatioE6
    liquidation: LiquidationParameters
    funding: FundingParameters
    oracle: OracleParameters
    breakers: tuple[BreakerTerms, ...]
    insurance_owner: str
    backstop_owner: str

    def __post_init__(self) -> None:
        """Refuse a set that breaks a relation, naming the rule."""
        check_parameters(self)
