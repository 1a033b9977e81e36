"""What was cut off a log, kept beside it: one file for each branch that was left.

A branch is left when the chain drops an inbox entry that the log consumed. Its frames are written
here before they are cut off, and wait here until they are ordered again; a process that ends in
between finds them. They stay for good: they are what was promised on that branch.

::

    branch-<number>-after-<seq>-to-<seq>.waiting      cut off, not yet ordered again
    branch-<number>-after-<seq>-to-<seq>.left         done with

The content is that of a segment of the log.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain.adapters.durable import sync_directory, write_durably
from offchain.adapters.log_segment import (
    Position,
    encode_entry,
    encode_header,
    follow,
    read_entries,
)

WAITING, LEFT = ".waiting", ".left"
_NAME = re.compile(r"branch-(\d{6})-after-(\d{20})-to-(\d{20})\.(waiting|left)")


@dataclass(frozen=True, slots=True)
class Branch:
    """One file: its number, and the records before its first and at its end."""

    path: Path
    number: int
    after: int
    last: int

    @property
    def is_waiting(self) -> bool:
        """Whether its commands are still to be ordered again."""
        return self.path.suffix == WAITING


class LogBranches:
    """The branches of the log in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def waiting(self) -> Branch | None:
        """The branch whose commands are to be ordered again; it holds what earlier ones held."""
        return max((b for b in self._found() if b.is_waiting), key=lambda b: b.number, default=None)

    @property
    def longest(self) -> int:
        """Number of the last record that any of the branches had, 0 when there is none."""
        return max((branch.last for branch in self._found()), default=0)

    def frames(self, branch: Branch, before: Position) -> Iterator[bytes]:
        """Yield the frames of a branch that continues the log after `before`."""
        for entry in read_entries(branch.path, before):
            yield entry.frame

    def leave(self, before: Position, frames: Sequence[bytes]) -> None:
        """Write down, durably, what follows `before` and will be cut off."""
        position, parts = before, [encode_header(before)]
        for frame in frames:
            position = follow(position, frame)
            parts.append(encode_entry(frame, position.tip))
        number = max((branch.number for branch in self._found()), default=0) + 1
        name = f"branch-{number:06d}-after-{before.seq:020d}-to-{position.seq:020d}{WAITING}"
        write_durably(self._directory / name, b"".join(parts))

    def settle(self) -> None:
        """Note that everything that waited is ordered again."""
        waiting = [branch for branch in self._found() if branch.is_waiting]
        for branch in sorted(waiting, key=lambda b: b.number):  # the one that counts comes last
            branch.path.rename(branch.path.with_suffix(LEFT))
        sync_directory(self._directory)

    def _found(self) -> list[Branch]:
        named = [(path, _NAME.fullmatch(path.name)) for path in self._directory.iterdir()]
        return [
            Branch(path, *(int(number) for number in match.groups()[:3]))
            for path, match in named
            if match is not None
        ]
