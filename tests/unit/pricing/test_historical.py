"""Losses in historical moves: every cell is its definition, alone and at the edges."""

from dataclasses import replace
from random import Random

import pytest

from offchain.core.model_parameters import JointMove, ShortfallModel
from offchain.core.units import ONE_E6, ONE_E8, RatioE6
from offchain.pricing.historical import history_loss_reference, history_losses
from offchain.pricing.marks import quote
from offchain.pricing.risk_array import RiskRangeError
from tests.support.venue import BTC_PERP, RULES, START_NS, WEEK_NS, all_feeds, feed_values, option


def random_moves(seed: int, count: int = 32) -> tuple[JointMove, ...]:
    random = Random(seed)  # noqa: S311 - a seed that can be named, nothing secret
    edges = (1 - ONE_E6, 0, 1, 9 * ONE_E6)

    def shift() -> int:
        return random.choice([*edges, random.randrange(-300_000, 500_000)])

    return tuple(JointMove((shift(), shift()), (shift(), shift())) for _ in range(count))


def with_moves(moves: tuple[JointMove, ...]) -> ShortfallModel:
    return ShortfallModel(RatioE6(900_000), RatioE6(0), moves)


SMILE = {"slope": ONE_E8 + 8_000_000, "tilt": 2 * ONE_E8 - 30_000_000}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("now", [START_NS, WEEK_NS - 1, WEEK_NS, WEEK_NS + 1])
def test_every_cell_is_its_reference(seed: int, now: int) -> None:
    rules = replace(RULES, shortfall=(with_moves(random_moves(seed)),))
    medians = all_feeds(
        rules.listing, (120_000 * ONE_E8, 4_300 * ONE_E8), 47_000_000, shape_e8=SMILE
    )
    losses = history_losses(rules, medians, now)
    assert losses is not None
    for instrument in rules.listing.instruments:
        of = quote(rules.listing, medians, instrument, now)
        expected = [
            history_loss_reference(rules, instrument, of, move) for move in rules.shortfall[0].moves
        ]
        assert losses[instrument.id].tolist() == expected, instrument.symbol
    assert not losses[200].any()  # what is not listed


def test_a_linear_lot_loses_the_move_and_nothing_else() -> None:
    moves = (JointMove((-100_000, 0), (500_000, 0)),) * 32
    losses = history_losses(
        replace(RULES, shortfall=(with_moves(moves),)), feed_values(120_000), START_NS
    )
    assert losses is not None
    assert losses[BTC_PERP].tolist() == [12_000_000] * 32
    assert losses[256].tolist() == [0] * 32


def test_a_volatility_move_alone_moves_options_alone() -> None:
    moves = (JointMove((0, 0), (200_000, 0)),) * 32
    losses = history_losses(
        replace(RULES, shortfall=(with_moves(moves),)), feed_values(120_000), START_NS
    )
    assert losses is not None
    assert losses[BTC_PERP].tolist() == [0] * 32
    assert losses[option("BTC-MONTH-120000-C")][0] < 0
    assert losses[option("ETH-MONTH-4400-C")][0] == 0


def test_without_a_model_nothing_is_computed() -> None:
    assert history_losses(RULES, feed_values(120_000), START_NS) is None


def test_a_loss_beyond_its_bits_is_refused_by_name() -> None:
    moves = (JointMove((9 * ONE_E6, 0), (0, 0)),) * 32
    rules = replace(RULES, shortfall=(with_moves(moves),))
    with pytest.raises(RiskRangeError, match="BTC-PERP"):
        history_losses(rules, feed_values(300_000), START_NS)
