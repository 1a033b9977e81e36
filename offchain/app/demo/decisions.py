"""What traders decide beside trading: how they are margined, and when they sell collateral."""

from collections.abc import Iterator
from typing import Any

from offchain.adapters.client import ApiError
from offchain.app.demo.population import Trader
from offchain.app.demo.record import usd
from offchain.app.demo.venue import DemoVenue, Signed
from offchain.core.margin import Mode
from offchain.core.units import AccountId, TimestampNs, UsdE6
from offchain.engine.messages import Convert, SetMode

UNSIGNED = bytes(65)
SHARE_SOLD = 4
"""A trader sells one part in so many of the collateral."""


def choose_modes(venue: DemoVenue) -> None:
    """Let everybody who does not want a portfolio account say so, before anything is held."""
    for trader in venue.traders:
        if trader.mode is not trader.wants:
            switch(venue, trader, trader.wants)


def change_modes(venue: DemoVenue) -> None:
    """Let those who planned another mode for later ask for it; a refusal says why."""
    for trader in venue.traders:
        if trader.later is not None and trader.mode is not trader.later:
            switch(venue, trader, trader.later)


def switch(venue: DemoVenue, trader: Trader, mode: Mode) -> bool:
    """Ask for a mode over the API, and tell whether it was given."""
    command = SetMode(AccountId(trader.account), mode, next(trader.nonces), _soon(venue), UNSIGNED)
    refused = _refusal(venue, trader, command)
    if refused is None:
        trader.mode = mode
        venue.screen.say(f"{trader.name} is margined {mode.name.lower()} now")
        return True
    figures = ", ".join(
        f"{name.removesuffix('_e6').replace('_', ' ')} {usd(value)}"
        for name, value in refused.numbers.items()
        if name.endswith("_e6")
    )
    reason = refused.reason.lower().replace("_", " ")
    venue.screen.say(f"{trader.name} may not be {mode.name.lower()}: {reason}, {figures}")
    venue.book.modes_refused += 1
    return False


def sell_collateral(venue: DemoVenue) -> bool:
    """Let the first who can sell a part of the collateral to the backstop do so."""
    for trader, asset, amount in _holders(venue):
        command = Convert(
            AccountId(trader.account),
            asset,
            amount,
            UsdE6(0),
            next(trader.nonces),
            _soon(venue),
            UNSIGNED,
        )
        if _refusal(venue, trader, command) is None:
            return True
    return False


def _holders(venue: DemoVenue) -> Iterator[tuple[Trader, int, int]]:
    """Yield who holds collateral, which, and how much of it is for sale."""
    for trader in reversed(venue.traders):  # the ether comes last
        shown: Any = venue.client.call("public/get_account", account=trader.account)
        for asset, held in enumerate(shown["collateral_e8"], start=1):
            if int(held) >= SHARE_SOLD:
                yield trader, asset, int(held) // SHARE_SOLD


def _soon(venue: DemoVenue) -> TimestampNs:
    return TimestampNs(venue.soon_ns())


def _refusal(venue: DemoVenue, trader: Trader, command: Signed) -> ApiError | None:
    """Sign and send an intent; return why it was refused, None when it was not."""
    try:
        venue.client.submit(venue.signed(trader, command))
    except ApiError as refused:
        return refused
    return None
