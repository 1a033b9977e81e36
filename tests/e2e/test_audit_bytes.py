"""No bit of a header and no byte of the log is free: the audit finds every alteration."""

import random
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.adapters.chain_facts import collect_facts
from offchain.engine.messages import (
    CancelOrder,
    Command,
    Deposit,
    Genesis,
    PlaceOrder,
    PriceReport,
    Withdraw,
)
from offchain.ledger.errors import LedgerError
from offchain.ledger.header import HEADER_TYPE, BatchHeader
from offchain.ledger.keccak import keccak256
from offchain.ledger.trace_data import posted_records
from offchain.ledger.wire import Record, decode_records, encode_record
from offchain.services.audit import audit
from offchain.services.audit_report import AuditReport
from offchain.services.chain_events import PostedBatch
from offchain.services.chain_facts import ChainFacts
from tests.support.audited import BATCHES, story
from tests.support.devnet import ENGINE_HASH
from tests.support.dishonest import Edit, Refused, reposted, resigned, rewritten, with_data

SEED = 20_251_010


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainFacts]:
    with story(tmp_path_factory.mktemp("honest")) as venue:
        yield collect_facts(venue.chain)


def audited(facts: ChainFacts) -> AuditReport:
    return audit(facts, ENGINE_HASH)


HEADER_FIELDS = [each.name for each in fields(BatchHeader)]
CHECKS_OF = {
    "trace_root": "trace",
    "checkpoint_root": "checkpoint",
    "da_hash": "data",
    "da_length": "data",
    "da_kind": "data",
    "l1_block_number": "chain",
    "l1_block_hash": "chain",
}
"""Which check answers for a field, where it is not the replay of the log."""
NAMES = dict(zip(HEADER_FIELDS, (name for name, _ in HEADER_TYPE.members), strict=True))


def test_a_wrong_number_of_steps_makes_the_data_unreadable(honest: ChainFacts) -> None:
    for number in range(1, BATCHES + 1):
        count = honest.batches[number - 1].header.step_count
        for other in (0, count - 1, count + 1):
            report = audited(resigned(honest, number, step_count=other))
            assert [f.batch for f in report.verdicts["data"].findings] == [number]


@pytest.mark.parametrize("name", [name for name in HEADER_FIELDS if name != "step_count"])
def test_a_header_field_that_the_sequencer_signs_differently_is_named(
    honest: ChainFacts, name: str
) -> None:
    for number in range(1, BATCHES + 1):
        value = getattr(honest.batches[number - 1].header, name)
        other = keccak256(value) if isinstance(value, bytes) else value + 1
        report = audited(resigned(honest, number, **{name: other}))
        check = report.verdicts[CHECKS_OF.get(name, "replay")]
        found = [f for f in check.findings if f.batch == number]  # a later link breaks with it
        assert [f.field for f in found] == [NAMES[name]]


def test_any_bit_of_any_header_field_matters_even_when_the_signature_is_good(
    honest: ChainFacts,
) -> None:
    @given(st.integers(1, BATCHES), st.sampled_from(HEADER_FIELDS), st.integers(0, 255))
    def matters(number: int, name: str, bit: int) -> None:
        was = honest.batches[number - 1]
        value = getattr(was.header, name)
        if isinstance(value, bytes):
            other: object = (int.from_bytes(value) ^ 1 << bit).to_bytes(32)
        else:
            other = value ^ 1 << bit % 8
        assert not audited(resigned(honest, number, **{name: other})).is_ok
        altered = replace(was, header=replace(was.header, **{name: other}))  # type: ignore[arg-type]
        assert "chain" in audited(with_batch(honest, number, altered)).failed

    matters()


def with_batch(facts: ChainFacts, number: int, batch: PostedBatch) -> ChainFacts:
    """Return facts with another batch under a number."""
    batches = (*facts.batches[: number - 1], batch, *facts.batches[number:])
    return replace(facts, batches=batches)


def test_any_byte_of_the_posted_data_matters_even_when_its_hash_is_made_to_fit(
    honest: ChainFacts,
) -> None:
    @given(st.integers(1, BATCHES), st.integers(0, 1 << 30), st.integers(1, 255))
    def matters(number: int, place: int, mask: int) -> None:
        was = honest.batches[number - 1]
        flipped_ = bytearray(was.data)
        flipped_[place % len(flipped_)] ^= mask
        data = bytes(flipped_)
        altered = replace(was, data=data)
        assert "data" in audited(with_batch(honest, number, altered)).failed
        assert not audited(reposted(honest, number, with_data(was.header, data), data)).is_ok

    matters()


JUDGED: tuple[type, ...] = (Genesis, Deposit, PlaceOrder, CancelOrder, PriceReport, Withdraw)


def test_no_byte_of_a_command_can_change_even_if_everything_is_derived_again(
    honest: ChainFacts,
) -> None:
    """Times and the fencing epoch are the sequencer's own to choose; commands are not."""
    rng, believed = random.Random(SEED), 0  # noqa: S311 - a seeded choice, not a secret
    for number, was in enumerate(honest.batches, start=1):
        for record in posted_records(was.header, was.data):
            for _ in range(3 if isinstance(record.command, JUDGED) else 0):
                try:
                    facts = rewritten(honest, flipped(number, record, rng))
                except (Refused, LedgerError, OverflowError):
                    continue
                believed += 1
                assert not audited(facts).is_ok
    assert believed > 10, "most alterations must get past the engine, or nothing was tested"


def flipped(number: int, record: Record, rng: random.Random) -> Edit:
    """Return an edit that flips one byte in the payload of one record."""
    frame = bytearray(encode_record(record))
    frame[rng.randrange(25, len(frame))] ^= rng.randrange(1, 256)
    (other,) = decode_records(bytes(frame))

    def edit(place: int, seen: Record) -> list[Command]:
        return [other.command if (place, seen) == (number, record) else seen.command]

    return edit


@pytest.mark.parametrize("number", range(1, BATCHES + 1))
def test_a_record_that_is_missing_doubled_or_swapped_is_found(
    honest: ChainFacts, number: int
) -> None:
    was = honest.batches[number - 1]
    frames = [encode_record(record) for record in posted_records(was.header, was.data)]
    missing, doubled, swapped_ = frames[:-1], [*frames, frames[-1]], [*frames[1:], frames[0]]
    for altered in (missing, doubled, swapped_):
        data = b"".join(altered)
        report = audited(reposted(honest, number, with_data(was.header, data), data))
        assert not report.is_ok
        found = [f for v in report.verdicts.values() for f in v.findings]
        assert any(f.batch == number for f in found)
