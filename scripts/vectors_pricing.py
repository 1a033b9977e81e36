#!/usr/bin/env python3
"""Write the golden vectors of pricing, risk arrays and smiles from the pure-Python reference.

Usage: vectors_pricing.py [FOLDER], by default tests/vectors. Integers are decimal strings.
"""

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from offchain.core.instruments import (
    SHAPE_KINDS,
    Feed,
    FeedKind,
    Instrument,
    Kind,
    Listing,
)
from offchain.core.parameters import RiskParameters, ScanParameters, Skew, Tail
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.units import (
    DAY_NS,
    ONE_E6,
    ONE_E8,
    SECOND_NS,
    YEAR_NS,
    InstrumentId,
    PriceE8,
    RatioE6,
    TimestampNs,
    floor_div,
)
from offchain.pricing.black76 import (
    MAX_DISTANCE,
    VOL_BITS,
    normal_reference,
    price_reference,
    total_volatility,
)
from offchain.pricing.fixed_point import LOG_BITS, ln
from offchain.pricing.greeks import unit_greeks
from offchain.pricing.marks import fair_value_e8, mark_price_e8, quote
from offchain.pricing.risk_array import delta_reference, losses_reference, vega_reference
from offchain.pricing.surface import (
    Surface,
    decode_surface,
    encode_surface,
    surface_volatility_reference,
    total_variance_reference,
)

SEED = 76
NOW = 1_760_000_000 * SECOND_NS
LARGEST = (1 << 46) - 1
SPOTS = (112_345_67890123, 4_123_45678901)
SMILES = (
    Surface(38_000_000, 6_000_000, -35_000_000, 1_000_000, 8_000_000),
    Surface(42_000_000, 9_000_000, -25_000_000, 2_000_000, 15_000_000),
    Surface(51_000_000, 15_000_000, 10_000_000, -3_000_000, 30_000_000),
    Surface(55_000_000, 7_000_000, -60_000_000, 0, 5_000_000),
    Surface(61_000_000, 12_000_000, 0, 12_345_678, 20_000_000),
    Surface(66_000_000),
)
"""By underlying and expiry; the last is flat."""
TAIL_MOVES = (-660_000, -330_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000)


def decimal(value: Any) -> Any:
    """Return the same structure with every integer as a decimal string."""
    if isinstance(value, dict):
        return {key: decimal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [decimal(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    return value


def price_case(name: str, forward: int, strike: int, volatility: int, time_ns: int) -> Any:
    """Return one option with every intermediate that another language can check."""
    moneyness = ln(forward) - ln(strike)
    total = total_volatility(volatility, time_ns)
    return {
        "name": name,
        "forward_e8": forward,
        "strike_e8": strike,
        "volatility_e8": volatility,
        "remaining_ns": time_ns,
        "log_moneyness": moneyness,
        "total_volatility": total,
        "call_e8": price_reference(forward, strike, moneyness, total, is_call=True),
        "put_e8": price_reference(forward, strike, moneyness, total, is_call=False),
    }


def black76() -> Any:
    """Return the prices, N(x) and logarithms."""
    btc = 60_000 * ONE_E8
    named = [
        ("at_the_money", btc, btc, ONE_E8 // 2, 30 * DAY_NS),
        ("in_the_money", btc, btc * 9 // 10, ONE_E8 // 2, 30 * DAY_NS),
        ("at_expiry", btc, btc - 1, ONE_E8 // 2, 0),
        ("no_volatility", btc, btc + 1, 0, YEAR_NS),
        ("one_nanosecond", btc, btc, ONE_E8, 1),
        ("cut_volatility", btc, btc, 100 * ONE_E8, YEAR_NS),
        ("limits_deep_in", LARGEST, 1, ONE_E8, DAY_NS),
        ("limits_far_out", 1, LARGEST, ONE_E8, DAY_NS),
        ("limits_equal", LARGEST, LARGEST, 5 * ONE_E8, 2 * YEAR_NS),
    ]
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    for n in range(40):
        forward = rng.randrange(100 * ONE_E8, 150_000 * ONE_E8)
        strike = forward * rng.randrange(300_000, 3_000_000) // ONE_E6
        volatility = rng.randrange(ONE_E8 // 20, 3 * ONE_E8)
        time_ns = rng.randrange(1, rng.choice([DAY_NS, 30 * DAY_NS, YEAR_NS]))
        named.append((f"random_{n}", forward, strike, volatility, time_ns))
    points = [0, 1, -1, 1 << VOL_BITS, (8 << VOL_BITS) - 1, 8 << VOL_BITS, -MAX_DISTANCE]
    points += [rng.randrange(-9 << VOL_BITS, 9 << VOL_BITS) for _ in range(20)]
    logs = [1, 2, 3, ONE_E6, LARGEST, *(rng.randrange(1, LARGEST) for _ in range(20))]
    return {
        "schema": "black76/1",
        "cases": [price_case(*case) for case in named],
        "normal": [{"x": x, "probability": normal_reference(x)} for x in points],
        "logarithm": [{"value": v, "logarithm": ln(v)} for v in logs],
    }


def scan_of(price_range_e6: int, vol_up_e6: int) -> ScanParameters:
    """Return a scan grid with published shapes (reference: Deribit portfolio margin)."""
    return ScanParameters(
        price_range_e6=RatioE6(price_range_e6),
        vol_up_e6=RatioE6(vol_up_e6),
        vol_down_e6=RatioE6(250_000),
        min_vol_up_e8=50_000_000,
        vol_power_short_e6=RatioE6(300_000),
        vol_power_long_e6=RatioE6(130_000),
        tails=tuple(Tail(m, RatioE6(price_range_e6 * ONE_E6 // abs(m))) for m in TAIL_MOVES),
        skews=(
            Skew(RatioE6(200_000), RatioE6(300_000), absolute=False),
            Skew(RatioE6(150_000), RatioE6(250_000), absolute=True),
        ),
    )


def sample_listing() -> Listing:
    """Return perpetuals, and futures and options of three expiries, on two underlyings."""
    underlyings = (BITCOIN, ETHER)
    feeds = [Feed(FeedKind.INDEX, u.index, TimestampNs(0)) for u in underlyings]
    instruments: list[Instrument] = []
    for u, step in zip(underlyings, (15_000 * ONE_E8, 500 * ONE_E8), strict=True):
        rows: list[tuple[Kind, int, int]] = [(Kind.PERPETUAL, 0, 0)]
        for days in (1, 21, 180):
            expiry = NOW + days * DAY_NS + 3_600 * SECOND_NS
            feeds += [
                Feed(kind, u.index, TimestampNs(expiry))
                for kind in (FeedKind.FORWARD, FeedKind.VOLATILITY)
            ]
            rows.append((Kind.FUTURE, expiry, 0))
            rows += [(k, expiry, step * n) for n in (3, 4, 6) for k in (Kind.CALL, Kind.PUT)]
        instruments += [
            Instrument(
                InstrumentId(u.index << 8 | slot),
                f"{u.symbol}-{slot}-{kind.name}",
                kind,
                TimestampNs(expiry),
                PriceE8(strike),
            )
            for slot, (kind, expiry, strike) in enumerate(rows)
        ]
    return Listing(underlyings, tuple(instruments), tuple(feeds))


def sample_parameters() -> RiskParameters:
    """Return a valid set around the sample listing; only listing and scan matter here."""
    roles = Roles(tuple(f"0x{n:040x}" for n in range(1, 8)), f"0x{98:040x}", f"0x{99:040x}")
    base = pm36([Series(BITCOIN, (), ()), Series(ETHER, (), ())], roles)
    scans = scan_of(160_000, 500_000), scan_of(180_000, 400_000)
    return replace(base, listing=sample_listing(), scan=scans)


def book_case(name: str, parameters: RiskParameters, medians: Sequence[int], now_ns: int) -> Any:
    """Return every number of the risk arrays of the whole listing for one report."""
    listing = parameters.listing
    rows = []
    for instrument in listing.instruments:
        underlying = listing.underlyings[instrument.underlying]
        of = quote(listing, medians, instrument, now_ns)
        mark = mark_price_e8(fair_value_e8(instrument, of), underlying.tick_e8)
        rows.append(
            {
                "id": instrument.id,
                "quote": asdict(of),
                "mark_e8": mark,
                "lot_value_e6": floor_div(mark, underlying.lot_divisor),
                "delta_e6": delta_reference(instrument, of, underlying.lot_divisor),
                "vega_e6": vega_reference(instrument, of, underlying.lot_divisor),
                "losses_e6": losses_reference(parameters, instrument, of),
                "greeks": asdict(unit_greeks(instrument, of)),
            }
        )
    return {"name": name, "now_ns": now_ns, "medians": list(medians), "rows": rows}


def risk_array() -> Any:
    """Return risk arrays in a calm market, a crash, at an expiry and after the last."""
    parameters = sample_parameters()
    calm = [*SPOTS]
    for spot in SPOTS:
        for premium, volatility in ((100_000, 38_000_000), (4_000, 42_000_000), (50, 51_000_000)):
            calm += [spot + spot // premium, volatility]
    crash = [m // 2 if m > ONE_E8 * 10 else m * 3 for m in calm]
    first = parameters.listing.instruments[1].expiry_ns
    return {
        "schema": "risk_array/1",
        "listing": asdict(parameters.listing),
        "scan": [asdict(scan) for scan in parameters.scan],
        "cases": [
            book_case("calm", parameters, calm, NOW),
            book_case("crash", parameters, crash, NOW + DAY_NS),
            book_case("first_expiry", parameters, calm, first),
            book_case("all_expired", parameters, calm, NOW + YEAR_NS),
        ],
    }


def shaped_parameters() -> RiskParameters:
    """Return the sample set with a smile at every expiry, and a price of the cash asset."""
    parameters = sample_parameters()
    listing = parameters.listing
    shapes = [
        Feed(kind, feed.underlying, feed.expiry_ns)
        for feed in listing.feeds
        if feed.kind == FeedKind.VOLATILITY
        for kind in SHAPE_KINDS
    ]
    feeds = (*listing.feeds, *shapes, Feed(FeedKind.STABLE, 0, TimestampNs(0)))
    return replace(parameters, listing=replace(listing, feeds=feeds))


def shaped_medians(surfaces: Sequence[Surface]) -> list[int]:
    """Return a report for `shaped_parameters`, the smiles in order of expiry."""
    encoded = [encode_surface(surface) for surface in surfaces]
    medians = [SPOTS[0], SPOTS[1]]
    for place, (volatility, *_) in enumerate(encoded):
        spot = SPOTS[place // 3]
        medians += [spot + spot // (4_000 >> 2 * (place % 3)), volatility]
    return [*medians, *(number for _, *shape in encoded for number in shape), ONE_E8]


def smile_case(name: str, values: Sequence[int], remaining_ns: int) -> Any:
    """Return a smile as fed and as decoded, with total variance and volatility by strike."""
    surface = decode_surface(values[0], values[1:])
    unit = 1 << LOG_BITS
    near = [unit * n // 100 for n in (0, 1, -1, 5, -5, 20, -20, 60, -60)]
    points = [*near, 2 * unit, -2 * unit, 8 * unit, -8 * unit, 9 * unit, -40 * unit]
    return {
        "name": name,
        "values": list(values),
        "surface": asdict(surface),
        "remaining_ns": remaining_ns,
        "points": [
            {
                "log_moneyness": x,
                "total_variance": total_variance_reference(surface, remaining_ns, x),
                "volatility_e8": surface_volatility_reference(surface, remaining_ns, x),
            }
            for x in points
        ],
    }


def smile_cases() -> list[Any]:
    """Return ordinary smiles, every end of every range, and random ones."""
    plain = encode_surface(SMILES[0])
    month = 30 * DAY_NS
    cases = [
        smile_case("flat", encode_surface(Surface(50_000_000)), month),
        smile_case("plain", plain, month),
        smile_case("at_expiry", plain, 0),
        smile_case("one_nanosecond", plain, 1),
        smile_case("ten_years_at_the_cap", (2 * 10**9, *plain[1:]), 10 * YEAR_NS),
        smile_case("least_volatility", (1, *plain[1:]), month),
        smile_case("all_feeds_least", (1, 1, 1, 1, 1), month),
        smile_case("all_feeds_most", (LARGEST,) * 5, month),
        smile_case("steepest_left", (40_000_000, LARGEST, 1, plain[3], 1), month),
        smile_case("steepest_right", (40_000_000, LARGEST, LARGEST, plain[3], 1), month),
        smile_case("centre_far_left", (40_000_000, *plain[1:3], 1, plain[4]), month),
        smile_case("centre_far_right", (40_000_000, *plain[1:3], LARGEST, plain[4]), month),
    ]
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    for n in range(20):
        values = (
            rng.randrange(ONE_E8 // 20, 3 * ONE_E8),
            rng.randrange(ONE_E8, 3 * ONE_E8),
            rng.randrange(ONE_E8, 3 * ONE_E8),
            rng.randrange(4 * ONE_E8, 6 * ONE_E8),
            rng.randrange(ONE_E8, 2 * ONE_E8),
        )
        cases.append(smile_case(f"random_{n}", values, rng.randrange(1, 2 * YEAR_NS)))
    return cases


def surface() -> Any:
    """Return smiles, and the risk arrays of a listing that has them."""
    parameters = shaped_parameters()
    calm = shaped_medians(SMILES)
    wild = [*calm[:2], *(m * 3 if m < 10 * ONE_E8 else m // 2 for m in calm[2:-1]), ONE_E8]
    first = parameters.listing.instruments[1].expiry_ns
    return {
        "schema": "surface/1",
        "smiles": smile_cases(),
        "listing": asdict(parameters.listing),
        "scan": [asdict(scan) for scan in parameters.scan],
        "cases": [
            book_case("calm", parameters, calm, NOW),
            book_case("wild", parameters, wild, NOW + DAY_NS),
            book_case("first_expiry", parameters, calm, first),
        ],
    }


def main(folder: Path) -> None:
    """Write the three files."""
    written = (("black76", black76()), ("risk_array", risk_array()), ("surface", surface()))
    for name, content in written:
        text = json.dumps(decimal(content), indent=1) + "\n"
        (folder / f"{name}.json").write_text(text)


if __name__ == "__main__":
    here = Path(__file__).parents[1] / "tests" / "vectors"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here)
