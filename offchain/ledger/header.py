"""The batch header: all that a batch asserts. What is not under its hash does not exist."""

from dataclasses import astuple, dataclass

from offchain.ledger.typed_data import Domain, StructType

SCHEMA = 2
DATA_KIND_CALLDATA = 0
DATA_KIND_BLOBS = 1
PROOF_KIND_ATTESTED = 0

HEADER_TYPE = StructType(
    "BatchHeader",
    (
        ("schema", "uint16"),
        ("batchNo", "uint64"),
        ("prevBatchHash", "bytes32"),
        ("prevStateRoot", "bytes32"),
        ("stateRoot", "bytes32"),
        ("checkpointRoot", "bytes32"),
        ("inputLogHash", "bytes32"),
        ("traceRoot", "bytes32"),
        ("stepCount", "uint32"),
        ("daHash", "bytes32"),
        ("daLength", "uint32"),
        ("daKind", "uint8"),
        ("outputRoot", "bytes32"),
        ("liquidationRoot", "bytes32"),
        ("liquidationCount", "uint32"),
        ("adlRoot", "bytes32"),
        ("inboxFrom", "uint64"),
        ("inboxTo", "uint64"),
        ("inboxPrefixHash", "bytes32"),
        ("epochRoot", "bytes32"),
        ("priceRoot", "bytes32"),
        ("riskRoot", "bytes32"),
        ("paramsHash", "bytes32"),
        ("engineHash", "bytes32"),
        ("l1BlockNumber", "uint64"),
        ("l1BlockHash", "bytes32"),
        ("timeStart", "uint64"),
        ("timeEnd", "uint64"),
        ("totalsHash", "bytes32"),
        ("sequencerEpoch", "uint64"),
        ("proofKind", "uint8"),
    ),
)


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """The header of docs/COMMITMENTS.md, in the order of its EIP-712 type.

    `inbox_from` and `inbox_to` are cursors, times are nanoseconds, `da_length` is bytes,
    `step_count` the records of the batch. In schema 2 `adl_root` is zero: that part does not exist
    yet.
    """

    schema: int
    batch_no: int
    prev_batch_hash: bytes
    prev_state_root: bytes
    state_root: bytes
    checkpoint_root: bytes
    input_log_hash: bytes
    trace_root: bytes
    step_count: int
    da_hash: bytes
    da_length: int
    da_kind: int
    output_root: bytes
    liquidation_root: bytes
    liquidation_count: int
    adl_root: bytes
    inbox_from: int
    inbox_to: int
    inbox_prefix_hash: bytes
    epoch_root: bytes
    price_root: bytes
    risk_root: bytes
    params_hash: bytes
    engine_hash: bytes
    l1_block_number: int
    l1_block_hash: bytes
    time_start_ns: int
    time_end_ns: int
    totals_hash: bytes
    sequencer_epoch: int
    proof_kind: int

    def values(self) -> tuple[int | bytes, ...]:
        """Return the fields in order, as the ABI and the EIP-712 type have them."""
        return astuple(self)


def batch_hash(header: BatchHeader) -> bytes:
    """Return the EIP-712 struct hash of a header, which is the batch hash."""
    return HEADER_TYPE.hash(header.values())


def header_digest(domain: Domain, header: BatchHeader) -> bytes:
    """Return what the sequencer signs for a batch; the domain is Settlement's."""
    return domain.digest(batch_hash(header))
