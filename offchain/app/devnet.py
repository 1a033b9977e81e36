"""A devnet: contracts on a local chain, parameters for them, and where everything is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from web3 import HTTPProvider, Web3

from offchain.adapters.chain import Chain
from offchain.adapters.deployment import Deployment, deploy, predict
from offchain.adapters.deployment_plan import DeploymentConfig
from offchain.adapters.protocol_terms import DEVELOPMENT, ProtocolTerms
from offchain.app.engine_hash import engine_hash
from offchain.app.keys import QUORUM, THRESHOLD, DevnetKeys, hex_address
from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, COLLATERAL, ETHER, GRACE, THIN, Roles, Series, pm36
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, SECOND_NS, TimestampNs
from offchain.ledger.document import document
from offchain.ledger.keccak import keccak256
from offchain.ledger.listing import listing_root
from offchain.ledger.terms import curves_hash, terms
from offchain.services.errors import OffchainError
from offchain.services.feed_model import FeedTerms
from offchain.services.signing import KeySigner

GAS_MONEY_WEI = 10**20
OPENING_E8 = (120_000 * ONE_E8, 4_150 * ONE_E8)
BTC_LADDER, ETH_LADDER = (-4, -3, -2, -1, 0, 1, 2), (-2, -1, 0, 1, 2)
"""Strikes, in steps from the one nearest to the opening price; more below, for crashes."""
BTC_STEP_E6, ETH_STEP_E6 = 50_000, 125_000
"""Largest step between two strikes, relative to the opening price. [1e-6]"""

FEED_TERMS = (
    FeedTerms(drawdown_response_e6=3_500_000, move_response_e6=30_000_000),
    FeedTerms(
        base_volatility_e8=60_000_000, drawdown_response_e6=3_500_000, move_response_e6=30_000_000
    ),
)


@dataclass(frozen=True, slots=True)
class DevnetTerms:
    """What a devnet chooses for itself.

    Attributes
    ----------
    opening_e8 : tuple of int
        First prices of BTC and ETH; the strikes lie around them. [USD e-8]
    insurance_seed_e6 : int
        Cash of the insurance account at the start. [USD e-6]
    keeper_reserve_e6 : int
        Cash of the fund's contract, from which keepers are paid. [USD e-6]
    grace : (int, TimestampNs)
        Reports and time after a silence of the oracle before anybody is liquidated.
    """

    opening_e8: tuple[int, int] = OPENING_E8
    protocol: ProtocolTerms = DEVELOPMENT
    insurance_seed_e6: int = 250_000 * ONE_E6
    keeper_reserve_e6: int = 10_000 * ONE_E6
    grace: tuple[int, TimestampNs] = GRACE


@dataclass(frozen=True, slots=True)
class Devnet:
    """A deployed devnet. `admin_key` mints development tokens."""

    chain: Chain
    parameters: RiskParameters
    keys: DevnetKeys
    engine_hash: bytes
    admin_key: str


def short_windows(window_s: int) -> ProtocolTerms:
    """Return the development constants with another time between commit and finality. [s]"""
    return replace(DEVELOPMENT, attested_window_s=window_s, proven_window_s=window_s)


class PricesTooLow(OffchainError):  # noqa: N818 - a fault is named by what happened
    """No ladder of strikes in whole dollars lies around a price."""


def strikes(opening_e8: int, ladder: Sequence[int], step_e6: int) -> tuple[int, ...]:
    """Return strikes in round steps around a price; the step is 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    opening_e8 : int
        The price. [USD e-8]
    ladder : sequence of int
        Steps from the strike that is nearest to the price.
    step_e6 : int
        The largest step, relative to the price. [1e-6]

    Returns
    -------
    tuple of int
        Strikes. [USD]

    Raises
    ------
    PricesTooLow
        The lowest would not be positive, or a step is less than a dollar.
    """
    largest = opening_e8 * step_e6 // (ONE_E6 * ONE_E8)
    steps = [n * 10**k for k in range(len(str(largest))) for n in (1, 2, 5)]
    step = max((s for s in steps if s <= largest), default=0)
    centre = (2 * opening_e8 + step * ONE_E8) // (2 * step * ONE_E8) * step if step else 0
    if centre + min(ladder) * step <= 0:
        raise PricesTooLow(f"no strikes in whole dollars around {opening_e8}e-8 USD")
    return tuple(centre + n * step for n in ladder)


def expiries(start_ns: int) -> tuple[tuple[str, int], ...]:
    """Return the next two expiries: 08:00 UTC, 7 and 21 days after the day of `start_ns`."""
    day = start_ns // DAY_NS * DAY_NS + 8 * 3_600 * SECOND_NS
    return (("7D", day + 7 * DAY_NS), ("21D", day + 21 * DAY_NS))


def launch(url: str, admin_key: str, start_ns: int, choices: DevnetTerms | None = None) -> Devnet:
    """Deploy everything on a local chain and give the operator's keys gas money.

    `admin_key` pays for the deployment; it must be new to the chain or at rest.

    Raises
    ------
    DeploymentError, CompilerError, ChainError, PricesTooLow
        What stopped it.
    """
    choices, keys = choices or DevnetTerms(), DevnetKeys.make()
    web3 = Web3(HTTPProvider(url))
    owner = web3.eth.account.from_key(admin_key).address
    fund = str(predict(web3, owner, feeds=2, collaterals=len(COLLATERAL))["InsuranceFund"])
    parameters, rules = _parameters(keys, start_ns, choices, fund), engine_hash()
    deployment = deploy(web3, admin_key, _configuration(keys, parameters, rules, choices))
    chain = Chain(url, deployment)
    for key in (keys.sequencer, keys.relayer, keys.keeper, keys.backstop):
        chain.give_gas(key.address, GAS_MONEY_WEI)
    stake_for(chain, keys.sequencer, choices.protocol.minimum_stake_e6)
    return Devnet(chain, parameters, keys, rules, admin_key)


def stake_for(chain: Chain, sequencer: KeySigner, amount_e6: int) -> None:
    """Mint the sequencer's stake on a development chain, and stake it. [USD e-6]"""
    chain.mint(sequencer, 0, sequencer.address, amount_e6)
    chain.approve(sequencer, 0, amount_e6, "SequencerRegistry")
    chain.stake(sequencer, amount_e6)


def reopen(
    url: str, admin_key: str, deployment: Deployment, start_ns: int, choices: DevnetTerms
) -> Devnet:
    """Return the devnet that `launch` made with these choices, for a node that starts again."""
    keys, fund = DevnetKeys.make(), str(deployment.address("InsuranceFund"))
    parameters = _parameters(keys, start_ns, choices, fund)
    return Devnet(Chain(url, deployment), parameters, keys, engine_hash(), admin_key)


def _parameters(keys: DevnetKeys, start_ns: int, choices: DevnetTerms, fund: str) -> RiskParameters:
    dates = expiries(start_ns)
    bitcoin = strikes(choices.opening_e8[0], BTC_LADDER, BTC_STEP_E6)
    ether = strikes(choices.opening_e8[1], ETH_LADDER, ETH_STEP_E6)
    return pm36(
        (Series(BITCOIN, dates, bitcoin), Series(ETHER, dates, ether)),
        Roles(
            tuple(hex_address(key) for key in keys.oracles),
            insurance_owner=fund.lower(),
            backstop_owner=hex_address(keys.backstop),
        ),
        quorum=QUORUM,
        grids=THIN,
        grace=choices.grace,
    )


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
        grace_reports=parameters.oracle.grace_reports,
        grace_s=parameters.oracle.grace_ns // SECOND_NS,
        terms=terms(parameters),
        curves_hash=curves_hash(parameters),
        listing_root=listing_root(parameters),
        document_hash=keccak256(document(parameters)),
        engine_hash=rules,
        attestors=tuple(hex_address(key) for key in keys.attestors),
        attestor_threshold=THRESHOLD,
        protocol=choices.protocol,
        insurance_reserve_e6=choices.keeper_reserve_e6,
        insurance_seed_e6=choices.insurance_seed_e6,
        index_feeds=("BTC / USD", "ETH / USD"),
        collaterals=tuple(c.symbol for c in parameters.collateral),
    )


def save_deployment(devnet: Devnet, path: Path) -> None:
    """Write where the contracts are, for those who come later."""
    devnet.chain.deployment.save(path)
