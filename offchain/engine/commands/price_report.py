"""PriceReport: believe a round of observations, or hold it until a second one confirms it."""

from dataclasses import replace

import numpy as np

from offchain.core.collateral import next_haircut
from offchain.core.instruments import FeedKind
from offchain.core.margin import call_level
from offchain.core.oracle import (
    UNBOUNDED_E5,
    Standing,
    confidence_e6,
    is_accepted,
    is_confirmation,
    medians,
    next_standing,
)
from offchain.core.units import PRICE_BITS, SECOND_NS, AccountId, RatioE6, UsdE6
from offchain.engine.breakers import observed, tripped
from offchain.engine.events import Event, MarginLevelChanged, PriceAccepted, PriceHeld
from offchain.engine.market import Market
from offchain.engine.messages import Observation, PriceReport
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State
from offchain.engine.sweeps import margins_near
from offchain.pricing.risk_array import RiskRangeError

MAX_SKEW_NS = 5 * SECOND_NS
"""How far an observation may lie ahead of the sequencer's clock."""
MEASURED_KINDS = (FeedKind.INDEX, FeedKind.FORWARD)
"""Feeds whose observers must agree for the price of an underlying to be trusted."""


def decide(
    state: State, command: PriceReport, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept a newer report of a quorum; its signatures are the gateway's and the auditor's."""
    refused = _refuse_report(state, command, time_ns)
    if refused:
        return refused
    market = state.market
    values = medians([o.values for o in command.observations])
    pending = market.pending.medians if market.pending else None
    last = market.medians or None
    accepted = is_accepted(values, last, pending, state.rules.oracle.band_e6)
    standing = _standing(state, command, values, accepted=accepted)
    if not accepted:
        return (PriceHeld(command.round, command.observed_at_ns, values, standing),)
    try:
        ahead = market_ahead(state, command, values)
    except RiskRangeError:
        return Rejected(Reason.RISK_RANGE, (("round", command.round),))
    event = PriceAccepted(
        command.round,
        command.observed_at_ns,
        values,
        ahead.prices,
        ahead.charges_in_force,
        ahead.history,
        ahead.confidences_e6,
        ahead.haircuts,
        ahead.curves,
        standing,
        ahead.breakers,
    )
    return (event, *tripped(state, ahead, time_ns), *level_changes(state, ahead))


def _standing(
    state: State, command: PriceReport, values: tuple[int, ...], *, accepted: bool
) -> Standing:
    """Return how long the oracle has been back with this report (L-5)."""
    market, oracle = state.market, state.rules.oracle
    base_at_ns, base = market.observed_at_ns, market.standing
    waits = market.pending
    if accepted and waits and is_confirmation(values, waits.medians, oracle.band_e6):
        base_at_ns, base = waits.observed_at_ns, waits.standing
    return next_standing(oracle.grace, command.observed_at_ns, base_at_ns, base, accepted=accepted)


def market_ahead(state: State, command: PriceReport, values: tuple[int, ...]) -> Market:
    """Return the market that a report makes, with all that follows from it.

    Raises
    ------
    RiskRangeError
        A lot value, a loss or a charge leaves its bits.
    """
    rules, market = state.rules, state.market
    haircuts = tuple(
        next_haircut(haircut, values[terms.underlying], command.observed_at_ns, terms)
        for haircut, terms in zip(market.haircuts, rules.collateral, strict=True)
    )
    ahead = replace(
        market,
        observed_at_ns=command.observed_at_ns,
        medians=values,
        confidences_e6=_confidences(state, command),
        haircuts=haircuts,
        breakers=observed(state, values, command.observed_at_ns),
    )
    ahead.derive(rules)
    return ahead


def _confidences(state: State, command: PriceReport) -> tuple[RatioE6, ...]:
    """Return, for each underlying, the least confidence in its index and forwards. [e-6]

    The forward of what has expired prices nothing any more, so nobody need agree on it.
    """
    rules, now = state.rules, command.observed_at_ns
    found = [
        [
            confidence_e6([o.values[place] for o in command.observations], addons.dispersion_e6)
            for place, feed in enumerate(rules.listing.feeds)
            if feed.underlying == underlying.index
            and feed.kind in MEASURED_KINDS
            and (feed.expiry_ns == 0 or now < feed.expiry_ns)
        ]
        for underlying, addons in zip(rules.listing.underlyings, rules.addons, strict=True)
    ]
    return tuple(min(each) for each in found)


def _refuse_report(state: State, command: PriceReport, time_ns: int) -> Rejected | None:
    oracle, market = state.rules.oracle, state.market
    if command.round <= market.last_round or command.observed_at_ns <= market.last_observed_at_ns:
        return Rejected(Reason.OLD_REPORT, (("round", command.round), ("last", market.last_round)))
    age = time_ns - command.observed_at_ns
    if age > oracle.heartbeat_ns or age < -MAX_SKEW_NS:
        return Rejected(Reason.STALE_PRICES, (("age_ns", age),))
    signers = [o.signer for o in command.observations]
    if len(signers) < oracle.quorum:
        return Rejected(Reason.QUORUM_MISSING, (("have", len(signers)), ("need", oracle.quorum)))
    if signers != sorted(set(signers)) or not set(signers) <= set(range(len(oracle.signers))):
        return Rejected(Reason.BAD_REPORT, (("signers", len(signers)),))
    feeds = len(state.rules.listing.feeds)
    for observation in command.observations:
        if not _is_whole(observation, feeds):
            return Rejected(Reason.BAD_REPORT, (("signer", observation.signer),))
    return None


def _is_whole(seen: Observation, feeds: int) -> bool:
    """Tell whether an observation has a value and a span in range for each feed."""
    if len(seen.values) != feeds or len(seen.spans) != feeds:
        return False
    return all(0 < v < 1 << PRICE_BITS for v in seen.values) and all(
        0 <= side <= UNBOUNDED_E5 for span in seen.spans for side in span
    )


def level_changes(state: State, market: Market) -> list[Event]:
    """Return an event for every account whose call level differs in this market."""
    levels_e6 = state.rules.liquidation.call_levels_e6
    levels = state.accounts.level[: state.accounts.count]
    if not levels_e6 and not levels.any():
        return []
    found: list[Event] = []
    highest = max(levels_e6, default=RatioE6(0))
    near = margins_near(state, market, highest, also=np.flatnonzero(levels))
    for account, balance, due in near.rows():
        level = call_level(balance, due, levels_e6)
        if level != levels[account]:
            found.append(MarginLevelChanged(AccountId(account), level, UsdE6(balance), UsdE6(due)))
    return found
