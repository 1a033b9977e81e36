"""Volatility of one strike from raw SVI, as Derive evaluates it (derive.md 7.3)."""

import math

from offchain.models.errors import MarginFileError
from offchain.models.schema import Svi

MAX_VARIANCE = 144.0
SMALLEST_RATIO = 1e-18
"""K / F_svi below this rounds to 0 on chain, and k is then -B."""


def svi_volatility(svi: Svi, strike: float, path: str) -> float:
    """Return the volatility at a strike; 0 at strike 0.

    B = 4 sqrt(a + b sigma), k = ln(K / F_svi) within [-B, B],
    w = min(a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), 144), volatility = sqrt(w / tau_svi).

    Raises
    ------
    MarginFileError
        The surface gives a negative variance.
    """
    if strike == 0:
        return 0.0
    base = svi.a + svi.b * svi.sigma
    if base < 0:
        raise MarginFileError(path, "a + b sigma is negative, so the surface has no bound")
    bound = 4.0 * math.sqrt(base)
    ratio = strike / svi.forward
    k = -bound if ratio < SMALLEST_RATIO else min(max(math.log(ratio), -bound), bound)
    wing = svi.rho * (k - svi.m) + math.sqrt((k - svi.m) ** 2 + svi.sigma**2)
    variance = svi.a + svi.b * wing
    if variance < 0:
        raise MarginFileError(path, f"the variance at strike {strike:g} is negative")
    return math.sqrt(min(variance, MAX_VARIANCE) / svi.tau)
