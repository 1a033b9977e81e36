"""Write the golden vectors of risk cells, of the steps to one, and of the table they are read from.

`risk_cell`: whole rows, 36 losses and the other numbers of one instrument in one report.
`risk_cell_steps`: logarithm, exponential, roots, N(x), prices and deltas one by one.
`risk_cell_table`: what `NormalTable` is created with.
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import replace

from offchain.core.instruments import FeedKind, Kind
from offchain.core.parameters import Skew
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, SCENARIOS, YEAR_NS, RatioE6
from offchain.pricing.black76 import (
    MAX_DISTANCE,
    VOL_BITS,
    call_delta_reference,
    normal_reference,
    price_reference,
    root_of_time,
    total_volatility,
)
from offchain.pricing.fixed_point import MAX_EXPONENT, exp, ln
from offchain.pricing.surface import decode_surface, surface_volatility_reference
from scripts.golden import Case, Files, case, number, word, write
from tests.support.random_markets import LARGEST, market, random_question
from tests.support.risk_cells import Question, feed_places, instrument_of, scan_of, table_bytes

BTC = 112_345_67890123
ROWS = 16
"""Random rows besides the named ones."""


def flat(value: object) -> list[int]:
    """Return the numbers of nested tuples in their order, flags as 0 and 1."""
    if isinstance(value, tuple):
        return [n for inner in value for n in flat(inner)]
    assert isinstance(value, int)
    return [int(value)]


def row(name: str, question: Question) -> Case:
    """Return the first instrument of a question with every scenario."""
    one = question.instruments[0]
    asked = replace(question, instruments=(one,), scenarios=tuple(range(SCENARIOS)))
    *losses, mark, lot_value, delta, vega = asked.answers()
    return case(
        name,
        observedAt=asked.now_ns,
        medians=asked.packed(),
        places=flat(feed_places(asked)),
        scan=flat(scan_of(asked)),
        instrument=flat(instrument_of(asked, one)),
        losses=losses,
        mark=mark,
        lotValue=lot_value,
        delta=delta,
        vega=vega,
    )


def of_kind(kind: Kind, remaining_ns: int, strike_e8: int = 0, **feeds: int) -> Question:
    """Return one instrument in a market with a smile; `feeds` replaces numbers by name."""
    numbers = {
        FeedKind.INDEX: BTC,
        FeedKind.FORWARD: BTC + BTC // 200,
        FeedKind.VOLATILITY: 45_678_901,
        FeedKind.SLOPE: 112_345_678,
        FeedKind.TILT: 165_432_109,
        FeedKind.CENTRE: 501_234_567,
        FeedKind.WIDTH: 123_456_789,
    }
    numbers |= {FeedKind[name.upper()]: value for name, value in feeds.items()}
    return market(kind, remaining_ns, strike_e8, numbers)


def steep(question: Question) -> Question:
    """Return the question with the steepest tilts, one of each sign: their cap is near."""
    (scan,) = question.parameters.scan
    steepest = 10 * ONE_E6
    skews = tuple(
        Skew(RatioE6(slope), RatioE6(250_000), absolute=slope < 0)
        for slope in (steepest, -steepest)
    )
    parameters = replace(question.parameters, scan=(replace(scan, skews=skews),))
    return replace(question, parameters=parameters)


def rows() -> Iterator[Case]:
    """Yield instruments of each kind, at every edge, and random ones."""
    month, near = 20 * DAY_NS + 12_345, 110_000 * ONE_E8
    named = {
        "perpetual": of_kind(Kind.PERPETUAL, 0),
        "future": of_kind(Kind.FUTURE, month),
        "future at expiry": of_kind(Kind.FUTURE, 0),
        "call": of_kind(Kind.CALL, month, near),
        "put": of_kind(Kind.PUT, month, near),
        "call far in the money": of_kind(Kind.CALL, month, near // 40),
        "put far out of the money": of_kind(Kind.PUT, month, near // 40),
        "call at 30 days": of_kind(Kind.CALL, 30 * DAY_NS, near),
        "put a nanosecond before 30 days": of_kind(Kind.PUT, 30 * DAY_NS - 1, near),
        "call at 1000 days": of_kind(Kind.CALL, 1_000 * DAY_NS, near),
        "put in its last nanosecond": of_kind(Kind.PUT, 1, near + near // 10),
        "call at expiry": of_kind(Kind.CALL, 0, near),
        "put after expiry": of_kind(Kind.PUT, -DAY_NS, near + near // 10),
        "no volatility to speak of": of_kind(Kind.CALL, month, near, volatility=1),
        "volatility beyond its limit": of_kind(Kind.PUT, month, near, volatility=LARGEST),
        "call under steep tilts": steep(of_kind(Kind.CALL, month, near + near // 10)),
        "put under steep tilts": steep(of_kind(Kind.PUT, month, near)),
        "largest price": of_kind(Kind.CALL, month, LARGEST, index=LARGEST, forward=LARGEST),
        "smallest price": of_kind(Kind.PUT, month, 1, index=1, forward=1),
        "flat smile": of_kind(Kind.CALL, month, near, slope=ONE_E8),
        "shape below its ranges": of_kind(
            Kind.PUT, month, near // 2, slope=1, tilt=1, centre=1, width=1
        ),
        "shape above its ranges": of_kind(
            Kind.PUT, month, near // 2, slope=10**10, tilt=10**10, centre=10**10, width=10**10
        ),
        "smile at its floor": of_kind(
            Kind.CALL,
            month,
            BTC + BTC // 20,
            slope=3 * ONE_E8,
            tilt=2 * ONE_E8,
            centre=505_000_000,
            width=ONE_E8 + 10_000,
        ),
        "strike beyond the end of the smile": of_kind(
            Kind.PUT, 20 * YEAR_NS, BTC // 100_000, volatility=ONE_E8, slope=2 * ONE_E8
        ),
    }
    for name, question in named.items():
        yield row(name, question)
    rng = random.Random(76)  # noqa: S311 - reproducible data, not secrets
    for n in range(ROWS):
        yield row(f"random {n}", random_question(rng))


def step(name: str, forward: int, strike: int, volatility: int, remaining: int) -> Case:
    """Return an option with every number on the way to its price, and a few points besides."""
    moneyness, total = ln(forward) - ln(strike), total_volatility(volatility, remaining)
    exponent = number(f"exponent {name}", -MAX_EXPONENT, MAX_EXPONENT)
    argument = number(f"argument {name}", -MAX_DISTANCE, MAX_DISTANCE)
    smile, time, log = smile_of(name)
    surface = decode_surface(smile[0], smile[1:])
    wide = int.from_bytes(word(f"logarithm {name}")[:12]) | 1
    cell = (forward, strike, moneyness, total)
    return case(
        name,
        forward=forward,
        strike=strike,
        volatility=volatility,
        remaining=remaining,
        logForward=ln(forward),
        logStrike=ln(strike),
        root=root_of_time(remaining),
        total=total,
        call=price_reference(*cell, is_call=True),
        put=price_reference(*cell, is_call=False),
        callDelta=call_delta_reference(*cell),
        argument=argument,
        probability=normal_reference(argument),
        exponent=exponent,
        power=exp(exponent),
        smile=[*smile, time, log],
        smileVolatility=surface_volatility_reference(surface, time, log),
        wide=wide,
        logWide=ln(wide),
    )


def smile_of(name: str) -> tuple[tuple[int, ...], int, int]:
    """Return feeds of a smile, a time so short that every bit of its variance counts, a log."""
    low, high = (ONE_E8 // 5, ONE_E8, ONE_E8, 4 * ONE_E8, ONE_E8), (ONE_E8, *[6 * ONE_E8] * 4)
    feeds = tuple(
        number(f"smile {place} {name}", a, b)
        for place, (a, b) in enumerate(zip(low, high, strict=True))
    )
    log = number(f"log {name}", -(1 << 12), 1 << 12)
    return feeds, number(f"short {name}", 1_000, 100_000), log


def steps() -> Iterator[Case]:
    """Yield options at the edges and between them."""
    btc = 60_000 * ONE_E8
    yield step("at the money", btc, btc, ONE_E8 // 2, 30 * DAY_NS)
    yield step("at expiry", btc, btc - 1, ONE_E8 // 2, 0)
    yield step("no volatility", btc, btc + 1, 0, YEAR_NS)
    yield step("one nanosecond", btc, btc, ONE_E8, 1)
    yield step("cut volatility", btc, btc, 100 * ONE_E8, YEAR_NS)
    yield step("deep in", LARGEST, 1, ONE_E8, DAY_NS)
    yield step("far out", 1, LARGEST, ONE_E8, DAY_NS)
    yield step("largest", LARGEST, LARGEST, 5 * ONE_E8, 2 * YEAR_NS)
    yield step("powers of two", 1 << 45, 1 << 44, ONE_E8, 7 * DAY_NS)
    for n in range(16):
        forward = number(f"forward {n}", 100 * ONE_E8, 150_000 * ONE_E8)
        strike = forward * number(f"strike {n}", 300_000, 3_000_000) // ONE_E6
        volatility = number(f"volatility {n}", ONE_E8 // 20, 3 * ONE_E8)
        yield step(f"any {n}", forward, strike, volatility, number(f"time {n}", 1, YEAR_NS))


def table() -> Iterator[Case]:
    """Yield the table, and its value in the middle of each eighth segment."""
    points = [(2 * segment + 1) << (VOL_BITS - 7) for segment in range(0, 512, 8)]
    yield case(
        "normal",
        coefficients=table_bytes(),
        arguments=points,
        probabilities=[normal_reference(x) for x in points],
    )


FILES: Files = {"risk_cell": rows, "risk_cell_steps": steps, "risk_cell_table": table}

if __name__ == "__main__":
    sys.exit(write(FILES))
