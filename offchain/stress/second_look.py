"""The margin of one account, computed once more in another way: who was liquidated wrongly?

Nothing here is shared with `stress.book` or `core.curves`: maintenance is added up bracket by
bracket from the tiers, in rational numbers, and the balance from scratch. A policy that acts on
somebody whom this finds above the trigger has wronged him.
"""

from collections.abc import Sequence
from fractions import Fraction

from offchain.core.presets import MAJOR
from offchain.core.units import ONE_E6

Held = Sequence[tuple[int, int, Fraction]]
"""(signed lots, cost [USD e-6], value of a lot [USD e-6])."""


def maintenance_e6(value_e6: Fraction) -> Fraction:
    """Return what the tiers require of a position: every bracket at its own rate."""
    size, total = abs(value_e6), Fraction(0)
    uppers = [Fraction(int(tier.lower_e6)) for tier in MAJOR.tiers[1:]]
    for place, tier in enumerate(MAJOR.tiers):
        lower = Fraction(int(tier.lower_e6))
        upper = uppers[place] if place < len(uppers) else size
        total += max(Fraction(0), min(size, upper) - lower) * Fraction(int(tier.rate_e6), ONE_E6)
    return total


def is_wrongful(cash_e6: int, held: Held, trigger_e6: int) -> bool:
    """Tell whether nothing should be done to an account at this trigger.

    The rule book rounds a requirement up, by less than one USD e-6 a position: as much is allowed
    for, so that rounding alone is nobody's wrong.
    """
    balance = Fraction(cash_e6)
    required = Fraction(0)
    for lots, cost_e6, lot_value_e6 in held:
        balance += lots * lot_value_e6 - cost_e6
        required += maintenance_e6(lots * lot_value_e6)
    return balance >= 0 and balance * ONE_E6 >= trigger_e6 * (required + len(held))
