"""What is wrong on this machine, each with a remedy.

Nothing is imported before it is examined, so a broken installation is a finding and not a
traceback. Every check returns findings and changes nothing; only `examine_chain` uses the network.
"""

import importlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
TOOL_TIMEOUT_S = 30
CHAIN_TIMEOUT_S = 10
DISK_NEEDED_BYTES = 2 << 30
SETUP = "run `make setup`"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
EMPTY_KECCAK = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: `detail` says what was seen, `remedy` what to do when it is not `ok`."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


Check = Callable[[], Finding]


def examine_python() -> Finding:
    """Check that the interpreter is new enough."""
    needed = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        "python",
        sys.version_info >= OLDEST_PYTHON,
        f"{platform.python_version()} at {sys.executable}",
        f"install Python {needed} or newer, remove .venv, then {SETUP}",
    )


def examine_assertions() -> Finding:
    """Check that assertions are on: invariants are stated in them."""
    return Finding(
        "assertions",
        not sys.flags.optimize,
        "off" if sys.flags.optimize else "on",
        "start without -O and unset PYTHONOPTIMIZE",
    )


def examine_coincurve() -> Finding:
    """Check that libsecp256k1 signs; pure Python is some fifty times slower."""
    try:
        backend = type(importlib.import_module("eth_keys.backends").get_backend()).__name__
    except ImportError as missing:
        return Finding("coincurve", ok=False, detail=str(missing), remedy=SETUP)
    remedy = f"{SETUP}, and unset ECC_BACKEND_CLASS"
    return Finding(
        "coincurve", backend == "CoinCurveECCBackend", f"eth-keys uses {backend}", remedy
    )


def examine_keccak() -> Finding:
    """Check that the hash is the C extension, and keccak256 and not SHA3-256."""
    try:
        keccak = importlib.import_module("offchain.ledger.keccak")
    except ImportError as missing:
        return Finding("keccak", ok=False, detail=str(missing), remedy=SETUP)
    right = keccak.keccak256(b"").hex() == EMPTY_KECCAK
    detail = keccak.BACKEND if right else f"{keccak.BACKEND} gives a wrong hash of nothing"
    return Finding("keccak", right and "sha3" in keccak.BACKEND, detail, SETUP)


def examine_kernel_cache() -> Finding:
    """Check that compiled kernels can be kept; otherwise each start compiles them again."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or ROOT / "offchain" / "core" / "__pycache__")
    remedy = f"make {folder} writable, or set NUMBA_CACHE_DIR to a folder that is"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Finding("kernel cache", ok=True, detail=str(folder))
    except OSError as refused:
        return Finding("kernel cache", ok=False, detail=str(refused), remedy=remedy)


def examine_disk() -> Finding:
    """Check that there is room for tools, logs and reports."""
    free = shutil.disk_usage(ROOT).free
    detail = f"{free / (1 << 30):.1f} GiB free, {DISK_NEEDED_BYTES >> 30} needed"
    return Finding("disk", free >= DISK_NEEDED_BYTES, detail, "free some disk space")


def examine_clock() -> Finding:
    """Check that the clock is not in the past: expiries and signatures depend on it."""
    now = datetime.now(UTC)
    return Finding("clock", now >= RELEASED, f"{now:%Y-%m-%d %H:%M:%S} UTC", "set the clock")


def examine_loopback() -> Finding:
    """Check that a local server can listen."""
    return examine_port(0)


def examine_port(port: int) -> Finding:
    """Check that nobody listens on a port of the loopback interface; 0 asks for any."""
    name = f"port {port}" if port else "loopback"
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return Finding(name, ok=True, detail=f"free on {LOOPBACK}")
    except OSError as refused:
        remedy = f"stop what listens on {LOOPBACK}:{port}, or choose another port"
        return Finding(name, ok=False, detail=str(refused), remedy=remedy)


def run_tool(command: Sequence[str | Path]) -> tuple[bool, str]:
    """Run a tool's version query: whether it worked, and its words or the reason."""
    try:
        done = subprocess.run(  # noqa: S603  our own pinned tools, fixed arguments
            command, capture_output=True, text=True, timeout=TOOL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        return False, str(failed)
    return done.returncode == 0, (done.stdout or done.stderr).strip()


def examine_node() -> Finding:
    """Check Node, which runs the pinned compiler."""
    remedy = f"install Node {OLDEST_NODE} or newer and put it on PATH"
    worked, words = run_tool(["node", "--version"])
    major = words.removeprefix("v").partition(".")[0]
    new_enough = worked and major.isdigit() and int(major) >= OLDEST_NODE
    return Finding("node", new_enough, words, remedy)


def pinned(package: str) -> str | None:
    """Return the version that package.json pins; None outside a checkout."""
    try:
        pins: dict[str, str] = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    except OSError:
        return None
    return pins.get(package)


def examine_version(name: str, package: str, command: Sequence[str | Path]) -> Finding:
    """Check that a tool runs and is the pinned version."""
    version = pinned(package)
    if version is None:
        remedy = "run from a checkout of the project"
        return Finding(name, ok=False, detail=f"no package.json in {ROOT}", remedy=remedy)
    worked, words = run_tool(command)
    said = next((line for line in words.splitlines() if "Version: " in line), words)
    right = worked and f"Version: {version}" in said
    return Finding(name, right, f"{version} pinned; {said}", SETUP)


def examine_foundry(tool: str) -> Finding:
    """Check a native binary of Foundry; its launcher would lose the exit status."""
    package = f"@foundry-rs/{tool}-linux-amd64"
    binary = ROOT / "node_modules" / package / "bin" / tool
    return examine_version(tool, package, [binary, "--version"])


def examine_anvil() -> Finding:
    """Check the local chain."""
    return examine_foundry("anvil")


def examine_forge() -> Finding:
    """Check the contract builder."""
    return examine_foundry("forge")


def examine_solc() -> Finding:
    """Check that the compiler answers through the wrapper that forge and py-solc-x call."""
    return examine_version("solc", "solc", ["node", ROOT / "scripts" / "solc.js", "--version"])


def checks() -> tuple[Check, ...]:
    """Return every check that needs no argument, in the order of a sensible reading."""
    return (
        examine_python,
        examine_assertions,
        examine_coincurve,
        examine_keccak,
        examine_kernel_cache,
        examine_node,
        examine_anvil,
        examine_forge,
        examine_solc,
        examine_disk,
        examine_loopback,
        examine_clock,
    )


def examine_chain(
    url: str, addresses: Iterable[str] = (), chain_id: int | None = None
) -> list[Finding]:
    """Check that a node answers, is the expected chain, and has code at each address."""
    web3: Any = importlib.import_module("web3")
    client = web3.Web3(web3.HTTPProvider(url, request_kwargs={"timeout": CHAIN_TIMEOUT_S}))
    try:
        seen = client.eth.chain_id
        codes = {a: len(client.eth.get_code(client.to_checksum_address(a))) for a in addresses}
    # Libraries below web3 raise their own kinds; for a diagnosis they are all one finding.
    except Exception as failed:  # noqa: BLE001
        remedy = f"start a node at {url} (`plimsoll up` does), or name another with --rpc"
        return [Finding("chain", ok=False, detail=str(failed)[:120], remedy=remedy)]
    wanted = chain_id is None or seen == chain_id
    remedy = f"name the node of chain {chain_id} with --rpc"
    findings = [Finding("chain", wanted, f"chain id {seen} at {url}", remedy)]
    for address, size in codes.items():
        detail = f"{size} bytes of code" if size else "no code"
        remedy = "check the address, or deploy to this chain first"
        findings.append(Finding(f"contract {address}", size > 0, detail, remedy))
    return findings


def run_doctor(
    rpc_url: str | None = None,
    addresses: Iterable[str] = (),
    chain_id: int | None = None,
    ports: Iterable[int] = (),
) -> list[Finding]:
    """Examine everything; the chain only when `rpc_url` is given.

    Parameters
    ----------
    rpc_url : str, optional
        Node to ask for its chain id and for code at `addresses`.
    addresses : iterable of str
        Contracts that must exist on that chain.
    chain_id : int, optional
        What the chain id must be.
    ports : iterable of int
        Ports of the loopback interface that must be free.

    Returns
    -------
    list of Finding
        In a fixed order. Nothing is raised for what is wrong on the machine.
    """
    findings = [check() for check in checks()]
    findings += [examine_port(port) for port in ports]
    if rpc_url is not None:
        findings += examine_chain(rpc_url, addresses, chain_id)
    return findings


def describe(findings: Sequence[Finding]) -> str:
    """Return the findings as lines of text, each wrong one followed by its remedy."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{'ok ' if finding.ok else 'BAD'} {finding.name:<{width}}  {finding.detail}")
        if not finding.ok:
            lines.append(f"    {'':<{width}}  remedy: {finding.remedy}")
    wrong = sum(not finding.ok for finding in findings)
    lines.append(f"{len(findings) - wrong} well, {wrong} to mend")
    return "\n".join(lines)
