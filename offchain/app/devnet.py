"""A devnet: contracts on a local chain, parameters for them, and where everything is."""

from dataclasses import dataclass
from pathlib import Path

from web3 import HTTPProvider, Web3

from offchain.adapters.anvil import Anvil
from offchain.adapters.chain import Chain
from offchain.adapters.deployment import DeploymentConfig, deploy, predict
from offchain.app.engine_hash import engine_hash
from offchain.app.keys import QUORUM, THRESHOLD, DevnetKeys, hex_address
from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, ETHER, THIN, Roles, Series, pm36
from offchain.core.units import DAY_NS, ONE_E6, SECOND_NS
from offchain.ledger.document import document
from offchain.ledger.keccak import keccak256
from offchain.ledger.terms import terms

GAS_MONEY_WEI = 10**20
BTC_STRIKES = (100_000, 105_000, 110_000, 115_000, 120_000, 125_000, 130_000)
ETH_STRIKES = (3_200, 3_600, 4_000, 4_400, 4_800)


@dataclass(frozen=True, slots=True)
class DevnetTerms:
    """What a devnet chooses for itself.

    Attributes
    ----------
    insurance_seed_e6 : int
        Cash of the insurance account at the start. [USD e-6]
    keeper_reserve_e6 : int
        Cash of the fund's contract, from which keepers are paid. [USD e-6]
    """

    challenge_window_s: int = 900
    max_open_batches: int = 16
    max_skew_s: int = 60
    insurance_seed_e6: int = 250_000 * ONE_E6
    keeper_reserve_e6: int = 10_000 * ONE_E6


@dataclass(frozen=True, slots=True)
class Devnet:
    """A deployed devnet. `admin_key` mints development tokens."""

    chain: Chain
    parameters: RiskParameters
    keys: DevnetKeys
    engine_hash: bytes
    admin_key: str


def expiries(start_ns: int) -> tuple[tuple[str, int], ...]:
    """Return the next two expiries: 08:00 UTC, 7 and 21 days after the day of `start_ns`."""
    day = start_ns // DAY_NS * DAY_NS + 8 * 3_600 * SECOND_NS
    return (("7D", day + 7 * DAY_NS), ("21D", day + 21 * DAY_NS))


def launch(anvil: Anvil, start_ns: int, choices: DevnetTerms | None = None) -> Devnet:
    """Deploy everything on a fresh local chain and give the operator's keys gas money.

    Raises
    ------
    DeploymentError, CompilerError, ChainError
        What stopped it.
    """
    choices, keys = choices or DevnetTerms(), DevnetKeys.make()
    web3 = Web3(HTTPProvider(anvil.url))
    admin = anvil.keys[0]
    owner = web3.eth.account.from_key(admin).address
    dates = expiries(start_ns)
    at = predict(web3, owner, feeds=2)
    parameters = pm36(
        (Series(BITCOIN, dates, BTC_STRIKES), Series(ETHER, dates, ETH_STRIKES)),
        Roles(
            tuple(hex_address(key) for key in keys.oracles),
            insurance_owner=str(at["InsuranceFund"]).lower(),
            backstop_owner=hex_address(keys.backstop),
        ),
        quorum=QUORUM,
        grids=THIN,
    )
    rules = engine_hash()
    deployment = deploy(web3, admin, _configuration(keys, parameters, rules, choices))
    chain = Chain(anvil.url, deployment)
    for key in (keys.sequencer, keys.relayer, keys.keeper, keys.backstop):
        chain.give_gas(key.address, GAS_MONEY_WEI)
    return Devnet(chain, parameters, keys, rules, admin)


def _configuration(
    keys: DevnetKeys, parameters: RiskParameters, rules: bytes, choices: DevnetTerms
) -> DeploymentConfig:
    return DeploymentConfig(
        sequencer=hex_address(keys.sequencer),
        oracle_signers=tuple(hex_address(key) for key in keys.oracles),
        oracle_quorum=parameters.oracle.quorum,
        feeds=len(parameters.listing.feeds),
        heartbeat_s=parameters.oracle.heartbeat_ns // SECOND_NS,
        band_e6=parameters.oracle.band_e6,
        terms=terms(parameters),
        document_hash=keccak256(document(parameters)),
        engine_hash=rules,
        attestors=tuple(hex_address(key) for key in keys.attestors),
        attestor_threshold=THRESHOLD,
        challenge_window_s=choices.challenge_window_s,
        max_open_batches=choices.max_open_batches,
        max_skew_s=choices.max_skew_s,
        insurance_reserve_e6=choices.keeper_reserve_e6,
        insurance_seed_e6=choices.insurance_seed_e6,
        index_feeds=("BTC / USD", "ETH / USD"),
    )


def save_deployment(devnet: Devnet, path: Path) -> None:
    """Write where the contracts are, for those who come later."""
    devnet.chain.deployment.save(path)
