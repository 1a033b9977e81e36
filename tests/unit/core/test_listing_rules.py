"""What is listed obeys its rules: places, symbols, strikes, times and the feeds that price it."""

import re
from dataclasses import replace
from typing import Any

import pytest

from offchain.core.instruments import SHAPE_KINDS, Feed, FeedKind, Instrument, Kind, Listing
from offchain.core.parameters import ParameterError, RiskParameters
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.units import InstrumentId, PriceE8, TimestampNs
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, RULES, WEEK_NS

LISTING = RULES.listing
ROLES = Roles(RULES.oracle.signers, RULES.insurance_owner, RULES.backstop_owner)
OPTION = next(i for i in LISTING.instruments if i.is_option)


def listed(**change: Any) -> RiskParameters:
    return replace(RULES, listing=replace(LISTING, **change))


def instrument(of: Instrument, **change: Any) -> RiskParameters:
    """Return the set in which one instrument is changed."""
    rows = tuple(replace(i, **change) if i == of else i for i in LISTING.instruments)
    return listed(instruments=rows)


def underlying(**change: Any) -> RiskParameters:
    return listed(underlyings=(replace(BITCOIN, **change), ETHER))


def refused(rule: str) -> Any:
    return pytest.raises(ParameterError, match=re.escape(rule))


def by_id(place: int) -> Instrument:
    return next(i for i in LISTING.instruments if i.id == place)


def many_dates(count: int) -> RiskParameters:
    """Return a set with so many expiries, all of one underlying."""
    dates = tuple((f"D{k}", WEEK_NS + k) for k in range(count))
    return pm36((Series(BITCOIN, dates, ()), Series(ETHER, (), ())), ROLES)


def moved(expiry_ns: int) -> RiskParameters:
    """Return the set in which what expired in a week expires at another time."""

    def when(of: Any) -> Any:
        return replace(of, expiry_ns=expiry_ns) if of.expiry_ns == WEEK_NS else of

    return listed(
        instruments=tuple(when(i) for i in LISTING.instruments),
        feeds=tuple(when(f) for f in LISTING.feeds),
    )


def test_one_and_two_underlyings_are_allowed_and_none_and_three_are_not() -> None:
    alone = pm36((Series(BITCOIN, (), ()),), ROLES)
    assert len(alone.listing.underlyings) == 1
    third = replace(ETHER, index=2, symbol="SOL")
    for wrong in ((), (BITCOIN, ETHER, third)):
        with refused("between 1 and 2 underlyings"):
            listed(underlyings=wrong)


@pytest.mark.parametrize("index", [-1, 1])
def test_underlyings_are_numbered_in_order(index: int) -> None:
    with refused("underlyings are numbered from 0 in order"):
        underlying(index=index)


@pytest.mark.parametrize(("divisor", "tick"), [(1, 1), (100_000, 100_000), (7, 14)])
def test_a_tick_may_be_any_multiple_of_the_lot_divisor(divisor: int, tick: int) -> None:
    made = underlying(lot_divisor=divisor, tick_e8=PriceE8(tick))
    assert made.listing.underlyings[0].tick_e8 == tick


@pytest.mark.parametrize(
    ("divisor", "tick"), [(0, 5), (-5, 5), (5, 0), (5, -5), (5, 4), (5, 6), (10, 5)]
)
def test_a_tick_that_is_no_positive_multiple_is_refused(divisor: int, tick: int) -> None:
    with refused("tick is a positive multiple of the lot divisor"):
        underlying(lot_divisor=divisor, tick_e8=PriceE8(tick))


def test_slots_leave_no_gap_and_ascend() -> None:
    first, second, *rest = LISTING.instruments
    for wrong in ((second, first, *rest), (first, *rest)):
        with refused("slots are dense and ascending"):
            listed(instruments=wrong)


def test_an_underlying_without_an_instrument_is_refused() -> None:
    with refused("every underlying has an instrument"):
        listed(instruments=tuple(i for i in LISTING.instruments if i.underlying == 0))


def test_a_listing_may_fill_every_slot_of_an_underlying() -> None:
    strikes = tuple(range(1, 256))
    dates = (("W", WEEK_NS),)
    full = pm36((Series(BITCOIN, dates, strikes[:127]), Series(ETHER, (), ())), ROLES)
    assert len(full.listing.of_underlying(0)) == 256


@pytest.mark.parametrize(
    "feeds",
    [
        LISTING.feeds[:1],
        (),
        (LISTING.feeds[1], LISTING.feeds[0], *LISTING.feeds[2:]),
        (replace(LISTING.feeds[0], kind=FeedKind.FORWARD), *LISTING.feeds[1:]),
    ],
)
def test_the_index_of_an_underlying_has_the_place_of_its_number(feeds: tuple[Feed, ...]) -> None:
    with refused("every underlying has an index feed at its own place"):
        listed(feeds=feeds)


@pytest.mark.parametrize("place", [512, -1, 1 << 40])
def test_an_instrument_is_of_a_listed_underlying(place: int) -> None:
    stray = replace(LISTING.instruments[0], id=InstrumentId(place), symbol="STRAY")
    with refused("an instrument's underlying is listed"):
        listed(instruments=(*LISTING.instruments, stray))


def test_a_strike_lies_between_one_and_the_price_limit() -> None:
    for strike in (1, 2**46 - 1):
        instrument(OPTION, strike_e8=strike)
    with refused("strikes are below the price limit"):
        instrument(OPTION, strike_e8=2**46)
    with refused("options, and only they, have a strike"):
        instrument(OPTION, strike_e8=0)
    with refused("options, and only they, have a strike"):
        instrument(by_id(BTC_WEEK), strike_e8=1)
    with refused("strikes are below the price limit"):
        instrument(by_id(BTC_WEEK), strike_e8=-1)


def test_a_time_lies_between_one_nanosecond_and_the_end_of_63_bits() -> None:
    for expiry in (1, 2**63 - 1):
        assert moved(expiry).listing.instruments[1].expiry_ns == expiry
    for expiry in (-1, 2**63):
        with refused("times lie in [0, 2^63)"):
            moved(expiry)


def test_perpetuals_and_only_they_have_no_expiry() -> None:
    with refused("perpetuals, and only they, have no expiry"):
        instrument(by_id(BTC_WEEK), expiry_ns=0)
    with refused("perpetuals, and only they, have no expiry"):
        instrument(by_id(BTC_WEEK), kind=Kind.PERPETUAL)
    with refused("perpetuals, and only they, have no expiry"):
        instrument(by_id(ETH_PERP), expiry_ns=WEEK_NS)
    with refused("perpetuals, and only they, have no expiry"):
        instrument(by_id(BTC_PERP), kind=Kind.FUTURE)


@pytest.mark.parametrize("of", [-1, 2])
def test_a_feed_is_of_an_underlying_that_there_can_be(of: int) -> None:
    with refused("feeds are of listed underlyings"):
        listed(feeds=(*LISTING.feeds, Feed(FeedKind.INDEX, of, TimestampNs(0))))


@pytest.mark.parametrize("kind", [FeedKind.FORWARD, FeedKind.VOLATILITY])
@pytest.mark.parametrize("of", [0, 1])
def test_an_expiry_with_options_has_a_forward_and_a_volatility(kind: FeedKind, of: int) -> None:
    gone = (kind, of, WEEK_NS)
    kept = tuple(f for f in LISTING.feeds if (f.kind, f.underlying, f.expiry_ns) != gone)
    with refused("every expiry has its feeds; missing"):
        listed(feeds=kept)


def test_an_expiry_with_a_future_alone_needs_no_volatility() -> None:
    flat = tuple(f for f in LISTING.feeds if f.kind not in {FeedKind.VOLATILITY, *SHAPE_KINDS})
    futures: list[Instrument] = [i for i in LISTING.instruments if not i.is_option]
    made = listed(instruments=tuple(futures), feeds=flat)
    assert len(made.listing.instruments) == 6
    with refused("every expiry has its feeds; missing"):
        listed(
            instruments=tuple(futures),
            feeds=tuple(f for f in flat if f.kind != FeedKind.FORWARD),
        )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_smile_is_listed_whole_or_not_at_all(count: int) -> None:
    none = tuple(f for f in LISTING.feeds if f.kind not in SHAPE_KINDS)
    assert not {f.kind for f in listed(feeds=none).listing.feeds} & set(SHAPE_KINDS)
    part = tuple(Feed(kind, 0, TimestampNs(WEEK_NS)) for kind in SHAPE_KINDS[:count])
    with refused("an expiry has all four shape feeds or none"):
        listed(feeds=(*none, *part))


@pytest.mark.parametrize("kind", [FeedKind.INDEX, FeedKind.STABLE])
def test_an_index_and_the_cash_asset_have_no_expiry(kind: FeedKind) -> None:
    with refused("indices have no expiry, surfaces and forwards do"):
        listed(feeds=(*LISTING.feeds, Feed(kind, 0, TimestampNs(WEEK_NS))))


@pytest.mark.parametrize("kind", [FeedKind.FORWARD, FeedKind.VOLATILITY])
def test_a_forward_and_a_volatility_have_an_expiry(kind: FeedKind) -> None:
    with refused("indices have no expiry, surfaces and forwards do"):
        listed(feeds=(*LISTING.feeds, Feed(kind, 0, TimestampNs(0))))


def test_the_cash_asset_is_priced_with_the_first_underlying() -> None:
    others = tuple(f for f in LISTING.feeds if f.kind != FeedKind.STABLE)
    assert listed(feeds=others).listing.feeds == others
    with refused("the cash asset is priced with the first underlying"):
        listed(feeds=(*others, Feed(FeedKind.STABLE, 1, TimestampNs(0))))


def test_an_underlying_has_at_most_31_expiries() -> None:
    listing = many_dates(31).listing
    assert len({i.expiry_ns for i in listing.instruments if i.expiry_ns}) == 31
    with refused("at most 31 expiries an underlying"):
        many_dates(32)


def test_symbols_and_feeds_do_not_repeat() -> None:
    with refused("symbols differ"):
        instrument(by_id(BTC_WEEK), symbol=by_id(BTC_PERP).symbol)
    with refused("feeds differ"):
        listed(feeds=(*LISTING.feeds, LISTING.feeds[2]))


def test_an_instrument_knows_its_underlying_and_its_slot() -> None:
    found = by_id(ETH_PERP + 3)
    assert (found.underlying, found.slot) == (1, 3)
    last = replace(found, id=InstrumentId(511))
    assert (last.underlying, last.slot) == (1, 255)
    assert [i.slot for i in LISTING.of_underlying(1)[:3]] == [0, 1, 2]


def test_a_feed_is_found_by_kind_underlying_and_expiry_or_not_at_all() -> None:
    for place, feed in enumerate(LISTING.feeds):
        assert LISTING.feed_index(feed.kind, feed.underlying, feed.expiry_ns) == place
    assert LISTING.feed_index(FeedKind.INDEX, 1) == 1
    with pytest.raises(KeyError):
        LISTING.feed_index(FeedKind.FORWARD, 0, WEEK_NS + 1)
    with pytest.raises(KeyError):
        Listing((), (), ()).feed_index(FeedKind.INDEX, 0)


def test_kinds_have_the_numbers_that_the_wire_gives_them() -> None:
    assert [k.value for k in Kind] == [0, 1, 2, 3]
    assert [k.name for k in Kind] == ["PERPETUAL", "FUTURE", "CALL", "PUT"]
    assert {k.name: k.value for k in FeedKind} == {
        "INDEX": 0,
        "FORWARD": 1,
        "VOLATILITY": 2,
        "SLOPE": 3,
        "TILT": 4,
        "CENTRE": 5,
        "WIDTH": 6,
        "STABLE": 7,
    }


def test_an_underlying_has_at_most_one_perpetual() -> None:
    with refused("at most one perpetual an underlying"):
        instrument(by_id(BTC_WEEK), kind=Kind.PERPETUAL, expiry_ns=0)
    none = pm36((Series(BITCOIN, (), ()), Series(ETHER, (), ())), ROLES)
    assert [i.kind for i in none.listing.instruments] == [Kind.PERPETUAL] * 2
