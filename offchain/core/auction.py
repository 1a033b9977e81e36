"""Dutch auction of a slice of an account: the same share of every position, and of its balance.

*Solvent*: whoever bids takes over a share of everything at the marks together with that share of
the margin balance, and pays part of it back at once: at first nearly all, later less, so that
the discount grows until somebody takes it. *Insolvent*: the slice comes with a debt, and the bidder
is paid for taking it: nothing at first, in the end the debt and a bonus on what the slice requires.

Both prices are straight lines in time, rounded against the bidder, so whoever has the log knows
what every bid must have paid.
"""

from collections.abc import Callable
from dataclasses import dataclass

from offchain.core.bisection import smallest
from offchain.core.units import ONE_E6, RatioE6, TimestampNs, UsdE6, ceil_div, floor_div

SHARE_ONE = 1 << 16
"""A share of the account, as a number of 1/65536."""


@dataclass(frozen=True, slots=True)
class AuctionTerms:
    """How an auction goes.

    Attributes
    ----------
    start_e6, cut_e6 : RatioE6
        Of the slice's balance, what a bidder pays at first and after `fast_ns`; descending. [e-6]
    fast_ns, slow_ns : TimestampNs
        From start to cut, and from cut to zero.
    insolvent_ns : TimestampNs
        From nothing to the whole payment.
    bonus_e6 : RatioE6
        Of the slice's maintenance margin, on top of its debt, at the end. [e-6]
    close_out_e6 : UsdE6
        An account with a smaller margin balance goes as a whole.
    """

    start_e6: RatioE6
    cut_e6: RatioE6
    fast_ns: TimestampNs
    slow_ns: TimestampNs
    insolvent_ns: TimestampNs
    bonus_e6: RatioE6
    close_out_e6: UsdE6

    def __post_init__(self) -> None:
        """Refuse terms under which a price would not fall, or would fall below nothing."""
        if not 0 <= self.cut_e6 <= self.start_e6 <= ONE_E6:
            raise ValueError("an auction starts at most at the whole balance, and falls")
        if min(self.fast_ns, self.slow_ns, self.insolvent_ns) <= 0:
            raise ValueError("every phase of an auction takes time")
        if not 0 <= self.bonus_e6 <= ONE_E6 or self.close_out_e6 < 0:
            raise ValueError("a bonus is a share, and a close-out not negative")


def paid_share_e6(elapsed_ns: int, terms: AuctionTerms) -> RatioE6:
    """Return the share of the slice's balance that a bidder pays, rounded up. [e-6]

    Zero at the end of the slow phase and after it: then nobody wanted the slice for nothing.
    """
    if elapsed_ns < 0:
        raise ValueError("an auction has not begun")
    if elapsed_ns < terms.fast_ns:
        fall = (terms.start_e6 - terms.cut_e6) * elapsed_ns
        return RatioE6(ceil_div(terms.start_e6 * terms.fast_ns - fall, terms.fast_ns))
    left = max(0, terms.fast_ns + terms.slow_ns - elapsed_ns)
    return RatioE6(ceil_div(terms.cut_e6 * left, terms.slow_ns))


def is_unsold(elapsed_ns: int, terms: AuctionTerms) -> bool:
    """Tell whether a solvent auction has ended without a bid for the rest."""
    return elapsed_ns >= terms.fast_ns + terms.slow_ns


def solvent_payment_e6(balance_e6: int, share: int, elapsed_ns: int, terms: AuctionTerms) -> UsdE6:
    """Return what a bidder pays for a share of an account, rounded up. [USD e-6]

    Parameters
    ----------
    balance_e6 : int
        Margin balance of the whole account, not negative.
    share : int
        Of everything, from 1 to `SHARE_ONE`.
    """
    _check(share)
    if balance_e6 < 0:
        raise ValueError("an account with a debt is sold in an insolvent auction")
    part = balance_e6 * share * paid_share_e6(elapsed_ns, terms)
    return UsdE6(ceil_div(part, SHARE_ONE * ONE_E6))


def insolvent_payment_e6(
    balance_e6: int, maintenance_e6: int, share: int, elapsed_ns: int, terms: AuctionTerms
) -> UsdE6:
    """Return what a bidder is paid for taking a share of an account over, rounded down. [USD e-6]

    Parameters
    ----------
    balance_e6, maintenance_e6 : int
        Of the whole account. A balance above zero, which nobody wanted, counts as no debt.
    """
    _check(share)
    if elapsed_ns < 0:
        raise ValueError("an auction has not begun")
    bonus = floor_div(maintenance_e6 * terms.bonus_e6, ONE_E6)
    whole = max(0, -balance_e6) + bonus
    part = whole * share * min(elapsed_ns, terms.insolvent_ns)
    return UsdE6(floor_div(part, SHARE_ONE * terms.insolvent_ns))


def largest_share(balance_e6: int, restores: Callable[[int], bool], terms: AuctionTerms) -> int:
    """Return the share that may be sold: the smallest that restores the account, or all of it.

    Parameters
    ----------
    restores : callable
        Whether the account is back at its target once this share is gone; asked at most 16 times.
        Once true it stays true for larger shares, as margins shrink with the slice.
    """
    if balance_e6 < terms.close_out_e6 or not restores(SHARE_ONE - 1):
        return SHARE_ONE
    return smallest(0, SHARE_ONE - 1, restores)


def _check(share: int) -> None:
    if not 0 < share <= SHARE_ONE:
        raise ValueError(f"a share of {share} / {SHARE_ONE}")
