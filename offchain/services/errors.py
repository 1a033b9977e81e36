# ruff: noqa: N818 - a fault is named by what happened, as the events are
"""Faults of the world, as exceptions; refusals are values and bugs are assertions.

::

    OffchainError
    ├── LogError
    │   ├── LogFailed        a write or sync failed: this process must stop appending
    │   ├── LogCorrupt       the file does not say what was written
    │   └── LogLocked        another process writes this log
    ├── SequencerHalted      the log failed; nothing more is accepted or answered
    ├── CommandUnencodable   a command has values that the log cannot hold
    ├── BatchOverdue         the open batch must be cut before more is accepted
    ├── StartRefused         log, snapshot and engine do not agree
    ├── PriceFileError       a candle file breaks its format
    ├── QuorumMissing        too few oracle signers answered
    ├── ReportRefused        an observation is not signed by its oracle
    ├── ChainError
    │   ├── ChainUnreachable     the node does not answer
    │   ├── NodeRefused          the node answered with an error
    │   ├── WrongChain           another chain, or a contract is not there
    │   ├── TransactionReverted  a contract refused, with its error by name
    │   ├── TransactionRefused   the node refused to take a transaction
    │   ├── ReceiptMissing       sent, but no receipt in time
    │   └── BatchDataMissing     a committed batch cannot be read back
    │       └── BlobMissing          nobody serves a blob that holds its data
    ├── InboxMismatch        inbox entries, their prefix hash and the cursor disagree
    ├── RelayQueueFull       oracle reports come faster than the chain takes them
    ├── BatchConflict        the chain holds another batch under our number
    ├── BatchNotStored       a batch was cut and could not be stored
    ├── BatchFileCorrupt     a stored batch is not what was written
    ├── CompilerError        the contracts do not compile
    ├── UnknownContractError no contract of the project has this name
    ├── AnvilError           the local chain did not start, or is not ours
    ├── DeploymentError      a step of a deployment was refused
    │   └── DeploymentFileError  a file is not the record of a deployment
    ├── WitnessMissing       nobody serves the witness of a liquidation
    ├── ExitError
    │   ├── NotFrozenYet         the venue lives; says from when on it may be frozen
    │   ├── CheckpointMismatch   replaying what is final gives another checkpoint
    │   ├── NotInCheckpoint      an account that the last final checkpoint does not have
    │   └── NoGasMoney           the key that pays for the way out has nothing
    └── ApiError             a JSON-RPC server answered with an error (client side)
"""


class OffchainError(Exception):
    """The root of every fault that a service may meet."""


class LogError(OffchainError):
    """The input log cannot be used."""


class LogFailed(LogError):
    """A write or sync failed. The page cache can no longer be trusted, so never retry."""


class LogCorrupt(LogError):
    """The log is not what was written.

    Attributes
    ----------
    offset : int
        Byte offset of the entry in its file.
    seq : int
        Sequence number that was expected there.
    """

    def __init__(self, file: str, offset: int, seq: int, problem: str) -> None:
        super().__init__(f"{file}: entry at byte {offset} (seq {seq}): {problem}")
        self.file, self.offset, self.seq, self.problem = file, offset, seq, problem


class LogLocked(LogError):
    """Another process holds the lock of this log."""


class SequencerHalted(OffchainError):
    """The log failed earlier; this sequencer accepts and answers nothing more."""


class CommandUnencodable(OffchainError):
    """A command has a value that does not fit its field of the log; nothing was changed."""


class BatchOverdue(OffchainError):
    """The open batch is too large, or of the set before: the batcher must cut it first."""


class StartRefused(OffchainError):
    """The log does not replay to what it, or its snapshot, says."""


class QuorumMissing(OffchainError):
    """Too few oracle signers answered for a report."""


class ReportRefused(OffchainError):
    """A price report holds an observation that its oracle did not sign."""


class ChainError(OffchainError):
    """The chain cannot be used, or refused."""


class ChainUnreachable(ChainError):
    """The node does not answer, or answers something that is no answer."""


class NodeRefused(ChainError):
    """The node answered with an error that is not a contract's."""


class WrongChain(ChainError):
    """The node serves another chain, or a contract is not there."""


class TransactionReverted(ChainError):
    """A contract refused a call.

    Attributes
    ----------
    call : str
        Contract and function, as ``Settlement.commit``.
    name : str
        Name of the contract's error, `Unknown` when nobody declares it.
    arguments : dict
        Its arguments by name.
    """

    def __init__(self, call: str, name: str, arguments: dict[str, object]) -> None:
        figures = ", ".join(f"{key}={_readable(value)}" for key, value in arguments.items())
        super().__init__(f"{call} reverted: {name}({figures})")
        self.call, self.name, self.arguments = call, name, arguments


class TransactionRefused(ChainError):
    """The node did not take a transaction: no funds, too much gas, or a nonce it will not have."""


class ReceiptMissing(ChainError):
    """A transaction was sent and no receipt came in time; it may still be mined.

    Attributes
    ----------
    transaction_hash : bytes
        What to look for.
    """

    def __init__(self, call: str, transaction_hash: bytes) -> None:
        super().__init__(f"{call}: no receipt of 0x{transaction_hash.hex()} in time")
        self.call, self.transaction_hash = call, transaction_hash


class BatchDataMissing(ChainError):
    """The transaction of a committed batch does not hold its header and log, or was not found."""


class BlobMissing(BatchDataMissing):
    """A blob that holds the data of a committed batch is not served, or another one is."""


class InboxMismatch(OffchainError):
    """The inbox on chain and its entries, or the engine's cursor, contradict one another."""


class RelayQueueFull(OffchainError):
    """Too many oracle reports wait for the chain."""


class InboxReorganised(OffchainError):
    """The chain dropped an inbox entry that the log consumed: the log must be sequenced again."""


class BatchConflict(OffchainError):
    """The chain holds another batch under a number that we made, or refuses ours for good."""


class BatchNotStored(OffchainError):
    """A batch was cut and could not be stored: this process must start again from the log."""


class BatchFileCorrupt(OffchainError):
    """A stored batch is not what was written."""


class WitnessMissing(OffchainError):
    """Nobody serves the witness of a committed liquidation."""


class ExitError(OffchainError):
    """The way out of the venue is not open, or not for this account."""


class NotFrozenYet(ExitError):
    """The venue is not frozen: its own withdrawals, free or forced, are the way out."""


class CheckpointMismatch(ExitError):
    """What is final on chain does not follow from the records that were posted."""


class NotInCheckpoint(ExitError):
    """The last final checkpoint has no such account."""


class NoGasMoney(ExitError):
    """The key that is to pay for gas has no money on this chain."""


def _readable(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
