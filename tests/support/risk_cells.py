"""Cells of the risk arrays asked of the contract, and what their definitions answer.

A question is one report, one scan grid, some instruments of the first underlying and some
scenarios. Its answers are, for each instrument, the losses in these scenarios, then mark, lot
value, delta and vega.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from functools import cache
from typing import Any

import solcx
from web3 import Web3
from web3.contract import Contract

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.compiler import ROOT, SOLC, standard_input
from offchain.core.instruments import SHAPE_KINDS, FeedKind, Instrument
from offchain.core.parameters import RiskParameters
from offchain.core.units import floor_div
from offchain.pricing.marks import fair_value_e8, mark_price_e8, quote
from offchain.pricing.normal_table import NORMAL_TABLE
from offchain.pricing.risk_array import delta_reference, loss_reference, vega_reference

OTHERS = ("mark_e8", "lot_value_e6", "delta_e6", "vega_e6")
"""What is answered for an instrument besides its losses."""
SOURCES = (
    "contracts/pricing/NormalTable.sol",
    "contracts/pricing/RiskCells.sol",
    "tests/contracts/support/RiskCellsBatch.sol",
)
CALL_GAS = 1 << 40


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked in one go; the instruments are of underlying 0 and one expiry or none."""

    parameters: RiskParameters
    medians: tuple[int, ...]
    now_ns: int
    instruments: tuple[Instrument, ...]
    scenarios: tuple[int, ...]

    @property
    def losses(self) -> int:
        """Number of losses asked for."""
        return len(self.instruments) * len(self.scenarios)

    def answers(self) -> list[int]:
        """Return every number by its definition."""
        return [n for one in self.instruments for n in answers_for(self, one)]

    def packed(self) -> bytes:
        """Return the medians as a report carries them."""
        return b"".join(median.to_bytes(8) for median in self.medians)

    def arguments(self) -> tuple[Any, ...]:
        """Return the question as the contract reads it."""
        return (
            (self.now_ns, self.packed()),
            feed_places(self),
            scan_of(self),
            [instrument_of(self, one) for one in self.instruments],
            list(self.scenarios),
        )


def answers_for(question: Question, instrument: Instrument) -> list[int]:
    """Return losses, mark, lot value, delta and vega of one instrument."""
    parameters = question.parameters
    terms = parameters.listing.underlyings[0]
    of = quote(parameters.listing, question.medians, instrument, question.now_ns)
    mark = mark_price_e8(fair_value_e8(instrument, of), terms.tick_e8)
    return [
        *(loss_reference(parameters, instrument, of, s) for s in question.scenarios),
        mark,
        floor_div(mark, terms.lot_divisor),
        delta_reference(instrument, of, terms.lot_divisor),
        vega_reference(instrument, of, terms.lot_divisor),
    ]


def feed_places(question: Question) -> tuple[int | bool, ...]:
    """Return the `FeedPlaces` of the question's expiry; zeros where nothing is listed."""
    listing = question.parameters.listing
    expiry = max(one.expiry_ns for one in question.instruments)
    kinds = {f.kind: place for place, f in enumerate(listing.feeds) if f.expiry_ns == expiry}
    return (
        0,
        kinds.get(FeedKind.FORWARD, 0),
        kinds.get(FeedKind.VOLATILITY, 0),
        FeedKind.SLOPE in kinds,
        *(kinds.get(kind, 0) for kind in SHAPE_KINDS),
    )


def scan_of(question: Question) -> tuple[Any, ...]:
    """Return the `Scan` of the question."""
    return astuple(question.parameters.scan[0])


def instrument_of(question: Question, one: Instrument) -> tuple[int, ...]:
    """Return an `Instrument`, with the lot of its underlying."""
    terms = question.parameters.listing.underlyings[0]
    return int(one.kind), one.expiry_ns, one.strike_e8, terms.lot_divisor, terms.tick_e8


def table_bytes() -> bytes:
    """Return what the table contract is created with: 2,560 int64, big-endian."""
    return NORMAL_TABLE.astype(">i8").tobytes()


@cache
def compiled() -> dict[str, tuple[list[Any], str]]:
    """Return ABI and creation code by name, of these sources and what they import."""
    request = standard_input(ROOT)
    request["sources"] = {path: {"content": (ROOT / path).read_text()} for path in SOURCES}
    answer = solcx.compile_standard(request, solc_binary=ROOT / SOLC, base_path=ROOT)
    return {
        name: (made["abi"], "0x" + made["evm"]["bytecode"]["object"])
        for path in SOURCES
        for name, made in answer["contracts"][path].items()
    }


@dataclass(frozen=True, slots=True)
class Deployed:
    """The contracts on a chain of their own."""

    web3: Web3
    table: Contract
    cells: Contract
    batch: Contract

    def answers_to(self, questions: Sequence[Question]) -> list[int]:
        """Return what the contract answers to all questions, in one call."""
        asked = [question.arguments() for question in questions]
        call = self.batch.functions.answersTo(self.cells.address, asked)
        return list(call.call({"gas": CALL_GAS}))

    def gas_of(self, question: Question) -> dict[str, int]:
        """Return the gas of a loss, and of the others for the first instrument."""
        gas = self.batch.functions.gasOf(self.cells.address, question.arguments()).call(
            {"gas": CALL_GAS}
        )
        return dict(zip(("loss", "lotValue", "delta", "vega"), gas, strict=True))


def create(web3: Web3, name: str, *arguments: object) -> Contract:
    """Create a contract from the first account."""
    abi, code = compiled()[name]
    sent = (
        web3.eth.contract(abi=abi, bytecode=code)
        .constructor(*arguments)
        .transact({"from": web3.eth.accounts[0]})
    )
    address = web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    assert address is not None
    return web3.eth.contract(address=address, abi=abi)


@contextmanager
def deployed() -> Iterator[Deployed]:
    """Start a chain whose calls may take any gas, and create table, cells and the asker."""
    with Anvil(AnvilOptions(gas_limit=CALL_GAS)) as anvil:
        web3 = anvil.web3()
        table = create(web3, "NormalTable", table_bytes())
        cells = create(web3, "RiskCells", table.address)
        yield Deployed(web3, table, cells, create(web3, "RiskCellsBatch"))
