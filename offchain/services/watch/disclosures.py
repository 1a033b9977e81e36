"""What others opened on chain of what a header only commits to.

A root whose preimage nobody shows cannot be disputed, and cannot be used either: whoever verifies a
liquidation has to open its instruction, its epoch and its columns in the input of the transaction.
"""

from dataclasses import dataclass, field

from offchain.ledger.epoch import Epoch
from offchain.ledger.instruction import Instruction
from offchain.ledger.totals import Totals
from offchain.services.contents import ShownContent, root_of


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column that was opened under a root of an epoch.

    Attributes
    ----------
    underlying, kind : int
        As in its hash: 255 values, 254 charges, 253 collateral, 252 funding, else the scenario.
    packed : bytes
        The column.
    proof : tuple of bytes
        Its siblings.
    """

    underlying: int
    kind: int
    packed: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ShownLiquidation:
    """What a verified liquidation showed.

    Attributes
    ----------
    index : int
        Place of the instruction in the batch.
    proof : tuple of bytes
        Its siblings under the liquidation root.
    epoch_index, epoch_proof : int, tuple of bytes
        The same of the epoch.
    """

    instruction: Instruction
    index: int
    proof: tuple[bytes, ...]
    epoch: Epoch
    epoch_index: int
    epoch_proof: tuple[bytes, ...]
    columns: tuple[ShownColumn, ...]


@dataclass(frozen=True, slots=True)
class Disclosures:
    """Everything that was opened of one batch.

    Attributes
    ----------
    contents : tuple of ShownContent
        What was shown because somebody demanded it.
    """

    liquidations: tuple[ShownLiquidation, ...] = field(default=())
    contents: tuple[ShownContent, ...] = field(default=())

    def totals(self) -> list[Totals]:
        """Return the totals that were shown."""
        return [totals for shown in self.contents if (totals := shown.totals) is not None]

    def epochs(self) -> list[Epoch]:
        """Return the epochs that were opened."""
        shown = [epoch for content in self.contents if (epoch := content.epoch) is not None]
        return [*shown, *[liquidation.epoch for liquidation in self.liquidations]]

    def columns(self, epoch: Epoch) -> list[ShownColumn]:
        """Return the columns that were opened under the roots of an epoch, on either occasion."""
        found = [c for of in self.liquidations if of.epoch == epoch for c in of.columns]
        for content in self.contents:
            column, place = content.column, content.place
            if column is None or place.is_empty:
                continue
            if place.expected == root_of(epoch, place.what):
                found.append(ShownColumn(*place.column, *column))
        return found


NOTHING_SHOWN = Disclosures()
