// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Totals} from "../types/Batch.sol";
import {
    CONTENT_COLUMN,
    CONTENT_EPOCH,
    CONTENT_TOTALS,
    ColumnOpening,
    ContentPlace
} from "../types/Content.sol";
import {Column} from "../types/ContentEvidence.sol";
import {Epoch} from "../types/Epoch.sol";
import {StepOpening} from "../types/Evidence.sol";
import {SCENARIOS, SLOT_BITS} from "../types/Units.sol";
import {Charges} from "./Charges.sol";
import {Collateral} from "./Collateral.sol";
import {Columns} from "./Columns.sol";
import {Merkle} from "./Merkle.sol";
import {Openings} from "./Openings.sol";
import {Trace} from "./Trace.sol";

/// @title Contents
/// @notice What a batch commits to by a hash whose preimage is not posted: what may be demanded of
/// it, and what is an answer.
/// @dev Only what an honest batch has can be demanded. An answer is encoded anew from what was
/// hashed, so that its event holds all of it, wherever the caller had it in calldata.
library Contents {
    uint256 private constant KIND_BITS = 8;

    /// @notice No such content can be demanded.
    error UnknownContent(uint8 what);

    /// @notice There is no column of this kind.
    error UnknownColumn(uint8 kind);

    /// @notice No epoch is in force after the record.
    error NoEpoch(uint32 index);

    /// @notice What must be shown, from what the header leads to.
    /// @param listingRoot Of the parameter set of the header.
    /// @param opening As said where the contents are numbered.
    function placeOf(
        BatchHeader calldata header,
        bytes32 listingRoot,
        uint8 what,
        bytes calldata opening
    ) internal pure returns (ContentPlace memory) {
        if (what == CONTENT_TOTALS) return ContentPlace(what, 0, header.totalsHash);
        if (what == CONTENT_EPOCH) {
            return ContentPlace(what, 0, epochHashAt(header, stepAt(opening)));
        }
        require(what == CONTENT_COLUMN, UnknownContent(what));
        return columnPlace(header, listingRoot, columnOpeningAt(opening));
    }

    /// @notice The hash of what is shown, or of a column the root above it, and what that was.
    /// @param answer `abi.encode` of a `Totals`, an `Epoch` or a `Column`.
    function rootOf(ContentPlace calldata place, bytes calldata answer)
        internal
        pure
        returns (bytes32 root, bytes memory shown)
    {
        if (place.what == CONTENT_TOTALS) {
            shown = abi.encode(totalsAt(answer));
            root = keccak256(shown);
        } else if (place.what == CONTENT_EPOCH) {
            shown = abi.encode(epochAt(answer));
            root = keccak256(shown);
        } else {
            Column calldata column = columnAt(answer);
            shown = abi.encode(column);
            root = columnRoot(place.place, column);
        }
    }

    function columnPlace(
        BatchHeader calldata header,
        bytes32 listingRoot,
        ColumnOpening calldata opening
    ) private pure returns (ContentPlace memory) {
        Openings.requireEpoch(opening.epoch, epochHashAt(header, opening.record));
        uint8 kind = opening.kind;
        if (kind == Collateral.KIND) {
            return ofColumn(Collateral.UNDERLYING, kind, opening.epoch.chargeRoot);
        }
        Openings.requireInstrument(listingRoot, opening.instrument);
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
        uint8 underlying = uint8(opening.instrument.listed.id >> SLOT_BITS);
        if (kind == Columns.VALUES || kind == Columns.FUNDING) {
            return ofColumn(underlying, kind, opening.epoch.priceRoot);
        }
        if (kind == Charges.KIND) return ofColumn(underlying, kind, opening.epoch.chargeRoot);
        require(kind < SCENARIOS, UnknownColumn(kind));
        return ofColumn(underlying, kind, opening.epoch.riskRoot);
    }

    function ofColumn(uint8 underlying, uint8 kind, bytes32 root)
        private
        pure
        returns (ContentPlace memory)
    {
        uint16 place = uint16(underlying) << uint16(KIND_BITS) | kind;
        return ContentPlace(CONTENT_COLUMN, place, root);
    }

    function columnRoot(uint16 place, Column calldata column) private pure returns (bytes32) {
        // forge-lint: disable-next-line(unsafe-typecast): the two halves of 16 bits.
        (uint8 underlying, uint8 kind) = (uint8(place >> KIND_BITS), uint8(place));
        uint256 index;
        if (kind == Collateral.KIND) index = Collateral.INDEX;
        else if (kind == Charges.KIND) index = Charges.index(underlying);
        else if (kind == Columns.VALUES) index = Columns.valueIndex(underlying);
        else if (kind == Columns.FUNDING) index = Columns.fundingIndex(underlying);
        else index = Columns.riskIndex(underlying, kind);
        bytes32 leaf = Columns.hash(underlying, kind, column.packed);
        return Merkle.listRoot(leaf, index, column.proof);
    }

    function epochHashAt(BatchHeader calldata header, StepOpening calldata record)
        private
        pure
        returns (bytes32 epochHash)
    {
        Trace.requireStep(header, record);
        epochHash = record.step.epochHash;
        require(epochHash != 0, NoEpoch(record.index));
    }

    // Where each struct lies in calldata.

    function stepAt(bytes calldata opening) private pure returns (StepOpening calldata e) {
        assembly ("memory-safe") {
            e := add(opening.offset, 0x20)
        }
    }

    function columnOpeningAt(bytes calldata opening)
        private
        pure
        returns (ColumnOpening calldata e)
    {
        assembly ("memory-safe") {
            e := add(opening.offset, 0x20)
        }
    }

    function totalsAt(bytes calldata answer) private pure returns (Totals calldata e) {
        assembly ("memory-safe") {
            e := add(answer.offset, 0x20)
        }
    }

    function epochAt(bytes calldata answer) private pure returns (Epoch calldata e) {
        assembly ("memory-safe") {
            e := answer.offset
        }
    }

    function columnAt(bytes calldata answer) private pure returns (Column calldata e) {
        assembly ("memory-safe") {
            e := add(answer.offset, 0x20)
        }
    }
}
