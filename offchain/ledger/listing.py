"""The listing: what a judge on chain needs of each instrument, each asset and the oracle.

Leaf 0 is the oracle, then come the instruments in ascending order of id, then the assets from 1.
`contracts/types/Listing.sol` has the same structs.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from offchain.core.instruments import SHAPE_KINDS, FeedKind, Instrument, Listing
from offchain.core.parameters import RiskParameters, ScanParameters
from offchain.ledger.abi import WORD, Value, address, static, unsigned
from offchain.ledger.keccak import keccak256
from offchain.ledger.merkle import ListTree

TAILS, SKEWS = 7, 2
_TAIL = ("int64", "uint32")
_SKEW = ("int64", "uint32", "bool")
_SCAN = (
    "uint32",
    "uint32",
    "uint32",
    "uint64",
    "uint32",
    "uint32",
    *_TAIL * TAILS,
    *_SKEW * SKEWS,
)
_INSTRUMENT = ("uint8", "uint64", "uint64", "uint64", "uint64")
_PLACES = ("uint16", "uint16", "uint16", "bool", "uint16", "uint16", "uint16", "uint16")
_LISTED_INSTRUMENT = ("uint16", *_INSTRUMENT, *_PLACES, *_SCAN, *("uint32",) * 8)
_LISTED_ASSET = ("uint8", "uint16", "uint64", "uint32", "uint32")
_ORACLE_HEAD = 5


@dataclass(frozen=True, slots=True)
class FeedPlaces:
    """Where a report has the numbers of an instrument; zero where it has none."""

    index: int
    forward: int = 0
    volatility: int = 0
    is_shaped: bool = False
    slope: int = 0
    tilt: int = 0
    centre: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    """Everything about one instrument that a judge needs.

    Attributes
    ----------
    instrument : tuple of int
        Kind, expiry [ns], strike [USD e-8], lot divisor, tick [USD e-8].
    taker_fee_e6, fee_e6 : int
        Of a taker, and of a liquidation, of the notional. [e-6]
    band_mark_e6, band_index_e6 : int
        How far from mark and index a liquidation may trade. [e-6]
    roll_rate_e6, roll_min_e6, unwind_e6, naked_mm_e6 : int
        Charges beyond the scan. [e-6]
    """

    id: int
    instrument: tuple[int, int, int, int, int]
    places: FeedPlaces
    scan: ScanParameters
    taker_fee_e6: int
    fee_e6: int
    band_mark_e6: int
    band_index_e6: int
    roll_rate_e6: int
    roll_min_e6: int
    unwind_e6: int
    naked_mm_e6: int


@dataclass(frozen=True, slots=True)
class ListedAsset:
    """One collateral asset; `index_feed` is the place of its price, the cap is in token e-8."""

    asset: int
    index_feed: int
    cap_e8: int
    haircut_floor_e6: int
    haircut_cap_e6: int


@dataclass(frozen=True, slots=True)
class ListedOracle:
    """When a report is believed; `signers` are addresses in the order of the parameter set."""

    feeds: int
    quorum: int
    heartbeat_ns: int
    band_e6: int
    signers: tuple[bytes, ...]


def oracle_of(parameters: RiskParameters) -> ListedOracle:
    """Return leaf 0 of a listing."""
    oracle = parameters.oracle
    return ListedOracle(
        len(parameters.listing.feeds),
        oracle.quorum,
        oracle.heartbeat_ns,
        oracle.band_e6,
        tuple(bytes.fromhex(signer[2:]) for signer in oracle.signers),
    )


def instruments_of(parameters: RiskParameters) -> tuple[ListedInstrument, ...]:
    """Return the instruments, ascending by id."""
    listed = sorted(parameters.listing.instruments, key=lambda i: i.id)
    return tuple(_instrument(parameters, instrument) for instrument in listed)


def assets_of(parameters: RiskParameters) -> tuple[ListedAsset, ...]:
    """Return the collateral assets, from 1."""
    listing = parameters.listing
    return tuple(
        ListedAsset(
            asset,
            listing.feed_index(FeedKind.INDEX, of.underlying),
            of.cap_e8,
            of.haircut_floor_e6,
            of.haircut_cap_e6,
        )
        for asset, of in enumerate(parameters.collateral, start=1)
    )


def encode_oracle(oracle: ListedOracle) -> bytes:
    """Return ``abi.encode(oracle)``; EncodingError when a value does not fit."""
    words = (
        unsigned(WORD, 256),
        unsigned(oracle.feeds, 16),
        unsigned(oracle.quorum, 8),
        unsigned(oracle.heartbeat_ns, 64),
        unsigned(oracle.band_e6, 32),
        unsigned(_ORACLE_HEAD * WORD, 256),
        unsigned(len(oracle.signers), 256),
        *[address(signer) for signer in oracle.signers],
    )
    return b"".join(words)


def encode_instrument(listed: ListedInstrument) -> bytes:
    """Return ``abi.encode(instrument)``; EncodingError when a value does not fit."""
    return static(_LISTED_INSTRUMENT, _flat(astuple(listed)))


def encode_asset(asset: ListedAsset) -> bytes:
    """Return ``abi.encode(asset)``; EncodingError when a value does not fit."""
    return static(_LISTED_ASSET, astuple(asset))


def encoded_leaves(parameters: RiskParameters) -> tuple[bytes, ...]:
    """Return what the leaves of a listing are the hashes of, in their order."""
    return (
        encode_oracle(oracle_of(parameters)),
        *[encode_instrument(instrument) for instrument in instruments_of(parameters)],
        *[encode_asset(asset) for asset in assets_of(parameters)],
    )


def listing_tree(parameters: RiskParameters) -> ListTree:
    """Return the tree of a listing, for proofs of its leaves."""
    return ListTree.of([keccak256(encoded) for encoded in encoded_leaves(parameters)])


def listing_root(parameters: RiskParameters) -> bytes:
    """Return the root that the parameter hash contains."""
    return listing_tree(parameters).root


def _instrument(parameters: RiskParameters, instrument: Instrument) -> ListedInstrument:
    place, liquidation = instrument.underlying, parameters.liquidation
    underlying, addons = parameters.listing.underlyings[place], parameters.addons[place]
    return ListedInstrument(
        instrument.id,
        (
            int(instrument.kind),
            instrument.expiry_ns,
            instrument.strike_e8,
            underlying.lot_divisor,
            underlying.tick_e8,
        ),
        feed_places(parameters.listing, instrument),
        parameters.scan[place],
        parameters.taker_fee_e6,
        liquidation.fee_e6,
        liquidation.band_mark_e6,
        liquidation.band_index_e6,
        addons.roll_rate_e6,
        addons.roll_min_e6,
        addons.unwind_option_e6 if instrument.is_option else addons.unwind_linear_e6,
        addons.naked_mm_e6,
    )


def feed_places(listing: Listing, instrument: Instrument) -> FeedPlaces:
    """Return where every report has what an instrument is priced from."""
    underlying, expiry_ns = instrument.underlying, instrument.expiry_ns
    index = listing.feed_index(FeedKind.INDEX, underlying)
    if expiry_ns == 0:
        return FeedPlaces(index)
    forward = listing.feed_index(FeedKind.FORWARD, underlying, expiry_ns)
    if not instrument.is_option:
        return FeedPlaces(index, forward)
    volatility = listing.feed_index(FeedKind.VOLATILITY, underlying, expiry_ns)
    places = {
        f.kind: place
        for place, f in enumerate(listing.feeds)
        if (f.underlying, f.expiry_ns) == (underlying, expiry_ns)
    }
    if FeedKind.SLOPE not in places:
        return FeedPlaces(index, forward, volatility)
    return FeedPlaces(index, forward, volatility, True, *[places[k] for k in SHAPE_KINDS])


def _flat(values: Sequence[object]) -> list[Value]:
    """Return nested tuples as one list: a struct without dynamic members is its words in order."""
    found: list[Value] = []
    for value in values:
        if isinstance(value, tuple):
            found += _flat(value)
        else:
            assert isinstance(value, int | bytes)
            found.append(value)
    return found
