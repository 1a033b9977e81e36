"""PriceReport: believe a round of observations, or hold it until a second one confirms it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from offchain.core.margin import call_level, maintenance_margin
from offchain.core.oracle import is_accepted, medians
from offchain.core.units import PRICE_BITS, SECOND_NS, AccountId, UsdE6
from offchain.engine.events import Event, MarginLevelChanged, PriceAccepted, PriceHeld
from offchain.engine.market import Market
from offchain.engine.messages import PriceReport
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import sweep_margins
from offchain.engine.state import State
from offchain.pricing.risk_array import RiskArrays, RiskRangeError, price_book

MAX_SKEW_NS = 5 * SECOND_NS
"""How far an observation may lie ahead of the sequencer's clock."""


def decide(
    state: State, command: PriceReport, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept a newer report of a quorum; its signatures are the gateway's and the auditor's."""
    refused = _refuse_report(state, command, time_ns)
    if refused:
        return refused
    market = state.market
    values = medians([o.values for o in command.observations])
    held = PriceHeld(command.round, command.observed_at_ns, values)
    pending = market.pending.medians if market.pending else None
    last = market.medians or None
    if not is_accepted(values, last, pending, state.rules.oracle.band_e6):
        return (held,)
    try:
        arrays = price_book(state.rules, values, command.observed_at_ns)
    except RiskRangeError:
        return Rejected(Reason.RISK_RANGE, (("round", command.round),))
    accepted = PriceAccepted(command.round, command.observed_at_ns, values, arrays)
    ahead = replace(market, medians=values)
    return (accepted, *level_changes(state, ahead, arrays, market.funding_e6))


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
        values = observation.values
        if len(values) != feeds or not all(0 < v < 1 << PRICE_BITS for v in values):
            return Rejected(Reason.BAD_REPORT, (("signer", observation.signer),))
    return None


def level_changes(
    state: State, market: Market, arrays: RiskArrays, funding_e6: NDArray[np.int64]
) -> list[Event]:
    """Return an event for every account whose call level differs at these prices."""
    rules = state.rules
    balance, scan = sweep_margins(state, market, arrays, funding_e6)
    levels = state.accounts.level[: state.accounts.count]
    found: list[Event] = []
    for account in np.flatnonzero((scan > 0) | (balance < 0) | (levels > 0)).tolist():
        due = maintenance_margin(int(scan[account]), 0, rules.mm_factor_e6)
        level = call_level(int(balance[account]), due, rules.liquidation.call_levels_e6)
        if level != levels[account]:
            found.append(
                MarginLevelChanged(AccountId(account), level, UsdE6(int(balance[account])), due)
            )
    return found
