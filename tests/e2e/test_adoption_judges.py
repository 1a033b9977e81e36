"""No judge convicts a batch that begins with an adopted set; another set without one is a fault."""

from collections.abc import Iterator
from dataclasses import astuple, replace
from random import Random

import pytest

from offchain.engine.messages import Adopt
from offchain.ledger.batch import Batch
from offchain.ledger.terms import params_hash
from offchain.services.signing import KeySigner
from offchain.services.watch import judges_of
from offchain.services.watch.disclosures import NOTHING_SHOWN
from offchain.services.watch.moment import Accusation
from offchain.services.watch.replay import Replay
from offchain.services.watch.watcher import Watcher
from tests.support.adoption import tighter
from tests.support.honest_run import HonestRun
from tests.support.signed_venue import WATCHER, SignedVenue, signed_venue

CELL_KIND, CELL_SHARE = 2, 0.02
ADOPTED, ASKED = 2, 50


@pytest.fixture(scope="module")
def venue() -> Iterator[SignedVenue]:
    with signed_venue() as made:
        yield made


def accusations(replay: Replay, batch_no: int) -> Iterator[Accusation]:
    """Yield everything that could be asked about a batch that was taken in."""
    trace, mark = replay.archive.batch(batch_no), replay.mark_of(batch_no)
    for moment in replay.moments(trace, range(len(trace.steps)), mark):
        yield from judges_of.record(moment)
    closing = replay.closing(trace, NOTHING_SHOWN, mark)
    yield from judges_of.batch(closing, lambda i: replay.moments(trace, i, mark))


def adopted(run: HonestRun) -> Batch:
    """Tighten on chain, let the log follow, go on, and commit."""
    venue = run.venue
    risk = KeySigner(bytes.fromhex(venue.anvil.keys[0][2:]))
    venue.chain.send(risk, "RiskParameters", "tighten", astuple(tighter(venue.rules)))
    venue.must(Adopt(tighter(venue.rules), venue.rules))
    assert venue.journal.params_hash == venue.chain.active_params_hash()
    return run.batch(records=8)


def test_honest_batches_around_an_adopted_set_are_never_challengeable(venue: SignedVenue) -> None:
    run, watcher = HonestRun(venue, seed=11), Watcher(venue.court, venue.authenticity, WATCHER)
    random = Random(2)  # noqa: S311 - a test
    run.batch(records=8)
    assert watcher.step().examined == [1]
    batch = adopted(run)
    assert batch.terms == tighter(venue.rules)
    seen = watcher.step()
    assert seen.examined == [ADOPTED], seen
    answers: list[bool | str] = []
    for accusation in accusations(watcher.replay, ADOPTED):
        if accusation.kind == CELL_KIND and random.random() > CELL_SHARE:
            continue
        answer = venue.court.answer(batch.header, accusation)
        assert answer is not True, accusation.rule
        answers.append(answer)
    assert answers.count(False) > ASKED


def test_another_set_that_no_record_adopts_is_a_fault(venue: SignedVenue) -> None:
    """The batch after stands under the set that was replaced, which the contract still takes."""
    watcher = Watcher(venue.court, venue.authenticity, WATCHER)
    watcher.step()
    venue.price(119_000)
    batch = venue.cut()
    header = replace(batch.header, params_hash=params_hash(venue.rules))
    venue.commit(header, batch.data)
    trace = watcher.replay
    found = trace.examine(header, batch.data)
    assert found is not None
    upheld = [
        accusation.rule
        for accusation in found.accusations(NOTHING_SHOWN)
        if venue.court.answer(header, accusation) is True
    ]
    assert upheld, "somebody can have it reverted"
