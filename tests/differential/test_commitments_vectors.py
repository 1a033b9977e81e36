"""The golden vectors agree with eth_abi, eth_account and the code that is under test."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak as outside_keccak

from offchain.ledger import merkle
from offchain.ledger.errors import SignatureError
from offchain.ledger.signatures import recover
from scripts import (
    golden,
    vectors_columns,
    vectors_commitments,
    vectors_margin,
    vectors_signed,
    vectors_trace,
)

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
LEAF = "(address,uint8,uint8,int64,uint64[],(uint16,int32,int64)[])"
INSTRUCTION = "(uint64,uint32,uint8,bytes32,bytes32,bytes32,(uint16,int32,uint64)[])"
TOTALS = (
    "(int128,uint128[],uint128,uint128[],uint128,uint128[],int128,uint128,uint128,uint128,"
    "uint32,uint32,uint32)"
)
Case = dict[str, Any]


def cases(name: str) -> list[Any]:
    document = json.loads((VECTORS / f"{name}.json").read_text())
    assert document["schema"] == f"plimsoll.{name}.v1"
    assert int(document["count"]) == len(document["cases"]) >= 8
    return [pytest.param(case, id=case["name"]) for case in document["cases"]]


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def abi_hash(types: Sequence[str], values: Sequence[Any]) -> str:
    return "0x" + outside_keccak(encode(types, values)).hex()


def ints(case: Case, key: str) -> list[int]:
    return [int(x) for x in case[key]]


@pytest.mark.parametrize("case", cases("account_leaf"))
def test_account_leaves_encode_as_eth_abi_does(case: Case) -> None:
    positions = list(
        zip(ints(case, "instruments"), ints(case, "lots"), ints(case, "costsE6"), strict=True)
    )
    head = [int(case[k]) for k in ("subaccount", "mode", "cashE6")]
    encoded = encode([LEAF], [(case["owner"], *head, ints(case, "collateralE8"), positions)])
    assert encoded == raw(case["encoded"])
    assert outside_keccak(encoded) == raw(case["hash"])


@pytest.mark.parametrize("case", cases("instruction"))
def test_instructions_encode_as_eth_abi_does(case: Case) -> None:
    keys = ("legInstruments", "legLots", "legLimitPricesE8")
    legs = list(zip(*[ints(case, key) for key in keys], strict=True))
    roots = [raw(case[k]) for k in ("accountRoot", "leafHash", "epochHash")]
    head = [int(case[k]) for k in ("id", "account", "tier")]
    encoded = encode([INSTRUCTION], [(*head, *roots, legs)])
    assert encoded == raw(case["encoded"])
    assert outside_keccak(encoded) == raw(case["hash"])


@pytest.mark.parametrize("case", cases("merkle"))
def test_proofs_hold_and_altered_ones_do_not(case: Case) -> None:
    verify = merkle.verify_account if case["kind"] == "account" else merkle.verify_list
    proof = [raw(x) for x in case["proof"]]
    verdict = verify(raw(case["root"]), int(case["index"]), raw(case["leaf"]), proof)
    assert verdict is case["valid"]


@pytest.mark.parametrize("case", cases("columns"))
def test_charges_and_collateral_open_under_the_charge_root(case: Case) -> None:
    underlying, slots = int(case["underlying"]), ints(case, "slots")
    first, charges = sum(slots[:underlying]), ints(case, "charges")
    packed = b""
    for row in range(first, first + slots[underlying]):
        delta, roll, *rest = charges[6 * row : 6 * row + 6]
        packed += b"".join(x.to_bytes(4, signed=True) for x in (delta, roll))
        packed += b"".join(x.to_bytes(4) for x in rest[:3]) + bytes([rest[3]])
    assert packed == raw(case["packedCharges"])
    types, collateral = ["uint8", "uint8", "bytes32"], raw(case["packedCollateral"])
    charge_leaf = abi_hash(types, [underlying, 254, outside_keccak(packed)])
    collateral_leaf = abi_hash(types, [255, 253, outside_keccak(collateral)])
    assert (charge_leaf, collateral_leaf) == (case["chargeHash"], case["collateralHash"])
    root = raw(case["chargeRoot"])
    for place, leaf, key in (
        (1 + underlying, charge_leaf, "chargeProof"),
        (0, collateral_leaf, "collateralProof"),
    ):
        assert merkle.verify_list(root, place, raw(leaf), [raw(x) for x in case[key]])


@pytest.mark.parametrize("case", cases("columns"))
def test_columns_open_under_both_roots(case: Case) -> None:
    underlying, scenario, slots = (
        int(case["underlying"]),
        int(case["scenario"]),
        ints(case, "slots"),
    )
    first = sum(slots[:underlying])
    rows = range(first, first + slots[underlying])
    values, losses = ints(case, "values"), ints(case, "losses")
    packed = b"".join(values[r].to_bytes(8, "big", signed=True) for r in rows)
    lost = b"".join(losses[36 * r + scenario].to_bytes(4, "big", signed=True) for r in rows)
    assert (packed, lost) == (raw(case["packedValues"]), raw(case["packedLosses"]))
    accrued = b"".join((values[r] % 2**20).to_bytes(8, "big") for r in rows)
    assert accrued == raw(case["packedFunding"])
    types = ["uint8", "uint8", "bytes32"]
    funding_leaf = abi_hash(types, [underlying, 252, outside_keccak(accrued)])
    assert funding_leaf == case["fundingHash"]
    funding_proof = [raw(x) for x in case["fundingProof"]]
    price_root = raw(case["priceRoot"])
    assert merkle.verify_list(price_root, 2 * underlying + 1, raw(funding_leaf), funding_proof)
    value_leaf = abi_hash(types, [underlying, 255, outside_keccak(packed)])
    loss_leaf = abi_hash(types, [underlying, scenario, outside_keccak(lost)])
    assert (value_leaf, loss_leaf) == (case["valueHash"], case["lossHash"])
    value_proof, loss_proof = ([raw(x) for x in case[k]] for k in ("valueProof", "lossProof"))
    place = underlying * 36 + scenario
    assert merkle.verify_list(price_root, 2 * underlying, raw(value_leaf), value_proof)
    assert merkle.verify_list(raw(case["riskRoot"]), place, raw(loss_leaf), loss_proof)


@pytest.mark.parametrize("case", cases("report"))
def test_reports_hash_as_eth_abi_does(case: Case) -> None:
    packed = b"".join(x.to_bytes(8, "big", signed=True) for x in ints(case, "medians"))
    assert packed == raw(case["packed"])
    values = [int(case["round"]), int(case["observedAt"]), packed]
    assert abi_hash(["uint64", "uint64", "bytes"], values) == case["hash"]


@pytest.mark.parametrize("case", cases("epoch"))
def test_epochs_hash_as_eth_abi_does(case: Case) -> None:
    roots = [raw(case[k]) for k in ("reportHash", "priceRoot", "riskRoot", "chargeRoot")]
    values = [int(case["number"]), int(case["time"]), *roots]
    assert abi_hash(["uint64"] * 2 + ["bytes32"] * 4, values) == case["hash"]


@pytest.mark.parametrize("case", cases("output"))
def test_outputs_hash_as_eth_abi_does_and_stand_in_their_tree(case: Case) -> None:
    head, tail = [int(case["id"]), int(case["account"])], [int(case["asset"]), int(case["amount"])]
    types = ["uint64", "uint32", "address", "uint8", "uint128"]
    assert abi_hash(types, [*head, case["owner"], *tail]) == case["hash"]
    proof = [raw(x) for x in case["proof"]]
    root, leaf = raw(case["outputRoot"]), raw(case["hash"])
    assert merkle.verify_list(root, int(case["index"]), leaf, proof)


@pytest.mark.parametrize("case", cases("inbox"))
def test_inbox_entries_chain_as_the_contract_chains_them(case: Case) -> None:
    types = ["uint8", "uint64", "uint64", "address", "uint8", "uint16", "uint128", "address"]
    head = [int(case[k]) for k in ("kind", "index", "time")]
    rest = [int(case[k]) for k in ("subaccount", "place", "amount")]
    values = [*head, case["owner"], *rest, case["key"]]
    assert abi_hash(types, values) == case["entryHash"]
    links = [raw(case["previous"]), raw(case["entryHash"])]
    assert abi_hash(["bytes32"] * 2, links) == case["prefix"]


@pytest.mark.parametrize("case", cases("totals"))
def test_totals_hash_as_eth_abi_does_and_say_whether_sol_1_holds(case: Case) -> None:
    keys = [key for key in case if key not in ("name", "hash", "conserved")]
    values = [ints(case, key) if isinstance(case[key], list) else int(case[key]) for key in keys]
    assert abi_hash([TOTALS], [values]) == case["hash"]
    held, paid_in, paid_out = (
        [int(case[cash]), *ints(case, collateral)]
        for cash, collateral in (
            ("netCashE6", "collateralE8"),
            ("depositedCash", "depositedCollateral"),
            ("withdrawnCash", "withdrawnCollateral"),
        )
    )
    is_whole = len(held) == len(paid_in) == len(paid_out) > 1  # the venue lists one collateral
    conserved = is_whole and held == [a - b for a, b in zip(paid_in, paid_out, strict=True)]
    assert conserved is case["conserved"]


def typed(case: Case, kind: str, members: list[dict[str, str]]) -> Any:
    """Return what eth_account signs for a case of a flat struct."""
    domain = {
        "name": "Plimsoll",
        "version": "1",
        "chainId": int(case["chainId"]),
        "verifyingContract": case["verifyingContract"],
    }
    message: dict[str, Any] = {}
    for member in members:
        value = case[member["name"]]
        text = member["type"].startswith("bytes")
        message[member["name"]] = (
            raw(value) if text else value if value in (True, False) else int(value)
        )
    return encode_typed_data(domain, {kind: members}, message)


def members_of(kind: str) -> list[dict[str, str]]:
    """Return the members of a type as docs/COMMITMENTS.md writes it."""
    page = (ROOT / "docs" / "COMMITMENTS.md").read_text()
    found = re.search(rf"[\n`]{kind}\(", page)
    assert found is not None, kind
    start = found.end()
    body = page[start : page.index(")", start)].replace("\n", "")
    pairs = [member.split(" ") for member in body.split(",")]
    return [{"type": a, "name": b} for a, b in pairs]


def check_signed(case: Case, kind: str, members: list[dict[str, str]]) -> None:
    message = typed(case, kind, members)
    assert message.header == raw(case["domainSeparator"])
    assert message.body == raw(case["structHash"])
    assert outside_keccak(b"\x19\x01" + message.header + message.body) == raw(case["digest"])
    signature = raw(case["signature"])
    assert Account.recover_message(message, signature=signature).lower() == case["signer"]
    assert Account.sign_message(message, case["privateKey"]).signature == signature
    assert recover(raw(case["digest"]), signature) == raw(case["signer"])


@pytest.mark.parametrize("case", cases("header"))
def test_headers_hash_and_sign_as_eth_account_does(case: Case) -> None:
    check_signed(case, "BatchHeader", members_of("BatchHeader"))


@pytest.mark.parametrize("case", cases("intents"))
def test_intents_sign_as_eth_account_does_and_malformed_signatures_are_refused(case: Case) -> None:
    if case["valid"]:
        kind = case["type"]
        attest = [{"name": "batchHash", "type": "bytes32"}]
        check_signed(case, kind, attest if kind == "Attestation" else members_of(kind))
        return
    with pytest.raises(SignatureError):
        recover(raw(case["digest"]), raw(case["signature"]))


class Opened:
    """The columns that a case opens, read byte by byte, and curves and brackets."""

    def __init__(self, case: Case) -> None:
        keys = ("openedValues", "openedLosses", "openedCharges")
        opened = zip(*[case[key] for key in keys], strict=True)
        self.columns = dict(
            zip(ints(case, "openedUnderlyings"), [[raw(x) for x in o] for o in opened], strict=True)
        )
        self.curves = self._curves(raw(case["curves"]))
        self.collateral = raw(case["collateral"])

    @staticmethod
    def _curves(packed: bytes) -> list[list[tuple[int, int]]]:
        curves, place = [], 0
        while place < len(packed):
            count, place = packed[place], place + 1
            lines = [packed[place + 16 * i : place + 16 * i + 16] for i in range(count)]
            curves.append([(int.from_bytes(x[:4]), int.from_bytes(x[4:])) for x in lines])
            place += 16 * count
        return curves

    def number(self, instrument: int, column: int, size: int, start: int, stop: int) -> bytes:
        packed = self.columns[instrument >> 8][column]
        row = packed[size * (instrument & 255) : size * (instrument & 255) + size]
        return row[start:stop]

    def value(self, i: int) -> int:
        return int.from_bytes(self.number(i, 0, 8, 0, 8), signed=True)

    def loss(self, i: int) -> int:
        return int.from_bytes(self.number(i, 1, 4, 0, 4), signed=True)

    def charge(self, i: int, place: int) -> int:
        start = 4 * place
        return int.from_bytes(self.number(i, 2, 21, start, start + 4), signed=place < 2)

    def group(self, i: int) -> int:
        return self.number(i, 2, 21, 20, 21)[0]

    def has_charges(self, i: int) -> bool:
        return bool(self.columns[i >> 8][2])

    def curve(self, place: int, amount: int) -> int:
        capped = min(amount, 1 << 57)
        return max([0, *(-((d - r * capped) // 10**6) for r, d in self.curves[place])])

    def credit(self, asset: int, amount: int) -> int:
        total = below = 0
        for start in range(64 * asset, 64 * asset + 64, 16):
            upto, price = (
                int.from_bytes(self.collateral[start + k : start + k + 8]) for k in (0, 8)
            )
            total += max(0, min(amount, upto) - below) * price
            below = min(amount, upto)
        return total // 10**10


def add_ons(of: Opened, underlying: int, held: dict[int, int]) -> tuple[int, int]:
    """Return what is added for one underlying, and its floor."""
    rolls: dict[int, int] = {}
    added = delta = raw_cost = 0
    for i, lots in held.items():
        rolls[of.group(i)] = rolls.get(of.group(i), 0) + lots * of.charge(i, 1)
        added += lots * of.charge(i, 2) if lots > 0 else -lots * of.charge(i, 3)
        delta += lots * of.charge(i, 0)
        raw_cost += abs(lots) * of.charge(i, 4)
    added += sum(map(abs, rolls.values())) + of.curve(3 * underlying, abs(delta))
    return added, of.curve(3 * underlying + 1, raw_cost)


def portfolio_due(case: Case, of: Opened, lots: dict[int, int]) -> int:
    losses = dict.fromkeys(of.columns, 0)
    added = floor = 0
    for u in of.columns:
        held = {i: n for i, n in lots.items() if i >> 8 == u}
        losses[u] = sum(n * of.loss(i) for i, n in held.items())
        if all(of.has_charges(i) for i in held):
            more, least = add_ons(of, u, held)
            added, floor = added + more, floor + least
    lost = sum(max(0, loss) for loss in losses.values())
    scan = -(-lost * int(case["breakdownE6"]) // 10**6)
    if len(set(case["openedScenarios"])) <= 1:
        gained = sum(max(0, -loss) for loss in losses.values())
        offset = gained * int(case["offsetE6"]) // 10**6
        scan = max(scan, lost - min(offset, int(case["offsetCapUsd"]) * 10**6))
    return -(-max(scan + added, floor) * int(case["mmFactorE6"]) // 10**6)


@pytest.mark.parametrize("case", cases("margin"))
def test_margins_follow_from_the_page_in_plain_integers(case: Case) -> None:
    of = Opened(case)
    lots = dict(zip(ints(case, "instruments"), ints(case, "lots"), strict=True))
    balance = int(case["cashE6"]) - sum(ints(case, "costsE6"))
    balance += sum(n * of.value(i) for i, n in lots.items())
    balance += sum(of.credit(a, x) for a, x in enumerate(ints(case, "collateralE8")) if x)
    if case["mode"] == "2":
        due = portfolio_due(case, of, lots)
    else:
        charged = [(i, n) for i, n in lots.items() if of.has_charges(i)]
        due = sum(of.curve(3 * (i >> 8) + 2, abs(n * of.charge(i, 0))) for i, n in charged)
    assert (balance, due) == (int(case["marginBalanceE6"]), int(case["maintenanceE6"]))
    for trigger, verdict in (
        ("partialTriggerE6", "isBelowPartial"),
        ("fullTriggerE6", "isBelowFull"),
    ):
        below = balance < 0 or balance * 10**6 < int(case[trigger]) * due
        assert below is case[verdict]


@pytest.mark.parametrize(
    "module",
    [vectors_columns, vectors_commitments, vectors_signed, vectors_margin, vectors_trace],
)
def test_the_files_are_what_the_code_writes_today(module: ModuleType) -> None:
    for name, made in module.FILES.items():
        assert golden.text(name, made) == (VECTORS / f"{name}.json").read_text(), name
