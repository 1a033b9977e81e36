"""Parameter sets that make every part of the risk model decide something."""

from dataclasses import replace
from random import Random

from offchain.core.breaker import BreakerTerms
from offchain.core.model_parameters import JointMove, ShortfallModel, Tier
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, RatioE6, TimestampNs, UsdE6
from tests.support.venue import RULES

HARSH = replace(
    RULES,
    mm_factor_e6=RatioE6(ONE_E6),
    taker_fee_e6=RatioE6(10_000),
    liquidation=replace(
        RULES.liquidation,
        fee_e6=RatioE6(50_000),
        partial_cap_e6=RatioE6(250_000),
        full_trigger_e6=RatioE6(900_000),
        target_e6=RatioE6(1_000_000),
        band_mark_e6=RatioE6(200_000),
        band_index_e6=RatioE6(200_000),
    ),
)


def scaled(tiers: tuple[Tier, ...], divisor: int) -> tuple[Tier, ...]:
    """Return tiers whose bounds come sooner."""
    return tuple(replace(t, lower_e6=UsdE6(t.lower_e6 // divisor)) for t in tiers)


def moves(count: int) -> tuple[JointMove, ...]:
    """Return historical moves with fat tails, from a fixed seed."""
    random = Random(97)  # noqa: S311 - a seed that can be named, nothing secret
    rows = []
    for _ in range(count):
        reach = random.choice([20_000, 60_000, 60_000, 300_000])
        price, own = (random.randrange(-reach, reach) for _ in range(2))
        vols = tuple(random.randrange(-reach, 2 * reach) for _ in range(2))
        rows.append(JointMove((price, (price + own) // 2), vols))
    return tuple(rows)


TIGHT = replace(
    RULES,
    addons=tuple(
        replace(
            a,
            delta_tiers=scaled(a.delta_tiers, 500),
            unwind_linear_e6=RatioE6(9_000),
            unwind_tiers=scaled(a.unwind_tiers, 300),
            calm_vol_e8=3 * ONE_E8,
            dispersion_e6=RatioE6(4_000),
            confidence_threshold_e6=RatioE6(900_000),
        )
        for a in RULES.addons
    ),
    correlation=replace(RULES.correlation, offset_cap_usd=2_000, breakdown_e6=RatioE6(400_000)),
    classes=tuple(
        replace(
            c,
            tiers=scaled(c.tiers, 100),
            oi_lower_usd=100_000,
            oi_upper_usd=3_000_000,
            concentration_free_usd=20_000,
        )
        for c in RULES.classes
    ),
    class_of=(0, 1),
    collateral=tuple(
        replace(
            c,
            brackets=tuple(replace(b, upto_e8=b.upto_e8 // 50) for b in c.brackets),
            cap_e8=3 * ONE_E8,
        )
        for c in RULES.collateral
    ),
    shortfall=(ShortfallModel(RatioE6(975_000), RatioE6(400_000), moves(64)),),
)
LARGER = replace(TIGHT, shortfall=(ShortfallModel(RatioE6(900_000), RatioE6(0), moves(32)),))
NERVOUS = replace(
    RULES,
    breakers=2
    * (
        BreakerTerms(
            window_ns=TimestampNs(160 * SECOND_NS),
            halt_e6=RatioE6(30_000),
            cancel_e6=RatioE6(45_000),
            pause_e6=RatioE6(60_000),
            cool_ns=TimestampNs(90 * SECOND_NS),
        ),
    ),
)
"""Breakers that the moves of every day trip."""
EVERY = {
    "usual": RULES,
    "harsh": HARSH,
    "tight": TIGHT,
    "larger of two models": LARGER,
    "nervous": NERVOUS,
}
