"""Curves, limits and refusals of the core's requirement, beside what the twin and machine show."""

from dataclasses import replace

import numpy as np
import pytest
from numba import njit

from offchain.core.addons import COLUMNS, Charge
from offchain.core.curves import CURVE_LIMIT, curve_lines, curve_reference
from offchain.core.model_parameters import JointMove, ShortfallModel
from offchain.core.presets import BREAKER, tiers
from offchain.core.units import ONE_E6, ROWS, RatioE6
from offchain.engine.hot import layout as w
from offchain.engine.hot.bridge import OtherModelError, adopt_market, hot_rules, load_state
from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import Limits, Outcome, Tables
from offchain.engine.hot.requirement import BEYOND, LIMIT, curve_at
from offchain.engine.reasons import Reason
from tests.support.hot import DIVISOR, MIDDLE, PERP, TICK, Life, model, seeded
from tests.support.venue import BTC_PERP, RULES, Venue

CURVES = (
    ((0, 0),),
    ((0, 12_000_000),),
    ((0, 0), (20_000_000, 10_000), (50_000_000, 25_000), (250_000_000, 100_000)),
    ((0, 1_000_000), (10_000, 2_000_000), (70_000, 4_000_000), (700_000, 12_000_000)),
)


@njit(nogil=True)
def run_curve(t: Tables, curve: int, amount: int) -> int:
    return curve_at(t, curve, amount)


@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_is_its_definition_at_every_bound_and_beside_it(
    curve: tuple[tuple[int, int], ...],
) -> None:
    lines = curve_lines(tiers(*curve))
    rules = model(0, 0, unwind=lines)[0]
    t = HotExchange(Limits(2, 2, 1), rules).tables
    random = seeded(4)
    bounds = [0, CURVE_LIMIT, *(lower * ONE_E6 for lower, _ in curve)]
    amounts = [max(0, bound + step) for bound in bounds for step in (-1, 0, 1, 7)]
    for amount in amounts + [random.randrange(1 << random.randrange(1, 62)) for _ in range(300)]:
        assert run_curve(t, w.UNWIND_CURVES, amount) == curve_reference(amount, lines)


def charged(doubt_e6: int) -> Life:
    """Return a venue with one instrument and nothing to pay but for doubt."""
    limits = Limits(accounts=4, orders=8, books=1)
    venue = Life(seeded(1), limits, instruments=(PERP,), cash_usd=(10**10,), is_charged=False)
    charges = np.zeros((ROWS, COLUMNS), np.int64)
    charges[PERP, [Charge.LONG, Charge.SHORT, Charge.DOUBT]] = doubt_e6
    venue.slow.charges = charges.tolist()
    venue.adopt(venue.hot)
    return venue


def test_a_requirement_that_might_not_fit_is_refused_whatever_the_balance() -> None:
    venue = charged((1 << 32) - 1)
    lots = (1 << 24) - 1
    # Beyond what `reprice` accepts: one instrument stands for the thirty that it would take.
    venue.hot.tables.rates[PERP * w.RATE + w.RATE_EXTRA] = LIMIT // lots + 1
    assert not venue.hot.tables.scalars[w.IS_BOUND_FIRST], "the rates are too large for bounds"
    price = MIDDLE[PERP] * TICK[PERP]
    order = np.array([[w.Action.PLACE, 1, 1, PERP, price, -lots, 0, 0]], np.int64)
    (event,) = venue.hot.submit(order).events.tolist()
    assert (event[0], event[5], event[7]) == (Outcome.REFUSED, Reason.INSUFFICIENT_MARGIN, BEYOND)
    assert venue.hot.orders(PERP) == []
    assert venue.hot.audit()


def test_rates_that_fit_are_bounded_first_and_rates_that_do_not_are_not() -> None:
    for doubt, has_bounds in ((1 << 30, True), ((1 << 31) - 1, True), (1 << 31, False)):
        scalars = charged(doubt).hot.tables.scalars
        assert bool(scalars[w.IS_BOUND_FIRST]) is has_bounds


def test_accounts_of_other_modes_stay_with_the_machine() -> None:
    venue = Venue()
    venue.fund(1, 1)
    trader = venue.deposit(7, 10_000)
    venue.price(110_000)
    limits = Limits(venue.state.accounts.count, 8, len(RULES.listing.instruments), underlyings=2)
    assert load_state(venue.state, limits).requirements(trader) == (0, 0)
    venue.must(venue.set_mode(trader, 1))
    with pytest.raises(OtherModelError, match="portfolio"):
        load_state(venue.state, limits)


def test_a_set_with_expected_shortfall_stays_with_the_machine() -> None:
    shortfall = ShortfallModel(RatioE6(975_000), RatioE6(0), (JointMove((0, 0), (0, 0)),) * 64)
    with pytest.raises(OtherModelError, match="shortfall"):
        hot_rules(replace(RULES, shortfall=(shortfall,)))


def test_a_breaker_that_is_not_open_stays_with_the_machine() -> None:
    venue = Venue(replace(RULES, breakers=(BREAKER, BREAKER)))
    venue.fund(1, 1)
    venue.price(110_000)
    limits = Limits(venue.state.accounts.count, 8, len(RULES.listing.instruments), underlyings=2)
    hot = load_state(venue.state, limits)
    venue.price(99_000, step_s=10)
    for give in (lambda: load_state(venue.state, limits), lambda: adopt_market(hot, venue.state)):
        with pytest.raises(OtherModelError, match="breaker"):
            give()


def test_credit_of_collateral_is_replaced_not_added() -> None:
    hot = HotExchange(Limits(2, 2, 1), model(0, 0)[0])
    hot.list_instrument(BTC_PERP, TICK[PERP], DIVISOR[PERP], 0)
    hot.open_accounts([0, 1])
    hot.add_cash(1, 500, 30)
    hot.set_credit(1, 70)
    hot.set_credit(1, 20)
    assert hot.balance(1) == 520
    assert hot.cash(1) == 500
