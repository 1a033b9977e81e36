"""Governance lists a token and a set that has it; traders use it, and judges and audit agree."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.adapters.chain_court import ChainCourt
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.parameter_files import ParameterFiles
from offchain.app.parameters_command import PARAMETERS
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, TimestampNs
from offchain.engine.messages import Withdraw
from offchain.ledger.document import document
from offchain.ledger.effects import Effect
from offchain.ledger.terms import params_hash
from offchain.services.audit import audit
from offchain.services.parameter_watch import ParameterWatch
from offchain.services.watch.authenticity import Authenticity
from offchain.services.watch.watcher import Watcher, WatchPolicy
from tests.e2e.test_adoption import ALICE, BOB, BTC_PERP, finish
from tests.e2e.test_adoption_judges import accusations
from tests.support.adoption import with_asset
from tests.support.asset_faults import governed
from tests.support.devnet import BACKSTOP, ENGINE_HASH, GAS_WEI, KEEPER, Devnet, devnet
from tests.support.governed import execute, governor_of, new_token, propose_asset
from tests.support.honest_run import HonestRun
from tests.support.signed_venue import WATCHER, SignedVenue, signed_venue

NEW, COIN = 3, ONE_E8


def pay_in(venue: Devnet, asset: int, amount: int) -> None:
    """Let Alice pay in; nobody brings it to the engine yet."""
    chain = venue.chain
    chain.give_gas(ALICE.address, GAS_WEI)
    chain.mint(ALICE, asset, ALICE.address, amount)
    chain.approve(ALICE, asset, amount)
    chain.deposit(ALICE, asset, amount, ALICE.address)


def sightings(venue: Devnet) -> list[int]:
    """Return the batches that a stranger's watcher found honest; it finds no other."""
    court = ChainCourt(venue.chain)
    domains = venue.chain.domain("Settlement"), venue.chain.domain("OracleHub")
    watcher = Watcher(court, Authenticity(*domains, court.entry), WATCHER, WatchPolicy(is_dry=True))
    seen = watcher.step()
    assert seen.upheld == []
    assert seen.unprovable == {}
    return seen.examined


def test_a_venue_takes_on_another_collateral(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        chain, governor = venue.chain, governor_of(venue.anvil)
        documents = ParameterFiles(tmp_path / PARAMETERS)
        watch = ParameterWatch(chain, venue.sequencer, venue.batcher, documents)
        venue.deposit(BACKSTOP, 5_000_000)
        venue.deposit(ALICE, 50_000, btc_e8=COIN // 10)
        venue.deposit(BOB, 5_000_000)
        venue.price(120_000)
        venue.trade(ALICE, BOB, BTC_PERP, 1_000, 120_000)

        longer = with_asset(venue.rules)
        token = new_token(venue.anvil, longer.collateral[-1].symbol)
        proposal = propose_asset(chain, governor, token, longer)
        venue.wait(int(chain.call("PlimsollTimelock", "getMinDelay")) + 1)
        finish(venue)
        venue.price(120_000)
        # A batch of the old set is open while the new asset comes in, and becomes final.
        venue.batcher.step(force=True)
        execute(chain, governor, proposal)
        assert chain.call("CollateralVault", "collateralCount") == NEW
        pay_in(venue, NEW, 2 * COIN)
        cursor = venue.sequencer.state.inbox_cursor
        assert venue.watcher.poll() == 0
        assert venue.sequencer.state.inbox_cursor == cursor
        finish(venue)

        documents.add(document(longer))
        assert watch.poll() == params_hash(longer)
        assert venue.watcher.poll() == 1
        alice = venue.account(ALICE)
        assert venue.sequencer.state.accounts.collateral[alice].tolist() == [
            COIN // 10,
            0,
            2 * COIN,
        ]
        venue.price(120_000)
        venue.trade(ALICE, BOB, BTC_PERP, 3_000, 120_000)
        venue.nonce += 1
        soon = TimestampNs(venue.now + 60 * SECOND_NS)
        venue._signed(ALICE, Withdraw(alice, NEW, COIN, venue.nonce, soon, b""))
        venue.batcher.step(force=True)
        signed = venue.batcher.batch(venue.batcher.last_batch)
        assert signed is not None
        batch = signed.batch
        assert len(batch.totals.collateral_e8) == NEW
        assert [words[0] for words in batch.words[:1]] == [Effect.ASSETS]
        assert batch.header.batch_no in sightings(venue)
        finish(venue)

        (place, output) = next((i, o) for i, o in enumerate(batch.outputs) if o.asset == NEW)
        chain.claim(KEEPER, batch.header, output, place, batch.output_proof(place))
        assert chain.token_balance(NEW, ALICE.address) == COIN
        report = audit(collect_facts(chain), ENGINE_HASH)
        assert report.is_ok, report.failed


@pytest.fixture(scope="module")
def signed() -> Iterator[SignedVenue]:
    with signed_venue() as made:
        yield made


def test_an_honest_batch_with_more_assets_is_never_challengeable(signed: SignedVenue) -> None:
    """Every accusation that the watcher knows, of every record: no judge upholds one."""
    venue, run = signed, HonestRun(signed, seed=5)
    watcher = Watcher(venue.court, venue.authenticity, WATCHER)
    run.batch(records=6)
    assert watcher.step().examined == [1]
    venue.must(governed(venue))
    venue.rules = with_asset(venue.rules)
    for key in (run.someone(), run.someone()):
        venue.deposit(key, NEW, COIN // 4)
        venue.deposit(key, 0, 7 * ONE_E6)
    venue.sync()
    venue.price(run.usd)
    venue.must(venue.withdrawal(key, NEW, 10_000))
    venue.must(venue.conversion(key, NEW, 20_000))
    venue.force(key, "forceWithdraw", 0, NEW, 30_000)
    venue.sync()
    batch = run.batch(records=8)
    assert watcher.step().examined == [2]
    answers: list[bool | str] = []
    cells = 0
    for accusation in accusations(watcher.replay, 2):
        if accusation.kind == 2:
            cells += 1
            if cells % 60:
                continue
        answer = venue.court.answer(batch.header, accusation)
        assert answer is not True, accusation.rule
        answers.append(answer)
    assert answers.count(False) > 50
    following = run.batch(records=4)
    assert watcher.step().examined == [3]
    assert replace(following.header, params_hash=batch.header.params_hash) == following.header
