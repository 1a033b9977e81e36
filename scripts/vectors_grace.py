"""Write tests/vectors/grace.json: streams of reports, and how long the oracle was back with each.

One feed, the band and the heartbeat of the hub in its tests. Silences at and around the heartbeat,
single prints, confirmed and unconfirmed jumps, and times that are no whole seconds.
"""

import sys
from collections.abc import Iterator

from offchain.core.oracle import (
    NO_STANDING,
    Grace,
    Standing,
    is_accepted,
    is_confirmation,
    next_standing,
)
from offchain.core.units import SECOND_NS, RatioE6, TimestampNs
from scripts.golden import Case, Files, case, number, write

START_NS = 1_760_054_400 * SECOND_NS
HEARTBEAT_NS = 60 * SECOND_NS
BAND_E6 = RatioE6(50_000)
GAPS_NS = (1, SECOND_NS, 7_500_000_000, 30 * SECOND_NS, HEARTBEAT_NS, HEARTBEAT_NS + 1, 10**12)
FACTORS_E3 = (1_000, 1_000, 1_000, 1_010, 970, 1_200, 800)
GRACES = ((1, 0), (1, 20), (2, 0), (3, 60), (5, 90))
LENGTH = 40


def streams() -> Iterator[Case]:
    """Yield streams with what is kept of each report."""
    for reports, length_s in GRACES:
        for place in range(4):
            name = f"{reports} reports and {length_s} s, stream {place}"
            yield stream(name, Grace(TimestampNs(HEARTBEAT_NS), reports, length(length_s)))


def length(seconds: int) -> TimestampNs:
    """Return seconds in nanoseconds."""
    return TimestampNs(seconds * SECOND_NS)


def stream(name: str, grace: Grace) -> Case:
    """Judge one stream report by report."""
    at_ns, level = START_NS, 1_000_000
    last: tuple[int, int, Standing] | None = None
    pending: tuple[int, int, Standing] | None = None
    rows: list[tuple[int, int, bool, Standing]] = []
    for i in range(LENGTH):
        at_ns += GAPS_NS[number(f"{name} gap {i}", 0, len(GAPS_NS) - 1)]
        value = level * FACTORS_E3[number(f"{name} move {i}", 0, len(FACTORS_E3) - 1)] // 1_000
        if number(f"{name} stay {i}", 0, 2):
            level = value  # a jump that stays is confirmed, another one is a single print
        waits = (pending[1],) if pending else None
        accepted = is_accepted((value,), (last[1],) if last else None, waits, BAND_E6)
        base = pending if accepted and is_confirmation((value,), waits, BAND_E6) else last
        base_at, _, before = base or (0, 0, NO_STANDING)
        standing = next_standing(grace, at_ns, base_at, before, accepted=accepted)
        rows.append((at_ns, value, accepted, standing))
        if accepted:
            last, pending = (at_ns, value, standing), None
        else:
            pending = (at_ns, value, standing)
    return case(
        name,
        reports=grace.reports,
        lengthSeconds=grace.length_ns // SECOND_NS,
        observedAt=[row[0] for row in rows],
        values=[row[1] for row in rows],
        accepted=[int(row[2]) for row in rows],
        resumedAt=[row[3].resumed_at_s for row in rows],
        streaks=[row[3].streak for row in rows],
        settled=[int(row[3].is_settled) for row in rows],
    )


FILES: Files = {"grace": streams}

if __name__ == "__main__":
    sys.exit(write(FILES))
