"""What makes a liquidation right: the rules that `Margin.sol` and `Legs.sol` apply to a witness.

A portfolio requires its worst loss over all scenarios and its add-ons. A witness opens one scenario
of the prover's choice for each underlying held, and charges or not: whatever it opens proves a
lower bound of the requirement, and the whole of it with the right scenarios and all charges. An
isolated or cross account requires a curve of each notional, which charges open.
"""

from collections.abc import Sequence

from offchain.core.addons import COLUMNS, GROUPS, Addons, Charge, addons_reference
from offchain.core.collateral import total_credit
from offchain.core.cross import witness_risk
from offchain.core.linear_margin import linear_maintenance_reference
from offchain.core.margin import Mode, is_below, maintenance_margin, partial_lots
from offchain.core.units import (
    MAX_UNDERLYINGS,
    ONE_E6,
    ROWS,
    SLOT_BITS,
    SLOTS,
    RatioE6,
)
from offchain.engine.events import Leg, Tier
from offchain.ledger.charge_columns import ChargeRow, unpack_charges, unpack_collateral
from offchain.ledger.columns import ColumnOpening, unpack_losses, unpack_values
from offchain.ledger.errors import WitnessError
from offchain.ledger.instruction import Instruction
from offchain.ledger.leaf import AccountLeaf, Position
from offchain.ledger.terms import Curves, Terms, unpack_curves

_NO_CHARGES: ChargeRow = (0,) * COLUMNS


def witness_margin(
    leaf: AccountLeaf,
    columns: Sequence[ColumnOpening],
    collateral: bytes,
    curves: bytes,
    terms: Terms,
) -> tuple[int, int]:
    """Return margin balance and maintenance margin, as far as columns are opened.

    Parameters
    ----------
    leaf : AccountLeaf
        The account.
    columns : sequence of ColumnOpening
        One for each underlying held, ascending.
    collateral : bytes
        The collateral column; may be empty when the account holds none.
    curves : bytes
        The tier curves of the parameter set; may be empty when no charges are opened.
    terms : Terms
        In force.

    Returns
    -------
    margin_balance_e6, maintenance_e6 : int
        Rounded down and up. [USD e-6]

    Raises
    ------
    WitnessError
        The columns are not those of the underlyings held, or lack a slot, an asset or a curve.
    EncodingError
        Bytes are left over in a column or in the curves.
    """
    demand("the mode exists", holds=leaf.mode in set(Mode))
    held = sorted({p.instrument >> SLOT_BITS for p in leaf.positions})
    demand("one opening for each underlying held", holds=[c.underlying for c in columns] == held)
    balance = leaf.cash_e6 + _credit(leaf, collateral)
    balance += sum(_value(leaf.positions, opening) for opening in columns)
    charges = _charges(leaf.positions, columns)
    demand("a charge is of a listed underlying", holds=all(i < ROWS for i in charges))
    lots = [(p.instrument, p.lots) for p in leaf.positions if p.instrument in charges]
    rows = [charges.get(i, _NO_CHARGES) for i in range(ROWS)]
    tiers = _tiers(curves, {i >> SLOT_BITS for i in charges})
    if leaf.mode != Mode.PORTFOLIO:
        return balance, linear_maintenance_reference(lots, rows, [t.linear for t in tiers])
    scan = portfolio_scan(
        [_loss(leaf.positions, opening) for opening in columns],
        terms,
        is_common=len({opening.scenario for opening in columns}) <= 1,
    )
    addons = _addons(lots, rows, tiers)
    required = max(scan + addons.maintenance_e6, addons.unwind_e6)
    return balance, maintenance_margin(required, 0, RatioE6(terms.mm_factor_e6))


def portfolio_scan(losses_e6: Sequence[int], terms: Terms, *, is_common: bool) -> int:
    """Return the scan risk that losses by underlying prove. [USD e-6]

    Losses are covered at the breakdown share at least. Where all are of one scenario, gains pay for
    losses at the offset share, up to the cap.
    """
    cap_e6 = terms.offset_cap_usd * ONE_E6
    return witness_risk(losses_e6, is_common, terms.offset_e6, cap_e6, terms.breakdown_e6)


def _credit(leaf: AccountLeaf, collateral: bytes) -> int:
    if not any(leaf.collateral_e8):
        return 0
    curves = unpack_collateral(collateral)
    unlisted = leaf.collateral_e8[len(curves) :]
    demand("the collateral column lists every asset held", holds=not any(unlisted))
    listed = leaf.collateral_e8[: len(curves)]
    return total_credit(listed, curves[: len(listed)])


def _of(positions: Sequence[Position], opening: ColumnOpening) -> list[Position]:
    return [p for p in positions if p.instrument >> SLOT_BITS == opening.underlying]


def _slot(position: Position, count: int) -> int:
    slot = position.instrument & (SLOTS - 1)
    demand("the slot is listed", holds=slot < count)
    return slot


def _value(positions: Sequence[Position], opening: ColumnOpening) -> int:
    """Return value less cost of the positions in one underlying."""
    values = unpack_values(opening.values)
    return sum(p.lots * values[_slot(p, len(values))] - p.cost_e6 for p in _of(positions, opening))


def _loss(positions: Sequence[Position], opening: ColumnOpening) -> int:
    """Return the loss of the positions in one underlying in its witness scenario."""
    losses = unpack_losses(opening.losses)
    return sum(p.lots * losses[_slot(p, len(losses))] for p in _of(positions, opening))


def _charges(
    positions: Sequence[Position], columns: Sequence[ColumnOpening]
) -> dict[int, ChargeRow]:
    """Return the charges that are opened, by instrument held."""
    found = {}
    for opening in columns:
        if not opening.has_charges:
            continue
        rows = unpack_charges(opening.charges)
        for position in _of(positions, opening):
            found[position.instrument] = rows[_slot(position, len(rows))]
    return found


def _tiers(curves: bytes, underlyings: set[int]) -> Sequence[Curves]:
    """Return the curves of each possible underlying; those in the set must be there."""
    if not underlyings:
        return [Curves((), (), ())] * MAX_UNDERLYINGS
    tiers = unpack_curves(curves)
    demand("each underlying has its curves", holds=max(underlyings) < len(tiers))
    return tiers


def _addons(
    lots: Sequence[tuple[int, int]], rows: Sequence[ChargeRow], tiers: Sequence[Curves]
) -> Addons:
    has_places = all(rows[i][Charge.GROUP] < GROUPS for i, _ in lots)
    demand("every expiry has its place", holds=has_places)
    lines = [(instrument, held, 0, 0) for instrument, held in lots]
    covers = [0] * MAX_UNDERLYINGS  # calm volatility belongs to IM
    deltas, unwinds = [t.delta for t in tiers], [t.unwind for t in tiers]
    return addons_reference(lines, rows, deltas, unwinds, covers)


def is_liquidatable(tier: int, balance_e6: int, maintenance_e6: int, terms: Terms) -> bool:
    """Tell whether an account is below the trigger of a tier; WitnessError for another tier."""
    demand("the tier is partial or full", holds=tier in (Tier.PARTIAL, Tier.FULL))
    is_full = tier == Tier.FULL
    trigger = terms.full_trigger_e6 if is_full else terms.partial_trigger_e6
    return is_below(balance_e6, maintenance_e6, RatioE6(trigger))


def check_legs(instruction: Instruction, positions: Sequence[Position], terms: Terms) -> None:
    """Check that the legs only reduce, within the cap of a partial step or to zero in a full one.

    Raises
    ------
    WitnessError
        The first rule that does not hold.
    """
    if instruction.tier == Tier.FULL:
        closed = [(leg.instrument, -leg.lots) for leg in instruction.legs]
        whole = closed == [(p.instrument, p.lots) for p in positions]
        demand("a full step closes every position", holds=whole)
        return
    demand("a partial step has legs", holds=bool(instruction.legs))
    lots_of = {p.instrument: p.lots for p in positions}
    for leg in instruction.legs:
        _check_reduction(leg, lots_of.get(leg.instrument, 0), terms.partial_cap_e6)


def _check_reduction(leg: Leg, position_lots: int, cap_e6: int) -> None:
    demand("a leg has a position", holds=position_lots != 0)
    against = leg.lots != 0 and (leg.lots < 0) == (position_lots > 0)
    demand("a leg goes against its position", holds=against)
    cap = partial_lots(position_lots, cap_e6, ONE_E6)
    demand("a leg stays within the partial cap", holds=abs(leg.lots) <= cap)


def demand(rule: str, *, holds: bool) -> None:
    """Raise WitnessError, naming the rule, unless it holds."""
    if not holds:
        raise WitnessError(f"does not hold: {rule}")
