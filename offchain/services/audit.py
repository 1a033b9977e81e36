"""The audit: replay what was posted, derive everything again, compare with the chain.

It is a pure function of `ChainFacts`: no database, no operator, no clock. Each check has a name and
a verdict; a failed one names the batch and the field.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from offchain.core.units import AccountId
from offchain.engine import machine
from offchain.engine.messages import (
    Adopt,
    CancelOrder,
    Convert,
    FundingTick,
    Genesis,
    Liquidate,
    PlaceOrder,
    PriceReport,
    SetMode,
    SettleExpiry,
    Withdraw,
)
from offchain.engine.reasons import Rejected
from offchain.ledger.batch import Batch
from offchain.ledger.errors import ConservationError, LedgerError
from offchain.ledger.header import DATA_KIND_BLOBS, HEADER_TYPE, BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.ledger.outputs import Output
from offchain.ledger.signatures import recover
from offchain.ledger.totals import excesses, totals_of
from offchain.ledger.trace import Step
from offchain.ledger.trace_data import PostedStep, decode_posted, posted_records
from offchain.ledger.wire import Record
from offchain.services.audit_books import check_claims, check_inbox, check_reserves, check_vault
from offchain.services.audit_parameters import check_in_force, check_parameters
from offchain.services.audit_past import check_link, check_registry, check_reign, check_reverts
from offchain.services.audit_report import CHECKS, AuditReport, Verdicts
from offchain.services.chain_events import InsuranceMove, PostedBatch, RevertCause
from offchain.services.chain_facts import ChainFacts
from offchain.services.gateway import authorised, check_report, intent_digest
from offchain.services.replica import cut_as_posted

__all__ = ["CHECKS", "AuditReport", "audit"]

CHECK_OF_FIELD = {
    "traceRoot": "trace",
    "stepCount": "trace",
    "checkpointRoot": "checkpoint",
}
"""Fields of a header that another check than the replay answers for."""
SEEN_ELSEWHERE = frozenset({"daHash", "daLength", "daKind", "l1BlockNumber", "l1BlockHash"})
"""Fields that are held against the chain itself: they do not follow from the log."""
NOT_CHALLENGEABLE = frozenset({"completeness", "engine", "parameters", "sequencer"})
"""Checks that no judge decides: what they find explains no challenge."""
_INTENTS = (PlaceOrder, CancelOrder, Withdraw, SetMode, Convert)
_MOVES_PRICES = (PriceReport, FundingTick, SettleExpiry, Adopt)
Progress = Callable[[int, int], None]


def audit(facts: ChainFacts, engine_hash: bytes, progress: Progress | None = None) -> AuditReport:
    """Audit a deployment.

    Parameters
    ----------
    facts : ChainFacts
        Everything that the chain says.
    engine_hash : bytes
        Of the engine that runs here; another one cannot vouch for the batches.
    progress : callable, optional
        Called with (batches done, batches in all).
    """
    auditor = _Auditor(facts)
    says, found, head = auditor.says, len(facts.batches), facts.head
    ours, theirs = _show(engine_hash), _show(facts.engine_hash)
    says.expect("engine", ours == theirs, f"{theirs} is pinned, this is {ours}", "engineHash")
    says.expect("chain", found == head, f"{head} are committed, {found} found", "batchNo")
    check_reverts(facts, says)
    check_registry(facts, says)
    for done, posted in enumerate(facts.batches, start=1):
        auditor.judge_dropped(done)
        if not auditor.replay_batch(done, posted):
            says.give_up()
            break
        if progress:
            progress(done, len(facts.batches))
    else:
        auditor.judge_dropped(found + 1)
        auditor.compare_books()
    return AuditReport(
        says.by_name,
        found,
        auditor.journal.state.last_seq,
        auditor.journal.prev_state_root,
    )


class _Auditor:
    def __init__(self, facts: ChainFacts, journal: Journal | None = None) -> None:
        self.facts = facts
        self.journal = journal or Journal()
        self.says = Verdicts()
        self.expect = self.says.expect
        self.outputs: dict[int, Output] = {}
        self.final_outputs: dict[int, Output] = {}
        self.steps: set[tuple[bytes, int]] = set()
        self._due = False
        self._stepped: set[int] = set()
        self._prev = ZERO32

    def judge_dropped(self, number: int) -> None:
        """Replay what stood under a number before it was reverted for a fault: there must be one.

        Only what followed the batch that stands before it can be judged: the others went with
        their predecessor.
        """
        self.says.batch = number
        for revert in self.facts.reverts:
            dropped, is_here = revert.batch, revert.first == number
            if not is_here or dropped is None or revert.cause is not RevertCause.CHALLENGE:
                continue
            if dropped.header.prev_batch_hash == self._prev:
                problem = "dropped for a fault, and the replay finds none"
                name = revert.cause.name
                self.expect("disputes", self._is_faulty(number, dropped), problem, name)

    def _is_faulty(self, number: int, dropped: PostedBatch) -> bool:
        """Audit a dropped batch beside the chain, on a copy of the state before it."""
        journal = Journal.restore(self.journal.snapshot()) if number > 1 else Journal()
        aside = _Auditor(replace(self.facts, finalised=0), journal)
        aside._prev = self._prev
        aside.replay_batch(number, dropped)
        by_name = aside.says.by_name
        return any(by_name[name].findings for name in CHECKS.keys() - NOT_CHALLENGEABLE)

    def replay_batch(self, number: int, posted: PostedBatch) -> bool:
        """Check and replay one batch; False when the next one cannot be judged any more."""
        self.says.batch = number
        check_link(self.facts, self.says, posted, self._prev)
        check_reign(self.facts, self.says, posted)
        check_in_force(self.facts, self.says, posted)
        self._prev = posted.batch_hash
        header, data = posted.header, posted.data
        self._check_data(posted)
        before = self.journal.open.previous
        try:
            steps = decode_posted(data, header.step_count, before)
            for record in posted_records(header, data):
                if not self._replay_record(record):
                    return False
            batch = cut_as_posted(self.journal, self.facts.engine_hash, header)
        except ConservationError as fault:
            return self.expect("conservation", holds=False, problem=str(fault))
        except LedgerError as fault:
            problem = f"the log does not replay: {fault}"
            return self.expect("data", holds=False, problem=problem)
        except (ArithmeticError, AssertionError, LookupError, ValueError) as bug:
            # A log that stops the engine is a finding: it must not stop the auditor as well.
            problem = f"the engine stops after record {self.journal.state.last_seq}: {bug!r}"
            return self.expect("replay", holds=False, problem=problem)
        self._compare_traces(steps, batch)
        self._compare_headers(header, batch.header)
        self._check_due(at_end=True)
        self._check_liquidations(batch)
        self._check_movements(number, batch)
        return batch.header == header

    def _check_data(self, posted: PostedBatch) -> None:
        header = posted.header
        is_elsewhere = header.da_kind == DATA_KIND_BLOBS and posted.blob_hash == ZERO32
        name = "daKind" if is_elsewhere else "daHash"
        same = posted.data_hash == header.da_hash
        self.expect("data", same, "the data has another hash", name)
        same = len(posted.data) == header.da_length
        self.expect("data", same, "another length", "daLength")

    def _compare_traces(self, posted: Sequence[PostedStep], batch: Batch) -> None:
        """Compare every posted step with the one that follows from its record."""
        first = self.journal.state.last_seq - len(batch.steps) + 1
        rows = zip(posted, batch.steps, batch.words, strict=True)
        for seq, (theirs, step, words) in enumerate(rows, start=first):
            self.expect("trace", theirs.words == words, f"record {seq} has other effects")
            names = [name for name in Step.__slots__ if name != "effects_hash"]
            other = [n for n in names if getattr(theirs.step, n) != getattr(step, n)]
            self.expect("trace", not other, f"record {seq}: other {', '.join(other)}")

    def _replay_record(self, record: Record) -> bool:
        command, where = record.command, f"record {record.seq}"
        self._check_signatures(record)
        if not isinstance(command, Liquidate):
            self._check_due()
        outcome = self.journal.apply(record)
        if isinstance(outcome, Rejected):
            check = "liquidations" if isinstance(command, Liquidate) else "replay"
            return self.expect(check, holds=False, problem=f"{where} is refused: {outcome}")
        if isinstance(command, Genesis | Adopt):
            check_parameters(self.facts, self.says, self.journal)
        if isinstance(command, _MOVES_PRICES):
            self._due = True
            self._stepped.clear()
        elif isinstance(command, Liquidate):
            self._stepped.add(command.account)
        totals = totals_of(self.journal.state)
        self.expect(
            "conservation",
            not any(excesses(totals)),
            f"{where} breaks SOL-1",
        )
        return True

    def _check_signatures(self, record: Record) -> None:
        command, where = record.command, f"record {record.seq}"
        state = self.journal.state
        if isinstance(command, PriceReport):
            rules = self.facts.hub_rules
            signers = [f"0x{address.hex()}" for address in rules.signers]
            refused = check_report(self.facts.hub, signers, command)
            self.expect("oracle", refused is None, f"{where}: {refused}")
            enough = len(command.observations) >= rules.quorum
            self.expect("oracle", enough, f"{where}: {len(command.observations)} observations")
        elif isinstance(command, _INTENTS):
            try:
                signer = recover(intent_digest(self.facts.settlement, command), command.signature)
            except LedgerError as fault:
                self.expect("intents", holds=False, problem=f"{where}: {fault}")
                return
            holds = authorised(state, command, signer, record.time_ns)
            self.expect("intents", holds, f"{where} is signed by neither owner nor trading key")

    def _compare_headers(self, posted: BatchHeader, derived: BatchHeader) -> None:
        names = [name for name, _ in HEADER_TYPE.members]
        for name, ours, theirs in zip(names, derived.values(), posted.values(), strict=True):
            if name in SEEN_ELSEWHERE:
                continue
            problem = f"posted {_show(theirs)}, derived {_show(ours)}"
            self.expect(CHECK_OF_FIELD.get(name, "replay"), ours == theirs, problem, name)

    def _check_due(self, *, at_end: bool = False) -> None:
        """After prices moved, and before anything else: nobody who could be stepped was left.

        One step for each price is due: a partial one may leave an account below its trigger.
        """
        state = self.journal.state
        if not self._due or state.parameters is None:
            return
        self._due = False
        for account in machine.below_trigger(state):
            if account in self._stepped:
                continue
            command = Liquidate(AccountId(account))
            step = machine.decide(state, command, state.last_seq + 1, state.time_ns)
            place = "at the end" if at_end else f"at record {state.last_seq + 1}"
            self.expect(
                "completeness",
                isinstance(step, Rejected),
                f"account {account} is below its trigger {place}",
            )
        self.says.by_name["completeness"].compared += 1

    def _check_liquidations(self, batch: Batch) -> None:
        number, of_batch = batch.header.batch_no, batch.hash
        for index, witness in enumerate(batch.witnesses):
            account = witness.instruction.account
            self.steps.add((of_batch, index))
            try:
                balance, due = witness.check(batch.header, batch.terms, batch.curves_hash)
            except LedgerError as fault:
                problem = f"liquidation {index} of account {account}: {fault}"
                self.expect("liquidations", holds=False, problem=problem, name="liquidationRoot")
                continue
            cited = witness.epoch.report_hash in self.facts.reports
            on_chain = self.facts.verified.get((of_batch, index))
            if number <= self.facts.finalised:
                self.expect("liquidations", on_chain is not None, f"liquidation {index} unverified")
                self.expect("oracle", cited, f"liquidation {index} cites an unaccepted report")
            if on_chain is not None:
                ours = (account, witness.instruction.tier, balance)
                theirs = (on_chain.account, on_chain.tier, on_chain.margin_balance_e6)
                self.expect("liquidations", ours == theirs, f"liquidation {index} differs on chain")
                self.expect(
                    "liquidations",
                    on_chain.maintenance_e6 <= due,
                    f"liquidation {index}: the contract found a larger requirement",
                )

    def _check_movements(self, number: int, batch: Batch) -> None:
        """Remember outputs, and compare the fund's movements of a final batch."""
        for output in batch.outputs:
            self.outputs[output.id] = output
        if number > self.facts.finalised:
            return
        self.final_outputs |= {output.id: output for output in batch.outputs}
        same = self.facts.totals.get(number) == batch.totals
        self.expect("insurance", same, "other totals were made final", "totalsHash")
        before = self.facts.totals.get(number - 1)
        now = batch.totals
        derived = InsuranceMove(
            now.insurance_e6,
            now.contributed_e6 - (before.contributed_e6 if before else 0),
            now.drawn_e6 - (before.drawn_e6 if before else 0),
            now.shortfall_e6 - (before.shortfall_e6 if before else 0),
        )
        moved = self.facts.insurance.get(number)
        self.expect("insurance", moved == derived, f"on chain {moved}, derived {derived}")

    def compare_books(self) -> None:
        """Compare inbox, payments and reserves with the state after the last batch."""
        facts, says, journal = self.facts, self.says, self.journal
        says.batch = 0
        check_inbox(facts, says, journal.state.inbox_cursor)
        dropped = {batch_hash for revert in facts.reverts for batch_hash in revert.hashes}
        dropped -= {posted.batch_hash for posted in facts.batches}  # committed again as it was
        strays = [key for key in facts.verified.keys() - self.steps if key[0] not in dropped]
        says.expect("liquidations", not strays, f"verified, and in no batch: {len(strays)}")
        final = set(range(1, facts.finalised + 1))
        same = final == facts.totals.keys() == facts.insurance.keys()
        says.expect("insurance", same, "other batches moved the fund than those that are final")
        self._check_final_checkpoint()
        paid = check_claims(facts, says, self.final_outputs)
        unpaid = {id_: output for id_, output in self.outputs.items() if id_ not in paid}
        check_vault(facts, says, journal)
        check_reserves(facts, says, journal, unpaid)

    def _check_final_checkpoint(self) -> None:
        """Check that the chain holds the checkpoint of the last final batch that has one."""
        final = self.facts.batches[: self.facts.finalised]
        held = [(p.header.batch_no, p.header.checkpoint_root) for p in final]
        with_one = [found for found in held if found[1] != ZERO32]
        last = with_one[-1] if with_one else (0, ZERO32)
        problem = f"the chain holds that of batch {self.facts.checkpoint[0]}, not of {last[0]}"
        self.expect("checkpoint", self.facts.checkpoint == last, problem)


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
