#!/usr/bin/env python3
"""Gas of leaving by force, and of a report of 64 prices, from real transactions.

* `forced.gas`: a forced withdrawal. `.close`, `.grant`: the dearer of the others by kind.
* `exit.gas`: the cash of an account from the whole path of 20 levels, paid by the vault.
  `exit.gas.refund`: a deposit that no final batch consumed.
* `oracle.report.gas.prices_64`: five signers, 64 numbers each, storage written before.

Usage: bench_gas_custody.py, or `measure()`.
"""

import json
import tempfile
from pathlib import Path

from eth_typing import HexStr
from web3 import Web3

from offchain.adapters.chain_exit import ChainExit
from offchain.adapters.compiler import artifacts
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.core.oracle import Span
from offchain.core.presets import NO_GRACE
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, TimestampNs
from offchain.ledger.observations import pack_observation
from offchain.ledger.typed_data import Domain, observation_digest
from offchain.services.exit_plan import RefundDeposit, StartExits
from scripts.bench_gas import Entry, entry
from tests.support.devnet import KEEPER, ORACLES, Devnet, devnet, signer

EXIT_LIMIT, FORCED_LIMIT = 150_000, 100_000
FEEDS, SIGNERS = 64, 5
LEAVER = signer("leaver")


def measure_forced(venue: Devnet) -> dict[str, Entry]:
    """Enqueue forced operations of an owner."""
    calls: dict[str, tuple[str, list[object]]] = {
        "forced.gas": ("forceWithdraw", [0, 0, 5 * ONE_E6]),
        "forced.gas.close": ("forceClose", [0, 0, 0]),
        "forced.gas.grant": ("grantKey", [KEEPER.address, venue.now // SECOND_NS + 86_400]),
    }
    return {
        key: entry(venue.chain.send(LEAVER, "Inbox", name, *arguments).gas_used, FORCED_LIMIT)
        for key, (name, arguments) in calls.items()
    }


def measure_exit(venue: Devnet) -> dict[str, Entry]:
    """Let the venue stop, freeze it, and leave."""
    venue.batcher.cut(force=True)
    venue.batcher.commit_pending()
    venue.wait(60)
    venue.batcher.finalise_ready()
    venue.chain.mint(LEAVER, 0, LEAVER.address, 50 * ONE_E6)
    venue.chain.approve(LEAVER, 0, 50 * ONE_E6)
    venue.chain.deposit(LEAVER, 0, 50 * ONE_E6, LEAVER.address)
    forced = measure_forced(venue)
    venue.wait(2 * DEVELOPMENT.liveness_s)
    way_out = ChainExit(venue.chain)
    (chance, *_) = way_out.outlook().chances
    way_out.freeze(KEEPER, chance)
    books = way_out.final_books()
    gas: dict[str, Entry] = {}
    refund = next(r for r in way_out.refunds() if r.entry.owner == LEAVER.address)
    assert isinstance(refund, RefundDeposit)
    paid_back = way_out.carry_out(KEEPER, refund)
    assert paid_back is not None
    gas["exit.gas.refund"] = entry(paid_back.gas_used)
    assert isinstance(books.start, StartExits)
    way_out.carry_out(KEEPER, books.start)
    account = next(a for a in range(books.count) if books.leaf(a).owner == LEAVER.address)
    left = way_out.carry_out(KEEPER, books.exit_of(account, assets=1))
    assert left is not None
    return forced | gas | {"exit.gas": entry(left.gas_used, EXIT_LIMIT)}


def measure_report(venue: Devnet) -> dict[str, Entry]:
    """Report 64 prices to a hub of their own, and once more."""
    web3 = venue.anvil.web3()
    made = artifacts().artifact("OracleHub")
    owner = web3.eth.accounts[0]
    keys = ORACLES[:7]
    limits = (FEEDS, 50_000, 3_600 * SECOND_NS, 60 * SECOND_NS)
    signers = [Web3.to_checksum_address(key.address) for key in keys]
    created = (
        web3.eth.contract(abi=made.abi, bytecode=HexStr(made.bytecode))
        .constructor(owner, limits, NO_GRACE, signers, SIGNERS)
        .transact({"from": owner})
    )
    address = web3.eth.wait_for_transaction_receipt(created)["contractAddress"]
    assert address is not None
    hub = web3.eth.contract(address=address, abi=made.abi)
    domain = Domain(venue.deployment.chain_id, bytes.fromhex(address[2:]))
    gas = 0
    for round_ in (1, 2):
        venue.wait(60)
        signed = []
        for place, key in enumerate(keys[:SIGNERS]):
            values = tuple((1_000 + feed) * ONE_E8 + 7 * place + round_ for feed in range(FEEDS))
            spans = tuple(Span(11 * place + feed, 300 - feed + round_) for feed in range(FEEDS))
            digest = observation_digest(domain, round_, TimestampNs(venue.now), values, spans)
            signed.append((key.address, pack_observation(values, spans), key.sign(digest)))
        signed.sort()
        vectors, signatures = [v for _, v, _ in signed], [s for _, _, s in signed]
        call = hub.functions.submit(round_, venue.now, vectors, signatures)
        receipt = web3.eth.wait_for_transaction_receipt(call.transact({"from": owner}))
        assert receipt["status"] == 1
        gas = receipt["gasUsed"]
    return {"oracle.report.gas.prices_64": entry(gas)}


def measure() -> dict[str, Entry]:
    """Return every figure by its key."""
    with tempfile.TemporaryDirectory() as folder, devnet(Path(folder)) as venue:
        venue.deposit(LEAVER, 1_000)
        venue.price(120_000)
        results = measure_report(venue)
        return results | measure_exit(venue)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
