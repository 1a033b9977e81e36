"""Adopt: put another parameter set in force, as governance did on chain.

Accounts, positions, orders and flows stay; what is required of them changes at once. So what they
are made of must stay too: underlyings, feeds, the owners of the reserved accounts, every listed
instrument and every collateral asset. Instruments and assets may be appended; of a new asset
everybody has nothing, and it counts with the highest haircut until the next report. Prices are
those in force: a report is not waited for, and stale ones do not stop governance.
"""

from dataclasses import replace

from offchain.core.breaker import under_terms
from offchain.core.collateral import first_haircut, rehaircut
from offchain.core.parameters import ParameterError, RiskParameters
from offchain.core.terms import with_terms
from offchain.engine.commands.price_report import level_changes
from offchain.engine.events import Event, ParametersReplaced
from offchain.engine.market import Market
from offchain.engine.messages import Adopt
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State
from offchain.pricing.risk_array import RiskRangeError


def decide(state: State, command: Adopt, _seq: int, _time_ns: int) -> tuple[Event, ...] | Rejected:
    """Accept a set that fits what is there; all that follows from it is computed anew."""
    documented = command.parameters
    try:
        rules = with_terms(documented, command.terms)
    except ParameterError:
        return Rejected(Reason.BAD_TERMS, (("version", documented.version),))
    refused = _refuse_change(state, rules, documented)
    if refused:
        return refused
    try:
        ahead = _market_under(state, rules)
    except RiskRangeError:
        return Rejected(Reason.RISK_RANGE, (("version", rules.version),))
    replaced = ParametersReplaced(
        rules,
        documented,
        ahead.arrays,
        ahead.charges,
        ahead.history,
        ahead.haircuts,
        ahead.curves,
        ahead.breakers,
    )
    if ahead.arrays is None:
        return (replaced,)
    return (replaced, *level_changes(state.under(rules, ahead), ahead))


def _market_under(state: State, rules: RiskParameters) -> Market:
    """Return the market in force under other rules; RiskRangeError when a value has no room.

    How far the observers agreed is not measured again: their observations are gone.
    """
    market, terms = state.market, zip(state.rules.breakers, rules.breakers, strict=True)
    known = zip(market.haircuts, rules.collateral, strict=False)
    added = rules.collateral[len(market.haircuts) :]
    haircuts = (*(rehaircut(*of) for of in known), *(first_haircut(of) for of in added))
    breakers = tuple(under_terms(b, *of) for b, of in zip(market.breakers, terms, strict=True))
    ahead = replace(market, haircuts=haircuts, breakers=breakers)
    if market.arrays is not None:
        ahead.derive(rules)
    return ahead


def _refuse_change(
    state: State, rules: RiskParameters, documented: RiskParameters
) -> Rejected | None:
    """Refuse a set that changes nothing, or what accounts are made of."""
    now = state.rules
    owners = (rules.insurance_owner, rules.backstop_owner)
    faults = (
        (Reason.SAME_PARAMETERS, (rules, documented) == (now, state.documented)),
        (Reason.UNDERLYINGS_CHANGED, rules.listing.underlyings != now.listing.underlyings),
        (Reason.FEEDS_CHANGED, rules.listing.feeds != now.listing.feeds),
        (Reason.OWNERS_CHANGED, owners != (now.insurance_owner, now.backstop_owner)),
        (Reason.COLLATERAL_CHANGED, _assets(rules)[: len(now.collateral)] != _assets(now)),
    )
    for reason, is_so in faults:
        if is_so:
            return Rejected(reason, (("version", rules.version),))
    listed = {i.id: i for i in rules.listing.instruments}
    for instrument in now.listing.instruments:
        if listed.get(instrument.id) != instrument:
            return Rejected(Reason.INSTRUMENT_CHANGED, (("instrument", instrument.id),))
    return None


def _assets(rules: RiskParameters) -> list[tuple[str, int]]:
    """Return what each collateral is: its token and its price; everything else are terms."""
    return [(of.symbol, of.underlying) for of in rules.collateral]
