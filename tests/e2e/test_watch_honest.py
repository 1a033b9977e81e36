"""An honest venue is never challengeable, whatever anybody shows the judges about it."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from offchain.ledger.batch import Batch
from offchain.ledger.header import BatchHeader
from offchain.services.watch import judges_of, posted
from offchain.services.watch.disclosures import NOTHING_SHOWN
from offchain.services.watch.moment import Accusation
from offchain.services.watch.replay import Replay
from offchain.services.watch.watcher import Watcher
from tests.support.honest_run import HonestRun
from tests.support.signed_venue import WATCHER, SignedVenue, signed_venue

BATCHES, DEEP_BATCHES = 60, 1_000
CELL_KIND = 2
CELL_SHARE = 100
"""An epoch has some 1,400 numbers: fewer of them are asked about."""


@pytest.fixture(scope="module")
def venue() -> Iterator[SignedVenue]:
    with signed_venue() as made:
        yield made


class Inquisitor:
    """Asks the judges about honest batches, about a share of all that could be asked."""

    def __init__(self, venue: SignedVenue, share: float) -> None:
        self.venue, self.share = venue, share
        self.random = Random(1)  # noqa: S311 - a test
        self.answers: Counter[bool | str] = Counter()
        self.rules: Counter[str] = Counter()

    def examine(self, replay: Replay, batch_no: int) -> None:
        """Ask about a batch that was taken in."""
        trace, mark = replay.archive.batch(batch_no), replay.mark_of(batch_no)
        for moment in replay.moments(trace, range(len(trace.steps)), mark):
            for accusation in judges_of.record(moment):
                self._ask(trace.header, accusation)
        closing = replay.closing(trace, NOTHING_SHOWN, mark)
        for accusation in judges_of.batch(closing, lambda i: replay.moments(trace, i, mark)):
            self._ask(trace.header, accusation)

    def _ask(self, header: BatchHeader, accusation: Accusation) -> None:
        share = self.share / (CELL_SHARE if accusation.kind == CELL_KIND else 1)
        if self.random.random() < share:
            answer = self.venue.court.answer(header, accusation)
            assert answer is not True, f"batch {header.batch_no}: {accusation.rule}"
            self.answers[answer] += 1
            self.rules[accusation.rule.split(".")[0]] += 1


def test_sixty_random_batches_on_chain_are_never_challengeable(venue: SignedVenue) -> None:
    run, inquisitor = HonestRun(venue, seed=4), Inquisitor(venue, share=0.3)
    watcher = Watcher(venue.court, venue.authenticity, WATCHER)
    for count in range(1, BATCHES + 1):
        if count == BATCHES * 3 // 4:
            run.expire()
        run.batch(records=8)
        seen = watcher.step()
        assert seen.examined == [count], seen
        if count % 4 == 0:
            inquisitor.examine(watcher.replay, count)
    assert venue.chain.head() == BATCHES
    assert inquisitor.answers[False] > 300
    kinds = {"ORACLE", "CELL", "TRANSITION", "INBOX", "TOTALS", "DATA", "LEAF", "STEP", "EFFECTS"}
    assert kinds <= set(inquisitor.rules)


@pytest.mark.deep
def test_a_thousand_random_batches_are_never_challengeable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Questions about the past are asked over and over here, about one fault only once.
    monkeypatch.setattr(posted, "MAX_READ", DEEP_BATCHES)
    with signed_venue() as venue:
        run, inquisitor = HonestRun(venue, seed=5), Inquisitor(venue, share=0.02)
        made: list[Batch] = []
        replay = Replay(lambda n: (made[n - 1].header, made[n - 1].data), venue.authenticity)
        for count in range(1, DEEP_BATCHES + 1):
            if count == DEEP_BATCHES * 3 // 4:
                run.expire()
            made.append(run.batch(is_committed=False))
            venue.court.refresh()
            difference = replay.examine(made[-1].header, made[-1].data)
            assert difference is None, difference
            if count % 10 == 0:
                inquisitor.examine(replay, count)
            replay.forget(count - 1)
