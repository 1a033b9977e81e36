"""The tokens of the vault: governance may list more than a deployment began with."""

from dataclasses import replace

from offchain.adapters.chain import Chain
from offchain.adapters.chain_abi import ContractInterface
from offchain.adapters.compiler import abi
from offchain.adapters.deployment_plan import contract_name, token_name


def follow_listing(chain: Chain) -> None:
    """Let a chain know every token that its vault lists; ChainError when it does not answer."""
    known = len(chain.deployment.tokens)
    listed = int(chain.call("CollateralVault", "collateralCount")) + 1
    found: dict[str, str] = {}
    for asset in range(known, listed):
        name, address = token_name(asset), str(chain.call("CollateralVault", "token", asset))
        raw = bytes.fromhex(address.removeprefix("0x"))
        chain.contracts[name] = ContractInterface(name, raw, abi(contract_name(name)))
        found[name] = address
    if found:
        chain.deployment = replace(
            chain.deployment, addresses={**chain.deployment.addresses, **found}
        )
