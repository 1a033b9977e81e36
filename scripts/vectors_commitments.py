"""Write the golden vectors of leaves, trees, columns and lists: docs/COMMITMENTS.md in numbers."""

import sys
from collections.abc import Iterator
from dataclasses import astuple

import numpy as np

from offchain.core.units import SCENARIOS, SLOTS, InstrumentId, Lots, PriceE8
from offchain.ledger import columns as col
from offchain.ledger import epoch as ep
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


# -- columns, report, epoch ----------------------------------------------------------------------


def columns_of(name: str, slots: tuple[int, ...]) -> tuple[list[int], list[list[int]], col.Columns]:
    """Return arbitrary values and losses, listed rows only, and their columns."""
    values = np.zeros(len(slots) * SLOTS, np.int64)
    losses = np.zeros((len(slots) * SLOTS, SCENARIOS), np.int32)
    rows = [u * SLOTS + k for u, n in enumerate(slots) for k in range(n)]
    for row in rows:
        values[row] = number(f"{name} value {row}", -(2**40), 2**40)
        losses[row] = [number(f"{name} {row} {s}", -(2**31), 2**31 - 1) for s in range(SCENARIOS)]
    values[rows[0]], losses[rows[0], 0], losses[rows[-1], 35] = -(2**63), -(2**31), 2**31 - 1
    made = col.Columns.of_arrays(values, losses, slots)
    return values[rows].tolist(), losses[rows].tolist(), made


def columns() -> Iterator[Case]:
    """Yield openings of columns under both roots."""
    books: list[tuple[str, tuple[int, ...], tuple[tuple[int, int], ...]]] = [
        ("one underlying, one slot", (1,), ((0, 0), (0, 35))),
        ("one underlying", (5,), ((0, 7),)),
        ("two underlyings", (3, 2), ((0, 0), (0, 35), (1, 0), (1, 35))),
        ("two large underlyings", (12, 9), ((0, 13), (1, 30))),
        ("second without slots", (4, 0), ((0, 20), (1, 3))),
    ]
    for name, slots, openings in books:
        values, losses, made = columns_of(name, slots)
        flat = [x for row in losses for x in row]
        for underlying, scenario in openings:
            opening = made.opening(underlying, scenario)
            yield case(
                f"{name}: underlying {underlying}, scenario {scenario}",
                slots=slots,
                values=values,
                losses=flat,
                shape=[len(values), SCENARIOS],
                underlying=underlying,
                scenario=scenario,
                packedValues=opening.values,
                packedLosses=opening.losses,
                valueHash=col.column_hash(underlying, col.VALUE_COLUMN, opening.values),
                lossHash=col.column_hash(underlying, scenario, opening.losses),
                valueProof=opening.value_proof,
                lossProof=opening.loss_proof,
                priceRoot=made.price_root,
                riskRoot=made.risk_root,
            )


def report() -> Iterator[Case]:
    """Yield reports from no feed to many."""
    series: list[tuple[str, int, int, tuple[int, ...]]] = [
        ("no feed", 1, 1, ()),
        ("one feed", 1, 1_760_000_000_000_000_000, (12_345_678_900_000,)),
        ("two feeds", 2, 1_760_000_001_000_000_000, (12_000_000_000_000, 400_000_000_000)),
        ("three feeds", 3, 1_760_000_002_000_000_000, (1, 2, 3)),
        ("four feeds fill a word", 4, 1_760_000_003_000_000_000, (1, 2, 3, 4)),
        ("five feeds", 5, 1_760_000_004_000_000_000, (5, 4, 3, 2, 1)),
        ("largest numbers", 2**64 - 1, 2**64 - 1, (2**63 - 1,) * 3),
        ("negative values pack too", 6, 7, (-1, -(2**63))),
        ("24 feeds", 7, 8, tuple(number(f"feed {i}", 1, 2**46) for i in range(24))),
    ]
    for name, round_, observed_at, medians in series:
        value = ep.Report(round_, observed_at, medians)
        packed = col.pack_values(medians)
        yield case(
            name,
            round=round_,
            observedAt=observed_at,
            medians=medians,
            packed=packed,
            hash=ep.report_hash(value),
        )


def epoch() -> Iterator[Case]:
    """Yield epochs, from zeros to the largest numbers."""
    edge = [("all zero", ep.Epoch(0, 0, ZERO32, ZERO32, ZERO32))]
    edge += [("all ones", ep.Epoch(2**64 - 1, 2**64 - 1, *[b"\xff" * 32] * 3))]
    for i in range(1, 8):
        roots = [word(f"epoch {i} {k}") for k in ("report", "price", "risk")]
        edge.append((f"epoch {i}", ep.Epoch(i, 1_760_000_000_000_000_000 + i, *roots)))
    for name, value in edge:
        yield case(
            name,
            number=value.number,
            time=value.time_ns,
            reportHash=value.report_hash,
            priceRoot=value.price_root,
            riskRoot=value.risk_root,
            hash=ep.epoch_hash(value),
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
    prefix = ZERO32
    amounts = [1, 10**6, 10**8, 2**64 - 1, 2**128 - 1, 0, 5_000_000, 7]
    for i, amount in enumerate(amounts, start=1):
        previous, fields = prefix, (1, i, owner(f"depositor {i}"), (i * 85) % 256, i % 2, amount)
        entry = inbox.entry_hash(*fields)
        prefix = inbox.prefix_hash(previous, entry)
        names = ("kind", "index", "owner", "subaccount", "asset", "amount")
        yield case(
            f"entry {i}",
            **dict(zip(names, fields, strict=True)),
            entryHash=entry,
            previous=previous,
            prefix=prefix,
        )


def totals() -> Iterator[Case]:
    """Yield totals; some break SOL-1."""
    low, most, top, count = -(2**127), 2**127 - 1, 2**128 - 1, 2**32 - 1
    rows: list[tuple[str, tot.Totals, bool]] = [
        ("nothing yet", tot.Totals(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), True),
        ("one deposit", tot.Totals(10**6, 0, 10**6, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0), True),
        ("both assets", tot.Totals(600, 40, 1000, 50, 400, 10, 70, 90, 20, 0, 9, 1, 4), True),
        ("fund overdrawn", tot.Totals(5, 0, 5, 0, 0, 0, -8, 1, 9, 3, 4, 4, 9), True),
        (
            "one unit of cash too much",
            tot.Totals(601, 40, 1000, 50, 400, 10, 0, 0, 0, 0, 3, 0, 0),
            False,
        ),
        (
            "one unit of collateral lost",
            tot.Totals(600, 39, 1000, 50, 400, 10, 0, 0, 0, 0, 3, 0, 0),
            False,
        ),
        ("negative book", tot.Totals(-1, 0, 0, 0, 0, 0, -1, 0, 0, 0, 1, 0, 0), False),
        (
            "largest numbers",
            tot.Totals(most, top, top, top, top, top, most, top, top, top, count, count, count),
            False,
        ),
        ("smallest numbers", tot.Totals(low, 0, 0, 0, 0, 0, low, 0, 0, 0, 0, 0, 0), False),
    ]
    names = [camel(x) for x in tot.Totals.__dataclass_fields__]
    for name, value, conserved in rows:
        fields = dict(zip(names, astuple(value), strict=True))
        yield case(name, **fields, hash=tot.totals_hash(value), conserved=conserved)


FILES: Files = {
    "account_leaf": account_leaf,
    "merkle": merkle_cases,
    "columns": columns,
    "report": report,
    "epoch": epoch,
    "instruction": instruction,
    "output": output,
    "inbox": inbox_cases,
    "totals": totals,
}

if __name__ == "__main__":
    sys.exit(write(FILES))
