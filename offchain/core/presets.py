"""Parameter sets as values: PM-36 with the figures that the project starts from.

Scan ranges, volatility shocks, tails and the 0.8 factor follow Deribit's published portfolio
margin (BTC 16 %, ETH 18 %; support article and API examples, 2024-2026), the tails its extended
table with coverage range / |move|; collateral haircut and thresholds are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.core.instruments import Feed, FeedKind, Instrument, Kind, Listing, Underlying
from offchain.core.parameters import (
    CollateralParameters,
    FundingParameters,
    LiquidationParameters,
    OracleParameters,
    RiskParameters,
    ScanParameters,
    Skew,
    Tail,
)
from offchain.core.units import (
    ONE_E6,
    ONE_E8,
    SECOND_NS,
    SLOT_BITS,
    InstrumentId,
    PriceE8,
    RatioE6,
    TimestampNs,
    UsdE6,
)

BITCOIN = Underlying(0, "BTC", 100_000, PriceE8(10_000_000))  # lot 0.001 BTC, tick 0.1 USD
ETHER = Underlying(1, "ETH", 10_000, PriceE8(1_000_000))  # lot 0.01 ETH, tick 0.01 USD
RECOMMENDED = {"BTC": (160_000, 500_000, 250_000), "ETH": (180_000, 400_000, 250_000)}
THIN = {"BTC": (75_000, 500_000, 250_000), "ETH": (90_000, 400_000, 250_000)}
"""About half of the recommended range, for leverage of 13x and 11x: for venues that want to see the
waterfall at work, such as the demo."""
TAIL_MOVES_E6 = (-660_000, -330_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000)


@dataclass(frozen=True, slots=True)
class Series:
    """The dated instruments of one underlying: every strike as call and put at every expiry."""

    underlying: Underlying
    expiries: tuple[tuple[str, int], ...]  # (label, expiry in ns)
    strikes_usd: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Roles:
    """Who the parameter set names: 0x addresses in lower case."""

    oracle_signers: tuple[str, ...]
    insurance_owner: str
    backstop_owner: str


def build_listing(series: Sequence[Series]) -> Listing:
    """List a perpetual, then futures and options by expiry and strike, for each underlying."""
    instruments: list[Instrument] = []
    feeds = [Feed(FeedKind.INDEX, s.underlying.index, TimestampNs(0)) for s in series]
    for s in series:
        rows: list[tuple[str, Kind, int, int]] = [("PERP", Kind.PERPETUAL, 0, 0)]
        rows += [(label, Kind.FUTURE, expiry, 0) for label, expiry in s.expiries]
        for label, expiry in s.expiries:
            for strike in s.strikes_usd:
                rows.append((f"{label}-{strike}-C", Kind.CALL, expiry, strike))
                rows.append((f"{label}-{strike}-P", Kind.PUT, expiry, strike))
        for slot, (label, kind, expiry, strike) in enumerate(rows):
            instruments.append(
                Instrument(
                    InstrumentId(s.underlying.index << SLOT_BITS | slot),
                    f"{s.underlying.symbol}-{label}",
                    kind,
                    TimestampNs(expiry),
                    PriceE8(strike * ONE_E8),
                )
            )
        for _, expiry in s.expiries:
            feeds.append(Feed(FeedKind.FORWARD, s.underlying.index, TimestampNs(expiry)))
            feeds.append(Feed(FeedKind.VOLATILITY, s.underlying.index, TimestampNs(expiry)))
    return Listing(tuple(s.underlying for s in series), tuple(instruments), tuple(feeds))


def scan_parameters(price_range_e6: int, vol_up_e6: int, vol_down_e6: int) -> ScanParameters:
    """Return a PM-36 grid whose tails are covered by range / |move|."""
    return ScanParameters(
        price_range_e6=RatioE6(price_range_e6),
        vol_up_e6=RatioE6(vol_up_e6),
        vol_down_e6=RatioE6(vol_down_e6),
        min_vol_up_e8=ONE_E8 // 2,
        vol_power_short_e6=RatioE6(300_000),
        vol_power_long_e6=RatioE6(130_000),
        tails=tuple(
            Tail(move, RatioE6(price_range_e6 * ONE_E6 // abs(move))) for move in TAIL_MOVES_E6
        ),
        skews=(
            Skew(RatioE6(400_000), RatioE6(250_000), absolute=False),
            Skew(RatioE6(400_000), RatioE6(250_000), absolute=True),
        ),
    )


def pm36(
    series: Sequence[Series],
    roles: Roles,
    quorum: int = 5,
    grids: Mapping[str, tuple[int, int, int]] = RECOMMENDED,
) -> RiskParameters:
    """Return the starting parameter set for some series on BTC and ETH.

    `grids` gives price range, volatility up and down [1e-6] by symbol of the underlying.
    """
    return RiskParameters(
        version=1,
        listing=build_listing(series),
        scan=tuple(scan_parameters(*grids[s.underlying.symbol]) for s in series),
        collateral=(CollateralParameters("WBTC", 0, RatioE6(100_000), 10_000 * ONE_E8),),
        mm_factor_e6=RatioE6(800_000),
        taker_fee_e6=RatioE6(300),
        liquidation=LiquidationParameters(
            call_levels_e6=(RatioE6(1_500_000), RatioE6(1_250_000), RatioE6(1_100_000)),
            partial_trigger_e6=RatioE6(1_000_000),
            full_trigger_e6=RatioE6(600_000),
            target_e6=RatioE6(1_150_000),
            partial_cap_e6=RatioE6(500_000),
            fee_e6=RatioE6(5_000),
            band_mark_e6=RatioE6(20_000),
            band_index_e6=RatioE6(1_000),
            keeper_fee_e6=UsdE6(5 * ONE_E6),
        ),
        funding=FundingParameters(
            period_ns=TimestampNs(8 * 3_600 * SECOND_NS),
            interest_e8=10_000,
            damper_e8=50_000,
            cap_e8=4_000_000,
        ),
        oracle=OracleParameters(
            signers=tuple(sorted(roles.oracle_signers)),
            quorum=quorum,
            heartbeat_ns=TimestampNs(600 * SECOND_NS),
            band_e6=RatioE6(50_000),
        ),
        insurance_owner=roles.insurance_owner,
        backstop_owner=roles.backstop_owner,
    )
