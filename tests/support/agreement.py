"""Whether the engine and the slow model are in the same state."""

import pickle
from typing import Any

from numpy.typing import NDArray

from offchain.core.units import InstrumentId
from offchain.engine.state import State
from tests.support.slow_trading import SlowModel


def fingerprint(state: State) -> bytes:
    """Return everything that a command may change, as bytes."""
    accounts, n, market = state.accounts, state.accounts.count, state.market
    arrays: list[NDArray[Any]] = [accounts.cash, accounts.collateral, accounts.costs]
    narrow: list[NDArray[Any]] = [accounts.ids, accounts.lots, accounts.counts, accounts.level]
    orders = [
        (o.order_id, o.account, o.lots, o.reduce_only)
        for book in state.books.values()
        for o in book.orders()
    ]
    flows = [(name, getattr(state.flows, name)) for name in state.flows.__slots__]
    figures = (
        market.round,
        market.medians,
        market.pending,
        market.epoch,
        sorted(market.settled),
        market.funding_rates_e8,
        market.confidences_e6,
        market.haircuts,
        market.curves,
        None if market.charges is None else market.charges.tobytes(),
        accounts.open_interest.tobytes(),
    )
    return pickle.dumps(
        (
            [a[:n].tobytes() for a in (*arrays, *narrow, accounts.mode)],
            orders,
            flows,
            figures,
            market.funding_e6.tobytes(),
            {a: dict(words) for a, words in state.nonces.items()},
            {owner: dict(keys) for owner, keys in state.keys.items()},
            (state.inbox_cursor, state.next_output_id, state.last_seq, state.time_ns),
        )
    )


def compare(state: State, model: SlowModel) -> None:
    """Balances, positions, books, funding and flows are the same."""
    accounts = state.accounts
    assert accounts.count == len(model.accounts)
    for a, owned in enumerate(model.accounts):
        assert int(accounts.cash[a]) == owned.cash, f"cash of {a}"
        assert accounts.collateral[a].tolist() == owned.coins, f"collateral of {a}"
        assert int(accounts.mode[a]) == owned.mode, f"mode of {a}"
        rows = tuple((i, *owned.positions[i]) for i in sorted(owned.positions))
        assert accounts.positions(a) == rows, f"positions of {a}"
        assert not accounts.lots[a, accounts.counts[a] :].any()
    for instrument in model.listed:
        found = [(o.order_id, o.lots) for o in state.books[InstrumentId(instrument)].orders()]
        both = model.book(instrument, -1) + model.book(instrument, 1)
        assert found == [(o.number, o.lots) for o in both], f"book of {instrument}"
        assert int(state.market.funding_e6[instrument]) == model.funding[instrument]
    assert state.market.medians == model.medians
    assert (state.market.pending is None) == (model.pending is None)
    flows = state.flows
    found_flows = (flows.contributed_e6, flows.drawn_e6, flows.shortfall_e6, flows.liquidations)
    assert found_flows == tuple(model.flows.values())
    assert (state.inbox_cursor, state.next_output_id) == (model.entries, model.outputs + 1)
    keys = {(o, k): until for o, held in state.keys.items() for k, until in held.items()}
    assert keys == model.keys
    money = sum(a.cash - sum(cost for _, cost in a.positions.values()) for a in model.accounts)
    assert money == flows.deposited[0] - flows.withdrawn[0]  # SOL-1
    for asset in range(1, len(flows.deposited)):
        coins = sum(a.coins[asset - 1] for a in model.accounts)
        assert coins == flows.deposited[asset] - flows.withdrawn[asset]
    market = state.market
    assert list(market.funding_rates_e8) == model.rates
    assert list(market.confidences_e6) == model.trust
    assert [h.haircut_e6 for h in market.haircuts] == [h.haircut for h in model.memories]
    assert model.accounts[0].cash >= 0
    assert not model.accounts[0].positions
