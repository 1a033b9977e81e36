"""How much the insurance fund may pay out for one instrument within an hour.

A run on the fund in one market must not empty it for all others: what exceeds the cap goes on to
the next stage of the waterfall. Payments are counted by the minute, and one counts until it is an
hour old at least, and at most a minute more.
"""

from dataclasses import dataclass

from offchain.core.units import ONE_E6, SECOND_NS, RatioE6, TimestampNs, UsdE6, floor_div

MINUTE_NS = 60 * SECOND_NS
MINUTES = 60


@dataclass(frozen=True, slots=True)
class InsuranceCaps:
    """What the fund pays for one instrument in an hour at most.

    Attributes
    ----------
    hourly_e6 : UsdE6
        In money.
    share_e6 : RatioE6
        Of what the fund held when it is asked, with what it paid in the hour. [e-6]
    """

    hourly_e6: UsdE6
    share_e6: RatioE6

    def __post_init__(self) -> None:
        """Refuse caps that are negative or more than the fund."""
        if self.hourly_e6 < 0 or not 0 <= self.share_e6 <= ONE_E6:
            raise ValueError("a cap is not negative, and at most the whole fund")


@dataclass(frozen=True, slots=True)
class Spending:
    """What was paid for one instrument: (minute since 1970, amount), ascending, the last hour."""

    minutes: tuple[tuple[int, int], ...] = ()

    def within_hour(self, time_ns: TimestampNs) -> UsdE6:
        """Return what counts at a time. [USD e-6]"""
        first = time_ns // MINUTE_NS - MINUTES
        return UsdE6(sum(amount for minute, amount in self.minutes if minute >= first))

    def and_paid(self, amount_e6: int, time_ns: TimestampNs) -> "Spending":
        """Return this with a payment more; times do not go back."""
        if amount_e6 < 0:
            raise ValueError("a payment is not negative")
        now = time_ns // MINUTE_NS
        kept = [m for m in self.minutes if m[0] >= now - MINUTES]
        if kept and kept[-1][0] == now:
            kept[-1] = (now, kept[-1][1] + amount_e6)
        elif amount_e6:
            kept.append((now, amount_e6))
        return Spending(tuple(kept))


def payable_e6(
    fund_e6: int, spending: Spending, time_ns: TimestampNs, caps: InsuranceCaps
) -> UsdE6:
    """Return the most that the fund pays for an instrument now; never negative, nor beyond it."""
    spent = spending.within_hour(time_ns)
    share = floor_div((max(0, fund_e6) + spent) * caps.share_e6, ONE_E6)
    return UsdE6(max(0, min(fund_e6, caps.hourly_e6 - spent, share - spent)))
