// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Totals} from "../types/Batch.sol";
import {
    CONTENT_CHARGES,
    CONTENT_EPOCH,
    CONTENT_PRICES,
    CONTENT_RISKS,
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
    /// @notice No such content can be demanded.
    error UnknownContent(uint8 what);

    /// @notice The instrument opened is not the last of the listing: an asset must follow it.
    error NotLastInstrument(uint32 index, uint32 next);

    /// @notice The path of a column is not as long as its tree is deep.
    error ColumnPathLength(uint256 length, uint256 expected);

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
        if (what == CONTENT_TOTALS) return ContentPlace(what, 0, 0, header.totalsHash);
        if (what == CONTENT_EPOCH) {
            return ContentPlace(what, 0, 0, epochHashAt(header, stepAt(opening)));
        }
        require(what >= CONTENT_PRICES && what <= CONTENT_CHARGES, UnknownContent(what));
        return columnPlace(header, listingRoot, what, columnOpeningAt(opening));
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
            Column calldata column = columnIn(answer);
            shown = abi.encode(column);
            root = columnRoot(place, column);
        }
    }

    function columnPlace(
        BatchHeader calldata header,
        bytes32 listingRoot,
        uint8 what,
        ColumnOpening calldata opening
    ) private pure returns (ContentPlace memory made) {
        Openings.requireEpoch(opening.epoch, epochHashAt(header, opening.record));
        Openings.requireInstrument(listingRoot, opening.last);
        Openings.requireAsset(listingRoot, opening.next);
        (uint32 last, uint32 next) = (opening.last.index, opening.next.index);
        require(uint256(next) == uint256(last) + 1, NotLastInstrument(last, next));
        uint256 underlyings = (uint256(opening.last.listed.id) >> SLOT_BITS) + 1;
        uint256 count;
        (count, made.expected) = (2 * underlyings, opening.epoch.priceRoot);
        if (what == CONTENT_RISKS) {
            (count, made.expected) = (SCENARIOS * underlyings, opening.epoch.riskRoot);
        } else if (what == CONTENT_CHARGES) {
            (count, made.expected) = (1 + underlyings, opening.epoch.chargeRoot);
        }
        uint256 leaves = 1 << Trace.depthOf(count);
        require(opening.place < leaves, Merkle.IndexOutOfRange(opening.place, leaves));
        // Of at most 256 underlyings.
        // forge-lint: disable-next-line(unsafe-typecast)
        (made.what, made.place, made.count) = (what, opening.place, uint16(count));
    }

    /// @dev The root above a column, or above an empty place of the padding.
    function columnRoot(ContentPlace calldata place, Column calldata column)
        private
        pure
        returns (bytes32)
    {
        uint256 depth = Trace.depthOf(place.count);
        require(column.proof.length == depth, ColumnPathLength(column.proof.length, depth));
        bytes32 leaf;
        if (place.place < place.count) {
            (uint8 underlying, uint8 kind) = columnAt(place.what, place.place);
            leaf = Columns.hash(underlying, kind, column.packed);
        }
        return Merkle.listRoot(leaf, place.place, column.proof);
    }

    /// @dev Underlying and kind of the column at a place below the count.
    // forge-lint: disable-next-item(unsafe-typecast)
    function columnAt(uint8 what, uint256 place)
        private
        pure
        returns (uint8 underlying, uint8 kind)
    {
        if (what == CONTENT_PRICES) {
            return (uint8(place / 2), place % 2 == 0 ? Columns.VALUES : Columns.FUNDING);
        }
        if (what == CONTENT_RISKS) return (uint8(place / SCENARIOS), uint8(place % SCENARIOS));
        if (place == Collateral.INDEX) return (Collateral.UNDERLYING, Collateral.KIND);
        return (uint8(place - Charges.index(0)), Charges.KIND);
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

    function columnIn(bytes calldata answer) private pure returns (Column calldata e) {
        assembly ("memory-safe") {
            e := add(answer.offset, 0x20)
        }
    }
}
