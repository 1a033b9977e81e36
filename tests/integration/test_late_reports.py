"""A report that another quorum of its round overtook is accepted late by a real hub."""

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.core.oracle import medians
from offchain.core.units import ONE_E8, TimestampNs
from offchain.engine.messages import PriceReport
from offchain.ledger.epoch import Report, report_hash
from offchain.services.errors import TransactionReverted
from offchain.services.oracle import Noise, OracleNetwork, OracleSigner
from tests.support.devnet import ORACLES, RELAYER, Devnet, devnet, signer

STRANGER = signer("stranger with five signatures")


def noisy(venue: Devnet) -> OracleNetwork:
    """Return oracles whose values differ, so that each quorum has its own medians."""
    domain, listing = venue.chain.domain("OracleHub"), venue.rules.listing
    return OracleNetwork(
        [OracleSigner(k, i, domain, listing, Noise(7)) for i, k in enumerate(ORACLES)],
        venue.rules.oracle.quorum,
    )


def hashed(report: PriceReport) -> Report:
    values = medians([o.values for o in report.observations])
    return Report(report.round, report.observed_at_ns, values)


def test_a_report_that_another_quorum_overtook_is_accepted_late(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        chain, oracles = venue.chain, noisy(venue)
        chain.give_gas(STRANGER.address, 10**18)
        seen = [100_000 * ONE_E8] * len(venue.rules.listing.feeds)
        first = oracles.report(1, TimestampNs(venue.now), seen)
        venue.wait(60)
        ours = oracles.report(2, TimestampNs(venue.now), seen)
        theirs = replace(ours, observations=ours.observations[2:])
        assert hashed(ours) != hashed(theirs)
        chain.submit_report(RELAYER, first)
        chain.submit_report(STRANGER, theirs)
        with pytest.raises(TransactionReverted, match="RoundNotNew"):
            chain.submit_report(RELAYER, ours)
        assert not chain.is_report_accepted(report_hash(hashed(ours)))
        with pytest.raises(TransactionReverted, match="UnknownBase"):
            chain.submit_late_report(RELAYER, ours, hashed(ours))
        chain.submit_late_report(RELAYER, ours, hashed(first))
        assert chain.is_report_accepted(report_hash(hashed(ours)))
        assert chain.is_report_accepted(report_hash(hashed(theirs)))


def test_a_late_report_without_a_base_only_waits_for_its_confirmation(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        oracles = noisy(venue)
        seen = [100_000 * ONE_E8] * len(venue.rules.listing.feeds)
        reports = []
        for number in (1, 2):
            venue.wait(60)
            reports.append(oracles.report(number, TimestampNs(venue.now), seen))
        first, second = reports
        venue.chain.submit_late_report(RELAYER, first, None)
        assert not venue.chain.is_report_accepted(report_hash(hashed(first)))
        venue.chain.submit_late_report(RELAYER, second, hashed(first))
        assert venue.chain.is_report_accepted(report_hash(hashed(second)))
