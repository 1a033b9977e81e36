"""Collect `ChainFacts` from a node: events, transaction inputs and view functions."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from offchain.adapters.chain import Chain
from offchain.adapters.chain_history import ChainEvent, CommittedBatch
from offchain.adapters.chain_listing import follow_listing
from offchain.adapters.chain_node import Block
from offchain.adapters.deployment_plan import token_name
from offchain.core.units import SECOND_NS
from offchain.ledger.closing import NO_ANCHOR, Anchor
from offchain.ledger.header import DATA_KIND_BLOBS
from offchain.ledger.keccak import ZERO32
from offchain.ledger.terms import Terms
from offchain.ledger.totals import Totals
from offchain.services.chain_events import (
    AdoptedParameters,
    Claim,
    InsuranceMove,
    Place,
    PostedBatch,
    Reign,
    Revert,
    RevertCause,
    StakeMove,
    UpheldChallenge,
    VerifiedLiquidation,
)
from offchain.services.chain_facts import ChainFacts, HubRules, Registry, VaultBooks
from offchain.services.errors import BatchDataMissing

_WATCHED = (
    "Settlement",
    "SequencerRegistry",
    "Court",
    "LiquidationManager",
    "InsuranceFund",
    "OracleHub",
    "RiskParameters",
    "CollateralVault",
    "Exit",
)
_NOBODY = bytes(20)
_CASH_DECIMALS, _COLLATERAL_DECIMALS = 6, 8
Ask = Callable[..., Any]
Events = Sequence[ChainEvent]


def collect_facts(chain: Chain) -> ChainFacts:
    """Return everything that an audit needs, as of one block; the faults of `Chain` propagate.

    The venue goes on while this reads: events after the block are left for the next audit.
    """
    follow_listing(chain)
    block = chain.block_number()
    events = tuple(chain.history.events(_WATCHED, last_block=block))

    def ask(contract: str, function: str, *arguments: object) -> Any:
        return chain.call(contract, function, *arguments, block=block)

    blocks = _Blocks(chain)
    return ChainFacts(
        settlement=chain.domain("Settlement"),
        hub=chain.domain("OracleHub"),
        registry=_registry(ask),
        reigns=tuple(_reigns(events)),
        stakes=tuple(_stakes(events)),
        hub_rules=_hub_rules(ask),
        engine_hash=bytes(ask("Settlement", "engineHash")),
        batches=tuple(_batches(chain, events, blocks, block)),
        head=int(ask("Settlement", "head")),
        finalised=int(ask("Settlement", "finalised")),
        checkpoint=_checkpoint(ask),
        reverts=tuple(_reverts(chain, events, blocks)),
        upheld=tuple(_upheld(events)),
        is_frozen=bool(ask("Settlement", "isFrozen")),
        verify_window_s=int(ask("Settlement", "verifyWindow")),
        parameter_grace_s=int(ask("RiskParameters", "grace")),
        inbox=tuple(chain.inbox_entries(chain.deployment.block_number, block)),
        parameters=tuple(_parameters(events, blocks)),
        reports=frozenset(
            bytes(e.arguments["reportHash"]) for e in events if e.name == "ReportAccepted"
        ),
        verified=dict(_verified(events)),
        insurance=dict(_insurance(events)),
        totals={
            int(e.arguments["batchNo"]): Totals(*e.arguments["totals"])
            for e in events
            if e.name == "BatchFinalized"
        },
        claims=tuple(_claim(e) for e in events if e.name == "OutputClaimed"),
        exits=_exits(events, len(chain.deployment.tokens)),
        vault=tuple(_vault(chain, ask, events)),
    )


class _Blocks:
    """Blocks by number, each asked for once."""

    def __init__(self, chain: Chain) -> None:
        self._chain, self._known = chain, dict[int, Block]()

    def at(self, number: int) -> Block:
        if number not in self._known:
            self._known[number] = self._chain.block(number)
        return self._known[number]

    def anchor(self, number: int, before: int) -> Anchor:
        """Return a block as an anchor; none that is not older than the commit."""
        if not 0 <= number < before:
            return NO_ANCHOR
        return Anchor(number, self.at(number).hash)


def _address(value: object) -> bytes:
    return value if isinstance(value, bytes) else bytes.fromhex(str(value)[2:])


def _place(event: ChainEvent) -> Place:
    return Place(event.block, event.log_index)


def _registry(ask: Ask) -> Registry:
    address, epoch, is_bonded = ask("SequencerRegistry", "current")
    minimum = int(ask("SequencerRegistry", "minimumStake"))
    return Registry(_address(address), int(epoch), bool(is_bonded), minimum)


def _hub_rules(ask: Ask) -> HubRules:
    feeds, band_e6, heartbeat_ns, _ = ask("OracleHub", "limits")
    reports, length_s = ask("OracleHub", "grace")
    signers = tuple(sorted(_address(a) for a in ask("OracleHub", "signers")))
    quorum = int(ask("OracleHub", "quorum"))
    return HubRules(
        feeds, band_e6, heartbeat_ns, int(reports), int(length_s) * SECOND_NS, quorum, signers
    )


def _checkpoint(ask: Ask) -> tuple[int, bytes]:
    batch_no, root = ask("Settlement", "checkpoint")
    return int(batch_no), bytes(root)


def _reigns(events: Events) -> Iterator[Reign]:
    """Yield who the sequencer was since when; whoever signed two histories is nobody at once."""
    epoch, sequencer = 0, _NOBODY
    for event in events:
        if event.name == "SequencerChanged":
            epoch, sequencer = event.arguments["epoch"], _address(event.arguments["sequencer"])
            yield Reign(epoch, sequencer, _place(event))
        elif event.name == "Equivocated" and event.arguments["sequencer"] == sequencer:
            sequencer = _NOBODY
            yield Reign(epoch, _NOBODY, _place(event))


def _stakes(events: Events) -> Iterator[StakeMove]:
    """Yield what moved bonds; what was asked back counts no longer, and leaves later."""
    for event in events:
        a = event.arguments
        if event.name == "Staked":
            yield StakeMove(a["owner"], a["amount"], _place(event))
        elif event.name == "UnstakeRequested":
            yield StakeMove(a["owner"], -a["amount"], _place(event))
        elif event.name == "Slashed":
            yield StakeMove(a["sequencer"], None, _place(event))


def _batches(
    chain: Chain, events: Events, blocks: _Blocks, last_block: int
) -> Iterator[PostedBatch]:
    places = {e.transaction_hash: _place(e) for e in events if e.name == "BatchCommitted"}
    for batch in chain.history.committed_batches(last_block=last_block):
        yield _posted(batch, places[batch.transaction_hash], blocks)


def _posted(batch: CommittedBatch, place: Place, blocks: _Blocks) -> PostedBatch:
    is_in_blobs = batch.header.da_kind == DATA_KIND_BLOBS
    blob_hash = batch.data_hash if is_in_blobs else ZERO32
    return PostedBatch(
        batch.header,
        batch.signature,
        batch.data,
        batch.batch_hash,
        blob_hash,
        place,
        blocks.at(batch.block).time_s,
        blocks.anchor(batch.header.l1_block_number, batch.block),
    )


def _reverts(chain: Chain, events: Events, blocks: _Blocks) -> Iterator[Revert]:
    standing: dict[int, ChainEvent] = {}
    for event in events:
        a = event.arguments
        if event.name == "BatchCommitted":
            standing[a["batchNo"]] = event
        elif event.name == "BatchReverted":
            numbers = [n for n in range(a["from"], a["last"] + 1) if n in standing]
            gone = [standing.pop(number) for number in numbers]
            yield Revert(
                a["from"],
                a["last"],
                tuple(bytes(commit.arguments["batchHash"]) for commit in gone),
                RevertCause(a["cause"]),
                _place(event),
                blocks.at(event.block).time_s,
                _dropped(chain, gone[0] if gone else None, blocks),
            )


def _dropped(chain: Chain, commit: ChainEvent | None, blocks: _Blocks) -> PostedBatch | None:
    if commit is None:
        return None
    try:
        return _posted(chain.history.batch_of(commit), _place(commit), blocks)
    except BatchDataMissing:
        return None  # blobs are kept for weeks only, and nobody needs those of a dropped batch


def _upheld(events: Events) -> Iterator[UpheldChallenge]:
    opened: dict[bytes, bytes] = {}
    for event in events:
        a = event.arguments
        if event.name == "ChallengeOpened":
            opened[bytes(a["id"])] = bytes(a["batchHash"])
        elif event.name == "ChallengeUpheld":
            batch_hash = opened[bytes(a["id"])]
            yield UpheldChallenge(a["batchNo"], batch_hash, a["kind"], _place(event))


def _parameters(events: Events, blocks: _Blocks) -> Iterator[AdoptedParameters]:
    for event in events:
        if event.name == "ParametersAdopted":
            a = event.arguments
            yield AdoptedParameters(
                bytes(a["paramsHash"]),
                bytes(a["curvesHash"]),
                bytes(a["listingRoot"]),
                bytes(a["documentHash"]),
                Terms(*a["terms"]),
                _place(event),
                blocks.at(event.block).time_s,
            )


def _verified(events: Events) -> Iterator[tuple[tuple[bytes, int], VerifiedLiquidation]]:
    """Yield what was verified by the hash of its batch: a number may be used again."""
    committed: dict[int, bytes] = {}
    for event in events:
        a = event.arguments
        if event.name == "BatchCommitted":
            committed[a["batchNo"]] = bytes(a["batchHash"])
        elif event.name == "LiquidationVerified":
            yield (
                (committed[a["batchNo"]], a["index"]),
                VerifiedLiquidation(
                    a["account"], a["tier"], a["marginBalanceE6"], a["maintenanceE6"]
                ),
            )


def _insurance(events: Events) -> Iterator[tuple[int, InsuranceMove]]:
    for event in events:
        if event.name == "InsuranceMoved":
            a = event.arguments
            yield (
                int(a["batchNo"]),
                InsuranceMove(a["balanceE6"], a["contributedE6"], a["drawnE6"], a["shortfallE6"]),
            )


def _claim(event: ChainEvent) -> Claim:
    a = event.arguments
    return Claim(a["id"], a["account"], _address(a["owner"]), a["asset"], a["amount"])


def _exits(events: Events, assets: int) -> tuple[int, ...]:
    paid = [0] * assets
    for event in events:
        if event.name in {"Exited", "Refunded"}:
            paid[event.arguments["asset"]] += event.arguments["units"]
    return tuple(paid)


def _vault(chain: Chain, ask: Ask, events: Events) -> Iterator[VaultBooks]:
    vault, address = "CollateralVault", chain.contracts["CollateralVault"].address
    waiting = {
        (e.arguments["asset"], _address(e.arguments["to"])) for e in events if e.name == "Deferred"
    }
    for asset in range(int(ask(vault, "collateralCount")) + 1):
        token = token_name(asset)
        named = ("depositedTotal", "releasedTotal", "bookedBalance")
        deposited, released, booked = (int(ask(vault, name, asset)) for name in named)
        deferred = sum(int(ask(vault, "owedTo", a, to)) for a, to in waiting if a == asset)
        held = int(ask(token, "balanceOf", address))
        decimals = int(ask(vault, "decimalsOf", asset))
        units = _units(held, decimals, _COLLATERAL_DECIMALS if asset else _CASH_DECIMALS)
        yield VaultBooks(deposited, released, booked, deferred, units)


def _units(amount: int, has: int, wants: int) -> int:
    """Return an amount of a token in the engine's units, rounded down."""
    return int(amount * 10**wants // 10**has)
