"""Every invariant of the random engine bites: with one bug planted, some run is red.

The machine of `test_engine_stateful`, or the property that holds the invariant, runs as it is on an
engine with one bug. A bug that no run notices would be an invariant that cannot fail.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from offchain.core.units import Lots
from offchain.engine import events as e
from offchain.engine import evolve, liquidation_legs
from offchain.engine.accounts import INSURANCE
from offchain.engine.commands import liquidate, place_order
from offchain.engine.state import State
from tests.property import test_engine_liquidations as liquidations
from tests.property.test_engine_stateful import EngineMachine

ENOUGH = settings(
    max_examples=300,
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
Bug = Callable[[pytest.MonkeyPatch], None]


def after(event: type, more: Callable[[State, Any], None]) -> Bug:
    """Plant something that happens after an event was applied."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        right = evolve._APPLY[event]

        def wrong(state: State, of: Any, seq: int, time_ns: int) -> None:
            right(state, of, seq, time_ns)
            more(state, of)

        monkeypatch.setitem(evolve._APPLY, event, wrong)

    return plant


def instead(module: object, name: str, value: object) -> Bug:
    """Plant another function."""
    return lambda monkeypatch: monkeypatch.setattr(module, name, value)


def a_lot_too_many(state: State, of: e.Filled) -> None:
    state.accounts.trade(of.taker, of.instrument, 1 if of.lots > 0 else -1, 0)


def a_cent_more(state: State, of: e.Deposited) -> None:
    if of.asset == 0:
        state.accounts.add_cash(of.account, 10_000)


def a_cent_kept(state: State, of: e.Withdrawn) -> None:
    if of.asset == 0:
        state.accounts.add_cash(of.account, 1)


def paid_out_of_the_fund(state: State, of: e.PenaltyCharged) -> None:
    amount = int(state.accounts.cash[INSURANCE]) + 1
    state.accounts.add_cash(INSURANCE, -amount)
    state.accounts.add_cash(of.account, amount)


def adds_to_positions(account: Any, _terms: Any) -> tuple[tuple[int, Lots], ...]:
    return tuple((i, Lots(1 if lots > 0 else -1)) for i, lots in account.positions)


def remembers_across_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = count()
    after(e.Deposited, lambda state, _: _drift(state, next(seen)))(monkeypatch)


def _drift(state: State, step: int) -> None:
    if step >= 7:
        state.market.funding_e6[0] += step


def always(*_: object, **__: object) -> bool:
    return True


def nothing(*_: object, **__: object) -> None:
    return None


def orders_without_a_margin_check(monkeypatch: pytest.MonkeyPatch) -> None:
    instead(place_order, "refuse_margin", nothing)(monkeypatch)
    instead(place_order, "refuse_outcome", nothing)(monkeypatch)


PLANTS: Sequence[tuple[str, Bug]] = (
    ("INV-2 a position without its other side", after(e.Filled, a_lot_too_many)),
    ("SOL-1 a deposit credited twice in part", after(e.Deposited, a_cent_more)),
    ("SOL-1 a withdrawal that leaves something", after(e.Withdrawn, a_cent_kept)),
    ("R-6 a penalty paid by the fund", after(e.PenaltyCharged, paid_out_of_the_fund)),
    ("E-4, INV-7 orders without a margin check", orders_without_a_margin_check),
    ("E-11 a liquidation that adds", instead(liquidation_legs, "smallest_step", adds_to_positions)),
    ("INV-13 a state that the log does not decide", remembers_across_replays),
)


@pytest.mark.parametrize(("name", "bug"), PLANTS, ids=[name for name, _ in PLANTS])
def test_a_planted_bug_is_noticed(name: str, bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    assert name
    bug(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(EngineMachine, settings=ENOUGH)


ELSEWHERE: Sequence[tuple[str, Bug, Callable[[], None]]] = (
    (
        "INV-8 a liquidation of a healthy account",
        instead(liquidate, "is_below", always),
        liquidations.test_every_step_raises_the_ratio_and_the_steps_come_to_an_end,
    ),
)
"""Where the machine seldom gets to the point, a property of its own does."""


@pytest.mark.parametrize(("name", "bug", "held_by"), ELSEWHERE, ids=[row[0] for row in ELSEWHERE])
def test_a_planted_bug_is_noticed_by_its_property(
    name: str, bug: Bug, held_by: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name
    bug(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        held_by()
