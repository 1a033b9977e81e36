"""Oracle signers and the network that collects their observations into reports."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offchain.core.instruments import Listing
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

    def observe(self, round_: int, observed_at_ns: TimestampNs, seen: Sequence[int]) -> Observation:
        """Return the signed observation of a round."""
        errors = self._noise.stray(self.index, round_, len(self._steps))
        values = tuple(
            to_step(value * (ONE_E6 + error) // ONE_E6, step)
            for value, error, step in zip(seen, errors, self._steps, strict=True)
        )
        digest = observation_digest(self._domain, round_, observed_at_ns, values)
        return Observation(self.index, values, self._key.sign(digest))


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
