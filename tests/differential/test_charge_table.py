"""The table of charges made column by column equals the rows made one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.instruments import FeedKind
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, ROWS, SECOND_NS, RatioE6
from offchain.pricing.charge_table import charge_table
from offchain.pricing.charges import charge_rows
from offchain.pricing.risk_array import RiskArrays, RiskRangeError

NOW_NS = 1_800_000_000 * SECOND_NS
SERIES = (
    Series(BITCOIN, (("7D", NOW_NS + 7 * DAY_NS), ("90D", NOW_NS + 90 * DAY_NS)), (60_000,)),
    Series(ETHER, (("1Y", NOW_NS + 365 * DAY_NS),), (3_000, 4_000)),
)
ROLES = Roles(tuple(f"0x{n:040x}" for n in range(1, 6)), "0x" + "a" * 40, "0x" + "b" * 40)
PARAMETERS = pm36(SERIES, ROLES)
LIMIT = 2**31 - 1
PRICES = st.tuples(st.integers(1, 200_000 * ONE_E8), st.integers(1, 20_000 * ONE_E8))
VOLS = st.integers(1, 4 * ONE_E8)
RATES = st.tuples(st.integers(-4_000_000, 4_000_000), st.integers(-4_000_000, 4_000_000))
CONFIDENCES = st.tuples(st.integers(0, ONE_E6), st.integers(0, ONE_E6))


def report(prices: tuple[int, ...], volatility: int) -> list[int]:
    shapes = {FeedKind.VOLATILITY: volatility}
    return [shapes.get(feed.kind, prices[feed.underlying]) for feed in PARAMETERS.listing.feeds]


def arrays_of(seed: int) -> RiskArrays:
    """Return deltas, vegas and values within their limits, some at them."""
    rng = np.random.default_rng(seed)
    signed = rng.choice([-LIMIT, 0, LIMIT, 1, -1], (2, ROWS))
    spread = rng.integers(-LIMIT, LIMIT + 1, (2, ROWS))
    deltas, vegas = np.where(rng.random((2, ROWS)) < 0.3, signed, spread).astype(np.int32)
    values = rng.integers(0, LIMIT + 1, ROWS)
    return RiskArrays(values, values, np.zeros((ROWS, 36), np.int32), deltas, vegas)


@given(st.integers(0, 2**32), PRICES, VOLS, RATES, CONFIDENCES, st.integers(-DAY_NS, 400 * DAY_NS))
def test_table_equals_the_rows(
    seed: int,
    prices: tuple[int, int],
    volatility: int,
    rates: tuple[int, int],
    confidences: tuple[int, int],
    later_ns: int,
) -> None:
    arrays = arrays_of(seed)
    inputs = (report(prices, volatility), NOW_NS + later_ns, arrays, rates, confidences)
    assert charge_table(PARAMETERS, *inputs).tolist() == charge_rows(PARAMETERS, *inputs).tolist()


def test_new_parameters_are_not_charged_by_the_old_ones() -> None:
    inputs = (report((6 * 10**12, 3 * 10**11), 10**7), NOW_NS, arrays_of(1), (5, -5), (0, 0))
    dearer = replace(PARAMETERS, taker_fee_e6=RatioE6(900))
    before = charge_table(PARAMETERS, *inputs)
    assert charge_table(dearer, *inputs).tolist() == charge_rows(dearer, *inputs).tolist()
    assert charge_table(dearer, *inputs).tolist() != before.tolist()


def test_index_lot_beyond_the_limit_is_refused() -> None:
    medians = report((2**31 * BITCOIN.lot_divisor, ONE_E8), 10**7)
    with pytest.raises(RiskRangeError, match="BTC"):
        charge_table(PARAMETERS, medians, NOW_NS, arrays_of(1), (0, 0), (0, 0))
