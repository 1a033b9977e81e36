"""Every fact that the chain tells is compared: alter any of them and the audit names the check."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace

import pytest

from offchain.adapters.chain_facts import collect_facts
from offchain.core.units import AccountId
from offchain.engine.evolve import evolve
from offchain.engine.messages import (
    Command,
    Liquidate,
    PlaceOrder,
    PriceReport,
)
from offchain.ledger.inbox import KIND_DEPOSIT, entry_hash, prefix_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.typed_data import Domain
from offchain.ledger.wire import Record
from offchain.services.audit import audit
from offchain.services.audit_report import CHECKS, AuditReport
from offchain.services.chain_facts import (
    ChainFacts,
    InsuranceMove,
    VerifiedLiquidation,
)
from offchain.services.gateway import intent_digest
from offchain.services.ports import InboxEntry
from tests.support.audited import BATCHES, story
from tests.support.devnet import ENGINE_HASH, signer
from tests.support.dishonest import (
    posted,
    resigned,
    rewritten,
)

MALLORY = signer("mallory")
Alter = Callable[[ChainFacts], ChainFacts]
SEED = 20_251_010


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainFacts]:
    with story(tmp_path_factory.mktemp("honest")) as venue:
        yield collect_facts(venue.chain)


def audited(facts: ChainFacts) -> AuditReport:
    return audit(facts, ENGINE_HASH)


def test_an_honest_past_passes_every_check(honest: ChainFacts) -> None:
    report = audited(honest)
    assert report.is_ok, report.failed
    assert report.batches == BATCHES
    assert all(verdict.compared > 0 for verdict in report.verdicts.values())
    tiers = {v.tier for v in honest.verified.values()}
    assert tiers == {1, 2}, "a partial and a full liquidation"
    assert sum(move.drawn_e6 for move in honest.insurance.values()) > 0
    assert honest.claims


def test_writing_the_past_again_unaltered_gives_the_same_facts(honest: ChainFacts) -> None:
    assert rewritten(honest, lambda _n, record: [record.command]) == honest


# Each check alone


def bad_signature(facts: ChainFacts) -> ChainFacts:
    batches = list(facts.batches)
    batches[1] = replace(batches[1], signature=facts.batches[0].signature)
    return replace(facts, batches=tuple(batches))


def trailing_byte(facts: ChainFacts) -> ChainFacts:
    last = facts.batches[-1]
    return replace(facts, batches=(*facts.batches[:-1], replace(last, data=last.data + b"\0")))


def no_parameters(facts: ChainFacts) -> ChainFacts:
    return replace(facts, parameters={})


def other_engine(facts: ChainFacts) -> ChainFacts:
    pinned = keccak256(b"another engine")
    batches, previous = [], ZERO32
    for was in facts.batches:
        header = replace(was.header, engine_hash=pinned, prev_batch_hash=previous)
        batches.append(posted(facts, header, was.data))
        previous = batches[-1].batch_hash
    return replace(facts, engine_hash=pinned, batches=tuple(batches))


def other_state_root(facts: ChainFacts) -> ChainFacts:
    return resigned(facts, BATCHES, state_root=keccak256(b"another state"))


def other_depositor(facts: ChainFacts) -> ChainFacts:
    return replace(
        facts, deposits=inbox([replace(facts.deposits[0], owner=MALLORY.address)], facts)
    )


def inbox(first: list[InboxEntry], facts: ChainFacts) -> tuple[InboxEntry, ...]:
    """Return an inbox that begins differently, with the prefix hashes that belong to it."""
    entries, prefix = [], ZERO32
    for e in [*first, *facts.deposits[len(first) :]]:
        prefix = prefix_hash(
            prefix, entry_hash(KIND_DEPOSIT, e.index, e.owner, e.subaccount, e.asset, e.amount)
        )
        entries.append(replace(e, prefix=prefix))
    return tuple(entries)


def forged_order(facts: ChainFacts) -> ChainFacts:
    def edit(_number: int, record: Record) -> list[Command]:
        command = record.command
        if isinstance(command, PlaceOrder):
            digest = intent_digest(facts.settlement, command)
            command = replace(command, signature=MALLORY.sign(digest))
        return [command]

    return rewritten(facts, edit)


def forged_report(facts: ChainFacts) -> ChainFacts:
    def edit(_number: int, record: Record) -> list[Command]:
        command = record.command
        if isinstance(command, PriceReport):
            first, *rest = command.observations
            command = replace(
                command, observations=(replace(first, signature=rest[0].signature), *rest)
            )
        return [command]

    return rewritten(facts, edit)


def unverified_liquidation(facts: ChainFacts) -> ChainFacts:
    return replace(facts, verified=dict(list(facts.verified.items())[1:]))


def spared_account(facts: ChainFacts) -> ChainFacts:
    last = list(facts.verified.values())[-1].account

    def edit(_number: int, record: Record) -> list[Command]:
        is_last = record.command == Liquidate(AccountId(last))
        return [] if is_last else [record.command]

    return rewritten(facts, edit)


def moved_fund(facts: ChainFacts) -> ChainFacts:
    move = replace(facts.insurance[2], drawn_e6=facts.insurance[2].drawn_e6 + 1)
    return replace(facts, insurance={**facts.insurance, 2: move})


def paid_twice(facts: ChainFacts) -> ChainFacts:
    return replace(facts, claims=facts.claims * 2)


def missing_dollar(facts: ChainFacts) -> ChainFacts:
    return replace(facts, booked=(facts.booked[0] - 1, *facts.booked[1:]))


FAULTS: dict[str, Alter] = {
    "chain": bad_signature,
    "data": trailing_byte,
    "parameters": no_parameters,
    "engine": other_engine,
    "replay": other_state_root,
    "inbox": other_depositor,
    "intents": forged_order,
    "oracle": forged_report,
    "liquidations": unverified_liquidation,
    "completeness": spared_account,
    "insurance": moved_fund,
    "claims": paid_twice,
    "reserves": missing_dollar,
}


@pytest.mark.parametrize("check", FAULTS)
def test_each_check_is_the_only_one_that_finds_its_own_fault(
    honest: ChainFacts, check: str
) -> None:
    report = audited(FAULTS[check](honest))
    assert report.failed == (check,)
    assert not report.is_ok


def test_an_engine_that_mints_money_fails_conservation_alone(
    honest: ChainFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generous(state: object, event: object, seq: int, time_ns: int) -> None:
        evolve(state, event, seq, time_ns)  # type: ignore[arg-type]  # passed on as it came
        if seq == 2:
            state.accounts.cash[0] += 1  # type: ignore[attr-defined]  # the engine's state

    monkeypatch.setattr("offchain.engine.machine.evolve", generous)
    report = audited(honest)
    assert report.failed == ("conservation",)
    assert str(report.verdicts["conservation"].findings[0]).startswith("batch 1: record 2 ")


def test_every_check_has_a_fault_of_its_own() -> None:
    assert {*FAULTS, "conservation"} == CHECKS.keys()


# Every field of the facts

WEI, OTHER = 1, keccak256(b"other")


def on_insurance(**change: int) -> Alter:
    def alter(facts: ChainFacts) -> ChainFacts:
        (name, by), move = next(iter(change.items())), facts.insurance[2]
        altered: InsuranceMove = replace(move, **{name: getattr(move, name) + by})
        return replace(facts, insurance={**facts.insurance, 2: altered})

    return alter


def on_verified(**change: int) -> Alter:
    def alter(facts: ChainFacts) -> ChainFacts:
        (name, by), (key, was) = next(iter(change.items())), next(iter(facts.verified.items()))
        altered: VerifiedLiquidation = replace(was, **{name: getattr(was, name) + by})
        return replace(facts, verified={**facts.verified, key: altered})

    return alter


def on_claim(**change: object) -> Alter:
    return lambda facts: replace(facts, claims=(replace(facts.claims[0], **change),))  # type: ignore[arg-type]


def on_deposit(place: int, **change: object) -> Alter:
    def alter(facts: ChainFacts) -> ChainFacts:
        entries = list(facts.deposits)
        entries[place] = replace(entries[place], **change)  # type: ignore[arg-type]
        return replace(facts, deposits=tuple(entries))

    return alter


def on_terms(facts: ChainFacts) -> ChainFacts:
    ((key, was),) = facts.parameters.items()
    lower = replace(was.terms, mm_factor_e6=was.terms.mm_factor_e6 - 1)
    return replace(facts, parameters={key: replace(was, terms=lower)})


def on_document(facts: ChainFacts) -> ChainFacts:
    ((key, was),) = facts.parameters.items()
    return replace(facts, parameters={key: replace(was, document_hash=OTHER)})


def on_curves(facts: ChainFacts) -> ChainFacts:
    ((key, was),) = facts.parameters.items()
    return replace(facts, parameters={key: replace(was, curves_hash=OTHER)})


def on_one_collateral(facts: ChainFacts) -> ChainFacts:
    first, second = facts.totals[2].collateral_e8
    altered = replace(facts.totals[2], collateral_e8=(first, second + 1))
    return replace(facts, totals={**facts.totals, 2: altered})


def on_totals(facts: ChainFacts) -> ChainFacts:
    altered = replace(facts.totals[2], accounts=facts.totals[2].accounts + 1)
    return replace(facts, totals={**facts.totals, 2: altered})


def on_domain(domain: Domain) -> Domain:
    return replace(domain, chain_id=domain.chain_id + 1)


def without_cited_reports(facts: ChainFacts) -> ChainFacts:
    return replace(facts, reports=frozenset())


def swapped(facts: ChainFacts) -> ChainFacts:
    first, second, *rest = facts.batches
    return replace(facts, batches=(second, first, *rest))


ALTERATIONS: dict[str, tuple[str, Alter]] = {
    "settlement": ("chain", lambda f: replace(f, settlement=on_domain(f.settlement))),
    "hub": ("oracle", lambda f: replace(f, hub=on_domain(f.hub))),
    "sequencer": ("chain", lambda f: replace(f, sequencer=MALLORY.address)),
    "engine_hash": ("engine", lambda f: replace(f, engine_hash=OTHER)),
    "oracle_signers": (
        "parameters",
        lambda f: replace(f, oracle_signers=(*f.oracle_signers[1:], MALLORY.address)),
    ),
    "oracle_signers: one less": (
        "parameters",
        lambda f: replace(f, oracle_signers=f.oracle_signers[:-1]),
    ),
    "quorum lower": ("parameters", lambda f: replace(f, quorum=f.quorum - 1)),
    "quorum higher": ("oracle", lambda f: replace(f, quorum=8)),
    "batches: last one hidden": ("chain", lambda f: replace(f, batches=f.batches[:-1])),
    "batches: first one hidden": ("chain", lambda f: replace(f, batches=f.batches[1:])),
    "batches: swapped": ("chain", swapped),
    "batches: none": ("chain", lambda f: replace(f, batches=())),
    "head": ("chain", lambda f: replace(f, head=f.head + 1)),
    "finalised lower": ("insurance", lambda f: replace(f, finalised=f.finalised - 1)),
    "finalised higher": ("insurance", lambda f: replace(f, finalised=f.finalised + 1)),
    "deposits: one hidden": ("inbox", lambda f: replace(f, deposits=f.deposits[:-1])),
    "deposits: all hidden": ("inbox", lambda f: replace(f, deposits=())),
    "deposits: one more": (
        "reserves",
        lambda f: replace(
            f, deposits=(*f.deposits, replace(f.deposits[0], index=len(f.deposits) + 1))
        ),
    ),
    "deposits: amount": ("inbox", on_deposit(1, amount=1)),
    "deposits: owner": ("inbox", on_deposit(1, owner=MALLORY.address)),
    "deposits: subaccount": ("inbox", on_deposit(1, subaccount=1)),
    "deposits: asset": ("inbox", on_deposit(1, asset=1)),
    "deposits: index": ("inbox", on_deposit(1, index=1)),
    "deposits: prefix": ("inbox", on_deposit(1, prefix=OTHER)),
    "parameters: terms": ("parameters", on_terms),
    "parameters: document": ("parameters", on_document),
    "parameters: curves": ("parameters", on_curves),
    "reports": ("oracle", without_cited_reports),
    "verified: account": ("liquidations", on_verified(account=1)),
    "verified: tier": ("liquidations", on_verified(tier=1)),
    "verified: balance": ("liquidations", on_verified(margin_balance_e6=-1)),
    "verified: maintenance": ("liquidations", on_verified(maintenance_e6=1)),
    "verified: one more": (
        "liquidations",
        lambda f: replace(f, verified={**f.verified, (2, 9): f.verified[2, 0]}),
    ),
    "verified: in no batch": (
        "liquidations",
        lambda f: replace(f, verified={**f.verified, (9, 0): f.verified[2, 0]}),
    ),
    "insurance: balance": ("insurance", on_insurance(balance_e6=1)),
    "insurance: contributed": ("insurance", on_insurance(contributed_e6=1)),
    "insurance: drawn": ("insurance", on_insurance(drawn_e6=-1)),
    "insurance: shortfall": ("insurance", on_insurance(shortfall_e6=1)),
    "insurance: of no final batch": (
        "insurance",
        lambda f: replace(f, insurance={**f.insurance, 9: f.insurance[1]}),
    ),
    "totals": ("insurance", on_totals),
    "totals: one collateral": ("insurance", on_one_collateral),
    "totals: of no final batch": (
        "insurance",
        lambda f: replace(f, totals={**f.totals, 9: f.totals[1]}),
    ),
    "claims: amount": ("claims", on_claim(amount=1)),
    "claims: owner": ("claims", on_claim(owner=MALLORY.address)),
    "claims: account": ("claims", on_claim(account=1)),
    "claims: asset": ("claims", on_claim(asset=1)),
    "claims: unknown output": ("claims", on_claim(id=77)),
    "claims: hidden": ("reserves", lambda f: replace(f, claims=())),
    "booked": ("reserves", lambda f: replace(f, booked=(f.booked[0] + WEI, *f.booked[1:]))),
    "booked: last": ("reserves", lambda f: replace(f, booked=(*f.booked[:2], f.booked[2] + WEI))),
    "booked: unlisted": ("parameters", lambda f: replace(f, booked=(*f.booked, 0))),
    "held": ("reserves", lambda f: replace(f, held=(f.held[0], f.booked[1] - WEI, f.held[2]))),
    "held: another asset": (
        "reserves",
        lambda f: replace(f, held=(*f.held[:2], f.booked[2] - WEI)),
    ),
}


@pytest.mark.parametrize("fact", ALTERATIONS)
def test_an_altered_fact_fails_the_check_that_it_belongs_to(honest: ChainFacts, fact: str) -> None:
    check, alter = ALTERATIONS[fact]
    report = audited(alter(honest))
    assert check in report.failed
    assert not report.is_ok


def test_every_field_of_the_facts_has_an_alteration() -> None:
    altered = {name.split(":", maxsplit=1)[0].split()[0] for name in ALTERATIONS}
    assert altered == {each.name for each in fields(ChainFacts)}


def test_a_donation_to_the_vault_is_no_fault(honest: ChainFacts) -> None:
    assert audited(replace(honest, held=(honest.held[0] + 1, *honest.held[1:]))).is_ok


def test_what_was_not_reached_is_no_pass(honest: ChainFacts) -> None:
    report = audited(trailing_byte(honest))
    words = {name: verdict.word for name, verdict in report.verdicts.items()}
    assert words.pop("data") == "FAIL"
    assert words.pop("engine") == words.pop("parameters") == "PASS"
    assert set(words.values()) == {"NOT_REACHED"}
    assert report.failed == ("data",)


def test_a_broken_link_between_batches_is_named_by_the_chain_as_well(honest: ChainFacts) -> None:
    report = audited(resigned(honest, 2, prev_batch_hash=OTHER))
    assert [f.field for f in report.verdicts["chain"].findings] == ["prevBatchHash"]
