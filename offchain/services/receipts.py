"""Signed receipts: what the sequencer promises to whoever sent a command.

A receipt binds all records before it, because the log is a chain of hashes; so signing the one that
is asked for is enough, and nothing is signed that nobody asks for. Two receipts that differ in the
log hash alone cost the sequencer its stake, so it signs what is durable and nothing else.
"""

from dataclasses import replace

from offchain.ledger import typed_data
from offchain.ledger.typed_data import Domain, receipt_digest
from offchain.services.ports import Signer
from offchain.services.sequencer import Receipt


class ReceiptSigner:
    """Signs receipts on demand. `domain` is that of SequencerRegistry, `signer` its sequencer.

    Attributes
    ----------
    silent_until : int
        Nothing is signed up to this record. A branch of the log that was left had so many, and the
        chain may come back to it: what was signed there and what were signed here would then be
        two promises about one record.
    """

    def __init__(self, signer: Signer, domain: Domain, silent_until: int = 0) -> None:
        self._signer, self.domain, self.silent_until = signer, domain, silent_until

    def signed(self, receipt: Receipt) -> Receipt:
        """Return a receipt of the sequencer with its signature; one that has it stays the same."""
        if receipt.signature is not None or receipt.seq <= self.silent_until:
            return receipt
        digest = receipt_digest(self.domain, promise_of(receipt))
        return replace(receipt, signature=self._signer.sign(digest))


def promise_of(receipt: Receipt) -> typed_data.Receipt:
    """Return what is signed of a receipt."""
    return typed_data.Receipt(
        receipt.epoch, receipt.seq, receipt.tip, receipt.inbox_cursor, receipt.inbox_prefix
    )
