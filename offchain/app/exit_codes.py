"""What the process answers, and which fault gives which answer."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of ``plimsoll``; docs/ERRORS.md lists what leads to each."""

    DONE = 0
    FAILURE = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4
    REFUSED = 5
    VERIFICATION_FAILED = 6
    INTERRUPTED = 130


BY_FAULT = {
    "ApiUnavailable": Exit.UNREACHABLE,
    "AuditFailed": Exit.VERIFICATION_FAILED,
    "BatchDataMissing": Exit.VERIFICATION_FAILED,
    "BatchFileCorrupt": Exit.VERIFICATION_FAILED,
    "CheckpointMismatch": Exit.VERIFICATION_FAILED,
    "ChainUnreachable": Exit.UNREACHABLE,
    "DatabaseUnusable": Exit.CONFIGURATION,
    "DeploymentFileError": Exit.CONFIGURATION,
    "FileNotFoundError": Exit.CONFIGURATION,
    "FolderNotOurs": Exit.CONFIGURATION,
    "IsADirectoryError": Exit.CONFIGURATION,
    "InboxMismatch": Exit.VERIFICATION_FAILED,
    "KeyFileError": Exit.CONFIGURATION,
    "LedgerError": Exit.VERIFICATION_FAILED,
    "LogCorrupt": Exit.VERIFICATION_FAILED,
    "LogMissing": Exit.CONFIGURATION,
    "ModelError": Exit.CONFIGURATION,
    "NoGasMoney": Exit.CONFIGURATION,
    "NodeMissing": Exit.CONFIGURATION,
    "NotADirectoryError": Exit.CONFIGURATION,
    "NotFrozenYet": Exit.REFUSED,
    "NotInCheckpoint": Exit.CONFIGURATION,
    "PermissionError": Exit.CONFIGURATION,
    "PriceFileError": Exit.CONFIGURATION,
    "PricesTooLow": Exit.CONFIGURATION,
    "StartRefused": Exit.VERIFICATION_FAILED,
    "UnknownModelError": Exit.USAGE,
    "WrongChain": Exit.UNREACHABLE,
}
"""By name, so that no module is imported only to be asked for the class of its fault."""

RISK_REASONS = range(12_000, 13_000)


def exit_of(fault: BaseException) -> Exit:
    """Return the answer to a fault: that of its nearest class that has one, or FAILURE."""
    if getattr(fault, "code", None) in RISK_REASONS:
        return Exit.REFUSED
    names = (kind.__name__ for kind in type(fault).__mro__)
    return next((BY_FAULT[name] for name in names if name in BY_FAULT), Exit.FAILURE)
