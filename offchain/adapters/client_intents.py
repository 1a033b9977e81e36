"""Signed intents as the API takes them: which method, and its parameters by name."""

from dataclasses import fields

from offchain.engine.messages import (
    CancelOrder,
    Convert,
    PlaceOrder,
    SetMode,
    TimeInForce,
    Withdraw,
)
from offchain.services.gateway import Intent

METHOD_OF: dict[type, str] = {
    PlaceOrder: "private/place_order",
    CancelOrder: "private/cancel_order",
    Withdraw: "private/withdraw",
    SetMode: "private/set_mode",
    Convert: "private/convert",
}


def intent_params(intent: Intent) -> dict[str, object]:
    """Return the parameters of the method that takes an intent: its fields, by their names."""
    return {field.name: _value(getattr(intent, field.name)) for field in fields(intent)}


def _value(value: object) -> object:
    """Return a name for a kind of order; all else is written as it is."""
    return value.name.lower() if isinstance(value, TimeInForce) else value
