"""Write the golden vectors of what is signed: headers, intents, observations, attestations."""

import sys
from collections.abc import Callable, Iterator

from offchain.core.oracle import Span
from offchain.ledger import columns as col
from offchain.ledger import header as hd
from offchain.ledger import signatures as sig
from offchain.ledger import typed_data as td
from offchain.ledger.keccak import ZERO32
from offchain.ledger.observations import pack_spans
from scripts.golden import Case, Files, case, number, owner, word, write

# -- header, intents -----------------------------------------------------------------------------


def headers() -> Iterator[tuple[str, hd.BatchHeader]]:
    """Name headers: zero, largest and ordinary ones."""
    kinds = [kind for _, kind in hd.HEADER_TYPE.members]
    ordinary = {"uint8": 0, "uint16": 2}

    def filled(value: Callable[[int, str], int | bytes]) -> hd.BatchHeader:
        return hd.BatchHeader(*[value(i, kind) for i, kind in enumerate(kinds)])  # type: ignore[arg-type] # the types follow the table

    yield "all zero", filled(lambda _, kind: ZERO32 if kind == "bytes32" else 0)
    yield (
        "largest numbers",
        filled(lambda _, kind: b"\xff" * 32 if kind == "bytes32" else 2 ** int(kind[4:]) - 1),
    )
    for n in range(1, 7):
        yield (
            f"batch {n}",
            filled(
                lambda i, kind, n=n: (  # type: ignore[misc] # the default binds the loop variable
                    word(f"header {n} {i}")
                    if kind == "bytes32"
                    else ordinary.get(kind, number(f"header {n} {i}", 0, 2 ** int(kind[4:]) - 1))
                )
            ),
        )


DOMAINS = (
    td.Domain(31_337, owner("settlement")),
    td.Domain(1, owner("another settlement")),
    td.Domain(2**63, b"\xff" * 20),
)


def signed(domain: td.Domain, struct_hash: bytes, key_name: str) -> Case:
    """Return a digest with a signature by the key of a name."""
    key, digest = word(key_name), domain.digest(struct_hash)
    return {
        "chainId": domain.chain_id,
        "verifyingContract": domain.contract,
        "domainSeparator": domain.separator,
        "structHash": struct_hash,
        "digest": digest,
        "privateKey": key,
        "signer": sig.address_of(key),
        "signature": sig.sign(digest, key),
    }


def header_cases() -> Iterator[Case]:
    """Yield headers with their hash and the sequencer's signature."""
    names = [name for name, _ in hd.HEADER_TYPE.members]
    for i, (name, header) in enumerate(headers()):
        fields = dict(zip(names, header.values(), strict=True))
        yield case(name, **fields, **signed(DOMAINS[i % 3], hd.batch_hash(header), "sequencer"))


def intents() -> Iterator[tuple[str, td.StructType, tuple[int | bytes, ...]]]:
    """Name intents of every type, with the values of their members."""
    top64 = 2**64 - 1
    yield "buy order", td.ORDER_TYPE, (2, 0, 5, 12 * 10**12, 0, False, 1, 1_760_000_000 * 10**9)
    yield "reducing order", td.ORDER_TYPE, (2, 256, -5, 1, 1, True, 2, 3)
    yield (
        "largest order",
        td.ORDER_TYPE,
        (2**32 - 1, 2**16 - 1, 2**31 - 1, top64, 2, True, top64, top64),
    )
    yield "smallest order", td.ORDER_TYPE, (0, 0, -(2**31), 0, 0, False, 0, 0)
    yield "cancellation", td.CANCEL_TYPE, (2, 77, 3, 1_760_000_000 * 10**9)
    yield "largest cancellation", td.CANCEL_TYPE, (2**32 - 1, top64, top64, top64)
    yield "withdrawal of cash", td.WITHDRAWAL_TYPE, (2, 0, 10**9, 4, 1_760_000_000 * 10**9)
    yield "largest withdrawal", td.WITHDRAWAL_TYPE, (2**32 - 1, 255, top64, top64, top64)
    yield "to cross margin", td.MODE_TYPE, (2, 1, 5, 1_760_000_000 * 10**9)
    yield "largest mode", td.MODE_TYPE, (2**32 - 1, 255, top64, top64)
    yield "conversion", td.CONVERSION_TYPE, (2, 1, 10**8, 10**11, 6, 1_760_000_000 * 10**9)
    yield "largest conversion", td.CONVERSION_TYPE, (2**32 - 1, 255, top64, top64, top64, top64)
    spans = pack_spans((Span(3, 500), Span(0, 65_535)))
    time = 1_760_000_000 * 10**9
    yield "observation", td.OBSERVATION_TYPE, (9, time, col.pack_values((12, 4)), spans)
    yield "observation of nothing", td.OBSERVATION_TYPE, (1, 1, b"", b"")
    largest = (b"\x7f" + b"\xff" * 7, b"\xff" * 4)
    yield "largest observation", td.OBSERVATION_TYPE, (top64, top64, *largest)
    yield "attestation", td.ATTESTATION_TYPE, (word("batch"),)
    yield "receipt", td.RECEIPT_TYPE, (1, 77, word("tip"), 5, word("prefix"))
    ones = b"\xff" * 32
    yield "largest receipt", td.RECEIPT_TYPE, (top64, top64, ones, top64, ones)


def intent_cases() -> Iterator[Case]:
    """Yield signed intents, and signatures that must be refused."""
    for i, (name, kind, values) in enumerate(intents()):
        names = [member for member, _ in kind.members]
        fields = {"type": kind.name, **dict(zip(names, values, strict=True))}
        yield case(
            name, **fields, **signed(DOMAINS[i % 3], kind.hash(values), f"key {i}"), valid=True
        )
    base = signed(DOMAINS[0], td.ATTESTATION_TYPE.hash((word("refused"),)), "key")
    base |= {"type": "Attestation", "batchHash": word("refused")}
    good = sig.sign(DOMAINS[0].digest(td.ATTESTATION_TYPE.hash((word("refused"),))), word("key"))
    high_s = (sig.CURVE_ORDER - int.from_bytes(good[32:64])).to_bytes(32)
    refused = {
        "high s": good[:32] + high_s + bytes([27 + 28 - good[64]]),
        "v of 0": good[:64] + b"\x00",
        "v of 29": good[:64] + b"\x1d",
        "64 bytes": good[:64],
        "66 bytes": good + b"\x00",
        "zero s": good[:32] + bytes(32) + good[64:],
        "zero r": bytes(32) + good[32:],
        "no signature": b"",
    }
    for name, signature in refused.items():
        yield case(name, **{**base, "signature": signature}, valid=False)


FILES: Files = {"header": header_cases, "intents": intent_cases}

if __name__ == "__main__":
    sys.exit(write(FILES))
