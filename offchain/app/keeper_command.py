"""``plimsoll keeper``: a stranger's keeper, with an RPC URL, two addresses and a key."""

import time
from pathlib import Path

from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.client import ApiClient
from offchain.adapters.client_witnesses import ApiWitnesses
from offchain.services.errors import OffchainError
from offchain.services.keeper import Keeper
from offchain.services.signing import KeySigner

POLL_S = 1.0


class KeyFileError(OffchainError):
    """A key file does not hold one 0x private key of 32 bytes."""


def read_key(path: Path) -> KeySigner:
    """Return the signer of a key file."""
    text = path.read_text().strip()
    try:
        key = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise KeyFileError(f"{path} does not hold one 0x private key of 32 bytes")
    return KeySigner(key)


def run_keeper(rpc: str, settlement: bytes, api: str, key: Path, steps: int) -> dict[str, int]:
    """Run a keeper for some steps, or until interrupted; return what it did."""
    chain = Chain(rpc, discover(rpc, settlement))
    keeper = Keeper(chain, ApiWitnesses(ApiClient(api)), read_key(key))
    done = 0
    try:
        while not steps or done < steps:
            keeper.step()
            keeper.claim()
            done += 1
            if not steps:
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        pass
    finally:
        chain.close()
    earnings = keeper.earnings
    return {
        "verified": earnings.verified,
        "earned_e6": earnings.earned_e6,
        "gas_used": earnings.gas_used,
    }
