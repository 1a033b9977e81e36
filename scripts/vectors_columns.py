"""Write the golden vectors of columns, reports and epochs: what prices are committed to."""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from offchain.core.addons import COLUMNS, GROUPS, Charge
from offchain.core.collateral import CreditCurve
from offchain.core.units import SCENARIOS, SLOTS
from offchain.ledger import columns as col
from offchain.ledger import epoch as ep
from offchain.ledger.keccak import ZERO32
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


FILES: Files = {"columns": columns, "report": report, "epoch": epoch}

if __name__ == "__main__":
    sys.exit(write(FILES))
