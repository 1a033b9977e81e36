"""Liquidation in every mode: each step helps (E-11), it ends, the sweep names whom it is for.

Accounts are put at a chosen margin ratio; the other side of every position is a rich account.
"""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from offchain.core.liquidation import SHARES, share_legs
from offchain.core.margin import Mode, is_below, partial_lots
from offchain.core.parameters import RiskParameters
from offchain.core.units import ONE_E6, ONE_E8, AccountId, RatioE6
from offchain.engine.accounts import BACKSTOP, INSURANCE
from offchain.engine.events import Filled, LiquidationOrdered, PenaltyCharged, Tier
from offchain.engine.liquidation_legs import leg_of, legs_of, margin_after
from offchain.engine.machine import below_trigger
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.ledger.totals import totals_of
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, RULES, Venue, option

LINEAR = (BTC_PERP, BTC_WEEK, ETH_PERP)
OPTIONS = (option("BTC-WEEK-120000-C"), option("BTC-MONTH-110000-P"), option("ETH-WEEK-4400-C"))
LOTS = st.integers(-20_000, 20_000).filter(bool)
Book = dict[int, int]
RATIOS = st.integers(0, 1_100_000)
TRIGGER = RULES.liquidation.partial_trigger_e6


@st.composite
def troubled(draw: st.DrawFn) -> tuple[Mode, Book, int, int]:
    """Return a mode, a book that it allows, a ratio, and coins that count among the balance."""
    mode = draw(st.sampled_from(list(Mode)))
    ids = LINEAR + OPTIONS if mode is Mode.PORTFOLIO else LINEAR
    most = 1 if mode is Mode.ISOLATED else 4
    book = draw(st.dictionaries(st.sampled_from(ids), LOTS, min_size=1, max_size=most))
    return mode, book, draw(RATIOS), draw(st.sampled_from([0, 0, ONE_E8 // 10, 30 * ONE_E8]))


PATIENT = replace(RULES, liquidation=replace(RULES.liquidation, full_trigger_e6=RatioE6(100_000)))
"""Partial steps down to a tenth of MM."""


def in_trouble(books: list[tuple[Mode, Book, int, int]], rules: RiskParameters = RULES) -> Venue:
    """Return a venue whose accounts from 3 on hold these books at these ratios."""
    venue = Venue(rules)
    venue.fund(insurance_usd=10_000_000_000, backstop_usd=300_000_000_000)
    rich = venue.deposit(10, 100_000_000_000)
    venue.price(120_000)
    net = venue.state.market.net_lot_values()
    for place, (mode, book, ratio, coins) in enumerate(books):
        account = venue.deposit(20 + place, 1, btc=coins / ONE_E8)
        accounts = venue.state.accounts
        accounts.set_mode(account, mode)
        for instrument, lots in book.items():
            cost = lots * int(net[instrument])
            accounts.trade(account, instrument, lots, cost)
            accounts.trade(rich, instrument, -lots, -cost)
        margin = account_margin(venue.state, account)
        venue.grant(account, margin.maintenance_e6 * ratio // ONE_E6 - margin.margin_balance_e6)
    return venue


@example((Mode.CROSS, {BTC_PERP: 1_000}, 400_000, 0), PATIENT)
@given(troubled(), st.sampled_from([RULES, PATIENT]))
def test_every_step_raises_the_ratio_and_the_steps_come_to_an_end(
    of: tuple[Mode, Book, int, int], rules: RiskParameters
) -> None:
    venue, account = in_trouble([of], rules), 3
    for _ in range(200):
        before = account_margin(venue.state, account)
        decision = venue.liquidate(account)
        after = account_margin(venue.state, account)
        if isinstance(decision, Rejected):
            assert decision.reason is Reason.NOT_LIQUIDATABLE
            break
        (step,) = (e for e in decision if isinstance(e, LiquidationOrdered))
        paid = sum(e.amount_e6 for e in decision if isinstance(e, PenaltyCharged))
        released = before.maintenance_e6 - after.maintenance_e6
        assert after.margin_balance_e6 >= 0
        if step.tier is Tier.FULL:
            assert venue.state.accounts.positions(account) == ()
        else:
            assert 2 * paid * before.maintenance_e6 <= before.margin_balance_e6 * released
            assert (
                after.margin_balance_e6 * before.maintenance_e6
                >= before.margin_balance_e6 * after.maintenance_e6
            )
    else:
        raise AssertionError("two hundred steps and no end")
    assert not is_below(after.margin_balance_e6, after.maintenance_e6, TRIGGER)


QUOTES = st.lists(
    st.tuples(st.sampled_from(LINEAR + OPTIONS), st.integers(-300, 300), st.integers(1, 30_000)),
    max_size=12,
)
WIDE = replace(
    PATIENT,
    liquidation=replace(
        PATIENT.liquidation, band_mark_e6=RatioE6(200_000), band_index_e6=RatioE6(200_000)
    ),
)
"""Bands so wide that what decides is the neutral price."""


@example((Mode.CROSS, {BTC_PERP: 1_000}, 900_000, 0), [(BTC_PERP, -40, 300)], WIDE)
@example((Mode.CROSS, {BTC_PERP: 1_000}, 900_000, 0), [(BTC_PERP, -100, 300)], WIDE)
@example((Mode.CROSS, {BTC_PERP: -1_000}, 90_000, 0), [(BTC_PERP, 10, 9_000)], WIDE)
@example((Mode.PORTFOLIO, {OPTIONS[0]: -1_000}, 50_000, 0), [(OPTIONS[0], 100, 30_000)], WIDE)
@given(troubled(), QUOTES, st.sampled_from([RULES, PATIENT, WIDE]))
def test_no_price_of_the_book_leaves_a_step_worse_than_it_found(  # E-11
    of: tuple[Mode, Book, int, int],
    quotes: list[tuple[int, int, int]],
    rules: RiskParameters,
) -> None:
    venue, account, rich = in_trouble([of], rules), 3, 2
    for instrument, away, lots in quotes:  # away from the mark, in 1e-4 of the index
        held = venue.state.accounts.lots_of(account, instrument)
        mark = int(venue.state.market.prices.marks_e8[instrument])
        index = venue.state.index_price(venue.state.underlying(instrument).index)
        usd = max(5.0, (mark + index * away // 10_000) / ONE_E8)
        if held:
            venue.do(venue.order(rich, instrument, lots if held > 0 else -lots, usd))
    before = account_margin(venue.state, account)
    decision = venue.liquidate(account)
    after = account_margin(venue.state, account)
    if isinstance(decision, Rejected):
        assert decision.reason is Reason.NOT_LIQUIDATABLE
        return
    (step,) = (e for e in decision if isinstance(e, LiquidationOrdered))
    assert after.margin_balance_e6 >= 0  # every ratio begins at or above zero
    if step.tier is Tier.PARTIAL:
        assert (
            after.margin_balance_e6 * before.maintenance_e6
            >= before.margin_balance_e6 * after.maintenance_e6
        )
    for fill in (e for e in decision if isinstance(e, Filled)):
        (leg,) = (leg for leg in step.legs if leg.instrument == fill.instrument)
        band = leg_of(venue.state, fill.instrument, leg.lots).limit_price_e8
        sold = leg.lots < 0
        assert leg.limit_price_e8 >= band if sold else leg.limit_price_e8 <= band
        assert fill.price_e8 >= leg.limit_price_e8 if sold else fill.price_e8 <= leg.limit_price_e8


@given(troubled())
def test_one_lot_less_of_any_leg_would_miss_the_target(  # E-11
    of: tuple[Mode, Book, int, int],
) -> None:
    venue, account = in_trouble([of], PATIENT), 3
    state, terms = venue.state, PATIENT.liquidation
    positions = [(i, lots) for i, lots, _ in state.accounts.positions(account)]
    legs = legs_of(state, AccountId(account), Tier.PARTIAL)
    closed = {int(leg.instrument): abs(leg.lots) for leg in legs}
    before = margin_after(state, AccountId(account), positions, {})
    after = margin_after(state, AccountId(account), positions, closed)
    assert after[0] * before[1] >= before[0] * after[1]  # the ratio does not fall
    if before[0] * ONE_E6 >= terms.target_e6 * before[1]:
        return  # nothing to restore
    whole: dict[int, int] = dict(positions)
    for instrument, lots in closed.items():
        assert 0 < lots <= partial_lots(whole[instrument], terms.partial_cap_e6, ONE_E6)
        if is_below(*after, terms.target_e6):
            continue  # the caps do not allow it: the next step follows
        if _is_share(positions, closed):
            continue  # every hedge is kept: a share less is what misses
        less = closed | {instrument: lots - 1}
        assert is_below(*margin_after(state, AccountId(account), positions, less), terms.target_e6)


def _is_share(positions: Sequence[tuple[int, int]], closed: dict[int, int]) -> bool:
    shares = (share_legs(positions, share) for share in range(1, SHARES + 1))
    return len(positions) > 1 and any(
        closed == {i: abs(lots) for i, lots in legs} for legs in shares
    )


@given(st.lists(troubled(), min_size=1, max_size=5))
def test_the_sweep_the_totals_and_each_account_name_the_same(
    books: list[tuple[Mode, Book, int, int]],
) -> None:
    venue = in_trouble(books)
    found = [account_margin(venue.state, a) for a in range(venue.state.accounts.count)]
    due = {
        account
        for account, m in enumerate(found)
        if is_below(m.margin_balance_e6, m.maintenance_e6, RatioE6(ONE_E6))
    }
    assert TRIGGER == ONE_E6
    named = below_trigger(venue.state)
    assert set(named) == due - {INSURANCE, BACKSTOP}
    assert totals_of(venue.state).below_maintenance == len(due)
    ratios = [found[a].margin_balance_e6 * ONE_E6 // max(1, found[a].maintenance_e6) for a in named]
    assert ratios == sorted(ratios)
