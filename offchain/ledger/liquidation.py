"""What makes a liquidation right: the rules that `Margin.sol` and `Legs.sol` apply to a witness.

The scan risk of an account is its worst loss over all scenarios, so the loss in any one of them is
a lower bound; a witness opens one scenario of the prover's choice for each underlying held.
"""

from collections.abc import Sequence

from offchain.core.collateral import collateral_value, haircut_price
from offchain.core.margin import is_below, maintenance_margin, partial_lots
from offchain.core.units import ONE_E6, SLOT_BITS, SLOTS, RatioE6
from offchain.engine.events import Leg, Tier
from offchain.ledger.columns import ColumnOpening, unpack_losses, unpack_values
from offchain.ledger.errors import WitnessError
from offchain.ledger.instruction import Instruction
from offchain.ledger.leaf import AccountLeaf, Position
from offchain.ledger.terms import Terms


def witness_margin(
    leaf: AccountLeaf, columns: Sequence[ColumnOpening], index_price_e8: int, terms: Terms
) -> tuple[int, int]:
    """Return margin balance and maintenance margin in the witness scenarios.

    Parameters
    ----------
    leaf : AccountLeaf
        The account; cash and at most one collateral asset.
    columns : sequence of ColumnOpening
        One for each underlying held, ascending.
    index_price_e8 : int
        Index price of the collateral. [USD e-8]
    terms : Terms
        Haircut and factor in force.

    Returns
    -------
    margin_balance_e6, maintenance_e6 : int
        Rounded down and up. [USD e-6]

    Raises
    ------
    WitnessError
        The columns are not those of the underlyings held, or lack a slot.
    """
    held = sorted({p.instrument >> SLOT_BITS for p in leaf.positions})
    demand("one opening for each underlying held", holds=[c.underlying for c in columns] == held)
    demand("the terms price one collateral asset", holds=len(leaf.collateral_e8) <= 1)
    equity, scan = leaf.cash_e6, 0
    for opening in columns:
        value, loss = _underlying(leaf.positions, opening)
        equity += value
        scan += max(0, loss)
    price = haircut_price(index_price_e8, RatioE6(terms.haircut_e6))
    credit = sum(collateral_value(amount, price) for amount in leaf.collateral_e8)
    return equity + credit, maintenance_margin(scan, 0, RatioE6(terms.mm_factor_e6))


def _underlying(positions: Sequence[Position], opening: ColumnOpening) -> tuple[int, int]:
    """Return (value less cost, loss in the witness scenario) of the positions in one underlying."""
    values, losses = unpack_values(opening.values), unpack_losses(opening.losses)
    value = loss = 0
    for position in positions:
        if position.instrument >> SLOT_BITS != opening.underlying:
            continue
        slot = position.instrument & (SLOTS - 1)
        demand("the slot is listed", holds=slot < min(len(values), len(losses)))
        value += position.lots * values[slot] - position.cost_e6
        loss += position.lots * losses[slot]
    return value, loss


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
