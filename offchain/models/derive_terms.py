"""Terms that Derive's managers share: naked shorts, confidences, the margin assembly's inputs.

Source: derive.md section 7, facts read from derivexyz/v2-core at 7736900d; nothing is copied.
"""

import math
from collections.abc import Sequence

import numpy as np

from offchain.models.black import Floats
from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.portfolio import ExpiryState, Market
from offchain.models.scenario_engine import OptionBook, Scenario


def naked_short(market: Market, expiry: int) -> float:
    """Return the naked short size of an expiry (derive.md 7.9).

    At each strike: the short amount; less the long one of the other kind, where one is short and
    the other long; calls never net across strikes or expiries.
    """
    held: dict[float, dict[bool, float]] = {}
    for option in market.options:
        if option.expiry == expiry:
            at_strike = held.setdefault(option.strike, {True: 0.0, False: 0.0})
            at_strike[option.is_call] += option.amount
    return math.fsum(_naked_at(both[True], both[False]) for both in held.values())


def _naked_at(calls: float, puts: float) -> float:
    if calls < 0 and puts < 0:
        return -calls - puts
    if calls < 0:
        return -calls - min(-calls, max(puts, 0.0))
    if puts < 0:
        return -puts - min(-puts, max(calls, 0.0))
    return 0.0


def gross_size(market: Market, expiry: int) -> float:
    """Return the sum of the sizes of all options of an expiry."""
    return math.fsum(abs(o.amount) for o in market.options if o.expiry == expiry)


def short_size(market: Market, expiry: int) -> float:
    """Return the sum of the sizes of the short options of an expiry."""
    return math.fsum(-o.amount for o in market.options if o.expiry == expiry and o.amount < 0)


def perpetual_confidence(market: Market) -> float:
    """Return min(spot, perpetual), spot alone without a perpetual position."""
    if market.perpetual_amount == 0:
        return market.spot_confidence
    return min(market.spot_confidence, market.perpetual_confidence)


def expiry_confidence(market: Market, expiry: ExpiryState) -> float:
    """Return min(spot, forward, rate, volatility)."""
    return min(
        market.spot_confidence,
        expiry.confidence_forward,
        expiry.confidence_rate,
        expiry.confidence_volatility,
    )


def low_confidence(confidence: float, notional: float, threshold: float, margin: float) -> float:
    """Return (1 - confidence) x margin x notional below the threshold, else 0."""
    return (1.0 - confidence) * margin * notional if confidence < threshold else 0.0


def price_multipliers(scenarios: Sequence[Scenario]) -> Floats:
    """Return float64[S]: the multiplier of options' forwards; a skew leaves them where they are."""
    return np.array([1.0 if s.is_skew else s.price for s in scenarios])


def grid_volatilities(
    book: OptionBook,
    scenarios: Sequence[Scenario],
    factor_up: Floats,
    factor_down: Floats,
    min_vol_up: float,
) -> Floats:
    """Return float64[I, S]: volatilities of the regular scenarios; skews are left unshocked.

    *Up* is max(min_vol_up, v gUp), *Down* v gDown, with one factor for each expiry.
    """
    by_kind = {
        "up": np.maximum(min_vol_up, book.volatilities * factor_up[book.expiry]),
        "down": book.volatilities * factor_down[book.expiry],
    }
    columns = [by_kind.get(s.volatility, book.volatilities) for s in scenarios]
    return np.stack(columns, axis=1)


def refuse_kinds(
    market: Market | None, *, futures: str | None = None, spot: str | None = None
) -> None:
    """Refuse positions of a kind that a model has no rule for; the texts say why.

    Raises
    ------
    UnsupportedPortfolioError
        Naming the underlying.
    """
    if market is None:
        return
    if futures is not None and market.futures:
        raise UnsupportedPortfolioError("positions", f"a future on {market.name}: {futures}")
    if spot is not None and market.spot_amount:
        raise UnsupportedPortfolioError("positions", f"spot of {market.name}: {spot}")
