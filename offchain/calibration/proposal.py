"""A whole calibration: from a history and settings to proposed numbers and their evidence."""

from dataclasses import dataclass

from offchain.calibration.backtest import Backtest, backtest
from offchain.calibration.correlation import Correlation, correlate
from offchain.calibration.filtered import FilteredHistory, filter_history
from offchain.calibration.haircut import Haircut, propose_haircut
from offchain.calibration.historical_scenarios import ScenarioSet, historical_scenarios
from offchain.calibration.history import History
from offchain.calibration.scan_range import (
    RangeParts,
    StressedWindows,
    range_parts,
    stressed_windows,
)
from offchain.calibration.settings import Settings
from offchain.calibration.venue_terms import (
    DepegTerms,
    FundingCheck,
    check_funding,
    depeg_terms,
)
from offchain.calibration.volatility_history import VolatilityHistory, volatility_history
from offchain.calibration.volatility_shock import VolatilityShocks, volatility_shocks


@dataclass(frozen=True)
class UnderlyingProposal:
    """What is proposed for one underlying, and on which evidence."""

    symbol: str
    history: FilteredHistory
    stress: StressedWindows
    volatility: VolatilityHistory
    range: RangeParts
    shocks: VolatilityShocks
    backtest: Backtest


@dataclass(frozen=True)
class Proposal:
    """Targets, before any bound on their change; nothing here knows the present parameter set."""

    settings: Settings
    files: tuple[str, ...]
    is_synthetic: bool
    underlyings: tuple[UnderlyingProposal, ...]
    correlation: Correlation | None
    haircuts: tuple[Haircut, ...]
    funding: tuple[FundingCheck, ...]
    depeg: DepegTerms | None
    scenarios: ScenarioSet


def propose(history: History, settings: Settings) -> Proposal:
    """Calibrate every underlying of a history; a pure function of its arguments.

    Raises
    ------
    HistoryError
        Some file is too short for its window or does not move.
    """
    underlyings = tuple(_propose_underlying(history, symbol, settings) for symbol in history.prices)
    symbols = [u.symbol for u in underlyings]
    scenarios = historical_scenarios(
        symbols,
        {u.symbol: u.history for u in underlyings},
        {u.symbol: u.stress for u in underlyings},
        {u.symbol: u.volatility for u in underlyings},
        settings,
    )
    series = list(history.prices.values())
    return Proposal(
        settings,
        history.files,
        history.is_synthetic,
        underlyings,
        correlate(series[0], series[1], settings) if len(series) > 1 else None,
        tuple(
            propose_haircut(
                history.prices[asset.underlying],
                asset,
                history.turnover_usd.get(asset.underlying),
                settings,
            )
            for asset in settings.assets
            if asset.underlying in history.prices
        ),
        tuple(
            check_funding(symbol, rates, settings)
            for symbol, rates in history.funding_rates.items()
        ),
        depeg_terms(history.depeg, settings) if history.depeg else None,
        scenarios,
    )


def _propose_underlying(history: History, symbol: str, settings: Settings) -> UnderlyingProposal:
    filtered = filter_history(history.prices[symbol], settings)
    stress = stressed_windows(filtered, settings)
    volatility = volatility_history(history, symbol, settings.seed_days)
    return UnderlyingProposal(
        symbol,
        filtered,
        stress,
        volatility,
        range_parts(filtered, stress, len(filtered.series.times) - 1, settings),
        volatility_shocks(volatility, history.surfaces.get(symbol), settings),
        backtest(filtered, stress, settings),
    )
