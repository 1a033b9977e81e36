"""Who may send what over the API, and what the sequencer signs for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from offchain.adapters.client import ApiError
from offchain.adapters.guard import ApiLimits
from offchain.core.units import SECOND_NS
from offchain.engine.messages import EntryKind
from offchain.ledger.signatures import recover
from offchain.ledger.typed_data import Receipt, receipt_digest
from tests.support.desk import key
from tests.support.served import MAKER, REGISTRY, SEQUENCER, Served, serving

TRADING_KEY = 77


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(ApiLimits(rate=10_000, burst=10_000)) as one:
        yield one


def by_key(served: Served, lots: int) -> Any:
    """Place an order of the maker that the trading key signs."""
    return served.place(served.signed(served.order(MAKER, lots, 125_000), TRADING_KEY))


def told(served: Served, kind: EntryKind, until_s: int) -> None:
    """Let the owner tell the inbox something about the trading key."""
    owner, trading = key(MAKER).address, key(TRADING_KEY).address
    served.desk.must(served.desk.entry(kind, owner, amount=until_s, key=trading))


def test_every_receipt_is_signed_and_holds_the_sequencer_to_the_log(served: Served) -> None:
    for lots in (-1, -2):
        placed = served.place(served.order(MAKER, lots, 125_000))
        promise = Receipt(
            int(placed["epoch"]),
            int(placed["seq"]),
            bytes.fromhex(placed["log_hash"][2:]),
            int(placed["inbox_cursor"]),
            bytes.fromhex(placed["inbox_prefix_hash"][2:]),
        )
        signature = bytes.fromhex(placed["signature"][2:])
        assert recover(receipt_digest(REGISTRY, promise), signature) == SEQUENCER.address
        journal = served.desk.sequencer.journal
        assert (promise.tip, promise.seq) == (served.desk.store.tip, served.desk.store.last_seq)
        assert promise.inbox_cursor == served.desk.state.inbox_cursor
        assert promise.inbox_prefix_hash == journal.inbox_prefix


def test_a_trading_key_orders_from_its_grant_to_its_revocation(served: Served) -> None:
    with pytest.raises(ApiError) as refused:
        by_key(served, -1)
    assert refused.value.reason == "WRONG_SIGNER"
    soon = served.desk.now // SECOND_NS + 3_600
    told(served, EntryKind.GRANT, soon)
    assert by_key(served, -1)["lots_resting"] == "-1"
    told(served, EntryKind.REVOKE, 0)
    with pytest.raises(ApiError) as refused:
        by_key(served, -1)
    assert refused.value.reason == "WRONG_SIGNER"
