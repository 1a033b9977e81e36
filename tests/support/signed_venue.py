"""A venue on a chain of its own whose sequencer is a journal: every signature is real.

Nothing stands between a command and the log, so a test may log what no gate would let through, and
may go back to any moment. Entries of the inbox come from the chain, batches go to the chain.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from web3.types import RPCEndpoint

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import ChainCourt
from offchain.adapters.deployment import deploy, predict
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.app.devnet import stake_for
from offchain.core.presets import COLLATERAL
from offchain.core.units import (
    DAY_NS,
    ONE_E8,
    SECOND_NS,
    AccountId,
    InstrumentId,
    Lots,
    PriceE8,
    TimestampNs,
    UsdE6,
)
from offchain.engine.messages import (
    CancelOrder,
    Command,
    Convert,
    Deposit,
    EntryKind,
    Forced,
    Genesis,
    PlaceOrder,
    PriceReport,
    SetMode,
    TimeInForce,
    Withdraw,
)
from offchain.engine.reasons import Rejected
from offchain.ledger.batch import Batch
from offchain.ledger.header import BatchHeader, header_digest
from offchain.ledger.journal import Journal
from offchain.ledger.wire import Record, decode_records
from offchain.services.gateway import intent_digest
from offchain.services.oracle import Noise, OracleNetwork, OracleSigner
from offchain.services.ports import InboxEntry
from offchain.services.signing import KeySigner
from offchain.services.watch.authenticity import Authenticity
from tests.support.devnet import (
    BACKSTOP,
    ENGINE_HASH,
    GAS_WEI,
    ORACLES,
    SEQUENCER,
    START_NS,
    config,
    rules,
    signer,
    text,
)
from tests.support.venue import all_feeds

EPOCH = 1
"""Of the first sequencer."""
Intent = PlaceOrder | CancelOrder | Withdraw | SetMode | Convert
WATCHER = signer("watcher")
BOND_E6 = DEVELOPMENT.bond_e6


@dataclass(frozen=True, slots=True)
class Moment:
    """Where journal and chain stood."""

    image: bytes
    now: int
    round: int
    nonce: int
    block: int
    snapshot: str


class SignedVenue:
    """A deployment, a journal, and the keys of everybody."""

    def __init__(self, anvil: Anvil) -> None:
        self.anvil, self.now = anvil, START_NS
        web3 = anvil.web3()
        # Time is what tests say, from the first block on, however long the machine takes.
        web3.provider.make_request(RPCEndpoint("anvil_setBlockTimestampInterval"), [0])
        deployer = KeySigner(bytes.fromhex(anvil.keys[0][2:]))
        fund = predict(web3, text(deployer.address), collaterals=len(COLLATERAL))["InsuranceFund"]
        self.rules = rules(str(fund).lower())
        # The backstop's key signs for accounts of tests as well.
        terms = replace(config(self.rules).protocol, max_open_batches=64)
        self.deployment = deploy(web3, anvil.keys[0], replace(config(self.rules), protocol=terms))
        self.chain = Chain(anvil.url, self.deployment)
        self.court = ChainCourt(self.chain)
        for key in (SEQUENCER, BACKSTOP, WATCHER):
            self.chain.give_gas(key.address, GAS_WEI)
        stake_for(self.chain, SEQUENCER, DEVELOPMENT.minimum_stake_e6)
        self.chain.mint(WATCHER, 0, WATCHER.address, 100 * BOND_E6)
        self.domain = self.chain.domain("Settlement")
        hub = self.chain.domain("OracleHub")
        self.authenticity = Authenticity(self.domain, hub, self.court.entry)
        listing = self.rules.listing
        oracles = [OracleSigner(k, i, hub, listing, Noise(i, 0)) for i, k in enumerate(ORACLES)]
        self.oracles = OracleNetwork(oracles, self.rules.oracle.quorum)
        self.journal = Journal()
        self.round = self.nonce = 0
        self.read_to = self.deployment.block_number - 1
        self.must(Genesis(self.rules))
        self.sync()

    # The log

    def do(self, command: Command) -> bool:
        """Log a command; return whether the machine took it."""
        record = Record(self.journal.state.last_seq + 1, self.now, EPOCH, command)
        return not isinstance(self.journal.apply(record), Rejected)

    def must(self, command: Command) -> None:
        """Log a command that the machine has to take."""
        assert self.do(command), command

    def wait(self, seconds: int) -> None:
        """Let time pass, here and on chain."""
        self.now += seconds * SECOND_NS
        self.chain.set_time(self.now)

    def sync(self) -> None:
        """Log the entries that the inbox has got since."""
        last = self.chain.block_number()
        for entry in self.chain.inbox_entries(self.read_to + 1, last):
            self.must(command_of(entry))
        self.read_to = last

    def account(self, key: KeySigner) -> AccountId:
        """Return the account of an owner."""
        account = self.journal.state.accounts.find(key.address, 0)
        assert account is not None
        return AccountId(account)

    # The chain

    def deposit(self, key: KeySigner, asset: int, amount: int) -> None:
        """Pay in through the vault; `sync` brings it. [engine units]"""
        self.chain.give_gas(key.address, GAS_WEI)
        self.chain.mint(key, asset, key.address, amount)
        self.chain.approve(key, asset, amount)
        self.chain.deposit(key, asset, amount, key.address)

    def force(self, key: KeySigner, function: str, *arguments: object) -> None:
        """Push a forced operation; `sync` brings it."""
        self.chain.send(key, "Inbox", function, *arguments)

    def cut(self) -> Batch:
        """Close the open batch, as an honest sequencer does."""
        self.chain.set_time(self.now)
        return self.journal.cut(ENGINE_HASH, self.chain.anchor(1))

    def commit(self, header: BatchHeader, data: bytes) -> None:
        """Sign any header and commit it with any data."""
        signature = SEQUENCER.sign(header_digest(self.domain, header))
        self.chain.commit(SEQUENCER, header, signature, data)

    def commit_honestly(self) -> Batch:
        """Cut and commit."""
        batch = self.cut()
        self.commit(batch.header, batch.data)
        return batch

    def mark(self) -> Moment:
        """Return where everything stands."""
        snapshot = str(self.chain.node.request("evm_snapshot"))
        image = self.journal.snapshot()
        return Moment(image, self.now, self.round, self.nonce, self.read_to, snapshot)

    def back(self, moment: Moment) -> None:
        """Go back, and forget what happened since; a moment is good once."""
        assert self.chain.node.request("evm_revert", moment.snapshot)
        self.journal = Journal.restore(moment.image)
        self.now, self.round, self.nonce = moment.now, moment.round, moment.nonce
        self.read_to = moment.block

    # Intents

    def signed(self, key: KeySigner, intent: Intent) -> Intent:
        """Return an intent with a signature."""
        return replace(intent, signature=key.sign(intent_digest(self.domain, intent)))

    def terms(self) -> tuple[int, TimestampNs, bytes]:
        """Return a fresh nonce, an expiry, and room for a signature."""
        self.nonce += 1
        return self.nonce, TimestampNs(self.now + DAY_NS), b""

    def order(
        self,
        key: KeySigner,
        instrument: int,
        lots: int,
        usd: float,
        tif: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED,
        *,
        reduce_only: bool = False,
    ) -> Intent:
        """Return a signed order."""
        tick = self.journal.state.underlying(instrument).tick_e8
        price = max(tick, round(usd * ONE_E8 / tick) * tick)
        number, size = InstrumentId(instrument), Lots(lots)
        account, limit = self.account(key), PriceE8(price)
        order = PlaceOrder(account, number, size, limit, tif, reduce_only, *self.terms())
        return self.signed(key, order)

    def cancel(self, key: KeySigner, order_id: int) -> Intent:
        """Return a signed cancellation."""
        return self.signed(key, CancelOrder(self.account(key), order_id, *self.terms()))

    def withdrawal(self, key: KeySigner, asset: int, amount: int) -> Intent:
        """Return a signed withdrawal."""
        return self.signed(key, Withdraw(self.account(key), asset, amount, *self.terms()))

    def mode(self, key: KeySigner, mode: int) -> Intent:
        """Return a signed change of mode."""
        return self.signed(key, SetMode(self.account(key), mode, *self.terms()))

    def conversion(self, key: KeySigner, asset: int, amount: int) -> Intent:
        """Return a signed sale of collateral."""
        sale = Convert(self.account(key), asset, amount, UsdE6(0), *self.terms())
        return self.signed(key, sale)

    def trade(
        self, buyer: KeySigner, seller: KeySigner, instrument: int, lots: int, usd: float
    ) -> None:
        """Let two traders trade."""
        self.must(self.order(seller, instrument, -lots, usd))
        self.must(self.order(buyer, instrument, lots, usd))

    def report(self, btc_usd: int, eth_usd: int = 4_300) -> PriceReport:
        """Return a signed round at the present time."""
        self.round += 1
        indices = (btc_usd * ONE_E8, eth_usd * ONE_E8)
        seen = all_feeds(self.rules.listing, indices)
        return self.oracles.report(self.round, TimestampNs(self.now), seen)

    def price(self, btc_usd: int, eth_usd: int = 4_300) -> None:
        """Log a price, twice when the first is outside the band."""
        for _ in range(2):
            self.now += 60 * SECOND_NS
            self.must(self.report(btc_usd, eth_usd))
            if self.journal.state.market.pending is None:
                return


def verified(venue: SignedVenue, batch: Batch) -> None:
    """Relay the reports of a committed batch, and verify its liquidations."""
    for record in decode_records(batch.log):
        if isinstance(record.command, PriceReport):
            venue.chain.submit_report(BACKSTOP, record.command)
    for witness in batch.witnesses:
        venue.chain.verify_liquidation(BACKSTOP, batch.header, witness)


def command_of(entry: InboxEntry) -> Deposit | Forced:
    """Return the record that consumes an entry."""
    fields = (entry.index, entry.time_s, entry.owner, entry.subaccount, entry.place, entry.amount)
    if entry.kind == EntryKind.DEPOSIT:
        return Deposit(*fields)
    return Forced(*fields, EntryKind(entry.kind), entry.key)


@contextmanager
def signed_venue() -> Iterator[SignedVenue]:
    """Start a chain, deploy, and stop everything whatever happens."""
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS)) as anvil:
        venue = SignedVenue(anvil)
        try:
            yield venue
        finally:
            venue.chain.close()
