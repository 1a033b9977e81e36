"""The part of an audit that compares inbox, payments and reserves with the state at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest

from offchain.core.units import AccountId
from offchain.engine.messages import Deposit, EntryKind, Forced
from offchain.ledger.inbox import InboxEntry, entry_hash, entry_of, prefix_hash
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.ledger.outputs import Output
from offchain.ledger.totals import totals_of
from offchain.ledger.trace_data import posted_records
from offchain.services.audit_report import Verdicts
from offchain.services.chain_facts import ChainFacts, VaultBooks

_NOTHING = VaultBooks(0, 0, 0, 0, 0)


def check_inbox(facts: ChainFacts, says: Verdicts, consumed: int) -> None:
    """Check that the log took the entries of the inbox, each as it was announced."""
    entries, prefix = facts.inbox, ZERO32
    says.expect("inbox", len(entries) >= consumed, f"{consumed} consumed of {len(entries)}")
    log = _entries_in_log(facts)
    for index, entry in enumerate(entries, start=1):
        made = replace(entry.content(), index=index)
        if index <= consumed:
            same = next(log, None) == made
            says.expect("inbox", same, f"entry {index} was consumed differently")
        prefix = prefix_hash(prefix, entry_hash(made))
        same = (entry.index, entry.prefix) == (index, prefix)
        says.expect("inbox", same, f"entry {index} does not follow", "inboxPrefixHash")


def _entries_in_log(facts: ChainFacts) -> Iterator[InboxEntry]:
    for posted in facts.batches:
        for record in posted_records(posted.header, posted.data):
            if isinstance(record.command, Deposit | Forced):
                yield entry_of(record.command)


def check_claims(facts: ChainFacts, says: Verdicts, outputs: Mapping[int, Output]) -> set[int]:
    """Check each payment against the outputs of final batches; return what was paid."""
    paid: set[int] = set()
    for claim in facts.claims:
        output = outputs.get(claim.id)
        is_once = output is not None and claim.id not in paid
        says.expect("claims", is_once, f"output {claim.id} was not payable")
        same = output == Output(
            claim.id, AccountId(claim.account), claim.owner, claim.asset, claim.amount
        )
        says.expect("claims", same, f"output {claim.id} was paid differently")
        paid.add(claim.id)
    return paid


def check_vault(facts: ChainFacts, says: Verdicts, journal: Journal) -> None:
    """Check what went in and out of the vault against inbox, claims and the book of the log."""
    book, consumed = journal.book, journal.state.inbox_cursor
    claimed = _by_asset((c.asset, c.amount) for c in facts.claims)
    entered = _by_asset(_deposits(facts, 0))
    unread = _by_asset(_deposits(facts, consumed))
    rows = zip_longest(facts.vault, book.deposited, facts.exits, fillvalue=None)
    for asset, (found, deposited, exited) in enumerate(rows):
        vault = found or _NOTHING
        owed_in = (entered.get(asset, 0), (deposited or 0) + unread.get(asset, 0))
        for source, amount in zip(("inbox", "book"), owed_in, strict=True):
            problem = f"asset {asset}: {vault.deposited} deposited, {amount} in the {source}"
            says.expect("vault", vault.deposited == amount, problem)
        paid, out = vault.released + vault.deferred, claimed.get(asset, 0) + (exited or 0)
        says.expect("vault", paid == out, f"asset {asset}: {paid} released, {out} claimed")
        left = vault.deposited - vault.released
        problem = f"asset {asset}: booked {vault.booked}, {left} are left"
        says.expect("vault", vault.booked == left, problem)


def check_reserves(
    facts: ChainFacts,
    says: Verdicts,
    journal: Journal,
    unpaid: Mapping[int, Output],
) -> None:
    """Check that the vault holds what everybody is owed: accounts, outputs, unread deposits."""
    totals = totals_of(journal.state)
    inside = (totals.net_cash_e6, *totals.collateral_e8)
    waiting = _by_asset((o.asset, o.amount) for o in unpaid.values())
    unread = _by_asset(_deposits(facts, journal.state.inbox_cursor))
    # An asset that only one side knows is zero on the other.
    rows = zip_longest(inside, facts.vault, facts.exits, fillvalue=None)
    for asset, (in_book, found, exited) in enumerate(rows):
        vault = found or _NOTHING
        owed = (in_book or 0) + waiting.get(asset, 0) + unread.get(asset, 0)
        owed += vault.deferred - (exited or 0)
        booked, held = vault.booked, vault.held
        says.expect("reserves", booked == owed, f"asset {asset}: booked {booked}, owed {owed}")
        says.expect("reserves", held >= owed, f"asset {asset}: held {held}, owed {owed}")


def _deposits(facts: ChainFacts, after: int) -> Iterator[tuple[int, int]]:
    """Yield (asset, amount) of the deposits behind a cursor of the inbox."""
    for entry in facts.inbox[after:]:
        if entry.kind == EntryKind.DEPOSIT:
            yield entry.place, entry.amount


def _by_asset(amounts: Iterator[tuple[int, int]]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for asset, amount in amounts:
        sums[asset] = sums.get(asset, 0) + amount
    return sums
