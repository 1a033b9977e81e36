"""What the API offers: the parts that its methods read and the one that they write to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from offchain.adapters.read_model import ReadModel
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.journal import Journal
from offchain.services.gateway import Gateway, Intent, Refused
from offchain.services.ports import WitnessStore
from offchain.services.receipts import ReceiptSigner
from offchain.services.sequencer import Receipt, Sequencer


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the venue settles: chain id and 0x contract addresses by name."""

    chain_id: int
    contracts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServedVenue:
    """The context that every method gets.

    `missing` names what is missing for service beyond the sequencer and the prices; the
    application adds the chain and the batcher. An empty list means ready. Without `receipts` the
    answers are not signed.
    """

    sequencer: Sequencer
    gateway: Gateway
    history: ReadModel
    deployment: Deployment
    witnesses: WitnessStore | None = None
    receipts: ReceiptSigner | None = None
    missing: Callable[[], list[str]] = list

    @property
    def state(self) -> State:
        """The state of the machine; only read with the sequencer's lock held."""
        return self.sequencer.state

    @property
    def journal(self) -> Journal:
        """The journal; only read with the sequencer's lock held."""
        return self.sequencer.journal

    def submit_intent(self, intent: Intent) -> Receipt | Rejected | Refused:
        """Check a signed intent at the gate, then order it."""
        with self.sequencer.lock:  # no key may be revoked between the two
            refused = self.gateway.check(intent, self.state, self.sequencer.now_ns())
            answer = refused or self.sequencer.submit(intent)
        if self.receipts is None or not isinstance(answer, Receipt):
            return answer
        return self.receipts.signed(answer)
