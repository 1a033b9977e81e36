"""The part of an audit that holds the parameter set of the log against contracts and oracle hub.

That a set is adopted by the first record of its batch, the journal demands of every log.
"""

from collections.abc import Sequence
from itertools import zip_longest

from offchain.core.parameters import RiskParameters
from offchain.ledger.document import document
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from offchain.ledger.listing import listing_root
from offchain.ledger.terms import curves_hash, terms
from offchain.services.audit_report import Verdicts
from offchain.services.chain_events import AdoptedParameters, PostedBatch
from offchain.services.chain_facts import ChainFacts, HubRules, ParameterChange


def check_parameters(facts: ChainFacts, says: Verdicts, journal: Journal) -> None:
    """Check the set that the log just put in force: the contracts adopted the same."""
    rules, documented = journal.state.rules, journal.state.documented
    assert documented is not None
    adopted = {a.params_hash: a for a in facts.parameters}.get(journal.params_hash)
    problem = "the contracts never adopted this set"
    if not says.expect("parameters", adopted is not None, problem, "paramsHash"):
        return
    assert adopted is not None
    same_document = keccak256(document(documented)) == adopted.document_hash
    for same, problem, name in (
        (same_document, "another document", "documentHash"),
        (terms(rules) == adopted.terms, "other terms", "terms"),
        (curves_hash(rules) == adopted.curves_hash, "other tier curves", "curvesHash"),
        (listing_root(rules) == adopted.listing_root, "another listing", "listingRoot"),
    ):
        says.expect("parameters", same, problem, name)
    if adopted is facts.parameters[-1]:
        _check_venue(facts, says, rules)


def _check_venue(facts: ChainFacts, says: Verdicts, rules: RiskParameters) -> None:
    """Check the vault and the oracle hub of today against the set of today."""
    listed, has = len(facts.vault) - 1, len(rules.collateral)
    # A deposit of an asset that the engine does not know would be nobody's.
    problem = f"the vault lists {listed} collateral assets, the set {has}"
    says.expect("parameters", listed == has, problem, "assets")
    oracle = rules.oracle
    wanted = HubRules(
        len(rules.listing.feeds),
        oracle.band_e6,
        oracle.heartbeat_ns,
        oracle.grace_reports,
        oracle.grace_ns,
        oracle.quorum,
        tuple(bytes.fromhex(address[2:]) for address in oracle.signers),
    )
    for name in HubRules.__slots__:
        ours, theirs = getattr(wanted, name), getattr(facts.hub_rules, name)
        says.expect("parameters", ours == theirs, f"the hub has other {name}", "oracle")


def check_in_force(facts: ChainFacts, says: Verdicts, posted: PostedBatch) -> None:
    """Check that the contract took the set of a batch when the batch was committed."""
    before = [adopted for adopted in facts.parameters if adopted.place < posted.place]
    changes, key = _changes(before, facts.parameter_grace_s), posted.header.params_hash
    holds = is_acceptable(changes, key, posted.time_s)
    problem = f"the set 0x{key.hex()} was not in force when the batch was committed"
    says.expect("parameters", holds, problem, "paramsHash")


def is_acceptable(changes: Sequence[ParameterChange], params_hash: bytes, time_s: int) -> bool:
    """Tell whether the contract took a set at a time.

    Where only one set was ever put in force, times do not matter.
    """
    if len(changes) == 1:
        return changes[0].params_hash == params_hash
    return any(
        change.params_hash == params_hash
        and change.time_s <= time_s
        and (change.until_s is None or time_s < change.until_s)
        for change in changes
    )


def _changes(adopted: Sequence[AdoptedParameters], grace_s: int) -> tuple[ParameterChange, ...]:
    """Return from when to when each set was taken: the next one ends it, after its grace."""
    ends = [following.time_s + grace_s for following in adopted[1:]]
    rows = zip_longest(adopted, ends)
    return tuple(ParameterChange(of.params_hash, of.time_s, end) for of, end in rows)
