"""What a trade would leave is what it leaves: an overlay sees the open interest as well (E-4)."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.margin import Mode
from offchain.engine.overlay import Overlay
from offchain.engine.risk import account_margin
from tests.support.venue import BTC_PERP, Venue

LOTS = st.integers(-200_000, 200_000)


@given(LOTS, LOTS, LOTS.filter(bool))
def test_the_margin_with_a_trade_ahead_is_the_margin_after_it(
    one: int, other: int, lots: int
) -> None:
    venue = Venue()
    venue.fund(10_000, 10_000_000)
    taker, maker, rest = (venue.deposit(name, 100_000_000) for name in (10, 11, 12))
    venue.price(120_000)
    accounts = venue.state.accounts
    value = int(venue.state.market.net_lot_values()[BTC_PERP])
    for account, held in ((taker, one), (maker, other), (rest, -one - other)):
        accounts.set_mode(account, Mode.CROSS)
        if held:
            accounts.trade(account, BTC_PERP, held, held * value)
    ahead = Overlay()
    ahead.trade(taker, BTC_PERP, lots, lots * value)
    ahead.trade(maker, BTC_PERP, -lots, -lots * value)
    foreseen = [account_margin(venue.state, account, ahead) for account in (taker, maker)]
    accounts.trade(taker, BTC_PERP, lots, lots * value)
    accounts.trade(maker, BTC_PERP, -lots, -lots * value)
    assert foreseen == [account_margin(venue.state, account) for account in (taker, maker)]
