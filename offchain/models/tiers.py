"""Marginal tiers: a rate for each slice of a notional, and their deduction form.

MM = N m_k - D_k in tier k, with D_k = D_{k-1} + lower_k (m_k - m_{k-1}): the marginal sum, which
is continuous (Hyperliquid's and Binance's form, margin.md 2.9).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from offchain.models.quantities import NonNegative

MAX_TIERS = 64


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Tier:
    """From `lower` on, every further unit is charged at `rate`."""

    lower: NonNegative
    rate: NonNegative


def _ascending(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    lowers = [t.lower for t in tiers]
    if lowers[0] != 0 or lowers != sorted(set(lowers)):
        raise ValueError("lower bounds must ascend from 0")
    return tiers


Tiers = Annotated[
    tuple[Tier, ...], Field(min_length=1, max_length=MAX_TIERS), AfterValidator(_ascending)
]


def deductions(tiers: Sequence[Tier]) -> tuple[float, ...]:
    """Return D_k of each tier; D_0 = 0."""
    found = [0.0]
    for before, tier in pairwise(tiers):
        found.append(found[-1] + tier.lower * (tier.rate - before.rate))
    return tuple(found)


def tier_of(size: float, tiers: Sequence[Tier]) -> int:
    """Return the tier in which a size lies; an upper bound belongs to the lower tier."""
    return max((k for k, t in enumerate(tiers) if size > t.lower), default=0)


def tiered(size: float, tiers: Sequence[Tier]) -> float:
    """Return the marginal sum over the slices of a size."""
    k = tier_of(size, tiers)
    return size * tiers[k].rate - deductions(tiers)[k]
