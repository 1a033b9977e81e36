"""What can go wrong with bytes.

::

    LedgerError
    ├── EncodingError     a value does not fit the type that it is committed as
    ├── WireError         bytes of the input log are not the one canonical encoding
    ├── SignatureError    a signature is malformed, malleable or of nobody
    ├── WitnessError      a liquidation witness does not hold under a header
    ├── SequenceError     a record does not follow the one before it
    ├── ConservationError the book does not hold what came in less what went out (SOL-1)
    └── SnapshotError     a snapshot is of another schema, damaged or not what it says
"""


class LedgerError(ValueError):
    """Root of everything that the ledger raises."""


class EncodingError(LedgerError):
    """A value does not fit the type that it is committed as."""


class WireError(LedgerError):
    """Bytes are not the one canonical encoding of anything.

    Attributes
    ----------
    offset : int
        Where decoding stopped, from the start of the data that was given. [bytes]
    field : str
        The record type and field that was being read.
    """

    def __init__(self, offset: int, field: str, rule: str) -> None:
        super().__init__(f"{field} at byte {offset}: {rule}")
        self.offset = offset
        self.field = field
        self.rule = rule


class SignatureError(LedgerError):
    """A signature is malformed, malleable, or recovers to nobody."""


class WitnessError(LedgerError):
    """A liquidation witness does not hold; the message names the rule."""


class SequenceError(LedgerError):
    """A record does not follow the one before it in number, time or epoch."""


class ConservationError(LedgerError):
    """SOL-1 does not hold."""


class SnapshotError(LedgerError):
    """A snapshot is of another schema, damaged, or not what it says it is."""
