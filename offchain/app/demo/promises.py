"""What the demo promises, demanded of its summary at the end."""

from offchain.services.audit_report import AuditReport
from offchain.services.errors import OffchainError


class DemoFailed(OffchainError):  # noqa: N818 - a fault is named by what happened
    """Something that the demo promises did not happen."""


class AuditFailed(DemoFailed):
    """The audit at the end found something."""


def demand(summary: dict[str, object], report: AuditReport, *, is_shipped: bool) -> None:
    """Fail when the audit found something, or what every run, or the shipped data, must show.

    Raises
    ------
    AuditFailed, DemoFailed
        What is missing.
    """
    if not report.is_ok:
        raise AuditFailed("the audit did not pass")
    liquidations = summary["liquidations"]
    assert isinstance(liquidations, dict)
    if liquidations["detected"] != liquidations["verified_on_chain"]:
        raise DemoFailed(f"not every liquidation was verified on chain: {liquidations}")
    forced = summary["forced"]
    assert isinstance(forced, dict)
    dispute = summary["dispute"]
    assert dispute is None or isinstance(dispute, dict)
    if is_shipped:
        missing = [
            name
            for name, happened in {
                "margin warnings": summary["margin_warnings"],
                "partial liquidations": liquidations["partial"],
                "full liquidations": liquidations["full"],
                "an insurance draw": summary["insurance_draw_e6"],
                "10 final batches": int(str(summary["batches_finalised"])) >= 10,
                "a claimed withdrawal": summary["withdrawal_claimed"],
                "a conversion": summary["conversions"],
                "changes of mode": summary["mode_changes"],
                "a way out by force": forced["done"] and forced["claimed_e6"],
                "a trading key": forced["trading_key"],
                "a bad batch reverted": dispute and dispute["kinds"] and dispute["is_reverted"],
            }.items()
            if not happened
        ]
        if missing:
            raise DemoFailed(f"the shipped data no longer shows: {', '.join(missing)}")
