"""Every fact that the chain tells, altered: by which check each is found."""

from collections.abc import Callable
from dataclasses import replace

from offchain.ledger.closing import NO_ANCHOR
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.typed_data import Domain
from offchain.services.chain_events import (
    AdoptedParameters,
    InsuranceMove,
    Place,
    Reign,
    Revert,
    RevertCause,
    UpheldChallenge,
    VerifiedLiquidation,
)
from offchain.services.chain_facts import ChainFacts, VaultBooks
from tests.support.devnet import signer

Alter = Callable[[ChainFacts], ChainFacts]
MALLORY = signer("mallory")
WEI, OTHER = 1, keccak256(b"other")


def set_out_of_force(facts: ChainFacts) -> ChainFacts:
    """Let the set be replaced at once, and its grace be over before batch 1."""
    (was,) = facts.parameters
    since = was.time_s - facts.parameter_grace_s
    other = replace(was, params_hash=OTHER, place=Place(was.place.block, was.place.log_index + 1))
    return replace(facts, parameters=(was, replace(other, time_s=since)))


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


def on_deposit(at: int, **change: object) -> Alter:
    def alter(facts: ChainFacts) -> ChainFacts:
        entries = list(facts.inbox)
        entries[at] = replace(entries[at], **change)  # type: ignore[arg-type]
        return replace(facts, inbox=tuple(entries))

    return alter


def on_set(**change: object) -> Alter:
    def alter(facts: ChainFacts) -> ChainFacts:
        (was,) = facts.parameters
        altered: AdoptedParameters = replace(was, **change)  # type: ignore[arg-type]
        return replace(facts, parameters=(altered,))

    return alter


def on_terms(facts: ChainFacts) -> ChainFacts:
    terms = facts.parameters[0].terms
    return on_set(terms=replace(terms, mm_factor_e6=terms.mm_factor_e6 - 1))(facts)


def on_vault(asset: int, **change: int) -> Alter:
    def alter(facts: ChainFacts) -> ChainFacts:
        vault = list(facts.vault)
        was = vault[asset]
        more = {name: getattr(was, name) + by for name, by in change.items()}
        altered: VaultBooks = replace(was, **more)
        vault[asset] = altered
        return replace(facts, vault=tuple(vault))

    return alter


def on_hub(**change: object) -> Alter:
    return lambda facts: replace(facts, hub_rules=replace(facts.hub_rules, **change))  # type: ignore[arg-type]


def on_registry(**change: object) -> Alter:
    return lambda facts: replace(facts, registry=replace(facts.registry, **change))  # type: ignore[arg-type]


def on_revert(**change: object) -> Alter:
    def alter(facts: ChainFacts) -> ChainFacts:
        altered: Revert = replace(facts.reverts[0], **change)  # type: ignore[arg-type]
        return replace(facts, reverts=(altered,))

    return alter


def upheld_unjustly(facts: ChainFacts) -> ChainFacts:
    """Let a judge uphold the challenge of a batch that replays without a fault."""
    (revert,) = facts.reverts
    upheld = UpheldChallenge(revert.first, revert.batch_hash, 3, revert.place)
    slashed = replace(facts.stakes[0], change_e6=None, place=revert.place)
    again = replace(facts.stakes[0], place=Place(revert.place.block, revert.place.log_index + 1))
    return replace(
        on_revert(cause=RevertCause.CHALLENGE)(facts),
        upheld=(upheld,),
        stakes=(*facts.stakes, slashed, again),
    )


def upheld_and_stayed(facts: ChainFacts) -> ChainFacts:
    standing = facts.batches[-1]
    return replace(facts, upheld=(UpheldChallenge(3, standing.batch_hash, 3, standing.place),))


def new_reign(facts: ChainFacts) -> ChainFacts:
    place = Place(facts.batches[1].place.block - 1)
    return replace(facts, reigns=(*facts.reigns, Reign(2, MALLORY.address, place)))


def stake_asked_back(facts: ChainFacts) -> ChainFacts:
    """Let it be less than whole between the first batch and the second."""
    was, place = facts.stakes[0], Place(facts.batches[1].place.block - 1)
    back = replace(was, change_e6=-1, place=place)
    return replace(facts, stakes=(was, back, replace(was, change_e6=1, place=Place(1 << 61))))


def without_anchor(facts: ChainFacts) -> ChainFacts:
    batches = list(facts.batches)
    batches[1] = replace(batches[1], anchor=NO_ANCHOR)
    return replace(facts, batches=tuple(batches))


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


def batch_2(facts: ChainFacts) -> bytes:
    return facts.batches[1].batch_hash


def first_verified(facts: ChainFacts) -> VerifiedLiquidation:
    return facts.verified[batch_2(facts), 0]


ALTERATIONS: dict[str, tuple[str, Alter]] = {
    "settlement": ("chain", lambda f: replace(f, settlement=on_domain(f.settlement))),
    "hub": ("oracle", lambda f: replace(f, hub=on_domain(f.hub))),
    "registry: sequencer": ("sequencer", on_registry(sequencer=MALLORY.address)),
    "registry: epoch": ("sequencer", on_registry(epoch=2)),
    "registry: bond": ("sequencer", on_registry(is_bonded=False)),
    "registry: minimum": ("sequencer", on_registry(minimum_stake_e6=1 << 60)),
    "reigns: none": ("chain", lambda f: replace(f, reigns=())),
    "reigns: another one since": ("sequencer", new_reign),
    "stakes: none": ("sequencer", lambda f: replace(f, stakes=())),
    "stakes: asked back": ("sequencer", stake_asked_back),
    "engine_hash": ("engine", lambda f: replace(f, engine_hash=OTHER)),
    "hub_rules: signers": (
        "parameters",
        lambda f: on_hub(signers=(*f.hub_rules.signers[1:], MALLORY.address))(f),
    ),
    "hub_rules: one signer less": (
        "parameters",
        lambda f: on_hub(signers=f.hub_rules.signers[:-1])(f),
    ),
    "hub_rules: quorum lower": (
        "parameters",
        lambda f: on_hub(quorum=f.hub_rules.quorum - 1)(f),
    ),
    "hub_rules: quorum higher": ("oracle", on_hub(quorum=8)),
    "hub_rules: band": ("parameters", on_hub(band_e6=1)),
    "hub_rules: heartbeat": ("parameters", on_hub(heartbeat_ns=1)),
    "hub_rules: reports of the grace": ("parameters", on_hub(grace_reports=2)),
    "hub_rules: length of the grace": ("parameters", on_hub(grace_ns=1)),
    "hub_rules: feeds": ("parameters", on_hub(feeds=1)),
    "batches: last one hidden": ("chain", lambda f: replace(f, batches=f.batches[:-1])),
    "batches: first one hidden": ("chain", lambda f: replace(f, batches=f.batches[1:])),
    "batches: swapped": ("chain", swapped),
    "batches: none": ("chain", lambda f: replace(f, batches=())),
    "batches: anchor": ("chain", without_anchor),
    "head": ("chain", lambda f: replace(f, head=f.head + 1)),
    "finalised lower": ("insurance", lambda f: replace(f, finalised=f.finalised - 1)),
    "finalised higher": ("insurance", lambda f: replace(f, finalised=f.finalised + 1)),
    "checkpoint: another batch": (
        "checkpoint",
        lambda f: replace(f, checkpoint=(1, f.checkpoint[1])),
    ),
    "checkpoint: none": ("checkpoint", lambda f: replace(f, checkpoint=(0, ZERO32))),
    "reverts: no judge": ("disputes", on_revert(cause=RevertCause.CHALLENGE)),
    "reverts: no freeze": ("disputes", on_revert(cause=RevertCause.FREEZE)),
    "reverts: nothing unverified": ("disputes", on_revert(cause=RevertCause.UNVERIFIED)),
    "reverts: of nothing": ("disputes", on_revert(hashes=())),
    "upheld: without a fault": ("disputes", upheld_unjustly),
    "upheld: without a revert": ("disputes", upheld_and_stayed),
    "is_frozen": ("disputes", on_revert(cause=RevertCause.FREEZE)),
    "verify_window_s": ("disputes", on_revert(cause=RevertCause.UNVERIFIED)),
    "parameter_grace_s": ("parameters", set_out_of_force),
    "inbox: one hidden": ("inbox", lambda f: replace(f, inbox=f.inbox[:-1])),
    "inbox: all hidden": ("inbox", lambda f: replace(f, inbox=())),
    "inbox: one more": (
        "reserves",
        lambda f: replace(f, inbox=(*f.inbox, replace(f.inbox[0], index=len(f.inbox) + 1))),
    ),
    "inbox: amount": ("inbox", on_deposit(1, amount=1)),
    "inbox: owner": ("inbox", on_deposit(1, owner=MALLORY.address)),
    "inbox: subaccount": ("inbox", on_deposit(1, subaccount=1)),
    "inbox: asset": ("inbox", on_deposit(1, place=1)),
    "inbox: kind": ("inbox", on_deposit(1, kind=2)),
    "inbox: time": ("inbox", on_deposit(1, time_s=1)),
    "inbox: key": ("inbox", on_deposit(1, key=MALLORY.address)),
    "inbox: index": ("inbox", on_deposit(1, index=1)),
    "inbox: prefix": ("inbox", on_deposit(1, prefix=OTHER)),
    "parameters: terms": ("parameters", on_terms),
    "parameters: document": ("parameters", on_set(document_hash=OTHER)),
    "parameters: curves": ("parameters", on_set(curves_hash=OTHER)),
    "parameters: listing": ("parameters", on_set(listing_root=OTHER)),
    "parameters: another set": ("parameters", on_set(params_hash=OTHER)),
    "parameters: adopted later": ("parameters", on_set(place=Place(1 << 61))),
    "parameters: none": ("parameters", lambda f: replace(f, parameters=())),
    "reports": ("oracle", without_cited_reports),
    "verified: account": ("liquidations", on_verified(account=1)),
    "verified: tier": ("liquidations", on_verified(tier=1)),
    "verified: balance": ("liquidations", on_verified(margin_balance_e6=-1)),
    "verified: maintenance": ("liquidations", on_verified(maintenance_e6=1)),
    "verified: one more": (
        "liquidations",
        lambda f: replace(f, verified={**f.verified, (batch_2(f), 9): first_verified(f)}),
    ),
    "verified: in no batch": (
        "liquidations",
        lambda f: replace(f, verified={**f.verified, (OTHER, 0): first_verified(f)}),
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
    "claims: twice": ("claims", lambda f: replace(f, claims=f.claims * 2)),
    "exits": ("vault", lambda f: replace(f, exits=(1, *f.exits[1:]))),
    "vault: deposited": ("vault", on_vault(0, deposited=WEI)),
    "vault: released": ("vault", on_vault(1, released=WEI)),
    "vault: deferred": ("vault", on_vault(2, deferred=WEI)),
    "vault: booked": ("reserves", on_vault(0, booked=WEI)),
    "vault: booked, last": ("reserves", on_vault(2, booked=WEI)),
    "vault: unlisted": (
        "parameters",
        lambda f: replace(f, vault=(*f.vault, VaultBooks(0, 0, 0, 0, 0))),
    ),
    "vault: held": ("reserves", on_vault(1, held=-WEI)),
    "vault: held of another asset": ("reserves", on_vault(2, held=-WEI)),
}
