"""A venue behind a real sequencer: the same short words, every command durable in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from offchain.engine import machine
from offchain.engine.messages import Command
from offchain.engine.reasons import Rejected
from offchain.ledger.wire import chain
from offchain.services.errors import LogFailed
from offchain.services.recovery import recover
from offchain.services.sequencer import Sequencer
from offchain.services.signing import KeySigner
from tests.support.venue import Venue


def key(name: int) -> KeySigner:
    """Return the key of trader `name`."""
    return KeySigner(name.to_bytes(32))


class MemoryStore:
    """An `EventStore` in memory that can be told to fail."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.tips = [bytes(32)]
        self.syncs = 0
        self.is_broken = False

    @property
    def last_seq(self) -> int:
        return len(self.log)

    @property
    def tip(self) -> bytes:
        return self.tips[-1]

    @property
    def last_epoch(self) -> int:
        return int.from_bytes(self.log[-1][16:20]) if self.log else 0

    def append(self, frames: Sequence[bytes]) -> bytes:
        if self.is_broken:
            raise LogFailed("the disk is gone")
        self.syncs += 1
        for frame in frames:
            self.log.append(frame)
            self.tips.append(chain(self.tip, frame))
        return self.tip

    def frames(self, after: int = 0) -> Iterator[bytes]:
        yield from self.log[after:]

    def tip_at(self, seq: int) -> bytes:
        return self.tips[seq]


@dataclass
class Desk(Venue):
    """A `Venue` whose commands go through a sequencer; its clock is `now`."""

    store: Any = field(default_factory=MemoryStore)  # any event store
    epoch: int = 1
    liquidations_per_tick: int = 256

    def __post_init__(self) -> None:
        self.sequencer = Sequencer(
            recover(self.store), self.store, self, self.epoch, self.liquidations_per_tick
        )
        self.state = self.sequencer.state
        if self.state.parameters is None:
            super().__post_init__()

    def now_ns(self) -> int:
        return self.now

    def do(self, command: Command) -> machine.Decision:
        answer = self.sequencer.submit(command)
        return answer if isinstance(answer, Rejected) else answer.events

    def deposit_for(self, name: int, usd: float = 0, btc: float = 0, eth: float = 0) -> int:
        """Deposit for the owner of `key(name)`; return the account."""
        return self.deposit(int.from_bytes(key(name).address), usd, btc, eth)
