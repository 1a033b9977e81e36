"""When a price report is believed: quorum, median, band, confirmation; the grace after a silence.

Mirrored by `contracts/oracle/OracleHub.sol`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.core.units import ONE_E6, SECOND_NS, RatioE6, TimestampNs, ceil_div

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
