"""The chain client against a real node: faults have names, nonces mend, events read back."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from offchain.adapters import chain_history
from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain import BatchStatus, Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.deployment import Deployment
from offchain.core.units import SECOND_NS
from offchain.services.errors import (
    BatchDataMissing,
    ChainUnreachable,
    NodeRefused,
    ReceiptMissing,
    TransactionRefused,
    TransactionReverted,
    WrongChain,
)
from offchain.services.signing import KeySigner
from tests.support.deployed import GENESIS_S, deployed
from tests.support.devnet import GAS_WEI, signer, text

USER, NOBODY = signer("user of the chain"), signer("nobody has given me gas")
DOLLAR = 10**6


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Anvil, Deployment]]:
    with Anvil(AnvilOptions(timestamp_s=GENESIS_S)) as anvil:
        yield anvil, deployed(anvil).deployment


@pytest.fixture
def chain(place: tuple[Anvil, Deployment]) -> Iterator[Chain]:
    anvil, deployment = place
    with Chain(anvil.url, deployment) as found:
        found.give_gas(USER.address, GAS_WEI)
        yield found


def test_another_chain_is_refused(place: tuple[Anvil, Deployment]) -> None:
    anvil, deployment = place
    with pytest.raises(WrongChain, match="is chain 31337, not 1"):
        Chain(anvil.url, replace(deployment, chain_id=1))


def test_an_address_without_code_is_refused_by_name(place: tuple[Anvil, Deployment]) -> None:
    anvil, deployment = place
    addresses = dict(deployment.addresses) | {"Inbox": "0x" + "12" * 20}
    with pytest.raises(WrongChain, match="Inbox: there is no code at 0x1212"):
        Chain(anvil.url, replace(deployment, addresses=addresses))


def test_a_node_that_is_gone_is_unreachable(place: tuple[Anvil, Deployment]) -> None:
    _, deployment = place
    with Anvil() as other:
        url = other.url
    with pytest.raises(ChainUnreachable, match=url):
        Chain(url, deployment)


def test_a_revert_names_the_error_and_its_arguments(chain: Chain) -> None:
    with pytest.raises(TransactionReverted) as caught:
        chain.call("CollateralVault", "token", 7)
    assert (caught.value.call, caught.value.name) == ("CollateralVault.token", "UnknownAsset")
    assert caught.value.arguments == {"asset": 7}
    amount = DOLLAR // 100
    with pytest.raises(TransactionReverted) as caught:
        chain.deposit(USER, 0, amount, USER.address)
    vault = chain.contracts["CollateralVault"].address
    assert caught.value.name == "ERC20InsufficientAllowance", "an error of a called contract"
    assert caught.value.arguments == {"spender": vault, "allowance": 0, "needed": amount}


def test_a_sender_without_gas_is_refused(chain: Chain) -> None:
    with pytest.raises(TransactionRefused, match=r"Cash\.mint"):
        chain.mint(NOBODY, 0, NOBODY.address, 1)


def test_a_receipt_says_where_and_what_it_cost(chain: Chain) -> None:
    receipt = chain.mint(USER, 0, USER.address, DOLLAR)
    assert receipt.call == "Cash.mint"
    assert receipt.block == chain.block_number()
    assert receipt.calldata == chain.contracts["Cash"].function("mint").encode(
        [USER.address, DOLLAR]
    )
    use = chain.gas_by_call["Cash.mint"]
    assert (use.count, use.total, use.mean) == (1, receipt.gas_used, receipt.gas_used)
    assert receipt.gas_used > 21_000


def test_deposits_read_back_in_order_over_small_pages(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = chain.inbox_count()
    chain.mint(USER, 0, USER.address, 60 * DOLLAR)
    chain.approve(USER, 0, 60 * DOLLAR)
    for amount in (10, 20, 30):
        chain.deposit(USER, 0, amount * DOLLAR, USER.address, subaccount=amount)
    monkeypatch.setattr(chain_history, "PAGE_BLOCKS", 2)
    entries = chain.inbox_entries(0, chain.block_number())
    assert [e.index for e in entries] == list(range(1, before + 4))
    assert [(e.owner, e.subaccount, e.amount) for e in entries[before:]] == [
        (USER.address, amount, amount * DOLLAR) for amount in (10, 20, 30)
    ]
    assert entries[-1].prefix == chain.inbox_prefix(before + 3)
    assert chain.inbox_entries(0, entries[-2].block) == entries[:-1]


def test_pages_shrink_when_the_node_refuses_them(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(chain.events())
    asked = chain.node.logs

    def narrow(first: int, last: int, *rest: object) -> object:
        if last - first >= 3:
            raise NodeRefused("query returned more than 10000 results")
        return asked(first, last, *rest)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(chain.node, "logs", narrow)
    assert list(chain.events()) == expected
    assert expected


def test_events_of_all_contracts_come_decoded_and_in_order(chain: Chain) -> None:
    events = list(chain.events())
    assert [(e.block, e.log_index) for e in events] == sorted(
        (e.block, e.log_index) for e in events
    )
    adopted = next(e for e in events if e.name == "ParametersAdopted")
    assert adopted.contract == "RiskParameters"
    assert adopted.arguments["version"] == 1
    assert adopted.arguments["paramsHash"] == chain.call("RiskParameters", "paramsHash")


def test_a_wrong_nonce_is_mended(chain: Chain) -> None:
    chain.mint(USER, 0, USER.address, 1)
    nonce = chain.node.nonce(USER.address)
    chain.node.request("anvil_setNonce", text(USER.address), hex(nonce + 5))
    receipt = chain.mint(USER, 0, USER.address, 1)
    assert receipt.gas_used > 0
    assert chain.node.nonce(USER.address) == nonce + 6


def test_two_clients_of_one_key_do_not_disturb_one_another(
    place: tuple[Anvil, Deployment], chain: Chain
) -> None:
    anvil, deployment = place
    with Chain(anvil.url, deployment) as other:
        for _ in range(3):
            chain.mint(USER, 0, USER.address, 1)
            other.mint(USER, 0, USER.address, 1)


def test_threads_share_a_key(chain: Chain) -> None:
    before = chain.token_balance(1, USER.address)
    threads = [
        threading.Thread(target=lambda: [chain.mint(USER, 1, USER.address, 1) for _ in range(5)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chain.token_balance(1, USER.address) == before + 20


def test_a_transaction_that_is_not_mined_has_no_receipt_and_the_next_one_goes_on(
    place: tuple[Anvil, Deployment], chain: Chain
) -> None:
    anvil, deployment = place
    with Chain(anvil.url, deployment, receipt_timeout_s=0.2) as hasty:
        hasty.node.request("evm_setAutomine", False)
        try:
            with pytest.raises(ReceiptMissing) as caught:
                hasty.mint(USER, 0, USER.address, 1)
        finally:
            hasty.node.request("evm_setAutomine", True)
            hasty.mine()
        assert len(caught.value.transaction_hash) == 32
        hasty.mint(USER, 0, USER.address, 1)


APART = {"Feed", "PythFeed", "RiskOracle", "FundingOracle", "RiskCells", "NormalTable"}
"""What others read; nothing that settles refers to it."""


def test_a_settlement_address_is_enough_for_a_stranger(
    place: tuple[Anvil, Deployment], chain: Chain
) -> None:
    anvil, deployment = place
    found = discover(anvil.url, chain.contracts["Settlement"].address)
    known = {
        n: a.lower() for n, a in deployment.addresses.items() if n.rstrip("0123456789") not in APART
    }
    assert dict(found.addresses) == known
    with Chain(anvil.url, found) as stranger:
        assert list(stranger.events(["Inbox"])) == list(chain.events(["Inbox"]))


def test_a_stranger_finds_the_block_from_which_on_there_is_a_past(
    place: tuple[Anvil, Deployment], chain: Chain
) -> None:
    anvil, deployment = place
    settlement = chain.contracts["Settlement"].address
    found = discover(anvil.url, settlement)
    tokens = set(found.tokens)
    ours = [bytes.fromhex(a[2:]) for name, a in found.addresses.items() if name not in tokens]
    codes = [chain.node.code(address, found.block_number) for address in ours]
    assert deployment.block_number <= found.block_number
    assert sum(bool(code) for code in codes) == 1, "the first contract of all"
    assert not any(chain.node.code(address, found.block_number - 1) for address in ours)
    assert discover(anvil.url, settlement, 0).block_number == 0
    names = sorted(found.addresses.keys() - tokens)
    with (
        Chain(anvil.url, found) as stranger,
        Chain(anvil.url, replace(found, block_number=0)) as patient,
    ):
        events = list(stranger.history.events(names))
        assert events == list(patient.history.events(names))
        assert events


def test_what_is_no_settlement_is_refused(place: tuple[Anvil, Deployment], chain: Chain) -> None:
    anvil, _ = place
    with pytest.raises(WrongChain, match="there is no code"):
        discover(anvil.url, USER.address)
    with pytest.raises(WrongChain, match="is no settlement"):
        discover(anvil.url, chain.contracts["Cash"].address)


def test_an_empty_settlement_has_no_batches(chain: Chain) -> None:
    assert (chain.head(), chain.finalised()) == (0, 0)
    assert chain.status_of(1) == BatchStatus.NONE
    assert chain.batch_hash_of(1) == bytes(32)
    assert list(chain.committed_batches()) == []
    with pytest.raises(BatchDataMissing, match="batch 1 was not committed"):
        chain.committed_header(1)
    assert chain.newest_round() == 0


def test_the_clock_of_a_development_chain_is_ours(chain: Chain) -> None:
    later = (chain.block_time() + 1_000) * SECOND_NS + 1
    chain.set_time(later)
    assert chain.block_time() * SECOND_NS == later - 1 + SECOND_NS, "rounded up"
    chain.set_time(later - 500 * SECOND_NS)
    chain.mint(USER, 0, USER.address, 1)
    assert chain.block_time() * SECOND_NS == later - 1 + SECOND_NS, "it neither goes back nor on"


def test_a_key_never_shows(chain: Chain) -> None:
    private = bytes(range(1, 33))
    with pytest.raises(TransactionRefused) as caught:
        chain.mint(KeySigner(private), 0, USER.address, 1)
    assert private.hex() not in f"{caught.value!r}"
