"""Are the exceedances of a range as frequent as promised, and do they come alone?

Kupiec's proportion of failures (1995) and Christoffersen's independence (1998), both likelihood
ratios with one degree of freedom. They judge a proposal; no proposed number depends on them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

CRITICAL_95 = 3.841_459
"""95 % point of the chi-squared distribution with one degree of freedom."""


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """A test statistic, its p-value, and whether 95 % confidence does not reject."""

    statistic: float
    p_value: float
    passes: bool


def kupiec(observations: int, exceedances: int, expected_rate: float) -> LikelihoodRatio:
    """Test whether the rate of exceedances is the expected one."""
    calm = observations - exceedances
    expected = _log_likelihood(calm, exceedances, expected_rate)
    observed = _log_likelihood(calm, exceedances, exceedances / max(observations, 1))
    return _ratio(expected, observed)


def christoffersen(exceeded: Sequence[bool]) -> LikelihoodRatio:
    """Test whether an exceedance makes the next one no more likely; needs a time order."""
    counts = {(a, b): 0 for a in (False, True) for b in (False, True)}
    for before, after in pairwise(exceeded):
        counts[bool(before), bool(after)] += 1
    after_calm = counts[False, False] + counts[False, True]
    after_hit = counts[True, False] + counts[True, True]
    hits = counts[False, True] + counts[True, True]
    together = _log_likelihood(
        after_calm + after_hit - hits, hits, hits / max(len(exceeded) - 1, 1)
    )
    apart = _log_likelihood(
        counts[False, False], counts[False, True], counts[False, True] / max(after_calm, 1)
    ) + _log_likelihood(
        counts[True, False], counts[True, True], counts[True, True] / max(after_hit, 1)
    )
    return _ratio(together, apart)


def _log_likelihood(misses: int, hits: int, rate: float) -> float:
    """Return misses x ln(1 - rate) + hits x ln(rate), where 0 x ln(0) is 0."""
    below = misses * math.log1p(-rate) if misses else 0.0
    return below + (hits * math.log(rate) if hits else 0.0)


def _ratio(restricted: float, free: float) -> LikelihoodRatio:
    statistic = max(0.0, -2.0 * (restricted - free))
    return LikelihoodRatio(
        statistic, math.erfc(math.sqrt(statistic / 2.0)), passes=statistic <= CRITICAL_95
    )
