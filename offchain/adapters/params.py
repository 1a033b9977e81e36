"""Parameters of the methods: strict, bounded, integers as decimal strings.

An integer may also come as a JSON number, where every JSON library keeps it exact (below 2^53).
Fractions, exponents, booleans and unknown members are refused.
"""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from offchain.core.units import CASH_BITS, COLLATERAL_BITS, LOTS_BITS, MAX_POSITIONS

MAX_LIMIT = 500
"""Rows of one page."""
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,38})")
_HEX = re.compile(r"0x([0-9a-f]{2})*")


def _integer(value: object) -> int:
    if isinstance(value, str) and _DECIMAL.fullmatch(value) and value != "-0":
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53:
        return value
    raise ValueError("expected an integer as a decimal string")


def _bytes(value: object) -> bytes:
    if isinstance(value, str) and _HEX.fullmatch(value.lower()):
        return bytes.fromhex(value[2:])
    raise ValueError("expected bytes as 0x hex")


Integer = Annotated[int, BeforeValidator(_integer)]
U8 = Annotated[Integer, Field(ge=0, lt=1 << 8)]
U16 = Annotated[Integer, Field(ge=0, lt=1 << 16)]
U32 = Annotated[Integer, Field(ge=0, lt=1 << 32)]
U63 = Annotated[Integer, Field(ge=0, lt=1 << 63)]
U64 = Annotated[Integer, Field(ge=0, lt=1 << 64)]
I32 = Annotated[Integer, Field(ge=-(1 << 31), lt=1 << 31)]
Lots = Annotated[Integer, Field(gt=-(1 << LOTS_BITS), lt=1 << LOTS_BITS)]
Cash = Annotated[Integer, Field(gt=-(1 << CASH_BITS), lt=1 << CASH_BITS)]
Collateral = Annotated[Integer, Field(ge=0, lt=1 << COLLATERAL_BITS)]
Limit = Annotated[Integer, Field(gt=0, le=MAX_LIMIT)]
Address = Annotated[bytes, BeforeValidator(_bytes), Field(min_length=20, max_length=20)]
Signature = Annotated[bytes, BeforeValidator(_bytes), Field(min_length=65, max_length=65)]


class Params(BaseModel):
    """Parameters of a method; by itself, none at all."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class InstrumentParams(Params):
    """One instrument by its id."""

    instrument: U16


class BookParams(InstrumentParams):
    """One instrument, and how many price levels of each side."""

    depth: Annotated[Integer, Field(gt=0, le=100)] = 20


class AccountParams(Params):
    """One account by its id."""

    account: U32


class LiquidationPriceParams(AccountParams):
    """One account, and one underlying by its index; without it all of them."""

    underlying: U8 | None = None


class OwnerParams(Params):
    """One account by its id, or by its owner and sub-account."""

    account: U32 | None = None
    owner: Address | None = None
    subaccount: U8 = 0


class WhatIfPosition(Params):
    """A position that need not exist; without a cost it is taken at the mark."""

    instrument: U16
    lots: Lots
    cost_e6: Cash | None = None


ModeName = Literal["isolated", "cross", "portfolio"]


class MarginParams(Params):
    """A portfolio that need not exist."""

    mode: ModeName = "portfolio"
    cash_e6: Cash = 0
    collateral_e8: Annotated[list[Collateral], Field(max_length=8)] = []
    positions: Annotated[list[WhatIfPosition], Field(max_length=MAX_POSITIONS)] = []


class WhatIfTrade(Params):
    """Lots to trade, positive to buy; without a price at the mark."""

    instrument: U16
    lots: Lots
    price_e8: U63 | None = None


class PreviewParams(AccountParams):
    """Trades that an account might make, all of them, and a mode that it might choose."""

    trades: Annotated[list[WhatIfTrade], Field(max_length=MAX_POSITIONS)] = []
    mode: ModeName | None = None


class PageParams(Params):
    """A page of a list, newest first; `before` is the last id of the page before."""

    limit: Limit = 100
    before: U63 | None = None


class AccountPageParams(PageParams):
    """A page of a list, of one account or of all."""

    account: U32 | None = None


class BatchParams(Params):
    """One batch by its number."""

    batch_no: U63


class WitnessParams(BatchParams):
    """One liquidation of a batch, by its place under the liquidation root."""

    index: U32


class IntentParams(Params):
    """What every signed intent carries."""

    account: U32
    nonce: U64
    expires_at_ns: U64
    signature: Signature


class OrderParams(IntentParams):
    """A signed limit order; positive lots buy."""

    instrument: U16
    lots: I32
    limit_price_e8: U64
    time_in_force: Literal["good_till_cancelled", "immediate_or_cancel", "post_only"]
    reduce_only: bool = False


class ModeParams(IntentParams):
    """A signed change of mode: 0 isolated, 1 cross, 2 portfolio."""

    mode: U8


class ConversionParams(IntentParams):
    """A signed sale of collateral to the backstop, for at least so much cash."""

    asset: U8
    amount: U64
    minimum_e6: U63


class CancelParams(IntentParams):
    """A signed cancellation."""

    order_id: U64


class WithdrawParams(IntentParams):
    """A signed withdrawal to the owner of the account."""

    asset: U8
    amount: U64
