"""What a frozen venue owes to whom, by the rule of docs/PROTOCOL.md, section 4.

Computed from leaves, unpaid outputs and deposits, and what the vault's tokens say it holds; nothing
here asks the contract that pays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from offchain.core.units import ONE_E6, ceil_div, floor_div
from offchain.ledger.checkpoint import ExitLeaf
from offchain.services.exit_plan import ClaimOutput, ExitAccount, RefundDeposit, WayOut

UNITS_E10 = 10**10
LEAST_E6 = 1_000 * ONE_E6
"""Equity above which a ratio is not blurred by rounding. [USD e-6]"""
Payouts = dict[tuple[bytes, int], int]
"""What an owner gets of an asset. [engine units, which are those of the development tokens]"""


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to be paid, sorted by its rank.

    Attributes
    ----------
    first : dict
        Outputs and deposits, which are paid in full.
    leaves : tuple of ExitLeaf
        Of every account of the checkpoint.
    available : dict
        By asset, what the vault holds beyond `first`. [engine units]
    """

    first: Payouts
    leaves: tuple[ExitLeaf, ...]
    available: dict[int, int]

    @classmethod
    def of(cls, calls: Iterable[WayOut], held: Mapping[int, int]) -> "Owed":
        """Sort the calls of everybody; `held` is the vault's balance of each token."""
        first, leaves, available = Payouts(), list[ExitLeaf](), dict(held)
        for call in calls:
            match call:
                case ClaimOutput():
                    owner, asset, units = call.output.owner, call.output.asset, call.output.amount
                case RefundDeposit():
                    owner, asset, units = call.entry.owner, call.entry.place, call.entry.amount
                case ExitAccount():
                    leaves.append(call.leaf)
                    continue
                case _:
                    continue
            first[owner, asset] = first.get((owner, asset), 0) + units
            available[asset] -= units
        return cls(first, tuple(leaves), available)

    @property
    def owners(self) -> list[bytes]:
        """Everybody who is owed something, or has an account."""
        return sorted({owner for owner, _ in self.first} | {leaf.owner for leaf in self.leaves})

    @property
    def equity_e6(self) -> int:
        """The sum of equity. [USD e-6]"""
        return sum(leaf.equity_e6 for leaf in self.leaves)

    @property
    def debt_e6(self) -> int:
        """The sum of debts that nothing covers. [USD e-6]"""
        return sum(leaf.debt_e6 for leaf in self.leaves)

    def collateral(self, asset: int) -> int:
        """Return the sum of an asset's claims. [token e-8]"""
        return sum(leaf.collateral_e8[asset - 1] for leaf in self.leaves)

    def exit_of(self, leaf: ExitLeaf) -> dict[int, int]:
        """Return what one account gets by asset, pro rata. [engine units]"""
        equity = self.equity_e6
        cash = _share(leaf.equity_e6, min(self.available[0], equity), equity)
        paid = {0: cash}
        for asset, held in enumerate(leaf.collateral_e8, start=1):
            claims, there = self.collateral(asset), self.available[asset]
            surplus = max(0, there - claims)
            paid[asset] = _share(held, min(there, claims), claims)
            paid[asset] += _share(leaf.equity_e6, surplus, equity)
        return paid

    def payouts(self) -> Payouts:
        """Return what everybody gets in all."""
        total = dict.fromkeys(((o, a) for o in self.owners for a in self.available), 0)
        for (owner, asset), units in self.first.items():
            total[owner, asset] += units
        for leaf in self.leaves:
            for asset, units in self.exit_of(leaf).items():
                total[leaf.owner, asset] += units
        return total


def unfair_to(owed: Owed, prices_e8: tuple[int, ...]) -> list[str]:
    """Return whose value is not what the checkpoint says, of a book without debts.

    Everybody gets equity and collateral at the checkpoint's prices, within dust: what rounding
    keeps back of each asset, and what debtors' collateral was rounded up by.
    """
    grains = [ceil_div(price, UNITS_E10) for price in prices_e8]
    below = 2 * sum(grains) + len(grains) + 2
    above = below + len(owed.leaves) * sum(grains)
    problems = []
    for leaf in owed.leaves:
        paid = owed.exit_of(leaf)
        due = leaf.equity_e6 + worth_e6(leaf.collateral_e8, prices_e8)
        got = paid[0] + worth_e6([paid[a] for a in sorted(paid) if a], prices_e8)
        if not due - below <= got <= due + above:
            problems.append(f"account {leaf.account} gets {got}, and should {due} [USD e-6]")
    return problems


def ratios_e6(owed: Owed, prices_e8: tuple[int, ...]) -> list[int]:
    """Return which part of their equity those with much of it get. [1e-6]"""
    found = []
    for leaf in owed.leaves:
        if leaf.equity_e6 < LEAST_E6:
            continue
        paid = owed.exit_of(leaf)
        own = (0, *leaf.collateral_e8)
        surplus = [paid[a] - own[a] for a in sorted(paid) if a]
        found.append((paid[0] + worth_e6(surplus, prices_e8)) * ONE_E6 // leaf.equity_e6)
    return found


def worth_e6(amounts_e8: Iterable[int], prices_e8: Iterable[int]) -> int:
    """Return what collateral is worth. [USD e-6]"""
    pairs = zip(amounts_e8, prices_e8, strict=False)
    return floor_div(sum(amount * price for amount, price in pairs), UNITS_E10)


def _share(claim: int, available: int, claims: int) -> int:
    return claim * available // claims if claims else 0
