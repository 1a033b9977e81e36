"""Random trading through the journal: an auditor, and a restart anywhere, give the same batches."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.core.margin import Mode
from offchain.core.parameters import RiskParameters
from offchain.core.units import SLOT_BITS
from offchain.engine.accounts import BACKSTOP
from offchain.engine.events import LiquidationOrdered
from offchain.engine.reasons import Rejected
from offchain.engine.risk import account_margin
from offchain.ledger.batch import Batch
from offchain.ledger.journal import Journal
from offchain.ledger.leaf import leaf_hash
from offchain.ledger.liquidation import witness_margin
from offchain.ledger.merkle import verify_account
from offchain.ledger.proving import best_scenarios
from offchain.ledger.terms import curves, terms
from offchain.ledger.wire import Record, decode_records
from tests.support.journal_venue import ENGINE_HASH
from tests.support.random_trading import ACTION, Trading
from tests.support.rule_sets import NERVOUS
from tests.support.venue import RULES


def replayed(batches: list[Batch]) -> Journal:
    """Return the journal of an auditor who has the posted data alone."""
    journal = Journal(strict=True)
    for batch in batches:
        for record in decode_records(batch.log):
            assert not isinstance(journal.apply(record), Rejected)
        assert journal.cut(ENGINE_HASH) == batch
    return journal


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=30), st.sampled_from([RULES, NERVOUS]))
def test_an_auditor_and_a_restart_anywhere_give_the_same_batches(
    actions: list[tuple[Any, ...]], rules: RiskParameters
) -> None:  # INV-13, SOL-1
    trading = Trading(rules).run(actions)
    journal = replayed(trading.batches)
    assert journal.state_root() == trading.venue.journal.state_root()
    assert journal.tip == trading.venue.journal.tip


def everything_opened(journal: Journal, account: int) -> tuple[int, int]:
    """Return what a witness proves that opens all columns of an account, in the best scenarios."""
    leaf, rules = journal.account_proof(account).leaf, journal.state.rules
    held = sorted({p.instrument >> SLOT_BITS for p in leaf.positions})
    columns, losses = journal.columns, journal.state.market.prices.losses_e6
    assert columns is not None
    scenarios: Sequence[int | None] = [None] * len(held)
    if leaf.mode == Mode.PORTFOLIO:
        scenarios = best_scenarios(leaf.positions, held, losses, terms(rules))
    openings = [
        columns.opening(u, s, with_charges=True) for u, s in zip(held, scenarios, strict=True)
    ]
    return witness_margin(leaf, openings, columns.collateral, curves(rules), terms(rules))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=30))
def test_every_witness_and_every_account_verifies(actions: list[tuple[Any, ...]]) -> None:
    """What a witness proves is the margin that the engine acted on, or less of the requirement.

    With everything opened it is that margin to the unit, for every account but the backstop, whose
    collateral is credited without concentration.
    """
    trading = Trading()
    trading.jump(200)
    trading.run(actions)
    ordered = iter([e for e in trading.venue.events if isinstance(e, LiquidationOrdered)])
    for batch in trading.batches:  # INV-8
        assert batch.header.liquidation_count == len(batch.witnesses)
        for witness, event in zip(batch.witnesses, ordered, strict=False):
            balance, due = witness.check(batch.header, batch.terms, batch.curves_hash)
            assert balance == event.margin_balance_e6
            assert due == event.maintenance_e6 if witness.curves else due <= event.maintenance_e6
    assert next(ordered, None) is None
    journal = trading.venue.journal
    for account in set(range(journal.state.accounts.count)) - {BACKSTOP}:
        margin = account_margin(journal.state, account, orders=())
        found = everything_opened(journal, account)
        assert found == (margin.margin_balance_e6, margin.maintenance_e6)
    root = journal.account_root()
    for account in range(journal.state.accounts.count):
        proof = journal.account_proof(account)
        assert verify_account(root, account, leaf_hash(proof.leaf), proof.siblings)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=20), st.data(), st.sampled_from([RULES, NERVOUS]))
def test_a_snapshot_and_the_tail_are_the_whole_replay(
    actions: list[tuple[Any, ...]], data: st.DataObject, rules: RiskParameters
) -> None:
    trading = Trading(rules)
    for name, *values in actions:
        getattr(trading, name)(*values)
    log = trading.venue.log
    place = data.draw(st.integers(0, len(log)))
    whole, head = Journal(), Journal()
    for seq, time_ns, command in log:
        whole.apply(Record(seq, time_ns, 1, command))
    for seq, time_ns, command in log[:place]:
        head.apply(Record(seq, time_ns, 1, command))
    tail = Journal.restore(head.snapshot())
    for seq, time_ns, command in log[place:]:
        tail.apply(Record(seq, time_ns, 1, command))
    assert tail.snapshot() == whole.snapshot()
    assert tail.cut(ENGINE_HASH) == whole.cut(ENGINE_HASH)
