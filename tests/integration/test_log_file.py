"""What the log acknowledged is there once, in order, whatever disk and process do (S-1, S-2)."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from struct import pack
from zlib import crc32

import pytest

from offchain.adapters.log_file import LogFile
from offchain.adapters.log_segment import HEADER_BYTES, OVERHEAD_BYTES
from offchain.services.errors import LogCorrupt, LogFailed, LogLocked

PAYLOAD = b"payload"
SEGMENT = "segment-000000000000.plog"


def frame(seq: int, payload: bytes = PAYLOAD, time_ns: int = 7, epoch: int = 1) -> bytes:
    return pack(">QQIBI", seq, time_ns, epoch, 2, len(payload)) + payload


def filled(directory: Path, count: int) -> bytes:
    with LogFile(directory) as log:
        return log.append([frame(n) for n in range(1, count + 1)])


def sequence_numbers(log: LogFile) -> list[int]:
    return [int.from_bytes(f[:8], "big") for f in log.frames()]


def test_a_log_is_found_again_as_it_was_left(tmp_path: Path) -> None:
    tip = filled(tmp_path, 5)
    with LogFile(tmp_path) as log:
        assert (log.last_seq, log.tip, log.truncated_bytes) == (5, tip, 0)
        assert list(log.frames()) == [frame(n) for n in range(1, 6)]
        assert list(log.frames(after=3)) == [frame(4), frame(5)]
        assert log.tip_at(5) == tip
        assert log.tip_at(0) == bytes(32)


def test_segments_are_rotated_and_read_as_one(tmp_path: Path) -> None:
    with LogFile(tmp_path, segment_bytes=200) as log:
        tips = [log.append([frame(n)]) for n in range(1, 21)]
    assert len(list(tmp_path.glob("segment-*"))) > 3
    with LogFile(tmp_path, segment_bytes=200) as log:
        assert sequence_numbers(log) == list(range(1, 21))
        assert [int.from_bytes(f[:8], "big") for f in log.frames(after=13)] == list(range(14, 21))
        assert [log.tip_at(n) for n in range(1, 21)] == tips


def test_a_missing_segment_is_corruption(tmp_path: Path) -> None:
    with LogFile(tmp_path, segment_bytes=200) as log:
        for n in range(1, 21):
            log.append([frame(n)])
    (tmp_path / "segment-000000000001.plog").unlink()
    with pytest.raises(LogCorrupt, match="segment is missing"):
        LogFile(tmp_path)


def test_a_log_of_another_format_is_refused_by_name(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    segment = tmp_path / SEGMENT
    data = bytearray(segment.read_bytes())
    data[8:12] = (1).to_bytes(4)
    data[HEADER_BYTES - 4 : HEADER_BYTES] = crc32(data[: HEADER_BYTES - 4]).to_bytes(4)
    segment.write_bytes(data)
    with pytest.raises(LogCorrupt, match="format 1, this program reads 2"):
        LogFile(tmp_path)
    assert segment.read_bytes() == data


def test_a_second_writer_is_kept_out(tmp_path: Path) -> None:
    with LogFile(tmp_path), pytest.raises(LogLocked):
        LogFile(tmp_path)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (frame(3), "sequence number 3"),
        (frame(1), "sequence number 1"),
        (frame(2, time_ns=6), "time goes back"),
        (frame(2, epoch=0), "fenced off"),
        (frame(2)[:-1], "payload length"),
        (b"short", "5 bytes"),
    ],
)
def test_a_frame_that_does_not_continue_the_log_is_not_written(
    tmp_path: Path, bad: bytes, problem: str
) -> None:
    with LogFile(tmp_path) as log:
        log.append([frame(1)])
        with pytest.raises(ValueError, match=problem):
            log.append([bad])
        log.append([frame(2)])
        assert log.last_seq == 2


def test_truncation_at_every_byte_of_the_last_two_records_keeps_the_whole_ones(
    tmp_path: Path,
) -> None:
    filled(tmp_path, 3)
    path = tmp_path / SEGMENT
    content = path.read_bytes()
    size = len(frame(1)) + OVERHEAD_BYTES
    assert len(content) == HEADER_BYTES + 3 * size
    for end in range(HEADER_BYTES + size, len(content)):
        path.write_bytes(content[:end])
        whole = (end - HEADER_BYTES) // size
        with LogFile(tmp_path) as log:
            assert log.last_seq == whole
            assert log.truncated_bytes == (end - HEADER_BYTES) % size
            log.append([frame(whole + 1)])
        with LogFile(tmp_path) as log:
            assert sequence_numbers(log) == list(range(1, whole + 2))


def test_every_flipped_bit_in_the_header_and_the_last_two_records_is_detected(
    tmp_path: Path,
) -> None:
    filled(tmp_path, 3)
    path = tmp_path / SEGMENT
    content = bytearray(path.read_bytes())
    size = len(frame(1)) + OVERHEAD_BYTES
    for offset in [*range(HEADER_BYTES), *range(len(content) - 2 * size, len(content))]:
        for bit in range(8):
            content[offset] ^= 1 << bit
            path.write_bytes(content)
            with pytest.raises(LogCorrupt) as caught:
                LogFile(tmp_path)
            assert caught.value.offset <= offset
            content[offset] ^= 1 << bit


def test_corruption_names_the_byte_offset_and_the_sequence_number(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    path = tmp_path / SEGMENT
    content = bytearray(path.read_bytes())
    size = len(frame(1)) + OVERHEAD_BYTES
    content[HEADER_BYTES + size + 20] ^= 1
    path.write_bytes(content)
    with pytest.raises(LogCorrupt) as caught:
        LogFile(tmp_path)
    assert (caught.value.offset, caught.value.seq) == (HEADER_BYTES + size, 2)


def test_a_record_swapped_with_valid_checksums_breaks_the_chain(tmp_path: Path) -> None:  # S-1
    filled(tmp_path, 3)
    path = tmp_path / SEGMENT
    content = bytearray(path.read_bytes())
    size = len(frame(1)) + OVERHEAD_BYTES
    start = HEADER_BYTES + size + 8
    forged = frame(2, payload=b"PAYLOAD")
    tip = bytes(content[start + len(forged) + 4 : start + len(forged) + 36])
    content[start : start + len(forged)] = forged
    content[start + len(forged) : start + len(forged) + 4] = crc32(forged + tip).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(LogCorrupt, match="chain hash"):
        LogFile(tmp_path)


def test_zeros_that_a_crash_left_after_the_last_record_are_cut_off(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    with (tmp_path / SEGMENT).open("ab") as file:
        file.write(bytes(4096))
    with LogFile(tmp_path) as log:
        assert (log.last_seq, log.truncated_bytes) == (2, 4096)


def test_a_failed_sync_stops_the_log_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with LogFile(tmp_path) as log:
        log.append([frame(1)])
        monkeypatch.setattr(os, "fdatasync", broken)
        with pytest.raises(LogFailed, match="Input/output"):
            log.append([frame(2)])
        monkeypatch.undo()
        with pytest.raises(LogFailed, match="stopped earlier"):
            log.append([frame(2)])
        assert log.last_seq == 1
        assert sequence_numbers(log) == [1]


def test_an_interrupted_write_that_is_short_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with LogFile(tmp_path) as log:
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
        log.append([frame(1), frame(2)])
        monkeypatch.undo()
    with LogFile(tmp_path) as log:
        assert sequence_numbers(log) == [1, 2]


WRITER = """
import resource, sys
from pathlib import Path
from struct import pack
from offchain.adapters.log_file import LogFile
from offchain.services.errors import LogFailed
directory, limit, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
log = LogFile(directory)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    for seq in range(log.last_seq + 1, log.last_seq + count + 1):
        log.append([pack(">QQIBI", seq, 7, 1, 2, 100) + bytes(100)])
        print(seq, flush=True)
except LogFailed:
    print("failed", flush=True)
"""


def writer(directory: Path, limit: int, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", WRITER, str(directory), str(limit), str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_full_disk_stops_the_log_and_loses_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    child = writer(tmp_path, limit=1000, count=100)
    lines = child.communicate(timeout=60)[0].split()
    assert lines[-1] == "failed"
    acknowledged = [int(line) for line in lines[:-1]]
    assert len(acknowledged) == (1000 - HEADER_BYTES) // (125 + OVERHEAD_BYTES)
    with LogFile(tmp_path) as log:
        assert log.truncated_bytes > 0
        assert sequence_numbers(log) == acknowledged
        log.append([frame(log.last_seq + 1)])


@pytest.fixture
def children() -> Iterator[list["subprocess.Popen[str]"]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for child in started:
        child.kill()
        child.wait()


def test_killed_in_mid_append_every_acknowledged_record_is_there_once(  # S-2
    tmp_path: Path, children: list["subprocess.Popen[str]"]
) -> None:
    for kill in range(10):
        child = writer(tmp_path, limit=0, count=1_000_000)
        children.append(child)
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(5 + 7 * kill)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in child.communicate()[0].splitlines()]
        with LogFile(tmp_path) as log:
            found = sequence_numbers(log)
        assert found == list(range(1, len(found) + 1))
        assert found[-1] - acknowledged[-1] in {0, 1}
