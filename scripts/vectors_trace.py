"""Write the golden vectors of effects, steps, checkpoints and listings."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.ledger import checkpoint as ck
from offchain.ledger import effects as ef
from offchain.ledger import leaf as lf
from offchain.ledger import listing as ls
from offchain.ledger import merkle
from offchain.ledger import trace as tr
from offchain.ledger.keccak import keccak256
from offchain.ledger.sum_tree import SumNode, parent
from scripts.golden import Case, Files, camel, case, leaf_fields, number, owner, word, write

TOP32, TOP64 = 2**32 - 1, 2**64 - 1
HIGH, LOW = 2**63 - 1, -(2**63)


# -- effects -------------------------------------------------------------------------------------


def effect_rows() -> Iterator[tuple[str, bytes, dict[str, object]]]:
    """Name one word of each kind and at each limit, with the fields that it has."""
    alice = owner("alice")
    yield "open", ef.open_word(7, 255, alice), {"owner": alice}
    for flow in ef.CashFlow:
        delta = number(f"cash {flow}", -(10**12), 10**12)
        yield f"cash {flow.name.lower()}", ef.cash_word(2, flow, delta), {"delta": delta}
    for delta in (HIGH, LOW):
        made = ef.cash_word(TOP32, ef.CashFlow.DEPOSIT, delta)
        yield f"cash {delta}", made, {"delta": delta}
    for is_deposit in (True, False):
        made = ef.collateral_word(3, 8, -5, is_deposit=is_deposit)
        yield f"collateral {is_deposit}", made, {"delta": -5, "isDeposit": is_deposit}
    for lots, cost, order in ((5, -7, 0), (-(2**31), LOW, TOP64), (2**31 - 1, HIGH, 1)):
        fields: dict[str, object] = {"lots": lots, "cost": cost, "orderId": order}
        yield f"trade of {lots}", ef.trade_word(4, 0xFFFF, lots, cost, order), fields
    yield "mode", ef.mode_word(5, 1), {}
    for account, amount, number_ in ((6, 10**9, 1), (TOP32, TOP64, TOP64)):
        fields = {"amount": amount, "outputId": number_}
        yield f"output of {amount}", ef.output_word(account, 1, amount, number_), fields
    yield "noop", ef.noop_word(TOP32, 7), {}
    yield "liquidation", ef.liquidation_word(9, 2), {}
    yield "settle", ef.settle_word(257, -3), {"delta": -3}
    yield "shortfall", ef.shortfall_word(10, TOP64), {"amount": TOP64}
    yield "assets", ef.assets_word(8), {}


def effects() -> Iterator[Case]:
    """Yield words with their fields; what a kind does not have is zero."""
    none = {"owner": bytes(20), "isDeposit": False} | dict.fromkeys(
        ("delta", "lots", "cost", "orderId", "amount", "outputId"), 0
    )
    for name, made, fields in effect_rows():
        account, place = int.from_bytes(made[1:5]), int.from_bytes(made[5:7])
        yield case(
            name, word=made, kind=made[0], account=account, place=place, **{**none, **fields}
        )


# -- trace ---------------------------------------------------------------------------------------


def books() -> Iterator[tr.Book]:
    """Return books from nothing to the largest numbers."""
    top = 2**128 - 1
    yield tr.GENESIS_BOOK
    yield tr.Book((0, 0), (0, 0), 0, 0, 0, 2, 0)
    for i in range(1, 7):
        deposited, withdrawn = (
            tuple(number(f"book {i} {k} {a}", 0, 10**18) for a in range(i + 1)) for k in range(2)
        )
        into, out, short = (number(f"book {i} {k}", 0, 10**15) for k in range(3))
        yield tr.Book(deposited, withdrawn, into, out, short, i, 2 * i)
    yield tr.Book((top,) * 9, (top,) * 9, top, top, top, TOP32, TOP32)


def trace() -> Iterator[Case]:
    """Yield the steps of one trace, each with a book, its effects and its place."""
    words = [made for _, made, _ in effect_rows()]
    rows = []
    for i, book in enumerate(books()):
        carried = b"".join(words[i : 2 * i])
        hashes = [word(f"step {i} {k}") for k in range(4)]
        numbers = (i, 2 * i, i % 3, 100 * i) if i != 8 else (TOP64, TOP64, TOP32, TOP32)
        frame, tip, root, epoch = hashes
        step = tr.Step(frame, keccak256(carried), tip, root, epoch, tr.book_hash(book), *numbers)
        rows.append((tr.GENESIS_STEP if i == 0 else step, book, b"" if i == 0 else carried))
    leaves = [tr.step_hash(step) for step, _, _ in rows]
    names = [camel(x) for x in tr.Step.__dataclass_fields__]
    for i, (step, book, carried) in enumerate(rows):
        yield case(
            "before the first batch" if i == 0 else f"step {i}",
            **dict(zip(names, astuple(step), strict=True)),
            effects=ef.split_words(carried),
            deposited=book.deposited,
            withdrawn=book.withdrawn,
            contributedE6=book.contributed_e6,
            drawnE6=book.drawn_e6,
            shortfallE6=book.shortfall_e6,
            bookAccounts=book.accounts,
            bookLiquidations=book.liquidations,
            stepHash=leaves[i],
            index=i,
            proof=merkle.list_proof(leaves, i),
            traceRoot=merkle.list_root(leaves),
        )


# -- checkpoint ----------------------------------------------------------------------------------

Account = tuple[lf.AccountLeaf, dict[int, int]]
"""A leaf, and the value of one long lot of each instrument that it holds."""


def exit_accounts(name: str, assets: int, count: int) -> list[Account]:
    """Return accounts in profit, in debt that collateral covers, in part or not at all."""
    made: list[Account] = []
    for i in range(count):
        held = tuple(number(f"{name} {i} held {a}", 0, 10**9) for a in range(assets))
        lots = number(f"{name} {i} lots", -50, 50) or 1
        positions = (lf.Position(i, lots, number(f"{name} {i} cost", -(10**9), 10**9)),)
        values = {i: number(f"{name} {i} value", -(10**8), 10**8)}
        cash = number(f"{name} {i} cash", -(10**12), 10**11)
        kept = held if i % 3 else (0,) * assets
        leaf = lf.AccountLeaf(owner(f"{name} {i}"), i, 2, cash, kept, positions if i % 2 else ())
        made.append((leaf, values))
    return made


def levels_of(nodes: Sequence[SumNode]) -> list[list[SumNode]]:
    """Return every level of a sum tree, the leaves first, each padded to whole pairs."""
    empty = SumNode(bytes(32), (0,) * len(nodes[0].sums))
    levels, level = [], list(nodes)
    for _ in range(merkle.ACCOUNT_TREE_DEPTH):
        level += [empty] * (len(level) % 2)
        levels.append(level)
        level = [parent(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return [*levels, level]


def checkpoint() -> Iterator[Case]:
    """Yield exit leaves of several checkpoints, with what they follow from."""
    for name, assets, count in (("one", 1, 1), ("two", 2, 2), ("five", 3, 5), ("eight", 8, 4)):
        prices = [number(f"{name} price {a}", 1, 10**14) for a in range(assets)]
        accounts = exit_accounts(name, assets, count)
        leaves = [ck.exit_leaf(i, leaf, of, prices) for i, (leaf, of) in enumerate(accounts)]
        nodes = [ck.exit_node(leaf) for leaf in leaves]
        *levels, (root,) = levels_of(nodes)
        equity, owed, debt, *collateral = root.sums
        whole = ck.CheckpointRoot(root.hash, ck.ExitSums(equity, owed, debt, tuple(collateral)))
        for i, (leaf, values) in enumerate(accounts):
            of = leaves[i]
            account = {f"account{k[0].upper()}{k[1:]}": v for k, v in leaf_fields(leaf).items()}
            yield case(
                f"account {i} of {name}",
                account=of.account,
                owner=of.owner,
                subaccount=of.subaccount,
                equityE6=of.equity_e6,
                owedE6=of.owed_e6,
                debtE6=of.debt_e6,
                collateralE8=of.collateral_e8,
                **account,
                valuesE6=[values[p.instrument] for p in leaf.positions],
                pricesE8=prices,
                leafHash=nodes[i].hash,
                path=b"".join(x[i >> h ^ 1].packed() for h, x in enumerate(levels)),
                rootHash=root.hash,
                sumEquityE6=equity,
                sumOwedE6=owed,
                sumDebtE6=debt,
                sumCollateralE8=collateral,
                checkpointRoot=whole.hash,
            )


# -- listing -------------------------------------------------------------------------------------


def listed() -> Iterator[tuple[str, RiskParameters]]:
    """Name parameter sets: one underlying, two, with smiles and expiries."""
    start = 1_760_054_400 * 10**9
    expiries = (("WEEK", start + 7 * 86_400 * 10**9), ("MONTH", start + 21 * 86_400 * 10**9))
    signers = tuple(f"0x{i:040x}" for i in range(1, 8))
    roles = Roles(signers, "0x" + "f0" * 20, "0x" + "f1" * 20)
    yield "one", pm36((Series(BITCOIN, (), ()),), roles)
    both = (Series(BITCOIN, expiries, (100_000, 120_000)), Series(ETHER, expiries[:1], (4_000,)))
    yield "two", pm36(both, roles)


def listing() -> Iterator[Case]:
    """Yield every leaf of each listing, as it is encoded and where it stands."""
    for name, parameters in listed():
        tree = ls.listing_tree(parameters)
        instruments = len(parameters.listing.instruments)
        for index, encoded in enumerate(ls.encoded_leaves(parameters)):
            kind = "oracle" if not index else "instrument" if index <= instruments else "asset"
            yield case(
                f"{name}: {kind} at {index}",
                kind=kind,
                encoded=encoded,
                hash=keccak256(encoded),
                index=index,
                proof=tree.proof(index),
                listingRoot=tree.root,
            )


FILES: Files = {"effects": effects, "trace": trace, "checkpoint": checkpoint, "listing": listing}

if __name__ == "__main__":
    sys.exit(write(FILES))
