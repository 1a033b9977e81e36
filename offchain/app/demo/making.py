"""Market makers: two-sided quotes around the mark that widen with moves and vanish in a rush."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offchain.app.demo.population import Trader
from offchain.core.instruments import Instrument
from offchain.core.units import (
    ONE_E6,
    SECOND_NS,
    AccountId,
    InstrumentId,
    Lots,
    PriceE8,
    TimestampNs,
    ceil_div,
)
from offchain.engine.messages import PlaceOrder, TimeInForce
from offchain.ledger.typed_data import Domain, order_digest

RUSH_E6 = 12_000
"""A step larger than this, and makers withdraw until the next calm step."""


@dataclass(frozen=True, slots=True)
class Quoting:
    """What one maker shows of one instrument: half spread of the mark, lots, steps alive."""

    half_spread_e6: int
    lots: int
    alive_steps: int


LINEAR = Quoting(half_spread_e6=400, lots=400, alive_steps=2)
OPTION = Quoting(half_spread_e6=10_000, lots=400, alive_steps=6)
STEP_S = 50
SPARE_S = 10
"""Quotes outlive their last step by this, so that they stand when its price comes."""


def signed_order(
    domain: Domain,
    trader: Trader,
    instrument: int,
    lots: int,
    price_e8: int,
    expires_at_ns: int,
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED,
) -> PlaceOrder:
    """Return an order signed by its owner."""
    unsigned = PlaceOrder(
        account=AccountId(trader.account),
        instrument=InstrumentId(instrument),
        lots=Lots(lots),
        limit_price_e8=PriceE8(price_e8),
        time_in_force=time_in_force,
        reduce_only=False,
        nonce=next(trader.nonces),
        expires_at_ns=TimestampNs(expires_at_ns),
        signature=bytes(65),
    )
    signature = trader.key.sign(order_digest(domain, unsigned))
    return PlaceOrder(
        **{name: getattr(unsigned, name) for name in PlaceOrder.__slots__ if name != "signature"},
        signature=signature,
    )


def quotes(
    domain: Domain,
    makers: Sequence[Trader],
    instruments: Sequence[tuple[Instrument, int, int]],
    now_ns: int,
    stress_e6: int,
    depth: int = 1,
    step_s: int = STEP_S,
) -> Iterator[PlaceOrder]:
    """Yield the quotes of all makers for (instrument, mark, tick); none in a rush.

    `stress_e6` is the size of the last move of the index; the half spread grows by a half of it.
    `depth` multiplies the lots; `step_s` is the time between two prices [s].
    """
    if stress_e6 > RUSH_E6:
        return
    for rank, maker in enumerate(makers):
        for instrument, mark, tick in instruments:
            style = OPTION if instrument.is_option else LINEAR
            width = style.half_spread_e6 * (2 + rank) // 2 + stress_e6 // 2
            band = max(tick, ceil_div(mark * width, ONE_E6))
            until = now_ns + (style.alive_steps * step_s + SPARE_S) * SECOND_NS
            bid, ask = (mark - band) // tick * tick, ceil_div(mark + band, tick) * tick
            post, lots = TimeInForce.POST_ONLY, style.lots * depth
            if bid > 0:
                yield signed_order(domain, maker, instrument.id, lots, bid, until, post)
            yield signed_order(domain, maker, instrument.id, -lots, ask, until, post)
