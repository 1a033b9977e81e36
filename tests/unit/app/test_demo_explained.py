"""The demo explains a margin in lines whose figures are those of the API."""

from offchain.adapters.exposure_views import exposure_view
from offchain.adapters.json_text import read_json, write_json
from offchain.adapters.liquidation_prices import frozen, liquidation_prices_view
from offchain.adapters.margin_views import breakdown_view
from offchain.app.demo.explained import margin_lines
from offchain.core.margin import Mode
from offchain.engine.risk import account_margin
from tests.support.venue import BTC_PERP, RULES, Venue, option


def lines_of(venue: Venue, account: int) -> list[str]:
    state = venue.state
    positions = state.accounts.positions(account)
    margin = breakdown_view(
        state,
        account_margin(state, account),
        account,
        int(state.accounts.cash[account]),
        state.accounts.collateral[account].tolist(),
        positions,
    )
    views = (
        {"account": account, **margin},
        exposure_view(state, positions),
        liquidation_prices_view(frozen(state, account), RULES.listing.underlyings),
    )
    return margin_lines("somebody", *(read_json(write_json(view)) for view in views))


def venue_with_traders() -> Venue:
    venue = Venue()
    venue.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    venue.deposit(10, 50_000_000)
    venue.deposit(11, 100_000, btc=0.5)
    venue.deposit(12, 10_000)
    venue.price(120_000)
    venue.must(venue.set_mode(4, Mode.ISOLATED))
    venue.trade(2, 3, option("BTC-WEEK-130000-C"), 1_000, 900)
    venue.trade(4, 2, BTC_PERP, 500, 120_000)
    return venue


def test_a_portfolio_is_explained_term_by_term() -> None:
    venue = venue_with_traders()
    text = "\n".join(lines_of(venue, 3))
    margin = account_margin(venue.state, 3)
    for amount in (
        margin.scan_e6,
        margin.addons.roll_e6,
        margin.addons.holding_e6,
        margin.addons.im_naked_e6,
        margin.maintenance_e6,
        margin.initial_e6,
        margin.margin_balance_e6,
    ):
        assert f"{amount / 1e6:,.2f}" in text
    assert "collateral WBTC" in text
    assert "BTC: delta -" in text
    assert "none below (never within range)" in text
    assert "ETH" not in text


def test_an_isolated_account_is_explained_by_its_instrument() -> None:
    text = "\n".join(lines_of(venue_with_traders(), 4))
    assert "account 4, isolated" in text
    assert "BTC-PERP, maintenance" in text
    assert "of 60,000" in text
    assert "scan risk" not in text
