"""FundingTick: move the cumulative funding index of every perpetual."""

from dataclasses import replace

from offchain.core.funding import funding_rate_e8, funding_step_e6, premium_e8
from offchain.core.instruments import Kind
from offchain.engine.commands.intents import refuse_prices
from offchain.engine.commands.price_report import level_changes
from offchain.engine.events import ChargesRevised, Event, FundingAccrued
from offchain.engine.messages import FundingTick
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.pricing.charge_table import charge_table


def decide(
    state: State, _command: FundingTick, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept with fresh prices; the first tick only starts the clock.

    The new rates are charged to whoever holds: a provision of one period enters requirements.
    """
    refused = refuse_prices(state, time_ns)
    if refused:
        return refused
    market, rules = state.market, state.rules
    elapsed = time_ns - market.funding_time_ns if market.funding_time_ns else 0
    ahead = replace(market, funding_e6=market.funding_e6.copy())
    rates = list(market.funding_rates_e8)
    events: list[Event] = []
    for instrument in rules.listing.instruments:
        if instrument.kind != Kind.PERPETUAL:
            continue
        index = state.index_price(instrument.underlying)
        mid = state.books[instrument.id].mid(time_ns)
        rate = funding_rate_e8(premium_e8(mid, index), rules.funding)
        lot_value = index // state.underlying(instrument.id).lot_divisor
        step = funding_step_e6(rate, lot_value, elapsed, rules.funding)
        ahead.funding_e6[instrument.id] += step
        rates[instrument.underlying] = rate
        events.append(FundingAccrued(instrument.id, rate, step))
    ahead.funding_rates_e8 = tuple(rates)
    ahead.charges = charge_table(
        rules,
        market.medians,
        market.observed_at_ns,
        market.prices,
        ahead.funding_rates_e8,
        market.confidences_e6,
    )
    revised = ChargesRevised(ahead.funding_rates_e8, ahead.charges)
    return (*events, revised, *level_changes(state, ahead))
