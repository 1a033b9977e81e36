"""Witnesses: the truth is accepted, and each altered part is refused by its own rule."""

from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode

from offchain.core.units import InstrumentId, Lots, PriceE8
from offchain.engine.events import Leg, LiquidationOrdered
from offchain.ledger.batch import Batch
from offchain.ledger.errors import WitnessError
from offchain.ledger.header import HEADER_TYPE
from offchain.ledger.instruction import Instruction, encode_instruction, instruction_hash
from offchain.ledger.leaf import Position, leaf_hash
from offchain.ledger.liquidation import check_legs, is_liquidatable, witness_margin
from offchain.ledger.merkle import AccountTree
from offchain.ledger.witness import LiquidationWitness
from tests.support.journal_venue import ENGINE_HASH, crashed


@pytest.fixture(scope="module")
def batch() -> Batch:
    return crashed().journal.cut(ENGINE_HASH)


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def test_every_liquidation_of_a_batch_verifies(batch: Batch) -> None:  # INV-8
    assert [w.instruction.tier for w in batch.witnesses] == [1, 2]
    for witness in batch.witnesses:
        balance, maintenance = witness.check(batch.header, batch.terms)
        tier = witness.instruction.tier
        assert is_liquidatable(tier, balance, maintenance, batch.terms)


def test_the_witness_margin_is_the_engine_margin(batch: Batch) -> None:
    venue = crashed()
    ordered = [e for e in venue.events if isinstance(e, LiquidationOrdered)]
    for event, witness in zip(ordered, batch.witnesses, strict=True):
        expected = (event.margin_balance_e6, event.maintenance_e6)
        assert witness.check(batch.header, batch.terms) == expected


def mutations(w: LiquidationWitness) -> dict[str, tuple[LiquidationWitness, str]]:
    opening = w.columns[0]

    def columns(**change: object) -> LiquidationWitness:
        return replace(w, columns=(replace(opening, **change),))  # type: ignore[arg-type]

    return {
        "index beyond the count": (replace(w, index=2), "below the count"),
        "another place": (replace(w, index=1 - w.index), "in the batch"),
        "altered instruction": (
            replace(w, instruction=replace(w.instruction, account=3)),
            "in the batch",
        ),
        "another epoch": (replace(w, epoch=replace(w.epoch, number=9)), "the instruction's"),
        "another epoch place": (replace(w, epoch_index=0), "the epoch is in the batch"),
        "altered report": (replace(w, report=replace(w.report, round=99)), "the epoch's"),
        "altered leaf": (replace(w, leaf=replace(w.leaf, cash_e6=0)), "the instruction's"),
        "altered account proof": (
            replace(w, account_proof=(flip(w.account_proof[0]), *w.account_proof[1:])),
            "account tree",
        ),
        "short account proof": (replace(w, account_proof=w.account_proof[1:]), "account tree"),
        "altered values": (columns(values=flip(opening.values)), "value column"),
        "altered losses": (columns(losses=flip(opening.losses)), "risk column"),
        "another scenario": (columns(scenario=(opening.scenario + 1) % 36), "risk column"),
        "no such scenario": (columns(scenario=36), "scenario exists"),
        "no column": (replace(w, columns=()), "each underlying held"),
        "a column too many": (replace(w, columns=(opening, opening)), "each underlying held"),
        "a leaf without encoding": (
            replace(w, leaf=replace(w.leaf, positions=(Position(0, 0, 0),))),
            "no encoding",
        ),
    }


@pytest.mark.parametrize("name", mutations(crashed().journal.cut(ENGINE_HASH).witnesses[0]))
def test_each_altered_part_is_refused_by_its_rule(batch: Batch, name: str) -> None:
    witness, rule = mutations(batch.witnesses[0])[name]
    with pytest.raises(WitnessError, match=rule):
        witness.check(batch.header, batch.terms)


def resealed(batch: Batch, witness: LiquidationWitness) -> tuple[Batch, LiquidationWitness]:
    """Return a batch with that instruction alone, as a lying sequencer would commit it."""
    leaf, account = leaf_hash(witness.leaf), witness.instruction.account
    tree = AccountTree()
    tree.update({account: leaf})
    instruction = replace(witness.instruction, leaf_hash=leaf, account_root=tree.root)
    header = replace(
        batch.header, liquidation_root=instruction_hash(instruction), liquidation_count=1
    )
    sealed = replace(
        witness,
        instruction=instruction,
        index=0,
        instruction_proof=(),
        account_proof=tree.proof(account),
    )
    return replace(batch, header=header), sealed


def test_a_healthy_account_cannot_be_liquidated_whatever_is_committed(batch: Batch) -> None:
    witness = batch.witnesses[0]
    rich = replace(witness, leaf=replace(witness.leaf, cash_e6=10**13))
    lying, sealed = resealed(batch, rich)
    with pytest.raises(WitnessError, match="below the trigger"):
        sealed.check(lying.header, lying.terms)


def test_an_account_of_another_mode_cannot_be_verified(batch: Batch) -> None:
    witness = batch.witnesses[0]
    lying, sealed = resealed(batch, replace(witness, leaf=replace(witness.leaf, mode=1)))
    with pytest.raises(WitnessError, match="portfolio"):
        sealed.check(lying.header, lying.terms)


def test_legs_beyond_the_rule_are_refused_whatever_is_committed(batch: Batch) -> None:
    witness = batch.witnesses[0]
    (leg,) = witness.instruction.legs
    greedy = (replace(leg, lots=Lots(-1_201)),)  # the cap of 2,400 lots is 1,200
    lying, sealed = resealed(
        batch, replace(witness, instruction=replace(witness.instruction, legs=greedy))
    )
    with pytest.raises(WitnessError, match="partial cap"):
        sealed.check(lying.header, lying.terms)


POSITIONS = (Position(0, 11, 0), Position(256, -4, 0))


def instruction(tier: int, *legs: tuple[int, int]) -> Instruction:
    made = tuple(Leg(InstrumentId(i), Lots(lots), PriceE8(1)) for i, lots in legs)
    return Instruction(1, 2, tier, bytes(32), bytes(32), bytes(32), made)


@pytest.mark.parametrize(
    ("tier", "legs"),
    [(1, [(0, -6)]), (1, [(0, -1), (256, 2)]), (2, [(0, -11), (256, 4)])],
)
def test_legs_within_the_rule_are_accepted(
    batch: Batch, tier: int, legs: list[tuple[int, int]]
) -> None:  # the cap of one half of 11 lots is 6: it rounds up
    check_legs(instruction(tier, *legs), POSITIONS, batch.terms)


@pytest.mark.parametrize(
    ("tier", "legs", "rule"),
    [
        (1, [], "has legs"),
        (1, [(1, -1)], "has a position"),
        (1, [(0, 1)], "against its position"),
        (1, [(0, 0)], "against its position"),
        (1, [(0, -7)], "partial cap"),
        (1, [(256, 3)], "partial cap"),
        (2, [(0, -11)], "closes every position"),
        (2, [(0, -11), (256, 3)], "closes every position"),
        (2, [], "closes every position"),
    ],
)
def test_legs_beyond_the_rule_are_refused(
    batch: Batch, tier: int, legs: list[tuple[int, int]], rule: str
) -> None:
    with pytest.raises(WitnessError, match=rule):
        check_legs(instruction(tier, *legs), POSITIONS, batch.terms)


def test_there_are_two_tiers(batch: Batch) -> None:
    for tier in (0, 3):
        with pytest.raises(WitnessError, match="tier"):
            is_liquidatable(tier, 0, 1, batch.terms)


def test_a_slot_that_is_not_listed_is_refused(batch: Batch) -> None:
    witness = batch.witnesses[0]
    leaf = replace(witness.leaf, positions=(Position(200, 1, 0),))
    with pytest.raises(WitnessError, match="slot is listed"):
        witness_margin(leaf, witness.columns, 1, batch.terms)


def test_more_than_one_collateral_asset_is_refused(batch: Batch) -> None:
    witness = batch.witnesses[0]
    leaf = replace(witness.leaf, collateral_e8=(1, 2))
    with pytest.raises(WitnessError, match="one collateral asset"):
        witness_margin(leaf, witness.columns, 1, batch.terms)


EPOCH = "(uint64,uint64,bytes32,bytes32,bytes32)"
LEAF = "(address,uint8,uint8,int64,uint64[],(uint16,int32,int64)[])"
COLUMN = "(uint8,uint8,bytes,bytes,bytes32[],bytes32[])"
WITNESS = (
    f"(uint32,bytes32[],{EPOCH},uint32,bytes32[],(uint64,uint64,bytes),{LEAF},bytes32[],{COLUMN}[])"
)
INSTRUCTION = "(uint64,uint32,uint8,bytes32,bytes32,bytes32,(uint16,int32,uint64)[])"


def test_the_arguments_of_verify_have_the_shape_of_its_structs(batch: Batch) -> None:
    header = "(" + ",".join(kind for _, kind in HEADER_TYPE.members) + ")"
    for witness in batch.witnesses:
        instruction = witness.instruction
        values = (batch.header.values(), instruction.abi_tuple(), witness.abi_tuple())
        encoded = encode([header, INSTRUCTION, WITNESS], values)
        assert decode([header, INSTRUCTION, WITNESS], encoded)[0][1] == batch.header.batch_no
        # The calldata of one instruction is, after its offset, what its hash is over.
        assert encode([INSTRUCTION], [instruction.abi_tuple()]) == encode_instruction(instruction)
