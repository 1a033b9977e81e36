"""The waterfall of this project: as little as possible, as late as allowed, and nobody overpaid."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.core.bankruptcy import neutral_prices, room_e6
from offchain.core.breaker import BreakerTerms
from offchain.core.insurance_caps import InsuranceCaps, Spending, payable_e6
from offchain.core.parameters import LiquidationParameters
from offchain.core.presets import LIQUIDATION
from offchain.core.sizing import Account, Closings, smallest_step
from offchain.core.units import ONE_E6, SECOND_NS, RatioE6, TimestampNs, UsdE6, ceil_div
from offchain.stress.auction_room import AuctionRoom
from offchain.stress.lab import Lab
from offchain.stress.policies import sell_to_bankruptcy
from offchain.stress.winners import deleverage_rest, keeping_maintenance, maintenance_of

CAPS = InsuranceCaps(UsdE6(1 << 50), RatioE6(500_000))
"""Half of the fund within an hour."""
BREAKER = BreakerTerms(
    TimestampNs(320 * SECOND_NS),
    RatioE6(30_000),
    RatioE6(60_000),
    RatioE6(100_000),
    TimestampNs(300 * SECOND_NS),
)
"""A move of 3 % within 320 s halts orders that add risk for 300 s."""


@dataclass(slots=True)
class Waterfall:
    """Margin calls, the smallest partial step, full, backstop, auction, fund within caps, ADL.

    Legs trade on the book no worse than their neutral price (partial) or bankruptcy price (full).
    What the book does not take goes to the backstop at the mark while its bucket has room, then
    into an auction; then the fund pays for going beyond the bankruptcy price, within its hourly
    caps; then winners close the rest pro rata at the bankruptcy price, nobody below his own
    maintenance.
    """

    name: str = "plimsoll"
    title: str = "this waterfall"
    breaker: BreakerTerms | None = BREAKER
    terms: LiquidationParameters = LIQUIDATION
    caps: InsuranceCaps = CAPS
    room: AuctionRoom = field(default_factory=AuctionRoom)
    _spending: Spending = field(default_factory=Spending)
    _called: set[int] = field(default_factory=set)

    def act(self, lab: Lab) -> None:
        """Call, reduce, or close whoever is below a level."""
        lab.unwind_backstop()
        self._call(lab)
        self.room.keep(lab.below(self.terms.partial_trigger_e6))
        for account in lab.due(self.terms.partial_trigger_e6):
            balance, required = lab.book.margin(account, lab.marks)
            lab.begin(account, self.terms.partial_trigger_e6)
            if balance >= 0 and balance * ONE_E6 >= self.terms.full_trigger_e6 * required:
                self._reduce(lab, account, balance, required)
            else:
                self._close(lab, account)
        lab.see_marks()

    def _call(self, lab: Lab) -> None:
        """Count who is called for the first time."""
        called = set(lab.below(self.terms.call_levels_e6[0]))
        lab.tally.calls += len(called - self._called)
        self._called |= called

    def _reduce(self, lab: Lab, account: int, balance: int, required: int) -> None:
        held = lab.book.positions(account)
        changes = smallest_step(self._sized(lab, account, held), self.terms)
        after = self._after(lab, balance, held, {i: abs(n) for i, n in changes})[1]
        prices = neutral_prices(lab.legs(changes), room_e6(balance, required, after))
        fee = 0
        for (place, lots), price in zip(changes, prices, strict=True):
            left = lab.to_backstop(account, place, lab.sell(account, place, lots, price))
            fee += lab.fee_e6(place, abs(lots - left))
        now, due = lab.book.margin(account, lab.marks)
        spare = now - ceil_div(balance * due, max(1, required))  # the ratio must not fall
        released = max(0, balance * (required - due)) // (2 * max(1, required))
        lab.charge(account, max(0, min(fee, spare, released)))

    def _close(self, lab: Lab, account: int) -> None:
        fee = sell_to_bankruptcy(lab, account)
        for place, lots in lab.book.positions(account):
            left = lab.to_backstop(account, place, -lots)
            fee += lab.fee_e6(place, abs(lots + left))
        if lab.book.positions(account):
            paid = self.room.offer(lab, account, self.terms, self._payable(lab))
            self._spend(lab, paid)
            if self.room.is_open(lab, account):
                return
            self._spend(lab, lab.insure(account, self._payable(lab)))
            deleverage_rest(lab, account, keeping_maintenance)
        lab.charge(account, fee)
        self._spend(lab, lab.settle_debt(account, self._payable(lab)))
        lab.tally.closed_whole.add(account)

    def _payable(self, lab: Lab) -> int:
        return payable_e6(lab.fund_e6, self._spending, TimestampNs(lab.time_ns), self.caps)

    def _spend(self, lab: Lab, paid_e6: int) -> None:
        self._spending = self._spending.and_paid(paid_e6, TimestampNs(lab.time_ns))

    def _sized(self, lab: Lab, account: int, held: Sequence[tuple[int, int]]) -> Account:
        balance, _ = lab.book.margin(account, lab.marks)
        return Account(held, lambda closed: self._after(lab, balance, held, closed), lab.fee_e6)

    def _after(
        self, lab: Lab, balance: int, held: Sequence[tuple[int, int]], closed: Closings
    ) -> tuple[int, int]:
        """Return margin balance and MM after closing lots at the marks."""
        return balance, maintenance_of(lab, [(i, abs(n) - closed.get(i, 0)) for i, n in held])
