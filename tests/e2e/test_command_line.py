"""The command line as processes: a log replayed, a read model rebuilt, a venue kept up."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.adapters.client import ApiClient
from offchain.adapters.read_model import ReadModel
from offchain.ledger.wire import decode_records
from tests.support.audited import tell
from tests.support.command_line import COMMAND, ROOT, environment, plimsoll, started
from tests.support.devnet import Devnet, devnet

START_S, STOP_S = 60.0, 30.0


@pytest.fixture(scope="module")
def live() -> Iterator[ReadModel]:
    """Return the read model that followed the venue `told`, record by record."""
    model = ReadModel()
    yield model
    model.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, live: ReadModel) -> Devnet:
    """Return a venue that has stopped: its log is on the disk, its journal still in memory."""
    with devnet(tmp_path_factory.mktemp("told")) as venue:
        live.rebuild(decode_records(b"".join(venue.store.frames())))
        venue.sequencer.subscribe(live.project)
        tell(venue)
        assert not venue.sequencer.failed_listeners
    return venue


def test_a_replayed_log_ends_at_the_state_root_of_the_node(told: Devnet) -> None:
    ran = plimsoll("replay", told.folder / "log", "--json")
    journal = told.sequencer.journal
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "records": journal.state.last_seq,
        "log_hash": f"0x{journal.tip.hex()}",
        "state_root": f"0x{journal.state_root().hex()}",
    }
    plain = plimsoll("replay", told.folder / "log")
    assert f"0x{journal.state_root().hex()}" in plain.out


def test_a_rebuilt_read_model_has_the_content_of_the_live_one(
    told: Devnet, live: ReadModel, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'read_model.sqlite'}"
    for _ in range(2):  # the second drops what the first built
        ran = plimsoll("rebuild", told.folder / "log", "--database", url)
        assert ran.code == 0
        assert json.loads(ran.out) == {
            "records": told.sequencer.journal.state.last_seq,
            "content_hash": live.content_hash(),
        }


def test_the_doctor_examines_this_machine() -> None:
    ran = started("doctor", "--json")
    found = json.loads(ran.out)
    assert ran.code == (0 if all(f["ok"] for f in found) else 1)
    names = {f["name"] for f in found}
    assert {"python", "anvil", "solc", "coincurve", "keccak", "port 8080", "port 8545"} <= names


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from offchain.app.cli import app\n"
        "app(['--help'], standalone_mode=False)\n"
        "print(sorted({'web3', 'numba', 'numpy', 'sqlalchemy', 'fastapi'} & set(sys.modules)))\n"
    )
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
    )
    assert "Usage: " in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_venue_is_up_until_it_is_interrupted_and_leaves_no_chain_behind(
    tmp_path: Path, sign: signal.Signals
) -> None:
    words = ("up", "--api-port", "0", "--rpc-port", "0", "--folder", str(tmp_path / "up"))
    with subprocess.Popen(  # noqa: S603  our own entry point
        [*COMMAND, *words], stderr=subprocess.PIPE, cwd=ROOT, env=environment()
    ) as process:
        try:
            said = read_until(process, "ctrl-c stops it")
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            assert children, "the chain is a child of ours"
            if sign == signal.SIGINT:
                use(said)
        finally:
            process.send_signal(sign)
            code = process.wait(STOP_S)
    assert code in {0, 130}
    assert not any(is_alive(int(child)) for child in children)


def use(said: dict[str, str]) -> None:
    """Call the API once and audit the chain once."""
    with ApiClient(said["API"].removesuffix("/rpc")) as client:
        deadline = time.monotonic() + START_S
        while not client.is_ready():
            assert time.monotonic() < deadline, "the venue never took orders"
        assert int(client.call("public/get_time")["seq"]) > 0
    ran = plimsoll("audit", "--rpc", said["chain"], "--settlement", said["settlement"])
    assert ran.code == 0, ran.out


def read_until(process: subprocess.Popen[bytes], last: str) -> dict[str, str]:
    """Return the second word of each line that a process says on standard error, by the first."""
    assert process.stderr is not None
    said, text, deadline = {}, b"", time.monotonic() + START_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while last.encode() not in text:
            left = deadline - time.monotonic()
            assert left > 0, text.decode()
            if selector.select(left):
                more = os.read(process.stderr.fileno(), 4_096)
                assert more, text.decode()
                text += more
    for line in text.decode().splitlines():
        first, *rest = line.split()
        if rest:
            said[first] = rest[0]
    return said


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
