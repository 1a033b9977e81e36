"""Parameter sets as values: PM-36 with the figures that the project starts from.

Scan ranges, volatility shocks, tails and the 0.8 factor follow Deribit's published portfolio
margin (BTC 16 %, ETH 18 %; support article and API examples, 2024-2026), the tails its extended
table with coverage range / |move|; collateral haircut and thresholds are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from offchain.core.breaker import BreakerTerms
from offchain.core.instruments import (
    SHAPE_KINDS,
    Feed,
    FeedKind,
    Instrument,
    Kind,
    Listing,
    Underlying,
)
from offchain.core.model_parameters import (
    AddonParameters,
    Bracket,
    CollateralParameters,
    CorrelationParameters,
    MarginClass,
    PegParameters,
    Tier,
)
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
ANNUAL_ROLL = {"BTC": (75_000, 10_000), "ETH": (50_000, 5_000)}
"""Annualised and least move between expiries [1e-6]: Deribit's AMR and minimum."""
CALM_VOL_E8 = {"BTC": 40_000_000, "ETH": 50_000_000}
TAIL_MOVES_E6 = (-660_000, -330_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000)


GRACE = (3, TimestampNs(60 * SECOND_NS))
"""Reports, and the time that they take, after an outage: three, and a minute. A venue wants it."""
NO_GRACE = (1, TimestampNs(0))
"""The least that a set may have, for desks that test something else: any report is enough."""


BREAKER = BreakerTerms(
    window_ns=TimestampNs(64 * SECOND_NS),
    halt_e6=RatioE6(100_000),
    cancel_e6=RatioE6(150_000),
    pause_e6=RatioE6(200_000),
    cool_ns=TimestampNs(300 * SECOND_NS),
)
"""10, 15 and 20 % within about a minute; each level lasts five minutes. A venue wants it."""
NO_BREAKER = replace(BREAKER, window_ns=TimestampNs(0))
"""A breaker that never trips, for desks that test something else."""


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
            feeds += [Feed(kind, s.underlying.index, TimestampNs(expiry)) for kind in SHAPE_KINDS]
    feeds.append(Feed(FeedKind.STABLE, 0, TimestampNs(0)))
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


def tiers(*rows: tuple[int, int]) -> tuple[Tier, ...]:
    """Return tiers from (lower bound [USD], rate [1e-6])."""
    return tuple(Tier(UsdE6(lower * ONE_E6), RatioE6(rate)) for lower, rate in rows)


def addon_parameters(symbol: str) -> AddonParameters:
    """Return the add-ons that PM-36 starts from.

    Roll as Deribit; naked options, confidence and its threshold as Derive PM2; the delta threshold
    of 20 million USD as Deribit, with tiers of ours up to its cap of 10 %; multiples and bounds of
    the unwinding cost as OKX's minimum charge; raw cost and calm volatility are ours.
    """
    rate, least = ANNUAL_ROLL[symbol]
    return AddonParameters(
        roll_rate_e6=RatioE6(rate),
        roll_min_e6=RatioE6(least),
        naked_mm_e6=RatioE6(3_000),
        naked_im_e6=RatioE6(2_000),
        delta_tiers=tiers(
            (0, 0),
            (20_000_000, 10_000),
            (50_000_000, 25_000),
            (100_000_000, 50_000),
            (250_000_000, 100_000),
        ),
        unwind_linear_e6=RatioE6(1_000),
        unwind_option_e6=RatioE6(500),
        unwind_tiers=tiers(
            (0, 1_000_000),
            (10_000, 2_000_000),
            (70_000, 4_000_000),
            (170_000, 6_000_000),
            (300_000, 8_000_000),
            (470_000, 10_000_000),
            (700_000, 12_000_000),
        ),
        calm_vol_e8=CALM_VOL_E8[symbol],
        calm_cover_e6=RatioE6(500_000),
        dispersion_e6=RatioE6(10_000),
        confidence_threshold_e6=RatioE6(550_000),
        confidence_factor_e6=RatioE6(ONE_E6),
    )


CORRELATION = CorrelationParameters(
    offset_e6=RatioE6(500_000), offset_cap_usd=5_000_000, breakdown_e6=RatioE6(850_000)
)
"""Gains of the other underlying at half their size (Deribit: 0.6, capped at 1 to 20 million)."""
PEG = PegParameters(threshold_e8=99_000_000, factor_e6=RatioE6(4_000_000))  # Derive PM2
LIQUIDATION = LiquidationParameters(
    call_levels_e6=(RatioE6(1_500_000), RatioE6(1_250_000), RatioE6(1_100_000)),
    partial_trigger_e6=RatioE6(1_000_000),
    full_trigger_e6=RatioE6(600_000),
    target_e6=RatioE6(1_150_000),
    partial_cap_e6=RatioE6(500_000),
    fee_e6=RatioE6(5_000),
    band_mark_e6=RatioE6(20_000),
    band_index_e6=RatioE6(1_000),
    keeper_fee_e6=UsdE6(5 * ONE_E6),
)
MAJOR = MarginClass(
    symbol="MAJOR",
    max_leverage=100,
    tiers=tiers((0, 5_000), (5_000_000, 10_000), (20_000_000, 25_000), (100_000_000, 50_000)),
    im_multiple_e6=RatioE6(2 * ONE_E6),
    oi_lower_usd=1_000_000_000,
    oi_upper_usd=5_000_000_000,
    concentration_free_usd=5_000_000,
    concentration_share_e6=RatioE6(100_000),
    concentration_slope_e6=RatioE6(500_000),
)
ALTERNATIVE = MarginClass(
    symbol="ALTERNATIVE",
    max_leverage=20,
    tiers=tiers((0, 25_000), (1_000_000, 50_000), (5_000_000, 100_000)),
    im_multiple_e6=RatioE6(2 * ONE_E6),
    oi_lower_usd=25_000_000,
    oi_upper_usd=250_000_000,
    concentration_free_usd=500_000,
    concentration_share_e6=RatioE6(100_000),
    concentration_slope_e6=RatioE6(ONE_E6),
)


def collateral_parameters(
    symbol: str, underlying: int, floor_e6: int, unit_usd: int, cap_units: int
) -> CollateralParameters:
    """Return a volatile collateral whose brackets end at 2, 10 and 50 million USD.

    `unit_usd` is the rough value of a token, from which the brackets are made. Weights follow
    1.1 / (1 + k sqrt(N)) with k such that they begin to bind near 2 million USD.
    """
    amounts = [usd * ONE_E8 // unit_usd for usd in (2_000_000, 10_000_000, 50_000_000)]
    weights = (ONE_E6, 800_000, 500_000)
    return CollateralParameters(
        symbol=symbol,
        underlying=underlying,
        haircut_floor_e6=RatioE6(floor_e6),
        haircut_cap_e6=RatioE6(500_000),
        multiplier_e6=RatioE6(2_912_500),
        horizon_ns=TimestampNs(DAY_NS),
        ratchet_e6=RatioE6(10_000),
        brackets=tuple(
            Bracket(amount, RatioE6(weight))
            for amount, weight in zip(amounts, weights, strict=True)
        ),
        cap_e8=cap_units * ONE_E8,
    )


COLLATERAL = (
    collateral_parameters("WBTC", 0, 50_000, 100_000, 10_000),
    collateral_parameters("WETH", 1, 100_000, 4_000, 200_000),
)
"""Floors of the haircut: BTC 5 %, ETH 10 %."""


def pm36(
    series: Sequence[Series],
    roles: Roles,
    quorum: int = 5,
    grids: Mapping[str, tuple[int, int, int]] = RECOMMENDED,
    grace: tuple[int, TimestampNs] = GRACE,
    breaker: BreakerTerms = BREAKER,
) -> RiskParameters:
    """Return the starting parameter set for some series on BTC and ETH.

    `grids` gives price range, volatility up and down [1e-6] by symbol of the underlying, `grace`
    the reports and the time [ns] that an outage echoes, `breaker` that of every underlying.
    """
    return RiskParameters(
        version=1,
        listing=build_listing(series),
        scan=tuple(scan_parameters(*grids[s.underlying.symbol]) for s in series),
        addons=tuple(addon_parameters(s.underlying.symbol) for s in series),
        correlation=CORRELATION,
        peg=PEG,
        shortfall=(),
        classes=(MAJOR, ALTERNATIVE),
        class_of=tuple(0 for _ in series),
        collateral=COLLATERAL[: len(series)],
        mm_factor_e6=RatioE6(800_000),
        taker_fee_e6=RatioE6(300),
        liquidation=LIQUIDATION,
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
            grace_reports=grace[0],
            grace_ns=grace[1],
        ),
        breakers=tuple(breaker for _ in series),
        insurance_owner=roles.insurance_owner,
        backstop_owner=roles.backstop_owner,
    )
