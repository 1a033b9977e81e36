"""Faults of single leaves: one that encodes no account, and one that stands where none may.

The words of a step say what its leaves are. So a leaf that does not follow from them is shown as
the step that made it, by whoever replays; who knows the leaf can also have it judged by itself.
"""

from dataclasses import astuple

from offchain.ledger.keccak import keccak256
from offchain.ledger.leaf import AccountLeaf, encode_leaf, leaf_hash
from offchain.ledger.merkle import AccountTree, list_proof
from offchain.ledger.trace import step_hash
from offchain.services.watch.judges.accounts import LEAF_KIND
from offchain.services.watch.judges.structure import ruled
from offchain.services.watch.moment import Accusation
from offchain.services.watch.shapes import FORM, PLACE, Value, leaf_value
from tests.support.draft import Draft
from tests.support.faults import DOLLARS, decided_by
from tests.support.street import DAVE, Street

FORM_RULE, PLACE_RULE = 2, 3


@decided_by(3, "TRANSITION.root")
def a_leaf_that_encodes_no_account(street: Street) -> None:
    misshapen(street)


@decided_by(3, "TRANSITION.root")
def an_account_beyond_their_number(street: Street) -> None:
    misplaced(street)


def misshapen(street: Street) -> Accusation:
    """Commit a batch with a leaf that is an account and one word more; return LEAF.form of it."""
    draft, dave = _paid(street), street.number(DAVE)
    leaf = encode_leaf(draft.leaves()[dave]) + bytes(32)
    tree = _commit_with(street, draft, dave, keccak256(leaf))
    value = (_last(draft), dave, leaf, tree.proof(dave))
    return ruled(LEAF_KIND, FORM_RULE, "LEAF.form", FORM, value)


def misplaced(street: Street) -> Accusation:
    """Commit a batch with an account that nobody opened; return LEAF.place of it."""
    draft = _paid(street)
    leaves = draft.leaves()
    of = leaves[street.number(DAVE)]
    leaf = AccountLeaf(b"\x77" * 20, 0, of.mode, DOLLARS, of.collateral_e8, ())
    number = len(leaves)
    tree = _commit_with(street, draft, number, leaf_hash(leaf))
    holder = (number, (leaf_value(leaf),), tree.proof(number))
    value = (_last(draft), astuple(draft.ledger.book()), holder)
    return ruled(LEAF_KIND, PLACE_RULE, "LEAF.place", PLACE, value)


def _paid(street: Street) -> Draft:
    """Return a draft in which a withdrawal was applied to the accounts."""
    command = street.venue.withdrawal(DAVE, 0, DOLLARS)
    draft = Draft.of(street.venue)
    draft.add(command, street.words(command))
    return draft


def _commit_with(street: Street, draft: Draft, place: int, hashed: bytes) -> AccountTree:
    """Commit the draft with another leaf in its last step; return the tree."""
    tree = AccountTree()
    tree.update({number: leaf_hash(leaf) for number, leaf in enumerate(draft.leaves())})
    tree.update({place: hashed})
    draft.reroot(tree.root)
    street.venue.commit(*draft.close())
    return tree


def _last(draft: Draft) -> Value:
    """Return the opening of the last step."""
    place = len(draft.steps) - 1
    proof = list_proof([step_hash(step) for step in draft.steps], place)
    return astuple(draft.steps[place]), place, proof
