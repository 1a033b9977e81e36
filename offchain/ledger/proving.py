"""Which columns to open: what proves most of a requirement, and no more than is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from offchain.core.cross import cross_risk
from offchain.core.margin import Mode
from offchain.core.scan import scan_sums
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, SCENARIOS, SLOT_BITS
from offchain.ledger.columns import ColumnOpening, Columns
from offchain.ledger.leaf import AccountLeaf, Position
from offchain.ledger.liquidation import is_liquidatable, witness_margin
from offchain.ledger.terms import Terms


@dataclass(frozen=True, slots=True)
class Opened:
    """The columns of a witness, with the proofs that do not belong to one underlying."""

    columns: tuple[ColumnOpening, ...]
    collateral: bytes
    collateral_proof: tuple[bytes, ...]
    curves: bytes


def open_columns(
    leaf: AccountLeaf,
    tier: int,
    columns: Columns,
    losses_e6: NDArray[np.int32],
    curves: bytes,
    terms: Terms,
) -> Opened:
    """Return what shows that an account is below the trigger of a tier.

    Charges cost gas: those of an underlying are opened only when the account is not below its
    trigger without them.

    Parameters
    ----------
    leaf : AccountLeaf
        The account.
    tier : int
        Of the liquidation.
    columns : Columns
        Of the epoch.
    losses_e6 : int32[ROWS, 36]
        What the risk columns were made from. [USD e-6]
    curves : bytes
        The packed tier curves of the parameter set.
    terms : Terms
        In force.
    """
    held = sorted({p.instrument >> SLOT_BITS for p in leaf.positions})
    scenarios: Sequence[int | None] = [None] * len(held)
    if leaf.mode == Mode.PORTFOLIO:
        scenarios = best_scenarios(leaf.positions, held, losses_e6, terms)
    collateral: bytes = b""
    proof: tuple[bytes, ...] = ()
    if any(leaf.collateral_e8):
        collateral, proof = columns.collateral, columns.collateral_proof()
    pairs = list(zip(held, scenarios, strict=True))
    opened = Opened((), collateral, proof, b"")
    for charged in charge_choices(held):
        openings = tuple(columns.opening(u, s, with_charges=u in charged) for u, s in pairs)
        opened = Opened(openings, collateral, proof, curves if charged else b"")
        margins = witness_margin(leaf, openings, collateral, opened.curves, terms)
        if is_liquidatable(tier, *margins, terms):
            break
    return opened


def charge_choices(held: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return of which underlyings to open charges: none, one, .. all; four choices at most."""
    return tuple(choice for count in range(len(held) + 1) for choice in combinations(held, count))


def best_scenarios(
    positions: Sequence[Position],
    held: Sequence[int],
    losses_e6: NDArray[np.int32],
    terms: Terms,
) -> tuple[int, ...]:
    """Return the witness scenario of each underlying held, such that all prove the whole scan.

    Either one for all, where losses less the credited gains are largest, or each its own worst one,
    where losses are covered at the breakdown share: the scan risk is the larger of the two.
    """
    sums = np.empty((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    ids = np.array([p.instrument for p in positions], np.int32)
    lots = np.array([p.lots for p in positions], np.int32)
    scan_sums(ids, lots, losses_e6, sums)
    cap_e6 = terms.offset_cap_usd * ONE_E6
    scenarios = cross_risk(sums, terms.offset_e6, cap_e6, terms.breakdown_e6)[1]
    return tuple(int(scenarios[u]) for u in held)
