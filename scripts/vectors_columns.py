"""Write the golden vectors of columns, reports and epochs: what prices are committed to."""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from offchain.core.addons import COLUMNS, GROUPS, Charge
from offchain.core.collateral import CreditCurve
from offchain.core.oracle import Span, brackets, median_span, medians, range_e5
from offchain.core.units import SCENARIOS, SLOTS
from offchain.ledger import columns as col
from offchain.ledger import epoch as ep
from offchain.ledger.keccak import ZERO32
from offchain.ledger.observations import pack_observation, pack_spans
from offchain.ledger.typed_data import OBSERVATION_TYPE
from scripts.golden import Case, Files, case, number, word, write

CHARGED = (
    (Charge.DELTA, -(2**31), 2**31 - 1),
    (Charge.ROLL, -(2**31), 2**31 - 1),
    (Charge.LONG, 0, 2**32 - 1),
    (Charge.SHORT, 0, 2**32 - 1),
    (Charge.UNWIND, 0, 2**32 - 1),
    (Charge.GROUP, 0, GROUPS - 1),
)
"""What a charge column commits to, with the limits of each field."""


def charges_of(name: str, rows: list[int]) -> NDArray[np.int64]:
    """Return arbitrary charges; the first row is at the lower limits, the last at the upper."""
    made = np.zeros((len(rows) and max(rows) + 1, COLUMNS), np.int64)
    for row in rows:
        for place, low, high in CHARGED:
            made[row, place] = number(f"{name} charge {row} {place}", low, high)
    for place, low, high in CHARGED:
        made[rows[0], place], made[rows[-1], place] = low, high
    return made


def credits_of(name: str, assets: int) -> tuple[CreditCurve, ...]:
    """Return arbitrary brackets: 1, 2, 3, 4 of them, and again."""
    curves = []
    for asset in range(assets):
        uptos = sorted(number(f"{name} {asset} upto {b}", 1, 2**60) for b in range(asset % 4 + 1))
        curves.append(
            tuple((u, number(f"{name} {asset} {b}", 0, 2**46)) for b, u in enumerate(uptos))
        )
    return tuple(curves)


def columns_of(
    name: str, slots: tuple[int, ...], assets: int
) -> tuple[list[int], list[list[int]], list[list[int]], col.Columns]:
    """Return arbitrary values, losses and charges, listed rows only, and their columns.

    What is accrued is that part of a value which 2**20 leaves over: any numbers would do.
    """
    values = np.zeros(len(slots) * SLOTS, np.int64)
    losses = np.zeros((len(slots) * SLOTS, SCENARIOS), np.int32)
    rows = [u * SLOTS + k for u, n in enumerate(slots) for k in range(n)]
    for row in rows:
        values[row] = number(f"{name} value {row}", -(2**40), 2**40)
        losses[row] = [number(f"{name} {row} {s}", -(2**31), 2**31 - 1) for s in range(SCENARIOS)]
    values[rows[0]], losses[rows[0], 0], losses[rows[-1], 35] = -(2**63), -(2**31), 2**31 - 1
    charges = np.zeros((len(slots) * SLOTS, COLUMNS), np.int64)
    charged = charges_of(name, rows)
    charges[: len(charged)] = charged
    funding = values % 2**20
    credit = credits_of(name, assets)
    made = col.Columns.of_arrays(values, funding, losses, charges, credit, slots)
    committed = charges[np.ix_(rows, [place for place, _, _ in CHARGED])]
    return values[rows].tolist(), losses[rows].tolist(), committed.tolist(), made


def columns() -> Iterator[Case]:
    """Yield openings of columns under both roots."""
    books: list[tuple[str, tuple[int, ...], int, tuple[tuple[int, int], ...]]] = [
        ("one underlying, one slot", (1,), 1, ((0, 0), (0, 35))),
        ("one underlying", (5,), 0, ((0, 7),)),
        ("two underlyings", (3, 2), 2, ((0, 0), (0, 35), (1, 0), (1, 35))),
        ("two large underlyings", (12, 9), 8, ((0, 13), (1, 30))),
        ("second without slots", (4, 0), 3, ((0, 20), (1, 3))),
    ]
    for name, slots, assets, openings in books:
        values, losses, charges, made = columns_of(name, slots, assets)
        for underlying, scenario in openings:
            opening = made.opening(underlying, scenario, with_charges=True)
            yield case(
                f"{name}: underlying {underlying}, scenario {scenario}",
                slots=slots,
                values=values,
                losses=[x for row in losses for x in row],
                shape=[len(values), SCENARIOS],
                charges=[x for row in charges for x in row],
                underlying=underlying,
                scenario=scenario,
                packedValues=opening.values,
                packedFunding=made.fundings[underlying],
                packedLosses=opening.losses,
                packedCharges=opening.charges,
                packedCollateral=made.collateral,
                valueHash=col.column_hash(underlying, col.VALUE_COLUMN, opening.values),
                fundingHash=col.column_hash(
                    underlying, col.FUNDING_COLUMN, made.fundings[underlying]
                ),
                lossHash=col.column_hash(underlying, scenario, opening.losses),
                chargeHash=col.column_hash(underlying, col.CHARGE_COLUMN, opening.charges),
                collateralHash=col.column_hash(
                    col.COLLATERAL_UNDERLYING, col.COLLATERAL_COLUMN, made.collateral
                ),
                valueProof=opening.value_proof,
                fundingProof=made.funding_proof(underlying),
                lossProof=opening.loss_proof,
                chargeProof=opening.charge_proof,
                collateralProof=made.collateral_proof(),
                priceRoot=made.price_root,
                riskRoot=made.risk_root,
                chargeRoot=made.charge_root,
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
    for name, round_, observed_at, values in series:
        value = ep.Report(round_, observed_at, values)
        packed = col.pack_values(values)
        yield case(
            name,
            round=round_,
            observedAt=observed_at,
            medians=values,
            packed=packed,
            hash=ep.report_hash(value),
        )


def observations() -> Iterator[Case]:
    """Yield what signers saw, with medians and brackets: agreement, lies, and the ends of spans."""
    plain = [
        (
            f"{signers} signers, {feeds} feeds",
            [
                [
                    (number(f"{i}/{f} of {signers}", 10**8, 10**8 + 10**6), *_span(i, f, signers))
                    for f in range(feeds)
                ]
                for i in range(signers)
            ],
        )
        for signers, feeds in ((1, 1), (3, 2), (4, 3), (5, 4), (7, 12), (15, 3), (16, 3), (32, 2))
    ]
    top = 2**63 - 1
    edges = [
        ("nobody's sources moved", [[(100, 0, 0)]] * 3),
        ("a move of less than a unit", [[(99, 1, 1)]] * 3),
        ("the smallest value", [[(1, 1, 1), (1, 65_534, 65_534)]] * 3),
        ("no bound on either side", [[(100, 65_535, 0), (100, 0, 65_535)]] * 3),
        ("the widest bound", [[(10**12, 65_534, 65_534)]] * 3),
        ("the largest values", [[(top, 65_534, 1), (top - 1, 1, 65_535)]] * 5),
        ("two of five widen", [[(100_000, 10, 10)]] * 3 + [[(100_000, 65_535, 65_535)]] * 2),
        ("two of five narrow", [[(100_000, 10, 10)]] * 3 + [[(100_000, 0, 0)]] * 2),
    ]
    for i, (name, seen) in enumerate([*plain, *edges]):
        values = [[value for value, _, _ in each] for each in seen]
        spans = [[Span(down, up) for _, down, up in each] for each in seen]
        found = brackets(values, spans)
        signed = (i, 1_760_000_000_000_000_000 + i)
        packed = (col.pack_values(values[0]), pack_spans(spans[0]))
        yield case(
            name,
            round=signed[0],
            observedAt=signed[1],
            signers=len(seen),
            feeds=len(seen[0]),
            vectors=b"".join(map(pack_observation, values, spans)),
            medians=col.pack_values(medians(values)),
            lows=col.pack_values([one.low for one in found]),
            highs=col.pack_values([one.high for one in found]),
            ranges=b"".join(
                range_e5(median_span(each)).to_bytes(2) for each in zip(*spans, strict=True)
            ),
            structHash=OBSERVATION_TYPE.hash((*signed, *packed)),
        )


def _span(signer: int, feed: int, signers: int) -> tuple[int, int]:
    """Return a span that is at an end of its type one time in four."""
    names = [f"{side} {signer}/{feed} of {signers}" for side in ("down", "up")]
    ends = (0, 65_535)
    down, up = (
        ends[number(f"which {n}", 0, 1)] if number(f"end {n}", 0, 3) == 0 else number(n, 0, 65_535)
        for n in names
    )
    return down, up


def epoch() -> Iterator[Case]:
    """Yield epochs, from zeros to the largest numbers."""
    edge = [("all zero", ep.Epoch(0, 0, *[ZERO32] * 4))]
    edge += [("all ones", ep.Epoch(2**64 - 1, 2**64 - 1, *[b"\xff" * 32] * 4))]
    for i in range(1, 8):
        roots = [word(f"epoch {i} {k}") for k in ("report", "price", "risk", "charge")]
        edge.append((f"epoch {i}", ep.Epoch(i, 1_760_000_000_000_000_000 + i, *roots)))
    for name, value in edge:
        yield case(
            name,
            number=value.number,
            time=value.time_ns,
            reportHash=value.report_hash,
            priceRoot=value.price_root,
            riskRoot=value.risk_root,
            chargeRoot=value.charge_root,
            hash=ep.epoch_hash(value),
        )


FILES: Files = {"columns": columns, "report": report, "observations": observations, "epoch": epoch}

if __name__ == "__main__":
    sys.exit(write(FILES))
