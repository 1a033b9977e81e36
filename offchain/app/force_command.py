"""``plimsoll force``: operations that the sequencer cannot pass by, with the owner's own key."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.app.keeper_command import read_key
from offchain.engine.messages import EntryKind
from offchain.services.errors import ChainUnreachable
from offchain.services.ports import TransactionReceipt

FUNCTIONS = {
    EntryKind.WITHDRAWAL: "forceWithdraw",
    EntryKind.CANCEL_ALL: "forceCancelAll",
    EntryKind.CLOSE: "forceClose",
    EntryKind.GRANT: "grantKey",
    EntryKind.REVOKE: "revokeKey",
}


@dataclass(frozen=True, slots=True)
class Forcing:
    """One operation of the inbox: its kind, and the arguments that the inbox takes."""

    kind: EntryKind
    arguments: tuple[object, ...]


def run_force(rpc: str, settlement: bytes, key: Path, forcing: Forcing) -> dict[str, Any]:
    """Queue an operation in the inbox.

    Parameters
    ----------
    key : Path
        File with the key of the owner, whose accounts the operation is about.

    Returns
    -------
    dict
        Its place in the queue, and from when on anyone may freeze the venue if it still waits there
        at the front. [s since 1970]

    Raises
    ------
    TransactionReverted
        The inbox refuses: the venue is frozen, the asset is unknown, the key was granted before.
    """
    signer = read_key(key)
    with Chain(rpc, discover(rpc, settlement, 0)) as chain:  # one block is all that is read
        receipt = chain.send(signer, "Inbox", FUNCTIONS[forcing.kind], *forcing.arguments)
        deadline = int(chain.call("Settlement", "forcedDeadline"))
        event = _entry_of(chain, receipt)
    return {
        "index": int(event["index"]),
        "kind": forcing.kind.name,
        "owner": f"0x{signer.address.hex()}",
        "time": int(event["time"]),
        "freezable_from": int(event["time"]) + deadline + 1,
        "block": receipt.block,
        "transaction": f"0x{receipt.transaction_hash.hex()}",
        "gas_used": receipt.gas_used,
    }


def _entry_of(chain: Chain, receipt: TransactionReceipt) -> Mapping[str, Any]:
    """Return what the inbox said of a transaction; ChainUnreachable when the node shows nothing."""
    for event in chain.history.events(["Inbox"], receipt.block, receipt.block):
        if event.transaction_hash == receipt.transaction_hash:
            return event.arguments
    raise ChainUnreachable(
        f"transaction 0x{receipt.transaction_hash.hex()} is in block {receipt.block}, but the node "
        "does not show its entry in the inbox; it is queued if another node shows it"
    )
