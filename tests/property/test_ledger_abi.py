"""Our ABI words are those of eth_abi, for every value of every type that we hash."""

from typing import Any

import numpy as np
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.addons import COLUMNS, GROUPS, Charge
from offchain.core.units import InstrumentId, Lots, PriceE8
from offchain.engine.events import Leg
from offchain.ledger.abi import static
from offchain.ledger.charge_columns import (
    pack_charges,
    pack_collateral,
    unpack_charges,
    unpack_collateral,
)
from offchain.ledger.columns import pack_losses, pack_values, unpack_losses, unpack_values
from offchain.ledger.epoch import Report, report_hash
from offchain.ledger.instruction import Instruction, encode_instruction
from offchain.ledger.keccak import keccak256
from offchain.ledger.leaf import AccountLeaf, Position, encode_leaf
from offchain.ledger.terms import Curves, pack_curves, unpack_curves
from offchain.ledger.totals import Totals, encode_totals


def unsigned(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


ADDRESS, HASH = st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32)
TYPES: dict[str, st.SearchStrategy[Any]] = {
    **{f"uint{bits}": unsigned(bits) for bits in (8, 16, 32, 64, 128, 256)},
    **{f"int{bits}": signed(bits) for bits in (32, 64, 128)},
    "address": ADDRESS,
    "bytes32": HASH,
    "bool": st.booleans(),
}
MEMBERS = st.lists(
    st.sampled_from(sorted(TYPES)).flatmap(lambda kind: st.tuples(st.just(kind), TYPES[kind])),
    max_size=30,
)
NONZERO = signed(32).filter(bool)
POSITIONS = st.dictionaries(unsigned(16), st.tuples(NONZERO, signed(64)), max_size=32)
LEAVES = st.builds(
    lambda owner, subaccount, mode, cash, collateral, held: AccountLeaf(
        owner,
        subaccount,
        mode,
        cash,
        tuple(collateral),
        tuple(Position(i, *held[i]) for i in sorted(held)),
    ),
    ADDRESS,
    unsigned(8),
    unsigned(8),
    signed(64),
    st.lists(unsigned(64), max_size=4),
    POSITIONS,
)
LEGS = st.dictionaries(unsigned(16), st.tuples(signed(32), unsigned(64)), max_size=32)


@given(MEMBERS)
def test_static_values_encode_as_eth_abi_does(members: list[tuple[str, Any]]) -> None:
    kinds, values = [kind for kind, _ in members], [value for _, value in members]
    assert static(kinds, values) == encode(kinds, values)


@given(LEAVES)
def test_leaves_encode_as_eth_abi_does(leaf: AccountLeaf) -> None:
    positions = [(p.instrument, p.lots, p.cost_e6) for p in leaf.positions]
    head = (leaf.owner, leaf.subaccount, leaf.mode, leaf.cash_e6, list(leaf.collateral_e8))
    kind = "(address,uint8,uint8,int64,uint64[],(uint16,int32,int64)[])"
    assert encode_leaf(leaf) == encode([kind], [(*head, positions)])


@given(unsigned(64), unsigned(32), unsigned(8), st.tuples(HASH, HASH, HASH), LEGS)
def test_instructions_encode_as_eth_abi_does(
    id_: int,
    account: int,
    tier: int,
    roots: tuple[bytes, bytes, bytes],
    legs: dict[int, tuple[int, int]],
) -> None:
    rows = [(i, *legs[i]) for i in sorted(legs)]
    made = tuple(Leg(InstrumentId(i), Lots(lots), PriceE8(price)) for i, lots, price in rows)
    instruction = Instruction(id_, account, tier, *roots, made)
    kind = "(uint64,uint32,uint8,bytes32,bytes32,bytes32,(uint16,int32,uint64)[])"
    assert encode_instruction(instruction) == encode([kind], [(id_, account, tier, *roots, rows)])


@given(unsigned(64), unsigned(64), st.lists(signed(64), max_size=20))
def test_reports_hash_as_eth_abi_encodes_them(round_: int, time: int, medians: list[int]) -> None:
    packed = b"".join(x.to_bytes(8, signed=True) for x in medians)
    expected = keccak256(encode(["uint64", "uint64", "bytes"], [round_, time, packed]))
    assert report_hash(Report(round_, time, tuple(medians))) == expected


AMOUNTS = st.lists(unsigned(128), max_size=9).map(tuple)


@given(signed(128), st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), st.lists(unsigned(32), min_size=8))
def test_totals_encode_as_eth_abi_does(
    cash: int, lists: tuple[tuple[int, ...], ...], rest: list[int]
) -> None:
    held, paid_in, paid_out = lists
    values: tuple[Any, ...] = (cash, held, rest[0], paid_in, rest[1], paid_out)
    values += (-rest[2], *rest[3:8], rest[0])
    kind = "(int128,uint128[],uint128,uint128[],uint128,uint128[],int128,uint128,uint128,uint128,"
    kind += "uint32,uint32,uint32)"
    assert encode_totals(Totals(*values)) == encode([kind], [values])


CHARGES = st.tuples(signed(32), signed(32), *[unsigned(32)] * 3, st.integers(0, GROUPS - 1))


@given(st.lists(CHARGES, max_size=9))
def test_packed_charges_survive(rows: list[tuple[int, ...]]) -> None:
    made = np.zeros((len(rows), COLUMNS), np.int64)
    for place, (*charges, group) in enumerate(rows):
        made[place, : len(charges)], made[place, Charge.GROUP] = charges, group
    assert unpack_charges(pack_charges(made)) == tuple(tuple(row) for row in made.tolist())


BRACKETS = st.lists(st.tuples(st.integers(1, 2**64 - 1), unsigned(64)), max_size=4).map(tuple)


@given(st.lists(BRACKETS, max_size=8).map(tuple))
def test_packed_collateral_survives(curves: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    assert unpack_collateral(pack_collateral(curves)) == curves


LINES = st.lists(st.tuples(unsigned(32), unsigned(96)), max_size=9).map(tuple)


@given(st.lists(st.builds(Curves, LINES, LINES, LINES), max_size=3).map(tuple))
def test_packed_curves_survive(curves: tuple[Curves, ...]) -> None:
    assert unpack_curves(pack_curves(curves)) == curves


@given(st.lists(signed(64)), st.lists(signed(32)))
def test_packed_numbers_survive(values: list[int], losses: list[int]) -> None:
    assert unpack_values(pack_values(values)) == tuple(values)
    assert unpack_losses(pack_losses(losses)) == tuple(losses)
