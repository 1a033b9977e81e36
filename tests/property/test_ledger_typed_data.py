"""Digests and signatures are those of eth_account, for every intent and header."""

from dataclasses import astuple
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.oracle import Span
from offchain.engine.messages import (
    CancelOrder,
    Convert,
    PlaceOrder,
    SetMode,
    TimeInForce,
    Withdraw,
)
from offchain.ledger import header as hd
from offchain.ledger import typed_data as td
from offchain.ledger.keccak import keccak256
from offchain.ledger.signatures import CURVE_ORDER, address_of, recover, sign

BITS = {"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}
HASH = st.binary(min_size=32, max_size=32)
U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
SPANS = st.builds(Span, U16, U16)
I32, I64 = (st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (32, 64))
DOMAINS = st.builds(td.Domain, st.integers(1, 2**64), st.binary(min_size=20, max_size=20))
KEYS = st.integers(1, CURVE_ORDER - 1).map(lambda k: k.to_bytes(32))
SIGNATURE = st.just(bytes(65))
HEADERS = st.builds(
    hd.BatchHeader,
    *[
        HASH if kind == "bytes32" else st.integers(0, 2 ** BITS[kind] - 1)
        for _, kind in hd.HEADER_TYPE.members
    ],
)


def outside(domain: td.Domain, kind: td.StructType, values: tuple[Any, ...]) -> Any:
    """Return the message that eth_account signs."""
    named = {
        "name": "Plimsoll",
        "version": "1",
        "chainId": domain.chain_id,
        "verifyingContract": "0x" + domain.contract.hex(),
    }
    members = [{"name": name, "type": member} for name, member in kind.members]
    message = dict(zip([m["name"] for m in members], values, strict=True))
    return encode_typed_data(named, {kind.name: members}, message)


def digest_of(message: Any) -> bytes:
    return keccak256(b"\x19\x01" + message.header + message.body)


@given(
    DOMAINS,
    st.builds(
        PlaceOrder,
        U32,
        U16,
        I32,
        U64,
        st.sampled_from(TimeInForce),
        st.booleans(),
        U64,
        U64,
        SIGNATURE,
    ),
)
def test_orders_digest_as_eth_account_does(domain: td.Domain, order: PlaceOrder) -> None:
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
    assert td.order_digest(domain, order) == digest_of(outside(domain, td.ORDER_TYPE, values))


@given(DOMAINS, U32, U64, U64, U64)
def test_cancellations_digest_as_eth_account_does(
    domain: td.Domain, account: int, order_id: int, nonce: int, expires: int
) -> None:
    values = (account, order_id, nonce, expires)
    cancel = CancelOrder(*values, bytes(65))  # type: ignore[arg-type] # plain numbers
    assert td.cancel_digest(domain, cancel) == digest_of(outside(domain, td.CANCEL_TYPE, values))


@given(DOMAINS, U32, U8, U64, U64, U64)
def test_withdrawals_digest_as_eth_account_does(
    domain: td.Domain, account: int, asset: int, amount: int, nonce: int, expires: int
) -> None:
    values = (account, asset, amount, nonce, expires)
    withdrawal = Withdraw(*values, bytes(65))  # type: ignore[arg-type] # plain numbers
    expected = digest_of(outside(domain, td.WITHDRAWAL_TYPE, values))
    assert td.withdrawal_digest(domain, withdrawal) == expected


@given(DOMAINS, U32, U8, U64, U64)
def test_modes_digest_as_eth_account_does(
    domain: td.Domain, account: int, mode: int, nonce: int, expires: int
) -> None:
    values = (account, mode, nonce, expires)
    change = SetMode(*values, bytes(65))  # type: ignore[arg-type] # plain numbers
    assert td.mode_digest(domain, change) == digest_of(outside(domain, td.MODE_TYPE, values))


@given(DOMAINS, U32, U8, st.tuples(U64, U64), U64, U64)
def test_conversions_digest_as_eth_account_does(
    domain: td.Domain, account: int, asset: int, sold: tuple[int, int], nonce: int, expires: int
) -> None:
    values = (account, asset, *sold, nonce, expires)
    conversion = Convert(*values, bytes(65))  # type: ignore[arg-type] # plain numbers
    expected = digest_of(outside(domain, td.CONVERSION_TYPE, values))
    assert td.conversion_digest(domain, conversion) == expected


@given(DOMAINS, U64, U64, st.lists(I64, max_size=8), st.lists(SPANS, max_size=8))
def test_observations_digest_as_eth_account_does(
    domain: td.Domain, round_: int, time: int, values: list[int], spans: list[Span]
) -> None:
    packed = b"".join(v.to_bytes(8, signed=True) for v in values)
    ranges = b"".join(side.to_bytes(2) for span in spans for side in span)
    expected = digest_of(outside(domain, td.OBSERVATION_TYPE, (round_, time, packed, ranges)))
    assert td.observation_digest(domain, round_, time, values, spans) == expected  # type: ignore[arg-type] # a plain number


@given(DOMAINS, HASH)
def test_attestations_digest_as_eth_account_does(domain: td.Domain, batch_hash: bytes) -> None:
    expected = digest_of(outside(domain, td.ATTESTATION_TYPE, (batch_hash,)))
    assert td.attestation_digest(domain, batch_hash) == expected


@given(DOMAINS, HEADERS)
def test_headers_digest_as_eth_account_does(domain: td.Domain, header: hd.BatchHeader) -> None:
    message = outside(domain, hd.HEADER_TYPE, header.values())
    assert hd.batch_hash(header) == message.body
    assert hd.header_digest(domain, header) == digest_of(message)


@given(DOMAINS, HASH, KEYS)
def test_signatures_are_the_ones_of_eth_account(
    domain: td.Domain, batch_hash: bytes, key: bytes
) -> None:
    digest = td.attestation_digest(domain, batch_hash)
    signature = sign(digest, key)
    message = outside(domain, td.ATTESTATION_TYPE, (batch_hash,))
    assert Account.sign_message(message, key).signature == signature
    assert Account.from_key(key).address.lower() == "0x" + address_of(key).hex()
    assert recover(digest, signature) == address_of(key)


@given(DOMAINS, st.builds(td.Receipt, U64, U64, HASH, U64, HASH))
def test_receipt_digests_are_those_of_eth_account(domain: td.Domain, receipt: td.Receipt) -> None:
    message = outside(domain, td.RECEIPT_TYPE, astuple(receipt))
    assert td.receipt_digest(domain, receipt) == digest_of(message)
