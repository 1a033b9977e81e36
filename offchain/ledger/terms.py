"""What the contracts need of a parameter set, and the hash that stands for the whole of it."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from offchain.core.curves import Line, curve_lines
from offchain.core.parameters import RiskParameters
from offchain.core.terms import TERMS, Terms, terms
from offchain.ledger.abi import static
from offchain.ledger.document import document
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256
from offchain.ledger.listing import listing_root

__all__ = [
    "Curves",
    "Terms",
    "curves",
    "curves_hash",
    "pack_curves",
    "params_hash",
    "terms",
    "terms_hash",
    "unpack_curves",
]

_TERMS_TYPES = ("uint32",) * TERMS
CURVES_PER_UNDERLYING = 3
"""On the net delta, on the cost of unwinding, on the notional of a linear instrument."""
_RATE_BYTES, _DEDUCTION_BYTES = 4, 12
_LINE_BYTES = _RATE_BYTES + _DEDUCTION_BYTES


@dataclass(frozen=True, slots=True)
class Curves:
    """The tier curves of one underlying, as straight lines."""

    delta: tuple[Line, ...]
    unwind: tuple[Line, ...]
    linear: tuple[Line, ...]


def curves(parameters: RiskParameters) -> bytes:
    """Return the packed tier curves of every underlying, as `pack_curves` writes them."""
    kinds = zip(parameters.addons, parameters.class_of, strict=True)
    return pack_curves(
        [
            Curves(
                curve_lines(addons.delta_tiers),
                curve_lines(addons.unwind_tiers),
                curve_lines(parameters.classes[place].tiers),
            )
            for addons, place in kinds
        ]
    )


def pack_curves(of_underlyings: Sequence[Curves]) -> bytes:
    """Return the curves one after another, underlying by underlying.

    A curve is a count u8, then that many lines of rate u32 [e-6] and deduction u96 [USD e-12].

    Raises
    ------
    EncodingError
        A curve has more than 255 lines, or a number does not fit.
    """
    packed = []
    for of in of_underlyings:
        for lines in (of.delta, of.unwind, of.linear):
            try:
                packed.append(len(lines).to_bytes(1))
                for rate, deduction in lines:
                    packed.append(rate.to_bytes(_RATE_BYTES) + deduction.to_bytes(_DEDUCTION_BYTES))
            except OverflowError:
                raise EncodingError(f"the curve {lines} does not fit") from None
    return b"".join(packed)


def unpack_curves(packed: bytes) -> tuple[Curves, ...]:
    """Return the curves of each underlying; EncodingError unless the bytes are exactly that."""
    found: list[tuple[Line, ...]] = []
    place = 0
    while place < len(packed):
        end = place + 1 + packed[place] * _LINE_BYTES
        if end > len(packed):
            raise EncodingError("a curve reaches beyond the end")
        starts = range(place + 1, end, _LINE_BYTES)
        found.append(tuple(_line(packed[start : start + _LINE_BYTES]) for start in starts))
        place = end
    if len(found) % CURVES_PER_UNDERLYING:
        raise EncodingError(f"an underlying has {CURVES_PER_UNDERLYING} curves")
    threes = range(0, len(found), CURVES_PER_UNDERLYING)
    return tuple(Curves(*found[i : i + CURVES_PER_UNDERLYING]) for i in threes)


def _line(packed: bytes) -> Line:
    return int.from_bytes(packed[:_RATE_BYTES]), int.from_bytes(packed[_RATE_BYTES:])


def terms_hash(value: Terms) -> bytes:
    """Return ``keccak256(abi.encode(terms))``; EncodingError when a term does not fit 32 bits."""
    return keccak256(static(_TERMS_TYPES, astuple(value)))


def curves_hash(parameters: RiskParameters) -> bytes:
    """Return the hash of the packed tier curves of a parameter set."""
    return keccak256(curves(parameters))


def params_hash(parameters: RiskParameters, documented: RiskParameters | None = None) -> bytes:
    """Return the hash of terms, curves, listing and document that batch headers carry.

    `documented` is the set of the document where other terms were laid above it; see `with_terms`.
    """
    return keccak256(
        terms_hash(terms(parameters))
        + curves_hash(parameters)
        + listing_root(parameters)
        + keccak256(document(documented or parameters))
    )
