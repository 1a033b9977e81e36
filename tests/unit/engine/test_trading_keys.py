"""The inbox grants and revokes trading keys; what has ended is forgotten."""

from offchain.core.units import SECOND_NS
from offchain.engine.events import NO_ACCOUNT, ForcedDone, KeyGranted, KeyRevoked
from offchain.engine.messages import EntryKind
from tests.support.venue import START_NS, Venue

OWNER, OTHER = (10).to_bytes(20), (11).to_bytes(20)
KEY, SECOND = (70).to_bytes(20), (71).to_bytes(20)
NOW_S = START_NS // SECOND_NS
GRANT, REVOKE = EntryKind.GRANT, EntryKind.REVOKE


def granted(*keys: tuple[bytes, bytes, int]) -> Venue:
    venue = Venue()
    for owner, key, until in keys:
        venue.must(venue.entry(GRANT, owner, amount=until, key=key))
    return venue


def test_a_grant_needs_no_account_and_is_done() -> None:
    venue = Venue()
    events = venue.must(venue.entry(GRANT, OWNER, amount=NOW_S + 9, key=KEY))
    assert events == (ForcedDone(1, GRANT, NO_ACCOUNT), KeyGranted(OWNER, KEY, NOW_S + 9))
    assert venue.state.keys == {OWNER: {KEY: NOW_S + 9}}
    assert venue.state.key_expiry_s(OWNER, KEY) == NOW_S + 9
    assert venue.state.key_expiry_s(OTHER, KEY) == venue.state.key_expiry_s(OWNER, SECOND) == 0


def test_a_second_grant_replaces_the_first() -> None:
    venue = granted((OWNER, KEY, NOW_S + 9), (OWNER, KEY, NOW_S + 5))
    assert venue.state.keys == {OWNER: {KEY: NOW_S + 5}}


def test_a_grant_that_is_over_takes_the_key_away() -> None:
    venue = granted((OWNER, KEY, NOW_S + 9), (OWNER, KEY, NOW_S))
    assert venue.state.keys == {}


def test_a_grant_forgets_what_has_expired_of_that_owner() -> None:
    venue = granted((OWNER, KEY, NOW_S + 5), (OTHER, KEY, NOW_S + 5))
    venue.now += 5 * SECOND_NS
    venue.must(venue.entry(GRANT, OWNER, amount=NOW_S + 9, key=SECOND))
    assert venue.state.keys == {OWNER: {SECOND: NOW_S + 9}, OTHER: {KEY: NOW_S + 5}}


def test_an_endless_grant_ends_with_the_clock() -> None:
    venue = granted((OWNER, KEY, 2**128 - 1))
    assert venue.state.key_expiry_s(OWNER, KEY) == 2**64 - 1


def test_a_revocation_takes_one_key_and_leaves_the_others() -> None:
    venue = granted((OWNER, KEY, NOW_S + 9), (OWNER, SECOND, NOW_S + 9), (OTHER, KEY, NOW_S + 9))
    done, revoked = venue.must(venue.entry(REVOKE, OWNER, key=KEY))
    assert (done, revoked) == (ForcedDone(4, REVOKE, NO_ACCOUNT), KeyRevoked(OWNER, KEY))
    assert venue.state.keys == {OWNER: {SECOND: NOW_S + 9}, OTHER: {KEY: NOW_S + 9}}


def test_the_zero_key_revokes_all_of_the_owner() -> None:
    venue = granted((OWNER, KEY, NOW_S + 9), (OWNER, SECOND, NOW_S + 9), (OTHER, KEY, NOW_S + 9))
    venue.must(venue.entry(REVOKE, OWNER))
    assert venue.state.keys == {OTHER: {KEY: NOW_S + 9}}


def test_revoking_what_was_never_granted_is_done() -> None:
    venue = granted((OWNER, KEY, NOW_S + 9))
    venue.must(venue.entry(REVOKE, OWNER, key=SECOND))
    venue.must(venue.entry(REVOKE, OTHER))
    assert venue.state.keys == {OWNER: {KEY: NOW_S + 9}}
    venue.must(venue.entry(REVOKE, OWNER, key=KEY))
    assert venue.state.keys == {}
