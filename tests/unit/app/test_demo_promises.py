"""What the demo promises is demanded of its summary, each promise alone."""

import copy
from typing import Any

import pytest

from offchain.app.demo.promises import AuditFailed, DemoFailed, demand
from offchain.services.audit_report import AuditReport, Finding, Verdicts

SUMMARY: dict[str, Any] = {
    "margin_warnings": 1,
    "liquidations": {"partial": 1, "full": 1, "detected": 2, "verified_on_chain": 2},
    "insurance_draw_e6": 1,
    "batches_finalised": 10,
    "withdrawal_claimed": 1,
    "conversions": 1,
    "mode_changes": 1,
    "forced": {"done": 1, "claimed_e6": 1, "trading_key": True},
    "dispute": {"kinds": (13,), "is_reverted": True},
}
BROKEN: list[tuple[tuple[str, ...], object]] = [
    (("margin_warnings",), 0),
    (("liquidations", "partial"), 0),
    (("liquidations", "full"), 0),
    (("insurance_draw_e6",), 0),
    (("batches_finalised",), 9),
    (("withdrawal_claimed",), 0),
    (("conversions",), 0),
    (("mode_changes",), 0),
    (("forced", "done"), 0),
    (("forced", "claimed_e6"), 0),
    (("forced", "trading_key"), False),
    (("dispute",), None),
    (("dispute", "kinds"), ()),
    (("dispute", "is_reverted"), False),
]


def report() -> AuditReport:
    return AuditReport(Verdicts().by_name, 1, 1, bytes(32))


def without(path: tuple[str, ...], value: object) -> dict[str, Any]:
    summary = copy.deepcopy(SUMMARY)
    place = summary
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return summary


def test_a_summary_that_shows_everything_is_enough() -> None:
    demand(SUMMARY, report(), is_shipped=True)


@pytest.mark.parametrize(("path", "value"), BROKEN)
def test_each_promise_is_missed_when_it_is_broken(path: tuple[str, ...], value: object) -> None:
    broken = without(path, value)
    with pytest.raises(DemoFailed, match="no longer shows"):
        demand(broken, report(), is_shipped=True)
    demand(broken, report(), is_shipped=False)  # other data may show less


def test_every_liquidation_must_be_verified_whatever_the_data() -> None:
    broken = without(("liquidations", "verified_on_chain"), 1)
    with pytest.raises(DemoFailed, match="not every liquidation"):
        demand(broken, report(), is_shipped=False)


def test_an_audit_that_found_something_fails_the_demo() -> None:
    found = report()
    found.verdicts["vault"].findings.append(Finding("a dollar is missing"))
    with pytest.raises(AuditFailed):
        demand(SUMMARY, found, is_shipped=False)
