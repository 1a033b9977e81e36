"""``plimsoll watch``: a stranger's watcher, with an RPC URL, one address and a key."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from offchain.adapters.chain import Chain
from offchain.adapters.chain_contents import ChainContents
from offchain.adapters.chain_court import ChainCourt
from offchain.adapters.chain_demands import ChainDemands
from offchain.adapters.chain_discovery import discover
from offchain.app.keeper_command import read_key
from offchain.services.watch.authenticity import Authenticity
from offchain.services.watch.content_inquiry import ContentInquiry
from offchain.services.watch.inquest import Inquiry
from offchain.services.watch.path_inquiry import PathInquiry
from offchain.services.watch.watcher import Sightings, Watcher, WatchPolicy

POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class WatchChoices:
    """What the command line says.

    Attributes
    ----------
    steps : int
        0 runs until interrupted.
    beacon : str, optional
        Where blobs are read; from the node itself, a development node, when it is not given.
    may_defend : bool
        Show what is demanded of batches that hold.
    first_block : int, optional
        As `discover` takes it.
    """

    rpc: str
    settlement: bytes
    key: Path
    steps: int = 0
    is_dry: bool = False
    may_freeze: bool = False
    beacon: str | None = None
    may_defend: bool = True
    first_block: int | None = None


def run_watch(choices: WatchChoices, tell: Callable[[dict[str, object]], None]) -> bool:
    """Watch for some steps, or until interrupted; `tell` gets what a step saw, if it is news.

    Returns
    -------
    bool
        Whether everything that was committed is right, or was reverted.
    """
    signer = read_key(choices.key)
    deployment = discover(choices.rpc, choices.settlement, choices.first_block)
    chain = Chain(choices.rpc, deployment, beacon_url=choices.beacon)
    court = ChainCourt(chain)
    authenticity = Authenticity(chain.domain("Settlement"), chain.domain("OracleHub"), court.entry)
    policy = WatchPolicy(choices.is_dry, choices.may_freeze, choices.may_defend)
    inquiries: list[Inquiry] = [
        PathInquiry(ChainDemands(chain), signer),
        ContentInquiry(ChainContents(chain), signer),
    ]
    watcher = Watcher(court, authenticity, signer, policy, inquiries)
    is_right, done = True, 0
    told: dict[str, object] = {}
    try:
        while not choices.steps or done < choices.steps:
            seen = watcher.step()
            is_right = not _is_left(seen) and (not seen.upheld or not choices.is_dry)
            found = as_json(seen)
            if found and found != told:
                tell(found)
            told = found
            done += 1
            if not choices.steps:
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        pass
    finally:
        chain.close()
    return is_right


def _is_left(seen: Sightings) -> bool:
    """Tell whether a batch still stands that is not right."""
    return bool(seen.unprovable or seen.demanded or seen.awaited)


def as_json(seen: Sightings) -> dict[str, object]:
    """Return what there is to say of a step, integers as they are."""
    found = {name: value for name, value in asdict(seen).items() if value}
    for name, value in found.items():
        if isinstance(value, dict):
            found[name] = {str(number): what for number, what in value.items()}
    return found
