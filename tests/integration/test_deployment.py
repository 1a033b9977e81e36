"""A deployment puts every contract where it was predicted, wired as it was configured."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.exceptions import ContractCustomError

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.deployment import (
    HANDED_OVER,
    Deployment,
    DeploymentError,
    DeploymentFileError,
    deploy,
    predict,
)
from offchain.adapters.deployment_plan import JUDGES, PARTS, creations
from offchain.ledger.terms import terms_hash
from offchain.services.errors import WrongChain
from tests.support.deployed import ATTESTORS, CONFIG, GENESIS_S, ORACLES, Deployed, deployed


@pytest.fixture(scope="module")
def venue() -> Iterator[Deployed]:
    with Anvil(AnvilOptions(timestamp_s=GENESIS_S)) as anvil:
        yield deployed(anvil)


def read(venue: Deployed, name: str, function: str, *arguments: Any) -> Any:
    return venue.contract(name).functions[function](*arguments).call()


def addresses(venue: Deployed, name: str, *functions: str) -> list[str]:
    return [read(venue, name, function) for function in functions]


def test_every_contract_is_there_under_its_name(venue: Deployed) -> None:
    assert tuple(venue.deployment.addresses) == creations(2, feeds=2)
    for name in venue.deployment.addresses:
        assert venue.web3.eth.get_code(venue.deployment.address(name)), name
    assert venue.deployment.chain_id == 31_337
    assert venue.deployment.block_number == 1


def test_the_core_refers_to_itself_in_circles(venue: Deployed) -> None:
    at = venue.deployment.address
    assert addresses(venue, "CollateralVault", "inbox", "settlement") == [
        at("Inbox"),
        at("Settlement"),
    ]
    assert read(venue, "CollateralVault", "token", 0) == at("Cash")
    assert read(venue, "CollateralVault", "token", 1) == at("Collateral1")
    assert read(venue, "CollateralVault", "token", 2) == at("Collateral2")
    assert read(venue, "CollateralVault", "collateralCount") == 2
    assert read(venue, "Inbox", "vault") == at("CollateralVault")
    fund = addresses(venue, "InsuranceFund", "cash", "vault", "settlement", "liquidationManager")
    names = ("Cash", "CollateralVault", "Settlement", "LiquidationManager")
    assert fund == [at(name) for name in names]
    links = ("settlement", "oracleHub", "riskParameters", "insuranceFund")
    parts = ("Settlement", "OracleHub", "RiskParameters", "InsuranceFund")
    assert addresses(venue, "LiquidationManager", *links) == [at(name) for name in parts]


def test_settlement_holds_what_was_configured(venue: Deployed) -> None:
    links = ("vault", "inbox", "liquidationManager", "riskParameters", "insuranceFund")
    parts = ("CollateralVault", "Inbox", "LiquidationManager", "RiskParameters", "InsuranceFund")
    at = venue.deployment.address
    assert addresses(venue, "Settlement", *links) == [at(name) for name in parts]
    assert read(venue, "Settlement", "proofRouter") == at("ProofRouter")
    assert read(venue, "SequencerRegistry", "current") == [CONFIG.sequencer, 1, False]
    assert read(venue, "Settlement", "attestedWindow") == CONFIG.protocol.attested_window_s
    assert read(venue, "Settlement", "maxOpenBatches") == CONFIG.protocol.max_open_batches
    assert read(venue, "Settlement", "maxSkew") == CONFIG.protocol.max_skew_s
    assert read(venue, "Settlement", "engineHash") == CONFIG.engine_hash
    assert read(venue, "Settlement", "head") == 0


def test_oracle_and_parameters_hold_what_was_configured(venue: Deployed) -> None:
    limits = (6, 50_000, 120_000_000_000, 15_000_000_000)
    assert tuple(read(venue, "OracleHub", "limits")) == limits
    ascending = sorted((o.address for o in ORACLES), key=str.lower)
    assert read(venue, "OracleHub", "signers") == ascending
    assert read(venue, "OracleHub", "quorum") == CONFIG.oracle_quorum
    hashes = CONFIG.curves_hash + CONFIG.listing_root + CONFIG.document_hash
    expected = Web3.keccak(terms_hash(CONFIG.terms) + hashes)
    assert read(venue, "RiskParameters", "paramsHash") == expected
    assert read(venue, "RiskParameters", "listingRootOf", expected) == CONFIG.listing_root
    assert read(venue, "RiskParameters", "documentHashOf", expected) == CONFIG.document_hash
    for i, name in enumerate(CONFIG.index_feeds):
        assert read(venue, f"Feed{i}", "description") == name
        assert read(venue, f"Feed{i}", "oracleHub") == venue.deployment.address("OracleHub")
        assert read(venue, f"Feed{i}", "feed") == i


def test_the_attested_kind_is_registered(venue: Deployed) -> None:
    verifier = venue.deployment.address("AttestedVerifier")
    assert read(venue, "ProofRouter", "verifierOf", 0) == verifier
    assert read(venue, "AttestedVerifier", "threshold") == CONFIG.attestor_threshold
    assert read(venue, "AttestedVerifier", "attestorCount") == len(ATTESTORS)
    assert all(read(venue, "AttestedVerifier", "isAttestor", a.address) for a in ATTESTORS)


def test_the_timelock_is_the_only_admin_afterwards(venue: Deployed) -> None:
    timelock = venue.deployment.address("PlimsollTimelock")
    for name in HANDED_OVER:
        role = read(venue, name, "DEFAULT_ADMIN_ROLE")
        assert read(venue, name, "hasRole", role, timelock)
        assert not read(venue, name, "hasRole", role, venue.deployer.address)
        assert not read(venue, name, "hasRole", role, CONFIG.sequencer)
    for name in ("CollateralVault", "VaultLimits", "RiskParameters", "SequencerRegistry", "Court"):
        assert read(venue, name, "governor") == timelock


def test_the_timelock_can_make_nobody_else_an_admin(venue: Deployed) -> None:
    timelock = venue.deployment.address("PlimsollTimelock")
    for name in HANDED_OVER:
        grant = venue.contract(name).functions.grantRole(bytes(32), venue.deployer.address)
        with pytest.raises(ContractCustomError):
            grant.call({"from": timelock})


def test_every_judge_is_registered_under_its_kind(venue: Deployed) -> None:
    for name, kind in JUDGES.items():
        assert read(venue, "Court", "judgeOf", kind) == venue.deployment.address(name)
    for place, name in enumerate(PARTS):
        assert read(venue, "EffectsJudge", "part", place) == venue.deployment.address(name)


def test_a_proposal_waits_longer_than_leaving_by_force_takes(venue: Deployed) -> None:
    terms = CONFIG.protocol
    waits = (terms.forced_deadline_s, terms.attested_window_s, terms.max_extension_s)
    assert read(venue, "PlimsollTimelock", "getMinDelay") == sum(waits) + terms.exit_slack_s


def test_the_insurance_is_funded_and_its_account_seeded(venue: Deployed) -> None:
    assert read(venue, "InsuranceFund", "reserveE6") == CONFIG.insurance_reserve_e6
    assert read(venue, "CollateralVault", "bookedBalance", 0) == CONFIG.insurance_seed_e6
    (event,) = venue.contract("Inbox").events.Enqueued.get_logs(from_block=0)
    assert event["args"]["owner"] == venue.deployment.address("InsuranceFund")
    assert event["args"]["amount"] == CONFIG.insurance_seed_e6


def test_a_second_deployment_is_a_separate_one_as_predicted(venue: Deployed) -> None:
    foreseen = predict(venue.web3, venue.deployer.address, feeds=2, collaterals=2)
    second = deploy(venue.web3, venue.anvil.keys[0], CONFIG)
    assert dict(second.addresses) == foreseen
    assert not set(second.addresses.values()) & set(venue.deployment.addresses.values())


def test_a_chain_that_is_not_allowed_is_refused() -> None:
    with Anvil(AnvilOptions(chain_id=1)) as anvil:
        with pytest.raises(WrongChain, match="this is chain 1; the configuration allows 31337"):
            deploy(anvil.web3(), anvil.keys[0], CONFIG)
        assert anvil.web3().eth.block_number == 0
        allowed = replace(CONFIG, allowed_chains=(1,))
        with pytest.raises(DeploymentError, match="Cash"):  # development tokens refuse it too
            deploy(anvil.web3(), anvil.keys[0], allowed)


def test_tokens_that_exist_are_used(venue: Deployed) -> None:
    assert venue.deployment.tokens == ("Cash", "Collateral1", "Collateral2")
    tokens = tuple(venue.deployment.addresses[name] for name in venue.deployment.tokens)
    config = replace(CONFIG, tokens=tokens, insurance_reserve_e6=0, insurance_seed_e6=0)
    second = deploy(venue.web3, venue.anvil.keys[2], config)
    assert tuple(second.addresses[name] for name in second.tokens) == tokens
    assert tuple(second.addresses) == tuple(venue.deployment.addresses)
    vault = replace(venue, deployment=second).contract("CollateralVault")
    assert vault.functions.token(0).call() == tokens[0]


def test_a_step_that_a_contract_refuses_is_named(venue: Deployed) -> None:
    with pytest.raises(DeploymentError, match="AttestedVerifier"):
        deploy(venue.web3, venue.anvil.keys[1], replace(CONFIG, attestor_threshold=4))


def test_a_record_survives_its_file(venue: Deployed, tmp_path: Path) -> None:
    path = tmp_path / "new" / "deployment.json"
    venue.deployment.save(path)
    assert Deployment.load(path) == venue.deployment
    assert json.loads(path.read_text())["chain_id"] == "31337"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "another"),
        ("chain_id", "x"),
        ("block_number", None),
        ("addresses", []),
        ("addresses", {"Inbox": "0x12"}),
    ],
)
def test_a_broken_record_is_refused_by_name(
    venue: Deployed, tmp_path: Path, field: str, value: object
) -> None:
    path = tmp_path / "deployment.json"
    venue.deployment.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(DeploymentFileError, match=r"deployment\.json"):
        Deployment.load(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "7"])
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(text)
    with pytest.raises(DeploymentFileError, match=r"deployment\.json"):
        Deployment.load(path)


def test_a_missing_record_and_an_unknown_name_are_refused(venue: Deployed, tmp_path: Path) -> None:
    with pytest.raises(DeploymentFileError, match="absent"):
        Deployment.load(tmp_path / "absent.json")
    with pytest.raises(DeploymentError, match="no address of Challenge"):
        venue.deployment.address("Challenge")
