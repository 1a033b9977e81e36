// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Expiries of an underlying, the perpetual first.
uint256 constant GROUPS = 32;

/// @title Charges
/// @notice The packed charge column of an underlying: what one lot of each slot adds to the
/// maintenance margin beyond the scan risk.
/// @dev Mirrors `offchain.ledger.columns.pack_charges`. A row of 21 bytes, big-endian:
/// delta int32 | roll int32 | long uint32 | short uint32 | unwind uint32 | group uint8. [USD e-6]
library Charges {
    /// @dev Kind of the charge column of an underlying, as a column.
    uint8 internal constant KIND = 254;

    uint256 internal constant ROW_BYTES = 21;

    /// @notice The slot lies beyond the end of the charge column.
    error ChargesNotListed(uint256 slot, uint256 slots);

    /// @notice An underlying has fewer expiries than this.
    error UnknownGroup(uint256 group);

    /// @notice What one lot is charged. [USD e-6]
    /// @param delta Cash delta of one long lot.
    /// @param roll The share of it, with its sign, that may be lost against other expiries.
    /// @param long Provision for holding and closing one long lot.
    /// @param short The same for one short lot.
    /// @param unwind Raw cost of unwinding one lot.
    /// @param group Place of the expiry; 0 for a perpetual.
    struct Row {
        int256 delta;
        int256 roll;
        uint256 long;
        uint256 short;
        uint256 unwind;
        uint256 group;
    }

    /// @notice Place of a charge column under the charge root: the collateral column is the first.
    function index(uint8 underlying) internal pure returns (uint256) {
        return uint256(underlying) + 1;
    }

    /// @notice Reads the row of a slot into `row`.
    function read(Row memory row, bytes calldata charges, uint256 slot) internal pure {
        uint256 packed = wordAt(charges, slot);
        uint256 group;
        // row.delta = int32(uint32(packed >> 224)); row.roll = int32(uint32(packed >> 192));
        // row.long = uint32(packed >> 160); row.short = uint32(packed >> 128);
        // row.unwind = uint32(packed >> 96); group = uint8(packed >> 88);
        assembly ("memory-safe") {
            mstore(row, sar(224, packed))
            mstore(add(row, 0x20), sar(224, shl(32, packed)))
            mstore(add(row, 0x40), shr(224, shl(64, packed)))
            mstore(add(row, 0x60), shr(224, shl(96, packed)))
            mstore(add(row, 0x80), shr(224, shl(128, packed)))
            group := and(shr(88, packed), 0xff)
        }
        require(group < GROUPS, UnknownGroup(group));
        row.group = group;
    }

    /// @notice Cash delta of one long lot. [USD e-6]
    function deltaAt(bytes calldata charges, uint256 slot) internal pure returns (int256 deltaE6) {
        uint256 packed = wordAt(charges, slot);
        // deltaE6 = int32(uint32(packed >> 224));
        assembly ("memory-safe") {
            deltaE6 := sar(224, packed)
        }
    }

    /// @dev The word that begins with the row of a slot.
    function wordAt(bytes calldata charges, uint256 slot) private pure returns (uint256 packed) {
        uint256 slots = charges.length / ROW_BYTES;
        require(slot < slots, ChargesNotListed(slot, slots));
        // packed = uint256(bytes32(charges[21 * slot:21 * slot + 32])), beyond the end included.
        assembly ("memory-safe") {
            packed := calldataload(add(charges.offset, mul(slot, 21)))
        }
    }
}
