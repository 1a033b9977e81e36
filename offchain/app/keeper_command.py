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
    """Return the signer of a key file; KeyFileError, which never shows what the file holds."""
    wrong = KeyFileError(f"{path} does not hold one 0x private key of 32 bytes")
    digits = path.read_bytes().strip().removeprefix(b"0x")
    try:
        key = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise wrong from None
    if len(key) != 32:
        raise wrong
    try:
        return KeySigner(key)
    except ValueError:  # zero, or beyond the order of the curve
        raise wrong from None


def run_keeper(
    rpc: str,
    settlement: bytes,
    api: str,
    key: Path,
    steps: int,
    first_block: int | None = None,
) -> dict[str, int]:
    """Run a keeper for some steps, or until interrupted; return what it did."""
    signer = read_key(key)
    chain = Chain(rpc, discover(rpc, settlement, first_block))
    keeper = Keeper(chain, ApiWitnesses(ApiClient(api)), signer)
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
