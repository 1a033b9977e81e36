"""When a price report is believed: quorum, median, band and confirmation.

Mirrored by `contracts/oracle/OracleHub.sol`.
"""

from collections.abc import Sequence

from offchain.core.units import ONE_E6, RatioE6, ceil_div


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
