#!/usr/bin/env python3
"""Gas of the calls that matter, from real transactions on a chain of its own.

Every figure is the `gasUsed` of a receipt: intrinsic gas and calldata are in it. The node runs its
newest hard fork, so the calldata floor of EIP-7623 is in it, too. Usage: bench_gas.py, or
`measure()`.

* `liquidation.verify.gas.positions_8`: an account with eight positions in two underlyings, verified
  by a keeper who was not paid in this batch before: the dearest case. `.again` is the same keeper's
  next one. `.positions_32`: the same with as many positions as an account may hold.
* `liquidation.verify.gas.charges`: the same account, by a keeper who was paid before, when it takes
  the charge column of one underlying and the tier curves to prove it.
* `commit.gas.without_da`: the commit of a batch whose log is one oracle report, less what the bytes
  of that log cost as calldata (16 gas, 4 for a zero), after the first round of open batches, which
  pay once for a new slot each. What grows with the log is data availability:
  `commit.gas.da_per_byte` is the rest, for each byte of a batch as large as the policy allows.
* `deposit`, `oracle.report` (seven signers), `finalise`, `claim`: a typical one, storage warm.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offchain.core.units import MAX_POSITIONS, ONE_E6, ONE_E8
from offchain.services.batcher import BatchPolicy
from offchain.services.ports import SignedBatch, TransactionReceipt
from tests.support.devnet import BACKSTOP, Devnet, devnet, signer

VERIFY_LIMIT, COMMIT_LIMIT = 250_000, 120_000
VERIFY_32_LIMIT = 400_000
POSITIONS = (
    "BTC-PERP",
    "BTC-WEEK",
    "BTC-WEEK-110000-P",
    "BTC-MONTH-130000-C",
    "ETH-PERP",
    "ETH-MONTH",
    "ETH-WEEK-4000-P",
    "ETH-MONTH-4400-C",
)
PERPETUAL_LOTS, OTHER_LOTS = 2_000, 20
FALL = (117_000, 115_000, 113_000, 108_500, 104_500, 103_000, 102_000, 101_000)
"""Steps that leave the account far below its trigger, until the last brings it just below."""
FULL_BYTES = BatchPolicy().max_bytes - BatchPolicy().call_bytes
NON_ZERO, ZERO = 16, 4
"""Calldata by the byte (EIP-2028). [gas]"""

TAKER, MAKER = signer("taker"), signer("maker")
Entry = dict[str, Any]


def calldata_gas(data: bytes) -> int:
    """Return the intrinsic gas of some calldata, without the floor."""
    return NON_ZERO * len(data) - (NON_ZERO - ZERO) * data.count(0)


def entry(value: int, limit: int | None = None) -> Entry:
    """Return a result; with a limit, the ratio to it."""
    made: Entry = {"value": value, "unit": "gas"}
    return made | {"reference": limit, "ratio": value / limit} if limit else made


def open_positions(
    venue: Devnet, symbols: Sequence[str] = POSITIONS, other_lots: int = OTHER_LOTS
) -> None:
    """Let the taker hold positions that a fall of the price makes too heavy."""
    ids = {i.symbol: i.id for i in venue.rules.listing.instruments}
    for symbol in symbols:
        lots = PERPETUAL_LOTS if symbol == "BTC-PERP" else other_lots
        mark = int(venue.sequencer.state.market.prices.marks_e8[ids[symbol]])
        venue.trade(TAKER, MAKER, ids[symbol], lots, max(mark // ONE_E8, 1))
    account = venue.account(TAKER)
    assert len(venue.sequencer.state.accounts.positions(account)) == len(symbols)


def fund(venue: Devnet) -> None:
    """Let everybody deposit, and the first price be known."""
    venue.deposit(BACKSTOP, 5_000_000)
    venue.deposit(TAKER, 42_000)
    venue.deposit(MAKER, 5_000_000)
    venue.price(120_000)


def cut_and_commit(venue: Devnet) -> tuple[SignedBatch, TransactionReceipt]:
    """Commit what happened since the last batch; one that has to wait makes room first."""
    venue.wait(60)
    venue.batcher.finalise_ready()
    number = venue.batcher.cut(force=True)
    assert number is not None
    ((committed, receipt),) = venue.batcher.commit_pending()
    assert committed == number
    signed = venue.batcher.batch(number)
    assert signed is not None
    return signed, receipt


def measure_full_account() -> dict[str, Entry]:
    """Verify a liquidation of an account with as many positions as it may hold."""
    with tempfile.TemporaryDirectory() as folder, devnet(Path(folder)) as venue:
        fund(venue)
        every = [i.symbol for i in venue.rules.listing.instruments]
        symbols = ["BTC-PERP", *[s for s in every if s != "BTC-PERP"][: MAX_POSITIONS - 1]]
        open_positions(venue, symbols, other_lots=1)
        cut_and_commit(venue)
        for usd in FALL:
            venue.price(usd)
            if venue.sequencer.journal.open_liquidations:
                break
        signed, _ = cut_and_commit(venue)
        assert len(signed.batch.witnesses[0].leaf.positions) == MAX_POSITIONS
        receipt, *_ = venue.keeper.step()
    return {"liquidation.verify.gas.positions_32": entry(receipt.gas_used, VERIFY_32_LIMIT)}


def measure_verification(venue: Devnet) -> dict[str, Entry]:
    """Verify liquidations of an account with eight positions."""
    open_positions(venue)
    cut_and_commit(venue)
    for usd in FALL:  # partial steps leave the positions open
        venue.price(usd)
    signed, _ = cut_and_commit(venue)
    witnesses = signed.batch.witnesses
    assert all(len(w.leaf.positions) == len(POSITIONS) for w in witnesses), "eight each"
    receipts = venue.keeper.step()
    first, second, *_ = [r for r, w in zip(receipts, witnesses, strict=True) if not w.curves]
    charged, *_ = [r for r, w in zip(receipts, witnesses, strict=True) if w.curves]
    assert first is receipts[0], "the dearest is a new keeper's"
    return {
        "liquidation.verify.gas.positions_8": entry(first.gas_used, VERIFY_LIMIT),
        "liquidation.verify.gas.positions_8.again": entry(second.gas_used),
        "liquidation.verify.gas.charges": entry(charged.gas_used),
    }


def measure_commit(venue: Devnet) -> dict[str, Entry]:
    """Commit the smallest and the largest batch, once every slot of open batches was used."""
    for _ in range(venue.chain.max_open_batches() + 1):
        venue.price(100_000)
        cut_and_commit(venue)
    venue.price(100_000)
    signed, receipt = cut_and_commit(venue)
    without = receipt.gas_used - calldata_gas(signed.batch.data)
    while venue.sequencer.journal.open_bytes < FULL_BYTES:
        venue.price(100_000)
    signed, full = cut_and_commit(venue)
    size = len(signed.batch.data)
    return {
        "commit.gas.without_da": entry(without, COMMIT_LIMIT),
        "commit.gas.da_per_byte": {
            "value": (full.gas_used - without) / size,
            "unit": "gas/byte",
        },
        "commit.gas.full_batch": entry(full.gas_used),
    }


def measure_payment(venue: Devnet) -> dict[str, Entry]:
    """Withdraw, make the batch final, and claim."""
    for usd in (100, 200):
        venue.withdraw(MAKER, usd)
    cut_and_commit(venue)
    venue.wait(60)
    (*_, (_, finalised)) = venue.batcher.finalise_ready()
    for output in (1, 2):  # the first pays for the bitmap's word
        claim = venue.batcher.claim(output)
        assert claim is not None
        paid = venue.chain.claim(MAKER, claim.header, claim.output, claim.index, claim.proof)
    return {"finalise.gas": entry(finalised.gas_used), "claim.gas": entry(paid.gas_used)}


def measure() -> dict[str, Entry]:
    """Return every figure by its key."""
    with tempfile.TemporaryDirectory() as folder, devnet(Path(folder)) as venue:
        fund(venue)
        cut_and_commit(venue)
        results = measure_verification(venue)
        results |= measure_commit(venue)
        results |= measure_payment(venue)
        venue.chain.mint(MAKER, 0, MAKER.address, ONE_E6)
        venue.chain.approve(MAKER, 0, ONE_E6)
        deposited = venue.chain.deposit(MAKER, 0, ONE_E6, MAKER.address)
        venue.wait(60)
        reported = venue.chain.submit_report(MAKER, venue.report(100_000))
        results["deposit.gas"] = entry(deposited.gas_used)
        results["oracle.report.gas"] = entry(reported.gas_used)
    return results | measure_full_account()


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
