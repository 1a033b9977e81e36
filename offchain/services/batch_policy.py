"""When a batch is cut, and where its data goes."""

from dataclasses import dataclass

from offchain.core.units import SECOND_NS
from offchain.ledger.blob_data import MAX_DATA_BYTES
from offchain.ledger.header import DATA_KIND_BLOBS, DATA_KIND_CALLDATA


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """When a batch is cut; whichever limit is reached first.

    Attributes
    ----------
    max_bytes : int
        Posted log and trace of one batch. Nodes take transactions of at most 128 KiB. [bytes]
    call_bytes : int
        Kept free of it for what is applied before a cut can divide it. [bytes]
    max_records : int
        Below what a contract can derive from the posted data, `MAX_STEPS`.
    max_liquidations : int
        Each costs a verification on chain before the batch may be final.
    max_age_ns : int
        Since the first record of the batch. [ns]
    max_uncommitted : int
        While so many batches wait for the chain, only full ones are cut.
    data_kind : int
        Where the data goes: calldata, or blobs, of which a batch may fill two.
    """

    max_bytes: int = 96 << 10
    call_bytes: int = 32 << 10
    max_records: int = 1_024
    max_liquidations: int = 64
    max_age_ns: int = 60 * SECOND_NS
    max_uncommitted: int = 32
    data_kind: int = DATA_KIND_CALLDATA

    def __post_init__(self) -> None:
        """Refuse limits that could never be met."""
        positive = min(self.max_records, self.max_liquidations, self.max_age_ns)
        if positive <= 0 or self.max_uncommitted <= 0 or not 0 <= self.call_bytes < self.max_bytes:
            raise ValueError(f"no batch could be cut under {self}")
        if self.data_kind not in {DATA_KIND_CALLDATA, DATA_KIND_BLOBS}:
            raise ValueError(f"no kind of data is {self.data_kind}")
        if self.data_kind == DATA_KIND_BLOBS and self.max_bytes > MAX_DATA_BYTES:
            raise ValueError(f"blobs hold {MAX_DATA_BYTES} bytes, not {self.max_bytes}")
