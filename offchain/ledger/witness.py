"""The liquidation witness: what `LiquidationManager.verify` takes, and the same check."""

from dataclasses import dataclass

from offchain.core.units import SCENARIOS
from offchain.engine.accounts import PORTFOLIO_MODE
from offchain.ledger.columns import VALUE_COLUMN, ColumnOpening, column_hash, pack_values
from offchain.ledger.epoch import Epoch, Report, epoch_hash, report_hash
from offchain.ledger.errors import EncodingError, WitnessError
from offchain.ledger.header import BatchHeader
from offchain.ledger.instruction import Instruction, instruction_hash
from offchain.ledger.leaf import AccountLeaf, leaf_hash
from offchain.ledger.liquidation import check_legs, demand, is_liquidatable, witness_margin
from offchain.ledger.merkle import verify_account, verify_list
from offchain.ledger.terms import Terms


@dataclass(frozen=True, slots=True)
class LiquidationWitness:
    """Everything that connects an instruction to the batch that carries it.

    Attributes
    ----------
    index, epoch_index : int
        Places under the batch's liquidation root and epoch root.
    leaf : AccountLeaf
        The account just before the step.
    columns : tuple of ColumnOpening
        One for each underlying held, ascending.
    """

    instruction: Instruction
    index: int
    instruction_proof: tuple[bytes, ...]
    epoch: Epoch
    epoch_index: int
    epoch_proof: tuple[bytes, ...]
    report: Report
    leaf: AccountLeaf
    account_proof: tuple[bytes, ...]
    columns: tuple[ColumnOpening, ...]

    def check(self, header: BatchHeader, terms: Terms) -> tuple[int, int]:
        """Verify the instruction under a header, by the rule of the contract.

        That the header was committed, the report accepted and the terms are those of the header's
        parameters are facts of the chain, which the contract checks besides.

        Returns
        -------
        margin_balance_e6, maintenance_e6 : int
            Recomputed in the witness scenarios. [USD e-6]

        Raises
        ------
        WitnessError
            The first rule that does not hold.
        """
        try:
            self._check_instruction(header)
            self._check_epoch(header)
            self._check_account()
        except EncodingError as fault:
            raise WitnessError(f"a value has no encoding: {fault}") from fault
        for opening in self.columns:
            _check_opening(opening, self.epoch)
        feed, medians = terms.collateral_feed, self.report.medians
        demand("the report has the collateral's feed", holds=feed < len(medians))
        balance, maintenance = witness_margin(self.leaf, self.columns, medians[feed], terms)
        below = is_liquidatable(self.instruction.tier, balance, maintenance, terms)
        demand("the margin ratio is below the trigger of the tier", holds=below)
        check_legs(self.instruction, self.leaf.positions, terms)
        return balance, maintenance

    def abi_tuple(self) -> tuple[object, ...]:
        """Return the witness as `LiquidationManager.verify` takes it, without the instruction."""
        epoch, report, leaf = self.epoch, self.report, self.leaf
        return (
            self.index,
            self.instruction_proof,
            (epoch.number, epoch.time_ns, epoch.report_hash, epoch.price_root, epoch.risk_root),
            self.epoch_index,
            self.epoch_proof,
            (report.round, report.observed_at_ns, pack_values(report.medians)),
            (
                leaf.owner,
                leaf.subaccount,
                leaf.mode,
                leaf.cash_e6,
                leaf.collateral_e8,
                tuple((p.instrument, p.lots, p.cost_e6) for p in leaf.positions),
            ),
            self.account_proof,
            tuple(
                (c.underlying, c.scenario, c.values, c.losses, c.value_proof, c.loss_proof)
                for c in self.columns
            ),
        )

    def _check_instruction(self, header: BatchHeader) -> None:
        demand("the index is below the count", holds=0 <= self.index < header.liquidation_count)
        leaf, proof = instruction_hash(self.instruction), self.instruction_proof
        held = verify_list(header.liquidation_root, self.index, leaf, proof)
        demand("the instruction is in the batch", holds=held)

    def _check_epoch(self, header: BatchHeader) -> None:
        leaf = epoch_hash(self.epoch)
        demand("the epoch is the instruction's", holds=leaf == self.instruction.epoch_hash)
        held = verify_list(header.epoch_root, self.epoch_index, leaf, self.epoch_proof)
        demand("the epoch is in the batch", holds=held)
        same = report_hash(self.report) == self.epoch.report_hash
        demand("the report is the epoch's", holds=same)

    def _check_account(self) -> None:
        leaf, instruction = leaf_hash(self.leaf), self.instruction
        demand("the leaf is the instruction's", holds=leaf == instruction.leaf_hash)
        root, account = instruction.account_root, instruction.account
        held = verify_account(root, account, leaf, self.account_proof)
        demand("the leaf is in the account tree", holds=held)
        demand("the account is margined as a portfolio", holds=self.leaf.mode == PORTFOLIO_MODE)


def _check_opening(opening: ColumnOpening, epoch: Epoch) -> None:
    underlying, scenario = opening.underlying, opening.scenario
    demand("the scenario exists", holds=0 <= scenario < SCENARIOS)
    leaf = column_hash(underlying, VALUE_COLUMN, opening.values)
    held = verify_list(epoch.price_root, underlying, leaf, opening.value_proof)
    demand("the value column is the epoch's", holds=held)
    leaf = column_hash(underlying, scenario, opening.losses)
    place = underlying * SCENARIOS + scenario
    held = verify_list(epoch.risk_root, place, leaf, opening.loss_proof)
    demand("the risk column is the epoch's", holds=held)
