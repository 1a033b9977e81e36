"""The golden vectors of the trace, of checkpoints and of listings agree with eth_abi."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_hash.auto import keccak as outside_keccak

from offchain.ledger import merkle
from scripts import vectors_trace

ROOT = Path(__file__).parents[2]
Case = dict[str, Any]
BOOK = "(uint128[],uint128[],uint128,uint128,uint128,uint32,uint32)"
EXIT_LEAF = "(uint32,address,uint8,uint128,uint128,uint128,uint128[])"
SCAN = "(uint32,uint32,uint32,uint64,uint32,uint32,(int64,uint32)[7],(int64,uint32,bool)[2])"
INSTRUMENT = (
    "(uint16,(uint8,uint64,uint64,uint64,uint64),"
    f"(uint16,uint16,uint16,bool,uint16,uint16,uint16,uint16),{SCAN},"
    "uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32)"
)
ASSET = "(uint8,uint16,uint64,uint32,uint32)"
ORACLE = "(uint16,uint8,uint64,uint32,address[])"
LISTED = {"oracle": ORACLE, "instrument": INSTRUMENT, "asset": ASSET}


def cases(name: str) -> list[Any]:
    document = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())
    assert document["schema"] == f"plimsoll.{name}.v1"
    assert int(document["count"]) == len(document["cases"]) >= 8
    return [pytest.param(case, id=case["name"]) for case in document["cases"]]


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def ints(case: Case, key: str) -> list[int]:
    return [int(x) for x in case[key]]


@pytest.mark.parametrize("case", cases("effects"))
def test_effect_words_are_laid_out_as_the_page_says(case: Case) -> None:
    body = {
        1: lambda: raw(case["owner"]),
        2: lambda: int(case["delta"]).to_bytes(8, signed=True),
        3: lambda: int(case["delta"]).to_bytes(8, signed=True) + bytes([case["isDeposit"]]),
        4: lambda: (
            int(case["lots"]).to_bytes(4, signed=True)
            + int(case["cost"]).to_bytes(8, signed=True)
            + int(case["orderId"]).to_bytes(8)
        ),
        6: lambda: int(case["amount"]).to_bytes(8) + int(case["outputId"]).to_bytes(8),
        9: lambda: int(case["delta"]).to_bytes(8, signed=True),
        10: lambda: int(case["amount"]).to_bytes(8),
    }.get(int(case["kind"]), bytes)()
    head = bytes([int(case["kind"])]) + int(case["account"]).to_bytes(4)
    word = head + int(case["place"]).to_bytes(2) + body.ljust(25, b"\0")
    assert word == raw(case["word"])


@pytest.mark.parametrize("case", cases("trace"))
def test_steps_and_books_hash_as_eth_abi_does_and_stand_in_their_trace(case: Case) -> None:
    book = (
        ints(case, "deposited"),
        ints(case, "withdrawn"),
        *[int(case[k]) for k in ("contributedE6", "drawnE6", "shortfallE6")],
        *[int(case[k]) for k in ("bookAccounts", "bookLiquidations")],
    )
    assert outside_keccak(encode([BOOK], [book])) == raw(case["bookHash"])
    effects = b"".join(map(raw, case["effects"]))
    if case["index"] != "0":  # the step before the first record is zeros
        assert outside_keccak(effects) == raw(case["effectsHash"])
    hashes = ("frameHash", "effectsHash", "tip", "accountRoot", "epochHash", "bookHash")
    numbers = ("inboxCursor", "outputs", "liquidations", "dataEnd")
    values = [*[raw(case[k]) for k in hashes], *[int(case[k]) for k in numbers]]
    types = ["bytes32"] * 6 + ["uint64"] * 2 + ["uint32"] * 2
    leaf = outside_keccak(encode(types, values))
    assert leaf == raw(case["stepHash"])
    proof = [raw(x) for x in case["proof"]]
    assert merkle.verify_list(raw(case["traceRoot"]), int(case["index"]), leaf, proof)


def owed(case: Case) -> tuple[int, int, int, list[int]]:
    """Return equity, owed, debt and collateral by the words of the page."""
    lots, costs, values = (ints(case, k) for k in ("accountLots", "accountCostsE6", "valuesE6"))
    c = int(case["accountCashE6"])
    c += sum(n * v - cost for n, v, cost in zip(lots, values, costs, strict=True))
    collateral = ints(case, "accountCollateralE8")
    if c >= 0:
        return c, 0, 0, collateral
    debt = -c
    for a, price in enumerate(ints(case, "pricesE8")):
        taken = min(collateral[a], -(-debt * 10**10 // price))
        debt = max(0, debt - taken * price // 10**10)
        collateral[a] -= taken
    return 0, -c, debt, collateral


def climbed(case: Case, leaf: bytes, sums: list[int]) -> tuple[bytes, list[int]]:
    """Return hash and sums of the root that a leaf and its path lead to."""
    size, path, node = 32 + 16 * len(sums), raw(case["path"]), leaf
    assert len(path) == 20 * size
    index = int(case["account"])
    for height in range(20):
        sibling = path[height * size : (height + 1) * size]
        packed = node + b"".join(x.to_bytes(16) for x in sums)
        pair = sibling + packed if index >> height & 1 else packed + sibling
        sums = [x + int.from_bytes(sibling[32 + 16 * k : 48 + 16 * k]) for k, x in enumerate(sums)]
        node = outside_keccak(pair)
    return node, sums


@pytest.mark.parametrize("case", cases("checkpoint"))
def test_exit_leaves_follow_from_the_page_and_lead_to_their_checkpoint(case: Case) -> None:
    equity, owed_e6, debt, collateral = owed(case)
    assert [equity, owed_e6, debt] == [int(case[k]) for k in ("equityE6", "owedE6", "debtE6")]
    assert collateral == ints(case, "collateralE8")
    head = (int(case["account"]), case["owner"], int(case["subaccount"]))
    leaf = outside_keccak(encode([EXIT_LEAF], [(*head, equity, owed_e6, debt, collateral)]))
    assert leaf == raw(case["leafHash"])
    root, sums = climbed(case, leaf, [equity, owed_e6, debt, *collateral])
    keys = ("sumEquityE6", "sumOwedE6", "sumDebtE6")
    assert sums == [*[int(case[k]) for k in keys], *ints(case, "sumCollateralE8")]
    assert root == raw(case["rootHash"])
    packed = b"".join(x.to_bytes(16) for x in sums)
    whole = outside_keccak(encode(["bytes32", "bytes"], [root, packed]))
    assert whole == raw(case["checkpointRoot"])


@pytest.mark.parametrize("case", cases("listing"))
def test_listed_leaves_encode_as_eth_abi_does_and_stand_in_their_listing(case: Case) -> None:
    kind, encoded = LISTED[case["kind"]], raw(case["encoded"])
    assert encode([kind], decode([kind], encoded)) == encoded
    assert outside_keccak(encoded) == raw(case["hash"])
    proof = [raw(x) for x in case["proof"]]
    root, index = raw(case["listingRoot"]), int(case["index"])
    assert merkle.verify_list(root, index, raw(case["hash"]), proof)


def test_a_listed_instrument_says_what_the_set_says() -> None:
    name, parameters = list(vectors_trace.listed())[1]
    made = [c.values[0] for c in cases("listing") if c.values[0]["name"].startswith(name)]
    options = [i for i in parameters.listing.instruments if i.is_option]
    place = 1 + sorted(i.id for i in parameters.listing.instruments).index(options[0].id)
    (found,) = decode([INSTRUMENT], raw(made[place]["encoded"]))
    option, addons = options[0], parameters.addons[0]
    of, feeds = parameters.listing.underlyings[0], parameters.listing.feeds
    assert found[0] == option.id
    terms = (int(option.kind), option.expiry_ns, option.strike_e8, of.lot_divisor, of.tick_e8)
    assert found[1] == terms
    index, forward, volatility, is_shaped, *shape = found[2]
    kinds = [feeds[k].kind.name for k in (index, forward, volatility, *shape)]
    assert kinds == ["INDEX", "FORWARD", "VOLATILITY", "SLOPE", "TILT", "CENTRE", "WIDTH"]
    assert is_shaped
    assert {feeds[k].expiry_ns for k in (forward, volatility, *shape)} == {option.expiry_ns}
    scan = parameters.scan[0]
    assert found[3][0] == scan.price_range_e6
    assert found[3][6] == tuple((t.move_e6, t.weight_e6) for t in scan.tails)
    assert found[3][7] == tuple((s.slope_e6, s.cap_e6, s.absolute) for s in scan.skews)
    liquidation = parameters.liquidation
    assert found[4:8] == (
        parameters.taker_fee_e6,
        liquidation.fee_e6,
        liquidation.band_mark_e6,
        liquidation.band_index_e6,
    )
    assert found[8:] == (
        addons.roll_rate_e6,
        addons.roll_min_e6,
        addons.unwind_option_e6,
        addons.naked_mm_e6,
    )
    (oracle,) = decode([ORACLE], raw(made[0]["encoded"]))
    terms_of = parameters.oracle
    assert oracle == (
        len(feeds),
        terms_of.quorum,
        terms_of.heartbeat_ns,
        terms_of.band_e6,
        tuple(terms_of.signers),
    )
    (asset,) = decode([ASSET], raw(made[-1]["encoded"]))
    last = parameters.collateral[-1]
    assert asset == (
        len(parameters.collateral),
        last.underlying,
        last.cap_e8,
        last.haircut_floor_e6,
        last.haircut_cap_e6,
    )
