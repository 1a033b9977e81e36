"""Random questions about the risk arrays: anywhere in the limits, the ends among them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from offchain.core.instruments import (
    SHAPE_KINDS,
    Feed,
    FeedKind,
    Instrument,
    Kind,
    Listing,
    Underlying,
)
from offchain.core.parameters import RiskParameters, ScanParameters, Skew, Tail
from offchain.core.presets import BITCOIN, NO_BREAKER, NO_GRACE, Roles, Series, pm36
from offchain.core.units import (
    DAY_NS,
    ONE_E6,
    ONE_E8,
    PRICE_BITS,
    SCENARIOS,
    SECOND_NS,
    YEAR_NS,
    InstrumentId,
    PriceE8,
    RatioE6,
    TimestampNs,
)
from tests.support.risk_cells import Question

START_NS = 1_760_054_400 * SECOND_NS
LARGEST = (1 << PRICE_BITS) - 1
POWERS_E6 = ((300_000, 130_000), (0, 0), (ONE_E6, ONE_E6), (0, ONE_E6), (777_777, 1))
"""A few pairs, because each costs a table of 730 days."""
LOTS = ((100_000, 10_000_000), (10_000, 1_000_000), (1, 1), (7, 91), (10**7, 10**8))
"""Lot divisors with a tick each."""
OPTIONS = 4


@cache
def base_parameters() -> RiskParameters:
    """Return a valid set, of which a question replaces listing and scan."""
    signers = tuple(f"0x{n:040x}" for n in range(1, 8))
    roles = Roles(signers, f"0x{98:040x}", f"0x{99:040x}")
    return pm36((Series(BITCOIN, (), ()),), roles, grace=NO_GRACE, breaker=NO_BREAKER)


Row = tuple[Kind, int, int]
"""Kind, expiry and strike."""


def asked_of(
    terms: Underlying, rows: Sequence[Row], feeds: Mapping[FeedKind, int], now_ns: int
) -> Question:
    """Return a question about some rows of one expiry; the index is the first of the feeds."""
    expiry = TimestampNs(max(expiry for _, expiry, _ in rows))
    instruments = tuple(
        Instrument(InstrumentId(slot), f"{slot}", kind, TimestampNs(at), PriceE8(strike))
        for slot, (kind, at, strike) in enumerate(rows)
    )
    index, *others = feeds
    assert index == FeedKind.INDEX
    listed = (Feed(index, 0, TimestampNs(0)), *(Feed(kind, 0, expiry) for kind in others))
    # A perpetual alone has no expiry, and so no other feed.
    listed = listed if expiry else listed[:1]
    listing = Listing((terms,), instruments, listed)
    return Question(
        replace(base_parameters(), listing=listing),
        tuple(feeds.values())[: len(listed)],
        now_ns,
        instruments,
        tuple(range(SCENARIOS)),
    )


def market(
    kind: Kind, remaining_ns: int, strike_e8: int, feeds: Mapping[FeedKind, int]
) -> Question:
    """Return one instrument on BTC, all scenarios, under the starting scan grid."""
    expiry = 0 if kind == Kind.PERPETUAL else START_NS + remaining_ns
    return asked_of(BITCOIN, [(kind, expiry, strike_e8)], feeds, START_NS)


def random_question(rng: random.Random, scenarios: int = SCENARIOS) -> Question:
    """Return options, or a future and a perpetual, in one random market of one expiry."""
    index, remaining = random_price(rng), random_time(rng)
    forward = min(max(index * rng.randrange(900_000, 1_200_000) // ONE_E6, 1), LARGEST)
    expiry = START_NS + remaining
    rows: list[Row] = [(Kind.PERPETUAL, 0, 0), (Kind.FUTURE, expiry, 0)]
    if rng.random() < 0.9:
        rows = [
            (rng.choice((Kind.CALL, Kind.PUT)), expiry, random_strike(rng, forward))
            for _ in range(OPTIONS)
        ]
    numbers = {FeedKind.FORWARD: forward, FeedKind.VOLATILITY: random_volatility(rng)}
    if rng.random() < 0.8:
        numbers |= zip(SHAPE_KINDS, random_shape(rng), strict=True)
    shuffled = rng.sample(list(numbers.items()), len(numbers))
    divisor, tick = rng.choice(LOTS)
    terms = Underlying(0, "ANY", divisor, PriceE8(tick))
    question = asked_of(terms, rows, {FeedKind.INDEX: index, **dict(shuffled)}, START_NS)
    return replace(
        question,
        parameters=replace(question.parameters, scan=(random_scan(rng),)),
        scenarios=tuple(rng.sample(range(SCENARIOS), scenarios)),
    )


def random_time(rng: random.Random) -> int:
    """Return time to expiry: past, present, a nanosecond, about a day's end, years. [ns]."""
    day = rng.choice([1, 2, 29, 30, 31, 730, 731]) * DAY_NS
    near = [-1, 0, 1, -DAY_NS]
    far = [day - 1, day, rng.randrange(1, 40 * DAY_NS), rng.randrange(1, 3 * YEAR_NS)]
    return rng.choice([rng.choice(near), *far * 3, rng.randrange(1, 100 * YEAR_NS)])


def random_volatility(rng: random.Random) -> int:
    """Return a volatility at the money: none to speak of, ordinary, beyond the limit. [e-8]."""
    ends = (1, 10 * ONE_E8, 10 * ONE_E8 + 1, LARGEST)
    ordinary = (rng.randrange(1, 3 * ONE_E8), rng.randrange(ONE_E8 // 5, ONE_E8))
    return rng.choice([rng.choice(ends), *ordinary, *ordinary])


def random_shape(rng: random.Random) -> list[int]:
    """Return what four feeds carry: plausible, at the end of a range, or outside it. [e-8]."""
    decoded = (
        (0, 4 * ONE_E8, rng.randrange(4 * ONE_E8), rng.randrange(ONE_E8 // 5)),
        (-ONE_E8, ONE_E8, rng.randrange(-ONE_E8, ONE_E8), rng.randrange(-ONE_E8, 0)),
        (-4 * ONE_E8, 4 * ONE_E8, rng.randrange(-ONE_E8, ONE_E8), rng.randrange(-ONE_E8, ONE_E8)),
        (10_000, 4 * ONE_E8, rng.randrange(10_000, ONE_E8), rng.randrange(10_000, ONE_E8)),
    )
    inside = [
        bias * ONE_E8 + rng.choice(numbers)
        for bias, numbers in zip((1, 2, 5, 1), decoded, strict=True)
    ]
    if rng.random() < 0.1:
        inside[rng.randrange(4)] = rng.choice([1, LARGEST, rng.randrange(1, 20 * ONE_E8)])
    return inside


def random_price(rng: random.Random) -> int:
    """Return a price of any size. [USD e-8]."""
    ordinary = rng.randrange(1_000 * ONE_E8, 200_000 * ONE_E8)
    any_size = rng.randrange(1, 1 << rng.randrange(1, PRICE_BITS + 1))
    return rng.choice([rng.choice([1, LARGEST]), *[ordinary] * 7, any_size])


def random_strike(rng: random.Random, forward: int) -> int:
    """Return a strike at the money, near it, in the deep wings, or anywhere. [USD e-8]."""
    near = forward * rng.randrange(500_000, 2_000_000) // ONE_E6
    far = forward * rng.choice([1, 50_000, 20_000_000]) // ONE_E6
    edge = rng.choice([forward, forward + 1, far, random_price(rng)])
    chosen = rng.choice([edge, near, near])
    return min(max(chosen, 1), LARGEST)


def random_scan(rng: random.Random) -> ScanParameters:
    """Return a scan grid anywhere in its limits."""
    short, long = rng.choice(POWERS_E6)
    moves = [rng.choice([1 - ONE_E6, 9 * ONE_E6, 0, 1, -1])]
    moves += [rng.randrange(1 - ONE_E6, 9 * ONE_E6 + 1) for _ in range(6)]
    return ScanParameters(
        price_range_e6=RatioE6(rng.choice([1, 999_999, 160_000, rng.randrange(1, ONE_E6)])),
        vol_up_e6=RatioE6(rng.choice([0, 500_000, 10 * ONE_E6, rng.randrange(10 * ONE_E6)])),
        vol_down_e6=RatioE6(rng.choice([0, 250_000, ONE_E6, rng.randrange(ONE_E6)])),
        min_vol_up_e8=rng.choice([1, 50_000_000, 5 * ONE_E8]),
        vol_power_short_e6=RatioE6(short),
        vol_power_long_e6=RatioE6(long),
        tails=tuple(Tail(m, RatioE6(rng.randrange(1, ONE_E6 + 1))) for m in moves),
        skews=(random_skew(rng), random_skew(rng)),
    )


def random_skew(rng: random.Random) -> Skew:
    """Return a tilt of the smile: none, falling, rising, as steep as it may be."""
    steep = 10 * ONE_E6
    slope = rng.choice([0, 400_000, -400_000, rng.choice([-steep, steep])])
    cap = rng.choice([0, 250_000, 999_999])
    return Skew(RatioE6(slope), RatioE6(cap), absolute=rng.random() < 0.5)
