"""Circuit breakers: what an underlying may still do after its index moved far within a minute.

The move is measured against every accepted index of the window, up or down, without division. A
level is reached at once and left one by one, each after `cool_ns` without a move that reaches it.
The breaker is a fold over accepted reports, so whoever has the log has its level. It never stands
in the way of liquidations, forced operations, or whoever has no risk and withdraws.
"""

from dataclasses import dataclass
from enum import IntEnum

from offchain.core.rules import require
from offchain.core.units import DAY_NS, ONE_E6, RatioE6, TimestampNs

_NEVER = TimestampNs(0)
BUCKETS = 16
"""Parts of the window, of each of which the lowest and the highest index are kept."""


class Level(IntEnum):
    """What is halted."""

    OPEN = 0
    """Nothing."""
    REDUCE_ONLY = 1
    """Orders that could add risk are refused."""
    CANCEL = 2
    """Resting orders that could add risk are cancelled besides."""
    PAUSE = 3
    """Nothing trades but liquidations and forced closes."""


@dataclass(frozen=True, slots=True)
class BreakerTerms:
    """When the breaker of an underlying trips.

    Attributes
    ----------
    window_ns : TimestampNs
        Over which moves are measured; zero switches the breaker off.
    halt_e6, cancel_e6, pause_e6 : RatioE6
        Moves that reach levels 1, 2 and 3, positive and ascending. [e-6]
    cool_ns : TimestampNs
        How long a level lasts after the last move that reached it.
    """

    window_ns: TimestampNs
    halt_e6: RatioE6
    cancel_e6: RatioE6
    pause_e6: RatioE6
    cool_ns: TimestampNs

    def __post_init__(self) -> None:
        """Refuse terms that contradict one another."""
        require(
            "the moves that trip a breaker are positive and ascend",
            holds=0 < self.halt_e6 <= self.cancel_e6 <= self.pause_e6 < 10 * ONE_E6,
        )
        require(
            f"the window of a breaker is a multiple of {BUCKETS} ns, at most a day",
            holds=0 <= self.window_ns <= DAY_NS and self.window_ns % BUCKETS == 0,
        )
        require(
            "the cooling time of a breaker is positive, at most a day",
            holds=0 < self.cool_ns <= DAY_NS,
        )


@dataclass(frozen=True, slots=True)
class Bucket:
    """The extremes of a part of the window; `number` counts parts since 1970. [USD e-8]"""

    number: int
    low_e8: int
    high_e8: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one underlying's breaker.

    Attributes
    ----------
    level : Level
        In force.
    until_ns : TimestampNs
        When it falls by one; of no meaning at level 0.
    buckets : tuple of Bucket
        Ascending, at most `BUCKETS` + 1.
    """

    level: Level = Level.OPEN
    until_ns: TimestampNs = _NEVER
    buckets: tuple[Bucket, ...] = ()


def observe(
    before: Breaker, index_e8: int, observed_at_ns: TimestampNs, terms: BreakerTerms
) -> Breaker:
    """Return the breaker after an accepted index.

    Parameters
    ----------
    index_e8 : int
        Positive. [USD e-8]
    observed_at_ns : TimestampNs
        Not before that of the report before.

    Notes
    -----
    A part of the window that has begun counts whole: moves are measured over the window and at most
    a sixteenth more.
    """
    if index_e8 <= 0:
        raise ValueError(f"an index of {index_e8}")
    if not terms.window_ns:
        return Breaker()
    number = observed_at_ns // (terms.window_ns // BUCKETS)
    kept = tuple(b for b in before.buckets if b.number >= number - BUCKETS)
    reached = _reached(kept, index_e8, terms)
    buckets = _noted(kept, number, index_e8)
    level, until_ns = in_force(before, observed_at_ns, terms)
    if reached and reached >= level:
        level, until_ns = reached, TimestampNs(observed_at_ns + terms.cool_ns)
    return Breaker(level, until_ns, buckets)


def level_at(breaker: Breaker, time_ns: TimestampNs, terms: BreakerTerms) -> Level:
    """Return the level at a time not before the last report, without a report since."""
    return in_force(breaker, time_ns, terms)[0]


def in_force(
    breaker: Breaker, time_ns: TimestampNs, terms: BreakerTerms
) -> tuple[Level, TimestampNs]:
    """Return level and end after the levels that have run out by now."""
    if not terms.window_ns:
        return Level.OPEN, _NEVER
    level, until_ns = breaker.level, breaker.until_ns
    while level and time_ns >= until_ns:
        level, until_ns = Level(level - 1), TimestampNs(until_ns + terms.cool_ns)
    return level, until_ns


def under_terms(breaker: Breaker, old: BreakerTerms, new: BreakerTerms) -> Breaker:
    """Return the breaker when other terms come into force: its level stays as long as it was to.

    Parts of another window have other numbers, so what was seen is forgotten with the window.
    """
    if not new.window_ns:
        return Breaker()
    if new.window_ns == old.window_ns:
        return breaker
    return Breaker(breaker.level, breaker.until_ns)


def _reached(buckets: tuple[Bucket, ...], index_e8: int, terms: BreakerTerms) -> Level:
    """Return the highest level that a move from any kept index to this one reaches."""
    for level, move_e6 in (
        (Level.PAUSE, terms.pause_e6),
        (Level.CANCEL, terms.cancel_e6),
        (Level.REDUCE_ONLY, terms.halt_e6),
    ):
        for bucket in buckets:
            rise = (index_e8 - bucket.low_e8) * ONE_E6 >= move_e6 * bucket.low_e8
            fall = (bucket.high_e8 - index_e8) * ONE_E6 >= move_e6 * bucket.high_e8
            if rise or fall:
                return level
    return Level.OPEN


def _noted(buckets: tuple[Bucket, ...], number: int, index_e8: int) -> tuple[Bucket, ...]:
    if not buckets or buckets[-1].number < number:
        return (*buckets, Bucket(number, index_e8, index_e8))
    last = buckets[-1]
    widened = Bucket(number, min(last.low_e8, index_e8), max(last.high_e8, index_e8))
    return (*buckets[:-1], widened)
