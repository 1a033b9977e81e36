"""Greeks and delta-equivalent exposure, of what is held and of one unit of what is listed."""

from collections.abc import Sequence

from offchain.adapters.margin_views import Holding, View
from offchain.core.instruments import Instrument
from offchain.core.units import ONE_E6, ONE_E8, InstrumentId, floor_div
from offchain.engine.state import State
from offchain.pricing.exposure import Exposure, exposures, position_greeks
from offchain.pricing.greeks import Greeks, unit_greeks
from offchain.pricing.marks import quote


def greeks_of(state: State, instrument: Instrument) -> Greeks:
    """Return the Greeks of one unit at the report in force."""
    market, listing = state.market, state.rules.listing
    return unit_greeks(
        instrument, quote(listing, market.medians, instrument, market.observed_at_ns)
    )


def exposure_view(state: State, positions: Sequence[Holding]) -> View:
    """Return exposure by underlying, and the Greeks of every position.

    Deltas are in units of the underlying, gamma for one dollar, vega for a volatility point, theta
    for a day; signs as held. `delta_value_e6` is the delta at the index price.
    """
    instruments = {i: state.instruments[InstrumentId(i)] for i, lots, _ in positions if lots}
    greeks = {i: greeks_of(state, instrument) for i, instrument in instruments.items()}
    held = [(i, lots) for i, lots, _ in positions if lots]
    found = exposures(state.rules.listing, held, greeks)
    return {
        "underlyings": [_exposure(state, of) for of in found],
        "positions": [_position(state, instruments[i], lots, greeks[i]) for i, lots in held],
    }


def _exposure(state: State, of: Exposure) -> View:
    price = state.index_price(of.underlying)
    return {
        "symbol": state.rules.listing.underlyings[of.underlying].symbol,
        "perpetual_delta_e8": of.perpetual_delta_e8,
        "future_delta_e8": of.future_delta_e8,
        "option_delta_e8": of.option_delta_e8,
        "delta_e8": of.delta_e8,
        "delta_value_e6": floor_div(of.delta_e8 * price, ONE_E8 * ONE_E8 // ONE_E6),
        "gamma_e12": of.gamma_e12,
        "vega_e6": of.vega_e6,
        "theta_e6": of.theta_e6,
    }


def _position(state: State, instrument: Instrument, lots: int, of: Greeks) -> View:
    divisor = state.underlying(instrument.id).lot_divisor
    found = position_greeks(instrument, lots, of, divisor)
    return {
        "instrument": instrument.id,
        "symbol": instrument.symbol,
        "lots": lots,
        "delta_e8": found.delta_e8,
        "gamma_e12": found.gamma_e12,
        "vega_e6": found.vega_e6,
        "theta_e6": found.theta_e6,
    }


def unit_greeks_view(of: Greeks) -> View:
    """Return the Greeks of one unit of an instrument."""
    return {
        "delta_e8": of.delta_e8,
        "gamma_e12": of.gamma_e12,
        "vega_e8": of.vega_e8,
        "theta_e8": of.theta_e8,
    }
