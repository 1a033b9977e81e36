"""When a price report is believed: quorum, median, band, confirmation; the grace after a silence.

Mirrored by `contracts/oracle/OracleHub.sol`. A report also brackets each price: how far the sources
of the signers went from it since they reported last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from offchain.core.units import (
    ONE_E6,
    SECOND_NS,
    RatioE6,
    TimestampNs,
    ceil_div,
    mul_div_ceil,
    mul_div_floor,
)

ONE_E5 = 100_000
UNBOUNDED_E5 = 65_535
"""A span of that or more, or one that the signer does not know: no bound."""
HIGHEST = 2**63 - 1
"""Upper end of a bracket without a bound; a lower end without one is 0."""
MAX_STREAK = 255
"""Where a streak stops counting."""


@dataclass(frozen=True, slots=True)
class Grace:
    """After a silence longer than the heartbeat, how long nobody is liquidated (L-5).

    Attributes
    ----------
    heartbeat_ns : TimestampNs
        A longer silence is an outage.
    reports : int
        Accepted since the oracle came back, at least.
    length_ns : TimestampNs
        From the observation with which it came back to a usable one; whole seconds.
    """

    heartbeat_ns: TimestampNs
    reports: int
    length_ns: TimestampNs


@dataclass(frozen=True, slots=True)
class Standing:
    """How long the oracle had been back with a report.

    Attributes
    ----------
    resumed_at_s : int
        First observation after the last outage, rounded up. [s since 1970]
    streak : int
        Reports accepted since then, this one included; at most 255.
    is_settled : bool
        Whether the grace was over.
    """

    resumed_at_s: int = 0
    streak: int = 0
    is_settled: bool = False


NO_STANDING = Standing()


class Span(NamedTuple):
    """How far a signer's sources went below and above its value in an interval. [1e-5 of it]

    Rounded up, at most `UNBOUNDED_E5`.
    """

    down_e5: int
    up_e5: int


STILL = Span(0, 0)
UNKNOWN = Span(UNBOUNDED_E5, UNBOUNDED_E5)


class Bracket(NamedTuple):
    """Between what a price went in the interval of a report, in the unit of the price."""

    low: int
    high: int


def median_low(values: Sequence[int]) -> int:
    """Return element (k - 1) // 2 of the ascending values: the median, never a mean."""
    assert values
    return sorted(values)[(len(values) - 1) // 2]


def medians(observations: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Return the median of every feed over equally long observations."""
    return tuple(median_low(column) for column in zip(*observations, strict=True))


def is_within_band(new: Sequence[int], reference: Sequence[int], band_e6: RatioE6) -> bool:
    """Tell whether every value lies within the band of its reference (O-6)."""
    return all(
        abs(value - base) * ONE_E6 <= band_e6 * base
        for value, base in zip(new, reference, strict=True)
    )


def is_accepted(
    new: Sequence[int],
    last: Sequence[int] | None,
    pending: Sequence[int] | None,
    band_e6: RatioE6,
) -> bool:
    """Tell whether a report takes effect: the first, in band, or confirming the pending one."""
    if last is None or is_within_band(new, last, band_e6):
        return True
    return pending is not None and is_within_band(new, pending, band_e6)


def is_confirmation(new: Sequence[int], pending: Sequence[int] | None, band_e6: RatioE6) -> bool:
    """Tell whether the pending report vouches for an accepted one; else the last accepted does."""
    return pending is not None and is_within_band(new, pending, band_e6)


def next_standing(
    grace: Grace, observed_at_ns: int, base_at_ns: int, base: Standing, *, accepted: bool
) -> Standing:
    """Return the standing of a report behind the one that vouches for it (L-5).

    A jump continues the last accepted report and does not count. Without a base, `base_at_ns` is 0.
    """
    resumed_at_s, streak = base.resumed_at_s, base.streak
    if observed_at_ns <= base_at_ns or observed_at_ns - base_at_ns > grace.heartbeat_ns:
        resumed_at_s, streak = ceil_div(observed_at_ns, SECOND_NS), 0
    if accepted:
        streak = min(streak + 1, MAX_STREAK)
    age_s = observed_at_ns // SECOND_NS - resumed_at_s
    is_settled = streak >= grace.reports and age_s >= grace.length_ns // SECOND_NS
    return Standing(resumed_at_s, streak, is_settled)


def span_of(value: int, low: int, high: int) -> Span:
    """Return the span of a positive value whose sources went from `low` to `high`."""
    down = mul_div_ceil(max(0, value - low), ONE_E5, value)
    up = mul_div_ceil(max(0, high - value), ONE_E5, value)
    return Span(min(down, UNBOUNDED_E5), min(up, UNBOUNDED_E5))


def median_span(spans: Sequence[Span]) -> Span:
    """Return the medians of the downs and of the ups: no minority of signers sets them (O-8)."""
    downs, ups = zip(*spans, strict=True)
    return Span(median_low(downs), median_low(ups))


def bracket(median: int, span: Span) -> Bracket:
    """Return a positive median less and more the span, rounded outward; it lies between."""
    down, up = span
    low = 0 if down >= UNBOUNDED_E5 else mul_div_floor(median, ONE_E5 - down, ONE_E5)
    high = HIGHEST if up >= UNBOUNDED_E5 else mul_div_ceil(median, ONE_E5 + up, ONE_E5)
    return Bracket(low, min(high, HIGHEST))


def brackets(
    observations: Sequence[Sequence[int]], spans: Sequence[Sequence[Span]]
) -> tuple[Bracket, ...]:
    """Return the bracket of every feed over equally long observations and their spans."""
    found = zip(medians(observations), zip(*spans, strict=True), strict=True)
    return tuple(bracket(median, median_span(column)) for median, column in found)


def range_e5(span: Span) -> int:
    """Return how far apart the ends of a bracket are, at most `UNBOUNDED_E5`. [1e-5]"""
    return min(sum(span), UNBOUNDED_E5)


def median_deviation(values: Sequence[int]) -> int:
    """Return the median of the distances from the median: a spread that a minority cannot set."""
    middle = median_low(values)
    return median_low([abs(value - middle) for value in values])


def confidence_e6(values: Sequence[int], dispersion_e6: RatioE6) -> RatioE6:
    """Return how far the observers of one positive number agree, rounded down. [e-6]

    One when they agree, falling in a straight line to zero where their median deviation reaches
    `dispersion_e6` of the median.
    """
    middle = median_low(values)
    doubt = ceil_div(median_deviation(values) * ONE_E6 * ONE_E6, middle * dispersion_e6)
    return RatioE6(max(0, ONE_E6 - doubt))
