"""From a proposal to a parameter set: which fields are replaced, each within its bounds.

The tables of rules below are the whole list of what calibration may touch; beside them only the
weights of tails, which follow from the range, and the joint moves of the shortfall model. All else
of the base set is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from offchain.calibration.bounds import bounded
from offchain.calibration.correlation import Correlation
from offchain.calibration.haircut import Haircut, bracket_weights
from offchain.calibration.proposal import Proposal
from offchain.calibration.settings import Settings
from offchain.calibration.venue_terms import DepegTerms
from offchain.core.model_parameters import (
    AddonParameters,
    Bracket,
    CollateralParameters,
    CorrelationParameters,
    JointMove,
    PegParameters,
    ShortfallModel,
)
from offchain.core.parameters import RiskParameters, ScanParameters, Tail
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, RatioE6

STAKED = ("CBETH", "EZETH", "METH", "RETH", "STETH", "SWETH", "WBETH", "WEETH", "WSTETH")
"""Symbols of collateral that is haircut as a liquid staking token."""
FUNDING_NS = 8 * 3_600 * SECOND_NS
SHORTFALL_CONFIDENCE_E6 = 975_000
Record = TypeVar(
    "Record",
    ScanParameters,
    AddonParameters,
    CollateralParameters,
    CorrelationParameters,
    PegParameters,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One number of the set. `held`: which bound kept it from its target (up, down or none)."""

    field: str
    previous: int
    target: int
    value: int
    held: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """The new set and every number that calibration looked at."""

    parameters: RiskParameters
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A field of a record, its target (None keeps the field) and the grid it lies on.

    `is_credit` says that a larger number asks for less margin: its bounds are mirrored, so that
    it too tightens faster than it loosens.
    """

    field: str
    target: Callable[..., int | None]
    grid: int
    is_credit: bool = False


def scan_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return what is replaced in an underlying's scan grid, from an `UnderlyingProposal`."""
    shock = settings.shock_grid_e6
    return (
        Rule("price_range_e6", lambda u: u.range.range_e6, settings.range_grid_e6),
        Rule("vol_up_e6", lambda u: u.shocks.up_e6, shock),
        Rule("vol_down_e6", lambda u: u.shocks.down_e6, shock),
        Rule("min_vol_up_e8", lambda u: u.shocks.min_up_e8, shock * 100),
        Rule("vol_power_short_e6", lambda u: u.shocks.power_short_e6, 10_000),
        # Beyond 30 days (30/DTE)^p falls with p: a larger power is a smaller shock.
        Rule("vol_power_long_e6", lambda u: u.shocks.power_long_e6, 10_000, is_credit=True),
    )


def addon_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return what is replaced in an underlying's add-ons, from an `UnderlyingProposal`."""
    return (Rule("calm_vol_e8", lambda u: u.shocks.calm_e8, settings.shock_grid_e6 * 100),)


CORRELATION_RULES = (
    Rule("offset_e6", lambda c: c.offset_e6, 10_000, is_credit=True),
    Rule("breakdown_e6", lambda c: c.breakdown_e6, 10_000),
)
"""From a `Correlation`."""
PEG_RULES = (
    Rule("threshold_e8", lambda d: d.threshold_e6 * 100, 1_000_000),
    Rule("factor_e6", lambda d: d.factor_e6, 500_000),
)
"""From `DepegTerms`."""


def haircut_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return what is replaced in a collateral asset, from a `Haircut`."""
    return (
        Rule("haircut_floor_e6", lambda h: h.floor_e6, settings.haircut_grid_e6),
        Rule("haircut_cap_e6", lambda h: h.cap_e6, settings.haircut_grid_e6),
    )


class _Mover:
    """Moves numbers toward their targets within the bounds, and keeps the list of changes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.changes: list[Change] = []

    def move(
        self,
        name: str,
        previous: int,
        target: int,
        grid: int,
        *,
        is_credit: bool = False,
        most: int | None = None,
    ) -> int:
        """Return the number within its bounds, and at most `most` whatever they say."""
        limits = (self.settings.max_up_e6, self.settings.max_down_e6)
        if is_credit:
            limits = limits[::-1]
        result = bounded(previous, target, *limits, grid)
        value = result.value if most is None else max(0, min(result.value, most))
        self.changes.append(Change(name, previous, target, value, result.held))
        return value

    def apply(self, name: str, record: Record, rules: Sequence[Rule], evidence: object) -> Record:
        """Return the record with every field of the rules replaced."""
        values: dict[str, Any] = {}
        for rule in rules:
            target, previous = rule.target(evidence), int(getattr(record, rule.field))
            if target is not None:
                place = f"{name}.{rule.field}"
                values[rule.field] = self.move(
                    place, previous, target, rule.grid, is_credit=rule.is_credit
                )
        return replace(record, **values)


def adopt(base: RiskParameters, proposal: Proposal, *, shortfall: bool = False) -> Adoption:
    """Return the next version of a set, with the proposal's numbers as far as bounds let them.

    The shortfall model gets the proposal's scenarios when the base has one, or when `shortfall`
    asks for it; its confidence and weight are kept, or 97.5 % and the maximum of both models.

    Raises
    ------
    ParameterError
        When the result breaks a relation; a calibration never weakens those.
    """
    mover, settings = _Mover(proposal.settings), proposal.settings
    by_symbol = {u.symbol: u for u in proposal.underlyings}
    scan, addons = list(base.scan), list(base.addons)
    for listed in base.listing.underlyings:
        if found := by_symbol.get(listed.symbol):
            place = listed.index
            moved = mover.apply(listed.symbol, scan[place], scan_rules(settings), found)
            scan[place] = _with_tails(moved)
            addons[place] = mover.apply(listed.symbol, addons[place], addon_rules(settings), found)
    parameters = replace(
        base,
        version=base.version + 1,
        scan=tuple(scan),
        addons=tuple(addons),
        correlation=_correlation(mover, base.correlation, proposal.correlation),
        peg=_peg(mover, base.peg, proposal.depeg),
        collateral=tuple(_collateral(mover, c, base, proposal) for c in base.collateral),
        funding=replace(base.funding, cap_e8=_funding_cap(mover, base, proposal)),
        shortfall=_shortfall(base, proposal, shortfall=shortfall),
    )
    return Adoption(parameters, tuple(mover.changes))


def _with_tails(grid: ScanParameters) -> ScanParameters:
    """Cover each tail by range / |move|, at most all of it."""
    tails = tuple(
        Tail(t.move_e6, RatioE6(min(ONE_E6, grid.price_range_e6 * ONE_E6 // abs(t.move_e6))))
        for t in grid.tails
    )
    return replace(grid, tails=tails)


def _correlation(
    mover: _Mover, base: CorrelationParameters, found: Correlation | None
) -> CorrelationParameters:
    return mover.apply("correlation", base, CORRELATION_RULES, found) if found else base


def _peg(mover: _Mover, base: PegParameters, found: DepegTerms | None) -> PegParameters:
    return mover.apply("peg", base, PEG_RULES, found) if found else base


def _collateral(
    mover: _Mover, terms: CollateralParameters, base: RiskParameters, proposal: Proposal
) -> CollateralParameters:
    found = haircut_of(terms.symbol, base.listing.underlyings[terms.underlying].symbol, proposal)
    if found is None:
        return terms
    grid = mover.settings.haircut_grid_e6
    moved = mover.apply(terms.symbol, terms, haircut_rules(mover.settings), found)
    sizes = [bracket.upto_e8 / ONE_E8 * found.last_price for bracket in terms.brackets]
    targets = bracket_weights(sizes, found.impact, grid)
    brackets: list[Bracket] = []
    for place, (old, target) in enumerate(zip(terms.brackets, targets, strict=True)):
        name = f"{terms.symbol}.brackets.{place}.weight_e6"
        # Weights fall from bracket to bracket, even where bounds move two of them together.
        most = brackets[-1].weight_e6 - 1 if brackets else ONE_E6
        weight = mover.move(name, old.weight_e6, target, grid, is_credit=True, most=most)
        brackets.append(Bracket(old.upto_e8, RatioE6(weight)))
    return replace(moved, brackets=tuple(brackets))


def haircut_of(symbol: str, underlying: str, proposal: Proposal) -> Haircut | None:
    """Return the haircut that fits a collateral: by its own symbol, as staked, by underlying."""
    wanted = "LST" if symbol in STAKED else symbol
    by_symbol = {h.asset.symbol: h for h in proposal.haircuts}
    return by_symbol.get(wanted) or by_symbol.get(underlying)


def _funding_cap(mover: _Mover, base: RiskParameters, proposal: Proposal) -> int:
    """Return a cap that allows what was seen, for the period of the set; it is never lowered."""
    cap = base.funding.cap_e8
    for check in proposal.funding:
        needed = -(-check.needed_cap_e8 * base.funding.period_ns // FUNDING_NS)
        raised = min(max(cap, needed), ONE_E8)
        mover.changes.append(
            Change(f"funding.cap_e8 ({check.symbol})", cap, needed, raised, "none")
        )
        cap = raised
    return cap


def _shortfall(
    base: RiskParameters, proposal: Proposal, *, shortfall: bool
) -> tuple[ShortfallModel, ...]:
    """Return the model with the proposed moves; only when they cover every underlying."""
    symbols = [u.symbol for u in proposal.underlyings]
    if symbols != [u.symbol for u in base.listing.underlyings]:
        return base.shortfall
    moves = tuple(
        JointMove(s.moves_e6, s.volatility_moves_e6) for s in proposal.scenarios.scenarios
    )
    if base.shortfall:
        return (replace(base.shortfall[0], moves=moves),)
    first = ShortfallModel(RatioE6(SHORTFALL_CONFIDENCE_E6), RatioE6(0), moves)
    return (first,) if shortfall else ()
