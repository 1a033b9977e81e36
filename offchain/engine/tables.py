"""What margin needs of a parameter set as arrays; made once when the set is adopted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.curves import Line, curve_lines, curve_table
from offchain.core.instruments import FeedKind
from offchain.core.model_parameters import MarginClass, ShortfallModel
from offchain.core.parameters import RiskParameters
from offchain.core.portfolio import CROSS_TERMS, Curve
from offchain.core.shortfall import Tail, tail_of
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, RatioE6

Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RuleTables:
    """The rules of margin, ready for the kernels.

    Attributes
    ----------
    curves : int64[len(Curve), MAX_UNDERLYINGS, MAX_TIERS, 3]
        Tier curves of each underlying, from `curve_table`.
    terms : int64[CROSS_TERMS + MAX_UNDERLYINGS]
        Offset [e-6], its cap [USD e-6], breakdown [e-6], then the calm cover of each underlying.
    mm_factor_e6 : RatioE6
        Of portfolio margin.
    classes : tuple of MarginClass
        Of each underlying.
    stable_place : int or None
        Where a report has the price of the cash asset.
    shortfall : ShortfallModel or None
        The second model, and `tail` of its history.
    """

    curves: Int64Array
    terms: Int64Array
    mm_factor_e6: RatioE6
    classes: tuple[MarginClass, ...]
    stable_place: int | None
    shortfall: ShortfallModel | None
    tail: Tail | None


def rule_tables(rules: RiskParameters) -> RuleTables:
    """Return the tables of a parameter set."""
    classes = tuple(rules.classes[place] for place in rules.class_of)
    lines = {
        Curve.DELTA: [curve_lines(a.delta_tiers) for a in rules.addons],
        Curve.UNWIND: [curve_lines(a.unwind_tiers) for a in rules.addons],
        Curve.LINEAR: [curve_lines(c.tiers) for c in classes],
    }
    cross = rules.correlation
    covers = [int(a.calm_cover_e6) for a in rules.addons]
    shortfall = rules.shortfall[0] if rules.shortfall else None
    return RuleTables(
        curves=np.stack([_padded(lines[curve]) for curve in Curve]),
        terms=np.array(
            [
                cross.offset_e6,
                cross.offset_cap_usd * ONE_E6,
                cross.breakdown_e6,
                *covers,
                *[0] * (MAX_UNDERLYINGS - len(covers)),
            ],
            np.int64,
        ),
        mm_factor_e6=rules.mm_factor_e6,
        classes=classes,
        stable_place=_stable_place(rules),
        shortfall=shortfall,
        tail=tail_of(len(shortfall.moves), shortfall.confidence_e6) if shortfall else None,
    )


def _padded(curves: Sequence[Sequence[Line]]) -> Int64Array:
    missing: list[Sequence[Line]] = [()] * (MAX_UNDERLYINGS - len(curves))
    return curve_table([*curves, *missing])


def _stable_place(rules: RiskParameters) -> int | None:
    kinds = [feed.kind for feed in rules.listing.feeds]
    return kinds.index(FeedKind.STABLE) if FeedKind.STABLE in kinds else None


assert CROSS_TERMS == 3
