"""A planted bad batch: a thief has the sequencer's key, a stranger watches, a judge decides."""

from dataclasses import dataclass, replace

from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import ChainCourt
from offchain.adapters.chain_discovery import discover
from offchain.app.demo.venue import DemoVenue
from offchain.app.devnet import GAS_MONEY_WEI, stake_for
from offchain.app.keys import development_key
from offchain.core.units import ONE_E6
from offchain.engine.events import NO_ACCOUNT
from offchain.engine.messages import FundingTick
from offchain.ledger.batch import Batch
from offchain.ledger.header import BatchHeader, header_digest
from offchain.ledger.journal import Journal
from offchain.ledger.merkle import list_root
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.wire import Record
from offchain.services.watch.authenticity import Authenticity
from offchain.services.watch.watcher import Watcher

STOLEN_E6 = 1_000_000 * ONE_E6


@dataclass(frozen=True, slots=True)
class Dispute:
    """What came of it: the kinds of the faults that were upheld, and what the stranger got."""

    kinds: tuple[int, ...]
    collected_e6: int
    is_reverted: bool


def dispute(venue: DemoVenue) -> Dispute:
    """Commit a batch that pays a thief, and let a stranger have it reverted.

    Everything that the venue has was committed before; afterwards the sequencer stakes again, and
    the venue goes on as if nothing had been.
    """
    devnet, chain = venue.node.devnet, venue.node.chain
    before = chain.head()
    _plant(venue)
    assert chain.head() == before + 1
    bond_e6 = int(chain.call("Court", "bondE6"))
    stranger = development_key("watcher")
    chain.give_gas(stranger.address, GAS_MONEY_WEI)
    chain.mint(stranger, 0, stranger.address, bond_e6)
    with Chain(chain.node.url, discover(chain.node.url, _settlement(chain))) as seen_by_all:
        court = ChainCourt(seen_by_all)
        domains = seen_by_all.domain("Settlement"), seen_by_all.domain("OracleHub")
        seen = Watcher(court, Authenticity(*domains, court.entry), stranger).step()
    is_reverted = chain.head() == before
    _, _, is_bonded = chain.sequencer()
    if not is_bonded:
        stake_for(
            chain, devnet.keys.sequencer, int(chain.call("SequencerRegistry", "minimumStake"))
        )
    return Dispute(tuple(found.kind for found in seen.upheld), seen.collected_e6, is_reverted)


def _plant(venue: DemoVenue) -> None:
    """Commit a batch whose output nobody asked for, with the sequencer's own key."""
    node, chain = venue.node, venue.node.chain
    with node.sequencer.lock:
        journal = Journal.restore(node.sequencer.journal.snapshot())
        now = node.sequencer.now_ns()
    journal.apply(Record(journal.state.last_seq + 1, now, journal.fence, FundingTick()))
    batch = journal.cut(node.devnet.engine_hash, chain.anchor(confirmations=1))
    header = _paying(batch, journal, development_key("thief").address)
    key = node.devnet.keys.sequencer
    signature = key.sign(header_digest(chain.domain("Settlement"), header))
    chain.commit(key, header, signature, batch.data)


def _paying(batch: Batch, journal: Journal, thief: bytes) -> BatchHeader:
    output = Output(journal.state.next_output_id, NO_ACCOUNT, thief, 0, STOLEN_E6)
    leaves = [output_hash(each) for each in (*batch.outputs, output)]
    return replace(batch.header, output_root=list_root(leaves))


def _settlement(chain: Chain) -> bytes:
    return chain.contracts["Settlement"].address
