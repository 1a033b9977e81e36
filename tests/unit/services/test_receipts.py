"""A receipt is what the sequencer is held to: signed when asked for, of the log as it is."""

from dataclasses import replace

import pytest

from offchain.core.units import AccountId
from offchain.engine.messages import Deposit
from offchain.ledger.signatures import recover
from offchain.ledger.typed_data import Domain, receipt_digest
from offchain.services.receipts import ReceiptSigner, promise_of
from offchain.services.sequencer import Receipt
from offchain.services.signing import KeySigner
from tests.support.desk import Desk
from tests.support.venue import BTC_PERP, ENTRY_TIME_S

DOMAIN = Domain(31337, bytes(19) + b"\x06")
KEY = KeySigner(bytes(31) + b"\x21")


class CountingSigner(KeySigner):
    """A key that counts its signatures."""

    count = 0

    def sign(self, digest: bytes) -> bytes:
        self.count += 1
        return super().sign(digest)


@pytest.fixture
def desk() -> Desk:
    d = Desk()
    d.deposit(10, 50_000)
    d.price(120_000)
    return d


def ordered(desk: Desk, usd: float) -> Receipt:
    answer = desk.sequencer.submit(desk.order(AccountId(2), BTC_PERP, 1, usd))
    assert isinstance(answer, Receipt)
    return answer


def test_a_receipt_names_the_log_and_the_inbox_after_its_record(desk: Desk) -> None:
    receipt, journal = ordered(desk, 100_000), desk.sequencer.journal
    assert receipt.signature is None
    assert (receipt.tip, receipt.seq) == (desk.store.tip, desk.store.last_seq)
    assert (receipt.inbox_cursor, receipt.inbox_prefix) == (1, journal.inbox_prefix)
    entries = [Deposit(index, ENTRY_TIME_S, (11).to_bytes(20), 0, 0, 5) for index in (2, 3)]
    first, second = desk.sequencer.submit_batch(entries)
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (first.inbox_cursor, second.inbox_cursor) == (2, 3)
    assert first.inbox_prefix != second.inbox_prefix == journal.inbox_prefix


def test_the_signature_is_the_sequencers_over_every_field(desk: Desk) -> None:
    signed = ReceiptSigner(KEY, DOMAIN).signed(ordered(desk, 100_000))
    assert signed.signature is not None
    promise = promise_of(signed)
    assert recover(receipt_digest(DOMAIN, promise), signed.signature) == KEY.address
    for change in (
        {"epoch": 2},
        {"seq": 99},
        {"tip": bytes(32)},
        {"inbox_cursor": 9},
        {"inbox_prefix_hash": bytes(32)},
    ):
        other = replace(promise, **change)
        assert recover(receipt_digest(DOMAIN, other), signed.signature) != KEY.address
    elsewhere = receipt_digest(Domain(31337, bytes(20)), promise)
    assert recover(elsewhere, signed.signature) != KEY.address


def test_nothing_is_signed_that_nobody_asked_for_and_nothing_twice(desk: Desk) -> None:
    key = CountingSigner(bytes(31) + b"\x21")
    signer = ReceiptSigner(key, DOMAIN)
    receipts = [ordered(desk, usd) for usd in (100_000, 100_001, 100_002)]
    assert key.count == 0
    signed = signer.signed(receipts[-1])
    assert signer.signed(signed) is signed
    assert key.count == 1


def test_nothing_is_signed_for_numbers_that_another_branch_of_the_log_had(desk: Desk) -> None:
    first, second = ordered(desk, 100_000), ordered(desk, 100_001)
    signer = ReceiptSigner(KEY, DOMAIN, silent_until=first.seq)
    assert signer.signed(first) == first
    assert signer.signed(second).signature is not None
    signer.silent_until = second.seq
    assert signer.signed(second).signature is None
