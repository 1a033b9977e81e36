"""The methods about the risk of one account, and of the market: nothing here changes anything."""

from offchain.adapters import params as p
from offchain.adapters.exposure_views import exposure_view
from offchain.adapters.liquidation_prices import frozen, liquidation_prices_view
from offchain.adapters.margin_views import View, breakdown_view, margin_view
from offchain.adapters.market_views import market_view
from offchain.adapters.methods import METHODS, existing, listed
from offchain.adapters.rpc import Fault, Place, RpcError, refusal
from offchain.adapters.served_venue import ServedVenue
from offchain.core.margin import Mode, fee_e6, trade_cost_e6
from offchain.core.units import LOSS_BITS, MAX_POSITIONS, InstrumentId
from offchain.engine.accounts import INSURANCE, LOTS_LIMIT
from offchain.engine.modes import forbidden_by_mode
from offchain.engine.overlay import Overlay, cash_after, collateral_after, positions_after
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State
from offchain.engine.withdrawal import withdrawable
from offchain.pricing.risk_array import RiskRangeError


def _priced(venue: ServedVenue) -> State:
    """Return the state; RpcError NO_PRICES before the first report."""
    if venue.state.market.arrays is None:
        raise refusal(Rejected(Reason.NO_PRICES))
    return venue.state


@METHODS.add("public/get_market", p.Params)
def get_market(venue: ServedVenue, _params: p.Params) -> object:
    """Return smiles, confidence, funding, open interest, haircuts and the price of USDC."""
    return market_view(_priced(venue))


@METHODS.add("public/get_account_margin", p.AccountParams)
def get_account_margin(venue: ServedVenue, params: p.AccountParams) -> object:
    """Return the margin of an account line by line."""
    account, state = existing(venue, params.account), _priced(venue)
    assets = range(len(state.rules.collateral) + 1)
    return {
        **_header(state, account),
        **_breakdown(state, account, None, None),
        "withdrawable": [
            {"asset": a, "amount": 0 if account == INSURANCE else withdrawable(state, account, a)}
            for a in assets
        ],
    }


@METHODS.add("public/get_account_exposure", p.AccountParams)
def get_account_exposure(venue: ServedVenue, params: p.AccountParams) -> object:
    """Return Greeks of an account by position, and its exposure by underlying."""
    account, state = existing(venue, params.account), _priced(venue)
    return {**_header(state, account), **exposure_view(state, state.accounts.positions(account))}


@METHODS.add("public/get_liquidation_prices", p.LiquidationPriceParams, Place.ANALYSIS)
def get_liquidation_prices(venue: ServedVenue, params: p.LiquidationPriceParams) -> object:
    """Return the prices of each underlying at which an account would be liquidated, and why."""
    with venue.sequencer.lock:
        held = frozen(_priced(venue), existing(venue, params.account))
    wanted = held.state.rules.listing.underlyings
    if params.underlying is not None:
        wanted = wanted[params.underlying : params.underlying + 1]
    if not wanted:
        raise RpcError(Fault.BAD_PARAMS, "no such underlying")
    try:
        return liquidation_prices_view(held, wanted)
    except RiskRangeError:
        raise refusal(Rejected(Reason.RISK_RANGE)) from None


@METHODS.add("public/preview_margin", p.PreviewParams)
def preview_margin(venue: ServedVenue, params: p.PreviewParams) -> object:
    """Return the margin of an account before and after trades or a change of mode; none is made."""
    account, state = existing(venue, params.account), _priced(venue)
    now = Mode(int(state.accounts.mode[account]))
    mode = now if params.mode is None else Mode[params.mode.upper()]
    overlay = Overlay()
    for trade in params.trades:
        _add_trade(venue, overlay, account, trade)
    _check_instruments(state, account, mode, overlay)
    before, after = account_margin(state, account), _breakdown(state, account, overlay, mode)
    return {
        **_header(state, account),
        "before": margin_view(before, state.rules.liquidation.call_levels_e6),
        "after": after,
        "meets_initial_margin": after["margin_balance_e6"] >= after["initial_margin_e6"],
    }


def _check_instruments(state: State, account: int, mode: Mode, overlay: Overlay) -> None:
    """Refuse more instruments than an account may have, or ones that the mode does not allow."""
    held = {InstrumentId(i) for i, lots, _ in positions_after(state, account, overlay) if lots}
    held |= {order.instrument for order in state.orders_of(account)}
    if len(held) > MAX_POSITIONS:
        raise refusal(Rejected(Reason.TOO_MANY_POSITIONS, (("limit", MAX_POSITIONS),)))
    refused = forbidden_by_mode(state, mode, held)
    if refused is not None:
        raise refusal(refused)


def _add_trade(venue: ServedVenue, overlay: Overlay, account: int, trade: p.WhatIfTrade) -> None:
    """Add a trade with its fee; RpcError when size or price is none that could be traded."""
    state, instrument = venue.state, listed(venue, trade.instrument).id
    underlying, market = state.underlying(instrument), state.market
    price = int(market.prices.marks_e8[instrument]) if trade.price_e8 is None else trade.price_e8
    is_worthless = trade.price_e8 == 0  # as a mark it is that of an option far out of the money
    too_high = price // underlying.lot_divisor >> LOSS_BITS
    if is_worthless or too_high or price % underlying.tick_e8:
        numbers = (("price_e8", price), ("tick_e8", underlying.tick_e8))
        raise refusal(Rejected(Reason.BAD_PRICE, numbers))
    funding = int(market.funding_e6[instrument])
    cost = trade_cost_e6(trade.lots, price, underlying.lot_divisor, funding)
    overlay.trade(account, instrument, trade.lots, cost)
    rate = state.rules.taker_fee_e6
    overlay.pay(account, -fee_e6(trade.lots, price, underlying.lot_divisor, rate))
    total = overlay.lots(state, account, instrument)
    if abs(total) >= LOTS_LIMIT:
        raise refusal(Rejected(Reason.POSITION_LIMIT, (("lots", total),)))


def _header(state: State, account: int) -> View:
    return {"account": account, "seq": state.last_seq, "round": state.market.round}


def _breakdown(state: State, account: int, overlay: Overlay | None, mode: Mode | None) -> View:
    return breakdown_view(
        state,
        account_margin(state, account, overlay, mode=mode),
        account,
        cash_after(state, account, overlay),
        collateral_after(state, account, overlay),
        positions_after(state, account, overlay),
    )
