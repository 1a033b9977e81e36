"""Charges of one lot on figures worked out by hand, and at the ends of their ranges."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from offchain.core.addons import COLUMNS, Charge
from offchain.core.instruments import FeedKind
from offchain.core.parameters import RiskParameters
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, ROWS, SCENARIOS, RatioE6, TimestampNs
from offchain.pricing.charge_table import charge_table
from offchain.pricing.charges import CALM_LIMIT, CHARGE_LIMIT, charge_rows, doubt_e6
from offchain.pricing.marks import moved_medians
from offchain.pricing.risk_array import RiskArrays, RiskRangeError
from tests.support.venue import (
    BTC_MONTH,
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    RULES,
    START_NS,
    WEEK_NS,
    all_feeds,
)

Made = Callable[..., NDArray[np.int64]]
LOT = 120 * ONE_E6  # 0.001 BTC at 120,000 USD
MEDIANS = all_feeds(RULES.listing, (120_000 * ONE_E8, 4_000 * ONE_E8), 30_000_000)
CALL = next(i.id for i in RULES.listing.instruments if i.is_option)


def arrays(
    deltas: dict[int, int] | None = None, vegas: dict[int, int] | None = None, value: int = LOT
) -> RiskArrays:
    wide = np.zeros((2, ROWS), np.int32)
    for row, of in enumerate((deltas or {}, vegas or {})):
        for i, amount in of.items():
            wide[row, i] = amount
    values = np.full(ROWS, value, np.int64)
    return RiskArrays(values, values, np.zeros((ROWS, SCENARIOS), np.int32), wide[0], wide[1])


def rows(
    made: Made,
    of: RiskArrays,
    parameters: RiskParameters = RULES,
    now: int = START_NS,
    rates: Sequence[int] = (0, 0),
    medians: Sequence[int] = MEDIANS,
) -> NDArray[np.int64]:
    return made(parameters, medians, now, of, rates, (ONE_E6, ONE_E6))


@pytest.fixture(params=[charge_rows, charge_table])
def made(request: pytest.FixtureRequest) -> Made:
    """Return the definition, then the table."""
    found: Made = request.param
    return found


def test_holding_pays_the_closing_fee_and_funding_on_the_side_that_owes_it(made: Made) -> None:
    fee = 36_000  # 0.03 % of 120 USD
    for rate, long, short in ((10_000, 12_000, 0), (-10_000, 0, 12_000), (0, 0, 0)):
        found = rows(made, arrays(), rates=(rate, rate))
        assert found[BTC_PERP, Charge.LONG] == fee + long
        assert found[BTC_PERP, Charge.SHORT] == fee + short
        assert found[BTC_WEEK, Charge.LONG] == found[BTC_WEEK, Charge.SHORT] == fee


def test_a_short_option_pays_for_being_naked_and_more_of_it_in_initial_margin(made: Made) -> None:
    found = rows(made, arrays())
    assert found[CALL, Charge.LONG] == 36_000
    assert found[CALL, Charge.SHORT] == 36_000 + 360_000  # 0.3 % of the index
    assert found[CALL, Charge.SHORT_EXTRA] == 240_000  # 0.2 %
    assert found[BTC_PERP, Charge.SHORT_EXTRA] == 0
    assert found[CALL, Charge.UNWIND] == 60_000  # 0.05 %
    assert found[BTC_PERP, Charge.UNWIND] == 120_000  # 0.1 %


@pytest.mark.parametrize(
    ("days", "size"), [(365, 9_000_000), (0, 1_200_000), (10_000, 120_000_000), (48, 1_200_000)]
)
def test_roll_grows_with_time_from_its_least_to_the_whole_delta(
    made: Made, days: int, size: int
) -> None:
    # 7.5 % a year of 120 USD, at least 1 %: 48.7 days.
    now = WEEK_NS - days * DAY_NS
    for sign in (1, -1):
        found = rows(made, arrays({BTC_WEEK: sign * LOT}), now=now)
        assert found[BTC_WEEK, Charge.ROLL] == sign * size
        assert found[BTC_WEEK, Charge.DELTA] == sign * LOT


def test_roll_of_a_perpetual_and_of_what_has_expired_is_the_least(made: Made) -> None:
    found = rows(made, arrays({BTC_PERP: LOT, BTC_WEEK: -LOT, BTC_MONTH: 0}), now=WEEK_NS + DAY_NS)
    assert found[BTC_PERP, Charge.ROLL] == 1_200_000
    assert found[BTC_WEEK, Charge.ROLL] == -1_200_000
    assert found[BTC_MONTH, Charge.ROLL] == 0


def test_groups_count_expiries_from_the_perpetual(made: Made) -> None:
    found = rows(made, arrays())
    assert [found[i, Charge.GROUP] for i in (BTC_PERP, BTC_WEEK, BTC_MONTH, ETH_PERP)] == [
        0,
        1,
        2,
        0,
    ]
    for i in RULES.listing.instruments:
        place = {0: 0, WEEK_NS: 1}.get(i.expiry_ns, 2)
        assert found[i.id, Charge.GROUP] == place


def test_calm_is_the_gain_of_a_lot_up_to_the_calm_volatility_rounded_down(made: Made) -> None:
    # Volatility 30 %, calm 40 %: ten points.
    found = rows(made, arrays(vegas={CALL: 1_234_567, BTC_WEEK: 99}))
    assert found[CALL, Charge.CALM] == 12_345_670
    assert found[BTC_WEEK, Charge.CALM] == 0
    high = all_feeds(RULES.listing, (120_000 * ONE_E8, 4_000 * ONE_E8), 40_000_001)
    assert not rows(made, arrays(vegas={CALL: 5}), medians=high)[:, Charge.CALM].any()
    near = all_feeds(RULES.listing, (120_000 * ONE_E8, 4_000 * ONE_E8), 39_999_999)
    assert rows(made, arrays(vegas={CALL: -5}), medians=near)[CALL, Charge.CALM] == -1


@pytest.mark.parametrize("sign", [1, -1])
def test_calm_is_cut_at_31_bits(made: Made, sign: int) -> None:
    found = rows(made, arrays(vegas={CALL: sign * (2**31 - 1)}))
    assert found[CALL, Charge.CALM] == sign * CALM_LIMIT
    assert CALM_LIMIT == 2**31 - 1


def test_an_index_lot_may_have_31_bits_and_no_more(made: Made) -> None:
    divisor = RULES.listing.underlyings[0].lot_divisor
    medians = list(MEDIANS)
    medians[0] = 2**31 * divisor - 1
    assert rows(made, arrays(), medians=medians).shape == (ROWS, COLUMNS)
    medians[0] += 1
    with pytest.raises(RiskRangeError, match="an index lot of BTC is worth 2147483648"):
        rows(made, arrays(), medians=medians)


@pytest.mark.parametrize(
    ("confidence", "charge"),
    [
        (ONE_E6, 0),
        (550_000, 0),  # at the threshold nothing is owed
        (549_999, 54_000_120),  # 45.0001 % of 120 USD
        (0, 120 * ONE_E6),
    ],
)
def test_doubt_is_charged_below_the_threshold_only(confidence: int, charge: int) -> None:
    assert doubt_e6(LOT, confidence, RULES, 0) == charge


def test_doubt_rounds_up_and_is_cut_at_32_bits() -> None:
    assert doubt_e6(1, 400_000, RULES, 0) == 1
    tenfold = replace(RULES.addons[0], confidence_factor_e6=RatioE6(10 * ONE_E6))
    steep = replace(RULES, addons=(tenfold, RULES.addons[1]))
    assert CHARGE_LIMIT == 2**32 - 1
    assert doubt_e6(2**31 - 1, 0, steep, 0) == CHARGE_LIMIT
    assert doubt_e6(429_496_729, 0, steep, 0) == 4_294_967_290
    assert doubt_e6(429_496_730, 0, steep, 0) == CHARGE_LIMIT
    assert doubt_e6(2**31 - 1, 0, steep, 1) == 2**31 - 1  # the other underlying's own factor


def test_forwards_move_with_their_index_rounded_down_and_at_least_one() -> None:
    listing = RULES.listing
    before = list(MEDIANS)
    forward = listing.feed_index(FeedKind.FORWARD, 0, TimestampNs(WEEK_NS))
    before[forward] = 3
    half = moved_medians(listing, before, 0, 60_000 * ONE_E8)
    assert (half[0], half[forward]) == (60_000 * ONE_E8, 1)
    assert moved_medians(listing, before, 0, 1)[forward] == 1
    changed = [
        place for place, pair in enumerate(zip(before, half, strict=True)) if len(set(pair)) > 1
    ]
    assert {listing.feeds[place].underlying for place in changed} == {0}
    assert {listing.feeds[place].kind for place in changed} == {FeedKind.INDEX, FeedKind.FORWARD}
