// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SCENARIOS} from "../types/Units.sol";

/// @title Columns
/// @notice The packed columns of an underlying: values and, for each scenario, losses. Other
/// libraries read charges and collateral; all are hashed here.
/// @dev Numbers are big-endian two's complement without padding, one for each listed slot.
library Columns {
    /// @dev Kind of the value column; a risk column has the number of its scenario.
    uint8 internal constant VALUES = 255;

    /// @dev Kind of the funding column, which has the numbers and width of the value column.
    uint8 internal constant FUNDING = 252;

    uint256 internal constant VALUE_BYTES = 8;
    uint256 internal constant LOSS_BYTES = 4;

    /// @notice The slot lies beyond the end of the column.
    error SlotNotListed(uint256 slot, uint256 slots);

    /// @notice There is no such scenario.
    error UnknownScenario(uint8 scenario);

    /// @notice Leaf of the list tree over columns of one kind.
    /// @param kind The scenario, `VALUES`, `FUNDING`, `Charges.KIND` or `Collateral.KIND`.
    function hash(uint8 underlying, uint8 kind, bytes calldata packed)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(underlying, kind, keccak256(packed)));
    }

    /// @notice Place of a value column under the price root.
    function valueIndex(uint8 underlying) internal pure returns (uint256) {
        return 2 * uint256(underlying);
    }

    /// @notice Place of a funding column under the price root.
    function fundingIndex(uint8 underlying) internal pure returns (uint256) {
        return 2 * uint256(underlying) + 1;
    }

    /// @notice Place of a risk column under the risk root.
    function riskIndex(uint8 underlying, uint8 scenario) internal pure returns (uint256) {
        require(scenario < SCENARIOS, UnknownScenario(scenario));
        return uint256(underlying) * SCENARIOS + scenario;
    }

    /// @notice Value of one long lot. [USD e-6]
    function valueAt(bytes calldata values, uint256 slot) internal pure returns (int64 valueE6) {
        uint256 slots = values.length / VALUE_BYTES;
        require(slot < slots, SlotNotListed(slot, slots));
        // valueE6 = int64(uint64(bytes8(values[8 * slot:8 * slot + 8])));
        assembly ("memory-safe") {
            valueE6 := sar(192, calldataload(add(values.offset, mul(slot, 8))))
        }
    }

    /// @notice Loss of one long lot. [USD e-6]
    function lossAt(bytes calldata losses, uint256 slot) internal pure returns (int32 lossE6) {
        uint256 slots = losses.length / LOSS_BYTES;
        require(slot < slots, SlotNotListed(slot, slots));
        // lossE6 = int32(uint32(bytes4(losses[4 * slot:4 * slot + 4])));
        assembly ("memory-safe") {
            lossE6 := sar(224, calldataload(add(losses.offset, mul(slot, 4))))
        }
    }
}
