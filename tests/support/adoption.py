"""Parameter sets that follow one another: a strike more, tighter terms."""

from dataclasses import replace

from offchain.core.instruments import Instrument, Kind
from offchain.core.parameters import RiskParameters
from offchain.core.terms import Terms, terms
from offchain.core.units import ONE_E8, SLOT_BITS, InstrumentId, PriceE8, RatioE6, TimestampNs
from offchain.engine.messages import Adopt

LATER_STRIKE = 140_000


def with_strike(rules: RiskParameters, strike: int = LATER_STRIKE) -> RiskParameters:
    """Return the next version, with a call and a put more on the first expiry of BTC."""
    listing = rules.listing
    dated = next(i for i in listing.instruments if i.expiry_ns)
    name = dated.symbol.rsplit("-", 1)[0] if dated.is_option else dated.symbol
    slots = len(listing.of_underlying(0))
    added = tuple(
        Instrument(
            InstrumentId(dated.underlying << SLOT_BITS | slots + place),
            f"{name}-{strike}-{letter}",
            kind,
            TimestampNs(dated.expiry_ns),
            PriceE8(strike * ONE_E8),
        )
        for place, (kind, letter) in enumerate(((Kind.CALL, "C"), (Kind.PUT, "P")))
    )
    longer = replace(listing, instruments=(*listing.instruments, *added))
    return replace(rules, version=rules.version + 1, listing=longer)


def with_asset(rules: RiskParameters, underlying: int = 0, count: int = 1) -> RiskParameters:
    """Return the next version, with collateral assets more, priced by an underlying."""
    like = next(c for c in rules.collateral if c.underlying == underlying)
    first = len(rules.collateral) + 1
    added = tuple(replace(like, symbol=f"W{place}") for place in range(first, first + count))
    return replace(rules, version=rules.version + 1, collateral=(*rules.collateral, *added))


def later_call(rules: RiskParameters) -> InstrumentId:
    """Return the call that `with_strike` listed."""
    return next(i.id for i in rules.listing.instruments if i.symbol.endswith(f"-{LATER_STRIKE}-C"))


def tighter(rules: RiskParameters) -> Terms:
    """Return terms that ask for more: as much as the contract takes in one step."""
    now = terms(rules)
    return replace(
        now,
        mm_factor_e6=now.mm_factor_e6 * 11 // 10,
        full_trigger_e6=now.full_trigger_e6 * 11 // 10,
        offset_e6=now.offset_e6 * 9 // 10,
        breakdown_e6=now.breakdown_e6 * 11 // 10,
        offset_cap_usd=now.offset_cap_usd * 9 // 10,
    )


def adopt(rules: RiskParameters, laid: Terms | None = None) -> Adopt:
    """Return the command that puts a set in force, under its own terms unless others are given."""
    return Adopt(laid or terms(rules), rules)


def dearer(rules: RiskParameters) -> RiskParameters:
    """Return the next version, with another trading fee, scan range and haircut."""
    scan = tuple(replace(s, price_range_e6=RatioE6(s.price_range_e6 * 5 // 4)) for s in rules.scan)
    collateral = tuple(
        replace(c, haircut_floor_e6=RatioE6(c.haircut_floor_e6 * 2)) for c in rules.collateral
    )
    return replace(
        rules,
        version=rules.version + 1,
        scan=scan,
        collateral=collateral,
        taker_fee_e6=RatioE6(rules.taker_fee_e6 * 2),
    )
