"""The doctor sees what is wrong, names it, and says what to do about it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from offchain.app import doctor
from offchain.app.doctor import Finding, describe, run_doctor

ROOT = Path(__file__).parents[3]


def test_every_finding_has_a_remedy_and_a_name_of_its_own() -> None:
    findings = run_doctor()
    assert len({finding.name for finding in findings}) == len(findings) == len(doctor.checks())
    assert all(finding.remedy and finding.detail for finding in findings if not finding.ok)


def test_the_machine_that_runs_the_tests_can_run_the_project() -> None:
    assert [finding for finding in run_doctor() if not finding.ok] == []


def test_optimised_python_is_refused_because_assertions_would_be_off() -> None:
    code = "from offchain.app.doctor import examine_assertions as e; print(e().ok, e().remedy)"
    done = subprocess.run(  # noqa: S603  this interpreter, fixed arguments
        [sys.executable, "-O", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("False start without -O")


def test_looking_for_faults_imports_neither_web3_nor_numba() -> None:
    code = "import sys, offchain.app.doctor; print({'web3', 'numba'} & set(sys.modules))"
    done = subprocess.run(  # noqa: S603  this interpreter, fixed arguments
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_tool_of_another_version_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "pinned", lambda _: "9.9.9")
    finding = doctor.examine_solc()
    assert not finding.ok
    assert finding.detail.startswith("9.9.9 pinned; Version: 0.8.37")
    assert finding.remedy == "run `make setup`"


def test_a_missing_tool_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.examine_node()
    assert not finding.ok
    assert "node" in finding.detail
    assert "install Node 20" in finding.remedy


def test_tools_outside_a_checkout_ask_for_a_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    finding = doctor.examine_anvil()
    assert not finding.ok
    assert finding.remedy == "run from a checkout of the project"


def test_the_slow_signature_backend_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.NativeECCBackend")
    finding = doctor.examine_coincurve()
    assert not finding.ok
    assert "NativeECCBackend" in finding.detail
    assert "ECC_BACKEND_CLASS" in finding.remedy


def test_a_cache_that_cannot_be_written_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    occupied = tmp_path / "a file, not a folder"
    occupied.write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(occupied))
    finding = doctor.examine_kernel_cache()
    assert not finding.ok
    assert "NUMBA_CACHE_DIR" in finding.remedy


def test_a_port_in_use_is_wrong() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        finding = run_doctor(ports=[port])[-1]
    assert finding.name == f"port {port}"
    assert not finding.ok
    assert f"127.0.0.1:{port}" in finding.remedy


def test_a_node_that_does_not_answer_is_one_finding() -> None:
    with socket.socket() as silent:  # bound but not listening: connections are refused
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        findings = doctor.examine_chain(url, addresses=["0x" + "11" * 20])
    assert [finding.name for finding in findings] == ["chain"]
    assert not findings[0].ok
    assert url in findings[0].remedy


def test_the_text_puts_a_remedy_under_each_fault_and_counts() -> None:
    text = describe([Finding("a", ok=True, detail="fine"), Finding("bb", False, "broken", "mend")])
    assert text.splitlines() == [
        "ok  a   fine",
        "BAD bb  broken",
        "        remedy: mend",
        "1 well, 1 to mend",
    ]
