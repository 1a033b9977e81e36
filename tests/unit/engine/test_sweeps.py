"""The sweep of all accounts: exact figures, and a first stage that hides nobody."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from offchain.core.addons import Charge
from offchain.core.margin import Mode, is_below
from offchain.core.margin_bounds import addon_rates, gross_rates, small_gross
from offchain.core.parameters import RiskParameters
from offchain.core.presets import tiers
from offchain.core.units import ONE_E6, RatioE6
from offchain.engine.events import MarginLevelChanged
from offchain.engine.machine import below_trigger
from offchain.engine.risk import account_margin
from offchain.engine.sweeps import maintenance_margins, margins_near
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, RULES, Venue

LINEAR = (BTC_PERP, BTC_WEEK, ETH_PERP)
STEEP = replace(
    RULES,
    addons=tuple(
        replace(
            a,
            roll_min_e6=RatioE6(0),
            roll_rate_e6=RatioE6(0),
            delta_tiers=tiers((0, 3_000), (10_000, 90_000), (2_000_000, 100_000)),
            unwind_linear_e6=RatioE6(20_000),
        )
        for a in RULES.addons
    ),
)


def crowd(rules: RiskParameters, seed: int, count: int = 120) -> Venue:
    """Return a venue of many accounts near their requirements, put there without trades."""
    random = Random(seed)  # noqa: S311 - a seed that can be named, nothing secret
    venue = Venue(rules)
    venue.deposit(1, 1)
    venue.price(120_000)
    ids = [int(i.id) for i in rules.listing.instruments]
    found = [venue.deposit(10 + k, 1, eth=random.choice([0, 0, 0.5])) for k in range(count)]
    for account in found:
        mode = random.choice([Mode.PORTFOLIO, Mode.PORTFOLIO, Mode.CROSS])
        chosen = ids if mode is Mode.PORTFOLIO else LINEAR
        size = random.choice([1, 30, 3_000, 300_000, 2**24 - 1])
        for instrument in random.sample(list(chosen), random.randrange(0, min(8, len(chosen)))):
            lots = random.choice([-1, 1]) * random.randrange(1, size + 1)
            value = int(venue.state.market.prices.lot_values_e6[instrument])
            venue.state.accounts.trade(account, instrument, lots, lots * value)
        venue.state.accounts.set_mode(account, mode)
        margin = account_margin(venue.state, account, orders=())
        ratio = random.choice([0, 500_000, 999_999, 1_000_000, 1_000_001, 1_499_999, 1_500_001])
        wanted = -(-margin.maintenance_e6 * ratio // ONE_E6) + random.choice([-1, 0, 1])
        venue.state.accounts.add_cash(account, wanted - margin.margin_balance_e6)
    return venue


@pytest.mark.parametrize("rules", [RULES, STEEP], ids=["usual", "steep"])
@pytest.mark.parametrize("seed", range(4))
def test_the_sweep_is_exact_and_its_first_stage_hides_nobody(
    rules: RiskParameters, seed: int
) -> None:
    state = crowd(rules, seed).state
    balances, dues = maintenance_margins(state)
    for account in range(state.accounts.count):
        margin = account_margin(state, account, orders=())
        assert balances[account] == margin.margin_balance_e6
        assert dues[account] == margin.maintenance_e6
    for ratio in (1, 600_000, 1_000_000, 1_100_000, 1_500_000, 2_000_000, 9_000_000):
        near = margins_near(state, state.market, RatioE6(ratio))
        assert near.balances_e6.tolist() == balances[near.accounts].tolist()
        assert near.maintenances_e6.tolist() == dues[near.accounts].tolist()
        below = {
            account
            for account in range(state.accounts.count)
            if is_below(int(balances[account]), int(dues[account]), RatioE6(ratio))
        }
        assert below <= set(near.accounts.tolist())


def test_the_first_stage_hides_most_of_a_healthy_crowd() -> None:
    venue = crowd(RULES, 9)
    state, n = venue.state, venue.state.accounts.count
    for account in range(n):
        state.accounts.add_cash(account, 10**16)
    near = margins_near(state, state.market, RatioE6(1_500_000))
    small = np.array([np.abs(state.accounts.lots[a]).max() < 300 for a in range(n)])
    cross = state.accounts.mode[:n] == Mode.CROSS
    hidden = np.ones(n, bool)
    hidden[near.accounts] = False
    assert hidden[small & ~cross].all()
    assert len(near.accounts) < n


@pytest.mark.parametrize("rules", [RULES, STEEP], ids=["usual", "steep"])
def test_a_gross_rate_bounds_every_addon_of_a_lot(rules: RiskParameters) -> None:
    venue = Venue(rules)
    venue.price(120_000)
    charges = venue.state.market.charges_in_force
    rates = gross_rates(charges, addon_rates(rules.addons))
    for i in rules.listing.instruments:
        row = charges[i.id].tolist()
        addons = rules.addons[i.underlying]
        delta, raw = abs(row[Charge.DELTA]), row[Charge.UNWIND]
        held = abs(row[Charge.ROLL]) + max(row[Charge.LONG], row[Charge.SHORT])
        assert rates[i.id] >= held + delta * addons.delta_tiers[0].rate_e6 // ONE_E6
        assert rates[i.id] * ONE_E6 >= raw * addons.unwind_tiers[-1].rate_e6
        assert rates[i.id] * 100 >= delta
    end = min(a.delta_tiers[1].lower_e6 for a in rules.addons)
    assert small_gross(rules.addons) * 100 <= end


def test_the_worst_ratio_is_named_first_and_nobody_above_the_trigger() -> None:
    venue = crowd(RULES, 21)
    state = venue.state
    balances, dues = maintenance_margins(state)
    trigger = RULES.liquidation.partial_trigger_e6
    named = below_trigger(state)
    ratios = [int(balances[a]) * ONE_E6 // max(1, int(dues[a])) for a in named]
    assert ratios == sorted(ratios)
    expected = {
        a
        for a in range(2, state.accounts.count)
        if is_below(int(balances[a]), int(dues[a]), trigger)
    }
    assert set(named) == expected


def test_a_level_is_left_again_when_the_account_recovers() -> None:
    venue = Venue()
    venue.fund(100_000, 5_000_000)
    for name in (10, 11):
        venue.deposit(name, 50_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 2_300, 120_000)
    venue.price(114_000)
    assert int(venue.state.accounts.level[2]) == 3
    venue.deposit(10, 50_000_000)
    events = venue.price(114_000)
    (change,) = (e for e in events if isinstance(e, MarginLevelChanged) and e.account == 2)
    assert change.level == 0
    assert int(venue.state.accounts.level[2]) == 0
