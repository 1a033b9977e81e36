"""L-1: a stranger sees when each cause of a freeze is due, to the second, and freezes then."""

from collections.abc import Iterator

import pytest

from offchain.adapters.chain_abi import checksum
from offchain.adapters.chain_exit import ChainExit
from offchain.app.exit_command import leave
from offchain.core.units import SECOND_NS
from offchain.services.errors import NotFrozenYet, TransactionReverted
from offchain.services.freezing import FreezeCause, FreezeChance, FreezeOutlook
from tests.support.devnet import GAS_WEI, Devnet, devnet, signer

ALICE, STRANGER = signer("alice"), signer("stranger")
LIVENESS_S = REPAIR_S = 3_600


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Return a venue with one committed batch, which consumed every entry of the inbox."""
    with devnet(tmp_path_factory.mktemp("freezing")) as venue:
        venue.chain.give_gas(STRANGER.address, GAS_WEI)
        venue.deposit(ALICE, usd=50_000)
        venue.batcher.step(force=True)
        assert venue.chain.head() == 1
        yield venue


@pytest.fixture
def venue(deployed: Devnet) -> Iterator[Devnet]:
    """Return the venue as it was, for every test."""
    snapshot = deployed.chain.node.request("evm_snapshot")
    yield deployed
    deployed.chain.node.request("evm_revert", snapshot)


def chance_of(way_out: ChainExit, cause: FreezeCause) -> FreezeChance:
    (chance,) = (c for c in way_out.outlook().chances if c.cause is cause)
    return chance


def freeze_when_due(venue: Devnet, cause: FreezeCause) -> None:
    """Be refused a second too early; then freeze for a cause."""
    way_out = ChainExit(venue.chain)
    due = chance_of(way_out, cause)
    assert not due.is_open
    venue.chain.set_time((due.possible_at_s - 1) * SECOND_NS)
    with pytest.raises(TransactionReverted, match="NotOverdue"):
        way_out.freeze(STRANGER, due)
    venue.chain.set_time(due.possible_at_s * SECOND_NS)
    assert chance_of(way_out, cause).is_open
    way_out.freeze(STRANGER, due)
    assert way_out.outlook() == FreezeOutlook(due.possible_at_s)
    (event,) = (e for e in venue.chain.events(["Settlement"]) if e.name == "Frozen")
    assert event.arguments["cause"] == cause


def test_a_batch_that_does_not_become_final_is_stalled(venue: Devnet) -> None:
    stalled = chance_of(ChainExit(venue.chain), FreezeCause.STALLED)
    assert stalled.possible_at_s == venue.chain.committed_at(1) + LIVENESS_S + 1
    freeze_when_due(venue, FreezeCause.STALLED)
    way_out = ChainExit(venue.chain)
    assert way_out.final_books().count == 0, "the open batch was dropped"
    assert [way.entry.owner for way in way_out.refunds()][-1] == ALICE.address


def test_an_entry_that_only_an_open_batch_consumed_is_unserved(venue: Devnet) -> None:
    assert FreezeCause.CENSORED not in {c.cause for c in ChainExit(venue.chain).outlook().chances}
    freeze_when_due(venue, FreezeCause.UNSERVED)


def test_an_entry_that_no_batch_consumed_is_censored(venue: Devnet) -> None:
    venue.chain.send(ALICE, "Inbox", "forceCancelAll", 0)
    freeze_when_due(venue, FreezeCause.CENSORED)
    with pytest.raises(TransactionReverted, match="VenueFrozen"):
        venue.chain.send(ALICE, "Inbox", "forceCancelAll", 0)


def test_a_fault_that_is_not_made_good_is_unrepaired(venue: Devnet) -> None:
    header = venue.chain.committed_header(1)
    court, node = venue.chain.contracts["Court"].checksum_address, venue.chain.node
    venue.chain.give_gas(venue.chain.contracts["Court"].address, GAS_WEI)
    node.request("anvil_impersonateAccount", court)
    settlement = venue.chain.contracts["Settlement"]
    for function, arguments in (
        ("beginChallenge", (1, venue.chain.batch_hash_of(1))),
        ("revertChallenged", (header.values(),)),
    ):
        data = settlement.function(function).encode(arguments)
        sent = {"from": court, "to": checksum(settlement.address), "data": "0x" + data.hex()}
        receipt = node.request("eth_sendTransaction", sent)
        assert node.receipt(function, bytes.fromhex(receipt[2:]), 30).succeeded
    chance = chance_of(ChainExit(venue.chain), FreezeCause.UNREPAIRED)
    assert chance.possible_at_s == venue.chain.block_time() + REPAIR_S + 1
    freeze_when_due(venue, FreezeCause.UNREPAIRED)


class Behind(ChainExit):
    """Sees the chain as it was before somebody else acted, once."""

    old: FreezeOutlook | None = None

    def outlook(self) -> FreezeOutlook:
        old, self.old = self.old, None
        return super().outlook() if old is None else old


def test_whoever_is_overtaken_by_another_freeze_leaves_all_the_same(venue: Devnet) -> None:
    way_out = Behind(venue.chain)
    due = chance_of(way_out, FreezeCause.STALLED).possible_at_s
    venue.chain.set_time(due * SECOND_NS)
    old = way_out.outlook()
    way_out.freeze(STRANGER, chance_of(way_out, FreezeCause.STALLED))
    way_out.old = old
    report = leave(way_out, STRANGER, ALICE.address, freeze=True)
    assert [paid.kind for paid in report.paid] == ["deposit"]


def test_whoever_comes_after_the_venue_has_served_is_told_so(venue: Devnet) -> None:
    way_out = Behind(venue.chain)
    soonest = way_out.outlook().chances[0]
    way_out.old = FreezeOutlook(0, (FreezeChance(FreezeCause.STALLED, 0, is_open=True),))
    with pytest.raises(NotFrozenYet, match=f"possible at {soonest.possible_at_s}"):
        leave(way_out, STRANGER, ALICE.address, freeze=True)
