"""The launcher of the local chain owns exactly the process that it started."""

import os
import socket
from pathlib import Path

import pytest

from offchain.adapters.anvil import LOOPBACK, Anvil, AnvilError, AnvilOptions


def test_two_chains_run_side_by_side_and_stop_alone() -> None:
    with Anvil() as first:
        with Anvil() as second:
            assert first.url != second.url
            assert first.pid != second.pid
            assert first.keys == second.keys
            assert len(first.keys) == 10
        assert not second.is_running
        assert first.is_running
        assert first.web3().eth.chain_id == 31_337
        pid = first.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_options_reach_the_chain() -> None:
    options = AnvilOptions(chain_id=7, accounts=3, gas_limit=12_345_678, timestamp_s=1_700_000_000)
    with Anvil(options) as anvil:
        block = anvil.web3().eth.get_block("latest")
        assert anvil.web3().eth.chain_id == 7
        assert block["gasLimit"] == 12_345_678
        assert block["timestamp"] == 1_700_000_000
        assert len(anvil.keys) == 3


def test_a_port_in_use_is_refused_and_no_other_listener_is_taken_for_ours() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AnvilError, match="ended at once"):
            Anvil(AnvilOptions(port=port)).start()


def test_a_missing_binary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnvilError, match="cannot be run"):
        Anvil(binary=tmp_path / "anvil").start()


def test_a_chain_starts_once_and_may_stop_twice() -> None:
    anvil = Anvil()
    with pytest.raises(AnvilError, match="not started"):
        _ = anvil.pid
    with anvil, pytest.raises(AnvilError, match="running already"):
        anvil.start()
    anvil.stop()
    assert not anvil.is_running
