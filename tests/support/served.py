"""A desk behind the real API server, with a read model and helpers for signed intents."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from offchain.adapters.api import Api, ApiServer
from offchain.adapters.client import ApiClient
from offchain.adapters.client_intents import intent_params
from offchain.adapters.guard import ApiLimits
from offchain.adapters.projector import Projector
from offchain.adapters.read_model import ReadModel
from offchain.adapters.served_venue import Deployment, ServedVenue
from offchain.core.parameters import RiskParameters
from offchain.core.units import SECOND_NS, TimestampNs
from offchain.engine.messages import PlaceOrder
from offchain.ledger.typed_data import Domain
from offchain.ledger.wire import decode_records
from offchain.services.gateway import Gateway, Intent, intent_digest
from offchain.services.receipts import ReceiptSigner
from tests.support.desk import Desk, key
from tests.support.venue import BTC_PERP, RULES

DOMAIN = Domain(31337, bytes(19) + b"\x05")
REGISTRY = Domain(31337, bytes(19) + b"\x06")
SEQUENCER = key(90)
MAKER, TRADER = 10, 11
"""Names (see `key`) of the owners of accounts 2 and 3."""


class Witnesses:
    """A store with one witness, of batch 1."""

    def witness(self, batch_no: int, index: int) -> dict[str, object] | None:
        return {"index": index, "proof": [bytes(32)]} if (batch_no, index) == (1, 0) else None


class Served:
    """Account 2 makes the market; account 3 is long 1.5 BTC, near its limit."""

    def __init__(self, limits: ApiLimits | None = None, rules: RiskParameters = RULES) -> None:
        self.desk = Desk(rules)
        self.model = ReadModel()
        self.projector = Projector(self.model)
        self.projector.start()
        self.model.rebuild(decode_records(b"".join(self.desk.store.log)))
        self.desk.sequencer.subscribe(self.projector.listen)
        contracts = {"settlement": "0x" + DOMAIN.contract.hex()}
        self.api = Api(
            ServedVenue(
                self.desk.sequencer,
                Gateway(DOMAIN),
                self.model,
                Deployment(31337, contracts),
                Witnesses(),
                ReceiptSigner(SEQUENCER, REGISTRY),
            ),
            limits,
        )
        self.server = ApiServer(self.api)
        self.server.start()
        self.client = ApiClient(self.server.url)
        self._open()

    def _open(self) -> None:
        desk = self.desk
        desk.fund(insurance_usd=50_000, backstop_usd=20_000_000)
        maker = desk.deposit_for(MAKER, 50_000_000)
        trader = desk.deposit_for(TRADER, 31_000)
        desk.price(120_000)
        desk.trade(trader, maker, BTC_PERP, 1_500, 120_000)

    def order(self, name: int, lots: int, usd: float, instrument: int = BTC_PERP) -> PlaceOrder:
        """Return a signed order of an owner; it expires in a minute."""
        account = self.desk.state.accounts.find(key(name).address, 0)
        assert account is not None
        soon = TimestampNs(self.desk.now + 60 * SECOND_NS)
        bare = replace(self.desk.order(account, instrument, lots, usd), expires_at_ns=soon)
        return replace(bare, signature=self.signed(bare, name).signature)

    def signed(self, intent: Any, name: int) -> Any:
        """Return an intent signed by an owner."""
        found: Intent = intent
        return replace(intent, signature=key(name).sign(intent_digest(DOMAIN, found)))

    def submit(self, intent: Any, name: int, **changes: object) -> Any:
        """Sign an intent of an owner that expires in a minute, and send it through the client."""
        soon = TimestampNs(self.desk.now + 60 * SECOND_NS)
        return self.client.submit(self.signed(replace(intent, expires_at_ns=soon, **changes), name))

    def place(self, order: PlaceOrder) -> Any:
        """Send an order through the client."""
        return self.client.call("private/place_order", **order_params(order))

    def stop(self) -> None:
        self.client.close()
        self.server.stop()
        self.projector.stop()
        self.model.close()


def order_params(order: PlaceOrder) -> dict[str, object]:
    """Return the parameters of `private/place_order`."""
    return intent_params(order)


@contextmanager
def serving(limits: ApiLimits | None = None, rules: RiskParameters = RULES) -> Iterator[Served]:
    """Serve, and stop whatever happens."""
    served = Served(limits, rules)
    try:
        yield served
    finally:
        served.stop()
