"""Oracle reports and epochs: the spans in which no value changes."""

from dataclasses import dataclass

from offchain.ledger.abi import WORD, dynamic_bytes, static, unsigned
from offchain.ledger.columns import pack_values
from offchain.ledger.keccak import keccak256

_EPOCH_TYPES = ("uint64", "uint64", *["bytes32"] * 4)


@dataclass(frozen=True, slots=True)
class Report:
    """The medians of one round, one for each feed in listing order."""

    round: int
    observed_at_ns: int
    medians: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Epoch:
    """A span in which no value changes; `number` counts from 1, `time_ns` is its begin."""

    number: int
    time_ns: int
    report_hash: bytes
    price_root: bytes
    risk_root: bytes
    charge_root: bytes


def report_hash(report: Report) -> bytes:
    """Return ``keccak256(abi.encode(uint64, uint64, bytes packedMedians))``."""
    head = unsigned(report.round, 64) + unsigned(report.observed_at_ns, 64)
    offset = unsigned(3 * WORD, 256)
    return keccak256(head + offset + dynamic_bytes(pack_values(report.medians)))


def epoch_hash(epoch: Epoch) -> bytes:
    """Return the leaf of an epoch in the epoch tree of a batch."""
    values = (
        epoch.number,
        epoch.time_ns,
        epoch.report_hash,
        epoch.price_root,
        epoch.risk_root,
        epoch.charge_root,
    )
    return keccak256(static(_EPOCH_TYPES, values))
