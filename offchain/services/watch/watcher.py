"""The watcher: replays every batch that is committed, and has those reverted that are wrong.

It trusts nobody and needs nobody: batches, their data and the inbox come from the chain. It asks
the judge before it pays a bond, so it never opens a challenge that would not be upheld. What a
header hides from the judges is demanded (`offchain.services.watch.inquest`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from offchain.ledger.header import BatchHeader, batch_hash
from offchain.services.errors import BatchDataMissing, TransactionRefused, TransactionReverted
from offchain.services.freezing import FreezeCause
from offchain.services.ports import Signer
from offchain.services.watch.authenticity import Authenticity
from offchain.services.watch.inquest import Case, Inquest, Inquiry, soonest
from offchain.services.watch.moment import Accusation
from offchain.services.watch.ports import Upheld, WatchChain
from offchain.services.watch.replay import Replay

MAX_ASKED = 20_000
"""Questions to judges about one difference."""
REFUSALS = (TransactionReverted, TransactionRefused)
"""What may become of anything that is sent too late, or that nobody can pay."""


@dataclass(slots=True)
class Sightings:
    """What one step saw and did.

    Attributes
    ----------
    examined : list of int
        Batches that hold.
    upheld : list of Upheld
        Faults that were shown, or, in a dry run, that would be upheld.
    unprovable : dict of int to str
        Batches that are wrong in a way that no judge decides, or that are final already.
    demanded : dict of int to str
        What was demanded of batches that no judge can decide yet; in a dry run, what would be.
    awaited : dict of int to int
        Until when somebody has to show what is demanded of such a batch. [s since 1970]
    unanswered : list of int
        Batches that were reverted because nobody showed what was demanded.
    defended : dict of int to list of str
        What was shown of batches that hold, because somebody demanded it.
    undefended : dict of int to str
        Why something could not be shown.
    unreadable : list of int
        Batches that could not be read back from the chain.
    overdue : list of int
        Batches with liquidations that nobody verified in time; reverted unless it is a dry run.
    freezable : tuple of FreezeCause
        Why anyone may freeze the venue.
    frozen : FreezeCause or None
        Why the watcher froze it.
    collected_e6 : int
        Bonds and bounties that were paid out. [USD e-6]
    """

    examined: list[int] = field(default_factory=list)
    upheld: list[Upheld] = field(default_factory=list)
    unprovable: dict[int, str] = field(default_factory=dict)
    demanded: dict[int, str] = field(default_factory=dict)
    awaited: dict[int, int] = field(default_factory=dict)
    unanswered: list[int] = field(default_factory=list)
    defended: dict[int, list[str]] = field(default_factory=dict)
    undefended: dict[int, str] = field(default_factory=dict)
    unreadable: list[int] = field(default_factory=list)
    overdue: list[int] = field(default_factory=list)
    freezable: tuple[FreezeCause, ...] = ()
    frozen: FreezeCause | None = None
    collected_e6: int = 0


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """What a watcher may do.

    Attributes
    ----------
    is_dry : bool
        Only look.
    may_freeze : bool
        Freeze when the rules allow it; otherwise that is only reported.
    may_defend : bool
        Show what is demanded of batches that hold, for the bonds.
    most_answers : int
        So much is shown in one step, what has the least time first.
    """

    is_dry: bool = False
    may_freeze: bool = False
    may_defend: bool = True
    most_answers: int = 16


class Watcher:
    """Looks at what was committed since the last step. One thread.

    Parameters
    ----------
    chain : WatchChain
        One deployment.
    authenticity : Authenticity
        In which domains intents and observations are signed, and the inbox.
    signer : Signer
        Pays gas and bonds, gets bounties.
    inquiries : sequence of Inquiry
        What can be demanded of a batch that no judge decides, tried in order.
    """

    def __init__(
        self,
        chain: WatchChain,
        authenticity: Authenticity,
        signer: Signer,
        policy: WatchPolicy | None = None,
        inquiries: Sequence[Inquiry] = (),
    ) -> None:
        self.policy = policy or WatchPolicy()
        self.replay = Replay(chain.posted, authenticity, chain.blob_proof)
        self._chain, self._signer = chain, signer
        self._open: dict[int, BatchHeader] = {}
        self._inquiries = tuple(inquiries)
        self._inquest: Inquest | None = None

    def step(self) -> Sightings:
        """Look at every batch that is new, and act.

        Raises
        ------
        ChainUnreachable
            The node does not answer; another step may.
        """
        seen = Sightings()
        self._follow_reverts()
        for batch_no in range(self.replay.next_batch, self._chain.head() + 1):
            if not self._examine(batch_no, seen):
                break
        self._look_at_deadlines(seen)
        self._defend(seen)
        if not self.policy.is_dry:
            seen.collected_e6 = self._chain.collect(self._signer)
        return seen

    def _follow_reverts(self) -> None:
        """Go back to before the first batch that is not the one that was replayed."""
        final = self._chain.finalised()
        known = self._open.items()
        gone = [n for n, of in known if self._chain.batch_hash_of(n) != batch_hash(of)]
        if gone:
            first = min(gone)
            self.replay.rewind(first)
            self._open = {n: of for n, of in self._open.items() if n < first}
        inquest = self._inquest
        if inquest is not None:
            now = self._chain.batch_hash_of(inquest.difference.batch_no)
            if gone or not inquest.is_about(now):
                self._inquest = None
        self.replay.forget(final)
        self._open = {n: of for n, of in self._open.items() if n > final}

    def _examine(self, batch_no: int, seen: Sightings) -> bool:
        """Replay one batch; False when later ones cannot be looked at."""
        if self._inquest is not None:
            self._dispute(self._inquest, seen)
            return False
        try:
            header, data = self._chain.posted(batch_no)
        except BatchDataMissing:
            seen.unreadable.append(batch_no)
            return False
        difference = self.replay.examine(header, data)
        if difference is None:
            self._open[batch_no] = header
            seen.examined.append(batch_no)
            return True
        self._inquest = Inquest(difference, self._inquiries)
        self._dispute(self._inquest, seen)
        return False

    def _dispute(self, inquest: Inquest, seen: Sightings) -> None:
        difference = inquest.difference
        number = difference.batch_no
        if number <= self._chain.finalised():
            seen.unprovable[number] = f"it is final: {difference.problem}"
            return
        inquest.turn()
        if inquest.refusal:
            seen.unprovable[number] = f"{difference.problem}; {inquest.refusal}"
            return
        accusation = self._upheld(inquest)
        if accusation is None:
            self._inquire(inquest, seen)
        else:
            self._accuse(inquest, accusation, seen)

    def _inquire(self, inquest: Inquest, seen: Sightings) -> None:
        """Go on demanding what no judge has seen yet."""
        number, problem = inquest.difference.batch_no, inquest.difference.problem
        try:
            found = inquest.step(is_dry=self.policy.is_dry)
        except REFUSALS as refused:
            inquest.rest(str(refused))
            seen.unprovable[number] = f"{problem}; {refused}"
            return
        for accusation in found.accusations:
            if self._is_faulty(inquest.difference.header, accusation):
                self._accuse(inquest, accusation, seen)
                return
        if found.demanded:
            seen.demanded[number] = found.demanded
        elif found.until_s is not None:
            seen.awaited[number] = found.until_s
        elif found.is_settled:
            if not inquest.is_about(self._chain.batch_hash_of(number)):
                seen.unanswered.append(number)
        else:
            spent = f"; {inquest.demands} demands did not decide it" if inquest.demands else ""
            seen.unprovable[number] = problem + spent

    def _accuse(self, inquest: Inquest, accusation: Accusation, seen: Sightings) -> None:
        difference = inquest.difference
        number, header = difference.batch_no, difference.header
        gas, bounty = 0, 0
        if not self.policy.is_dry:
            before = self._chain.reward_of(self._signer.address)
            try:
                receipts = self._chain.accuse(self._signer, header, accusation)
            except REFUSALS as refused:
                inquest.rest(str(refused))
                seen.unprovable[number] = f"{difference.problem}; {refused}"
                return
            gas = sum(receipt.gas_used for receipt in receipts)
            bounty = self._chain.reward_of(self._signer.address) - before
        seen.upheld.append(
            Upheld(number, accusation.kind, accusation.rule, difference.problem, bounty, gas)
        )

    def _upheld(self, inquest: Inquest) -> Accusation | None:
        """Return the first accusation that the judge would uphold."""
        difference = inquest.difference
        shown = self._chain.disclosures(difference.header)
        if inquest.has_denied(shown):
            return None
        for asked, accusation in enumerate(difference.accusations(shown)):
            if asked >= MAX_ASKED:
                break
            if self._is_faulty(difference.header, accusation):
                return accusation
        inquest.deny(shown)
        return None

    def _is_faulty(self, header: BatchHeader, accusation: Accusation) -> bool:
        """Ask the judge, unless what a liar posted has no encoding."""
        try:
            return bool(accusation.evidence) and self._chain.is_faulty(header, accusation)
        except (ValueError, ArithmeticError, LookupError):
            return False

    def _defend(self, seen: Sightings) -> None:
        """Show what is demanded of batches that hold, as their operator should."""
        left = self.policy.most_answers
        if self.policy.is_dry or not self.policy.may_defend:
            return
        held = {batch_hash(header): self._held(header) for header in self._open.values()}
        for defence in soonest(self._inquiries, held) if held else ():
            if not left:
                break
            try:
                is_shown = defence.show()
            except REFUSALS as refused:
                seen.undefended[defence.batch_no] = f"{defence.what}: {refused}"
                continue
            if is_shown:
                seen.defended.setdefault(defence.batch_no, []).append(defence.what)
                left -= 1

    def _held(self, header: BatchHeader) -> Case:
        """Return a batch that holds."""
        number = header.batch_no
        close = partial(self.replay.closing_of, number)
        records = partial(self.replay.records_of, number)
        return Case(header, self.replay.closed_of(number), close, records=records)

    def _look_at_deadlines(self, seen: Sightings) -> None:
        for batch_no in range(self._chain.finalised() + 1, self._chain.head() + 1):
            header = self._header(batch_no)
            if header is None or not header.liquidation_count:
                continue
            if not self._chain.is_overdue(header):
                continue
            seen.overdue.append(batch_no)
            if not self.policy.is_dry:
                self._chain.revert_unverified(self._signer, header)
            break
        chances = self._chain.freeze_chances()
        seen.freezable = tuple(chance.cause for chance in chances)
        if seen.freezable and self.policy.may_freeze and not self.policy.is_dry:
            seen.frozen = seen.freezable[0]
            self._chain.freeze(self._signer, chances[0])

    def _header(self, batch_no: int) -> BatchHeader | None:
        if batch_no in self._open:
            return self._open[batch_no]
        try:
            return self._chain.posted(batch_no)[0]
        except BatchDataMissing:
            return None
