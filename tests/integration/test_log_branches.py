"""A log can be cut back: what is cut off is kept, and waits until it is ordered again."""

import errno
import os
from pathlib import Path
from struct import pack

import pytest

from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.log_branches import LogBranches
from offchain.adapters.log_file import LogFile
from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.services.errors import LogFailed
from offchain.services.ports import Snapshot


def frame(seq: int, payload: bytes = b"payload", time_ns: int = 7) -> bytes:
    return pack(">QQIBI", seq, time_ns, 1, 2, len(payload)) + payload


def frames(first: int, last: int, payload: bytes = b"payload") -> list[bytes]:
    return [frame(seq, payload) for seq in range(first, last + 1)]


def filled(folder: Path, count: int = 20, segment_bytes: int = 200) -> LogFile:
    log = LogFile(folder, segment_bytes)
    for one in frames(1, count):
        log.append([one])
    return log


@pytest.mark.parametrize("seq", range(21))
def test_the_log_ends_where_it_is_cut_and_the_rest_waits(tmp_path: Path, seq: int) -> None:
    with filled(tmp_path) as log:
        tip = log.tip_at(seq)
        log.cut_back(seq)
        assert (log.last_seq, log.tip) == (seq, tip)
        assert list(log.frames()) == frames(1, seq)
        assert list(log.waiting_frames()) == frames(seq + 1, 20)
        assert log.waits_after == (seq if seq < 20 else None)
        assert log.append(frames(seq + 1, 22, b"new")) == log.tip
    with LogFile(tmp_path, 200) as log:
        assert list(log.frames()) == frames(1, seq) + frames(seq + 1, 22, b"new")
        assert list(log.waiting_frames()) == frames(seq + 1, 20)
        log.ordered_again()
        assert (log.waits_after, list(log.waiting_frames())) == (None, [])
        assert log.longest_branch == (20 if seq < 20 else 0)


def test_what_was_made_of_waiting_frames_is_not_kept_when_it_is_cut_again(tmp_path: Path) -> None:
    with filled(tmp_path) as log:
        log.cut_back(12)
        log.append(frames(13, 15, b"half"))
        log.cut_back(12)
        assert (log.last_seq, list(log.waiting_frames())) == (12, frames(13, 20))
        assert len(list(tmp_path.glob("branch-*"))) == 1


def test_a_deeper_cut_adds_what_was_kept_to_what_waits(tmp_path: Path) -> None:
    with filled(tmp_path) as log:
        log.cut_back(12)
        log.append(frames(13, 15, b"half"))
        log.cut_back(4)
        assert list(log.waiting_frames()) == frames(5, 20)
        log.ordered_again()
        assert log.waits_after is None
        log.append(frames(5, 6, b"new"))
        log.cut_back(5)
        assert list(log.waiting_frames()) == frames(6, 6, b"new")
        assert log.longest_branch == 20


def test_a_record_that_is_not_there_is_no_place_to_cut(tmp_path: Path) -> None:
    with filled(tmp_path) as log:
        for seq in (-1, 21):
            with pytest.raises(KeyError):
                log.cut_back(seq)
        assert log.last_seq == 20


def test_a_fault_of_the_disk_stops_the_log_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "ftruncate", _full)
        with pytest.raises(LogFailed, match="cutting back to seq 12"):
            log.cut_back(12)
    with pytest.raises(LogFailed):
        log.cut_back(12)
    with pytest.raises(LogFailed):
        log.append(frames(13, 13))
    log.close()
    with LogFile(tmp_path, 200) as again:
        assert again.waits_after == 12
        again.cut_back(12)
        assert list(again.frames()) + list(again.waiting_frames()) == frames(1, 20)


def test_the_branch_is_on_the_disk_before_anything_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(tmp_path) as log:
        with monkeypatch.context() as patched:
            patched.setattr(LogBranches, "leave", _full)
            with pytest.raises(LogFailed):
                log.cut_back(12)
        assert list(log.frames()) == frames(1, 20)


def test_snapshots_of_later_records_are_set_aside(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    for seq in (3, 5, 9):
        files.save(Snapshot(seq, bytes([seq]) * 32, b"state"))
    files.drop_after(5)
    assert [snapshot.seq for snapshot in files.newest_first()] == [5, 3]
    assert len(list(tmp_path.iterdir())) == 3


def test_no_batch_is_dropped_beyond_the_last(tmp_path: Path) -> None:
    files = BatchFiles(tmp_path)
    files.drop_from(1)
    assert files.count() == 0


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left")
