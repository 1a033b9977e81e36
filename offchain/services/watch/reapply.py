"""The accounts after a posted step, from the accounts before it and the words alone.

This is what `contracts/libraries/Leaves.sol` does with one account. Where the words are false but
applied as they stand, it opens the tree that the sequencer has; where they are not applied as they
stand, its root differs from the posted one, and that is what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offchain.core.margin import Mode
from offchain.core.model_rules import MAX_ASSETS
from offchain.ledger.effects import CashFlow, Effect
from offchain.ledger.errors import LedgerError
from offchain.ledger.journal import Journal
from offchain.ledger.leaf import AccountLeaf, Position, leaf_hash, leaf_of
from offchain.ledger.merkle import MAX_ACCOUNTS, AccountTree
from offchain.ledger.trace import Book, book_of
from offchain.services.watch.shapes import Value, leaf_value
from offchain.services.watch.words import Word

MAX_POSITIONS = 32
MOVING = frozenset(
    {
        Effect.OPEN,
        Effect.CASH,
        Effect.COLLATERAL,
        Effect.TRADE,
        Effect.MODE,
        Effect.OUTPUT,
    }
)
"""Kinds of words that change the leaf of the account that they name."""
MOVING_ALL = frozenset({Effect.SETTLE, Effect.ASSETS})
"""Kinds of words that change every leaf there is."""


@dataclass(frozen=True)
class Reapplied:
    """Accounts and tree after the words of a record.

    Attributes
    ----------
    touched : tuple of int
        Accounts that the words name or settle, ascending.
    openings : tuple
        Of each of them before the words, each under the root in which those before it are changed.
    """

    leaves: dict[int, AccountLeaf]
    tree: AccountTree
    touched: tuple[int, ...]
    openings: tuple[Value, ...]

    @property
    def root(self) -> bytes:
        """The account root."""
        return self.tree.root

    def account(self, number: int) -> Value:
        """Return an `AccountOpening` after the words."""
        leaf = self.leaves.get(number)
        return number, () if leaf is None else (leaf_value(leaf),), self.tree.proof(number)


def leaves_of(journal: Journal) -> dict[int, AccountLeaf]:
    """Return every account of a journal."""
    accounts = journal.state.accounts
    return {number: leaf_of(accounts, number) for number in range(accounts.count)}


def reapply(before: dict[int, AccountLeaf], words: Sequence[Word], assets: int) -> Reapplied | None:
    """Return the accounts after words; None when the words cannot be applied.

    Parameters
    ----------
    assets : int
        Collateral assets that a new account gets.
    """
    leaves = dict(before)
    try:
        for word in words:
            _apply(leaves, word, assets)
    except LookupError:
        return None
    tree = AccountTree()
    tree.update({number: leaf_hash(leaf) for number, leaf in before.items()})
    touched = tuple(sorted(touched_by(before, words)))
    openings = []
    for number in touched:
        was = before.get(number)
        value = () if was is None else (leaf_value(was),)
        openings.append((number, value, tree.proof(number)))
        try:
            if number in leaves:
                tree.update({number: leaf_hash(leaves[number])})
        except LedgerError:
            return None
    return Reapplied(leaves, tree, touched, tuple(openings))


def touched_by(before: dict[int, AccountLeaf], words: Sequence[Word]) -> set[int]:
    """Return the accounts whose leaves words may change; for some words that is all."""
    found = {w.account for w in words if w.kind in MOVING and w.account < MAX_ACCOUNTS}
    if any(word.kind in MOVING_ALL for word in words):
        found.update(before)
    return found


def rebooked(journal: Journal, words: Sequence[Word]) -> Book:
    """Return the book after words, from the one before them."""
    book = journal.book if journal.book.deposited else book_of(journal.state)
    deposited, withdrawn = list(book.deposited), list(book.withdrawn)
    figures = {"contributed_e6": book.contributed_e6, "drawn_e6": book.drawn_e6}
    for word in words:
        if word.kind == Effect.CASH and word.place == CashFlow.DEPOSIT:
            deposited[0] += word.delta
        elif word.kind == Effect.CASH and word.account == 0:
            if word.place in {CashFlow.TRADING_FEE, CashFlow.PENALTY}:
                figures["contributed_e6"] += word.delta
            elif word.place == CashFlow.DEFICIT:
                figures["drawn_e6"] -= word.delta
        elif word.kind == Effect.COLLATERAL and word.is_deposit:
            deposited[word.place] += word.delta
        elif word.kind == Effect.OUTPUT:
            withdrawn[word.place] += word.amount
            if word.account >= MAX_ACCOUNTS:
                deposited[word.place] += word.amount
        elif word.kind == Effect.ASSETS:
            added = [0] * (min(word.place, MAX_ASSETS) + 1 - len(deposited))
            deposited, withdrawn = deposited + added, withdrawn + added
    kinds = [word.kind for word in words]
    shortfall = sum(word.amount for word in words if word.kind == Effect.SHORTFALL)
    return replace(
        book,
        deposited=tuple(deposited),
        withdrawn=tuple(withdrawn),
        shortfall_e6=book.shortfall_e6 + shortfall,
        accounts=book.accounts + kinds.count(Effect.OPEN),
        liquidations=book.liquidations + kinds.count(Effect.LIQUIDATION),
        **figures,
    )


def _apply(leaves: dict[int, AccountLeaf], word: Word, assets: int) -> None:
    """Apply one word; LookupError when that is impossible."""
    if word.kind == Effect.SETTLE:
        for number, leaf in leaves.items():
            leaves[number] = _settled(leaf, word.place, word.delta)
        return
    if word.kind == Effect.ASSETS:
        for number, leaf in leaves.items():
            leaves[number] = _extended(leaf, word.place)
        return
    if word.kind not in MOVING or word.account >= MAX_ACCOUNTS:
        return
    if word.kind == Effect.OPEN:
        if word.account in leaves:
            raise LookupError("the account exists")
        owner, mode = word.body[:20], int(Mode.PORTFOLIO)
        leaves[word.account] = AccountLeaf(owner, word.place, mode, 0, (0,) * assets, ())
        return
    leaves[word.account] = _changed(leaves[word.account], word)


def _changed(leaf: AccountLeaf, word: Word) -> AccountLeaf:
    if word.kind == Effect.MODE:
        return replace(leaf, mode=word.place)
    if word.kind == Effect.TRADE:
        return _traded(leaf, word.place, word.lots, word.cost)
    if word.kind == Effect.CASH:
        return _moved(leaf, 0, word.delta)
    if word.kind == Effect.COLLATERAL:
        return _moved(leaf, word.place or len(leaf.collateral_e8) + 1, word.delta)
    return _moved(leaf, word.place, -word.amount)


def _moved(leaf: AccountLeaf, asset: int, delta: int) -> AccountLeaf:
    if asset == 0:
        return replace(leaf, cash_e6=leaf.cash_e6 + delta)
    held = list(leaf.collateral_e8)
    held[asset - 1] += delta
    if held[asset - 1] < 0:
        raise LookupError("more collateral than there is")
    return replace(leaf, collateral_e8=tuple(held))


def _traded(leaf: AccountLeaf, instrument: int, lots: int, cost_e6: int) -> AccountLeaf:
    held = {p.instrument: p for p in leaf.positions}
    was = held.pop(instrument, None)
    lots += was.lots if was else 0
    cost_e6 += was.cost_e6 if was else 0
    cash_e6 = leaf.cash_e6
    if lots:
        held[instrument] = Position(instrument, lots, cost_e6)
    else:
        cash_e6 -= cost_e6
    if len(held) > MAX_POSITIONS:
        raise LookupError("too many positions")
    positions = tuple(held[number] for number in sorted(held))
    return replace(leaf, cash_e6=cash_e6, positions=positions)


def _settled(leaf: AccountLeaf, instrument: int, lot_value_e6: int) -> AccountLeaf:
    lots = next((p.lots for p in leaf.positions if p.instrument == instrument), 0)
    return _traded(leaf, instrument, -lots, -lots * lot_value_e6) if lots else leaf


def _extended(leaf: AccountLeaf, assets: int) -> AccountLeaf:
    held = leaf.collateral_e8
    if not len(held) < assets <= MAX_ASSETS:
        raise LookupError("not more assets than before, or more than there may be")
    return replace(leaf, collateral_e8=(*held, *[0] * (assets - len(held))))
