"""The inquest into a batch that is wrong below a hash, which no judge decides from what is posted.

A header commits to things that are not posted. An `Inquiry` is about one kind of them: it demands
on chain that what is hidden be shown, until a judge can decide, or until nobody answers and the
batch is reverted. A watcher has a list of them, tried in order; `Inquest` is about the one batch at
which its replay stands. What is hidden of a batch that holds, a watcher can show as well as its
operator: a `Defence`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.services.watch.closing import Closed, Closing
from offchain.services.watch.disclosures import NOTHING_SHOWN, Disclosures
from offchain.services.watch.moment import Accusation, Moment
from offchain.services.watch.replay import Difference

ASK_EVERY = 64
"""Steps after which judges are asked again what they have denied."""
REST = 64
"""Steps for which nothing is sent after a refusal: what is refused may cost gas before it is."""


@dataclass(frozen=True)
class Case:
    """A batch, with what an honest replay makes of it.

    Attributes
    ----------
    own : Closed or None
        Its honest totals and checkpoint, of a batch that holds.
    close : callable or None
        Makes the honest end of the batch; None when one of its records is wrong.
    moments : callable or None
        Yields the record that is wrong with the states around it; None when all records hold.
    records : callable or None
        Yields some records with the states around them, of a batch that holds.
    """

    header: BatchHeader
    own: Closed | None = None
    close: Callable[[Disclosures], Closing] | None = None
    moments: Callable[[Disclosures], Iterator[Moment]] | None = None
    records: Callable[[Collection[int]], Iterator[Moment]] | None = None

    @cached_property
    def closing(self) -> Closing | None:
        """The honest end of the batch, made once; None when one of its records is wrong."""
        return None if self.close is None else self.close(NOTHING_SHOWN)

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The honest checkpoint; None when one of the records is wrong."""
        if self.own is not None:
            return self.own.checkpoint
        return None if self.closing is None else self.closing.checkpoint


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step of an inquiry did or found; all empty when it is not its business.

    Attributes
    ----------
    accusations : tuple of Accusation
        What judges can be asked, now that it is shown.
    demanded : str
        What was demanded just now, or would be, in words.
    until_s : int or None
        An open demand is waited for until then. [s since 1970]
    is_settled : bool
        A demand that nobody answered was settled: the batch is gone, if it was of this one.
    """

    accusations: tuple[Accusation, ...] = ()
    demanded: str = ""
    until_s: int | None = None
    is_settled: bool = False


NOTHING = Finding()


@dataclass(frozen=True, slots=True)
class Defence:
    """An open demand on a batch that holds.

    Attributes
    ----------
    what : str
        What is demanded, in words.
    until_s : int
        Last second to show it. [s since 1970]
    show : callable
        Shows it; False when somebody was quicker. Raises what sending a transaction raises.
    """

    batch_no: int
    what: str
    until_s: int
    show: Callable[[], bool]


class Inquiry(Protocol):
    """One kind of hidden thing. It keeps nothing about a batch: what was shown stands on chain."""

    @property
    def most_demands(self) -> int:
        """How many demands about one batch lead to an end, whatever is answered."""
        ...

    def look(self, case: Case) -> Finding:
        """Return what a step would find or demand, and send nothing."""
        ...

    def step(self, case: Case) -> Finding:
        """Look at what was shown, and demand the next thing or settle what nobody answered.

        Raises
        ------
        TransactionReverted
            A demand is refused for good: the window of the batch is over, or there is no bond.
        """
        ...

    def defences(self, held: Mapping[bytes, Case]) -> Iterable[Defence]:
        """Return the open demands on batches that hold, given by their hashes, that have time."""
        ...


class Inquest:
    """What has been done about one batch that differs. It ends with the batch.

    Parameters
    ----------
    inquiries : sequence of Inquiry
        Tried in order: the first that finds anything has the step.
    """

    def __init__(self, difference: Difference, inquiries: Sequence[Inquiry]) -> None:
        self.difference = difference
        self.case = Case(difference.header, close=difference.closing, moments=difference.moments)
        self._hash = batch_hash(difference.header)
        self._inquiries = inquiries
        self._demands = [0] * len(inquiries)
        self._denied: Disclosures | None = None
        self._steps = self._rested_at = 0
        self._refusal = ""

    def turn(self) -> None:
        """Begin another step."""
        self._steps += 1

    def rest(self, why: str) -> None:
        """Send nothing for a while, since something was refused."""
        self._refusal, self._rested_at = why, self._steps + REST

    @property
    def refusal(self) -> str:
        """Why nothing is sent now; empty when something may be."""
        return self._refusal if self._steps < self._rested_at else ""

    def is_about(self, hash_of_batch: bytes) -> bool:
        """Tell whether it is about this batch."""
        return self._hash == hash_of_batch

    def has_denied(self, shown: Disclosures) -> bool:
        """Tell whether the judges denied everything, given the same disclosures, lately."""
        return self._denied == shown and self._steps % ASK_EVERY != 0

    def deny(self, shown: Disclosures) -> None:
        """Remember that the judges denied everything."""
        self._denied = shown

    @property
    def demands(self) -> int:
        """How many demands were sent."""
        return sum(self._demands)

    def step(self, *, is_dry: bool) -> Finding:
        """Have the first inquiry that finds anything act; in a dry run, only look.

        Raises
        ------
        TransactionReverted
            A demand is refused for good.
        """
        for place, inquiry in enumerate(self._inquiries):
            found = inquiry.look(self.case) if is_dry else self._act(place, inquiry)
            if found != NOTHING:
                return found
        return NOTHING

    def _act(self, place: int, inquiry: Inquiry) -> Finding:
        is_spent = self._demands[place] >= inquiry.most_demands
        if is_spent and inquiry.look(self.case).demanded:
            return NOTHING
        found = inquiry.step(self.case)
        self._demands[place] += bool(found.demanded)
        return found


def soonest(inquiries: Iterable[Inquiry], held: Mapping[bytes, Case]) -> list[Defence]:
    """Return what is demanded of batches that hold, of all kinds, the soonest deadline first."""
    found = [defence for inquiry in inquiries for defence in inquiry.defences(held)]
    return sorted(found, key=lambda defence: defence.until_s)
