"""A local chain of our own: anvil as a child process, found by the port that it bound itself."""

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from web3 import HTTPProvider, Web3

from offchain.services.errors import OffchainError

ROOT = Path(__file__).parents[2]
BINARY = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
LOOPBACK = "127.0.0.1"
LISTENING = "Listening on "
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
POLL_S = 0.01
TAIL_BYTES = 2_000


class AnvilError(OffchainError):
    """The local chain did not start, is not the one we started, or has stopped."""


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How a local chain is started.

    `port` 0 lets the system choose a free one; `timestamp_s` is the time of the genesis block, now
    if None; `block_time_s` None mines a block for each transaction; `kept_states` is how many
    blocks can be gone back to, a few hundred if None.
    """

    port: int = 0
    chain_id: int = 31_337
    accounts: int = 10
    balance_eth: int = 10_000
    gas_limit: int = 60_000_000
    timestamp_s: int | None = None
    block_time_s: int | None = None
    kept_states: int | None = None

    def arguments(self) -> list[str]:
        """Return the command line arguments."""
        pairs: list[tuple[str, int | str | None]] = [
            ("--host", LOOPBACK),
            ("--port", self.port),
            ("--chain-id", self.chain_id),
            ("--accounts", self.accounts),
            ("--balance", self.balance_eth),
            ("--gas-limit", self.gas_limit),
            ("--timestamp", self.timestamp_s),
            ("--block-time", self.block_time_s),
            ("--prune-history", self.kept_states),
        ]
        return [text for name, value in pairs if value is not None for text in (name, str(value))]


class Anvil:
    """A running local chain; stops when the context ends.

    Attributes
    ----------
    url : str
        Where this process, and no other, listens.
    keys : tuple of str
        Private keys of the funded accounts. They are public knowledge: for local chains only.
    """

    def __init__(self, options: AnvilOptions | None = None, binary: Path = BINARY) -> None:
        self.options = options or AnvilOptions()
        self.url = ""
        self.keys: tuple[str, ...] = ()
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running chain; AnvilError when it does not run."""
        if self._process is None:
            raise AnvilError("anvil was not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether our process is alive."""
        return self._process is not None and self._process.poll() is None

    def web3(self) -> Web3:
        """Return a client of this chain."""
        return Web3(HTTPProvider(self.url))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers as the chain that was asked for.

        Raises
        ------
        AnvilError
            It is running already, the binary is missing, it ended or took longer than
            `START_TIMEOUT_S` to listen, or it answers with another chain id.
        """
        if self._process is not None:
            raise AnvilError("anvil is running already")
        self._folder = tempfile.TemporaryDirectory(prefix="anvil-")
        try:
            self._launch()
            self.url = self._wait_for_url()
            self._examine()
            found = json.loads((self._path("config")).read_text())
            self.keys = tuple(found["private_keys"])
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End our process, and only it. Stopping twice is no fault."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / name

    def _launch(self) -> None:
        command = [str(self._binary), *self.options.arguments()]
        command += ["--config-out", str(self._path("config"))]
        try:
            with self._path("log").open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603  the pinned binary, own arguments
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
        except OSError as failed:
            raise AnvilError(f"anvil cannot be run: {failed}") from failed

    def _wait_for_url(self) -> str:
        """Read the address from our process's own words: it speaks only after it bound the port."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            words = self._path("log").read_text(errors="replace")
            for line in words.splitlines(keepends=True):
                if line.startswith(LISTENING) and line.endswith("\n"):
                    return "http://" + line.removeprefix(LISTENING).strip()
            if not self.is_running:
                raise AnvilError(f"anvil ended at once: {words[-TAIL_BYTES:].strip()}")
            if time.monotonic() > deadline:
                raise AnvilError(f"anvil does not listen after {START_TIMEOUT_S:.0f} s")
            time.sleep(POLL_S)

    def _examine(self) -> None:
        chain_id = self.web3().eth.chain_id
        if chain_id != self.options.chain_id:
            raise AnvilError(f"{self.url} is chain {chain_id}, not {self.options.chain_id}")
        if not self.is_running:
            raise AnvilError("anvil ended while it was asked for its chain id")
