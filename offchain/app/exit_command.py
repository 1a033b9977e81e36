"""``plimsoll exit``: leave a frozen venue with an RPC URL, one address and money for gas."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.chain_exit import ChainExit
from offchain.app.keeper_command import read_key
from offchain.core.units import ONE_E6, ONE_E8
from offchain.ledger.checkpoint import ExitLeaf
from offchain.services.errors import (
    NodeRefused,
    NoGasMoney,
    NotFrozenYet,
    ReceiptMissing,
    TransactionRefused,
    TransactionReverted,
)
from offchain.services.exit_plan import (
    ClaimOutput,
    CollectDeferred,
    FinalBooks,
    Leaver,
    RefundDeposit,
    WayOut,
)
from offchain.services.freezing import FreezeOutlook, utc
from offchain.services.ports import Signer

ATTEMPTS = 3
"""How often one account is tried as a whole: others may exit for it at the same time."""

NOBODY = (
    "this owner has no account, output or deposit here; is it the address that paid in? "
    "If not, name that with --owner"
)
NOT_PAID = (TransactionReverted, TransactionRefused, NodeRefused, ReceiptMissing)
"""Why one call pays nothing, or not yet, while others may."""

OVERTAKEN = frozenset({"VenueFrozen", "NotOverdue", "EntryNotNext", "NothingOpen"})
"""Why a freeze that was possible is refused: others froze, or the venue served what waited."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Something that was paid out. [engine units]"""

    kind: str
    number: int
    asset: int
    units: int

    def text(self) -> str:
        """Return the amount in dollars or tokens."""
        one = ONE_E8 if self.asset else ONE_E6
        places = len(str(one)) - 1
        return f"{self.units // one}.{self.units % one:0{places}}" + ("" if self.asset else " USD")


@dataclass(slots=True)
class ExitReport:
    """What one run brought out, and what refused.

    Attributes
    ----------
    checkpoint : int
        Batch from which exits are paid; 0 when no checkpoint ever became final.
    refused : list of (what, why)
        Calls that a contract, a token or the node refused; the rest was paid all the same.
    found : int
        How many accounts, outputs and deposits the owner has, those paid before included.
    """

    owner: bytes
    frozen_at_s: int
    checkpoint: int = 0
    accounts: tuple[int, ...] = ()
    paid: list[Payment] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    gas_used: int = 0
    found: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the report for scripts; amounts are decimal strings."""
        return {
            "owner": f"0x{self.owner.hex()}",
            "frozen_at": self.frozen_at_s,
            "checkpoint": self.checkpoint,
            "accounts": list(self.accounts),
            "paid": [
                {"kind": p.kind, "number": p.number, "asset": p.asset, "units": str(p.units)}
                for p in self.paid
            ],
            "refused": [{"what": what, "why": why} for what, why in self.refused],
            "gas_used": self.gas_used,
        }

    def lines(self) -> list[str]:
        """Return the report for people; amounts are whole dollars or tokens and their parts."""
        at = f"{self.frozen_at_s}, {utc(self.frozen_at_s)}"
        of = f"0x{self.owner.hex()}, frozen at {at}, checkpoint {self.checkpoint}"
        rows = [f"{p.kind:<9} {p.number:<8} asset {p.asset}  {p.text()}" for p in self.paid]
        faults = [f"REFUSED   {what}: {why}" for what, why in self.refused]
        if faults:
            faults.append("what was refused is still owed: run the command again, or later")
        if not self.found:
            rows = [NOBODY]
        return [of, *(rows or ["nothing was left to be paid"]), *faults]


def look_out(rpc: str, settlement: bytes, first_block: int | None = None) -> FreezeOutlook:
    """Return whether the venue is frozen, and when it may be."""
    with Chain(rpc, discover(rpc, settlement, first_block)) as chain:
        return ChainExit(chain).outlook()


def run_exit(
    rpc: str,
    settlement: bytes,
    key: Path,
    who: bytes | int | None = None,
    *,
    freeze: bool = False,
    beacon: str | None = None,
    first_block: int | None = None,
) -> ExitReport:
    """Bring out everything that an owner, or one account, is owed; what is out is passed over.

    Parameters
    ----------
    key : Path
        File with the key that pays for gas; it needs no other right.
    who : bytes or int, optional
        An owner's address or an account's number; the key's own address when it is not given.
    freeze : bool
        Freeze the venue first, if the contract takes it.
    beacon : str, optional
        Where blobs are read, when the node does not serve them.
    first_block : int, optional
        As `discover` takes it.

    Raises
    ------
    NotFrozenYet
        The venue lives, and may not be frozen yet or was not to be.
    CheckpointMismatch, BatchDataMissing
        The chain does not hold what its checkpoint follows from.
    NotInCheckpoint
        There is no account of this number.
    """
    signer = read_key(key)
    with Chain(rpc, discover(rpc, settlement, first_block), beacon_url=beacon) as chain:
        return leave(ChainExit(chain), signer, who, freeze=freeze)


def leave(
    way_out: ChainExit, signer: Signer, who: bytes | int | None, *, freeze: bool = False
) -> ExitReport:
    """Do what `run_exit` does, over a connection."""
    frozen_at_s = _frozen(way_out, signer, freeze=freeze)
    _demand_gas_money(way_out, signer)
    books = way_out.final_books()
    if isinstance(who, int):
        leaver = books.leaver_of(who)
    else:
        leaver = Leaver(signer.address if who is None else who)
    report = ExitReport(leaver.owner, frozen_at_s)
    _Leaving(way_out, signer, books, leaver, report).run()
    return report


def _demand_gas_money(way_out: ChainExit, signer: Signer) -> None:
    """Refuse before anything is read, rather than at each call."""
    chain = way_out.chain
    if not chain.node.balance(signer.address):
        raise NoGasMoney(
            f"0x{signer.address.hex()} has no money for gas on chain {chain.deployment.chain_id}: "
            "send it some, or use another key and name the owner with --owner"
        )


def _frozen(way_out: ChainExit, signer: Signer, *, freeze: bool) -> int:
    """Return since when the venue is frozen; freeze it if that is wanted and possible."""
    outlook = way_out.outlook()
    if not outlook.is_frozen and freeze and outlook.open_now is not None:
        try:
            way_out.freeze(signer, outlook.open_now)
        except TransactionReverted as reverted:
            if reverted.name not in OVERTAKEN:
                raise
        outlook = way_out.outlook()
    if not outlook.is_frozen:
        raise NotFrozenYet(outlook.sentence())
    return outlook.frozen_at_s


@dataclass(frozen=True, slots=True)
class _Leaving:
    """One leaver on the way out, call after call."""

    way_out: ChainExit
    signer: Signer
    books: FinalBooks
    leaver: Leaver
    report: ExitReport

    def run(self) -> None:
        """Pay in the order of the protocol; a call that is refused holds up no other."""
        for claim in self.books.claims_of(self.leaver):
            self.report.found += 1
            self._pay_once(claim, "output", claim.output.id, claim.output.asset)
        for refund in self.way_out.refunds():
            entry = refund.entry
            if self.leaver.has(entry.owner, entry.subaccount):
                self.report.found += 1
                self._pay_once(refund, "deposit", entry.index, entry.place)
        self._exit_all()
        for asset in self.way_out.assets:
            self._collect(asset)

    def _pay_once(
        self, way: ClaimOutput | RefundDeposit, kind: str, number: int, asset: int
    ) -> None:
        if self.way_out.is_paid(way):
            return
        amount = way.output.amount if isinstance(way, ClaimOutput) else way.entry.amount
        if self._send(way, f"{kind} {number}"):
            self.report.paid.append(Payment(kind, number, asset, amount))

    def _exit_all(self) -> None:
        start = self.books.start
        if start is None:
            return
        self.report.checkpoint = start.header.batch_no
        self.report.accounts = self._accounts()
        self.report.found += len(self.report.accounts)
        if not self.way_out.is_started():
            self._send(start, "the start of all exits")
        for account in self.report.accounts:
            self._exit(account)

    def _accounts(self) -> tuple[int, ...]:
        if self.leaver.account is not None:
            return (self.leaver.account,)
        return self.books.accounts_of(self.leaver)

    def _exit(self, account: int) -> None:
        """Exit with everything at once; asset by asset when a token refuses its transfer."""
        for _ in range(ATTEMPTS):
            owed = self.way_out.payouts(self.books.exit_of(account))
            if not owed or self._exit_assets(account, owed):
                return
        leaf = self.books.leaf(account)
        for asset, units in self.way_out.payouts(self.books.exit_of(account)).items():
            self._exit_one(leaf, asset, units)

    def _exit_assets(self, account: int, owed: dict[int, int]) -> bool:
        """Return whether all was paid in one call; a refusal is not reported yet."""
        mask = sum(1 << asset for asset in owed)
        try:
            receipt = self.way_out.carry_out(self.signer, self.books.exit_of(account, mask))
        except NOT_PAID:
            return False
        if receipt is None:
            return False
        self.report.gas_used += receipt.gas_used
        self.report.paid += [Payment("account", account, a, units) for a, units in owed.items()]
        return True

    def _exit_one(self, leaf: ExitLeaf, asset: int, units: int) -> None:
        way = self.books.exit_of(leaf.account, 1 << asset)
        if self._send(way, f"asset {asset} of account {leaf.account}"):
            self.report.paid.append(Payment("account", leaf.account, asset, units))

    def _collect(self, asset: int) -> None:
        owed = self.way_out.deferred(asset, self.leaver.owner)
        if owed and self._send(CollectDeferred(asset, self.leaver.owner), f"deferred {asset}"):
            self.report.paid.append(Payment("deferred", asset, asset, owed))

    def _send(self, way: WayOut, what: str) -> bool:
        """Return whether this call paid; a refusal goes into the report."""
        try:
            receipt = self.way_out.carry_out(self.signer, way)
        except NOT_PAID as fault:
            self.report.refused.append((what, str(fault)))
            return False
        if receipt is None:
            return False
        self.report.gas_used += receipt.gas_used
        return True
