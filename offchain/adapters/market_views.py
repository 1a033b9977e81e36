"""What the report in force says of the market: smiles, confidence, funding, haircuts, the peg."""

from offchain.adapters.exposure_views import greeks_of, unit_greeks_view
from offchain.adapters.margin_views import View
from offchain.core.addons import Charge
from offchain.core.instruments import FeedKind, Instrument, Kind, Underlying
from offchain.engine.breakers import breaker_level
from offchain.engine.requirements import peg_of
from offchain.engine.state import State
from offchain.pricing.marks import quote
from offchain.pricing.surface import surface_of


def market_view(state: State) -> View:
    """Return everything but the single instruments; the state must have prices."""
    market, place = state.market, state.tables.stable_place
    return {
        "seq": state.last_seq,
        "round": market.round,
        "observed_at_ns": market.observed_at_ns,
        "has_pending_report": market.pending is not None,
        "oracle_resumed_at_s": market.standing.resumed_at_s,
        "reports_since": market.standing.streak,
        "is_liquidation_open": market.standing.is_settled,
        "stable_price_e8": None if place is None else market.medians[place],
        "peg_e6": peg_of(state),
        "underlyings": [_underlying(state, u) for u in state.rules.listing.underlyings],
        "collateral": [_asset(state, asset) for asset in range(1, len(state.rules.collateral) + 1)],
    }


def _underlying(state: State, of: Underlying) -> View:
    market, listing = state.market, state.rules.listing
    listed = listing.of_underlying(of.index)
    dates = sorted({i.expiry_ns for i in listed if i.expiry_ns})
    interest = state.accounts.open_interest
    level, until_ns = breaker_level(state, of.index, state.time_ns)
    return {
        "symbol": of.symbol,
        "index_price_e8": market.medians[of.index],
        "confidence_e6": market.confidences_e6[of.index],
        "funding_rate_e8": market.funding_rates_e8[of.index],
        "breaker_level": int(level),
        "breaker_until_ns": until_ns if level else None,
        "margin_class": state.tables.classes[of.index].symbol,
        "open_interest": [
            {"instrument": i.id, "symbol": i.symbol, "lots": int(interest[i.id])}
            for i in listed
            if interest[i.id]
        ],
        "surfaces": [_surface(state, of.index, date) for date in dates],
    }


def _surface(state: State, underlying: int, expiry_ns: int) -> View:
    """Return forward and smile of one expiry, decoded; v0 is null where no volatility is listed."""
    listing, medians = state.rules.listing, state.market.medians
    forward = listing.feed_index(FeedKind.FORWARD, underlying, expiry_ns)
    view: View = {"expiry_ns": expiry_ns, "forward_e8": medians[forward], "v0_e8": None}
    listed = {(f.kind, f.underlying, f.expiry_ns) for f in listing.feeds}
    if (FeedKind.VOLATILITY, underlying, expiry_ns) not in listed:
        return view
    smile = surface_of(listing, medians, underlying, expiry_ns)
    return {
        **view,
        "v0_e8": smile.v0_e8,
        "slope_e8": smile.slope_e8,
        "tilt_e8": smile.tilt_e8,
        "centre_e8": smile.centre_e8,
        "width_e8": smile.width_e8,
    }


def _asset(state: State, asset: int) -> View:
    """Return the terms of a collateral in force, and what the venue holds of it."""
    terms, haircut = state.rules.collateral[asset - 1], state.market.haircuts[asset - 1]
    flows = state.flows
    return {
        "asset": asset,
        "symbol": terms.symbol,
        "index_price_e8": state.market.medians[terms.underlying],
        "haircut_e6": haircut.haircut_e6,
        "haircut_floor_e6": terms.haircut_floor_e6,
        "haircut_cap_e6": terms.haircut_cap_e6,
        "day_variance_e18": haircut.fast_e18,
        "week_variance_e18": haircut.slow_e18,
        "held_e8": flows.deposited[asset] - flows.withdrawn[asset],
        "cap_e8": terms.cap_e8,
        "brackets": [
            {"upto_e8": upto, "credit_price_e8": price}
            for upto, price in state.market.curves[asset - 1]
        ],
    }


def pricing_view(state: State, instrument: Instrument) -> View:
    """Return what prices and charges one instrument; the state must have prices."""
    market = state.market
    of = quote(state.rules.listing, market.medians, instrument, market.observed_at_ns)
    charges = market.charges_in_force[instrument.id].tolist()
    is_perpetual = instrument.kind is Kind.PERPETUAL
    return {
        "underlying_price_e8": of.price_e8,
        "mark_volatility_e8": of.volatility_e8 if instrument.is_option else None,
        "greeks": unit_greeks_view(greeks_of(state, instrument)),
        "funding_rate_e8": market.funding_rates_e8[instrument.underlying] if is_perpetual else None,
        "charges": {charge.name.lower(): charges[charge] for charge in Charge},
    }
