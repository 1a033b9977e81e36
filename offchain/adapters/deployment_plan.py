"""What is deployed, in which order, with which arguments.

The contracts refer to one another through immutable addresses, in circles; so every constructor
gets addresses that are known before anything exists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3

from offchain.adapters.protocol_terms import DEVELOPMENT, ProtocolTerms
from offchain.core.units import SECOND_NS
from offchain.ledger.terms import Terms
from offchain.pricing.normal_table import NORMAL_TABLE

DEVELOPMENT_CHAIN = 31_337
ATTESTED = 0

MINTABLE = "DevToken"
CASH, COLLATERAL = "Cash", "Collateral"
CASH_DECIMALS, COLLATERAL_DECIMALS = 6, 8
CORE = (
    "PlimsollTimelock",
    "Guardian",
    "VaultLimits",
    "AttestedVerifier",
    "ProofRouter",
    "RiskParameters",
    "OracleHub",
    "InsuranceFund",
    "CollateralVault",
    "Inbox",
    "Exit",
    "SequencerRegistry",
    "LiquidationManager",
    "NormalTable",
    "RiskCells",
)
"""The names of the core contracts in the order of creation, after the tokens."""
PARTS = (
    "GrammarJudge",
    "SignatureJudge",
    "TradeJudge",
    "PriceJudge",
    "DepositJudge",
    "HolderJudge",
    "HistoryJudge",
    "BandJudge",
    "ColumnJudge",
    "PenaltyJudge",
    "SolvencyJudge",
)
"""The judges behind the judge of effects, in the order in which evidence names them."""
JUDGES = {
    "OracleJudge": 1,
    "CellJudge": 2,
    "TransitionJudge": 3,
    "InboxJudge": 4,
    "LiquidationJudge": 5,
    "TotalsJudge": 7,
    "DataJudge": 8,
    "LeafJudge": 9,
    "StepJudge": 11,
    "EffectsJudge": 12,
    "OutputJudge": 13,
}
"""Judges by the kind of challenge that they decide; 6 and 10 are registered later."""
LAST = ("Settlement", "Court", "RiskOracle", "FundingOracle", "PythFeed")
COLLATERALS = ("WBTC",)
Arguments = dict[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class DeploymentConfig:
    """Everything that a deployment fixes.

    Parameters
    ----------
    sequencer, oracle_signers, attestors : str
        Addresses. Their order does not matter; contracts hold them ascending.
    feeds : int
        Numbers in every oracle report.
    index_feeds : tuple of str
        Names of the first feeds, each of which gets a Chainlink-shaped contract.
    band_e6 : int
        Largest step of a price that needs no confirmation. [1e-6]
    grace_reports, grace_s : int
        Accepted reports and seconds after an outage before which nobody is liquidated.
    curves_hash, listing_root, document_hash : bytes
        Of the parameter set: packed tier curves, listing, canonical document.
    protocol : ProtocolTerms
        Windows, deadlines, bonds and caps.
    proposer, guardian, standby : str, optional
        Who proposes to the timelock, who may tighten, who takes over the sequencer's work. The
        deployer, the deployer and nobody when they are not given.
    insurance_reserve_e6, insurance_seed_e6 : int
        Cash in the fund for keepers, and cash deposited for the engine's account. [USD e-6]
    collaterals : tuple of str
        Symbols of the collateral assets 1, 2, .. of the parameter set.
    tokens : tuple of str, optional
        Cash and every collateral that exist already; mintable development tokens, which refuse
        every chain but a development chain, are created when it is not given.
    allowed_chains : tuple of int
        Chain ids on which this configuration may be deployed.
    """

    sequencer: str
    oracle_signers: tuple[str, ...]
    oracle_quorum: int
    feeds: int
    heartbeat_s: int
    band_e6: int
    grace_reports: int
    grace_s: int
    terms: Terms
    curves_hash: bytes
    listing_root: bytes
    document_hash: bytes
    engine_hash: bytes
    attestors: tuple[str, ...]
    attestor_threshold: int
    protocol: ProtocolTerms = DEVELOPMENT
    proposer: str | None = None
    guardian: str | None = None
    standby: str | None = None
    insurance_reserve_e6: int = 0
    insurance_seed_e6: int = 0
    index_feeds: tuple[str, ...] = ()
    collaterals: tuple[str, ...] = COLLATERALS
    tokens: tuple[str, ...] | None = None
    allowed_chains: tuple[int, ...] = (DEVELOPMENT_CHAIN,)


def token_name(asset: int) -> str:
    """Return the name of an asset's token in a deployment."""
    return f"{COLLATERAL}{asset}" if asset else CASH


def creations(collaterals: int = len(COLLATERALS), feeds: int = 0) -> tuple[str, ...]:
    """Return the names of a deployment in the order of creation: tokens, core, price feeds."""
    tokens = tuple(token_name(asset) for asset in range(collaterals + 1))
    return (*tokens, *CORE, *PARTS, *JUDGES, *LAST, *(f"Feed{i}" for i in range(feeds)))


def contract_name(name: str) -> str:
    """Return the Solidity contract behind a name of a deployment."""
    if name == CASH or name.removeprefix(COLLATERAL).isdigit():
        return MINTABLE
    return "ChainlinkFeed" if name.startswith("Feed") else name


def constructor_arguments(
    at: Mapping[str, str], deployer: str, config: DeploymentConfig
) -> Arguments:
    """Return the constructor arguments of every contract, in the order of creation."""
    arguments = {
        **_tokens(config),
        **_governance(at, deployer, config),
        **_core(at, deployer, config),
        **_judges(at),
        **_last(at, config),
    }
    assert tuple(arguments) == creations(len(config.collaterals))
    for i, name in enumerate(config.index_feeds):
        arguments[f"Feed{i}"] = (at["OracleHub"], i, name)
    return arguments


def _tokens(config: DeploymentConfig) -> Arguments:
    symbols = enumerate(config.collaterals, start=1)
    collaterals = {
        token_name(asset): (f"Development {symbol}", symbol, COLLATERAL_DECIMALS)
        for asset, symbol in symbols
    }
    return {CASH: ("Development dollar", "USDC", CASH_DECIMALS), **collaterals}


def _governance(at: Mapping[str, str], deployer: str, config: DeploymentConfig) -> Arguments:
    terms = config.protocol
    periods = (
        terms.forced_deadline_s,
        terms.attested_window_s,
        terms.max_extension_s,
        terms.exit_slack_s,
    )
    proposers = [_address(config.proposer or deployer)]
    caps = [terms.cash_cap_e6, *[terms.token_cap_e8] * len(config.collaterals)]
    settings = (
        at["PlimsollTimelock"],
        at["Guardian"],
        terms.cap_ramp_s,
        terms.delay_s,
        terms.outflow_window_s,
        terms.outflow_cash_e6,
        terms.outflow_token_e8,
        terms.outflow_share_e6,
    )
    return {
        "PlimsollTimelock": (
            periods,
            terms.delay_s,
            terms.approval_life_s,
            proposers,
            at["Guardian"],
            at["Settlement"],
        ),
        "Guardian": (
            _address(config.guardian or deployer),
            at["PlimsollTimelock"],
            at["VaultLimits"],
            at["SequencerRegistry"],
        ),
        "VaultLimits": (settings, caps),
    }


def _core(at: Mapping[str, str], deployer: str, config: DeploymentConfig) -> Arguments:
    terms, governor = config.protocol, at["PlimsollTimelock"]
    limits = (
        config.feeds,
        config.band_e6,
        config.heartbeat_s * SECOND_NS,
        terms.max_skew_s * SECOND_NS,
    )
    rules = (
        astuple(config.terms),
        config.curves_hash,
        config.listing_root,
        config.document_hash,
    )
    risk = (governor, deployer, terms.max_step_e6, terms.step_period_s, terms.parameter_grace_s)
    minimum_cash, minimum_token = terms.minimum_deposit
    assets = [(at[CASH], minimum_cash)] + [
        (at[token_name(a)], minimum_token) for a in range(1, len(config.collaterals) + 1)
    ]
    vault = tuple(at[n] for n in ("Inbox", "Settlement", "Exit", "VaultLimits", "PlimsollTimelock"))
    registry = (
        *(at[n] for n in (CASH, "Court", "InsuranceFund", "PlimsollTimelock", "Guardian")),
        terms.minimum_stake_e6,
        terms.unstake_delay_s,
        _address(config.sequencer),
        _address(config.standby) if config.standby else "0x" + "00" * 20,
    )
    manager = ("Settlement", "OracleHub", "RiskParameters", "InsuranceFund")
    fund = (at[CASH], at["CollateralVault"], at["Settlement"], at["LiquidationManager"], deployer)
    return {
        "AttestedVerifier": (_ascending(config.attestors), config.attestor_threshold),
        "ProofRouter": (deployer, terms.delay_s),
        "RiskParameters": (risk, *rules),
        "OracleHub": (
            governor,
            limits,
            (config.grace_reports, config.grace_s),
            _ascending(config.oracle_signers),
            config.oracle_quorum,
        ),
        "InsuranceFund": fund,
        "CollateralVault": (vault, assets),
        "Inbox": (at["CollateralVault"], at["Settlement"]),
        "Exit": (at["CollateralVault"], at["Inbox"], at["Settlement"]),
        "SequencerRegistry": (registry,),
        "LiquidationManager": tuple(at[n] for n in manager),
        "NormalTable": (NORMAL_TABLE.astype(">i8").tobytes(),),
        "RiskCells": (at["NormalTable"],),
    }


def _judges(at: Mapping[str, str]) -> Arguments:
    """Return what each judge reads: contracts, by the names of the deployment."""
    reads = {
        "DepositJudge": ("RiskParameters",),
        "GrammarJudge": (),
        "HistoryJudge": ("Settlement",),
        "HolderJudge": ("Settlement",),
        "PriceJudge": ("RiskParameters",),
        "SignatureJudge": ("Settlement", "Inbox"),
        "TradeJudge": ("Settlement", "RiskParameters"),
        "BandJudge": ("RiskParameters",),
        "ColumnJudge": ("Settlement", "RiskParameters"),
        "PenaltyJudge": ("RiskParameters",),
        "SolvencyJudge": ("RiskParameters",),
        "OracleJudge": ("Settlement", "RiskParameters", "OracleHub"),
        "CellJudge": ("RiskParameters", "RiskCells"),
        "TransitionJudge": (),
        "InboxJudge": ("Inbox", "HolderJudge"),
        "LiquidationJudge": ("RiskParameters",),
        "TotalsJudge": ("RiskParameters",),
        "DataJudge": (),
        "LeafJudge": (),
        "StepJudge": (),
        "OutputJudge": (),
    }
    made: Arguments = {name: tuple(at[n] for n in reads[name]) for name in PARTS}
    for name in JUDGES:
        parts = [at[part] for part in PARTS]
        made[name] = (parts,) if name == "EffectsJudge" else tuple(at[n] for n in reads[name])
    return made


def _last(at: Mapping[str, str], config: DeploymentConfig) -> Arguments:
    terms = config.protocol
    court = (
        *(at[n] for n in (CASH, "Settlement", "SequencerRegistry", "InsuranceFund")),
        at["PlimsollTimelock"],
        terms.bond_e6,
        terms.reveal_window_s,
    )
    settlement = (
        at["CollateralVault"],
        at["Inbox"],
        at["LiquidationManager"],
        at["RiskParameters"],
        at["InsuranceFund"],
        at["ProofRouter"],
        at["SequencerRegistry"],
        at["Court"],
        terms.proven_window_s,
        terms.attested_window_s,
        terms.max_extension_s,
        terms.verify_window_s,
        terms.max_open_batches,
        terms.max_skew_s,
        terms.max_lag_s,
        terms.forced_deadline_s,
        terms.liveness_s,
        terms.repair_s,
        config.engine_hash,
    )
    return {
        "Settlement": (settlement,),
        "Court": (court, list(JUDGES.values()), [at[name] for name in JUDGES]),
        "RiskOracle": (at["OracleHub"], at["RiskParameters"], at["RiskCells"]),
        "FundingOracle": (at["Settlement"],),
        "PythFeed": (at["OracleHub"],),
    }


def _address(text: str) -> ChecksumAddress:
    return Web3.to_checksum_address(text)


def _ascending(addresses: Sequence[str]) -> list[ChecksumAddress]:
    return sorted(map(Web3.to_checksum_address, addresses), key=lambda a: int(a, 16))
