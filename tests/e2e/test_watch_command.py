"""``plimsoll watch``, as a stranger runs it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from offchain.app.cli import app
from offchain.app.exit_codes import Exit
from offchain.ledger.keccak import keccak256
from offchain.services.errors import WrongChain
from tests.support.header_faults import busy, tell
from tests.support.signed_venue import signed_venue
from tests.support.street import Street


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with signed_venue() as venue:
        yield Street(venue)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Return the key of the watcher of `signed_venue`."""
    path = tmp_path / "key"
    path.write_text("0x" + keccak256(b"watcher").hex())
    return path


def run(street: Street, key_file: Path, *options: str) -> Result:
    venue = street.venue
    settlement = venue.deployment.addresses["Settlement"]
    where = ["--rpc", venue.anvil.url, "--settlement", settlement, "--key-file", str(key_file)]
    return CliRunner().invoke(app, ["watch", *where, "--steps", "1", *options])


def test_an_honest_venue_passes(street: Street, key_file: Path) -> None:
    found = run(street, key_file)
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == {"examined": [1, 2]}


def test_nothing_is_read_before_the_first_block_given(street: Street, key_file: Path) -> None:
    first = str(street.venue.deployment.block_number)
    assert json.loads(run(street, key_file, "--first-block", first).stdout) == {"examined": [1, 2]}
    late = run(street, key_file, "--first-block", str(street.venue.chain.block_number()))
    assert json.loads(late.stdout) == {"unreadable": [1]}


def test_a_lie_fails_a_dry_run_and_is_then_reverted(street: Street, key_file: Path) -> None:
    tell(street, busy(street), output_root=bytes(32))
    dry = run(street, key_file, "--dry-run")
    assert dry.exit_code == Exit.VERIFICATION_FAILED
    assert [found["kind"] for found in json.loads(dry.stdout)["upheld"]] == [13]
    assert street.venue.chain.head() == 3
    seen = run(street, key_file)
    assert seen.exit_code == 0, seen.output
    assert json.loads(seen.stdout)["upheld"][0]["rule"] == "OUTPUT.empty"
    assert street.venue.chain.head() == 2


def test_an_address_that_is_no_settlement_is_named(street: Street, key_file: Path) -> None:
    where = ["--rpc", street.venue.anvil.url, "--settlement", "0x" + "11" * 20]
    arguments = ["watch", *where, "--key-file", str(key_file)]
    assert isinstance(CliRunner().invoke(app, arguments).exception, WrongChain)
