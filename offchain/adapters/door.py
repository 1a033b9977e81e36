"""The way from the event loop to work that blocks: one thread, a bounded number waiting."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from offchain.adapters.rpc import Fault, RpcError

T = TypeVar("T")


class Door:
    """Runs one piece of work after another, and refuses when too many wait."""

    def __init__(self, name: str, capacity: int = 256) -> None:
        self.capacity = capacity
        self.waiting = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def call(self, work: Callable[[], T]) -> T:
        """Return the result of the work; RpcError BUSY when the door is crowded."""
        if self.waiting >= self.capacity:
            raise RpcError(Fault.BUSY, "too many calls wait", {"retry_after_ms": "100"})
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Let the thread end; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)
