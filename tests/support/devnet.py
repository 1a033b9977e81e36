"""A whole venue on a chain of its own: real contracts, real oracles, real signatures.

Time is the chain's and moves only when a test says so. Everything that a service needs is here as
the service would have it; nothing is replaced.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.chain import Chain
from offchain.adapters.deployment import Deployment, deploy, predict
from offchain.adapters.deployment_plan import DeploymentConfig
from offchain.adapters.log_file import LogFile
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.app.devnet import stake_for
from offchain.app.engine_hash import engine_hash
from offchain.core.parameters import RiskParameters
from offchain.core.presets import (
    BITCOIN,
    COLLATERAL,
    ETHER,
    NO_BREAKER,
    NO_GRACE,
    Roles,
    Series,
    pm36,
)
from offchain.core.units import (
    DAY_NS,
    ONE_E6,
    ONE_E8,
    SECOND_NS,
    AccountId,
    InstrumentId,
    Lots,
    PriceE8,
    TimestampNs,
)
from offchain.engine.messages import (
    Command,
    Genesis,
    PlaceOrder,
    PriceReport,
    TimeInForce,
    Withdraw,
)
from offchain.engine.reasons import Rejected
from offchain.ledger.document import document
from offchain.ledger.keccak import keccak256
from offchain.ledger.listing import listing_root
from offchain.ledger.terms import curves_hash, terms
from offchain.services.attestation import LocalAttestor
from offchain.services.batch_archive import cuts
from offchain.services.batcher import Batcher, BatchPolicy
from offchain.services.gateway import Gateway, intent_digest
from offchain.services.inbox_watcher import InboxWatcher
from offchain.services.keeper import Keeper
from offchain.services.oracle import Noise, OracleNetwork, OracleSigner
from offchain.services.recovery import recover
from offchain.services.relayer import Relayer
from offchain.services.sequencer import Receipt, Sequencer
from offchain.services.signing import KeySigner
from tests.support.venue import all_feeds

START_NS = 1_760_054_400 * SECOND_NS  # 2025-10-10 00:00 UTC
ENGINE_HASH = engine_hash()
GAS_WEI = 10**20
WINDOW_S = 30
FEE_E6 = 5 * ONE_E6


def signer(name: str) -> KeySigner:
    """Return the same key for the same name, in every run."""
    return KeySigner(keccak256(name.encode()))


def text(address: bytes) -> str:
    """Return an address as the parameter set writes it."""
    return "0x" + address.hex()


ORACLES = sorted((signer(f"oracle {i}") for i in range(7)), key=lambda key: key.address)
SEQUENCER, ATTESTOR, KEEPER = signer("sequencer"), signer("attestor"), signer("keeper")
RELAYER, BACKSTOP = signer("relayer"), signer("backstop")


def rules(insurance_owner: str, grace: tuple[int, TimestampNs] = NO_GRACE) -> RiskParameters:
    """Return the parameter set: BTC and ETH, two expiries, four strikes each."""
    expiries = (("WEEK", START_NS + 7 * DAY_NS), ("MONTH", START_NS + 21 * DAY_NS))
    return pm36(
        (
            Series(BITCOIN, expiries, (100_000, 110_000, 120_000, 130_000)),
            Series(ETHER, expiries, (3_600, 4_000, 4_400, 4_800)),
        ),
        Roles(tuple(text(o.address) for o in ORACLES), insurance_owner, text(BACKSTOP.address)),
        grace=grace,
        breaker=NO_BREAKER,
    )


def config(parameters: RiskParameters) -> DeploymentConfig:
    """Return what the contracts are deployed with."""
    return DeploymentConfig(
        sequencer=text(SEQUENCER.address),
        oracle_signers=tuple(text(o.address) for o in ORACLES),
        oracle_quorum=parameters.oracle.quorum,
        feeds=len(parameters.listing.feeds),
        heartbeat_s=parameters.oracle.heartbeat_ns // SECOND_NS,
        band_e6=parameters.oracle.band_e6,
        grace_reports=parameters.oracle.grace_reports,
        grace_s=parameters.oracle.grace_ns // SECOND_NS,
        terms=terms(parameters),
        curves_hash=curves_hash(parameters),
        listing_root=listing_root(parameters),
        document_hash=keccak256(document(parameters)),
        engine_hash=ENGINE_HASH,
        attestors=(text(ATTESTOR.address),),
        attestor_threshold=1,
        protocol=replace(
            DEVELOPMENT, attested_window_s=WINDOW_S, proven_window_s=WINDOW_S, max_open_batches=4
        ),
        insurance_reserve_e6=10_000 * ONE_E6,
        insurance_seed_e6=100_000 * ONE_E6,
        collaterals=tuple(c.symbol for c in parameters.collateral),
    )


class Devnet:
    """The venue. `now` is its clock [ns]; `do` orders a command and demands that it is accepted."""

    def __init__(
        self,
        anvil: Anvil,
        folder: Path,
        policy: BatchPolicy | None = None,
        grace: tuple[int, TimestampNs] = NO_GRACE,
    ) -> None:
        self.anvil, self.folder, self.now = anvil, folder, START_NS
        self.policy = policy or BatchPolicy()
        web3 = anvil.web3()
        deployer = KeySigner(bytes.fromhex(anvil.keys[0][2:]))
        fund = predict(web3, text(deployer.address), collaterals=len(COLLATERAL))["InsuranceFund"]
        self.rules = rules(str(fund).lower(), grace)
        self.deployment: Deployment = deploy(web3, anvil.keys[0], config(self.rules))
        self.chain = Chain(anvil.url, self.deployment)
        for key in (SEQUENCER, KEEPER, RELAYER, BACKSTOP):
            self.chain.give_gas(key.address, GAS_WEI)
        stake_for(self.chain, SEQUENCER, DEVELOPMENT.minimum_stake_e6)
        self.gateway = Gateway(self.chain.domain("Settlement"))
        self.oracles = OracleNetwork(
            [
                OracleSigner(
                    key, place, self.chain.domain("OracleHub"), self.rules.listing, Noise(place, 0)
                )
                for place, key in enumerate(ORACLES)
            ],
            self.rules.oracle.quorum,
        )
        self.round = self.nonce = 0
        self.start()
        self.do(Genesis(self.rules))

    def start(self) -> None:
        """Begin from log and batches on disk, as after a restart."""
        self.store = LogFile(self.folder / "log")
        self.batches = BatchFiles(self.folder / "batches")
        journal = recover(self.store, cuts=cuts(self.batches))
        self.sequencer = Sequencer(journal, self.store, self)
        self.watcher = InboxWatcher(self.chain, self.sequencer, self.deployment.block_number)
        self.relayer = Relayer(self.chain, RELAYER, self.rules.oracle)
        self.sequencer.subscribe(self.relayer.on_record)
        attestor = LocalAttestor(
            ATTESTOR, self.chain.domain("AttestedVerifier"), lambda _header: True
        )
        self.batcher = Batcher(
            self.sequencer,
            self.chain,
            self.batches,
            SEQUENCER,
            [attestor],
            1,
            self.chain.domain("Settlement"),
            ENGINE_HASH,
            self.policy,
        )
        self.keeper = Keeper(self.chain, self.batcher, KEEPER)

    def stop(self) -> None:
        """Give up what the process holds; the chain goes on."""
        self.store.close()

    def now_ns(self) -> int:
        """Return the time, as a `Clock`."""
        return self.now

    def wait(self, seconds: int) -> None:
        """Let time pass, here and on chain."""
        self.now += seconds * SECOND_NS
        self.chain.set_time(self.now)

    def do(self, command: Command) -> Receipt:
        """Order a command that must be accepted."""
        answer = self.sequencer.submit(command)
        assert not isinstance(answer, Rejected), str(answer)
        return answer

    def account(self, key: KeySigner) -> AccountId:
        """Return the account of an owner."""
        account = self.sequencer.state.accounts.find(key.address, 0)
        assert account is not None
        return AccountId(account)

    def deposit(self, key: KeySigner, usd: int = 0, btc_e8: int = 0, eth_e8: int = 0) -> AccountId:
        """Pay in through the vault and let the watcher bring it; return the account."""
        self.chain.give_gas(key.address, GAS_WEI)
        for asset, amount in enumerate((usd * ONE_E6, btc_e8, eth_e8)):
            if amount:
                self.chain.mint(key, asset, key.address, amount)
                self.chain.approve(key, asset, amount)
                self.chain.deposit(key, asset, amount, key.address)
        self.watcher.poll()
        return self.account(key)

    def report(self, btc_usd: int, eth_usd: int = 4_300) -> PriceReport:
        """Return a signed round at the present time."""
        self.round += 1
        indices = (btc_usd * ONE_E8, eth_usd * ONE_E8)
        seen = all_feeds(self.rules.listing, indices)
        return self.oracles.report(self.round, TimestampNs(self.now), seen)

    def price(self, btc_usd: int, eth_usd: int = 4_300) -> None:
        """Report a price, twice when the first is outside the band, and relay it."""
        self.wait(60)
        self.do(self.report(btc_usd, eth_usd))
        if self.sequencer.state.market.pending is not None:
            self.wait(60)
            self.do(self.report(btc_usd, eth_usd))
        self.relayer.flush()

    def order(
        self,
        key: KeySigner,
        instrument: int,
        lots: int,
        usd: int,
        signed_by: KeySigner | None = None,
    ) -> Receipt:
        """Sign an order, by a trading key if one is given, pass the gate, and order it."""
        self.nonce += 1
        order = PlaceOrder(
            self.account(key),
            InstrumentId(instrument),
            Lots(lots),
            PriceE8(usd * ONE_E8),
            TimeInForce.GOOD_TILL_CANCELLED,
            False,
            self.nonce,
            TimestampNs(self.now + DAY_NS),
            b"",
        )
        return self._signed(signed_by or key, order)

    def force(self, key: KeySigner, function: str, *arguments: object) -> None:
        """Put a forced operation into the inbox, and let the watcher bring it."""
        self.chain.send(key, "Inbox", function, *arguments)
        self.watcher.poll()

    def trade(
        self, buyer: KeySigner, seller: KeySigner, instrument: int, lots: int, usd: int
    ) -> None:
        """Let two traders trade."""
        self.order(seller, instrument, -lots, usd)
        self.order(buyer, instrument, lots, usd)

    def withdraw(self, key: KeySigner, usd: int) -> Receipt:
        """Sign a withdrawal of cash and order it."""
        self.nonce += 1
        soon = TimestampNs(self.now + 60 * SECOND_NS)
        command = Withdraw(self.account(key), 0, usd * ONE_E6, self.nonce, soon, b"")
        return self._signed(key, command)

    def _signed(self, key: KeySigner, intent: PlaceOrder | Withdraw) -> Receipt:
        signed = replace(intent, signature=key.sign(intent_digest(self.gateway.domain, intent)))
        refusal = self.gateway.check(signed, self.sequencer.state, self.now)
        assert refusal is None, refusal
        return self.do(signed)


@contextmanager
def devnet(
    folder: Path,
    policy: BatchPolicy | None = None,
    grace: tuple[int, TimestampNs] = NO_GRACE,
) -> Iterator[Devnet]:
    """Start a chain, deploy, and stop everything whatever happens."""
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS)) as anvil:
        venue = Devnet(anvil, folder, policy, grace)
        try:
            yield venue
        finally:
            venue.stop()
            venue.chain.close()
