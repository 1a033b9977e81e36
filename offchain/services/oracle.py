"""Oracle signers and the network that collects their observations into reports."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offchain.core.instruments import Listing
from offchain.core.oracle import UNKNOWN, Span, span_of
from offchain.core.units import ONE_E6, TimestampNs
from offchain.engine.messages import Observation, PriceReport
from offchain.ledger.typed_data import Domain, observation_digest
from offchain.services.errors import QuorumMissing
from offchain.services.feed_model import step_of, to_step
from offchain.services.ports import Signer


class Observer(Protocol):
    """One oracle as the network sees it."""

    index: int

    def observe(
        self, round_: int, observed_at_ns: TimestampNs, seen: Sequence[int]
    ) -> Observation | None:
        """Return a signed observation, or None when this oracle has nothing to say."""
        ...


@dataclass(frozen=True, slots=True)
class Noise:
    """How far one signer's sources stray: uniform within +-`bound_e6`, by a seed.

    The draw depends only on seed, signer, round and feed, so a replay repeats it in any order.
    """

    seed: int
    bound_e6: int = 200

    def stray(self, signer: int, round_: int, count: int) -> list[int]:
        """Return the relative error of each feed in one observation [1e-6]."""
        source = random.Random(f"{self.seed}/{signer}/{round_}")  # noqa: S311 - a noise model
        return [source.randint(-self.bound_e6, self.bound_e6) for _ in range(count)]


Between = tuple[int, int]
"""The lowest and the highest of something."""


class Interval:
    """Between what each feed went since the observation of the round before, where it begins.

    A round that is observed again, since nobody took the first, keeps its beginning. Follows from
    what was seen and observed alone, so a replay repeats it.
    """

    def __init__(self) -> None:
        self._round: int | None = None
        self._open: list[Between] | None = None
        self._since: list[Between] | None = None

    def see(self, seen: Sequence[int]) -> None:
        """Take prices into account, in a round or between two."""
        self._open, self._since = _wider(self._open, seen), _wider(self._since, seen)

    def close(self, round_: int, seen: Sequence[int]) -> list[Between] | None:
        """Observe a round; None in the first, since nobody saw its interval from the beginning."""
        if round_ != self._round:
            self._open, self._round = self._since, round_
        self.see(seen)
        self._since = [(value, value) for value in seen]
        return self._open


def _wider(between: list[Between] | None, seen: Sequence[int]) -> list[Between] | None:
    if between is None:
        return None
    return [(min(a, v), max(b, v)) for (a, b), v in zip(between, seen, strict=True)]


class OracleSigner:
    """Signs what it sees, with the error of its own sources.

    Parameters
    ----------
    key : Signer
        The key registered at place `index` of the parameter set.
    domain : Domain
        EIP-712 domain of OracleHub.
    listing : Listing
        Gives the steps to which values are rounded.
    """

    def __init__(
        self, key: Signer, index: int, domain: Domain, listing: Listing, noise: Noise
    ) -> None:
        self.index = index
        self._key, self._domain, self._noise = key, domain, noise
        self._steps = [step_of(feed, listing) for feed in listing.feeds]
        self._interval = Interval()

    def watch(self, seen: Sequence[int]) -> None:
        """Take prices into account that its sources show between two rounds."""
        self._interval.see(seen)

    def observe(self, round_: int, observed_at_ns: TimestampNs, seen: Sequence[int]) -> Observation:
        """Return the signed observation of a round, without bounds in the first after a start."""
        errors = self._noise.stray(self.index, round_, len(self._steps))
        values = self._strayed(seen, errors)
        between = self._interval.close(round_, seen)
        spans: tuple[Span, ...] = (UNKNOWN,) * len(values)
        if between is not None:
            lows, highs = (self._strayed(ends, errors) for ends in zip(*between, strict=True))
            spans = tuple(map(span_of, values, lows, highs))
        digest = observation_digest(self._domain, round_, observed_at_ns, values, spans)
        return Observation(self.index, values, spans, self._key.sign(digest))

    def _strayed(self, seen: Sequence[int], errors: Sequence[int]) -> tuple[int, ...]:
        """Return prices as the sources of this signer have them, on their steps."""
        return tuple(
            to_step(value * (ONE_E6 + error) // ONE_E6, step)
            for value, error, step in zip(seen, errors, self._steps, strict=True)
        )


class OracleNetwork:
    """Collects observations of one round into a report, when a quorum answers."""

    def __init__(self, observers: Sequence[Observer], quorum: int) -> None:
        indices = [o.index for o in observers]
        if indices != sorted(set(indices)):
            raise ValueError("observers ascend by index without repeats")
        if not 0 < quorum <= len(observers):
            raise ValueError(f"a quorum of {quorum} from {len(observers)} observers")
        self.observers, self.quorum = tuple(observers), quorum

    def report(self, round_: int, observed_at_ns: TimestampNs, seen: Sequence[int]) -> PriceReport:
        """Return the report of a round with every observation that came, ascending by signer.

        Raises
        ------
        QuorumMissing
            When fewer than the quorum answered.
        """
        answers = [o.observe(round_, observed_at_ns, seen) for o in self.observers]
        came = tuple(a for a in answers if a is not None)
        if len(came) < self.quorum:
            raise QuorumMissing(f"round {round_}: {len(came)} of {self.quorum} observations")
        return PriceReport(round_, observed_at_ns, came)
