"""A slow reader of effect words: accounts and book from nothing but what is posted.

Written from docs/COMMITMENTS.md, byte by byte, without the encoder or the engine.
"""

from dataclasses import dataclass, field

from offchain.ledger.leaf import AccountLeaf, Position
from offchain.ledger.trace import Book

NO_ACCOUNT = 2**32 - 1
CASH_DEPOSIT, TRADING_FEE, PENALTY, DEFICIT = 1, 2, 3, 4


@dataclass
class SlowAccount:
    """One account; lots and cost by instrument, collateral by asset."""

    owner: bytes
    subaccount: int
    mode: int = 2
    cash: int = 0
    collateral: dict[int, int] = field(default_factory=dict)
    positions: dict[int, tuple[int, int]] = field(default_factory=dict)

    def trade(self, instrument: int, lots: int, cost: int) -> None:
        held, paid = self.positions.pop(instrument, (0, 0))
        if held + lots:
            self.positions[instrument] = (held + lots, paid + cost)
        else:
            self.cash -= paid + cost

    def leaf(self, assets: int) -> AccountLeaf:
        held = sorted(self.positions.items())
        return AccountLeaf(
            self.owner,
            self.subaccount,
            self.mode,
            self.cash,
            tuple(self.collateral.get(a, 0) for a in range(1, assets + 1)),
            tuple(Position(i, lots, cost) for i, (lots, cost) in held),
        )


@dataclass
class SlowLedger:
    """All accounts and the book, `assets` collateral assets besides cash."""

    assets: int
    accounts: list[SlowAccount] = field(default_factory=list)
    deposited: dict[int, int] = field(default_factory=dict)
    withdrawn: dict[int, int] = field(default_factory=dict)
    contributed: int = 0
    drawn: int = 0
    shortfall: int = 0
    liquidations: int = 0
    outputs: list[int] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)

    def apply(self, words: bytes) -> None:
        """Apply the words of one record."""
        assert len(words) % 32 == 0
        self.touched = set()
        for place in range(0, len(words), 32):
            self._word(words[place : place + 32])

    def book(self) -> Book:
        """Return the book so far."""
        assets = range(self.assets + 1)
        return Book(
            tuple(self.deposited.get(a, 0) for a in assets),
            tuple(self.withdrawn.get(a, 0) for a in assets),
            self.contributed,
            self.drawn,
            self.shortfall,
            len(self.accounts),
            self.liquidations,
        )

    def _word(self, word: bytes) -> None:
        kind, account, place = word[0], int.from_bytes(word[1:5]), int.from_bytes(word[5:7])
        body = word[7:]
        sizes = {1: 20, 2: 8, 3: 9, 4: 20, 5: 0, 6: 16, 7: 0, 8: 0, 9: 8, 10: 8, 11: 0}
        assert not any(body[sizes[kind] :]), word.hex()
        first = int.from_bytes(body[:8], signed=True)
        if kind == 1:
            assert account == len(self.accounts)
            self.accounts.append(SlowAccount(body[:20], place))
            self.touched.add(account)
        elif kind == 2:
            self._cash(account, place, first)
        elif kind == 3:
            self._collateral(account, place, first, is_deposit=body[8] == 1)
        elif kind == 4:
            lots, cost = (int.from_bytes(x, signed=True) for x in (body[:4], body[4:12]))
            self._account(account).trade(place, lots, cost)
        elif kind == 5:
            self._account(account).mode = place
        elif kind == 6:
            self._output(account, place, int.from_bytes(body[:8]), int.from_bytes(body[8:16]))
        elif kind == 8:
            self.liquidations += 1
        elif kind in {9, 11}:
            self._everybody(kind, place, first)
        elif kind == 10:
            self.shortfall += int.from_bytes(body[:8])

    def _account(self, account: int) -> SlowAccount:
        self.touched.add(account)
        return self.accounts[account]

    def _cash(self, account: int, place: int, delta: int) -> None:
        self._account(account).cash += delta
        if place == CASH_DEPOSIT:
            self.deposited[0] = self.deposited.get(0, 0) + delta
        elif account == 0 and place in (TRADING_FEE, PENALTY):
            self.contributed += delta
        elif account == 0 and place == DEFICIT:
            self.drawn -= delta

    def _collateral(self, account: int, asset: int, delta: int, *, is_deposit: bool) -> None:
        held = self._account(account).collateral
        held[asset] = held.get(asset, 0) + delta
        if is_deposit:
            self.deposited[asset] = self.deposited.get(asset, 0) + delta

    def _output(self, account: int, asset: int, amount: int, output: int) -> None:
        self.outputs.append(output)
        self.withdrawn[asset] = self.withdrawn.get(asset, 0) + amount
        if account == NO_ACCOUNT:
            self.deposited[asset] = self.deposited.get(asset, 0) + amount
        elif asset == 0:
            self._account(account).cash -= amount
        else:
            self._account(account).collateral[asset] -= amount

    def _everybody(self, kind: int, place: int, value: int) -> None:
        """Settle an instrument, or let accounts and book have more assets."""
        if kind == 9:
            self._settle(place, value)
        else:
            self.assets = place
            self.touched.update(range(len(self.accounts)))

    def _settle(self, instrument: int, lot_value: int) -> None:
        for number, account in enumerate(self.accounts):
            lots, _ = account.positions.get(instrument, (0, 0))
            if lots:
                self.touched.add(number)
                account.trade(instrument, -lots, -lots * lot_value)
