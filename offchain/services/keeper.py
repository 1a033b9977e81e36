"""The keeper: verifies liquidations on chain for a fee. Anyone may run one.

It trusts nobody: the header comes from the chain, the witness from whoever serves it, and what does
not hold under that header costs no gas.
"""

from dataclasses import dataclass, field

from offchain.core.units import mul_div_ceil
from offchain.ledger.header import BatchHeader
from offchain.ledger.terms import Terms
from offchain.ledger.witness import LiquidationWitness
from offchain.services.errors import BatchDataMissing, TransactionReverted, WitnessMissing
from offchain.services.json_values import MalformedValue, from_json
from offchain.services.ports import (
    LiquidationChain,
    Signer,
    TransactionReceipt,
    WitnessStore,
)

MAX_CLAIMED = 64
"""Batches whose fees one call claims."""
MAX_FAULTS = 256
WEI_PRICE_PER_USD_E6 = 10**18 * 10**8 // 10**6
"""An amount [wei] times a price [USD e-8], divided by this, is money [USD e-6]."""
SECOND_BEST = frozenset({"AlreadyVerified", "BatchNotCommitted"})
"""Refusals that mean that there is nothing left to do."""
NOT_YET = frozenset({"ReportNotAccepted", "ReportInGrace"})
"""Refusals that pass with time: the relayer has not brought the report yet, or not what shows that
the oracle had been back for long enough."""
UNSOUND = (ValueError, ArithmeticError, LookupError)
"""What reading or checking a witness may raise: it comes from strangers."""

Task = tuple[int, int]
"""A batch, and the place of a liquidation in it."""


@dataclass(frozen=True, slots=True)
class KeeperPolicy:
    """How hard a keeper tries.

    Attributes
    ----------
    attempts : int
        For each liquidation; waiting for its witness or its report does not count.
    per_step : int
        Transactions in one step.
    """

    attempts: int = 5
    per_step: int = 64


@dataclass(slots=True)
class Earnings:
    """What a keeper did since it started. Fees in USD e-6, gas in gas and wei."""

    verified: int = 0
    second: int = 0
    earned_e6: int = 0
    gas_used: int = 0
    gas_wei: int = 0

    def add(self, receipt: TransactionReceipt) -> None:
        """Count the gas of a transaction."""
        self.gas_used += receipt.gas_used
        self.gas_wei += receipt.gas_used * receipt.gas_price_wei

    def net_e6(self, native_price_e8: int) -> int:
        """Return fees less gas, which rounds up, at a price of the coin [USD e-8]. [USD e-6]"""
        return self.earned_e6 - mul_div_ceil(self.gas_wei, native_price_e8, WEI_PRICE_PER_USD_E6)


@dataclass(slots=True)
class _Batch:
    """An open batch as the keeper sees it: what the chain says of it, and what is left to do."""

    header: BatchHeader
    terms: Terms
    curves_hash: bytes
    left: list[int]
    attempts: dict[int, int] = field(default_factory=dict)


class Keeper:
    """Watches committed batches and verifies their liquidations. One thread.

    Parameters
    ----------
    witnesses : WitnessStore
        The API's client, or the batcher itself in one process.
    signer : Signer
        Pays the gas, earns the fees.

    Attributes
    ----------
    given_up : dict
        Liquidations that were tried too often, with the last reason.
    unreadable : list[int]
        Open batches whose header the last step could not read back from the chain.
    """

    def __init__(
        self,
        chain: LiquidationChain,
        witnesses: WitnessStore,
        signer: Signer,
        policy: KeeperPolicy | None = None,
    ) -> None:
        self.policy = policy or KeeperPolicy()
        self.earnings = Earnings()
        self.given_up: dict[Task, str] = {}
        self.unreadable: list[int] = []
        self._chain, self._witnesses, self._signer = chain, witnesses, signer
        self._batches: dict[int, _Batch] = {}

    def step(self) -> list[TransactionReceipt]:
        """Look at every open batch, verify what can be, and return the receipts.

        Raises
        ------
        ChainUnreachable
            The node does not answer; another step may.
        """
        self._look()
        done: list[TransactionReceipt] = []
        for batch_no, batch in sorted(self._batches.items()):
            for index in tuple(batch.left):
                if len(done) >= self.policy.per_step:
                    return done
                receipt = self._verify(batch_no, batch, index)
                if receipt is not None:
                    done.append(receipt)
        return done

    def claim(self) -> TransactionReceipt | None:
        """Claim what is due of the oldest batches; None when that is nothing."""
        keeper = self._signer.address
        worked = self._chain.batches_of_keeper(keeper)
        due = {n: credit for n in worked if (credit := self._chain.keeper_credit(n, keeper))}
        batches = sorted(due)[:MAX_CLAIMED]
        if not batches:
            return None
        receipt = self._chain.claim_keeper_fees(self._signer, batches)
        self.earnings.earned_e6 += sum(due[n] for n in batches)
        self.earnings.add(receipt)
        return receipt

    def _look(self) -> None:
        """Forget batches that are final, and take up those that were committed."""
        final, head = self._chain.finalised(), self._chain.head()
        self._batches = {n: batch for n, batch in self._batches.items() if n > final}
        self.given_up = {task: why for task, why in self.given_up.items() if task[0] > final}
        for number, batch in self._batches.items():
            self._look_again(number, batch)
        self.unreadable = []
        for number in range(final + 1, head + 1):
            if number in self._batches:
                continue
            try:
                header = self._chain.committed_header(number)
            except BatchDataMissing:
                self.unreadable.append(number)
                continue
            terms = self._chain.terms_of(header.params_hash)
            curves_hash = self._chain.curves_hash_of(header.params_hash)
            left = list(range(header.liquidation_count))
            self._batches[number] = _Batch(header, terms, curves_hash, left)

    def _look_again(self, batch_no: int, batch: _Batch) -> None:
        """Take up again what was done, if the chain forgot it in a reorganisation."""
        if not batch.left:
            every = range(batch.header.liquidation_count)
            tried = [index for index in every if (batch_no, index) not in self.given_up]
            if self._chain.verified_count(batch_no) < len(tried):
                batch.left = tried

    def _verify(self, batch_no: int, batch: _Batch, index: int) -> TransactionReceipt | None:
        """Verify one liquidation, if nobody did and its witness holds."""
        if self._chain.is_verified(batch_no, index):
            batch.left.remove(index)
            return None
        try:
            witness = self._fetch(batch_no, index)
            witness.check(batch.header, batch.terms, batch.curves_hash)
            receipt = self._chain.verify_liquidation(self._signer, batch.header, witness)
        except TransactionReverted as reverted:
            if reverted.name in SECOND_BEST:
                batch.left.remove(index)
                self.earnings.second += 1
            elif reverted.name not in NOT_YET:
                self._failed(batch_no, batch, index, str(reverted))
            return None
        except WitnessMissing:
            return None
        except UNSOUND as fault:
            self._failed(batch_no, batch, index, f"{type(fault).__name__}: {fault}")
            return None
        batch.left.remove(index)
        self.earnings.verified += 1
        self.earnings.add(receipt)
        return receipt

    def _fetch(self, batch_no: int, index: int) -> LiquidationWitness:
        tree = self._witnesses.witness(batch_no, index)
        if tree is None:
            raise WitnessMissing(f"batch {batch_no}, liquidation {index}")
        witness = from_json(LiquidationWitness, tree, "witness")
        if witness.index != index:
            raise MalformedValue(f"witness {witness.index} instead of {index}")
        return witness

    def _failed(self, batch_no: int, batch: _Batch, index: int, why: str) -> None:
        """Count an attempt, and give up after the last one."""
        attempts = batch.attempts[index] = batch.attempts.get(index, 0) + 1
        if attempts >= self.policy.attempts:
            batch.left.remove(index)
            if len(self.given_up) < MAX_FAULTS:
                self.given_up[batch_no, index] = why
