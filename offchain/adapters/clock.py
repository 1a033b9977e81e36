"""Clocks: the machine's own, and one that is set by a replay."""

import time


class SystemClock:
    """The wall clock. It may be stepped; the sequencer keeps recorded time from going back."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970, UTC."""
        return time.time_ns()


class ReplayClock:
    """A clock that shows what it was set to, for replays of recorded prices."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the time that was set last. [ns]"""
        return self._now_ns

    def set(self, now_ns: int) -> None:
        """Set the time; it never goes back."""
        self._now_ns = max(self._now_ns, now_ns)
