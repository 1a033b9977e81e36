"""Black's formula on arrays, in floats: prices under the bounds that Derive states, and Greeks.

With t = v sqrt(tau), x = K / F:  d1 = (t^2/2 - ln x) / t,  d2 = d1 - t,
c = max(0, N(d1) - x N(d2)), p = max(0, c + x - 1), call = min(c, 1) F D, put = min(p, x) F D.
(Black 1976, eq. 16; limits of derive.md 7.5: t and x at least 1e-18, c = 1 for t >= 24.)
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SMALLEST = 1e-18
LARGEST_DEVIATION = 24.0
_ROOT_HALF = math.sqrt(0.5)
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)


def normal(x: Floats) -> Floats:
    """Return N(x), to the accuracy of the library's erfc (about 1e-16 relative)."""
    flat = np.ravel(x)
    values = np.fromiter(
        (0.5 * math.erfc(-v * _ROOT_HALF) for v in flat.tolist()), np.float64, flat.size
    )
    return values.reshape(np.shape(x))


def option_prices(
    forwards: Floats,
    strikes: Floats,
    volatilities: Floats,
    taus: Floats,
    discounts: Floats,
    is_call: Booleans,
) -> Floats:
    """Return prices of European options; all arguments broadcast together. [USD].

    Parameters
    ----------
    forwards, strikes : float64
        At least 0. A strike of 0 is worth F D as a call, a forward of 0 is worth K D as a put.
    volatilities, taus, discounts : float64
        Per year; years; factor.
    is_call : bool
        Call or put.
    """
    shape = np.broadcast_shapes(
        forwards.shape, strikes.shape, volatilities.shape, taus.shape, is_call.shape
    )
    deviations = np.broadcast_to(np.maximum(volatilities * np.sqrt(taus), SMALLEST), shape)
    has_both = np.broadcast_to((forwards > 0) & (strikes > 0), shape)
    safe_forwards = np.where(forwards > 0, forwards, 1.0)
    ratios = np.broadcast_to(np.maximum(strikes / safe_forwards, SMALLEST), shape)
    d1 = (deviations * deviations / 2 - np.log(ratios)) / deviations
    d2 = d1 - deviations
    calls = np.maximum(0.0, normal(d1) - ratios * normal(d2))
    calls = np.where(deviations >= LARGEST_DEVIATION, 1.0, calls)
    puts = np.maximum(0.0, calls + ratios - 1.0)
    scaled = np.where(is_call, np.minimum(calls, 1.0), np.minimum(puts, ratios))
    edge = np.where(
        is_call,
        np.where(strikes == 0, forwards, 0.0),
        np.where(forwards == 0, strikes, 0.0),
    )
    return np.where(has_both, scaled * forwards, edge) * discounts


@dataclass(frozen=True, slots=True)
class Greeks:
    """Price and sensitivities of one European option in the generalised Black-Scholes model.

    Attributes
    ----------
    price : float
        Present value.
    delta, gamma : float
        With respect to spot (or, with carry 0, to the forward quoted as spot).
    vega, rho : float
        For a change of 1.00 in volatility, or in the rate with carry moving along. [per 1.00]
    theta : float
        For one year of time passing. [per year]
    """

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


def generalised_black_scholes(
    spot: float,
    strike: float,
    tau: float,
    rate: float,
    carry: float,
    volatility: float,
    *,
    is_call: bool,
) -> Greeks:
    """Return price and Greeks with cost of carry b (Haug 2007, ch. 1.1.6 and 2).

    b = r is Black-Scholes, b = r - q Merton with dividend yield, b = 0 Black-76, b = r - rf
    Garman-Kohlhagen. Rho is for b = 0: -T price; else with b moving along with r.
    """
    growth, discount = math.exp((carry - rate) * tau), math.exp(-rate * tau)
    side = 1.0 if is_call else -1.0
    deviation = volatility * math.sqrt(tau)
    if deviation <= 0 or strike <= 0 or spot <= 0:
        return _certain(spot * growth, strike * discount, spot, tau, rate, carry, side)
    d1 = (
        math.log(spot) - math.log(strike) + (carry + volatility * volatility / 2) * tau
    ) / deviation
    d2 = d1 - deviation
    n1, n2 = _normal(side * d1), _normal(side * d2)
    density = _DENSITY * math.exp(-d1 * d1 / 2)
    price = max(0.0, side * (spot * growth * n1 - strike * discount * n2))
    decay = spot * growth * density * volatility / (2 * math.sqrt(tau))
    theta = (
        -decay - side * (carry - rate) * spot * growth * n1 - side * rate * strike * discount * n2
    )
    return Greeks(
        price=price,
        delta=side * growth * n1,
        gamma=growth * density / (spot * deviation),
        vega=spot * growth * density * math.sqrt(tau),
        theta=theta,
        rho=-tau * price if carry == 0 else side * tau * strike * discount * n2,
    )


def _certain(
    asset: float, cash: float, spot: float, tau: float, rate: float, carry: float, side: float
) -> Greeks:
    """Return price and Greeks where nothing is random: exercised for certain, or worth nothing."""
    value = side * (asset - cash)
    if value <= 0:
        return Greeks(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Greeks(
        price=value,
        delta=side * asset / spot if spot > 0 else 0.0,
        gamma=0.0,
        vega=0.0,
        theta=-side * ((carry - rate) * asset + rate * cash) if tau > 0 else 0.0,
        rho=-tau * value if carry == 0 else side * tau * cash,
    )


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x * _ROOT_HALF)
