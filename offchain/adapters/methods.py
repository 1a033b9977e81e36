"""The methods that anybody may call, and the keeper's."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from offchain.adapters import params as p
from offchain.adapters.margin_views import View
from offchain.adapters.rpc import Fault, Place, Registry, RpcError, refusal
from offchain.adapters.served_venue import ServedVenue
from offchain.adapters.views import (
    account_view,
    instrument_view,
    proof_view,
    ticker_view,
    what_if_view,
)
from offchain.core.instruments import Instrument
from offchain.core.margin import Mode
from offchain.core.terms import terms
from offchain.core.units import InstrumentId
from offchain.engine.modes import forbidden_by_mode
from offchain.engine.reasons import Reason, Rejected
from offchain.ledger.document import document

METHODS = Registry()


def not_found(what: str, **numbers: int) -> RpcError:
    """Return the error for something that does not exist."""
    figures = {name: str(value) for name, value in numbers.items()}
    return RpcError(Fault.NOT_FOUND, f"unknown {what}", {"reason": "NOT_FOUND", "numbers": figures})


def listed(venue: ServedVenue, instrument: int) -> Instrument:
    """Return a listed instrument; RpcError UNKNOWN_INSTRUMENT otherwise."""
    found = venue.state.instruments.get(InstrumentId(instrument))
    if found is None:
        raise refusal(Rejected(Reason.UNKNOWN_INSTRUMENT, (("instrument", instrument),)))
    return found


def existing(venue: ServedVenue, account: int | None) -> int:
    """Return the id of an account that exists; RpcError UNKNOWN_ACCOUNT otherwise."""
    if account is None or account >= venue.state.accounts.count:
        numbers = () if account is None else (("account", account),)
        raise refusal(Rejected(Reason.UNKNOWN_ACCOUNT, numbers))
    return account


def page(rows: Sequence[View], limit: int, key: str) -> View:
    """Return rows with the cursor of the next page, null at the end."""
    return {"rows": list(rows), "next_before": rows[-1][key] if len(rows) == limit else None}


@METHODS.add("public/list_methods", p.Params, Place.HISTORY)
def list_methods(_venue: ServedVenue, _params: p.Params) -> object:
    """Return every method with its parameters as JSON Schema."""
    return [
        {"name": m.name, "doc": m.doc, "params": json.dumps(m.params.model_json_schema())}
        for m in METHODS
    ]


@METHODS.add("public/get_time", p.Params)
def get_time(venue: ServedVenue, _params: p.Params) -> object:
    """Return the time of the sequencer, against which expiries are checked, and its last record."""
    sequencer = venue.sequencer
    return {
        "time_ns": sequencer.now_ns(),
        "seq": venue.state.last_seq,
        "epoch": sequencer.epoch,
        "batch_no": venue.journal.batch_no,
    }


@METHODS.add("public/get_parameters", p.Params)
def get_parameters(venue: ServedVenue, _params: p.Params) -> object:
    """Return document and terms of the risk parameters, their hash, and where the venue settles."""
    rules, documented = venue.state.rules, venue.state.documented
    return {
        "document": json.loads(document(documented or rules)),
        "terms": asdict(terms(rules)),
        "params_hash": venue.journal.params_hash,
        "chain_id": venue.deployment.chain_id,
        "contracts": venue.deployment.contracts,
        "domain": {
            "name": "Plimsoll",
            "version": "1",
            "chain_id": venue.gateway.domain.chain_id,
            "verifying_contract": venue.gateway.domain.contract,
        },
    }


@METHODS.add("public/get_instruments", p.Params)
def get_instruments(venue: ServedVenue, _params: p.Params) -> object:
    """Return everything listed, with the lot and the tick of its underlying."""
    listing = venue.state.rules.listing
    return {
        "underlyings": [
            {"symbol": u.symbol, "lot_divisor": u.lot_divisor, "tick_e8": u.tick_e8}
            for u in listing.underlyings
        ],
        "instruments": [instrument_view(i) for i in listing.instruments],
    }


@METHODS.add("public/get_ticker", p.InstrumentParams)
def get_ticker(venue: ServedVenue, params: p.InstrumentParams) -> object:
    """Return prices of an instrument, its Greeks, charges and risk array."""
    return ticker_view(venue.state, listed(venue, params.instrument))


@METHODS.add("public/get_order_book", p.BookParams)
def get_order_book(venue: ServedVenue, params: p.BookParams) -> object:
    """Return the first price levels of both sides."""
    book = venue.state.books[listed(venue, params.instrument).id]
    bids, asks = book.depth(params.depth)
    levels = [
        [{"price_e8": price, "lots": abs(lots)} for price, lots in side] for side in (bids, asks)
    ]
    return {"seq": venue.state.last_seq, "bids": levels[0], "asks": levels[1]}


@METHODS.add("public/get_margin", p.MarginParams)
def get_margin(venue: ServedVenue, params: p.MarginParams) -> object:
    """Return the margin of any portfolio, real or not, line by line and with every scenario."""
    state = venue.state
    if state.market.arrays is None:
        raise refusal(Rejected(Reason.NO_PRICES))
    positions = [(listed(venue, x.instrument).id, x.lots, x.cost_e6) for x in params.positions]
    if len({i for i, _, _ in positions}) != len(positions):
        raise RpcError(Fault.BAD_PARAMS, "an instrument is repeated")
    assets = len(state.rules.collateral)
    if len(params.collateral_e8) > assets:
        raise refusal(Rejected(Reason.BAD_ASSET, (("asset", assets + 1),)))
    collateral = [*params.collateral_e8, *[0] * (assets - len(params.collateral_e8))]
    mode = Mode[params.mode.upper()]
    refused = forbidden_by_mode(state, mode, {i for i, lots, _ in positions if lots})
    if refused is not None:
        raise refusal(refused)
    return what_if_view(state, mode, params.cash_e6, collateral, positions)


@METHODS.add("public/get_account", p.OwnerParams)
def get_account(venue: ServedVenue, params: p.OwnerParams) -> object:
    """Return money, margin, positions and orders of an account."""
    account = params.account
    if (account is None) == (params.owner is None):
        raise RpcError(Fault.BAD_PARAMS, "name the account, or its owner")
    if params.owner is not None:
        account = venue.state.accounts.find(params.owner, params.subaccount)
    return account_view(venue.state, existing(venue, account))


@METHODS.add("public/get_account_proof", p.AccountParams)
def get_account_proof(venue: ServedVenue, params: p.AccountParams) -> object:
    """Return the leaf of an account and its proof under the account root of this moment."""
    account = existing(venue, params.account)
    return proof_view(venue.journal.account_proof(account), venue.state.last_seq)


@METHODS.add("public/get_batches", p.PageParams, Place.HISTORY)
def get_batches(venue: ServedVenue, params: p.PageParams) -> object:
    """Return batches, newest first."""
    return page(venue.history.batches(params.limit, params.before), params.limit, "batch_no")


@METHODS.add("public/get_batch", p.BatchParams, Place.HISTORY)
def get_batch(venue: ServedVenue, params: p.BatchParams) -> object:
    """Return one batch with its header."""
    found = venue.history.batch(params.batch_no)
    if found is None:
        raise not_found("batch", batch_no=params.batch_no)
    return found


@METHODS.add("public/get_liquidations", p.AccountPageParams, Place.HISTORY)
def get_liquidations(venue: ServedVenue, params: p.AccountPageParams) -> object:
    """Return liquidation steps, newest first."""
    rows = venue.history.liquidations(params.limit, params.before, params.account)
    return page(rows, params.limit, "id")


@METHODS.add("public/get_fills", p.AccountPageParams, Place.HISTORY)
def get_fills(venue: ServedVenue, params: p.AccountPageParams) -> object:
    """Return trades, newest first."""
    return page(
        venue.history.fills(params.limit, params.before, params.account), params.limit, "id"
    )


@METHODS.add("public/get_collateral_sales", p.AccountPageParams, Place.HISTORY)
def get_collateral_sales(venue: ServedVenue, params: p.AccountPageParams) -> object:
    """Return sales of collateral to the backstop, newest first."""
    rows = venue.history.collateral_sales(params.limit, params.before, params.account)
    return page(rows, params.limit, "id")


@METHODS.add("public/get_mode_changes", p.AccountPageParams, Place.HISTORY)
def get_mode_changes(venue: ServedVenue, params: p.AccountPageParams) -> object:
    """Return changes of mode, newest first."""
    rows = venue.history.mode_changes(params.limit, params.before, params.account)
    return page(rows, params.limit, "id")


@METHODS.add("public/get_insurance_moves", p.PageParams, Place.HISTORY)
def get_insurance_moves(venue: ServedVenue, params: p.PageParams) -> object:
    """Return what went into the insurance fund and out of it, newest first."""
    return page(venue.history.insurance_moves(params.limit, params.before), params.limit, "id")


@METHODS.add("public/get_insurance", p.Params)
def get_insurance(venue: ServedVenue, _params: p.Params) -> object:
    """Return the balance of the insurance fund, and what it took and paid since genesis."""
    flows = venue.state.flows
    return {
        "seq": venue.state.last_seq,
        "balance_e6": int(venue.state.accounts.cash[0]),
        "contributed_e6": flows.contributed_e6,
        "drawn_e6": flows.drawn_e6,
        "shortfall_e6": flows.shortfall_e6,
        "liquidations": flows.liquidations,
    }


@METHODS.add("keeper/get_witness", p.WitnessParams, Place.HISTORY)
def get_witness(venue: ServedVenue, params: p.WitnessParams) -> object:
    """Return what it takes to verify one liquidation of a batch on chain."""
    store = venue.witnesses
    found = store.witness(params.batch_no, params.index) if store else None
    if found is None:
        raise not_found("witness", batch_no=params.batch_no, index=params.index)
    return found
