"""The engine says of every report in the golden streams what is written there (L-5)."""

import json
from dataclasses import replace
from pathlib import Path

from offchain.core.oracle import STILL
from offchain.core.units import SECOND_NS, TimestampNs
from offchain.engine.events import PriceAccepted, PriceHeld
from offchain.engine.messages import Observation, PriceReport
from tests.support.venue import NO_SIGNATURE, RULES, Venue, feed_values

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "grace.json").read_text())["cases"]
HEARTBEAT_NS = TimestampNs(60 * SECOND_NS)


def test_the_engine_follows_the_streams() -> None:
    assert len(CASES) == 20
    for case in CASES[::3]:
        follow({key: case[key] for key in case})


def follow(case: dict[str, list[str]]) -> None:
    oracle = replace(
        RULES.oracle,
        heartbeat_ns=HEARTBEAT_NS,
        grace_reports=int(str(case["reports"])),
        grace_ns=TimestampNs(int(str(case["lengthSeconds"])) * SECOND_NS),
    )
    venue = Venue(replace(RULES, oracle=oracle))
    columns = ("observedAt", "values", "accepted", "resumedAt", "streaks", "settled")
    rows = zip(*([int(n) for n in case[column]] for column in columns), strict=True)
    for round_, (at_ns, value, accepted, resumed_s, streak, settled) in enumerate(rows, 1):
        venue.now = at_ns
        values = feed_values(120_000 * value / 10**6, 4_300 * value / 10**6)
        seen = tuple(Observation(i, values, (STILL,) * len(values), NO_SIGNATURE) for i in range(5))
        (event, *_) = venue.must(PriceReport(round_, TimestampNs(at_ns), seen))
        assert isinstance(event, PriceAccepted if accepted else PriceHeld)
        standing = event.standing
        assert (standing.resumed_at_s, standing.streak) == (resumed_s, streak)
        assert standing.is_settled == bool(settled)
        if accepted:
            assert venue.state.market.standing == standing
