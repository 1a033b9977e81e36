"""The audit: replay what was posted, derive everything again, compare with the chain.

It is a pure function of `ChainFacts`: no database, no operator, no clock. Each check has a name and
a verdict; a failed one names the batch and the field.
"""

from collections.abc import Callable, Iterator
from itertools import zip_longest

from offchain.core.units import AccountId
from offchain.engine import machine
from offchain.engine.messages import (
    CancelOrder,
    Convert,
    Deposit,
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
from offchain.ledger.document import document
from offchain.ledger.errors import ConservationError, LedgerError
from offchain.ledger.header import HEADER_TYPE, BatchHeader, batch_hash, header_digest
from offchain.ledger.inbox import KIND_DEPOSIT, entry_hash, prefix_hash
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.outputs import Output
from offchain.ledger.signatures import recover
from offchain.ledger.terms import curves_hash, params_hash, terms
from offchain.ledger.totals import excesses, totals_of
from offchain.ledger.wire import Record, decode_records
from offchain.services.audit_report import CHECKS, MAX_FINDINGS, AuditReport, Finding, Verdict
from offchain.services.chain_facts import ChainFacts, InsuranceMove, PostedBatch
from offchain.services.gateway import check_report, intent_digest

__all__ = ["CHECKS", "AuditReport", "audit"]

_INTENTS = (PlaceOrder, CancelOrder, Withdraw, SetMode, Convert)
_MOVES_PRICES = (PriceReport, FundingTick, SettleExpiry)
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
    ours, theirs = _show(engine_hash), _show(facts.engine_hash)
    auditor.expect("engine", ours == theirs, f"{theirs} is pinned, this is {ours}", "engineHash")
    found, head = len(facts.batches), facts.head
    auditor.expect("chain", found == head, f"{head} are committed, {found} found", "batchNo")
    for done, posted in enumerate(facts.batches, start=1):
        if not auditor.replay_batch(done, posted):
            auditor.give_up()
            break
        if progress:
            progress(done, len(facts.batches))
    else:
        auditor.compare_books()
    return AuditReport(
        auditor.verdicts,
        len(facts.batches),
        auditor.journal.state.last_seq,
        auditor.journal.prev_state_root,
    )


class _Auditor:
    def __init__(self, facts: ChainFacts) -> None:
        self.facts = facts
        self.journal = Journal()
        self.verdicts = {name: Verdict(name, meaning) for name, meaning in CHECKS.items()}
        self.outputs: dict[int, Output] = {}
        self.final_outputs: set[int] = set()
        self.steps: set[tuple[int, int]] = set()
        self.batch = 0
        self._due = False
        self._stepped: set[int] = set()
        self._prev = ZERO32

    def expect(self, check: str, holds: bool, problem: str, name: str = "") -> bool:
        """Count a comparison and keep a finding when it fails."""
        verdict = self.verdicts[check]
        verdict.compared += 1
        if not holds and len(verdict.findings) < MAX_FINDINGS:
            verdict.findings.append(Finding(problem, self.batch, name))
        return holds

    def give_up(self) -> None:
        """Mark what the replay no longer reached: a check without an answer is not a pass."""
        for name in CHECKS.keys() - {"engine", "parameters"}:
            self.verdicts[name].is_complete = False

    def replay_batch(self, number: int, posted: PostedBatch) -> bool:
        """Check and replay one batch; False when the next one cannot be judged any more."""
        self.batch = number
        self._check_header(number, posted)
        header, data = posted.header, posted.data
        self.expect(
            "data", keccak256(data) == header.da_hash, "the data has another hash", "daHash"
        )
        self.expect("data", len(data) == header.da_length, "another length", "daLength")
        try:
            for record in decode_records(data):
                if not self._replay_record(record):
                    return False
            batch = self.journal.cut(self.facts.engine_hash)
        except ConservationError as fault:
            return self.expect("conservation", holds=False, problem=str(fault))
        except LedgerError as fault:
            problem = f"the log does not replay: {fault}"
            return self.expect("data", holds=False, problem=problem)
        except (ArithmeticError, AssertionError, LookupError, ValueError) as bug:
            # A log that stops the engine is a finding: it must not stop the auditor as well.
            problem = f"the engine stops after record {self.journal.state.last_seq}: {bug!r}"
            return self.expect("replay", holds=False, problem=problem)
        self._compare_headers(header, batch.header)
        self._check_due(at_end=True)
        self._check_liquidations(batch)
        self._check_movements(number, batch)
        return batch.header == header

    def _check_header(self, number: int, posted: PostedBatch) -> None:
        header = posted.header
        self.expect("chain", header.batch_no == number, f"number {header.batch_no}", "batchNo")
        self.expect("chain", batch_hash(header) == posted.batch_hash, "another hash", "batchHash")
        self.expect(
            "chain", header.prev_batch_hash == self._prev, "another predecessor", "prevBatchHash"
        )
        self._prev = posted.batch_hash
        try:
            signer = recover(header_digest(self.facts.settlement, header), posted.signature)
        except LedgerError as fault:
            self.expect("chain", holds=False, problem=str(fault), name="signature")
        else:
            self.expect(
                "chain", signer == self.facts.sequencer, f"signed by 0x{signer.hex()}", "signature"
            )

    def _replay_record(self, record: Record) -> bool:
        command, where = record.command, f"record {record.seq}"
        self._check_signatures(record)
        if not isinstance(command, Liquidate):
            self._check_due()
        outcome = self.journal.apply(record)
        if isinstance(outcome, Rejected):
            check = "liquidations" if isinstance(command, Liquidate) else "replay"
            return self.expect(check, holds=False, problem=f"{where} is refused: {outcome}")
        if isinstance(command, Genesis):
            self._check_parameters(command)
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
            signers = [f"0x{address.hex()}" for address in self.facts.oracle_signers]
            refused = check_report(self.facts.hub, signers, command)
            self.expect("oracle", refused is None, f"{where}: {refused}")
            enough = len(command.observations) >= self.facts.quorum
            self.expect("oracle", enough, f"{where}: {len(command.observations)} observations")
        elif isinstance(command, _INTENTS):
            try:
                signer = recover(intent_digest(self.facts.settlement, command), command.signature)
            except LedgerError as fault:
                self.expect("intents", holds=False, problem=f"{where}: {fault}")
                return
            known = 0 <= command.account < state.accounts.count
            owner = state.accounts.owner[command.account] if known else b""
            self.expect("intents", signer == owner, f"{where} is not signed by its owner")

    def _check_parameters(self, command: Genesis) -> None:
        rules = command.parameters
        key = params_hash(rules)
        adopted = self.facts.parameters.get(key)
        if not self.expect(
            "parameters", adopted is not None, "the contracts never adopted this set", "paramsHash"
        ):
            return
        assert adopted is not None
        same = keccak256(document(rules)) == adopted.document_hash
        self.expect("parameters", same, "another document", "documentHash")
        self.expect("parameters", terms(rules) == adopted.terms, "other terms", "terms")
        same = curves_hash(rules) == adopted.curves_hash
        self.expect("parameters", same, "other tier curves", "curvesHash")
        listed, known = len(self.facts.booked) - 1, len(rules.collateral)
        # A deposit of an asset that the engine does not know would stop the inbox.
        problem = f"the vault lists {listed} collateral assets, the set {known}"
        self.expect("parameters", listed == known, problem, "assets")
        signers = tuple(bytes.fromhex(address[2:]) for address in rules.oracle.signers)
        self.expect("parameters", signers == self.facts.oracle_signers, "other signers", "oracle")
        self.expect(
            "parameters", rules.oracle.quorum == self.facts.quorum, "other quorum", "oracle"
        )

    def _compare_headers(self, posted: BatchHeader, derived: BatchHeader) -> None:
        names = [name for name, _ in HEADER_TYPE.members]
        for name, ours, theirs in zip(names, derived.values(), posted.values(), strict=True):
            problem = f"posted {_show(theirs)}, derived {_show(ours)}"
            self.expect("replay", ours == theirs, problem, name)

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
        self.verdicts["completeness"].compared += 1

    def _check_liquidations(self, batch: Batch) -> None:
        number = batch.header.batch_no
        for index, witness in enumerate(batch.witnesses):
            account = witness.instruction.account
            self.steps.add((number, index))
            try:
                balance, due = witness.check(batch.header, batch.terms, batch.curves_hash)
            except LedgerError as fault:
                problem = f"liquidation {index} of account {account}: {fault}"
                self.expect("liquidations", holds=False, problem=problem, name="liquidationRoot")
                continue
            cited = witness.epoch.report_hash in self.facts.reports
            on_chain = self.facts.verified.get((number, index))
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
        self.final_outputs |= {output.id for output in batch.outputs}
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
        self.batch = 0
        self._check_inbox()
        unknown = sorted(self.facts.verified.keys() - self.steps)
        self.expect("liquidations", not unknown, f"verified, and in no batch: {unknown[:3]}")
        final = set(range(1, self.facts.finalised + 1))
        same = final == self.facts.totals.keys() == self.facts.insurance.keys()
        self.expect("insurance", same, "other batches moved the fund than those that are final")
        paid: set[int] = set()
        for claim in self.facts.claims:
            output = self.outputs.get(claim.id)
            is_once = claim.id in self.final_outputs and claim.id not in paid
            self.expect("claims", is_once, f"output {claim.id} was not payable")
            same = output == Output(
                claim.id, AccountId(claim.account), claim.owner, claim.asset, claim.amount
            )
            self.expect("claims", same, f"output {claim.id} was paid differently")
            paid.add(claim.id)
        self._check_reserves(paid)

    def _check_inbox(self) -> None:
        consumed = self.journal.state.inbox_cursor
        deposits, prefix = self.facts.deposits, ZERO32
        self.expect("inbox", len(deposits) >= consumed, f"{consumed} consumed of {len(deposits)}")
        log = self._deposits_in_log()
        for index, entry in enumerate(deposits, start=1):
            made = (entry.owner, entry.subaccount, entry.asset, entry.amount)
            if index <= consumed:
                same = next(log, None) == made
                self.expect("inbox", same, f"entry {index} was consumed differently")
            prefix = prefix_hash(prefix, entry_hash(KIND_DEPOSIT, index, *made))
            same = (entry.index, entry.prefix) == (index, prefix)
            self.expect("inbox", same, f"entry {index} does not follow", "inboxPrefixHash")

    def _deposits_in_log(self) -> Iterator[tuple[bytes, int, int, int]]:
        for posted in self.facts.batches:
            for record in decode_records(posted.data):
                command = record.command
                if isinstance(command, Deposit):
                    yield command.owner, command.subaccount, command.asset, command.amount

    def _check_reserves(self, paid: set[int]) -> None:
        totals = totals_of(self.journal.state)
        consumed = self.journal.state.inbox_cursor
        inside = (totals.net_cash_e6, *totals.collateral_e8)
        # An asset that only one side knows is zero on the other.
        rows = zip_longest(inside, self.facts.booked, self.facts.held, fillvalue=0)
        for asset, (in_book, booked, held) in enumerate(rows):
            unpaid = sum(
                o.amount for o in self.outputs.values() if o.asset == asset and o.id not in paid
            )
            unread = sum(d.amount for d in self.facts.deposits[consumed:] if d.asset == asset)
            owed = in_book + unpaid + unread
            self.expect("reserves", booked == owed, f"asset {asset}: booked {booked}, owed {owed}")
            self.expect("reserves", held >= owed, f"asset {asset}: held {held}, owed {owed}")


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
