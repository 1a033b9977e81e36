"""A keeper verifies what holds, and pays nothing for what does not or what others did first."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from offchain.ledger.batch import Batch
from offchain.ledger.header import BatchHeader
from offchain.ledger.terms import Terms
from offchain.ledger.witness import LiquidationWitness
from offchain.services.errors import (
    BatchDataMissing,
    ChainUnreachable,
    TransactionReverted,
    WitnessMissing,
)
from offchain.services.json_values import to_json
from offchain.services.keeper import Earnings, Keeper, KeeperPolicy
from offchain.services.ports import Signer, TransactionReceipt
from tests.support.desk import key
from tests.support.journal_venue import ENGINE_HASH, crashed

KEEPER = key(7)
FEE_E6, GAS = 5_000_000, 150_000
GWEI = 10**9


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Return a batch with two liquidations."""
    return crashed().journal.cut(ENGINE_HASH)


class Manager:
    """The liquidation manager in memory, with one committed batch."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.is_final = False
        self.verified: set[int] = set()
        self.reports: set[bytes] | None = None
        self.credit = 0
        self.sent = 0
        self.refuse: str | None = None

    def head(self) -> int:
        return 1

    def finalised(self) -> int:
        return int(self.is_final)

    def committed_header(self, batch_no: int) -> BatchHeader:
        assert batch_no == 1
        return self.batch.header

    def terms_of(self, params_hash: bytes) -> Terms:
        assert params_hash == self.batch.header.params_hash
        return self.batch.terms

    def curves_hash_of(self, params_hash: bytes) -> bytes:
        assert params_hash == self.batch.header.params_hash
        return self.batch.curves_hash

    def is_verified(self, batch_no: int, index: int) -> bool:
        assert batch_no == 1
        return index in self.verified

    def verified_count(self, batch_no: int) -> int:
        assert batch_no == 1
        return len(self.verified)

    def verify_liquidation(
        self, signer: Signer, header: BatchHeader, witness: LiquidationWitness
    ) -> TransactionReceipt:
        self.sent += 1
        error = self.refuse
        if witness.index in self.verified:
            error = "AlreadyVerified"
        elif self.reports is not None and witness.epoch.report_hash not in self.reports:
            error = "ReportNotAccepted"
        if error is not None:
            raise TransactionReverted("LiquidationManager.verify", error, {})
        assert (signer.address, header) == (KEEPER.address, self.batch.header)
        self.verified.add(witness.index)
        self.credit += FEE_E6
        return self._receipt("verify")

    def batches_of_keeper(self, keeper: bytes) -> list[int]:
        assert keeper == KEEPER.address
        return [1] if self.verified else []

    def keeper_credit(self, batch_no: int, keeper: bytes) -> int:
        assert (batch_no, keeper) == (1, KEEPER.address)
        return self.credit if self.is_final else 0

    def claim_keeper_fees(self, signer: Signer, batch_nos: Sequence[int]) -> TransactionReceipt:
        assert signer.address == KEEPER.address
        assert list(batch_nos) == [1]
        self.credit = 0
        return self._receipt("claimKeeperFees")

    def _receipt(self, call: str) -> TransactionReceipt:
        return TransactionReceipt(call, bytes(32), 1, GAS, GWEI, b"")


class Witnesses:
    """A server of witnesses that may alter or withhold them."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.alter: Callable[[dict[str, Any]], dict[str, object] | None] = lambda tree: tree
        self.is_down = False

    def witness(self, batch_no: int, index: int) -> dict[str, object] | None:
        if self.is_down:
            raise WitnessMissing("the server does not answer")
        assert batch_no == 1
        return self.alter(to_json(self.batch.witnesses[index]))


class Stand:
    """A keeper with its chain and its server."""

    def __init__(self, batch: Batch) -> None:
        self.chain, self.server = Manager(batch), Witnesses(batch)
        self.keeper = Keeper(self.chain, self.server, KEEPER, KeeperPolicy(attempts=3))


@pytest.fixture
def stand(batch: Batch) -> Stand:
    return Stand(batch)


def test_every_liquidation_is_verified_once(stand: Stand) -> None:
    assert len(stand.keeper.step()) == 2
    assert stand.keeper.step() == []
    assert stand.chain.verified == {0, 1}
    assert stand.keeper.earnings == Earnings(verified=2, gas_used=2 * GAS, gas_wei=2 * GAS * GWEI)


def test_fees_are_claimed_and_compared_with_gas(stand: Stand) -> None:
    assert stand.keeper.claim() is None
    stand.keeper.step()
    assert stand.keeper.claim() is None, "nothing is due before the batch is final"
    stand.chain.is_final = True
    assert stand.keeper.claim() is not None
    assert stand.keeper.claim() is None
    earnings = stand.keeper.earnings
    assert earnings.earned_e6 == 2 * FEE_E6
    # 450,000 gas at 1 gwei is 0.00045 coins, at 4,000 USD a coin 1.80 USD.
    assert earnings.net_e6(4_000 * 10**8) == 2 * FEE_E6 - 1_800_000


def test_what_was_verified_by_others_costs_no_gas(stand: Stand) -> None:
    stand.chain.verified = {0}
    assert len(stand.keeper.step()) == 1
    assert stand.chain.sent == 1


def test_to_come_second_is_no_error(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.chain.verified = {0, 1}
    monkeypatch.setattr(stand.chain, "is_verified", lambda *_: False)
    assert stand.keeper.step() == []
    assert stand.keeper.earnings.second == 2
    assert stand.keeper.given_up == {}


def test_a_final_batch_is_left_alone(stand: Stand) -> None:
    stand.chain.is_final = True
    assert stand.keeper.step() == []
    assert stand.chain.sent == 0


def drop_cash(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"leaf": tree["leaf"] | {"cash_e6": "-1"}}


def other_place(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"index": str(1 - int(tree["index"]))}


def wrong_type(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"index": 0}


def unknown_key(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"extra": "1"}


def huge_number(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"epoch": tree["epoch"] | {"number": str(2**100)}}


def huge_amount(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"leaf": tree["leaf"] | {"cash_e6": str(2**100)}}


def no_columns(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"columns": []}


def odd_bytes(tree: dict[str, Any]) -> dict[str, object]:
    return tree | {"account_proof": ["0x01"] * 20}


HOSTILE = [
    drop_cash,
    other_place,
    wrong_type,
    unknown_key,
    huge_number,
    huge_amount,
    no_columns,
    odd_bytes,
]


@pytest.mark.parametrize("alter", HOSTILE)
def test_a_witness_that_does_not_hold_costs_no_gas_and_is_given_up(
    stand: Stand, alter: Callable[[dict[str, Any]], dict[str, object]]
) -> None:
    stand.server.alter = alter
    for _ in range(5):
        assert stand.keeper.step() == []
    assert stand.chain.sent == 0
    assert set(stand.keeper.given_up) == {(1, 0), (1, 1)}


def test_a_witness_under_another_header_is_not_submitted(stand: Stand, batch: Batch) -> None:
    stand.chain.batch = replace(batch, header=replace(batch.header, liquidation_root=bytes(32)))
    assert stand.keeper.step() == []
    assert stand.chain.sent == 0


def test_a_batch_that_cannot_be_read_back_does_not_hold_up_the_others(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(batch_no: int) -> BatchHeader:
        raise BatchDataMissing(f"batch {batch_no}")

    with monkeypatch.context() as patch:
        patch.setattr(stand.chain, "committed_header", unreadable)
        assert stand.keeper.step() == []
        assert stand.keeper.unreadable == [1]
    assert len(stand.keeper.step()) == 2
    assert stand.keeper.unreadable == []


def test_missing_witnesses_are_asked_for_again(stand: Stand) -> None:
    stand.server.alter = lambda _tree: None
    for _ in range(5):
        assert stand.keeper.step() == []
    stand.server.is_down = True
    assert stand.keeper.step() == []
    stand.server.is_down, stand.server.alter = False, lambda tree: tree
    assert len(stand.keeper.step()) == 2


def test_a_report_that_is_not_there_yet_is_waited_for(stand: Stand) -> None:
    stand.chain.reports = set()
    for _ in range(5):
        assert stand.keeper.step() == []
    stand.chain.reports = None
    assert len(stand.keeper.step()) == 2


def test_other_refusals_are_tried_a_bounded_number_of_times(stand: Stand) -> None:
    stand.chain.refuse = "NotLiquidatable"
    for _ in range(5):
        assert stand.keeper.step() == []
    assert stand.chain.sent == 2 * 3
    assert "NotLiquidatable" in stand.keeper.given_up[1, 0]


def test_a_step_is_bounded(batch: Batch) -> None:
    chain = Manager(batch)
    keeper = Keeper(chain, Witnesses(batch), KEEPER, KeeperPolicy(per_step=1))
    assert [len(keeper.step()) for _ in range(3)] == [1, 1, 0]


def test_a_silent_node_is_not_held_against_a_liquidation(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> bool:
        raise ChainUnreachable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(stand.chain, "is_verified", silent)
        with pytest.raises(ChainUnreachable):
            stand.keeper.step()
    assert len(stand.keeper.step()) == 2


def test_what_a_reorganisation_took_is_verified_again(stand: Stand) -> None:
    assert len(stand.keeper.step()) == 2
    stand.chain.verified.discard(1)
    assert len(stand.keeper.step()) == 1
    assert stand.chain.sent == 3
    assert stand.keeper.step() == []
