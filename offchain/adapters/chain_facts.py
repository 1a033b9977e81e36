"""Collect `ChainFacts` from a node: events, transaction inputs and view functions."""

from collections.abc import Iterator
from typing import Any

from offchain.adapters.chain import Chain
from offchain.adapters.chain_history import ChainEvent
from offchain.ledger.terms import Terms
from offchain.ledger.totals import Totals
from offchain.services.chain_facts import (
    AdoptedParameters,
    ChainFacts,
    Claim,
    InsuranceMove,
    PostedBatch,
    VerifiedLiquidation,
)

_WATCHED = ("Settlement", "LiquidationManager", "InsuranceFund", "OracleHub", "RiskParameters")


def collect_facts(chain: Chain) -> ChainFacts:
    """Return everything that an audit needs, as of one block; the faults of `Chain` propagate.

    The venue goes on while this reads: events after the block are left for the next audit.
    """
    block, history = chain.block_number(), chain.history
    events: dict[str, list[ChainEvent]] = {}
    for event in history.events(_WATCHED, last_block=block):
        events.setdefault(event.name, []).append(event)

    def ask(contract: str, function: str, *arguments: object) -> Any:
        return chain.call(contract, function, *arguments, block=block)

    vault = chain.contracts["CollateralVault"].address
    tokens = chain.deployment.tokens
    return ChainFacts(
        settlement=chain.domain("Settlement"),
        hub=chain.domain("OracleHub"),
        sequencer=_address(ask("Settlement", "sequencer")),
        engine_hash=bytes(ask("Settlement", "engineHash")),
        oracle_signers=tuple(sorted(_address(a) for a in ask("OracleHub", "signers"))),
        quorum=int(ask("OracleHub", "quorum")),
        batches=tuple(_batches(chain, block)),
        head=int(ask("Settlement", "head")),
        finalised=int(ask("Settlement", "finalised")),
        deposits=tuple(chain.deposits(chain.deployment.block_number, block)),
        parameters=dict(_parameters(events.get("ParametersAdopted", []))),
        reports=frozenset(
            bytes(e.arguments["reportHash"]) for e in events.get("ReportAccepted", [])
        ),
        verified=dict(_verified(events.get("LiquidationVerified", []))),
        insurance=dict(_insurance(events.get("InsuranceMoved", []))),
        totals={
            int(e.arguments["batchNo"]): Totals(*e.arguments["totals"])
            for e in events.get("BatchFinalized", [])
        },
        claims=tuple(_claim(e) for e in events.get("OutputClaimed", [])),
        booked=tuple(
            int(ask("CollateralVault", "bookedBalance", asset)) for asset in range(len(tokens))
        ),
        held=tuple(int(ask(token, "balanceOf", vault)) for token in tokens),
    )


def _address(value: object) -> bytes:
    return value if isinstance(value, bytes) else bytes.fromhex(str(value)[2:])


def _batches(chain: Chain, last_block: int) -> Iterator[PostedBatch]:
    for batch in chain.history.committed_batches(last_block=last_block):
        yield PostedBatch(batch.header, batch.signature, batch.data, batch.batch_hash)


def _parameters(events: list[ChainEvent]) -> Iterator[tuple[bytes, AdoptedParameters]]:
    for event in events:
        a = event.arguments
        hashes = bytes(a["curvesHash"]), bytes(a["documentHash"])
        adopted = AdoptedParameters(*hashes, Terms(*a["terms"]))
        yield bytes(a["paramsHash"]), adopted


def _verified(
    events: list[ChainEvent],
) -> Iterator[tuple[tuple[int, int], VerifiedLiquidation]]:
    for event in events:
        a = event.arguments
        yield (
            (int(a["batchNo"]), int(a["index"])),
            VerifiedLiquidation(a["account"], a["tier"], a["marginBalanceE6"], a["maintenanceE6"]),
        )


def _insurance(events: list[ChainEvent]) -> Iterator[tuple[int, InsuranceMove]]:
    for event in events:
        a = event.arguments
        yield (
            int(a["batchNo"]),
            InsuranceMove(a["balanceE6"], a["contributedE6"], a["drawnE6"], a["shortfallE6"]),
        )


def _claim(event: ChainEvent) -> Claim:
    a = event.arguments
    return Claim(a["id"], a["account"], _address(a["owner"]), a["asset"], a["amount"])
