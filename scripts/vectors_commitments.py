"""Write the golden vectors of leaves, trees and lists: docs/COMMITMENTS.md in numbers."""

import sys
from collections.abc import Iterator
from dataclasses import astuple

from offchain.core.units import InstrumentId, Lots, PriceE8
from offchain.ledger import inbox, merkle
from offchain.ledger import instruction as ins
from offchain.ledger import leaf as lf
from offchain.ledger import outputs as out
from offchain.ledger import totals as tot
from offchain.ledger.keccak import ZERO32
from scripts.golden import Case, Files, camel, case, leaf_fields, number, owner, word, write

# -- account_leaf --------------------------------------------------------------------------------


def account_leaves() -> Iterator[tuple[str, lf.AccountLeaf]]:
    """Name leaves from empty to full, at the limits of every type."""
    addr, p = owner("alice"), lf.Position
    top = lf.Position(0xFFFF, 2**31 - 1, 2**63 - 1)
    many = tuple(
        p(i * 9, number(f"lots {i}", -(2**24) + 1, -1 if i % 2 else 2**24 - 1) or 1, (-1) ** i * i)
        for i in range(32)
    )
    yield "empty account", lf.AccountLeaf(addr, 0, 2, 0, (0,), ())
    yield "no collateral asset", lf.AccountLeaf(addr, 1, 2, 5_000_000, (), ())
    yield "zero owner", lf.AccountLeaf(bytes(20), 0, 2, 1, (1,), ())
    yield "negative cash", lf.AccountLeaf(addr, 0, 2, -1, (150_000_000,), (p(0, 1, 60_000_000),))
    yield "short position", lf.AccountLeaf(addr, 7, 2, 10**12, (0,), (p(3, -25, -(10**9)),))
    yield (
        "both underlyings",
        lf.AccountLeaf(addr, 2, 2, -(10**9), (1,), (p(1, 5, 7), p(256, -5, 0), p(300, 9, -9))),
    )
    yield "largest numbers", lf.AccountLeaf(b"\xff" * 20, 255, 255, 2**63 - 1, (2**64 - 1,), (top,))
    low = lf.Position(0, -(2**31), -(2**63))
    yield "smallest numbers", lf.AccountLeaf(addr, 0, 0, -(2**63), (0, 0), (low,))
    yield "32 positions", lf.AccountLeaf(addr, 0, 2, 123_456_789, (987_654_321,), many)
    yield "three collateral assets", lf.AccountLeaf(addr, 0, 2, 1, (1, 2, 3), (p(255, 1, 1),))


def account_leaf() -> Iterator[Case]:
    """Yield the leaf, its encoding and its hash."""
    for name, leaf in account_leaves():
        encoded = lf.encode_leaf(leaf)
        yield case(name, **leaf_fields(leaf), encoded=encoded, hash=lf.leaf_hash(leaf))


# -- merkle --------------------------------------------------------------------------------------


def merkle_case(
    name: str, kind: str, accounts: list[int], leaves: list[bytes], index: int
) -> tuple[Case, Case]:
    """Return a proof that holds and the same with its first byte changed."""
    if kind == "account":
        tree = merkle.AccountTree()
        tree.update(dict(zip(accounts, leaves, strict=True)))
        root, leaf, proof = tree.root, tree.leaf(index), tree.proof(index)
    else:
        root, leaf = merkle.list_root(leaves), leaves[index]
        proof = merkle.list_proof(leaves, index)
    fields = {"kind": kind, "accounts": accounts, "leaves": leaves, "index": index, "root": root}
    right = case(name, **fields, leaf=leaf, proof=proof, valid=True)
    wrong_leaf = bytes([leaf[0] ^ 1]) + leaf[1:]
    return right, case(f"{name}, altered leaf", **fields, leaf=wrong_leaf, proof=proof, valid=False)


def merkle_cases() -> Iterator[Case]:
    """Yield proofs of both kinds of tree; some must be refused."""
    leaves = [word(f"leaf {i}") for i in range(37)]
    for size in (1, 2, 3, 5, 8, 37):
        yield from merkle_case(f"list of {size}", "list", [], leaves[:size], size - 1)
    yield from merkle_case("first of 5", "list", [], leaves[:5], 0)
    root, proof = merkle.list_root(leaves[:4]), merkle.list_proof(leaves[:4], 1)
    base = {"kind": "list", "accounts": [], "leaves": leaves[:4], "root": root, "leaf": leaves[1]}
    yield case("index beyond the proof", **base, index=5, proof=proof, valid=False)
    yield case("another index", **base, index=2, proof=proof, valid=False)
    yield case("proof too short", **base, index=1, proof=proof[:1], valid=False)
    last = merkle.MAX_ACCOUNTS - 1
    yield from merkle_case("only account", "account", [0], leaves[:1], 0)
    yield from merkle_case("last account", "account", [last], leaves[:1], last)
    sparse = [0, 1, 5, 1000, last]
    for index in (1, 5, last):
        yield from merkle_case(f"account {index} of a few", "account", sparse, leaves[:5], index)
    yield from merkle_case("absent account", "account", sparse, leaves[:5], 6)
    tree = merkle.AccountTree()
    tree.update(dict(zip(sparse, leaves, strict=False)))
    fields = {"kind": "account", "accounts": sparse, "leaves": leaves[:5], "root": tree.root}
    yield case(
        "proof of 19", **fields, index=1, leaf=leaves[1], proof=tree.proof(1)[:-1], valid=False
    )


# -- instruction, output, inbox, totals ----------------------------------------------------------


def leg(instrument: int, lots: int, limit_price_e8: int) -> ins.Leg:
    """Return a leg."""
    return ins.Leg(InstrumentId(instrument), Lots(lots), PriceE8(limit_price_e8))


def instruction() -> Iterator[Case]:
    """Yield instructions with no leg up to 32."""
    legs: list[tuple[str, tuple[ins.Leg, ...]]] = [
        ("no legs", ()),
        ("one buy", (leg(0, 5, 12_000_000_000_000),)),
        ("one sell", (leg(256, -5, 1),)),
        ("both underlyings", (leg(3, -5, 10**13), leg(256, 7, 4 * 10**11))),
        ("largest numbers", (leg(0xFFFF, 2**31 - 1, 2**64 - 1),)),
        ("smallest numbers", (leg(0, -(2**31), 0),)),
        ("three legs", tuple(leg(i, (-1) ** i * (i + 1), 10**12 + i) for i in range(3))),
        ("32 legs", tuple(leg(i * 8, i - 40, 10**11 * i) for i in range(32))),
    ]
    for i, (name, orders) in enumerate(legs):
        top = name == "largest numbers"
        value = ins.Instruction(
            2**64 - 1 if top else 1000 + i,
            2**32 - 1 if top else i,
            1 + i % 2,
            word(f"account root {i}"),
            word(f"leaf hash {i}"),
            word(f"epoch hash {i}"),
            orders,
        )
        yield case(
            name,
            id=value.id,
            account=value.account,
            tier=value.tier,
            accountRoot=value.account_root,
            leafHash=value.leaf_hash,
            epochHash=value.epoch_hash,
            legInstruments=[x.instrument for x in orders],
            legLots=[x.lots for x in orders],
            legLimitPricesE8=[x.limit_price_e8 for x in orders],
            encoded=ins.encode_instruction(value),
            hash=ins.instruction_hash(value),
        )


def output() -> Iterator[Case]:
    """Yield outputs with the tree of all of them."""
    made = [
        out.Output(i + 1, i + 2, owner(f"receiver {i}"), i % 2, number(f"amount {i}", 1, 10**15))
        for i in range(7)
    ]
    made.append(out.Output(2**64 - 1, 2**32 - 1, b"\xff" * 20, 255, 2**128 - 1))
    made.append(out.Output(0, 0, bytes(20), 0, 0))
    leaves = [out.output_hash(x) for x in made]
    for i, value in enumerate(made):
        fields = dict(
            zip(("id", "account", "owner", "asset", "amount"), astuple(value), strict=True)
        )
        yield case(
            f"output {value.id}",
            **fields,
            hash=leaves[i],
            index=i,
            proof=merkle.list_proof(leaves, i),
            outputRoot=merkle.list_root(leaves),
        )


def inbox_cases() -> Iterator[Case]:
    """Yield a queue entry by entry; the cases follow one another."""
    prefix, key = ZERO32, owner("trading key")
    rows: list[tuple[int, int, int, bytes]] = [
        (1, 0, 1, bytes(20)),
        (1, 1, 10**8, bytes(20)),
        (2, 0, 2**128 - 1, bytes(20)),
        (2, 2, 2**64 - 1, bytes(20)),
        (3, 0, 0, bytes(20)),
        (4, 257, 0, bytes(20)),
        (4, 2**16 - 1, 900, bytes(20)),
        (5, 0, 1_760_000_000, key),
        (6, 0, 0, key),
        (6, 0, 0, bytes(20)),
        (255, 2**16 - 1, 2**128 - 1, b"\xff" * 20),
    ]
    for i, (kind, place, amount, of) in enumerate(rows, start=1):
        time_s = 2**64 - 1 if kind == 255 else 1_760_000_000 + i
        entry = inbox.InboxEntry(
            kind, i, time_s, owner(f"owner {i}"), (i * 85) % 256, place, amount, of
        )
        names = ("kind", "index", "time", "owner", "subaccount", "place", "amount", "key")
        previous, hashed = prefix, inbox.entry_hash(entry)
        prefix = inbox.prefix_hash(previous, hashed)
        yield case(
            f"entry {i}",
            **dict(zip(names, astuple(entry), strict=True)),
            entryHash=hashed,
            previous=previous,
            prefix=prefix,
        )


def totals() -> Iterator[Case]:
    """Yield totals; some break SOL-1."""
    low, most, top, count = -(2**127), 2**127 - 1, 2**128 - 1, 2**32 - 1
    none, tops = (0,), (top,) * 8
    rows: list[tuple[str, tot.Totals, bool]] = [
        ("nothing yet", tot.Totals(0, none, 0, none, 0, none, 0, 0, 0, 0, 0, 0, 0), True),
        ("one deposit", tot.Totals(10**6, none, 10**6, none, 0, none, 0, 0, 0, 0, 3, 0, 0), True),
        (
            "cash and one collateral",
            tot.Totals(600, (40,), 1000, (50,), 400, (10,), 70, 90, 20, 0, 9, 1, 4),
            True,
        ),
        (
            "three collaterals",
            tot.Totals(9, (4, 0, 7), 9, (5, 3, 7), 0, (1, 3, 0), 0, 0, 0, 0, 3, 0, 0),
            True,
        ),
        ("fund overdrawn", tot.Totals(5, none, 5, none, 0, none, -8, 1, 9, 3, 4, 4, 9), True),
        (
            "one unit of cash too much",
            tot.Totals(601, (40,), 1000, (50,), 400, (10,), 0, 0, 0, 0, 3, 0, 0),
            False,
        ),
        (
            "one unit of collateral lost",
            tot.Totals(600, (39,), 1000, (50,), 400, (10,), 0, 0, 0, 0, 3, 0, 0),
            False,
        ),
        (
            "a unit of one collateral made another",
            tot.Totals(0, (5, 5), 0, (4, 6), 0, (0, 0), 0, 0, 0, 0, 3, 0, 0),
            False,
        ),
        ("no asset listed", tot.Totals(0, (), 0, (), 0, (), 0, 0, 0, 0, 3, 0, 0), False),
        (
            "an asset that was never deposited",
            tot.Totals(0, (0, 0), 0, (0,), 0, (0, 0), 0, 0, 0, 0, 3, 0, 0),
            False,
        ),
        (
            "an asset that was never withdrawn",
            tot.Totals(0, (0, 0), 0, (0, 0), 0, (0,), 0, 0, 0, 0, 3, 0, 0),
            False,
        ),
        ("negative book", tot.Totals(-1, none, 0, none, 0, none, -1, 0, 0, 0, 1, 0, 0), False),
        (
            "largest numbers",
            tot.Totals(most, tops, top, tops, top, tops, most, top, top, top, count, count, count),
            False,
        ),
        ("smallest numbers", tot.Totals(low, none, 0, none, 0, none, low, *[0] * 6), False),
    ]
    names = [camel(x) for x in tot.Totals.__dataclass_fields__]
    for name, value, conserved in rows:
        fields = dict(zip(names, astuple(value), strict=True))
        yield case(name, **fields, hash=tot.totals_hash(value), conserved=conserved)


FILES: Files = {
    "account_leaf": account_leaf,
    "merkle": merkle_cases,
    "instruction": instruction,
    "output": output,
    "inbox": inbox_cases,
    "totals": totals,
}

if __name__ == "__main__":
    sys.exit(write(FILES))
