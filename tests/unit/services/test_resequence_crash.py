"""Wherever a process ends while it orders the log again, the next one ends up at the same log."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.log_branches import LogBranches
from offchain.adapters.log_file import LogFile
from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.core.units import ONE_E6
from offchain.services.errors import SequencerHalted
from offchain.services.sequencer import Sequencer
from tests.support.forking import ForkedVenue

MAKER, TAKER, LATE = 10, 11, 12


class Ended(BaseException):
    """The process ends here."""


def lived(folder: Path) -> ForkedVenue:
    """Return a venue with batches and snapshots beyond a deposit that the chain has dropped."""
    venue = ForkedVenue(folder)
    venue.deposit(MAKER, 1_000_000)
    venue.deposit(TAKER, 1_000_000)
    venue.chain.mine(64)
    venue.price(110_000)
    venue.batcher.step(force=True)
    venue.sequencer.save_snapshot(venue.files.snapshots)
    venue.order(MAKER, -1, 112_000)
    venue.deposit(LATE, 50_000)
    venue.order(LATE, -2, 110_000)
    venue.batcher.cut(force=True)
    venue.sequencer.save_snapshot(venue.files.snapshots)
    for number in range(20):  # a full batch, and more than a segment
        venue.order(MAKER, -1, 113_000 + 10 * number)
        venue.order(TAKER, 1, 109_000 - 10 * number)
    venue.price(111_000)
    venue.chain.reorganise(1)
    return venue


POINTS: dict[str, tuple[type, str, int, bool]] = {
    "nothing is written": (LogFile, "cut_back", 1, True),
    "the branch is written": (LogBranches, "leave", 1, False),
    "the log is cut": (LogFile, "cut_back", 1, False),
    "batches are dropped": (BatchFiles, "drop_from", 1, False),
    "snapshots are dropped": (SnapshotFiles, "drop_after", 1, False),
    "the machine is back": (Sequencer, "restart", 1, False),
    "a record is ordered": (LogFile, "append", 1, False),
    "some are ordered": (LogFile, "append", 9, False),
    "a batch is cut": (BatchFiles, "save", 1, False),
    "all are ordered": (LogFile, "ordered_again", 1, True),
}


def end_at(patched: pytest.MonkeyPatch, point: tuple[type, str, int, bool]) -> None:
    """Let the process end before or after the n-th call of a method."""
    owner, name, number, is_before = point
    real: Callable[..., Any] = getattr(owner, name)
    calls = iter(range(1, 1_000))

    def ending(*arguments: object, **named: object) -> object:
        is_last = next(calls) == number
        if is_last and is_before:
            raise Ended
        answer = real(*arguments, **named)
        if is_last:
            raise Ended
        return answer

    patched.setattr(owner, name, ending)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int, int]:
    """Return tip, length and batches of a log that was ordered again without a stop."""
    venue = lived(tmp_path_factory.mktemp("whole"))
    done = venue.resequence()
    assert done is not None
    assert len(done.dropped) == 2
    assert done.ordered >= 41
    return venue.log.tip, venue.log.last_seq, venue.batcher.last_batch


@pytest.mark.parametrize("point", POINTS)
def test_the_next_process_ends_up_at_the_same_log(
    point: str, whole: tuple[bytes, int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = lived(tmp_path)
    with monkeypatch.context() as patched:
        end_at(patched, POINTS[point])
        with pytest.raises(Ended):
            venue.resequence()
    with pytest.raises(SequencerHalted):
        venue.sequencer.submit_batch([])
    done = venue.restart()
    if point == "nothing is written":
        assert done is None
        done = venue.resequence()
    assert done is not None
    assert venue.log.waits_after is None
    assert (venue.log.tip, venue.log.last_seq) == whole[:2]
    assert venue.account(LATE) is None
    assert venue.cash(TAKER) == 1_000_000 * ONE_E6
    venue.restart()
    assert (venue.log.tip, venue.batcher.last_batch) == (whole[0], whole[2])
    venue.settle()
    assert venue.chain.finalised() == venue.batcher.last_batch > whole[2]


def test_a_second_end_while_ordering_again_loses_nothing(
    whole: tuple[bytes, int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = lived(tmp_path)
    for point in ("some are ordered", "a batch is cut", "a record is ordered"):
        with monkeypatch.context() as patched:
            end_at(patched, POINTS[point])
            with pytest.raises(Ended):
                venue.resequence() if point == "some are ordered" else venue.restart()
    assert venue.restart() is not None
    assert (venue.log.tip, venue.log.last_seq) == whole[:2]


def test_a_deeper_reorganisation_before_the_next_process_is_followed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = lived(tmp_path)
    with monkeypatch.context() as patched:
        end_at(patched, POINTS["some are ordered"])
        with pytest.raises(Ended):
            venue.resequence()
    lost = venue.chain.reorganise(68)
    venue.chain.time_s += 12
    venue.chain.push_again(lost)
    done = venue.restart()
    assert done is not None
    assert len(lost) == 2
    assert len(done.dropped) == 2, "the deposit that is gone for good, and what its owner ordered"
    assert venue.cash(MAKER) == venue.cash(TAKER) == 1_000_000 * ONE_E6
    venue.settle()
    assert venue.chain.finalised() == venue.batcher.last_batch


def test_what_was_cut_off_is_kept(tmp_path: Path) -> None:
    venue = lived(tmp_path / "venue")
    shutil.copytree(tmp_path / "venue", tmp_path / "before")
    (tmp_path / "before" / "log" / "lock").unlink()
    done = venue.resequence()
    assert done is not None
    with LogFile(tmp_path / "before" / "log") as before:
        tail = list(before.frames(after=done.kept))
        assert before.last_seq == venue.log.longest_branch
    kept = tmp_path / "venue"
    (left,) = (kept / "log").glob("*.left")
    content, place = left.read_bytes(), 0
    for frame in tail:
        place = content.index(frame, place)
    assert len(list((kept / "batches").glob("*.dropped*"))) >= 2
    assert len(list((kept / "snapshots").glob("*.left"))) == 1
