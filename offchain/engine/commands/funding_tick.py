"""FundingTick: move the cumulative funding index of every perpetual."""

from offchain.core.funding import funding_rate_e8, funding_step_e6, premium_e8
from offchain.core.instruments import Kind
from offchain.engine.commands.intents import refuse_prices
from offchain.engine.commands.price_report import level_changes
from offchain.engine.events import Event, FundingAccrued
from offchain.engine.messages import FundingTick
from offchain.engine.reasons import Rejected
from offchain.engine.state import State


def decide(
    state: State, _command: FundingTick, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept with fresh prices; the first tick only starts the clock."""
    refused = refuse_prices(state, time_ns)
    if refused:
        return refused
    market, rules = state.market, state.rules
    elapsed = time_ns - market.funding_time_ns if market.funding_time_ns else 0
    ahead = market.funding_e6.copy()
    events: list[Event] = []
    for instrument in rules.listing.instruments:
        if instrument.kind != Kind.PERPETUAL:
            continue
        index = state.index_price(instrument.underlying)
        mid = state.books[instrument.id].mid(time_ns)
        rate = funding_rate_e8(premium_e8(mid, index), rules.funding)
        lot_value = index // state.underlying(instrument.id).lot_divisor
        step = funding_step_e6(rate, lot_value, elapsed, rules.funding)
        ahead[instrument.id] += step
        events.append(FundingAccrued(instrument.id, rate, step))
    return (*events, *level_changes(state, market, market.prices, ahead))
