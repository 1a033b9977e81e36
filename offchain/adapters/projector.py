"""Feeds the read model from its own thread, and never makes the sequencer wait."""

import queue
import threading
from collections.abc import Iterable

from offchain.adapters.read_model import ReadModel
from offchain.engine.events import Event
from offchain.ledger.wire import Record

CAPACITY = 20_000
BLOCK = 500

Entry = tuple[Record, tuple[Event, ...]]


class Projector:
    """A bounded queue between the sequencer and the read model.

    Give `listen` to `Sequencer.subscribe`. When the queue is full, or the database fails, entries
    are dropped and `problem` says why; the read model then stays as it was until it is rebuilt.
    """

    def __init__(self, model: ReadModel, capacity: int = CAPACITY) -> None:
        self.model = model
        self.problem: str | None = None
        self._queue: queue.Queue[Entry | None] = queue.Queue(capacity)
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def start(self) -> None:
        """Begin to project."""
        self._thread.start()

    def listen(self, record: Record, events: tuple[Event, ...]) -> None:
        """Take a record without ever blocking."""
        try:
            self._queue.put_nowait((record, events))
        except queue.Full:
            self.problem = f"the queue was full at record {record.seq}"

    def drain(self) -> None:
        """Wait until everything that was taken is projected or dropped."""
        self._queue.join()

    def rebuild(self, records: Iterable[Record]) -> None:
        """Rebuild the read model and go on; hold the lock of the sequencer meanwhile."""
        self.drain()
        self.model.rebuild(records)
        self.problem = None

    def stop(self) -> None:
        """Project what was taken, then end the thread. One that never began has nothing to end."""
        if self._thread.ident is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while True:
            block, is_last = self._next_block()
            if self.problem is None:
                self._project([entry for entry in block if entry is not None])
            for _ in block:
                self._queue.task_done()
            if is_last:
                return

    def _next_block(self) -> tuple[list[Entry | None], bool]:
        block = [self._queue.get()]
        while len(block) < BLOCK and block[-1] is not None:
            try:
                block.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return block, block[-1] is None

    def _project(self, block: list[Entry]) -> None:
        try:
            self.model.project_all(block)
        except Exception as error:  # noqa: BLE001 - a dead thread would hold up drain and stop
            self.problem = f"{type(error).__name__}: {error}"[:500]
