"""Streams: from the sequencer's thread to many clients, none of which can slow anything down.

Every channel numbers its messages. A subscription is answered by its result, then one message
`snapshot`, then `update` messages whose `prev_seq` is the `seq` that the client saw last. Channels
of two kinds: *latest* ones (risk) keep one message for each client and skip what is overtaken;
*every* ones (fills, liquidations) never skip, and a client that lets them pile up is closed.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from offchain.adapters.json_text import write_json

MAX_OUTBOX = 10_000
"""Messages between the sequencer's thread and the event loop."""
RECENT = 100
"""Messages that a snapshot of an `every` channel repeats."""

LATEST = ("margin.watch", "account.")
EVERY = ("warnings", "breakers", "fills", "liquidations", "batches")


def is_latest(channel: str) -> bool:
    """Tell whether a channel keeps the latest message only."""
    return channel.startswith(LATEST)


class Subscriber:
    """What waits to be sent to one client. Used on the event loop only."""

    def __init__(self, pending: int) -> None:
        self.pending = pending
        self.is_too_slow = False
        self.is_gone = False
        self.seen: dict[str, int] = {}
        self._queue: deque[bytes] = deque()
        self._latest: dict[str, tuple[int, bytes]] = {}
        self._wake = asyncio.Event()

    def reply(self, text: bytes) -> None:
        """Queue an answer or a snapshot; too many unread ones mark the client as too slow."""
        if len(self._queue) >= self.pending:
            self.is_too_slow = True
        else:
            self._queue.append(text)
        self._wake.set()

    def offer(self, channel: str, seq: int, data: bytes) -> None:
        """Queue an update of a channel whose snapshot was queued before."""
        if is_latest(channel):
            self._latest[channel] = (seq, data)
            self._wake.set()
        else:
            self.reply(self._update(channel, seq, data))

    def doom(self) -> None:
        """Mark the client as too slow."""
        self.is_too_slow = True
        self._wake.set()

    def forget(self, channel: str) -> None:
        """Drop what waits for a channel that is no longer wanted."""
        self._latest.pop(channel, None)
        self.seen.pop(channel, None)

    async def next(self) -> bytes:
        """Wait for the next text to send."""
        while not self._queue and not self._latest and not self.is_too_slow:
            self._wake.clear()
            await self._wake.wait()
        if self.is_too_slow:
            raise TooSlow
        if self._queue:
            return self._queue.popleft()
        channel = next(iter(self._latest))
        seq, data = self._latest.pop(channel)
        return self._update(channel, seq, data)

    def _update(self, channel: str, seq: int, data: bytes) -> bytes:
        previous, self.seen[channel] = self.seen[channel], seq
        return _message(channel, "update", seq, previous, data)


class TooSlow(Exception):  # noqa: N818 - a fact about a client, not a fault of ours
    """The client does not read as fast as its channels move."""


@dataclass(frozen=True, slots=True)
class _Update:
    channel: str
    seq: int
    data: Any


@dataclass(frozen=True, slots=True)
class _Attach:
    subscriber: Subscriber
    result: bytes
    snapshots: tuple[_Update, ...]


@dataclass(slots=True)
class _Channel:
    seq: int = 0
    recent: deque[Any] = field(default_factory=lambda: deque(maxlen=RECENT))


class StreamHub:
    """Numbers messages, and carries them from any thread to the subscribers on one loop.

    Attributes
    ----------
    wanted : frozenset of str
        Channels that somebody subscribed to; what others would say need not be computed.
    """

    def __init__(self) -> None:
        self.wanted: frozenset[str] = frozenset()
        self._readers: Counter[str] = Counter()
        self._channels: dict[str, _Channel] = {name: _Channel() for name in EVERY}
        self._lock = threading.Lock()
        self._outbox: deque[_Update | _Attach] = deque()
        self._has_overflowed = False
        self._is_scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscribers: dict[str, set[Subscriber]] = {}

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver on this loop from now on."""
        self._loop = loop

    def unbind(self) -> None:
        """Deliver no more: the loop is going to end."""
        with self._lock:
            self._loop = None
            self._outbox.clear()

    def publish(self, channel: str, data: object) -> None:
        """Send a message to the subscribers of a channel. Any thread; never blocks for long."""
        with self._lock:
            known = self._channels.setdefault(channel, _Channel())
            known.seq += 1
            if not is_latest(channel):
                known.recent.append(data)
            if channel in self.wanted:
                self._post(_Update(channel, known.seq, data))

    def attach(
        self,
        subscriber: Subscriber,
        channels: list[str],
        result: bytes,
        snapshot: Callable[[str], object],
    ) -> None:
        """Subscribe: the result, then a snapshot for each channel, then its updates.

        Call it with the sequencer's lock held, so that no message falls between the snapshot and
        the first update. `snapshot` gives the content of a *latest* channel.
        """
        contents = {c: snapshot(c) for c in channels if is_latest(c)}
        with self._lock:
            snapshots = []
            for channel in channels:
                known = self._channels.setdefault(channel, _Channel())
                data = contents[channel] if is_latest(channel) else {"recent": list(known.recent)}
                snapshots.append(_Update(channel, known.seq, data))
                self._readers[channel] += 1
            self.wanted = frozenset(self._readers)
            self._post(_Attach(subscriber, result, tuple(snapshots)))

    def detach(self, subscriber: Subscriber, channels: list[str]) -> None:
        """End subscriptions. On the loop only."""
        for channel in channels:
            subscriber.forget(channel)
            readers = self._subscribers.get(channel, set())
            readers.discard(subscriber)
            if not readers:
                self._subscribers.pop(channel, None)
        with self._lock:
            for channel in channels:
                self._readers[channel] -= 1
                if self._readers[channel] <= 0:
                    del self._readers[channel]
                    if is_latest(channel):
                        self._channels.pop(channel, None)
            self.wanted = frozenset(self._readers)

    def _post(self, item: _Update | _Attach) -> None:
        """Hand an item to the loop; the lock is held."""
        if self._loop is None:
            return
        if len(self._outbox) >= MAX_OUTBOX and isinstance(item, _Update):
            self._has_overflowed = True
            return
        self._outbox.append(item)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            items, self._outbox = self._outbox, deque()
            has_overflowed, self._has_overflowed = self._has_overflowed, False
            self._is_scheduled = False
        for item in items:
            if isinstance(item, _Attach):
                self._admit(item)
            elif readers := self._subscribers.get(item.channel):
                data = write_json(item.data)  # once for all readers
                for subscriber in readers:
                    subscriber.offer(item.channel, item.seq, data)
        if has_overflowed:
            for channel in EVERY:
                for subscriber in self._subscribers.get(channel, ()):
                    subscriber.doom()

    def _admit(self, item: _Attach) -> None:
        if item.subscriber.is_gone:
            return
        item.subscriber.reply(item.result)
        for snapshot in item.snapshots:
            data = write_json(snapshot.data)
            text = _message(snapshot.channel, "snapshot", snapshot.seq, None, data)
            item.subscriber.reply(text)
            item.subscriber.seen[snapshot.channel] = snapshot.seq
            self._subscribers.setdefault(snapshot.channel, set()).add(item.subscriber)


def _message(channel: str, kind: str, seq: int, previous: int | None, data: bytes) -> bytes:
    """Return a notification; `seq` and `prev_seq` are plain JSON numbers."""
    before = b"null" if previous is None else b"%d" % previous
    return (
        b'{"jsonrpc":"2.0","method":"stream","params":{"channel":'
        + write_json(channel)
        + b',"type":"%s","seq":%d,"prev_seq":%s,"data":%s}}' % (kind.encode(), seq, before, data)
    )
