"""Snapshots: a restored journal continues as if nothing had happened, or is refused."""

import struct

import msgspec
import pytest

from offchain.engine.reasons import Rejected
from offchain.ledger import snapshot as snap
from offchain.ledger.errors import SnapshotError
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, crashed, in_trouble
from tests.support.venue import BTC_PERP, ETH_PERP, feed_values

HEAD = struct.Struct(">8sH32s")


def resealed(body: bytes, schema: int = snap.SCHEMA, magic: bytes = snap.MAGIC) -> bytes:
    return HEAD.pack(magic, schema, keccak256(body)) + body


def altered(data: bytes, **change: object) -> bytes:
    """Return a snapshot with fields of its image replaced and a right checksum."""
    image = msgspec.msgpack.decode(data[HEAD.size :])
    for path, value in change.items():
        node = image
        *parents, last = path.split("__")
        for parent in parents:
            node = node[parent]
        node[last] = value
    return resealed(msgspec.msgpack.encode(image))


def test_an_empty_journal_survives() -> None:
    journal = Journal.restore(Journal().snapshot())
    assert (journal.state.last_seq, journal.batch_no) == (0, 1)


def test_a_restored_journal_continues_identically() -> None:  # INV-13, S-7
    venue = crashed()
    venue.must(venue.order(3, BTC_PERP, -5, 121_000))
    venue.must(venue.order(3, BTC_PERP, -6, 121_000))
    venue.must(venue.report(*feed_values(60_000)))
    assert venue.state.market.pending is not None
    data = venue.journal.snapshot()
    other = JournalVenue.__new__(JournalVenue)
    other.__dict__.update(venue.__dict__, journal=Journal.restore(data, strict=True))
    other.state = other.journal.state
    assert other.journal.snapshot() == data
    for each in (venue, other):
        each.log, each.events = [], []
        each.round = 20
        each.now += 60 * 10**9
        each.must(each.report(*feed_values(96_500)))
        each.must(each.order(3, BTC_PERP, 4, 96_000))
        each.fund_tick(300)
    assert [repr(e)[:200] for e in venue.events] == [repr(e)[:200] for e in other.events]
    assert venue.journal.cut(ENGINE_HASH) == other.journal.cut(ENGINE_HASH)
    assert not isinstance(venue.do(venue.withdraw(3, usd=1)), Rejected)


def test_orders_of_an_account_keep_their_age() -> None:
    venue = in_trouble()
    venue.must(venue.order(3, ETH_PERP, -5, 4_500))
    venue.must(venue.order(3, BTC_PERP, -5, 121_000))
    venue.must(venue.order(3, ETH_PERP, -5, 4_400))
    restored = Journal.restore(venue.journal.snapshot())
    assert restored.state.orders_of(3) == venue.state.orders_of(3)


@pytest.fixture(scope="module")
def data() -> bytes:
    venue = in_trouble()
    venue.must(venue.order(3, BTC_PERP, -5, 121_000))
    return venue.journal.snapshot()


def test_damage_is_noticed(data: bytes) -> None:
    for place in (0, 8, 9, 10, 41, 42, len(data) // 2, len(data) - 1):
        broken = bytearray(data)
        broken[place] ^= 1
        with pytest.raises(SnapshotError):
            Journal.restore(bytes(broken))
    for size in (0, 10, HEAD.size, len(data) - 1):
        with pytest.raises(SnapshotError):
            Journal.restore(data[:size])


def test_another_schema_is_refused_by_its_number(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="schema 1, this program reads 6"):
        Journal.restore(resealed(data[HEAD.size :], schema=1))


def test_a_body_of_another_shape_is_refused() -> None:
    for body in (b"", b"\x00", msgspec.msgpack.encode({"root": b"x"}), b"\x91" * 100_000):
        with pytest.raises(SnapshotError):
            Journal.restore(resealed(body))


@pytest.mark.parametrize(
    "change",
    [
        {"root": bytes(32)},
        {"state__last_seq": 99},
        {"state__inbox_cursor": 2**63},
        {"state__document": b"{}"},
        {"state__orders": []},
        {"state__nonces": []},
        {"state__nonces": [(2, 0, bytes(40))]},
        {"state__accounts__owners": []},
        {"state__accounts__rows": {}},
        {"state__market__medians": [1]},
        {"state__market__funding_e6": b""},
        {"state__market__epoch": 2},
        {"state__market__settled": [999_999]},
        {"state__market__funding_rates_e8": [1, 0]},
        {"state__market__funding_rates_e8": []},
        {"state__market__confidences_e6": [999_999, 10**6]},
        {"state__market__haircuts": []},
        {"state__market__haircuts": [bytes(60), bytes(60)]},
        {"state__market__haircuts": [b"", b""]},
        {"open__epochs": []},
        {"open__steps": []},
        {"state__keys": [(bytes(20), bytes(20), 1)]},
    ],
)
def test_an_image_that_is_not_what_it_says_is_refused(
    data: bytes, change: dict[str, object]
) -> None:
    with pytest.raises(SnapshotError):
        Journal.restore(altered(data, **change))
