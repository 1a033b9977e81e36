"""The blocks of a chain, and the clock of a development chain."""

from offchain.adapters.chain_node import Block, Node
from offchain.adapters.deployment import Deployment
from offchain.core.units import SECOND_NS
from offchain.ledger.closing import Anchor
from offchain.services.errors import WrongChain

DEVELOPMENT_CHAIN = 31_337
ANCHOR_BLOCKS = 200
"""A contract sees the hashes of 256 blocks; the rest is time to get into a block."""


class ChainClock:
    """What a deployment's chain says of its blocks."""

    node: Node
    deployment: Deployment

    def anchor(self, confirmations: int = 0) -> Anchor:
        """Return the block that a batch which is committed now may name."""
        # One below the newest at least: a node that estimates gas may not know that hash yet.
        block = self.block(max(self.block_number() - max(confirmations, 1), 0))
        return Anchor(block.number, block.hash)

    def is_canonical(self, anchor: Anchor) -> bool:
        """Return whether a block is still the chain's, and young enough to be named."""
        newest = self.block_number()
        if not newest - ANCHOR_BLOCKS <= anchor.number <= newest:
            return False
        return self.block(anchor.number).hash == anchor.hash

    def block_number(self) -> int:
        """Return the number of the newest block."""
        return self.node.block_number()

    def block(self, number: int | None = None) -> Block:
        """Return a block, the newest one by default."""
        return self.node.block(number)

    def block_hash(self, number: int) -> bytes:
        """Return the hash of the block that the chain has under a number."""
        return self.block(number).hash

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        return self.node.block().time_s

    def set_time(self, time_ns: int) -> None:
        """Mine a block at a time [ns, rounded up to s]; nothing when that is not in the future.

        Only on a development chain. Later blocks follow in steps of zero seconds, so that the
        chain's time is what was set last.
        """
        self._demand_development()
        time_s = -(-time_ns // SECOND_NS)
        self.node.request("anvil_setBlockTimestampInterval", 0)
        if time_s > self.block_time():
            self.node.request("evm_setNextBlockTimestamp", time_s)
            self.mine()

    def mine(self) -> None:
        """Mine an empty block, on a development chain."""
        self._demand_development()
        self.node.request("evm_mine")

    def give_gas(self, address: bytes, amount_wei: int) -> None:
        """Set the native balance of an address, on a development chain. [wei]"""
        self._demand_development()
        self.node.request("anvil_setBalance", "0x" + address.hex(), hex(amount_wei))

    def _demand_development(self) -> None:
        if self.deployment.chain_id != DEVELOPMENT_CHAIN:
            raise WrongChain(f"chain {self.deployment.chain_id} is no development chain")
