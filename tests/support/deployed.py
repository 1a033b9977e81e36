"""A deployment on a chain of its own, for tests that need the real contracts."""

from dataclasses import dataclass, replace

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

from offchain.adapters.anvil import Anvil
from offchain.adapters.compiler import abi
from offchain.adapters.deployment import Deployment, deploy
from offchain.adapters.deployment_plan import DeploymentConfig, contract_name
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.ledger.terms import Terms

GENESIS_S = 1_760_000_000


def account(name: str) -> LocalAccount:
    """Return the same account for the same name, in every run."""
    signer: LocalAccount = Account.from_key(Web3.keccak(text=name))
    return signer


SEQUENCER = account("sequencer")
ATTESTORS = tuple(account(f"attestor {i}") for i in range(3))
ORACLES = tuple(account(f"oracle {i}") for i in range(7))

CONFIG = DeploymentConfig(
    sequencer=SEQUENCER.address,
    oracle_signers=tuple(o.address for o in ORACLES),
    oracle_quorum=5,
    feeds=6,
    heartbeat_s=120,
    band_e6=50_000,
    grace_reports=3,
    grace_s=60,
    terms=Terms(800_000, 1_000_000, 600_000, 500_000, 500_000, 850_000, 5_000_000, 5_000_000),
    curves_hash=Web3.keccak(text="curves"),
    listing_root=Web3.keccak(text="listing"),
    document_hash=Web3.keccak(text="document"),
    engine_hash=Web3.keccak(text="engine"),
    attestors=tuple(a.address for a in ATTESTORS),
    attestor_threshold=2,
    protocol=replace(
        DEVELOPMENT, attested_window_s=30, proven_window_s=30, max_open_batches=4, max_skew_s=15
    ),
    insurance_reserve_e6=1_000_000_000,
    insurance_seed_e6=250_000_000,
    index_feeds=("BTC / USD", "ETH / USD"),
    collaterals=("WBTC", "WETH"),
)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A node, what was deployed on it, and by whom."""

    anvil: Anvil
    web3: Web3
    deployer: LocalAccount
    deployment: Deployment

    def contract(self, name: str) -> Contract:
        """Return a contract of the deployment."""
        address = self.deployment.address(name)
        return self.web3.eth.contract(address=address, abi=abi(contract_name(name)))


def deployed(anvil: Anvil, config: DeploymentConfig = CONFIG) -> Deployed:
    """Deploy to a running chain with its first funded account."""
    web3 = anvil.web3()
    deployer: LocalAccount = Account.from_key(anvil.keys[0])
    return Deployed(anvil, web3, deployer, deploy(web3, anvil.keys[0], config))
