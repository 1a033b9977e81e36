"""A batch stands under a set that the contract took at that time, to the second."""

import pytest

from offchain.services.audit_parameters import is_acceptable
from offchain.services.chain_facts import ParameterChange

A, B = b"\xaa" * 32, b"\xbb" * 32
CHANGES = (
    ParameterChange(A, 100, 260),
    ParameterChange(B, 200, 1_060),
    ParameterChange(A, 1_000),
)


@pytest.mark.parametrize(
    ("params_hash", "time_s", "expected"),
    [
        (A, 99, False),
        (A, 100, True),
        (A, 259, True),
        (A, 260, False),
        (A, 999, False),
        (A, 1_000, True),
        (A, 10**9, True),
        (B, 199, False),
        (B, 200, True),
        (B, 1_059, True),
        (B, 1_060, False),
    ],
)
def test_a_set_is_taken_from_its_adoption_to_the_end_of_its_grace(
    params_hash: bytes, time_s: int, *, expected: bool
) -> None:
    assert is_acceptable(CHANGES, params_hash, time_s) is expected


def test_the_only_set_there_ever_was_needs_no_times() -> None:
    only = (ParameterChange(A, 100),)
    assert is_acceptable(only, A, 0)
    assert not is_acceptable(only, B, 0)
    assert not is_acceptable((), A, 0)
