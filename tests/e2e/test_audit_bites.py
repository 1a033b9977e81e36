"""A sequencer that lies on a real chain: the contract refuses it, or ``plimsoll audit`` names it.

Every liar holds the sequencer's key and goes on from the same honest past; the chain is put back
after each of them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from offchain.engine.messages import Liquidate
from offchain.ledger.keccak import ZERO32, keccak256
from tests.support.audited import BATCHES, DAVE, story
from tests.support.command_line import Ran, plimsoll, started
from tests.support.devnet import ENGINE_HASH, Devnet
from tests.support.dishonest import DishonestSequencer
from tests.support.lies import (
    Lie,
    change_a_charge,
    change_a_mode_unasked,
    change_a_risk_cell,
    claim_confidence,
    convert_for_another,
    credit_too_much,
    enrich_an_account,
    forget_a_haircut,
    hide_an_effect,
    invent_a_funding_rate,
    invent_a_payment,
    leave_out_a_record,
    leave_out_signatures,
    lie_about_a_collateral,
    lie_about_totals,
    liquidate_a_healthy_account,
    liquidate_on_a_forged_price,
    lower_a_price,
    mode_for_another,
    order_a_liquidation,
    order_for_another,
    owe_somebody_more,
    refusal,
    skip_a_deposit,
    spare_an_account,
    withdraw_for_another,
)
from tests.support.refused_lies import (
    claim_again,
    finalise_before_the_window_ends,
    finalise_without_attestors,
    leave_a_gap_in_the_inbox,
    post_other_data,
    report_to_the_hub_unsigned,
    skip_and_invent_the_prefix,
    with_fields,
    without_a_checkpoint,
)

NEXT = BATCHES + 1


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    with story(tmp_path_factory.mktemp("venue")) as told:
        yield told


@pytest.fixture
def liar(venue: Devnet) -> Iterator[DishonestSequencer]:
    saved = venue.chain.node.request("evm_snapshot")
    sequencer = DishonestSequencer(venue)
    try:
        yield sequencer
    finally:
        sequencer.stop()
        assert venue.chain.node.request("evm_revert", saved)


def words(venue: Devnet) -> tuple[str, ...]:
    settlement = venue.deployment.addresses["Settlement"]
    return ("audit", "--rpc", venue.anvil.url, "--settlement", settlement)


def findings(ran: Ran) -> list[dict[str, Any]]:
    """Return the findings of an audit in JSON, each with its check."""
    (line,) = ran.out.splitlines()
    said = json.loads(line)
    return [{"check": c["check"], **f} for c in said["checks"] for f in c["findings"]]


# Honest


def test_an_honest_venue_is_audited_by_a_process_that_knows_two_words(venue: Devnet) -> None:
    ran = started(*words(venue))
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert sum(line.startswith("PASS ") for line in lines) == 19
    assert not any(line.startswith(("FAIL", "NOT")) for line in lines)
    assert lines[-1].startswith(f"AUDIT PASS: {BATCHES} batches, ")


def test_an_honest_audit_is_one_json_object(venue: Devnet) -> None:
    ran = plimsoll(*words(venue), "--json")
    assert (ran.code, ran.err) == (0, "")
    said = json.loads(ran.out)
    assert len(ran.out.splitlines()) == 1
    assert said["audit"] == "PASS"
    assert said["batches"] == BATCHES
    assert {check["verdict"] for check in said["checks"]} == {"PASS"}
    assert said["state_root"] == f"0x{venue.sequencer.journal.state_root().hex()}"


def test_an_honest_batch_that_is_not_final_passes_as_well(liar: DishonestSequencer) -> None:
    liar.price(46_000)
    liar.log(Liquidate(liar.venue.account(DAVE)))
    batch = liar.cut()
    liar.commit(batch.header, batch.data)
    assert plimsoll(*words(liar.venue)).code == 0


def test_a_checkpoint_may_be_left_out_where_nothing_came_in_or_went_out(
    liar: DishonestSequencer,
) -> None:
    liar.price(110_000)
    anchor = liar.chain.anchor(confirmations=1)
    without = liar.journal.cut(ENGINE_HASH, anchor, has_checkpoint=False)
    assert without.header.checkpoint_root == ZERO32
    liar.commit(without.header, without.data)
    liar.later(60)
    liar.price(110_000)
    following = liar.cut()
    liar.commit(following.header, following.data)
    ran = plimsoll(*words(liar.venue))
    assert ran.code == 0, ran.out
    assert ran.out.splitlines()[-1].startswith(f"AUDIT PASS: {NEXT + 1} batches, ")


# Lies that only a replay finds

LIES: dict[str, tuple[Lie, str, str]] = {
    "a wrong price": (lower_a_price, "oracle", ""),
    "a report without its signatures": (leave_out_signatures, "oracle", ""),
    "a healthy account liquidated": (liquidate_a_healthy_account, "liquidations", ""),
    "an instruction without a record": (order_a_liquidation, "replay", "liquidationRoot"),
    "a liquidation on a forged price": (liquidate_on_a_forged_price, "oracle", ""),
    "an altered leaf": (enrich_an_account, "replay", "stateRoot"),
    "a skipped deposit": (skip_a_deposit, "replay", "inboxTo"),
    "a wrong risk cell": (change_a_risk_cell, "replay", "riskRoot"),
    "a missing record": (leave_out_a_record, "data", ""),
    "an order that its owner did not sign": (order_for_another, "intents", ""),
    "a withdrawal that its owner did not sign": (withdraw_for_another, "intents", ""),
    "an account spared while trading goes on": (spare_an_account, "completeness", ""),
    "an invented payment": (invent_a_payment, "replay", "outputRoot"),
    "a trace that hides an effect": (hide_an_effect, "trace", "traceRoot"),
    "an account owed more than it has": (owe_somebody_more, "checkpoint", "checkpointRoot"),
    "wrong totals": (lie_about_totals, "replay", "totalsHash"),
    "wrong totals of one asset": (lie_about_a_collateral, "replay", "totalsHash"),
    "a wrong charge": (change_a_charge, "replay", "epochRoot"),
    "a wrong credit for collateral": (credit_too_much, "replay", "epochRoot"),
    "a haircut forgotten": (forget_a_haircut, "replay", "stateRoot"),
    "a confidence made up": (claim_confidence, "replay", "stateRoot"),
    "a funding rate made up": (invent_a_funding_rate, "replay", "stateRoot"),
    "a mode changed without an intent": (change_a_mode_unasked, "replay", "stateRoot"),
    "a mode that its owner did not sign": (mode_for_another, "intents", ""),
    "a conversion that its owner did not sign": (convert_for_another, "intents", ""),
}


@pytest.mark.parametrize("lie", LIES)
def test_the_audit_names_check_batch_and_field_of(liar: DishonestSequencer, lie: str) -> None:
    tell_it, check, field = LIES[lie]
    tell_it(liar)
    ran = plimsoll(*words(liar.venue), "--json")
    assert (ran.code, ran.err) == (6, "")
    found = findings(ran)
    assert {f["batch"] for f in found} == {NEXT}
    assert (check, field) in {(f["check"], f["field"]) for f in found}

    printed = plimsoll(*words(liar.venue))
    assert printed.code == 6
    lines = printed.out.splitlines()
    assert lines[-1].startswith("AUDIT FAIL: ")
    assert any(line.startswith(f"FAIL {check} ") for line in lines)
    wanted = f"batch {NEXT}, field {field}: " if field else f"batch {NEXT}: "
    assert any(line.strip().startswith(wanted) for line in lines)


# Lies that the contract refuses

REFUSED: dict[str, tuple[Lie, str]] = {
    "data of another hash": (post_other_data, "WrongDataHash"),
    "a skipped deposit with an invented prefix": (skip_and_invent_the_prefix, "WrongInboxPrefix"),
    "a gap in the inbox": (leave_a_gap_in_the_inbox, "WrongInboxCursor"),
    "another engine": (with_fields(engine_hash=keccak256(b"engine")), "WrongEngine"),
    "other parameters": (with_fields(params_hash=keccak256(b"set")), "WrongParameters"),
    "another past": (with_fields(prev_state_root=keccak256(b"root")), "WrongPreviousState"),
    "another batch before it": (with_fields(prev_batch_hash=bytes(32)), "WrongPreviousBatch"),
    "a batch left out": (with_fields(batch_no=NEXT + 1), "WrongBatchNumber"),
    "a field of a later schema": (with_fields(adl_root=keccak256(b"adl")), "ReservedFieldSet"),
    "another epoch": (with_fields(sequencer_epoch=2), "WrongEpoch"),
    "a block of another chain": (with_fields(l1_block_hash=keccak256(b"block")), "WrongAnchor"),
    "no checkpoint": (without_a_checkpoint, "CheckpointMissing"),
    "no records": (with_fields(step_count=0), "StepCountOutOfRange"),
    "a time before the last batch": (with_fields(time_start_ns=1), "WrongTimes"),
    "a second payment": (claim_again, "AlreadyClaimed"),
    "no attestor": (finalise_without_attestors, "InvalidProof"),
    "no window": (finalise_before_the_window_ends, "WindowOpen"),
    "a report of strangers": (report_to_the_hub_unsigned, "UnknownSigner"),
}


@pytest.mark.parametrize("lie", REFUSED)
def test_the_contracts_refuse(liar: DishonestSequencer, lie: str) -> None:
    tell_it, error = REFUSED[lie]
    assert refusal(lambda: tell_it(liar)) == error
    assert plimsoll(*words(liar.venue)).code == 0, "what is refused leaves no trace"


def test_an_auditor_with_another_engine_cannot_vouch(
    venue: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = keccak256(b"an engine of another day")
    monkeypatch.setattr("offchain.app.audit_command.engine_hash", lambda: ours)
    ran = plimsoll(*words(venue), "--json")
    assert ran.code == 6
    (found,) = findings(ran)
    assert (found["check"], found["field"]) == ("engine", "engineHash")
    assert f"this is 0x{ours.hex()}" in found["problem"]
