"""The deploy script puts a whole venue on a chain that is already there."""

import subprocess
import sys
from pathlib import Path

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.deployment import Deployment
from offchain.adapters.deployment_plan import creations

ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own script
        [sys.executable, "scripts/deploy.py", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_venue_is_deployed_and_found_again_from_its_settlement(tmp_path: Path) -> None:
    key, out = tmp_path / "key", tmp_path / "deployment.json"
    with Anvil(AnvilOptions(accounts=1)) as anvil:
        key.write_text(anvil.keys[0])
        ran = run("--rpc", anvil.url, "--key-file", str(key), "--out", str(out))
        assert ran.returncode == 0, ran.stderr
        record = Deployment.load(out)
        assert set(creations(2)) <= set(record.addresses)
        settlement = record.address("Settlement")
        found = discover(anvil.url, bytes.fromhex(settlement[2:]))
        assert found.address("CollateralVault") == record.address("CollateralVault")
        with Chain(anvil.url, record) as chain:
            assert chain.head() == 0


def test_a_key_that_is_none_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0x12")
    ran = run("--rpc", "http://127.0.0.1:1", "--key-file", str(key))
    assert ran.returncode == 3
    assert "KeyFileError" in ran.stderr
