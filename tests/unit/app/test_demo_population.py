"""Who trades in the demo: the same for the same seed, in every mode, with every kind of money."""

from offchain.app.demo.population import BITCOIN_ASSET, ETHER_ASSET, draw_traders, sized
from offchain.core.margin import Mode
from offchain.core.units import ONE_E6, ONE_E8

OPENING = (120_000 * ONE_E8, 4_000 * ONE_E8)
STRIKES = {"BTC": range(90_000, 160_000, 10_000), "ETH": range(3_000, 5_000, 250)}


def test_the_same_seed_draws_the_same_traders() -> None:
    first, second = draw_traders(7, OPENING, STRIKES), draw_traders(7, OPENING, STRIKES)
    assert [(t.name, t.cash_e6, t.coins_e8, t.used_margin_e6) for t in first] == [
        (t.name, t.cash_e6, t.coins_e8, t.used_margin_e6) for t in second
    ]
    assert first[0].cash_e6 != draw_traders(8, OPENING, STRIKES)[0].cash_e6


def test_every_mode_and_collateral_is_there() -> None:
    traders = draw_traders(7, OPENING, STRIKES)
    assert {t.wants for t in traders} == set(Mode)
    assert {t.later for t in traders} >= {None, Mode.CROSS, Mode.PORTFOLIO}
    assert {t.coin_asset for t in traders if t.coins_e8} == {BITCOIN_ASSET, ETHER_ASSET}
    assert len({t.owner for t in traders}) == len(traders)


def test_coins_are_worth_what_the_profile_says() -> None:
    for trader in draw_traders(7, OPENING, STRIKES):
        if trader.profile == "ether-margined long":
            worth = trader.coins_e8 * OPENING[1] // ONE_E8**2
            assert 19_999 <= worth <= 60_000


def test_a_portfolio_is_as_large_as_its_margin_in_its_mode_allows() -> None:
    trader = next(t for t in draw_traders(7, OPENING, STRIKES) if t.wants is Mode.CROSS)
    asked = []

    def needed(unit: list[tuple[int, int]], mode: Mode) -> int:
        asked.append(mode)
        return 1_200 * ONE_E6

    trader.mode = Mode.CROSS
    found = dict(sized(trader, {"BTC-PERP": 0, "ETH-PERP": 256}, needed, 30_000 * ONE_E6))
    scale_e6 = 30_000 * ONE_E6 * trader.used_margin_e6 // (1_200 * ONE_E6)
    assert found == {0: 100 * scale_e6 // ONE_E6, 256: -1_000 * scale_e6 // ONE_E6}
    assert asked == [Mode.CROSS]
