"""Governance tightens and adopts on the real contracts, and the venue goes on under each set."""

from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain import Chain
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.parameter_files import ParameterFiles
from offchain.app.devnet import launch, save_deployment
from offchain.app.parameters_command import PARAMETERS, add_document
from offchain.core.parameters import RiskParameters
from offchain.core.terms import terms
from offchain.core.units import ONE_E8, SECOND_NS
from offchain.ledger.document import document
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.listing import listing_root
from offchain.ledger.terms import curves_hash, params_hash
from offchain.services.audit import audit
from offchain.services.parameter_watch import ParameterWatch
from offchain.services.signing import KeySigner
from tests.support.adoption import later_call, tighter, with_strike
from tests.support.devnet import BACKSTOP, ENGINE_HASH, WINDOW_S, Devnet, devnet, signer
from tests.support.mortal import START_NS, TERMS, Inhabited, Life, pay_in

ALICE, BOB = signer("alice"), signer("bob")
BTC_PERP = 0


def key_of(text: str) -> KeySigner:
    return KeySigner(bytes.fromhex(text[2:]))


def tighten(chain: Chain, risk: KeySigner, rules: RiskParameters) -> None:
    """Let the risk role tighten, at once."""
    chain.send(risk, "RiskParameters", "tighten", astuple(tighter(rules)))


def propose(chain: Chain, proposer: KeySigner, rules: RiskParameters) -> tuple[Any, ...]:
    """Schedule the adoption of a set, and return what executes it."""
    adopt = chain.contracts["RiskParameters"].function("adopt")
    hashes = curves_hash(rules), listing_root(rules), keccak256(document(rules))
    call = adopt.encode((astuple(terms(rules)), *hashes))
    target = chain.contracts["RiskParameters"].checksum_address
    proposal = (target, 0, call, ZERO32, ZERO32)
    delay = int(chain.call("PlimsollTimelock", "getMinDelay"))
    chain.send(proposer, "PlimsollTimelock", "schedule", *proposal, delay)
    return proposal


def finish(venue: Devnet) -> None:
    """Make every batch final."""
    for _ in range(8):
        venue.batcher.step(force=True)
        venue.keeper.step()
        if venue.chain.finalised() == venue.batcher.last_batch:
            return
        venue.wait(WINDOW_S + 1)
    pytest.fail("some batch does not become final")


def test_the_venue_goes_on_under_tightened_terms_and_then_under_a_longer_listing(
    tmp_path: Path,
) -> None:
    with devnet(tmp_path) as venue:
        chain, governor = venue.chain, key_of(venue.anvil.keys[0])
        documents = ParameterFiles(tmp_path / PARAMETERS)
        watch = ParameterWatch(chain, venue.sequencer, venue.batcher, documents)
        venue.deposit(BACKSTOP, 5_000_000)
        venue.deposit(ALICE, 50_000)
        venue.deposit(BOB, 5_000_000)
        venue.price(120_000)
        venue.trade(ALICE, BOB, BTC_PERP, 2_000, 120_000)
        assert watch.poll() is None

        tighten(chain, governor, venue.rules)
        first = watch.poll()
        assert first == venue.sequencer.journal.params_hash == chain.active_params_hash()
        for usd in (115_000, 110_000, 106_000, 103_000):
            venue.price(usd)
        assert venue.sequencer.state.flows.liquidations > 0
        venue.batcher.step(force=True)
        signed = venue.batcher.batch(2)
        assert signed is not None
        assert signed.batch.terms == tighter(venue.rules)
        verified = venue.keeper.step()
        assert len(verified) == signed.batch.header.liquidation_count > 0
        assert venue.keeper.given_up == {}

        longer = with_strike(venue.rules)
        proposal = propose(chain, governor, longer)
        venue.wait(int(chain.call("PlimsollTimelock", "getMinDelay")) + 1)
        finish(venue)
        chain.send(BOB, "PlimsollTimelock", "execute", *proposal)
        assert watch.poll() is None
        assert watch.problem is not None
        assert "was not given to this node" in watch.problem
        venue.price(103_000)
        documents.add(document(longer))
        assert watch.poll() == params_hash(longer)
        venue.trade(BOB, BACKSTOP, later_call(longer), 5, 500)
        venue.price(103_500)
        finish(venue)
        assert venue.sequencer.state.accounts.lots_of(venue.account(BOB), later_call(longer)) == 5

        facts = collect_facts(chain)
        assert len(facts.parameters) == 3
        assert len({posted.header.params_hash for posted in facts.batches}) == 3
        report = audit(facts, ENGINE_HASH)
        assert report.is_ok, report.failed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Inhabited]:
    """Start a node whose traders have positions."""
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS, accounts=1)) as anvil:
        made = launch(anvil.url, anvil.keys[0], START_NS, TERMS)
        save_deployment(made, tmp_path / "deployment.json")
        pay_in(made)
        found = Inhabited(Life(anvil.url, made.admin_key, str(tmp_path), 0, "appended"), made)
        found.node.start()
        found.trade()
        yield found
        found.close()


def test_a_node_follows_the_chain_says_what_it_lacks_and_starts_again(
    here: Inhabited, tmp_path: Path
) -> None:
    node, chain = here.node, here.chain
    governor, rules = key_of(here.devnet.admin_key), here.devnet.parameters
    tighten(chain, governor, rules)
    node.settle(force=True)
    assert node.sequencer.journal.params_hash == chain.active_params_hash()

    strike = 10 * rules.listing.instruments[-1].strike_e8 // ONE_E8
    longer = with_strike(rules, strike)
    proposal = propose(chain, governor, longer)
    here.wait(int(chain.call("PlimsollTimelock", "getMinDelay")) + 1)
    chain.send(governor, "PlimsollTimelock", "execute", *proposal)
    node.settle(force=True)
    assert node.missing() == ["parameters"]

    file = tmp_path / "longer.json"
    file.write_bytes(document(longer))
    said = add_document(here.node.choices.folder, file)
    node.settle(force=True)
    assert node.missing() == []
    wanted = node.sequencer.journal.params_hash
    assert said["params_hash"] == f"0x{wanted.hex()}"
    here.price(119_000)
    node.settle(force=True)
    node.stop()

    again = type(node)(here.devnet, here.clock, node.choices)
    here.node = again
    again.start()
    assert again.sequencer.journal.params_hash == wanted
    again.settle(force=True)
