"""What the contracts need of a parameter set, and the hash that stands for the whole of it."""

from dataclasses import astuple, dataclass

from offchain.core.parameters import RiskParameters
from offchain.ledger.abi import static
from offchain.ledger.document import document
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256

_TERMS_TYPES = (*["uint32"] * 5, "uint8", "uint64")


@dataclass(frozen=True, slots=True)
class Terms:
    """`Terms` of `contracts/types/Liquidation.sol`. Ratios in 1e-6, the fee in USD e-6."""

    mm_factor_e6: int
    partial_trigger_e6: int
    full_trigger_e6: int
    partial_cap_e6: int
    haircut_e6: int
    collateral_feed: int
    keeper_fee_e6: int


def terms(parameters: RiskParameters) -> Terms:
    """Return the terms of a parameter set.

    Raises
    ------
    EncodingError
        The set has not exactly one volatile collateral asset, as schema 1 commits to.
    """
    if len(parameters.collateral) != 1:
        raise EncodingError("schema 1 commits to exactly one volatile collateral asset")
    collateral, liquidation = parameters.collateral[0], parameters.liquidation
    return Terms(
        parameters.mm_factor_e6,
        liquidation.partial_trigger_e6,
        liquidation.full_trigger_e6,
        liquidation.partial_cap_e6,
        collateral.haircut_e6,
        collateral.underlying,  # the index feed of an underlying is at the underlying's own place
        liquidation.keeper_fee_e6,
    )


def terms_hash(value: Terms) -> bytes:
    """Return ``keccak256(abi.encode(terms))``."""
    return keccak256(static(_TERMS_TYPES, astuple(value)))


def params_hash(parameters: RiskParameters) -> bytes:
    """Return the hash of terms and document that batch headers carry."""
    return keccak256(terms_hash(terms(parameters)) + keccak256(document(parameters)))
