"""What a folder of history holds, found by the names of its files.

========================================  =====================================================
``calibration/*spot_{SYMBOL}USD*.csv.gz``   prices: ts, close [, volume]; required
``vol/*_{SYMBOL}_*.csv.gz``                 30-day volatility index: ts, close; optional
``vol/*surface_summary*.csv.gz``            ts, ccy, atm_iv_7d, .._30d, .._90d, .._180d; optional
``funding/*_{SYMBOL}*_8h_*.csv.gz``         ts, funding_rate for 8 hours; optional
``collateral/usdc_depeg_*.csv.gz``          ts, implied_usdc_usd; optional
========================================  =====================================================

A dollar series may be quoted in USD or USDT. Plain ``.csv`` is taken as well. When several files
fit, the first by name is used.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offchain.calibration.errors import HistoryMissingError, HistoryTooShortError
from offchain.calibration.history_file import read_columns, read_series
from offchain.calibration.series import Ints, Series
from offchain.calibration.settings import DAY_S
from offchain.calibration.statistics import Floats, median

TENORS = (7, 30, 90, 180)
SMALLEST_SURFACE = 30
SYNTHETIC_MARK = "synthetic"
"""Files that the product made itself have this word in their names."""


@dataclass(frozen=True)
class Surface:
    """At-the-money volatilities by tenor [days], NaN where unknown, at irregular times."""

    file: str
    times: Ints
    tenors: dict[int, Floats]


@dataclass(frozen=True)
class Depeg:
    """The price of USDC in dollars around an event."""

    file: str
    times: Ints
    prices: Floats


@dataclass(frozen=True)
class History:
    """Everything that a calibration reads.

    Attributes
    ----------
    files : tuple of str
        The files that were used.
    prices : dict
        By symbol of the underlying; the others have keys among these.
    volatilities, surfaces, funding_rates : dict
        By symbol; may be empty.
    turnover_usd : dict
        Median turnover of a day in dollars, by symbol, where the price file tells volumes.
    depeg : Depeg or None
    """

    files: tuple[str, ...]
    prices: dict[str, Series]
    volatilities: dict[str, Series]
    surfaces: dict[str, Surface]
    funding_rates: dict[str, Floats]
    turnover_usd: dict[str, float]
    depeg: Depeg | None

    @property
    def is_synthetic(self) -> bool:
        """Whether a price is generated and not observed."""
        return any(SYNTHETIC_MARK in series.file for series in self.prices.values())


def read_history(folder: Path, symbols: tuple[str, ...]) -> History:
    """Read the history of some underlyings.

    Raises
    ------
    HistoryMissingError
        The folder has no price file for an underlying.
    HistoryError
        A file breaks its format.
    """
    used: list[Path] = []
    prices, volatilities, turnover, surfaces, funding = {}, {}, {}, {}, {}
    for symbol in symbols:
        path = _first(folder, f"calibration/*spot_{symbol}USD*", used)
        if path is None:
            raise HistoryMissingError(
                f"{folder.name}: no file calibration/*spot_{symbol}USD*.csv.gz"
            )
        prices[symbol] = read_series(path)
        if (turned := _turnover(path, prices[symbol])) is not None:
            turnover[symbol] = turned
        if path := _first(folder, f"vol/*_{symbol}_*", used):
            volatilities[symbol] = read_series(path)
        if path := _first(folder, "vol/*surface_summary*", used):
            surfaces[symbol] = _surface(path, symbol)
        if path := _first(folder, f"funding/*_{symbol}*_8h_*", used):
            funding[symbol] = _funding(path)
    depeg = _depeg(path) if (path := _first(folder, "collateral/usdc_depeg_*", used)) else None
    names = tuple(sorted({path.relative_to(folder).as_posix() for path in used}))
    return History(names, prices, volatilities, surfaces, funding, turnover, depeg)


def _first(folder: Path, pattern: str, used: list[Path]) -> Path | None:
    found = sorted(p for end in (".csv", ".csv.gz") for p in folder.glob(pattern + end))
    used += found[:1]
    return found[0] if found else None


def _turnover(path: Path, prices: Series) -> float | None:
    """Return the median turnover of a day: closes times volumes."""
    table = read_columns(path, (), optional=("volume",), signed=True)
    if "volume" not in table:
        return None
    steps = median((prices.values * np.array(table["volume"])).tolist())
    return steps * (DAY_S / prices.step_s)


def _funding(path: Path) -> Floats:
    rates = read_columns(path, ("funding_rate",), signed=True)["funding_rate"]
    if not rates:
        raise HistoryTooShortError(path.name, 1, "no row")
    return np.array(rates)


def _surface(path: Path, symbol: str) -> Surface:
    names = [f"atm_iv_{tenor}d" for tenor in TENORS]
    table = read_columns(path, names, blanks=True, where={"ccy": symbol})
    tenors = {tenor: np.array(table[name]) for tenor, name in zip(TENORS, names, strict=True)}
    for tenor, values in tenors.items():
        if np.isfinite(values).sum() < SMALLEST_SURFACE:
            rule = f"fewer than {SMALLEST_SURFACE} values of {symbol} at {tenor} days"
            raise HistoryTooShortError(path.name, len(table["ts"]) + 1, rule)
    return Surface(path.name, np.array(table["ts"]).astype(np.int64), tenors)


def _depeg(path: Path) -> Depeg | None:
    """Read the event; Kraken's file tells no price of USDC and is passed over."""
    table = read_columns(path, (), optional=("implied_usdc_usd",), blanks=True)
    if "implied_usdc_usd" not in table:
        return None
    prices = np.array(table["implied_usdc_usd"])
    known = np.isfinite(prices)
    if not known.any():
        raise HistoryTooShortError(path.name, len(prices) + 1, "no price of USDC")
    return Depeg(path.name, np.array(table["ts"]).astype(np.int64)[known], prices[known])
