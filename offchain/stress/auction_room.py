"""Auctions of accounts that neither book nor backstop took, among makers of stated appetite.

Every maker wants a return on the notional that he takes over, and carries so much of it. While an
account still has a balance its auction runs on from step to step, and whoever is content takes his
slice. With a debt nobody waits: the payment rises to its end within one step, each maker bids when
it contents him, and what is left goes on to the fund and to deleveraging. (Left to run for a
minute of the crash of May 2021, auctions of debts tripled the deficit.)
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from offchain.core.auction import (
    SHARE_ONE,
    AuctionTerms,
    insolvent_payment_e6,
    is_unsold,
    largest_share,
    solvent_payment_e6,
)
from offchain.core.parameters import LiquidationParameters
from offchain.core.units import ONE_E6, SECOND_NS, RatioE6, TimestampNs, UsdE6, ceil_div, floor_div
from offchain.stress.lab import Lab
from offchain.stress.winners import maintenance_of

TERMS = AuctionTerms(
    start_e6=RatioE6(950_000),
    cut_e6=RatioE6(700_000),
    fast_ns=TimestampNs(40 * SECOND_NS),
    slow_ns=TimestampNs(80 * SECOND_NS),
    insolvent_ns=TimestampNs(15 * SECOND_NS),
    bonus_e6=RatioE6(100_000),
    close_out_e6=UsdE6(100 * ONE_E6),
)
"""Derive's shape (95 % to 70 %, then to nothing), in minutes where Derive takes hours."""
WANTED_E6 = (200, 10_000)
"""Return on notional that makers want: from 0.02 % to 1 %, evenly. [e-6]"""
CARRIED = 2
"""Notional of a maker over his balance, at most."""


@dataclass(slots=True)
class AuctionRoom:
    """Running auctions, by account: when each began.

    Attributes
    ----------
    wants : sequence of (return wanted [1e-6], maker), optional
        The most modest first; drawn when none is given.
    """

    terms: AuctionTerms = TERMS
    wants: Sequence[tuple[int, int]] | None = None
    _began_ns: dict[int, int] = field(default_factory=dict)

    def keep(self, accounts: Collection[int]) -> None:
        """Forget the auctions of whoever is no longer below a level."""
        wanted = set(accounts)
        self._began_ns = {a: t for a, t in self._began_ns.items() if a in wanted}

    def is_open(self, lab: Lab, account: int) -> bool:
        """Tell whether somebody may still bid for what is left."""
        if not lab.book.positions(account) or lab.book.margin(account, lab.marks)[0] < 0:
            return False
        return not is_unsold(lab.time_ns - self._began_ns[account], self.terms)

    def offer(self, lab: Lab, account: int, levels: LiquidationParameters, payable_e6: int) -> int:
        """Let every maker bid once; return what the fund paid. [USD e-6]"""
        self._began_ns.setdefault(account, lab.time_ns)
        paid = 0
        for wanted_e6, maker in self._bidders(lab):
            if not lab.book.positions(account):
                break
            share = min(self._sold(lab, account, levels), self._carried(lab, account, maker))
            if share > 0:
                paid += self._bid(lab, account, maker, share, wanted_e6, payable_e6 - paid)
        return paid

    def _bidders(self, lab: Lab) -> Sequence[tuple[int, int]]:
        """Return (return wanted, maker), the most modest first; drawn once, from a seed of its own.

        The seed is the same for every run, so that the policy's other draws do not move with it.
        """
        if self.wants is None:
            source = random.Random("appetite")  # noqa: S311 - a model, not a secret
            self.wants = sorted((source.randint(*WANTED_E6), maker) for maker in lab.makers)
        return self.wants

    def _sold(self, lab: Lab, account: int, levels: LiquidationParameters) -> int:
        """Return the share on sale: what restores the account, or everything."""
        balance, _ = lab.book.margin(account, lab.marks)
        held = lab.book.positions(account)
        if balance < 0:
            return SHARE_ONE
        elapsed = lab.time_ns - self._began_ns[account]

        def restores(share: int) -> bool:
            paid = solvent_payment_e6(balance, share, elapsed, self.terms)
            left = balance - floor_div(balance * share, SHARE_ONE) + paid
            rest = [(i, abs(n) - abs(n) * share // SHARE_ONE) for i, n in held]
            return left * ONE_E6 >= levels.target_e6 * maintenance_of(lab, rest)

        return largest_share(balance, restores, self.terms)

    def _carried(self, lab: Lab, account: int, maker: int) -> int:
        """Return the share that a maker can carry on top of what he holds."""
        own, _ = lab.book.margin(maker, lab.marks)
        gross = sum(lab.value_e6(i, n) for i, n in lab.book.positions(maker))
        size = sum(lab.value_e6(i, n) for i, n in lab.book.positions(account))
        return max(0, min(SHARE_ONE, (own * CARRIED - gross) * SHARE_ONE // max(1, size)))

    def _bid(
        self, lab: Lab, account: int, maker: int, share: int, wanted_e6: int, payable_e6: int
    ) -> int:
        """Hand a slice over if its price contents the maker; return what the fund paid."""
        balance, required = lab.book.margin(account, lab.marks)
        parts = [(i, _toward_zero(n * share, SHARE_ONE)) for i, n in lab.book.positions(account)]
        size = sum(lab.value_e6(i, n) for i, n in parts)
        part = floor_div(balance * share, SHARE_ONE)
        if balance >= 0:
            elapsed = lab.time_ns - self._began_ns[account]
            asked = solvent_payment_e6(balance, share, elapsed, self.terms)
            bonus, is_content = 0, (part - asked) * ONE_E6 >= wanted_e6 * size
        else:
            whole = self.terms.insolvent_ns
            asked, bonus = UsdE6(0), ceil_div(wanted_e6 * size, ONE_E6) - part
            is_content = bonus <= insolvent_payment_e6(balance, required, share, whole, self.terms)
        if not size or not is_content or bonus > payable_e6:
            return 0
        for place, lots in parts:
            lab.book.trade(account, maker, place, -lots, lab.marks[place])
        lab.book.pay(account, maker, part - asked)
        lab.auction(size, maker, bonus)
        return bonus


def _toward_zero(amount: int, parts: int) -> int:
    return amount // parts if amount >= 0 else -(-amount // parts)
