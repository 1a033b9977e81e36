"""The inquiry into a checkpoint that is not the honest one: its paths are demanded one by one."""

from collections.abc import Iterator, Mapping
from functools import partial

from offchain.ledger.header import batch_hash
from offchain.ledger.keccak import ZERO32
from offchain.ledger.merkle import ACCOUNT_TREE_DEPTH
from offchain.services import demands
from offchain.services.checkpoint_probe import CheckpointProbe, ShownWalk
from offchain.services.demands import DemandChain
from offchain.services.ports import Signer
from offchain.services.watch.inquest import NOTHING, Case, Defence, Finding
from offchain.services.watch.judges import books


class PathInquiry:
    """Demands the paths of checkpoints, and shows those of batches that hold.

    Parameters
    ----------
    signer : Signer
        Pays gas and bonds, and gets the bonds of what it shows.
    """

    most_demands = ACCOUNT_TREE_DEPTH

    def __init__(self, chain: DemandChain, signer: Signer) -> None:
        self._chain, self._signer = chain, signer
        self._inquiry = demands.Inquiry(chain, signer)

    def look(self, case: Case) -> Finding:
        """Return what a step would find or demand, and send nothing."""
        own, header = case.checkpoint, case.header
        if own is None or not _is_other(case):
            return NOTHING
        hash_of_batch = batch_hash(header)
        wanted = CheckpointProbe(own, header.checkpoint_root).next(
            self._chain.shown_paths(hash_of_batch)
        )
        if isinstance(wanted, ShownWalk):
            return _decidable(case, wanted)
        now = self._chain.block_time()
        waiting = [d for d in self._chain.open_demands() if d.batch_hash == hash_of_batch]
        times = [d.until_s for d in waiting if d.account == wanted or d.until_s < now]
        if times:
            return Finding(until_s=min(times))
        return NOTHING if wanted is None else Finding(demanded=path_of(wanted))

    def step(self, case: Case) -> Finding:
        """Look at the answers, and demand the next path or settle what nobody answered.

        Raises
        ------
        TransactionReverted
            A demand is refused for good: the window of the batch is over, or there is no bond.
        """
        own = case.checkpoint
        if own is None or not _is_other(case):
            return NOTHING
        found = self._inquiry.step(case.header, own)
        if found.walk is not None:
            return _decidable(case, found.walk)
        if found.reverted:
            return Finding(is_settled=True)
        if found.asked is not None:
            return Finding(demanded=path_of(found.asked))
        if found.until_s is not None:
            return Finding(until_s=found.until_s)
        return Finding(until_s=self._chain.block_time())  # somebody else was quicker just now

    def defences(self, held: Mapping[bytes, Case]) -> Iterator[Defence]:
        """Yield the paths that are demanded of batches that hold, and still can be shown."""
        now = self._chain.block_time()
        for demand in self._chain.open_demands():
            case = held.get(demand.batch_hash)
            own = None if case is None else case.checkpoint
            if case is None or own is None or demand.until_s < now:
                continue
            show = partial(demands.show, self._chain, self._signer, demand, case.header, own)
            yield Defence(demand.batch_no, path_of(demand.account), demand.until_s, show)


def path_of(account: int) -> str:
    """Return what is demanded, in words."""
    return f"the path of account {account}"


def _is_other(case: Case) -> bool:
    """Tell whether the batch has a checkpoint and it is not the honest one."""
    own, root = case.checkpoint, case.header.checkpoint_root
    return own is not None and root not in (ZERO32, own.root.hash)


def _decidable(case: Case, walk: ShownWalk) -> Finding:
    assert case.closing is not None
    return Finding(tuple(books.of_walk(case.closing, walk)))
