#!/usr/bin/env python3
"""Write the golden vectors of pricing from the pure-Python reference.

Usage: vectors_pricing.py [FOLDER], by default tests/vectors. Integers are decimal strings.
"""

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from offchain.core.instruments import Feed, FeedKind, Instrument, Kind, Listing, Underlying
from offchain.core.parameters import (
    FundingParameters,
    LiquidationParameters,
    OracleParameters,
    RiskParameters,
    ScanParameters,
    Skew,
    Tail,
)
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
    UsdE6,
    floor_div,
)
from offchain.pricing.black76 import (
    MAX_DISTANCE,
    VOL_BITS,
    normal_reference,
    price_reference,
    total_volatility,
)
from offchain.pricing.fixed_point import ln
from offchain.pricing.marks import fair_value_e8, mark_price_e8, quote
from offchain.pricing.risk_array import losses_reference

SEED = 76
NOW = 1_760_000_000 * SECOND_NS
LARGEST = (1 << 46) - 1
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
    underlyings = (
        Underlying(0, "BTC", 100_000, PriceE8(10_000_000)),
        Underlying(1, "ETH", 10_000, PriceE8(1_000_000)),
    )
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
    signers = tuple(f"0x{n:040x}" for n in range(1, 8))
    return RiskParameters(
        version=1,
        listing=sample_listing(),
        scan=(scan_of(160_000, 500_000), scan_of(180_000, 400_000)),
        collateral=(),
        mm_factor_e6=RatioE6(800_000),
        taker_fee_e6=RatioE6(500),
        liquidation=LiquidationParameters(
            call_levels_e6=(RatioE6(1_500_000),),
            partial_trigger_e6=RatioE6(1_050_000),
            full_trigger_e6=RatioE6(1_000_000),
            target_e6=RatioE6(1_200_000),
            partial_cap_e6=RatioE6(400_000),
            fee_e6=RatioE6(10_000),
            band_mark_e6=RatioE6(100_000),
            band_index_e6=RatioE6(100_000),
            keeper_fee_e6=UsdE6(0),
        ),
        funding=FundingParameters(TimestampNs(8 * 3600 * SECOND_NS), 10_000, 50_000, 750_000),
        oracle=OracleParameters(signers, 5, TimestampNs(60 * SECOND_NS), RatioE6(100_000)),
        insurance_owner=f"0x{98:040x}",
        backstop_owner=f"0x{99:040x}",
    )


def book_case(name: str, parameters: RiskParameters, medians: Sequence[int], now_ns: int) -> Any:
    """Return marks, lot values and losses of the whole listing for one report."""
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
                "losses_e6": losses_reference(parameters, instrument, of),
            }
        )
    return {"name": name, "now_ns": now_ns, "medians": list(medians), "rows": rows}


def risk_array() -> Any:
    """Return risk arrays in a calm market, a crash, at an expiry and after the last."""
    parameters = sample_parameters()
    calm = [112_345_67890123, 4_123_45678901]
    for spot in tuple(calm):
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


def main(folder: Path) -> None:
    """Write both files."""
    for name, content in (("black76", black76()), ("risk_array", risk_array())):
        text = json.dumps(decimal(content), indent=1) + "\n"
        (folder / f"{name}.json").write_text(text)


if __name__ == "__main__":
    here = Path(__file__).parents[1] / "tests" / "vectors"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here)
