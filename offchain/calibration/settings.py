"""What a calibration is told: windows, confidence, stress, bounds, grids and floors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from offchain.calibration.errors import SettingsError
from offchain.core.units import ONE_E6

DAY_S = 86_400
LONG_RUN_DAYS = 3_650
"""Ten years, as EMIR RTS 153/2013 Art. 28(1)(c) asks; less when history is shorter."""


class StressRule(StrEnum):
    """The three ways of EMIR RTS 153/2013 Art. 28(1) to keep margins from falling too low."""

    BUFFER = "buffer"  # (a) 25 % on top
    STRESSED_WEIGHT = "stressed weight"  # (b) 25 % weight on stressed observations
    LONG_RUN = "long-run volatility"  # (c) never below the margin at ten-year volatility


@dataclass(frozen=True, slots=True)
class Asset:
    """How the haircut of one kind of collateral is bounded, and whose volatility it follows."""

    symbol: str
    underlying: str
    floor_e6: int
    cap_e6: int


ASSETS = (
    Asset("BTC", "BTC", 50_000, 500_000),
    Asset("ETH", "ETH", 100_000, 500_000),
    Asset("LST", "ETH", 150_000, 600_000),  # liquid staking tokens, on the volatility of ether
)
"""USDC is the cash asset: its haircut is 0 and its risk is the depeg term."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every choice of a calibration, with its default. Shares and rates are in 1e-6.

    Attributes
    ----------
    lookback_days, confidence_e6, horizon_days
        Window of the filtered history, one-sided confidence and holding horizon. EMIR RTS
        153/2013 asks for at least 99.5 % (Art. 24, OTC), 12 months (Art. 25) and two days
        (Art. 26, other than OTC).
    decay_e6
        Lambda of the exponentially weighted variance, for a day. A step of a part of a day gets
        the same part of 1 - lambda.
    stress_days, stress_weight_e6, buffer_e6, rules
        Length of a stressed window, its weight, the buffer, and the rules that are used: the
        range is the largest of their results.
    max_up_e6, max_down_e6
        Largest relative change of a requirement from one set to the next, up and down. A credit
        (offset, weight of a bracket, power beyond 30 days) has them the other way round.
    range_grid_e6, shock_grid_e6, haircut_grid_e6
        Steps to which results are rounded, up.
    recalibration_days
        Time between two sets in the back-test and between the ends of stressed windows.
    correlation_days
        Length of a rolling window of daily returns.
    scenario_count, stressed_scenarios
        Size of the historical scenario set, and how many of it come from the stressed windows.
    collateral_days, collateral_participation_e6, collateral_impact_e9
        Time to sell collateral, the share of the market's turnover that the sale may be, and the
        impact k of an asset whose turnover is not known, in 1e-9 per square root of a dollar.
    """

    lookback_days: int = 1_095
    confidence_e6: int = 995_000
    horizon_days: int = 2
    decay_e6: int = 970_000
    seed_days: int = 30
    stress_days: int = 90
    stress_weight_e6: int = 250_000
    buffer_e6: int = 250_000
    rules: tuple[StressRule, ...] = (StressRule.STRESSED_WEIGHT, StressRule.LONG_RUN)
    max_up_e6: int = 250_000
    max_down_e6: int = 100_000
    range_grid_e6: int = 2_500
    shock_grid_e6: int = 10_000
    haircut_grid_e6: int = 2_500
    recalibration_days: int = 7
    backtest_start_days: int = 365
    correlation_days: int = 90
    scenario_count: int = 1_024
    stressed_scenarios: int = 256
    collateral_days: int = 1
    collateral_participation_e6: int = 10_000
    collateral_impact_e9: Mapping[str, int] = field(
        default_factory=lambda: {"BTC": 5_000, "ETH": 10_000, "LST": 50_000}
    )
    assets: tuple[Asset, ...] = ASSETS

    def __post_init__(self) -> None:
        """Refuse a setting that makes no sense, naming the rule."""
        s = self
        for rule, holds in (
            ("90 % <= confidence < 100 %", 900_000 <= s.confidence_e6 < ONE_E6),
            ("1 day <= horizon <= 10 days", 1 <= s.horizon_days <= 10),
            ("horizon < stressed window <= 10 years", s.horizon_days < s.stress_days <= 3_650),
            ("180 days <= look-back <= 10 years", 180 <= s.lookback_days <= LONG_RUN_DAYS),
            ("0.9 <= lambda < 1", 900_000 <= s.decay_e6 < ONE_E6),
            ("7 days <= seed <= 90 days", 7 <= s.seed_days <= 90),
            ("0 <= stressed weight <= 1", 0 <= s.stress_weight_e6 <= ONE_E6),
            ("0 <= buffer <= 1", 0 <= s.buffer_e6 <= ONE_E6),
            ("at least one rule against procyclicality", len(s.rules) > 0),
            ("the change up is positive, at most 100 %", 0 < s.max_up_e6 <= ONE_E6),
            ("the change down lies between 0 and 100 %", 0 < s.max_down_e6 < ONE_E6),
            ("grids are positive", min(s.range_grid_e6, s.shock_grid_e6, s.haircut_grid_e6) > 0),
            ("1 day <= recalibration <= 90 days", 1 <= s.recalibration_days <= 90),
            ("30 <= correlation window", 30 <= s.correlation_days <= 365),
            (
                "stressed scenarios are a part of all, at most 4,096",
                0 < s.stressed_scenarios < s.scenario_count <= 4_096,
            ),
            ("1 day <= time to sell collateral <= 10 days", 1 <= s.collateral_days <= 10),
            ("0 < participation <= 1", 0 < s.collateral_participation_e6 <= ONE_E6),
            (
                "haircut floors <= caps < 1",
                all(0 <= a.floor_e6 <= a.cap_e6 < ONE_E6 for a in s.assets),
            ),
        ):
            if not holds:
                raise SettingsError(rule)
