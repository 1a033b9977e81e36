"""EIP-712: domains, struct hashes and the digests that are signed."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property

from offchain.core.oracle import Span
from offchain.core.units import TimestampNs
from offchain.engine.messages import CancelOrder, Convert, PlaceOrder, SetMode, Withdraw
from offchain.ledger.abi import Value, address, unsigned, word
from offchain.ledger.columns import pack_values
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256
from offchain.ledger.observations import pack_spans

NAME = "Plimsoll"
VERSION = "1"
_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass(frozen=True)
class StructType:
    """A flat EIP-712 struct: its members are words, or `bytes`, which enter by their hash."""

    name: str
    members: tuple[tuple[str, str], ...]

    @cached_property
    def type_hash(self) -> bytes:
        """Hash of the type as EIP-712 writes it."""
        members = ",".join(f"{kind} {name}" for name, kind in self.members)
        return keccak256(f"{self.name}({members})".encode())

    def hash(self, values: Sequence[Value]) -> bytes:
        """Return `hashStruct` of the values, given in the order of the members.

        Raises
        ------
        EncodingError
            A value does not fit its type.
        """
        words = [self.type_hash]
        for (_, kind), value in zip(self.members, values, strict=True):
            if kind != "bytes":
                words.append(word(kind, value))
            elif isinstance(value, bytes):
                words.append(keccak256(value))
            else:
                raise EncodingError(f"{value!r} is not bytes")
        return keccak256(b"".join(words))


ORDER_TYPE = StructType(
    "Order",
    (
        ("account", "uint32"),
        ("instrument", "uint16"),
        ("lots", "int32"),
        ("limitPriceE8", "uint64"),
        ("timeInForce", "uint8"),
        ("reduceOnly", "bool"),
        ("nonce", "uint64"),
        ("expiresAt", "uint64"),
    ),
)
CANCEL_TYPE = StructType(
    "Cancel",
    (("account", "uint32"), ("orderId", "uint64"), ("nonce", "uint64"), ("expiresAt", "uint64")),
)
WITHDRAWAL_TYPE = StructType(
    "Withdrawal",
    (
        ("account", "uint32"),
        ("asset", "uint8"),
        ("amount", "uint64"),
        ("nonce", "uint64"),
        ("expiresAt", "uint64"),
    ),
)
MODE_TYPE = StructType(
    "Mode",
    (("account", "uint32"), ("mode", "uint8"), ("nonce", "uint64"), ("expiresAt", "uint64")),
)
CONVERSION_TYPE = StructType(
    "Conversion",
    (
        ("account", "uint32"),
        ("asset", "uint8"),
        ("amount", "uint64"),
        ("minimumE6", "uint64"),
        ("nonce", "uint64"),
        ("expiresAt", "uint64"),
    ),
)
OBSERVATION_TYPE = StructType(
    "Observation",
    (("round", "uint64"), ("observedAt", "uint64"), ("values", "bytes"), ("spans", "bytes")),
)
ATTESTATION_TYPE = StructType("Attestation", (("batchHash", "bytes32"),))
RECEIPT_TYPE = StructType(
    "Receipt",
    (
        ("epoch", "uint64"),
        ("seq", "uint64"),
        ("tip", "bytes32"),
        ("inboxCursor", "uint64"),
        ("inboxPrefixHash", "bytes32"),
    ),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A promise of the sequencer: record `seq` is durable, and the log hash after it is `tip`.

    `inbox_cursor` entries with `inbox_prefix_hash` were consumed by then. Two receipts that differ
    in nothing but `tip` are an equivocation, which costs the sequencer its stake.
    """

    epoch: int
    seq: int
    tip: bytes
    inbox_cursor: int
    inbox_prefix_hash: bytes


@dataclass(frozen=True)
class Domain:
    """Where a signature counts: a chain and the contract that checks it (20 bytes)."""

    chain_id: int
    contract: bytes

    @cached_property
    def separator(self) -> bytes:
        """The domain separator, computed once."""
        fixed = [keccak256(_DOMAIN_TYPE), keccak256(NAME.encode()), keccak256(VERSION.encode())]
        return keccak256(b"".join(fixed) + unsigned(self.chain_id, 256) + address(self.contract))

    def digest(self, struct_hash: bytes) -> bytes:
        """Return the 32 bytes that are signed for a struct."""
        return keccak256(b"\x19\x01" + self.separator + struct_hash)


def order_digest(domain: Domain, order: PlaceOrder) -> bytes:
    """Return what the owner of the account signs for an order; the domain is Settlement's."""
    values = (
        order.account,
        order.instrument,
        order.lots,
        order.limit_price_e8,
        int(order.time_in_force),
        order.reduce_only,
        order.nonce,
        order.expires_at_ns,
    )
    return domain.digest(ORDER_TYPE.hash(values))


def cancel_digest(domain: Domain, cancel: CancelOrder) -> bytes:
    """Return what the owner signs for a cancellation; the domain is Settlement's."""
    values = (cancel.account, cancel.order_id, cancel.nonce, cancel.expires_at_ns)
    return domain.digest(CANCEL_TYPE.hash(values))


def withdrawal_digest(domain: Domain, withdrawal: Withdraw) -> bytes:
    """Return what the owner signs for a withdrawal; the domain is Settlement's."""
    values = (
        withdrawal.account,
        withdrawal.asset,
        withdrawal.amount,
        withdrawal.nonce,
        withdrawal.expires_at_ns,
    )
    return domain.digest(WITHDRAWAL_TYPE.hash(values))


def mode_digest(domain: Domain, change: SetMode) -> bytes:
    """Return what the owner signs for another mode; the domain is Settlement's."""
    values = (change.account, change.mode, change.nonce, change.expires_at_ns)
    return domain.digest(MODE_TYPE.hash(values))


def conversion_digest(domain: Domain, conversion: Convert) -> bytes:
    """Return what the owner signs for a sale of collateral; the domain is Settlement's."""
    values = (
        conversion.account,
        conversion.asset,
        conversion.amount,
        conversion.minimum_e6,
        conversion.nonce,
        conversion.expires_at_ns,
    )
    return domain.digest(CONVERSION_TYPE.hash(values))


def observation_digest(
    domain: Domain,
    round_: int,
    observed_at_ns: TimestampNs,
    values: Sequence[int],
    spans: Sequence[Span],
) -> bytes:
    """Return what an oracle signs about one round; the domain is OracleHub's."""
    packed = (pack_values(values), pack_spans(spans))
    return domain.digest(OBSERVATION_TYPE.hash((round_, observed_at_ns, *packed)))


def attestation_digest(domain: Domain, batch_hash: bytes) -> bytes:
    """Return what an attestor signs for a batch; the domain is AttestedVerifier's."""
    return domain.digest(ATTESTATION_TYPE.hash((batch_hash,)))


def receipt_digest(domain: Domain, receipt: Receipt) -> bytes:
    """Return what the sequencer signs for a record; the domain is SequencerRegistry's."""
    return domain.digest(RECEIPT_TYPE.hash(astuple(receipt)))
