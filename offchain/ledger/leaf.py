"""The account leaf: what the account tree commits to about one account."""

from dataclasses import dataclass

from offchain.core.units import MAX_POSITIONS
from offchain.engine.accounts import Accounts
from offchain.ledger.abi import WORD, address, signed, unsigned
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256

_HEAD_WORDS = 6


@dataclass(frozen=True, slots=True)
class Position:
    """One open position: lots [lots], cost net of the funding index [USD e-6]."""

    instrument: int
    lots: int
    cost_e6: int


@dataclass(frozen=True, slots=True)
class AccountLeaf:
    """One account.

    `mode` is 0 isolated, 1 cross, 2 portfolio; `collateral_e8[a - 1]` is the amount of asset `a`;
    cash is asset 0.
    """

    owner: bytes
    subaccount: int
    mode: int
    cash_e6: int
    collateral_e8: tuple[int, ...]
    positions: tuple[Position, ...]


def encode_leaf(leaf: AccountLeaf) -> bytes:
    """Return ``abi.encode(leaf)``.

    Raises
    ------
    EncodingError
        A value does not fit its type, positions do not ascend, one is empty, or there are more
        than 32.
    """
    _check_positions(leaf.positions)
    collateral = [unsigned(amount, 64) for amount in leaf.collateral_e8]
    positions_offset = (_HEAD_WORDS + 1 + len(collateral)) * WORD
    words = [
        unsigned(WORD, 256),
        address(leaf.owner),
        unsigned(leaf.subaccount, 8),
        unsigned(leaf.mode, 8),
        signed(leaf.cash_e6, 64),
        unsigned(_HEAD_WORDS * WORD, 256),
        unsigned(positions_offset, 256),
        unsigned(len(collateral), 256),
        *collateral,
        unsigned(len(leaf.positions), 256),
    ]
    for position in leaf.positions:
        words += (
            unsigned(position.instrument, 16),
            signed(position.lots, 32),
            signed(position.cost_e6, 64),
        )
    return b"".join(words)


def leaf_hash(leaf: AccountLeaf) -> bytes:
    """Return the hash of a leaf, as it stands in the account tree."""
    return keccak256(encode_leaf(leaf))


def leaf_of(accounts: Accounts, account: int) -> AccountLeaf:
    """Return the leaf of an account as it stands in the engine."""
    return AccountLeaf(
        accounts.owner[account],
        accounts.subaccount[account],
        int(accounts.mode[account]),
        int(accounts.cash[account]),
        tuple(accounts.collateral[account].tolist()),
        tuple(Position(*held) for held in accounts.positions(account)),
    )


def _check_positions(positions: tuple[Position, ...]) -> None:
    if len(positions) > MAX_POSITIONS:
        raise EncodingError(f"an account has at most {MAX_POSITIONS} positions")
    last = -1
    for position in positions:
        if position.instrument <= last:
            raise EncodingError("positions ascend by instrument")
        if position.lots == 0:
            raise EncodingError("a position is not empty")
        last = position.instrument
