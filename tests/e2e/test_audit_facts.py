"""Every fact that the chain tells is compared: alter any of them and the audit names the check."""

from collections.abc import Iterator
from dataclasses import fields

import pytest

from offchain.adapters.chain_facts import collect_facts
from offchain.engine.evolve import evolve
from offchain.engine.messages import (
    EntryKind,
)
from offchain.ledger.closing import may_lack_checkpoint
from offchain.ledger.keccak import ZERO32
from offchain.services.audit import audit
from offchain.services.audit_report import CHECKS, AuditReport
from offchain.services.chain_events import (
    RevertCause,
)
from offchain.services.chain_facts import ChainFacts
from tests.support.altered_facts import ALTERATIONS, OTHER, on_vault
from tests.support.audited import BATCHES, story
from tests.support.devnet import ENGINE_HASH
from tests.support.dishonest import (
    resigned,
    rewritten,
)
from tests.support.lone_faults import FAULTS, trailing_byte


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainFacts]:
    with story(tmp_path_factory.mktemp("honest")) as venue:
        yield collect_facts(venue.chain)


def audited(facts: ChainFacts) -> AuditReport:
    return audit(facts, ENGINE_HASH)


def test_an_honest_past_passes_every_check(honest: ChainFacts) -> None:
    report = audited(honest)
    assert report.is_ok, report.failed
    assert report.batches == BATCHES
    assert {entry.kind for entry in honest.inbox} == set(EntryKind)
    assert [revert.cause for revert in honest.reverts] == [RevertCause.ROLLBACK]
    assert all(verdict.compared > 0 for verdict in report.verdicts.values())
    tiers = {v.tier for v in honest.verified.values()}
    assert tiers == {1, 2}, "a partial and a full liquidation"
    assert sum(move.drawn_e6 for move in honest.insurance.values()) > 0
    assert honest.claims


def test_writing_the_past_again_unaltered_gives_the_same_facts(honest: ChainFacts) -> None:
    assert rewritten(honest, lambda _n, record: [record.command]) == honest


# Each check alone


@pytest.mark.parametrize("check", FAULTS)
def test_each_check_is_the_only_one_that_finds_its_own_fault(
    honest: ChainFacts, check: str
) -> None:
    report = audited(FAULTS[check](honest))
    assert report.failed == (check,)
    assert not report.is_ok


def test_an_engine_that_mints_money_fails_conservation_alone(
    honest: ChainFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generous(state: object, event: object, seq: int, time_ns: int) -> None:
        evolve(state, event, seq, time_ns)  # type: ignore[arg-type]  # passed on as it came
        if seq == 2:
            state.accounts.cash[0] += 1  # type: ignore[attr-defined]  # the engine's state

    monkeypatch.setattr("offchain.engine.machine.evolve", generous)
    report = audited(honest)
    assert report.failed == ("conservation",)
    assert str(report.verdicts["conservation"].findings[0]).startswith("batch 1: record 2 ")


def test_every_check_has_a_fault_of_its_own() -> None:
    assert {*FAULTS, "conservation"} == CHECKS.keys()


# Every field of the facts


@pytest.mark.parametrize("fact", ALTERATIONS)
def test_an_altered_fact_fails_the_check_that_it_belongs_to(honest: ChainFacts, fact: str) -> None:
    check, alter = ALTERATIONS[fact]
    report = audited(alter(honest))
    assert check in report.failed
    assert not report.is_ok


def test_every_field_of_the_facts_has_an_alteration() -> None:
    altered = {name.split(":", maxsplit=1)[0].split()[0] for name in ALTERATIONS}
    assert altered == {each.name for each in fields(ChainFacts)}


def test_a_donation_to_the_vault_is_no_fault(honest: ChainFacts) -> None:
    assert audited(on_vault(0, held=1)(honest)).is_ok


def test_a_checkpoint_that_must_be_there_is_missed(honest: ChainFacts) -> None:
    """The contract does not take such a batch; the audit does not rely on that."""
    owing = [p.header for p in honest.batches if not may_lack_checkpoint(p.header)]
    assert owing
    for header in owing:
        report = audited(resigned(honest, header.batch_no, checkpoint_root=ZERO32))
        found = report.verdicts["checkpoint"].findings
        assert (found[0].batch, found[0].field) == (header.batch_no, "checkpointRoot")


def test_what_was_not_reached_is_no_pass(honest: ChainFacts) -> None:
    report = audited(trailing_byte(honest))
    words = {name: verdict.word for name, verdict in report.verdicts.items()}
    assert words.pop("data") == "FAIL"
    assert words.pop("engine") == words.pop("parameters") == "PASS"
    assert set(words.values()) == {"NOT_REACHED"}
    assert report.failed == ("data",)


def test_a_broken_link_between_batches_is_named_by_the_chain_as_well(honest: ChainFacts) -> None:
    report = audited(resigned(honest, 2, prev_batch_hash=OTHER))
    assert [f.field for f in report.verdicts["chain"].findings] == ["prevBatchHash"]
