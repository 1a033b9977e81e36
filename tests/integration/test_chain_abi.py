"""Calls, events and errors are decoded by the compiler's ABI, and hostile bytes are harmless."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from offchain.adapters.chain_abi import ContractInterface, RevertDecoder, checksum
from offchain.adapters.compiler import abi
from offchain.ledger.abi import address, unsigned
from offchain.ledger.keccak import keccak256

SETTLEMENT = ContractInterface("Settlement", b"\x05" * 20, abi("Settlement"))
INBOX = ContractInterface("Inbox", b"\x06" * 20, abi("Inbox"))
DECODER = RevertDecoder([SETTLEMENT, INBOX])


def test_a_custom_error_is_named_with_its_arguments() -> None:
    data = keccak256(b"WrongInboxCursor(uint64,uint64,uint64)")[:4] + encode(
        ["uint64"] * 3, [1, 2, 3]
    )
    found = DECODER.decode(data)
    assert (found.name, found.arguments) == ("WrongInboxCursor", {"from": 1, "to": 2, "cursor": 3})


def test_an_address_in_an_error_is_bytes() -> None:
    data = keccak256(b"NotVault(address)")[:4] + address(b"\x07" * 20)
    assert DECODER.decode(data).arguments == {"caller": b"\x07" * 20}


def test_texts_and_panics_are_named() -> None:
    text = keccak256(b"Error(string)")[:4] + encode(["string"], ["no"])
    panic = keccak256(b"Panic(uint256)")[:4] + unsigned(0x11, 256)
    assert DECODER.decode(text).arguments == {"reason": "no"}
    assert (DECODER.decode(panic).name, DECODER.decode(panic).arguments) == ("Panic", {"code": 17})


def test_an_unknown_error_keeps_its_data() -> None:
    assert DECODER.decode(b"\x01\x02\x03\x04rest").arguments == {"data": b"\x01\x02\x03\x04rest"}
    assert DECODER.decode(b"").name == "Unknown"


@given(
    st.sampled_from([b"Error(string)", b"NotVault(address)", b"AlreadyClaimed(uint64)"]),
    st.binary(max_size=200),
)
def test_no_revert_data_breaks_the_decoder(signature: bytes, rest: bytes) -> None:
    found = DECODER.decode(keccak256(signature)[:4] + rest)
    assert found.name == signature.partition(b"(")[0].decode()


@given(st.binary(max_size=300))
def test_no_calldata_breaks_the_reader_of_commits(rest: bytes) -> None:
    commit = SETTLEMENT.function("commit")
    assert commit.decode_input(rest[:4] + rest) is None
    assert commit.decode_input(commit.selector + rest) is None


def test_a_call_reads_back_as_it_was_written() -> None:
    prefix_at = INBOX.function("prefixAt")
    assert prefix_at.decode_input(prefix_at.encode([7])) == (7,)
    assert prefix_at.encode([7])[:4] == keccak256(b"prefixAt(uint64)")[:4]


@pytest.mark.parametrize("spelling", ["dirty", "short", "trailing", "swapped"])
def test_a_call_that_a_stranger_spelled_otherwise_reads_back(spelling: str) -> None:
    attested = ContractInterface("ProofRouter", bytes(20), abi("ProofRouter"))
    function = attested.function("requireValid")
    data = function.encode([1, b"h" * 32, b"proof"])
    if spelling == "dirty":
        data = data[:-1] + b"\x01"
    elif spelling == "short":
        data = data[:-27]
    elif spelling == "trailing":
        data += b"more"
    else:
        gap = bytes(64)
        head, tail = data[:68], data[100:]
        data = head + unsigned(96 + len(gap), 256) + gap + tail
    assert function.decode_input(data) == (1, b"h" * 32, b"proof")


def test_an_unknown_function_or_event_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        INBOX.function("burn")
    with pytest.raises(KeyError):
        INBOX.event_named("Burnt")
    assert INBOX.event(bytes(32)) is None


def test_addresses_are_written_in_mixed_case() -> None:
    plain = bytes.fromhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")  # an example of EIP-55
    assert checksum(plain) == "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
