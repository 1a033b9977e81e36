"""A deployment found from the address of its settlement contract alone."""

from typing import Any

from offchain.adapters.chain_abi import ContractInterface
from offchain.adapters.chain_node import Node
from offchain.adapters.compiler import abi
from offchain.adapters.deployment import Deployment
from offchain.adapters.deployment_plan import (
    JUDGES,
    MINTABLE,
    PARTS,
    contract_name,
    token_name,
)
from offchain.adapters.first_block import first_block_of
from offchain.ledger.typed_data import Domain
from offchain.services.errors import TransactionReverted, WrongChain

GETTERS = (
    "vault",
    "inbox",
    "liquidationManager",
    "riskParameters",
    "insuranceFund",
    "proofRouter",
    "registry",
    "court",
)
"""What the settlement contract names."""
NAMES = {"vault": "CollateralVault", "registry": "SequencerRegistry"}


def discover(url: str, settlement: bytes, first_block: int | None = None) -> Deployment:
    """Return the deployment around a settlement contract, by asking the contracts themselves.

    Parameters
    ----------
    settlement : bytes
        Its 20-byte address: all that a stranger has to know.
    first_block : int
        Where to begin to look for events: no later than the block of the first contract. Found
        by asking for code in the past when it is not given; block 0 if the node keeps no past.

    Raises
    ------
    WrongChain
        There is no settlement contract at the address.
    """
    node = Node(url)
    try:
        return _Discovery(node, settlement).deployment(first_block)
    finally:
        node.close()


class _Discovery:
    """Follows the immutable addresses from the settlement contract."""

    def __init__(self, node: Node, settlement: bytes) -> None:
        self._node, self._settlement = node, settlement

    def deployment(self, first_block: int | None) -> Deployment:
        if not self._node.code(self._settlement):
            raise WrongChain(f"{self._node.url}: there is no code at 0x{self._settlement.hex()}")
        try:
            found = self._walk()
        except TransactionReverted as reverted:
            raise WrongChain(f"0x{self._settlement.hex()} is no settlement: {reverted}") from None
        texts = {name: "0x" + address.hex() for name, address in found.items()}
        chain_id = self._node.chain_id()
        self._demand_chain(chain_id)
        if first_block is None:
            tokens = {name for name in found if contract_name(name) == MINTABLE}
            ours = [address for name, address in found.items() if name not in tokens]
            first_block = first_block_of(self._node, ours)
        return Deployment(chain_id, first_block, texts)

    def _demand_chain(self, chain_id: int) -> None:
        """Ask the contract, so that nothing is signed for another chain that a node names."""
        said = self._read("Settlement", self._settlement, "domainSeparator")
        if said != Domain(chain_id, self._settlement).separator:
            raise WrongChain(
                f"{self._node.url} says that it is chain {chain_id}, but the settlement contract "
                "that it shows is of another one"
            )

    def _walk(self) -> dict[str, bytes]:
        found = {"Settlement": self._settlement}
        for getter in GETTERS:
            name = NAMES.get(getter, getter[0].upper() + getter[1:])
            found[name] = self._ask("Settlement", self._settlement, getter)
        manager, vault = found["LiquidationManager"], found["CollateralVault"]
        found["Exit"] = self._ask("CollateralVault", vault, "exit")
        found["OracleHub"] = self._ask("LiquidationManager", manager, "oracleHub")
        found["AttestedVerifier"] = self._ask("ProofRouter", found["ProofRouter"], "verifierOf", 0)
        found["PlimsollTimelock"] = self._ask("CollateralVault", vault, "governor")
        found["VaultLimits"] = self._ask("CollateralVault", vault, "limits")
        registry = found["SequencerRegistry"]
        found["Guardian"] = self._ask("SequencerRegistry", registry, "guardian")
        found |= self._judges(found["Court"])
        for asset in range(self._read("CollateralVault", vault, "collateralCount") + 1):
            found[token_name(asset)] = self._ask("CollateralVault", vault, "token", asset)
        return found

    def _judges(self, court: bytes) -> dict[str, bytes]:
        """Return the judges of the court, and those behind the judge of effects."""
        judges = {name: self._ask("Court", court, "judgeOf", kind) for name, kind in JUDGES.items()}
        of_effects = judges["EffectsJudge"]
        parts = {
            name: self._ask("EffectsJudge", of_effects, "part", place)
            for place, name in enumerate(PARTS)
        }
        return judges | parts

    def _ask(self, name: str, address: bytes, getter: str, *arguments: object) -> bytes:
        return bytes.fromhex(self._read(name, address, getter, *arguments)[2:])

    def _read(self, name: str, address: bytes, getter: str, *arguments: object) -> Any:
        contract = ContractInterface(name, address, abi(name))
        (value,) = self._node.call(contract, contract.function(getter), arguments)
        return value
