"""Governance on a chain of tests: proposals of the timelock that list a token and adopt a set."""

from dataclasses import astuple

from offchain.adapters.anvil import Anvil
from offchain.adapters.chain import Chain
from offchain.adapters.chain_listing import follow_listing
from offchain.adapters.compiler import artifacts
from offchain.core.parameters import RiskParameters
from offchain.core.terms import terms
from offchain.ledger.document import document
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.listing import listing_root
from offchain.ledger.terms import curves_hash
from offchain.services.signing import KeySigner

CAP_E8 = 10**12
LEAST_E8 = 10
DECIMALS = 8
Batch = tuple[list[str], list[int], list[bytes], bytes, bytes]


def governor_of(anvil: Anvil) -> KeySigner:
    """Return who proposes."""
    return KeySigner(bytes.fromhex(anvil.keys[0][2:]))


def new_token(anvil: Anvil, symbol: str) -> str:
    """Create a token that nobody lists; return its address."""
    web3 = anvil.web3()
    made = artifacts().artifact("DevToken")
    contract = web3.eth.contract(abi=made.abi, bytecode=made.bytecode)
    sender = web3.eth.accounts[0]
    sent = contract.constructor(f"Later {symbol}", symbol, DECIMALS).transact({"from": sender})
    address = web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    assert address is not None
    return str(address)


def propose_asset(chain: Chain, proposer: KeySigner, token: str, rules: RiskParameters) -> Batch:
    """Schedule that the vault lists a token, with a cap, and a set that has it; see `execute`."""
    hashes = curves_hash(rules), listing_root(rules), keccak256(document(rules))
    asset = len(rules.collateral)
    calls = (
        ("CollateralVault", "list", (token, LEAST_E8)),
        ("VaultLimits", "setDepositCap", (asset, CAP_E8)),
        ("RiskParameters", "adopt", (astuple(terms(rules)), *hashes)),
    )
    batch: Batch = (
        [chain.contracts[name].checksum_address for name, _, _ in calls],
        [0] * len(calls),
        [chain.contracts[name].function(call).encode(given) for name, call, given in calls],
        ZERO32,
        ZERO32,
    )
    delay = int(chain.call("PlimsollTimelock", "getMinDelay"))
    chain.send(proposer, "PlimsollTimelock", "scheduleBatch", *batch, delay)
    return batch


def execute(chain: Chain, sender: KeySigner, batch: Batch) -> None:
    """Execute a proposal whose time has come, and learn the tokens that it lists."""
    chain.send(sender, "PlimsollTimelock", "executeBatch", *batch)
    follow_listing(chain)
