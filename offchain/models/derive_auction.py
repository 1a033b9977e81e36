"""Derive's Dutch auction (derive.md 7.14): buffer margin, discount, largest share, payments."""

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as validated

from offchain.models.quantities import Fraction, NonNegative, Number, Positive
from offchain.models.results import Line, Result
from offchain.models.schema import Auction


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class AuctionParameters:
    """Terms of an auction; times in seconds."""

    start: Fraction
    cut: Fraction
    fast_seconds: Positive
    slow_seconds: Positive
    buffer: NonNegative
    fee_rate: Fraction
    insolvent_seconds: Positive
    mtm_cutoff: Number = 0.0


def buffer_margin(mm: float, mtm: float, buffer: float) -> float:
    """Return BM = MM + buffer (MM - MtM). [USD]"""
    return mm + buffer * (mm - mtm)


def discount_at(elapsed: float, p: AuctionParameters) -> float:
    """Return d(t): from start to cut in the fast phase, then to 0 in the slow one."""
    if elapsed < p.fast_seconds:
        return p.start - (p.start - p.cut) * elapsed / p.fast_seconds
    if elapsed < p.fast_seconds + p.slow_seconds:
        return p.cut * (1.0 - (elapsed - p.fast_seconds) / p.slow_seconds)
    return 0.0


def largest_share(
    mtm: float, buffered: float, discount: float, reserved: float, mtm_cutoff: float
) -> float:
    """Return f_max = b / (b - MtM d - R (1 - d)) with b = min(BM, 0); 1 below the cutoff."""
    if mtm < mtm_cutoff:
        return 1.0
    b = min(buffered, 0.0)
    below = b - mtm * discount - reserved * (1.0 - discount)
    return b / below if below != 0 else 0.0


def start_fee(mtm: float, mm: float, p: AuctionParameters) -> float:
    """Return f_max(d = 1, R = 0) MtM feeRate, paid to the security module at a solvent start."""
    share = largest_share(mtm, buffer_margin(mm, mtm, p.buffer), 1.0, 0.0, p.mtm_cutoff)
    return share * mtm * p.fee_rate if mtm > 0 else 0.0


def insolvent_price(elapsed: float, mtm: float, mm: float, p: AuctionParameters) -> float:
    """Return the price in an insolvent auction: from min(MtM, 0) to MM; 0 if healthy. [USD]"""
    if mm >= 0:
        return 0.0
    low = min(mtm, 0.0)
    if elapsed >= p.insolvent_seconds:
        return mm
    return low + (mm - low) * elapsed / p.insolvent_seconds


def _after(amount: float, reserved: float, taken: float, payment: float) -> float:
    """Return what a bid leaves: everything but R shrinks, and the payment joins R."""
    return (amount - reserved) * (1.0 - taken) + reserved + payment


def auction(state: Auction, p: AuctionParameters) -> Result:
    """Return the numbers of an auction at one moment, for a bid of `bid_share`.

    An auction that nobody has bought by its end goes on as an insolvent one.
    """
    mtm, mm, reserved = state.mark_to_market, state.maintenance_margin, state.reserved_cash
    buffered = buffer_margin(mm, mtm, p.buffer)
    discount = discount_at(state.elapsed_seconds, p)
    share = largest_share(mtm, buffered, discount, reserved, p.mtm_cutoff)
    taken = min(state.bid_share, share)
    payment = (mtm - reserved) * discount * taken
    price = insolvent_price(state.elapsed_seconds, mtm, mm, p)
    receipt = -price * state.bid_share
    is_over = state.elapsed_seconds >= p.fast_seconds + p.slow_seconds
    is_solvent = mtm > 0 and not (is_over and mm < 0)
    lines = [
        Line("buffer margin", buffered, "BM = MM + buffer (MM - MtM)"),
        Line("start fee", start_fee(mtm, mm, p), "were it to start now"),
        Line("discount", discount, "a factor"),
        Line("largest share", share, "f_max, a fraction"),
        Line("share taken", taken, "min(bid, f_max), a fraction"),
        Line("payment", payment, "the bidder pays, in a solvent auction"),
        Line("bidder must hold", payment + abs(buffered - reserved) * taken, "cash of the bidder"),
        Line("reserved after", reserved + payment, "R"),
        Line("mark to market after", _after(mtm, reserved, taken, payment)),
        Line("maintenance after", _after(mm, reserved, taken, payment), "margins are homogeneous"),
        Line("buffer margin after", _after(buffered, reserved, taken, payment)),
        Line("insolvent price", price, "of the whole account, in an insolvent auction"),
        Line("insolvent receipt", receipt, "the bidder receives for its share"),
        Line(
            "insolvent bidder must hold", abs(mm) * state.bid_share - receipt, "cash of the bidder"
        ),
    ]
    return Result(
        unit="USD",
        initial_margin=None,
        maintenance_margin=None,
        net_initial=None,
        net_maintenance=mm,
        mark_to_market=mtm,
        equity=mtm,
        worst="solvent" if is_solvent else "insolvent",
        scenarios=[],
        lines=lines,
        detail={
            **{line.name.replace(" ", "_"): line.amount for line in lines},
            "can_start": mm < 0,
            "can_end": buffered >= 0 or mtm < 0 or reserved >= mtm or (is_over and mm >= 0),
        },
    )
