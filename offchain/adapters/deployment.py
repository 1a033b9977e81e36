"""Deployment: every contract, wired for ever, in one deterministic order.

The core contracts refer to one another through immutable addresses, in circles. That works because
the address of a contract is known before it exists: it follows from the deployer and the nonce.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, HexStr
from web3 import Web3
from web3.types import Nonce, TxParams, TxReceipt
from web3.utils.address import get_create_address

from offchain.adapters.compiler import Artifacts, artifacts
from offchain.adapters.deployment_plan import (
    ATTESTED,
    CASH,
    COLLATERALS,
    MINTABLE,
    DeploymentConfig,
    constructor_arguments,
    contract_name,
    creations,
    token_name,
)
from offchain.services.errors import OffchainError, WrongChain

SCHEMA = "plimsoll.deployment.v3"
ADMIN_ROLE = bytes(32)
"""OpenZeppelin's DEFAULT_ADMIN_ROLE."""
HANDED_OVER = ("ProofRouter", "InsuranceFund")
"""What the deployer sets up and then leaves to the timelock."""
RECEIPT_TIMEOUT_S = 60.0
RECEIPT_POLL_S = 0.02


class DeploymentError(OffchainError):
    """A step of a deployment was refused or reverted, or a name is not part of it."""


class DeploymentFileError(DeploymentError):
    """A file is not the record of a deployment."""


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
        Pays for everything. It keeps no power, but to tighten parameters and what the
        configuration gives it by name.

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
    for name, arguments in constructor_arguments(at, owner.address, config).items():
        if config.tokens and contract_name(name) == MINTABLE:
            continue
        receipt = steps.create(name, arguments)
        assert receipt["contractAddress"] == at[name], f"{name} is not where it was predicted"
        first = first or receipt["blockNumber"]
    steps.call(at, "ProofRouter", "register", ATTESTED, at["AttestedVerifier"], False)
    _fund(steps, at, owner.address, config)
    for name in HANDED_OVER:
        steps.call(at, name, "grantRole", ADMIN_ROLE, at["PlimsollTimelock"])
        steps.call(at, name, "renounceRole", ADMIN_ROLE, owner.address)
    return Deployment(chain_id, first, {name: str(address) for name, address in at.items()})


def _fund(steps: "_Steps", at: Mapping[str, str], owner: str, config: DeploymentConfig) -> None:
    amount_e6 = config.insurance_reserve_e6 + config.insurance_seed_e6
    if amount_e6 and not config.tokens:
        steps.call(at, CASH, "mint", owner, amount_e6)
    if amount_e6:
        steps.call(at, CASH, "approve", at["InsuranceFund"], amount_e6)
        steps.call(at, "InsuranceFund", "fund", amount_e6)
    if config.insurance_seed_e6:
        steps.call(at, "InsuranceFund", "seed", config.insurance_seed_e6)


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
