"""Deployment: every contract, wired for ever, in one deterministic order.

The core contracts refer to one another through immutable addresses, in circles. That works because
the address of a contract is known before it exists: it follows from the deployer and the nonce.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, HexStr
from web3 import Web3
from web3.types import Nonce, TxParams, TxReceipt
from web3.utils.address import get_create_address

from offchain.adapters.compiler import Artifacts, artifacts
from offchain.core.units import SECOND_NS
from offchain.ledger.terms import Terms
from offchain.services.errors import OffchainError, WrongChain

SCHEMA = "plimsoll.deployment.v2"
DEVELOPMENT_CHAIN = 31_337
ATTESTED = 0
RECEIPT_TIMEOUT_S = 60.0
RECEIPT_POLL_S = 0.02

MINTABLE = "DevToken"
CASH, COLLATERAL = "Cash", "Collateral"
CASH_DECIMALS, COLLATERAL_DECIMALS = 6, 8
CORE = (
    "AttestedVerifier",
    "ProofRouter",
    "RiskParameters",
    "OracleHub",
    "InsuranceFund",
    "CollateralVault",
    "Inbox",
    "LiquidationManager",
    "Settlement",
)
"""The names of the core contracts in the order of creation, after the tokens."""
COLLATERALS = ("WBTC",)


def token_name(asset: int) -> str:
    """Return the name of an asset's token in a deployment."""
    return f"{COLLATERAL}{asset}" if asset else CASH


def creations(collaterals: int = len(COLLATERALS), feeds: int = 0) -> tuple[str, ...]:
    """Return the names of a deployment in the order of creation: tokens, core, price feeds."""
    tokens = tuple(token_name(asset) for asset in range(collaterals + 1))
    return (*tokens, *CORE, *(f"Feed{i}" for i in range(feeds)))


class DeploymentError(OffchainError):
    """A step of a deployment was refused or reverted, or a name is not part of it."""


class DeploymentFileError(DeploymentError):
    """A file is not the record of a deployment."""


@dataclass(frozen=True, slots=True)
class DeploymentConfig:
    """Everything that a deployment fixes.

    Parameters
    ----------
    sequencer, oracle_signers, attestors : str
        Addresses. Their order does not matter; contracts hold them ascending.
    feeds : int
        Numbers in every oracle report.
    index_feeds : tuple of str
        Names of the first feeds, each of which gets a Chainlink-shaped contract.
    band_e6 : int
        Largest step of a price that needs no confirmation. [1e-6]
    curves_hash, document_hash : bytes
        keccak256 of the packed tier curves and of the canonical document of the parameter set.
    insurance_reserve_e6, insurance_seed_e6 : int
        Cash in the fund for keepers, and cash deposited for the engine's account. [USD e-6]
    collaterals : tuple of str
        Symbols of the collateral assets 1, 2, .. of the parameter set.
    tokens : tuple of str, optional
        Cash (6 decimals) and every collateral (8) that exist already; mintable development tokens,
        which refuse every chain but a development chain, are created when it is not given.
    allowed_chains : tuple of int
        Chain ids on which this configuration may be deployed.
    """

    sequencer: str
    oracle_signers: tuple[str, ...]
    oracle_quorum: int
    feeds: int
    heartbeat_s: int
    band_e6: int
    terms: Terms
    curves_hash: bytes
    document_hash: bytes
    engine_hash: bytes
    attestors: tuple[str, ...]
    attestor_threshold: int
    challenge_window_s: int
    max_open_batches: int
    max_skew_s: int
    insurance_reserve_e6: int = 0
    insurance_seed_e6: int = 0
    index_feeds: tuple[str, ...] = ()
    collaterals: tuple[str, ...] = COLLATERALS
    tokens: tuple[str, ...] | None = None
    allowed_chains: tuple[int, ...] = (DEVELOPMENT_CHAIN,)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a deployment is.

    `addresses` are checksummed, by the names of `creations`: ``Cash``, ``Collateral1``, ..,
    ``Settlement``, ``Feed0``, ..; `block_number` is the block of its first contract, where readers
    of events begin.
    """

    chain_id: int
    block_number: int
    addresses: Mapping[str, str]

    def address(self, name: str) -> ChecksumAddress:
        """Return the address of a contract; DeploymentError when the name is unknown."""
        try:
            return Web3.to_checksum_address(self.addresses[name])
        except (KeyError, ValueError):
            raise DeploymentError(f"the deployment has no address of {name}") from None

    @property
    def tokens(self) -> tuple[str, ...]:
        """The names of the tokens by asset number, cash first."""
        found = sum(contract_name(name) == MINTABLE for name in self.addresses)
        return tuple(token_name(asset) for asset in range(found))

    def save(self, path: Path) -> None:
        """Write the record as JSON; integers are decimal strings."""
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {
            "schema": SCHEMA,
            "chain_id": str(self.chain_id),
            "block_number": str(self.block_number),
            "addresses": dict(self.addresses),
        }
        path.write_text(json.dumps(record, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Deployment":
        """Read a record; DeploymentFileError when it is missing or not one."""
        try:
            record = json.loads(path.read_text())
            if record["schema"] != SCHEMA:
                raise DeploymentFileError(f"{path}: schema {record['schema']!r}, not {SCHEMA!r}")
            addresses = {
                str(k): str(Web3.to_checksum_address(v)) for k, v in record["addresses"].items()
            }
            return cls(int(record["chain_id"]), int(record["block_number"]), addresses)
        except (OSError, KeyError, TypeError, ValueError, AttributeError) as broken:
            raise DeploymentFileError(f"{path} is not a deployment record: {broken}") from broken


def predict(
    web3: Web3,
    deployer: str,
    feeds: int = 0,
    tokens: Sequence[str] | None = None,
    collaterals: int = len(COLLATERALS),
) -> dict[str, ChecksumAddress]:
    """Return the addresses that `deploy` will use if it is the deployer's next act.

    A parameter set names the insurance fund, and the fund's contracts hold the hash of that set:
    so the address must be known before either exists.
    """
    owner = Web3.to_checksum_address(deployer)
    nonce = web3.eth.get_transaction_count(owner)
    names = creations(collaterals, feeds)
    given = {token_name(i): Web3.to_checksum_address(t) for i, t in enumerate(tokens or ())}
    created = [name for name in names if name not in given]
    at = {name: get_create_address(owner, Nonce(nonce + i)) for i, name in enumerate(created)}
    return {name: given.get(name) or at[name] for name in names}


def deploy(web3: Web3, deployer_key: str | bytes, config: DeploymentConfig) -> Deployment:
    """Create all contracts, register the attested verifier and fund the insurance.

    Parameters
    ----------
    deployer_key : str or bytes
        Pays for everything, and is the admin of what has one.

    Returns
    -------
    Deployment
        All addresses, each checked to be the predicted one.

    Raises
    ------
    WrongChain
        The chain id is not in `config.allowed_chains`.
    DeploymentError
        The node or a contract refused a step.
    CompilerError
        The contracts do not compile.
    """
    chain_id = web3.eth.chain_id
    if chain_id not in config.allowed_chains:
        allowed = ", ".join(map(str, config.allowed_chains))
        raise WrongChain(f"this is chain {chain_id}; the configuration allows {allowed}")
    owner = Account.from_key(deployer_key)
    if config.tokens and len(config.tokens) != len(config.collaterals) + 1:
        raise DeploymentError("a token for cash and for each collateral, or for none")
    feeds, collaterals = len(config.index_feeds), len(config.collaterals)
    at = predict(web3, owner.address, feeds, config.tokens, collaterals)
    steps = _Steps(web3, owner, artifacts())
    first = 0
    for name, arguments in _creations(at, owner.address, config).items():
        if config.tokens and contract_name(name) == MINTABLE:
            continue
        receipt = steps.create(name, arguments)
        assert receipt["contractAddress"] == at[name], f"{name} is not where it was predicted"
        first = first or receipt["blockNumber"]
    steps.call(at, "ProofRouter", "register", ATTESTED, at["AttestedVerifier"])
    _fund(steps, at, owner.address, config)
    return Deployment(chain_id, first, {name: str(address) for name, address in at.items()})


def _creations(
    at: Mapping[str, str], admin: str, config: DeploymentConfig
) -> dict[str, Sequence[Any]]:
    """Return the constructor arguments of every contract, in the order of creation."""
    limits = (
        config.feeds,
        config.band_e6,
        config.heartbeat_s * SECOND_NS,
        config.max_skew_s * SECOND_NS,
    )
    rules = (astuple(config.terms), config.curves_hash, config.document_hash)
    symbols = enumerate(config.collaterals, start=1)
    collaterals = {
        token_name(asset): (f"Development {symbol}", symbol, COLLATERAL_DECIMALS)
        for asset, symbol in symbols
    }
    signers, attestors = _ascending(config.oracle_signers), _ascending(config.attestors)
    settlement = (
        at["CollateralVault"],
        at["Inbox"],
        at["LiquidationManager"],
        at["RiskParameters"],
        at["InsuranceFund"],
        at["ProofRouter"],
        Web3.to_checksum_address(config.sequencer),
        config.challenge_window_s,
        config.max_open_batches,
        config.max_skew_s,
        config.engine_hash,
    )
    fund = (at[CASH], at["CollateralVault"], at["Settlement"], at["LiquidationManager"], admin)
    arguments: dict[str, Sequence[Any]] = {
        CASH: ("Development dollar", "USDC", CASH_DECIMALS),
        **collaterals,
        "AttestedVerifier": (attestors, config.attestor_threshold),
        "ProofRouter": (admin,),
        "RiskParameters": (admin, admin, *rules),
        "OracleHub": (admin, limits, signers, config.oracle_quorum),
        "InsuranceFund": fund,
        "CollateralVault": (
            at["Inbox"],
            at["Settlement"],
            at[CASH],
            [at[name] for name in collaterals],
        ),
        "Inbox": (at["CollateralVault"],),
        "LiquidationManager": tuple(
            at[n] for n in ("Settlement", "OracleHub", "RiskParameters", "InsuranceFund")
        ),
        "Settlement": (settlement,),
    }
    assert tuple(arguments) == creations(len(config.collaterals))
    for i, name in enumerate(config.index_feeds):
        arguments[f"Feed{i}"] = (at["OracleHub"], i, name)
    return arguments


def _fund(steps: "_Steps", at: Mapping[str, str], owner: str, config: DeploymentConfig) -> None:
    amount_e6 = config.insurance_reserve_e6 + config.insurance_seed_e6
    if amount_e6 and not config.tokens:
        steps.call(at, CASH, "mint", owner, amount_e6)
    if amount_e6:
        steps.call(at, CASH, "approve", at["InsuranceFund"], amount_e6)
        steps.call(at, "InsuranceFund", "fund", amount_e6)
    if config.insurance_seed_e6:
        steps.call(at, "InsuranceFund", "seed", config.insurance_seed_e6)


def _ascending(addresses: Sequence[str]) -> list[ChecksumAddress]:
    return sorted(map(Web3.to_checksum_address, addresses), key=lambda a: int(a, 16))


def contract_name(name: str) -> str:
    """Return the Solidity contract behind a name of a deployment."""
    if name == CASH or name.removeprefix(COLLATERAL).isdigit():
        return MINTABLE
    return "ChainlinkFeed" if name.startswith("Feed") else name


@dataclass(frozen=True, slots=True)
class _Steps:
    """Signed transactions of the deployer, one after the other."""

    web3: Web3
    owner: LocalAccount
    artifacts: Artifacts

    def create(self, name: str, arguments: Sequence[Any]) -> TxReceipt:
        artifact = self.artifacts.artifact(contract_name(name))
        contract = self.web3.eth.contract(abi=artifact.abi, bytecode=HexStr(artifact.bytecode))
        return self._send(name, contract.constructor(*arguments))

    def call(self, at: Mapping[str, str], name: str, function: str, *arguments: Any) -> TxReceipt:
        contract = self.web3.eth.contract(
            address=Web3.to_checksum_address(at[name]),
            abi=self.artifacts.abi(contract_name(name)),
        )
        return self._send(f"{name}.{function}", contract.functions[function](*arguments))

    def _send(self, what: str, call: Any) -> TxReceipt:
        nonce = self.web3.eth.get_transaction_count(self.owner.address)
        try:
            params = cast(
                "TxParams", call.build_transaction({"from": self.owner.address, "nonce": nonce})
            )
            signed = self.owner.sign_transaction(cast("dict[str, Any]", params))
            sent = self.web3.eth.send_raw_transaction(signed.raw_transaction)
            receipt = self.web3.eth.wait_for_transaction_receipt(
                sent, timeout=RECEIPT_TIMEOUT_S, poll_latency=RECEIPT_POLL_S
            )
        except Exception as refused:
            raise DeploymentError(f"{what}: {refused}") from refused
        if receipt["status"] != 1:
            raise DeploymentError(f"{what}: reverted in block {receipt['blockNumber']}")
        return receipt
