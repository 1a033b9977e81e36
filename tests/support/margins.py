"""Witness margins asked of the contract's library, and what their definition answers.

Questions are arbitrary accounts of every mode over a few shared books of columns, so that thousands
fit one call: lots, prices and charges of usual size, zero, or at the ends of their types.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import solcx
from numpy.typing import NDArray
from web3 import Web3
from web3.contract import Contract

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.compiler import ROOT, SOLC, standard_input
from offchain.core.addons import COLUMNS, GROUPS, Charge
from offchain.core.curves import curve_lines
from offchain.core.margin import Mode
from offchain.core.model_parameters import Tier
from offchain.core.units import SCENARIOS, SLOT_BITS, SLOTS, RatioE6, UsdE6
from offchain.ledger.abi import static
from offchain.ledger.charge_columns import pack_collateral
from offchain.ledger.columns import ColumnOpening, Columns
from offchain.ledger.errors import LedgerError
from offchain.ledger.leaf import AccountLeaf, Position, encode_leaf
from offchain.ledger.liquidation import witness_margin
from offchain.ledger.terms import Curves, Terms, pack_curves

SOURCE = "tests/contracts/support/MarginBatch.sol"
CALL_GAS = 1 << 40
OWNER = b"\xaa" * 20
UNDERLYINGS = 2
BOOKS, CURVE_SETS = 4, 6
ASSETS = (0, 1, 2, 3, 8, 8, 8)
"""Listed in each collateral column; the last one is no column that an engine makes."""
FULL_COLUMNS = range(4, len(ASSETS))
MOST_SLOTS = 6
HOSTILE = 0.1
"""Share of books with a row that cannot be."""
Answer = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Question:
    """An account, and places of what is opened of it."""

    leaf: AccountLeaf
    book: int
    underlyings: tuple[int, ...]
    scenarios: tuple[int, ...]
    has_charges: tuple[bool, ...]
    collateral: int
    curves: int
    terms: Terms

    def arguments(self) -> tuple[Any, ...]:
        """Return the question as the contract reads it."""
        columns = zip(self.underlyings, self.scenarios, self.has_charges, strict=True)
        return (
            encode_leaf(self.leaf),
            static(("uint32",) * 8, astuple(self.terms)),
            bytes(number for column in columns for number in column),
            self.book,
            self.collateral,
            self.curves,
        )


@dataclass(frozen=True, slots=True)
class World:
    """Everything that questions point to."""

    books: tuple[Columns, ...]
    collaterals: tuple[bytes, ...]
    curves: tuple[bytes, ...]

    def answer(self, question: Question) -> Answer:
        """Return balance, requirement and whether there is an answer, by the definition."""
        book = self.books[question.book]
        openings = [
            opening_of(book, u, s, has_charges=charged)
            for u, s, charged in zip(
                question.underlyings, question.scenarios, question.has_charges, strict=True
            )
        ]
        opened = openings, self.collaterals[question.collateral], self.curves[question.curves]
        try:
            balance, due = witness_margin(question.leaf, *opened, question.terms)
        except LedgerError:
            return 0, 0, 0
        return balance, due, 1

    def arguments(self) -> tuple[Any, ...]:
        """Return the world as the contract reads it."""
        books = [(list(b.values), [list(x) for x in b.losses], list(b.charges)) for b in self.books]
        return books, list(self.collaterals), list(self.curves)


def opening_of(
    book: Columns, underlying: int, scenario: int, *, has_charges: bool
) -> ColumnOpening:
    """Return the columns without proofs, which the library does not look at."""
    values, losses = book.values[underlying], book.losses[underlying][scenario]
    charges = book.charges[underlying] if has_charges else b""
    return ColumnOpening(underlying, scenario, values, losses, (), (), charges)


def amount(rng: random.Random, low: int, high: int, usual: int) -> int:
    """Return a number in [low, high]: usual, small, zero or at an end."""
    kind = rng.randrange(10)
    if kind == 0:
        return rng.choice((low, high))
    if kind == 1:
        return max(low, min(high, rng.randint(-3, 3)))
    if kind == 2:
        return rng.randint(low, high)
    return rng.randint(max(low, -usual), min(high, usual))


def world(rng: random.Random) -> World:
    """Return arbitrary books, collateral columns and curves."""
    return World(
        tuple(_book(rng) for _ in range(BOOKS)),
        (*(_collateral(rng, count) for count in ASSETS[:-1]), _garbled(rng, ASSETS[-1])),
        (b"", *(_curves(rng) for _ in range(1, CURVE_SETS))),
    )


def _book(rng: random.Random) -> Columns:
    slots = [rng.randint(1, MOST_SLOTS) for _ in range(UNDERLYINGS)]
    values = np.zeros(UNDERLYINGS * SLOTS, np.int64)
    losses = np.zeros((UNDERLYINGS * SLOTS, SCENARIOS), np.int32)
    charges = np.zeros((UNDERLYINGS * SLOTS, COLUMNS), np.int64)
    for u, count in enumerate(slots):
        for row in range(u * SLOTS, u * SLOTS + count):
            values[row] = amount(rng, -(2**63), 2**63 - 1, 10**9)
            losses[row] = [amount(rng, -(2**31), 2**31 - 1, 10**8) for _ in range(SCENARIOS)]
            _charge(rng, charges[row])
    made = Columns.of_arrays(values, np.zeros_like(values), losses, charges, (), slots)
    if rng.random() < HOSTILE:
        # No row of charges has such an expiry; a hostile column might.
        column = made.charges[0][:-1] + bytes([GROUPS])
        made = replace(made, charges=(column, *made.charges[1:]))
    return made


def _charge(rng: random.Random, row: NDArray[np.int64]) -> None:
    row[Charge.DELTA] = amount(rng, -(2**31), 2**31 - 1, 10**8)
    row[Charge.ROLL] = amount(rng, -(2**31), 2**31 - 1, 10**6)
    for place in (Charge.LONG, Charge.SHORT, Charge.UNWIND):
        row[place] = amount(rng, 0, 2**32 - 1, 10**6)
    row[Charge.GROUP] = rng.choice((0, 0, 1, 2, rng.randrange(GROUPS)))


def _collateral(rng: random.Random, assets: int) -> bytes:
    curves = []
    for _ in range(assets):
        uptos = sorted({amount(rng, 1, 2**64 - 1, 10**10) for _ in range(rng.randint(1, 4))})
        curves.append(tuple((upto, amount(rng, 0, 2**46, 10**13)) for upto in uptos))
    return pack_collateral(curves)


def _garbled(rng: random.Random, assets: int) -> bytes:
    """Return brackets in no order, with gaps; the rule says what they mean all the same."""
    brackets = [
        (amount(rng, 0, 2**64 - 1, 10**10), amount(rng, 0, 2**64 - 1, 10**13))
        for _ in range(4 * assets)
    ]
    return b"".join(upto.to_bytes(8) + price.to_bytes(8) for upto, price in brackets)


def _curves(rng: random.Random) -> bytes:
    made = [Curves(*(_tiers(rng) for _ in range(3))) for _ in range(UNDERLYINGS)]
    return pack_curves(made)


def _tiers(rng: random.Random) -> tuple[tuple[int, int], ...]:
    count = rng.randint(0, 8)
    lowers = sorted(rng.sample(range(1, 10**13), count)) if count else []
    rates = sorted(rng.sample(range(rng.choice((50_000, 1 << 24))), count)) if count else []
    bounds = [0, *lowers[1:]]
    return curve_lines(
        [Tier(UsdE6(x), RatioE6(rate)) for x, rate in zip(bounds, rates, strict=False)]
    )


def question(rng: random.Random, of: World) -> Question:
    """Return an arbitrary question; about one in twenty is refused."""
    book = rng.randrange(BOOKS)
    listed = [len(values) // 8 for values in of.books[book].values]
    positions = _positions(rng, listed)
    held = tuple(sorted({p.instrument >> SLOT_BITS for p in positions}))
    common = rng.randrange(SCENARIOS)
    scenarios = tuple(common if rng.random() < 0.5 else rng.randrange(SCENARIOS) for _ in held)
    charged = rng.choice((0, 0.5, 1, 1))  # of none, of some, of all
    assets = rng.choice((0, 0, 1, 1, 2, 8))
    amounts = tuple(amount(rng, 0, 2**64 - 1, 10**10) for _ in range(assets))
    mode = rng.choice((Mode.PORTFOLIO, Mode.PORTFOLIO, Mode.CROSS, Mode.ISOLATED, 3))
    if mode == 3 and rng.random() < 0.95:
        mode = Mode.PORTFOLIO
    return Question(
        AccountLeaf(
            OWNER, 0, int(mode), amount(rng, -(2**63), 2**63 - 1, 10**12), amounts, positions
        ),
        book,
        held,
        scenarios,
        tuple(rng.random() < charged for _ in held),
        rng.choice(FULL_COLUMNS) if rng.random() < 0.95 else rng.randrange(4),
        rng.randrange(1, CURVE_SETS) if rng.random() < 0.98 else 0,
        _terms(rng),
    )


def _positions(rng: random.Random, listed: Sequence[int]) -> tuple[Position, ...]:
    every = [u << SLOT_BITS | slot for u, n in enumerate(listed) for slot in range(n)]
    if rng.random() < 0.05:
        every.append(listed[0])  # a slot beyond the columns
    count = rng.randint(0, len(every))
    chosen = sorted(set(rng.sample(every, count)))
    return tuple(
        Position(
            instrument,
            amount(rng, -(2**31), 2**31 - 1, rng.choice((10, 10**4, 2**24))) or 1,
            amount(rng, -(2**63), 2**63 - 1, 10**10),
        )
        for instrument in chosen
    )


def _terms(rng: random.Random) -> Terms:
    million = 10**6
    return Terms(
        rng.choice((800_000, rng.randint(1, million))),
        million,
        600_000,
        500_000,
        rng.choice((500_000, 0, million, rng.randint(0, million))),
        rng.choice((850_000, million, rng.randint(1, million))),
        5 * million,
        rng.choice((0, 300, 5_000_000, 2**32 - 1)),
    )


@cache
def compiled() -> tuple[list[Any], str]:
    """Return ABI and creation code of the batch contract."""
    request = standard_input(ROOT)
    request["sources"] = {SOURCE: {"content": (ROOT / SOURCE).read_text()}}
    answer = solcx.compile_standard(request, solc_binary=ROOT / SOLC, base_path=ROOT)
    made = answer["contracts"][SOURCE]["MarginBatch"]
    return made["abi"], "0x" + made["evm"]["bytecode"]["object"]


@dataclass(frozen=True, slots=True)
class Deployed:
    """The batch contract on a chain of its own."""

    web3: Web3
    contract: Contract

    def answers_to(self, questions: Sequence[Question], of: World) -> list[Answer]:
        """Return what the library answers to all questions, in one call."""
        asked = [one.arguments() for one in questions]
        call = self.contract.functions.answersTo(asked, *of.arguments())
        return [tuple(answer) for answer in call.call({"gas": CALL_GAS})]


@contextmanager
def deployed() -> Iterator[Deployed]:
    """Start a chain and put the contract on it."""
    abi, code = compiled()
    with Anvil(AnvilOptions(gas_limit=CALL_GAS)) as anvil:
        web3 = anvil.web3()
        sent = (
            web3.eth.contract(abi=abi, bytecode=code)
            .constructor()
            .transact({"from": web3.eth.accounts[0]})
        )
        receipt = web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.02)
        address = Web3.to_checksum_address(str(receipt["contractAddress"]))
        yield Deployed(web3, web3.eth.contract(address=address, abi=abi))
