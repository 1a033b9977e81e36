"""Effect words: what each event writes, and what none writes."""

import pytest

from offchain.core.margin import Mode
from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, UsdE6
from offchain.engine import events as e
from offchain.engine.messages import EntryKind
from offchain.engine.state import State
from offchain.ledger import effects as ef
from offchain.ledger.errors import EncodingError
from tests.support.venue import BTC_PERP, Venue

NINE, FIVE = AccountId(9), AccountId(5)


def words_of(event: e.Event, state: State | None = None) -> tuple[bytes, ...]:
    return ef.split_words(ef.effect_words(state or State(), event))


def test_a_trade_is_the_word_of_the_taker_then_that_of_the_maker_then_the_fee() -> None:
    venue = Venue()
    venue.state.market.funding_e6[BTC_PERP] = 7
    price = PriceE8(120_000 * 10**8)
    event = e.Filled(InstrumentId(BTC_PERP), price, Lots(-3), NINE, FIVE, 44, UsdE6(11))
    cost = -3 * (120_000 * 10**8 // venue.state.underlying(BTC_PERP).lot_divisor - 7)
    assert words_of(event, venue.state) == (
        ef.trade_word(9, BTC_PERP, -3, cost),
        ef.trade_word(5, BTC_PERP, 3, -cost, 44),
        ef.cash_word(9, ef.CashFlow.TRADING_FEE, -11),
        ef.cash_word(0, ef.CashFlow.TRADING_FEE, 11),
    )


def test_a_transfer_is_the_word_of_who_takes_over_then_of_who_gives() -> None:
    venue = Venue()
    event = e.PositionTransferred(InstrumentId(BTC_PERP), PriceE8(10**13), Lots(3), NINE, FIVE)
    cost = 3 * (10**13 // venue.state.underlying(BTC_PERP).lot_divisor)
    assert words_of(event, venue.state) == (
        ef.trade_word(5, BTC_PERP, 3, cost),
        ef.trade_word(9, BTC_PERP, -3, -cost),
    )


def test_a_deposit_is_cash_or_collateral_from_the_inbox() -> None:
    assert words_of(e.Deposited(1, NINE, 0, 5)) == (ef.cash_word(9, ef.CashFlow.DEPOSIT, 5),)
    expected = (ef.collateral_word(9, 2, 5, is_deposit=True),)
    assert words_of(e.Deposited(1, NINE, 2, 5)) == expected


def test_a_deposit_without_room_goes_out_through_no_account() -> None:
    found = words_of(e.DepositReturned(1, bytes(20), 2, 5, 77))
    assert found == (ef.output_word(2**32 - 1, 2, 5, 77),)


def test_a_sale_moves_collateral_one_way_and_cash_the_other() -> None:
    assert words_of(e.CollateralSold(1, 5, UsdE6(9), NINE, FIVE)) == (
        ef.collateral_word(9, 1, -5, is_deposit=False),
        ef.collateral_word(5, 1, 5, is_deposit=False),
        ef.cash_word(9, ef.CashFlow.SALE, 9),
        ef.cash_word(5, ef.CashFlow.SALE, -9),
    )


def test_penalties_go_to_the_fund_and_deficits_come_from_it() -> None:
    assert words_of(e.PenaltyCharged(NINE, UsdE6(5))) == (
        ef.cash_word(9, ef.CashFlow.PENALTY, -5),
        ef.cash_word(0, ef.CashFlow.PENALTY, 5),
    )
    assert words_of(e.DeficitCovered(NINE, UsdE6(5), UsdE6(3))) == (
        ef.cash_word(9, ef.CashFlow.DEFICIT, 5),
        ef.cash_word(0, ef.CashFlow.DEFICIT, -5),
        ef.shortfall_word(9, 3),
    )


def test_nothing_that_is_paid_has_no_word() -> None:
    assert words_of(e.DeficitCovered(NINE, UsdE6(0), UsdE6(3))) == (ef.shortfall_word(9, 3),)
    assert words_of(e.DeficitCovered(NINE, UsdE6(5), UsdE6(0)))[2:] == ()
    assert words_of(e.PenaltyCharged(NINE, UsdE6(0))) == ()


def test_the_remaining_kinds_are_one_word_each() -> None:
    owner = b"\x0a" * 20
    assert words_of(e.AccountOpened(NINE, owner, 3)) == (ef.open_word(9, 3, owner),)
    assert words_of(e.ModeChanged(NINE, Mode.CROSS)) == (ef.mode_word(9, 1),)
    assert words_of(e.Withdrawn(7, NINE, owner, 1, 5)) == (ef.output_word(9, 1, 5, 7),)
    settled = e.InstrumentSettled(InstrumentId(300), UsdE6(-4))
    assert words_of(settled) == (ef.settle_word(300, -4),)
    noop = e.ForcedNoop(1, EntryKind.CLOSE, e.NO_ACCOUNT, e.NoopReason.NOT_LISTED)
    assert words_of(noop) == (ef.noop_word(2**32 - 1, 7),)


def test_what_changes_no_leaf_and_no_book_has_no_word() -> None:
    assert words_of(e.NonceUsed(NINE, 1)) == ()
    assert words_of(e.ForcedDone(1, EntryKind.CANCEL_ALL, NINE)) == ()
    assert words_of(e.KeyRevoked(bytes(20), bytes(20))) == ()


def test_a_number_that_does_not_fit_its_field_is_refused() -> None:
    with pytest.raises(EncodingError, match="no effect word"):
        words_of(e.Withdrawn(7, NINE, bytes(20), 1, 2**64))


def test_effects_that_are_not_whole_words_are_refused() -> None:
    with pytest.raises(EncodingError, match="32 bytes"):
        ef.split_words(bytes(33))


@pytest.mark.parametrize(
    ("word", "touches"),
    [
        (ef.open_word(1, 0, bytes(20)), True),
        (ef.cash_word(1, ef.CashFlow.DEPOSIT, 1), True),
        (ef.collateral_word(1, 1, 1, is_deposit=True), True),
        (ef.output_word(1, 1, 1, 1), True),
        (ef.liquidation_word(1, 1), True),
        (ef.shortfall_word(1, 1), True),
        (ef.trade_word(1, 1, 1, 1), False),
        (ef.mode_word(1, 1), False),
        (ef.noop_word(1, 1), False),
        (ef.settle_word(1, 1), False),
    ],
)
def test_only_some_kinds_touch_the_book(word: bytes, touches: bool) -> None:
    assert ef.touches_book(ef.mode_word(1, 0) + word) is touches
