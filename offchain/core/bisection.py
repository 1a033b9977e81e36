"""Search by halves: where an answer changes, in as few questions as that takes."""

from collections.abc import Callable


def smallest(misses: int, enough: int, holds: Callable[[int], bool]) -> int:
    """Return a number at which something holds and one below which it does not.

    Parameters
    ----------
    misses, enough : int
        A number at which it does not hold and a larger one at which it does; neither is asked.
    holds : callable
        Asked at most ``log2(enough - misses)`` times, rounded up. Where it changes more than once,
        one of the changes is found.
    """
    while enough - misses > 1:
        middle = (misses + enough) // 2
        if holds(middle):
            enough = middle
        else:
            misses = middle
    return enough
