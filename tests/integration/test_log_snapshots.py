"""Snapshots come back newest first, and a damaged one is passed over."""

from pathlib import Path

import pytest

from offchain.adapters.log_file import LogFile
from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.services.ports import Snapshot
from offchain.services.recovery import recover
from tests.support.desk import Desk


def snapshot(seq: int) -> Snapshot:
    return Snapshot(seq, bytes([seq]) * 32, b"state after %d" % seq)


def test_the_newest_are_kept_and_come_back_first(tmp_path: Path) -> None:
    store = SnapshotFiles(tmp_path, keep=2)
    for seq in (1, 2, 3):
        store.save(snapshot(seq))
    assert list(store.newest_first()) == [snapshot(3), snapshot(2)]


def test_every_damaged_byte_makes_a_snapshot_unreadable(tmp_path: Path) -> None:
    store = SnapshotFiles(tmp_path)
    store.save(snapshot(1))
    store.save(snapshot(2))
    path = max(tmp_path.iterdir())
    content = bytearray(path.read_bytes())
    for offset in range(len(content)):
        content[offset] ^= 0x40
        path.write_bytes(content)
        assert list(store.newest_first()) == [snapshot(1)]
        assert store.skipped == [path.name]
        content[offset] ^= 0x40
    for end in range(len(content)):
        path.write_bytes(content[:end])
        assert list(store.newest_first()) == [snapshot(1)]


def test_a_renamed_snapshot_is_not_believed(tmp_path: Path) -> None:
    store = SnapshotFiles(tmp_path)
    store.save(snapshot(1))
    path = next(tmp_path.iterdir())
    path.rename(path.with_name(path.name.replace("00001-", "00009-")))
    assert list(store.newest_first()) == []


def test_a_draft_left_by_a_crash_is_ignored(tmp_path: Path) -> None:
    store = SnapshotFiles(tmp_path)
    store.save(snapshot(1))
    (tmp_path / "snapshot-x.bin.draft").write_bytes(b"half")
    assert list(store.newest_first()) == [snapshot(1)]


def test_keeping_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        SnapshotFiles(tmp_path, keep=0)


def test_a_venue_on_disk_starts_again_from_its_newest_snapshot(tmp_path: Path) -> None:
    snapshots = SnapshotFiles(tmp_path / "snapshots")
    with LogFile(tmp_path / "log", segment_bytes=20_000) as log:
        desk = Desk(store=log)
        desk.fund(insurance_usd=1_000)
        desk.price(120_000)
        desk.sequencer.save_snapshot(snapshots)
        desk.deposit(10, 5_000)
        desk.price(119_000)
        root = desk.sequencer.journal.state_root()
    with LogFile(tmp_path / "log", segment_bytes=20_000) as log:
        assert recover(log, snapshots).state_root() == root
        assert recover(log).state_root() == root
        again = Desk(store=log, now=desk.now, epoch=2)
        again.deposit(10, 5_000)
        assert (log.last_seq, log.last_epoch) == (again.state.last_seq, 2)
