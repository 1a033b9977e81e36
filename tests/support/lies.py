"""What a dishonest sequencer may commit: each function tells a lie that it takes a replay to find.

What a contract refuses at once is in `refused_lies`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from offchain.core.addons import Charge
from offchain.core.collateral import CreditCurve
from offchain.core.margin import Mode
from offchain.core.units import ONE_E6, AccountId, InstrumentId, Lots, PriceE8, RatioE6, UsdE6
from offchain.engine.events import Leg, LiquidationOrdered, Tier
from offchain.engine.messages import (
    Convert,
    Deposit,
    FundingTick,
    Liquidate,
    PlaceOrder,
    SetMode,
    TimeInForce,
    Withdraw,
)
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.columns import Columns
from offchain.ledger.header import BatchHeader
from offchain.ledger.keccak import keccak256
from offchain.ledger.merkle import list_root
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.totals import totals_hash
from offchain.ledger.trace import NO_EFFECTS
from offchain.ledger.wire import Record, chain, encode_record
from offchain.services.errors import TransactionReverted
from offchain.services.gateway import intent_digest
from tests.support.audited import BOB, BTC_PERP, CAROL, DAVE
from tests.support.devnet import KEEPER, signer
from tests.support.dishonest import DishonestSequencer, with_trace

MALLORY = signer("mallory")
STOLEN_E6 = 1_000_000_000
Lie = Callable[[DishonestSequencer], object]


def refusal(call: Callable[[], object]) -> str:
    """Return the name of the error with which a contract refuses a call."""
    with pytest.raises(TransactionReverted) as caught:
        call()
    return caught.value.name


def commit(liar: DishonestSequencer, **fields: object) -> BatchHeader:
    """Cut and commit the open batch, with some header fields replaced."""
    batch = liar.cut()
    header = replace(batch.header, **fields)  # type: ignore[arg-type]  # fields of the header
    liar.commit(header, batch.data)
    return header


def lower_a_price(liar: DishonestSequencer) -> None:
    report = liar.venue.report(84_000)
    lower = [
        replace(seen, values=(seen.values[0] * 97 // 100, *seen.values[1:]))
        for seen in report.observations
    ]
    liar.log(replace(report, observations=tuple(lower)))
    commit(liar)


def leave_out_signatures(liar: DishonestSequencer) -> None:
    report = liar.venue.report(84_000)
    first, *rest = report.observations
    forged = replace(first, signature=MALLORY.sign(bytes(32)))
    liar.log(replace(report, observations=(forged, *rest)))
    commit(liar)


def liquidate_a_healthy_account(liar: DishonestSequencer) -> None:
    liar.log(FundingTick())
    last, tip, frames = (
        liar.journal.state.last_seq,
        liar.journal.tip,
        list(liar.journal.open.frames),
    )
    record = Record(last + 1, liar.venue.now, 1, Liquidate(liar.venue.account(DAVE)))
    batch, frame = liar.cut(), encode_record(record)
    before, tip = batch.steps[-1], chain(batch.header.input_log_hash, frame)
    step = replace(
        before,
        frame_hash=keccak256(frame),
        effects_hash=NO_EFFECTS,
        tip=tip,
        data_end=before.data_end + len(frame),
    )
    steps, words = (*batch.steps, step), (*batch.words, b"")
    header, data = with_trace(batch, [*frames, frame], steps, words)
    liar.commit(replace(header, input_log_hash=tip), data)


def enrich_an_account(liar: DishonestSequencer) -> BatchHeader:
    liar.log(FundingTick())
    accounts, rich, poor = liar.journal.state.accounts, *map(liar.venue.account, (DAVE, BOB))
    accounts.cash[rich] += STOLEN_E6
    accounts.cash[poor] -= STOLEN_E6
    accounts.dirty.update((rich, poor))
    batch = liar.cut()
    liar.commit(batch.header, batch.data)
    liar.finalise(batch.header, batch.totals, batch.checkpoint)  # the attestors are in it
    return batch.header


def skip_a_deposit(liar: DishonestSequencer) -> None:
    count = pay_in(liar)
    liar.log(FundingTick())
    commit(liar, inbox_to=count, inbox_prefix_hash=liar.chain.inbox_prefix(count))


def pay_in(liar: DishonestSequencer) -> int:
    """Let Mallory pay in, and return how many entries the inbox has then."""
    amount, payer = ONE_E6, MALLORY
    liar.chain.give_gas(payer.address, 10**18)
    liar.chain.mint(payer, 0, payer.address, amount)
    liar.chain.approve(payer, 0, amount)
    liar.chain.deposit(payer, 0, amount, payer.address)
    return liar.chain.inbox_count()


def take_in(liar: DishonestSequencer) -> None:
    """Log what the inbox got last, as it was made."""
    last = liar.chain.inbox_entries(0, liar.chain.block_number())[-1]
    liar.log(Deposit(last.index, last.time_s, last.owner, last.subaccount, last.place, last.amount))


def change_a_risk_cell(liar: DishonestSequencer) -> None:
    liar.log(liar.venue.report(84_000))
    journal = liar.journal
    losses = journal.state.market.prices.losses_e6.copy()
    losses[BTC_PERP, 7] += 1
    commit_columns(liar, losses, market_charges(liar), journal.state.market.curves)


def market_charges(liar: DishonestSequencer) -> NDArray[np.int64]:
    """Return a copy of the charges in force."""
    return liar.journal.state.market.charges_in_force.copy()


def commit_columns(
    liar: DishonestSequencer,
    losses: NDArray[np.int32],
    charges: NDArray[np.int64],
    credits_e8: Sequence[CreditCurve],
) -> None:
    """Commit an epoch with these columns, and the values in force."""
    journal = liar.journal
    market, slots = journal.state.market, journal._slots()
    values, funding = market.net_lot_values(), market.funding_e6
    journal.columns = Columns.of_arrays(values, funding, losses, charges, credits_e8, slots)
    journal.open.epochs[-1] = journal.epoch_now()
    commit(liar)


def change_a_charge(liar: DishonestSequencer) -> None:
    liar.log(liar.venue.report(84_000))
    market, charges = liar.journal.state.market, market_charges(liar)
    charges[BTC_PERP, Charge.LONG] += 1
    commit_columns(liar, market.prices.losses_e6, charges, market.curves)


def credit_too_much(liar: DishonestSequencer) -> None:
    """Credit the second asset with more than its price after the haircut."""
    liar.log(liar.venue.report(84_000))
    market = liar.journal.state.market
    first, ((upto, price), *rest) = market.curves
    credits_e8 = (first, ((upto, price + 1), *rest))
    commit_columns(liar, market.prices.losses_e6, market_charges(liar), credits_e8)


def forget_a_haircut(liar: DishonestSequencer) -> None:
    """Go on from a state in which the haircut is none."""
    liar.log(liar.venue.report(84_000))
    market = liar.journal.state.market
    first, second = market.haircuts
    market.haircuts = (first, replace(second, haircut_e6=RatioE6(1)))
    commit(liar)


def claim_confidence(liar: DishonestSequencer) -> None:
    liar.log(liar.venue.report(84_000))
    market = liar.journal.state.market
    market.confidences_e6 = (RatioE6(market.confidences_e6[0] - 1), market.confidences_e6[1])
    commit(liar)


def invent_a_funding_rate(liar: DishonestSequencer) -> None:
    liar.log(liar.venue.report(84_000))
    market = liar.journal.state.market
    market.funding_rates_e8 = (market.funding_rates_e8[0] + 1, market.funding_rates_e8[1])
    commit(liar)


def change_a_mode_unasked(liar: DishonestSequencer) -> None:
    liar.log(FundingTick())
    liar.journal.state.accounts.set_mode(liar.venue.account(DAVE), Mode.CROSS)
    commit(liar)


def mode_for_another(liar: DishonestSequencer) -> None:
    expires = liar.venue.now + 10**10
    bare = SetMode(liar.venue.account(CAROL), 1, 999, expires, b"")  # type: ignore[arg-type]
    digest = intent_digest(liar.venue.gateway.domain, bare)
    liar.log(replace(bare, signature=MALLORY.sign(digest)))
    commit(liar)


def convert_for_another(liar: DishonestSequencer) -> None:
    expires, account = liar.venue.now + 10**10, liar.venue.account(BOB)
    bare = Convert(account, 2, 10**8, UsdE6(0), 999, expires, b"")  # type: ignore[arg-type]
    digest = intent_digest(liar.venue.gateway.domain, bare)
    liar.log(replace(bare, signature=MALLORY.sign(digest)))
    commit(liar)


def lie_about_a_collateral(liar: DishonestSequencer) -> None:
    """Make a unit of one asset a unit of another; their number is still what it was."""
    liar.log(FundingTick())
    batch = liar.cut()
    first, second = batch.totals.collateral_e8
    other = replace(batch.totals, collateral_e8=(first + 1, second - 1))
    header = replace(batch.header, totals_hash=totals_hash(other))
    liar.commit(header, batch.data)
    assert refusal(lambda: liar.finalise(header, other, batch.checkpoint)) == "NotConserved"


def leave_out_a_record(liar: DishonestSequencer) -> None:
    liar.log(liar.venue.report(84_000))
    liar.log(FundingTick())
    frames = tuple(liar.journal.open.frames)
    batch = liar.cut()
    second = replace(batch.steps[1], data_end=len(frames[1]))
    header, data = with_trace(batch, frames[1:], [second], batch.words[1:])
    liar.commit(header, data)


def order_for_another(liar: DishonestSequencer) -> None:
    order = PlaceOrder(
        liar.venue.account(BOB),
        InstrumentId(BTC_PERP),
        Lots(-10),
        PriceE8(90_000 * 10**8),
        TimeInForce.GOOD_TILL_CANCELLED,
        False,
        999,
        liar.venue.now + 10**12,  # type: ignore[arg-type]  # nanoseconds
        b"",
    )
    digest = intent_digest(liar.venue.gateway.domain, order)
    liar.log(replace(order, signature=MALLORY.sign(digest)))
    commit(liar)


def withdraw_for_another(liar: DishonestSequencer) -> None:
    expires = liar.venue.now + 10**10
    bare = Withdraw(liar.venue.account(BOB), 0, 5, 999, expires, b"")  # type: ignore[arg-type]
    digest = intent_digest(liar.venue.gateway.domain, bare)
    liar.log(replace(bare, signature=MALLORY.sign(digest)))
    commit(liar)


def spare_an_account(liar: DishonestSequencer) -> None:
    liar.price(46_000)
    liar.log(FundingTick())
    commit(liar)


def invent_a_payment(liar: DishonestSequencer) -> None:
    """Pay a stranger out of the vault, with totals that add up and attestors who collude."""
    liar.log(FundingTick())
    batch = liar.cut()
    next_id = liar.journal.state.next_output_id
    output = Output(next_id, liar.venue.account(DAVE), MALLORY.address, 0, STOLEN_E6)
    was = batch.totals
    totals = replace(
        was,
        net_cash_e6=was.net_cash_e6 - STOLEN_E6,
        withdrawn_cash=was.withdrawn_cash + STOLEN_E6,
    )
    sums = batch.checkpoint.sums
    poorer = replace(sums, equity_e6=sums.equity_e6 - STOLEN_E6)
    checkpoint = replace(batch.checkpoint, sums=poorer)
    header = replace(
        batch.header,
        output_root=list_root([output_hash(output)]),
        totals_hash=totals_hash(totals),
        checkpoint_root=checkpoint.hash,
    )
    liar.commit(header, batch.data)
    liar.finalise(header, totals, checkpoint)
    liar.chain.claim(KEEPER, header, output, 0, ())
    assert liar.chain.token_balance(0, MALLORY.address) == STOLEN_E6, "the contracts are deceived"


def order_a_liquidation(liar: DishonestSequencer) -> BatchHeader:
    """Put an instruction for a healthy account under the root, without a record."""
    liar.log(FundingTick())
    journal = liar.journal
    legs = (Leg(InstrumentId(BTC_PERP), Lots(-100), PriceE8(1)),)
    said = UsdE6(0), UsdE6(1), RatioE6(0)
    account = AccountId(liar.venue.account(DAVE))
    order = LiquidationOrdered(account, Tier.PARTIAL, legs, *said)
    journal.open.captures.append(journal._capture(order, journal.state.last_seq))
    batch = liar.cut()
    liar.commit(batch.header, batch.data)
    witness = batch.witnesses[0]
    verify = liar.chain.verify_liquidation
    assert refusal(lambda: verify(KEEPER, batch.header, witness)) == "NotLiquidatable"
    finalise = liar.finalise
    totals, checkpoint = batch.totals, batch.checkpoint
    assert refusal(lambda: finalise(batch.header, totals, checkpoint)) == "UnverifiedLiquidations"
    return batch.header


def hide_an_effect(liar: DishonestSequencer) -> None:
    """Post a trace in which the last record did nothing."""
    liar.log(FundingTick())
    pay_in(liar)
    take_in(liar)
    frames, batch = liar.journal.open.frames, liar.cut()
    last = replace(batch.steps[-1], effects_hash=NO_EFFECTS)
    words = (*batch.words[:-1], b"")
    liar.commit(*with_trace(batch, frames, (*batch.steps[:-1], last), words))


def owe_somebody_more(liar: DishonestSequencer) -> None:
    """Move what one account is owed to another, so that the sums are still those of the book."""
    liar.log(FundingTick())
    accounts, rich, poor = liar.journal.state.accounts, *map(liar.venue.account, (DAVE, BOB))
    accounts.cash[rich] += STOLEN_E6
    accounts.cash[poor] -= STOLEN_E6
    false = Checkpoint(liar.journal.state).root
    accounts.cash[rich] -= STOLEN_E6
    accounts.cash[poor] += STOLEN_E6
    commit(liar, checkpoint_root=false.hash)


def lie_about_totals(liar: DishonestSequencer) -> None:
    liar.log(FundingTick())
    batch = liar.cut()
    richer = replace(batch.totals, net_cash_e6=batch.totals.net_cash_e6 + 1)
    header = replace(batch.header, totals_hash=totals_hash(richer))
    liar.commit(header, batch.data)
    owed = batch.checkpoint
    assert refusal(lambda: liar.finalise(header, batch.totals, owed)) == "WrongTotals"
    assert refusal(lambda: liar.finalise(header, richer, owed)) == "NotConserved"


def liquidate_on_a_forged_price(liar: DishonestSequencer) -> None:
    """Nobody signed this price, so the hub never accepts it and no keeper can verify the step."""
    report = liar.venue.report(84_000)
    for _ in range(2):  # a step so wide takes effect when the second confirms it
        liar.later(60)
        report = liar.venue.report(84_000)
        lower = [
            replace(s, values=tuple(v if v < 10**8 else v * 55 // 100 for v in s.values))
            for s in report.observations
        ]
        liar.log(replace(report, observations=tuple(lower)))
    liar.log(Liquidate(liar.venue.account(DAVE)))
    batch = liar.cut()
    liar.commit(batch.header, batch.data)
    verify = liar.chain.verify_liquidation
    witness = batch.witnesses[0]
    assert refusal(lambda: verify(KEEPER, batch.header, witness)) == "ReportNotAccepted"
