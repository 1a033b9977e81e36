"""What a watcher does about what it finds, with a chain in memory."""

from dataclasses import replace

import pytest

from offchain.ledger.batch import Batch
from offchain.ledger.keccak import ZERO32
from offchain.services.freezing import FreezeCause
from offchain.services.watch import watcher as module
from offchain.services.watch.watcher import WatchPolicy
from tests.support.random_trading import Trading
from tests.support.watched import BOND, BOUNTY, MemoryChain, watch


@pytest.fixture(scope="module")
def made() -> list[Batch]:
    """Return three batches; the last has liquidations."""
    trading = Trading()
    trading.cut()
    trading.price(-10)
    trading.cut()
    trading.jump(-250)
    trading.jump(-150)
    trading.cut()
    assert trading.batches[2].header.liquidation_count
    return trading.batches


def chain_of(made: list[Batch], **says: object) -> MemoryChain:
    """Return a chain with all batches; `says` replaces fields of the second header."""
    batches = [(batch.header, batch.data) for batch in made]
    header, data = batches[1]
    batches[1] = (replace(header, **says), data)  # type: ignore[arg-type]
    return MemoryChain(batches)


def test_batches_that_hold_are_taken_in_once(made: list[Batch]) -> None:
    chain = chain_of(made)
    watcher = watch(chain)
    assert watcher.step().examined == [1, 2, 3]
    again = watcher.step()
    assert again.examined == []
    assert chain.asked == 0
    assert chain.calls == []


def test_the_first_fault_that_is_upheld_is_shown_and_paid(made: list[Batch]) -> None:
    chain = chain_of(made, input_log_hash=ZERO32)
    seen = watch(chain).step()
    assert seen.examined == [1]
    assert chain.calls == ["accuse 2 STEP.ends"]
    (upheld,) = seen.upheld
    assert (upheld.batch_no, upheld.kind, upheld.rule) == (2, 11, "STEP.ends")
    assert (upheld.bounty_e6, upheld.gas_used) == (BOUNTY, 200)
    assert "input_log_hash" in upheld.problem
    assert seen.collected_e6 == BOUNTY + BOND


def test_what_stands_after_a_fault_is_looked_at_when_it_is_committed_again(
    made: list[Batch],
) -> None:
    chain = chain_of(made, input_log_hash=ZERO32)
    watcher = watch(chain)
    watcher.step()
    chain.batches += [(batch.header, batch.data) for batch in made[1:]]
    assert watcher.step().examined == [2, 3]


def test_a_batch_that_was_replaced_is_replayed_again(made: list[Batch]) -> None:
    chain = chain_of(made)
    watcher = watch(chain)
    watcher.step()
    header, data = chain.batches[1]
    chain.batches[1:] = [(replace(header, l1_block_number=9), data)]
    assert watcher.step().examined == [2]
    assert watcher.replay.next_batch == 3


def test_a_fault_that_no_judge_decides_is_reported_and_nothing_is_sent(made: list[Batch]) -> None:
    chain = chain_of(made, input_log_hash=ZERO32)
    chain.upholds = lambda _accusation: False
    seen = watch(chain).step()
    assert list(seen.unprovable) == [2]
    assert chain.calls == []
    assert chain.asked > 10


def test_no_more_questions_are_asked_than_allowed(
    made: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ASKED", 2)
    chain = chain_of(made, input_log_hash=ZERO32)
    chain.upholds = lambda _accusation: False
    watch(chain).step()
    assert chain.asked == 2


def test_a_fault_that_is_final_is_only_reported(made: list[Batch]) -> None:
    chain = chain_of(made, input_log_hash=ZERO32)
    chain.final = 2
    seen = watch(chain).step()
    assert seen.unprovable[2].startswith("it is final")
    assert chain.calls == []


def test_a_challenge_that_comes_too_late_is_reported(made: list[Batch]) -> None:
    chain = chain_of(made, input_log_hash=ZERO32)
    chain.reverts = True
    seen = watch(chain).step()
    assert seen.upheld == []
    assert "NoSuchChallenge" in seen.unprovable[2]


def test_a_batch_that_cannot_be_read_holds_the_later_ones_back(made: list[Batch]) -> None:
    chain = chain_of(made)
    chain.hidden = {2}
    watcher = watch(chain)
    seen = watcher.step()
    assert (seen.examined, seen.unreadable) == ([1], [2])
    chain.hidden = set()
    assert watcher.step().examined == [2, 3]


def test_the_oldest_batch_with_unverified_liquidations_is_reverted(made: list[Batch]) -> None:
    chain = chain_of(made)
    chain.overdue = {1, 3}
    assert watch(chain).step().overdue == [3], "the first batch has no liquidation"
    assert chain.calls == ["revert 3"]


def test_a_dry_run_sends_nothing(made: list[Batch]) -> None:
    chain = chain_of(made, input_log_hash=ZERO32)
    chain.overdue, chain.causes = {3}, (FreezeCause.STALLED,)
    seen = watch(chain, WatchPolicy(is_dry=True, may_freeze=True)).step()
    assert [upheld.rule for upheld in seen.upheld] == ["STEP.ends"]
    assert seen.overdue == [3]
    assert seen.freezable == (FreezeCause.STALLED,)
    assert (seen.frozen, seen.collected_e6, chain.calls) == (None, 0, [])


def test_the_venue_is_frozen_only_by_who_was_told_to(made: list[Batch]) -> None:
    chain = chain_of(made)
    chain.causes = (FreezeCause.CENSORED, FreezeCause.STALLED)
    assert watch(chain).step().frozen is None
    assert watch(chain, WatchPolicy(may_freeze=True)).step().frozen is FreezeCause.CENSORED
    assert chain.calls == ["CENSORED"]


def test_the_way_back_before_final_batches_is_given_up(made: list[Batch]) -> None:
    chain = chain_of(made)
    watcher = watch(chain)
    watcher.step()
    chain.final = 2
    watcher.step()
    with pytest.raises(KeyError):
        watcher.replay.rewind(2)
    watcher.replay.rewind(3)
    assert watcher.replay.next_batch == 3
