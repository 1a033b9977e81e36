"""The circuit breaker again, slowly: every index is kept, and every move cools for itself."""

from offchain.core.breaker import BreakerTerms

PARTS = 16


def slow_level(seen: list[tuple[int, int]], now: int, terms: BreakerTerms) -> int:
    """Return the level at a time after (time, index) of every accepted report."""
    part, levels = terms.window_ns // PARTS, [0]
    for place, (at, index) in enumerate(seen if part else ()):
        earlier = [i for t, i in seen[:place] if t // part >= at // part - PARTS]
        moves = (terms.halt_e6, terms.cancel_e6, terms.pause_e6)
        reached = sum(any(abs(index - i) * 10**6 >= move * i for i in earlier) for move in moves)
        levels.append(reached - max(0, now - at) // terms.cool_ns)
    return max(levels)
