"""Witnesses: the truth is accepted, and each altered part is refused by its own rule."""

from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode

from offchain.core.margin import Mode
from offchain.core.units import ONE_E6, InstrumentId, Lots, PriceE8
from offchain.engine.events import Leg, LiquidationOrdered
from offchain.engine.reasons import Rejected
from offchain.engine.risk import account_margin
from offchain.ledger.batch import Batch
from offchain.ledger.errors import WitnessError
from offchain.ledger.header import HEADER_TYPE
from offchain.ledger.instruction import Instruction, encode_instruction, instruction_hash
from offchain.ledger.leaf import Position, leaf_hash
from offchain.ledger.liquidation import check_legs, is_liquidatable, witness_margin
from offchain.ledger.merkle import AccountTree
from offchain.ledger.terms import pack_curves, unpack_curves
from offchain.ledger.witness import LiquidationWitness
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, crashed
from tests.support.venue import BTC_MONTH, BTC_PERP, ETH_PERP


@pytest.fixture(scope="module")
def batch() -> Batch:
    return crashed().journal.cut(ENGINE_HASH)


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def test_every_liquidation_of_a_batch_verifies(batch: Batch) -> None:  # INV-8
    assert [w.instruction.tier for w in batch.witnesses] == [1, 2]
    for witness in batch.witnesses:
        balance, maintenance = witness.check(batch.header, batch.terms, batch.curves_hash)
        tier = witness.instruction.tier
        assert is_liquidatable(tier, balance, maintenance, batch.terms)


def test_the_witness_margin_is_the_engine_margin(batch: Batch) -> None:
    venue = crashed()
    ordered = [e for e in venue.events if isinstance(e, LiquidationOrdered)]
    for event, witness in zip(ordered, batch.witnesses, strict=True):
        balance, due = witness.check(batch.header, batch.terms, batch.curves_hash)
        assert balance == event.margin_balance_e6
        # Charges stay closed where the account is below its trigger without them.
        assert 0 < due <= event.maintenance_e6
        assert not witness.curves


@pytest.fixture(scope="module")
def charged() -> Batch:
    return only_charged().journal.cut(ENGINE_HASH)


def only_charged() -> JournalVenue:
    """Return a venue with two partial liquidations that only the charges prove."""
    venue = JournalVenue()
    venue.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    venue.deposit(10, 40_000, btc=0.01, eth=1)
    venue.deposit(11, 9_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 800, 120_000)
    venue.trade(3, 2, BTC_MONTH, 700, 120_000)
    venue.trade(2, 3, ETH_PERP, 100, 4_300)
    for _ in range(2):
        drain(venue, 2)
        assert not isinstance(venue.liquidate(2), Rejected)
        venue.price(120_000)
    return venue


def drain(venue: JournalVenue, account: int) -> None:
    """Leave the account one unit below its trigger, as realised losses would."""
    margin = account_margin(venue.state, account, orders=())
    lost = margin.margin_balance_e6 - margin.maintenance_e6 + 1
    venue.state.accounts.add_cash(account, -lost)
    venue.state.accounts.add_cash(3, lost)


def linear_venue(mode: Mode) -> JournalVenue:
    """Return a venue in which an isolated or cross account was liquidated."""
    venue = JournalVenue()
    venue.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    venue.deposit(10, 40_000, eth=1)
    venue.deposit(11, 9_000_000)
    venue.price(120_000)
    venue.must(venue.set_mode(2, mode))
    venue.trade(2, 3, BTC_PERP, 800, 120_000)
    if mode == Mode.CROSS:
        venue.trade(3, 2, ETH_PERP, 1_000, 4_300)
    drain(venue, 2)
    assert not isinstance(venue.liquidate(2), Rejected)
    return venue


@pytest.mark.parametrize("mode", [Mode.ISOLATED, Mode.CROSS])
def test_a_linear_account_is_proven_by_its_notionals(mode: Mode) -> None:
    venue = linear_venue(mode)
    (event,) = (e for e in venue.events if isinstance(e, LiquidationOrdered))
    batch = venue.journal.cut(ENGINE_HASH)
    (witness,) = batch.witnesses
    assert witness.leaf.mode == mode
    assert all(not (o.scenario or o.losses or o.loss_proof) for o in witness.columns)
    found = witness.check(batch.header, batch.terms, batch.curves_hash)
    assert found == (event.margin_balance_e6, event.maintenance_e6)


def test_charges_are_opened_when_the_account_needs_them(charged: Batch) -> None:
    venue = only_charged()
    ordered = [e for e in venue.events if isinstance(e, LiquidationOrdered)]
    assert len(charged.witnesses) == len(ordered) == 2
    for event, witness in zip(ordered, charged.witnesses, strict=True):
        assert all(opening.has_charges for opening in witness.columns)
        found = witness.check(charged.header, charged.terms, charged.curves_hash)
        assert found == (event.margin_balance_e6, event.maintenance_e6)
        opened = (witness.columns, witness.collateral, witness.curves)
        bare = tuple(replace(o, charges=b"", charge_proof=()) for o in witness.columns)
        less = witness_margin(witness.leaf, bare, *opened[1:], charged.terms)
        assert less[0] == found[0]
        assert less[1] < found[1]


def test_charges_of_one_underlying_are_opened_alone_when_they_prove_enough() -> None:
    """They are most of the calldata of a verification."""
    venue = only_charged()
    venue.journal.cut(ENGINE_HASH)
    drain(venue, 2)
    ether_usd = 40  # more than all charges on one ether
    venue.state.accounts.add_cash(2, -ether_usd * ONE_E6)
    venue.state.accounts.add_cash(3, ether_usd * ONE_E6)
    assert not isinstance(venue.liquidate(2), Rejected)
    batch = venue.journal.cut(ENGINE_HASH)
    (witness,) = batch.witnesses
    assert [o.has_charges for o in witness.columns] == [True, False]
    balance, due = witness.check(batch.header, batch.terms, batch.curves_hash)
    assert balance < due


def mutations(w: LiquidationWitness) -> dict[str, tuple[LiquidationWitness, str]]:
    opening, *others = w.columns

    def columns(**change: object) -> LiquidationWitness:
        return replace(w, columns=(replace(opening, **change), *others))  # type: ignore[arg-type]

    return {
        "index beyond the count": (replace(w, index=2), "below the count"),
        "another place": (replace(w, index=1 - w.index), "in the batch"),
        "altered instruction": (
            replace(w, instruction=replace(w.instruction, account=3)),
            "in the batch",
        ),
        "another epoch": (replace(w, epoch=replace(w.epoch, number=9)), "the instruction's"),
        "another epoch place": (replace(w, epoch_index=1), "the epoch is in the batch"),
        "another report": (
            replace(w, epoch=replace(w.epoch, report_hash=bytes(32))),
            "the instruction's",
        ),
        "altered leaf": (replace(w, leaf=replace(w.leaf, cash_e6=0)), "the instruction's"),
        "altered account proof": (
            replace(w, account_proof=(flip(w.account_proof[0]), *w.account_proof[1:])),
            "account tree",
        ),
        "short account proof": (replace(w, account_proof=w.account_proof[1:]), "account tree"),
        "altered values": (columns(values=flip(opening.values)), "value column"),
        "altered losses": (columns(losses=flip(opening.losses)), "risk column"),
        "no losses": (columns(losses=b"", loss_proof=()), "risk column"),
        "another scenario": (columns(scenario=(opening.scenario + 1) % 36), "risk column"),
        "no such scenario": (columns(scenario=36), "scenario exists"),
        "altered charges": (columns(charges=flip(opening.charges)), "charge column"),
        "charges of another underlying": (
            columns(charges=others[0].charges, charge_proof=others[0].charge_proof),
            "charge column",
        ),
        "a proof without charges": (columns(charges=b""), "charge column"),
        "altered curves": (replace(w, curves=flip(w.curves)), "curves are the set's"),
        "no curves": (replace(w, curves=b""), "curves are the set's"),
        "altered collateral": (replace(w, collateral=flip(w.collateral)), "collateral column"),
        "no collateral": (
            replace(w, collateral=b"", collateral_proof=()),
            "collateral column",
        ),
        "charges for collateral": (
            replace(w, collateral=opening.charges, collateral_proof=opening.charge_proof),
            "collateral column",
        ),
        "no column": (replace(w, columns=()), "that charge nothing"),
        "no column and no curves": (replace(w, columns=(), curves=b""), "each underlying held"),
        "a column too many": (replace(w, columns=(opening, *w.columns)), "each underlying held"),
        "a leaf without encoding": (
            replace(w, leaf=replace(w.leaf, positions=(Position(0, 0, 0),))),
            "no encoding",
        ),
    }


@pytest.mark.parametrize("name", mutations(only_charged().journal.cut(ENGINE_HASH).witnesses[0]))
def test_each_altered_part_is_refused_by_its_rule(charged: Batch, name: str) -> None:
    witness, rule = mutations(charged.witnesses[0])[name]
    with pytest.raises(WitnessError, match=rule):
        witness.check(charged.header, charged.terms, charged.curves_hash)


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
        sealed.check(lying.header, lying.terms, lying.curves_hash)


def test_an_account_of_an_unknown_mode_cannot_be_verified(batch: Batch) -> None:
    witness = batch.witnesses[0]
    opening = replace(witness.columns[0], scenario=0, losses=b"", loss_proof=())
    leaf = replace(witness.leaf, mode=3)
    lying, sealed = resealed(batch, replace(witness, leaf=leaf, columns=(opening,)))
    with pytest.raises(WitnessError, match="mode exists"):
        sealed.check(lying.header, lying.terms, lying.curves_hash)


@pytest.mark.parametrize("mode", [0, 1])
def test_a_linear_account_opens_no_scenario(batch: Batch, mode: int) -> None:
    witness = batch.witnesses[0]
    lying, sealed = resealed(batch, replace(witness, leaf=replace(witness.leaf, mode=mode)))
    opening = sealed.columns[0]
    empty = replace(opening, scenario=0, losses=b"", loss_proof=())
    for given in (
        opening,
        replace(empty, scenario=1),
        replace(empty, losses=b"\0"),
        replace(empty, loss_proof=(bytes(32),)),
    ):
        with pytest.raises(WitnessError, match="only a portfolio"):
            replace(sealed, columns=(given,)).check(lying.header, lying.terms, lying.curves_hash)


def test_a_collateral_column_that_prices_nothing_is_refused(batch: Batch) -> None:
    witness = batch.witnesses[0]
    assert not any(witness.leaf.collateral_e8)
    for change in ({"collateral": b"\0"}, {"collateral_proof": (bytes(32),)}):
        given = replace(witness, **change)
        with pytest.raises(WitnessError, match="not held"):
            given.check(batch.header, batch.terms, batch.curves_hash)


def test_curves_that_charge_nothing_are_refused(batch: Batch) -> None:
    given = replace(batch.witnesses[0], curves=b"\0")
    with pytest.raises(WitnessError, match="charge nothing"):
        given.check(batch.header, batch.terms, batch.curves_hash)


def test_legs_beyond_the_rule_are_refused_whatever_is_committed(batch: Batch) -> None:
    witness = batch.witnesses[0]
    (leg,) = witness.instruction.legs
    greedy = (replace(leg, lots=Lots(-1_201)),)  # the cap of 2,400 lots is 1,200
    lying, sealed = resealed(
        batch, replace(witness, instruction=replace(witness.instruction, legs=greedy))
    )
    with pytest.raises(WitnessError, match="partial cap"):
        sealed.check(lying.header, lying.terms, lying.curves_hash)


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
        witness_margin(leaf, witness.columns, b"", b"", batch.terms)


def test_an_expiry_without_a_place_is_refused(charged: Batch) -> None:
    witness = charged.witnesses[0]
    first, *others = witness.columns
    column = first.charges[:20] + b"\x20" + first.charges[21:]
    columns = (replace(first, charges=column), *others)
    with pytest.raises(WitnessError, match="every expiry"):
        witness_margin(witness.leaf, columns, witness.collateral, witness.curves, charged.terms)


def test_an_asset_beyond_the_column_is_refused_when_it_is_held(charged: Batch) -> None:
    witness = charged.witnesses[0]
    leaf = replace(witness.leaf, collateral_e8=(0, 0, 1))
    with pytest.raises(WitnessError, match="every asset held"):
        witness_margin(leaf, witness.columns, witness.collateral, witness.curves, charged.terms)


def test_curves_of_fewer_underlyings_than_are_charged_are_refused(charged: Batch) -> None:
    witness = charged.witnesses[0]
    first = pack_curves(unpack_curves(witness.curves)[:1])
    with pytest.raises(WitnessError, match="its curves"):
        witness_margin(witness.leaf, witness.columns, witness.collateral, first, charged.terms)


HASHES = ",".join(["bytes32"] * 4)
EPOCH = f"(uint64,uint64,{HASHES})"
LEAF = "(address,uint8,uint8,int64,uint64[],(uint16,int32,int64)[])"
COLUMN = "(uint8,uint8,bytes,bytes,bytes32[],bytes32[],bytes,bytes32[])"
WITNESS = (
    f"(uint32,bytes32[],{EPOCH},uint32,bytes32[],{LEAF},bytes32[],{COLUMN}[],bytes,bytes32[],bytes)"
)
INSTRUCTION = "(uint64,uint32,uint8,bytes32,bytes32,bytes32,(uint16,int32,uint64)[])"


@pytest.mark.parametrize("made", ["batch", "charged"])
def test_the_arguments_of_verify_have_the_shape_of_its_structs(
    made: str, request: pytest.FixtureRequest
) -> None:
    batch: Batch = request.getfixturevalue(made)
    header = "(" + ",".join(kind for _, kind in HEADER_TYPE.members) + ")"
    for witness in batch.witnesses:
        instruction = witness.instruction
        values = (batch.header.values(), instruction.abi_tuple(), witness.abi_tuple())
        encoded = encode([header, INSTRUCTION, WITNESS], values)
        assert decode([header, INSTRUCTION, WITNESS], encoded)[0][1] == batch.header.batch_no
        # The calldata of one instruction is, after its offset, what its hash is over.
        assert encode([INSTRUCTION], [instruction.abi_tuple()]) == encode_instruction(instruction)
