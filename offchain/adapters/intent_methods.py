"""The methods that change something: intents signed by the owner of the account.

The signature is the authority, so there is no login: whoever carries a signed intent here may.
"""

from offchain.adapters import params as p
from offchain.adapters.margin_views import View
from offchain.adapters.methods import METHODS
from offchain.adapters.rpc import refusal
from offchain.adapters.served_venue import ServedVenue
from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, TimestampNs, UsdE6
from offchain.engine.events import CollateralSold, Filled, ModeChanged, OrderRested, Withdrawn
from offchain.engine.messages import (
    CancelOrder,
    Convert,
    PlaceOrder,
    SetMode,
    TimeInForce,
    Withdraw,
)
from offchain.services.gateway import Intent
from offchain.services.sequencer import Receipt


def ordered(venue: ServedVenue, intent: Intent) -> Receipt:
    """Return the receipt of an accepted intent; RpcError when it is refused."""
    answer = venue.submit_intent(intent)
    if not isinstance(answer, Receipt):
        raise refusal(answer)
    return answer


def receipt_view(receipt: Receipt) -> View:
    """Return where a command stands in the log, with the signature that promises it.

    The signature is over epoch, seq, log hash and inbox; null where the venue signs no receipts.
    """
    return {
        "seq": receipt.seq,
        "time_ns": receipt.time_ns,
        "epoch": receipt.epoch,
        "log_hash": receipt.tip,
        "inbox_cursor": receipt.inbox_cursor,
        "inbox_prefix_hash": receipt.inbox_prefix,
        "signature": receipt.signature,
    }


@METHODS.add("private/place_order", p.OrderParams)
def place_order(venue: ServedVenue, params: p.OrderParams) -> object:
    """Place a signed limit order; the order id is its sequence number."""
    order = PlaceOrder(
        AccountId(params.account),
        InstrumentId(params.instrument),
        Lots(params.lots),
        PriceE8(params.limit_price_e8),
        TimeInForce[params.time_in_force.upper()],
        params.reduce_only,
        params.nonce,
        TimestampNs(params.expires_at_ns),
        params.signature,
    )
    receipt = ordered(venue, order)
    fills = [e for e in receipt.events if isinstance(e, Filled)]
    rested = next((e for e in receipt.events if isinstance(e, OrderRested)), None)
    return {
        **receipt_view(receipt),
        "order_id": receipt.seq,
        "lots_filled": sum(f.lots for f in fills),
        "lots_resting": rested.lots if rested else 0,
        "fills": [
            {"price_e8": f.price_e8, "lots": f.lots, "fee_e6": f.fee_e6, "maker": f.maker}
            for f in fills
        ],
    }


@METHODS.add("private/cancel_order", p.CancelParams)
def cancel_order(venue: ServedVenue, params: p.CancelParams) -> object:
    """Cancel a resting order."""
    cancel = CancelOrder(
        AccountId(params.account),
        params.order_id,
        params.nonce,
        TimestampNs(params.expires_at_ns),
        params.signature,
    )
    return receipt_view(ordered(venue, cancel))


@METHODS.add("private/withdraw", p.WithdrawParams)
def withdraw(venue: ServedVenue, params: p.WithdrawParams) -> object:
    """Withdraw to the owner; claimable on chain once the batch is final."""
    withdrawal = Withdraw(
        AccountId(params.account),
        params.asset,
        params.amount,
        params.nonce,
        TimestampNs(params.expires_at_ns),
        params.signature,
    )
    receipt = ordered(venue, withdrawal)
    output = next(e for e in receipt.events if isinstance(e, Withdrawn))
    return {
        **receipt_view(receipt),
        "output_id": output.output_id,
        "batch_no": venue.journal.batch_no,
    }


@METHODS.add("private/set_mode", p.ModeParams)
def set_mode(venue: ServedVenue, params: p.ModeParams) -> object:
    """Margin the account in another mode, when it meets initial margin there."""
    change = SetMode(
        AccountId(params.account),
        params.mode,
        params.nonce,
        TimestampNs(params.expires_at_ns),
        params.signature,
    )
    receipt = ordered(venue, change)
    changed = next(e for e in receipt.events if isinstance(e, ModeChanged))
    return {**receipt_view(receipt), "mode": changed.mode.name.lower()}


@METHODS.add("private/convert", p.ConversionParams)
def convert(venue: ServedVenue, params: p.ConversionParams) -> object:
    """Sell collateral to the backstop at the index less the haircut."""
    conversion = Convert(
        AccountId(params.account),
        params.asset,
        params.amount,
        UsdE6(params.minimum_e6),
        params.nonce,
        TimestampNs(params.expires_at_ns),
        params.signature,
    )
    receipt = ordered(venue, conversion)
    sale = next(e for e in receipt.events if isinstance(e, CollateralSold))
    return {
        **receipt_view(receipt),
        "asset": sale.asset,
        "amount": sale.amount,
        "cash_e6": sale.cash_e6,
    }
