"""When a price report is believed: quorum, median, band and confirmation.

Mirrored by `contracts/oracle/OracleHub.sol`.
"""

from collections.abc import Sequence

from offchain.core.units import ONE_E6, RatioE6


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
