"""The exit drill: on a copy of the chain the operator is gone, and everybody leaves.

From the address of the settlement contract, the node of a chain and money for gas alone. The chain
is put back afterwards.
"""

from dataclasses import dataclass

from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.chain_exit import ChainExit
from offchain.app.devnet import GAS_MONEY_WEI
from offchain.core.units import SECOND_NS
from offchain.ledger.checkpoint import ExitLeaf
from offchain.services.exit_plan import ClaimOutput, FinalBooks, RefundDeposit
from offchain.services.signing import KeySigner

ALL = 2**128 - 1
Amounts = dict[tuple[bytes, int], int]
"""By owner and asset. [engine units, which are those of the development tokens]"""


@dataclass(frozen=True, slots=True)
class Drill:
    """What came of it.

    Attributes
    ----------
    cause : str
        Why the venue could be frozen.
    cash_e6, debt_e6 : int
        Paid in cash; and what nothing covered. [USD e-6]
    differences : tuple of str
        Who got something else than the rule says.
    left : tuple of int
        By asset, what the vault keeps when everybody is gone. [engine units]
    """

    cause: str
    accounts: int
    cash_e6: int
    debt_e6: int
    differences: tuple[str, ...]
    left: tuple[int, ...]

    @property
    def is_ok(self) -> bool:
        """Whether everybody got what is due, and nothing but dust is left."""
        return not self.differences and all(units <= 2 * self.accounts for units in self.left)

    def to_json(self) -> dict[str, object]:
        """Return the drill as a part of the summary."""
        return {
            "frozen_for": self.cause,
            "accounts": self.accounts,
            "cash_paid_e6": self.cash_e6,
            "debt_e6": self.debt_e6,
            "differences": list(self.differences),
            "left_in_vault": list(self.left),
        }


def exit_drill(url: str, settlement: bytes, waiting: KeySigner) -> Drill:
    """Let everybody leave, and put the chain back.

    Parameters
    ----------
    waiting : KeySigner
        Somebody whose forced withdrawal nobody serves; pays the gas for everybody.
    """
    with Chain(url, discover(url, settlement)) as chain:
        saved = chain.node.request("evm_snapshot")
        try:
            return _Leaving(chain, waiting).drill()
        finally:
            chain.node.request("evm_revert", saved)


class _Leaving:
    def __init__(self, chain: Chain, payer: KeySigner) -> None:
        self.chain, self.payer, self.way_out = chain, payer, ChainExit(chain)

    def drill(self) -> Drill:
        cause = self._freeze()
        books = self.way_out.final_books()
        assert books.start is not None
        leaves = [books.leaf(account) for account in range(books.count)]
        first: list[ClaimOutput | RefundDeposit] = [*books.claims, *self.way_out.refunds()]
        for call in first:
            if not self.way_out.is_paid(call):
                self.way_out.carry_out(self.payer, call)
        due = payouts(leaves, self._held())
        owners = sorted({leaf.owner for leaf in leaves})
        before = self._balances(owners)
        self._everybody_out(books)
        after = self._balances(owners)
        wrong = [place for place in due if after[place] - before[place] != due[place]]
        return Drill(
            cause,
            len(leaves),
            sum(after[owner, 0] - before[owner, 0] for owner in owners),
            sum(leaf.debt_e6 for leaf in leaves),
            tuple(f"0x{owner.hex()}, asset {asset}" for owner, asset in wrong),
            self._held(),
        )

    def _freeze(self) -> str:
        """Wait for an operation that nobody serves, and freeze the venue for it."""
        self.chain.give_gas(self.payer.address, GAS_MONEY_WEI)
        self.chain.send(self.payer, "Inbox", "forceWithdraw", 0, 0, ALL)
        chance = self.way_out.outlook().chances[0]
        self.chain.set_time(chance.possible_at_s * SECOND_NS)
        now = self.way_out.outlook().open_now
        assert now is not None
        self.way_out.freeze(self.payer, now)
        return now.cause.name

    def _everybody_out(self, books: FinalBooks) -> None:
        assert books.start is not None
        self.way_out.carry_out(self.payer, books.start)
        for account in range(books.count):
            self.way_out.carry_out(self.payer, books.exit_of(account))

    def _balances(self, owners: list[bytes]) -> Amounts:
        return {
            (owner, asset): self.chain.token_balance(asset, owner)
            for owner in owners
            for asset in self.way_out.assets
        }

    def _held(self) -> tuple[int, ...]:
        vault = self.chain.contracts["CollateralVault"].address
        return tuple(self.chain.token_balance(asset, vault) for asset in self.way_out.assets)


def payouts(leaves: list[ExitLeaf], available: tuple[int, ...]) -> Amounts:
    """Return what everybody gets, by the rule of docs/PROTOCOL.md, section 4."""
    cash, *tokens = available
    equity = sum(leaf.equity_e6 for leaf in leaves)
    due: Amounts = {}
    for leaf in leaves:
        shares = [_share(leaf.equity_e6, min(cash, equity), equity)]
        for place, held in enumerate(tokens):
            claims = sum(other.collateral_e8[place] for other in leaves)
            own = _share(leaf.collateral_e8[place], min(held, claims), claims)
            shares.append(own + _share(leaf.equity_e6, max(0, held - claims), equity))
        for asset, units in enumerate(shares):
            due[leaf.owner, asset] = due.get((leaf.owner, asset), 0) + units
    return due


def _share(part: int, of: int, whole: int) -> int:
    return part * of // whole if whole else 0
