"""The doctor examines a real node: its chain id, and whether contracts are there."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from offchain.app.doctor import examine_chain

ROOT = Path(__file__).parents[2]
ANVIL = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
CONTRACT = "0x" + "c0" * 20
NOBODY = "0x" + "11" * 20


@pytest.fixture
def node() -> Iterator[str]:
    with subprocess.Popen(  # noqa: S603  the pinned binary, fixed arguments
        [ANVIL, "--port", "0", "--host", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            listening = next(line for line in process.stdout if line.startswith("Listening on "))
            yield "http://" + listening.removeprefix("Listening on ").strip()
        finally:
            process.kill()


def test_code_at_an_address_is_seen_and_its_absence_is_a_fault(node: str) -> None:
    Web3(HTTPProvider(node)).provider.make_request(RPCEndpoint("anvil_setCode"), [CONTRACT, "0xfe"])
    chain, contract, nobody = examine_chain(node, [CONTRACT, NOBODY], chain_id=31337)
    assert chain.ok
    assert contract.ok
    assert contract.detail == "1 bytes of code"
    assert not nobody.ok
    assert nobody.detail == "no code"


def test_another_chain_than_the_expected_one_is_a_fault(node: str) -> None:
    (chain,) = examine_chain(node, chain_id=1)
    assert not chain.ok
    assert chain.detail == f"chain id 31337 at {node}"
    assert chain.remedy == "name the node of chain 1 with --rpc"


def test_a_malformed_address_is_a_fault_and_no_traceback(node: str) -> None:
    (chain,) = examine_chain(node, ["0x12"])
    assert not chain.ok
