"""The liquidation witness: what `LiquidationManager.verify` takes, and the same check."""

from dataclasses import astuple, dataclass

from offchain.core.margin import Mode
from offchain.core.units import SCENARIOS
from offchain.ledger.columns import (
    CHARGE_COLUMN,
    COLLATERAL_COLUMN,
    COLLATERAL_PLACE,
    COLLATERAL_UNDERLYING,
    VALUE_COLUMN,
    ColumnOpening,
    charge_place,
    column_hash,
    value_place,
)
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.errors import EncodingError, WitnessError
from offchain.ledger.header import BatchHeader
from offchain.ledger.instruction import Instruction, instruction_hash
from offchain.ledger.keccak import keccak256
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
    collateral : bytes
        The collateral column; empty when the account holds no collateral.
    curves : bytes
        The packed tier curves of the parameter set; empty when no charges are opened.
    """

    instruction: Instruction
    index: int
    instruction_proof: tuple[bytes, ...]
    epoch: Epoch
    epoch_index: int
    epoch_proof: tuple[bytes, ...]
    leaf: AccountLeaf
    account_proof: tuple[bytes, ...]
    columns: tuple[ColumnOpening, ...]
    collateral: bytes
    collateral_proof: tuple[bytes, ...]
    curves: bytes

    def check(self, header: BatchHeader, terms: Terms, curves_hash: bytes) -> tuple[int, int]:
        """Verify the instruction under a header, by the rule of the contract.

        That the header was committed, the report accepted, and terms and curves are those of the
        header's parameters are facts of the chain, which the contract checks besides.

        Returns
        -------
        margin_balance_e6, maintenance_e6 : int
            Recomputed from what is opened. [USD e-6]

        Raises
        ------
        WitnessError
            The first rule that does not hold.
        """
        try:
            self._check_instruction(header)
            self._check_epoch(header)
            self._check_account()
            for opening in self.columns:
                _check_opening(opening, self.epoch, self.leaf.mode)
            self._check_collateral()
            self._check_curves(curves_hash)
            balance, maintenance = witness_margin(
                self.leaf, self.columns, self.collateral, self.curves, terms
            )
        except EncodingError as fault:
            raise WitnessError(f"a value has no encoding: {fault}") from fault
        below = is_liquidatable(self.instruction.tier, balance, maintenance, terms)
        demand("the margin ratio is below the trigger of the tier", holds=below)
        check_legs(self.instruction, self.leaf.positions, terms)
        return balance, maintenance

    def abi_tuple(self) -> tuple[object, ...]:
        """Return the witness as `LiquidationManager.verify` takes it, without the instruction."""
        leaf = self.leaf
        return (
            self.index,
            self.instruction_proof,
            astuple(self.epoch),
            self.epoch_index,
            self.epoch_proof,
            (
                leaf.owner,
                leaf.subaccount,
                leaf.mode,
                leaf.cash_e6,
                leaf.collateral_e8,
                tuple((p.instrument, p.lots, p.cost_e6) for p in leaf.positions),
            ),
            self.account_proof,
            tuple(astuple(opening) for opening in self.columns),
            self.collateral,
            self.collateral_proof,
            self.curves,
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

    def _check_account(self) -> None:
        leaf, instruction = leaf_hash(self.leaf), self.instruction
        demand("the leaf is the instruction's", holds=leaf == instruction.leaf_hash)
        root, account = instruction.account_root, instruction.account
        held = verify_account(root, account, leaf, self.account_proof)
        demand("the leaf is in the account tree", holds=held)

    def _check_collateral(self) -> None:
        column, proof = self.collateral, self.collateral_proof
        if not any(self.leaf.collateral_e8):
            demand("no collateral is priced that is not held", holds=not (column or proof))
            return
        leaf = column_hash(COLLATERAL_UNDERLYING, COLLATERAL_COLUMN, column)
        held = verify_list(self.epoch.charge_root, COLLATERAL_PLACE, leaf, proof)
        demand("the collateral column is the epoch's", holds=held)

    def _check_curves(self, curves_hash: bytes) -> None:
        if not any(opening.has_charges for opening in self.columns):
            demand("no curves are given that charge nothing", holds=not self.curves)
            return
        demand("the curves are the set's", holds=keccak256(self.curves) == curves_hash)


def _check_opening(opening: ColumnOpening, epoch: Epoch, mode: int) -> None:
    underlying = opening.underlying
    leaf = column_hash(underlying, VALUE_COLUMN, opening.values)
    held = verify_list(epoch.price_root, value_place(underlying), leaf, opening.value_proof)
    demand("the value column is the epoch's", holds=held)
    if mode == Mode.PORTFOLIO:
        _check_losses(opening, epoch)
    else:
        empty = not (opening.scenario or opening.losses or opening.loss_proof)
        demand("only a portfolio has a scenario", holds=empty)
    if opening.has_charges:
        leaf = column_hash(underlying, CHARGE_COLUMN, opening.charges)
        place = charge_place(underlying)
        held = verify_list(epoch.charge_root, place, leaf, opening.charge_proof)
        demand("the charge column is the epoch's", holds=held)


def _check_losses(opening: ColumnOpening, epoch: Epoch) -> None:
    underlying, scenario = opening.underlying, opening.scenario
    demand("the scenario exists", holds=0 <= scenario < SCENARIOS)
    leaf = column_hash(underlying, scenario, opening.losses)
    place = underlying * SCENARIOS + scenario
    held = verify_list(epoch.risk_root, place, leaf, opening.loss_proof)
    demand("the risk column is the epoch's", holds=held)
