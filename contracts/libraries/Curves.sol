// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ONE_E6} from "../types/Units.sol";

/// @title Curves
/// @notice Tier curves: a marginal rate on each part of an amount, as the largest of a few lines.
/// @dev Mirrors `offchain.core.curves`. Packed one after another, each as a count of one byte and
/// as many lines of rate uint32 [1e-6] and deduction uint96 [USD e-12]. An underlying has three:
/// on its net delta, on its cost of unwinding, and on the notional of a linear instrument.
library Curves {
    uint256 internal constant PER_UNDERLYING = 3;
    uint256 internal constant DELTA = 0;
    uint256 internal constant UNWIND = 1;
    uint256 internal constant LINEAR = 2;

    /// @dev Amounts above this are charged as this. [USD e-6]
    uint256 internal constant LIMIT = 1 << 57;

    uint256 private constant LINE_BYTES = 16;

    /// @notice The set has no curve at this place.
    error CurveMissing(uint256 place);

    /// @notice The lines of the curve at a place, among all curves of a set.
    function linesAt(bytes calldata curves, uint256 place)
        internal
        pure
        returns (bytes calldata lines)
    {
        uint256 start = 0;
        uint256 end = 0;
        // A curve has at most 255 lines and a place is below 2**10: far from 2**256.
        unchecked {
            for (uint256 i = 0; i <= place; ++i) {
                start = end;
                require(start < curves.length, CurveMissing(place));
                uint256 count;
                // count = uint8(curves[start]);
                assembly ("memory-safe") {
                    count := byte(0, calldataload(add(curves.offset, start)))
                }
                end = start + 1 + count * LINE_BYTES;
            }
        }
        require(end <= curves.length, CurveMissing(place));
        lines = curves[start + 1:end];
    }

    /// @notice The charge on an amount, rounded up; never negative. [USD e-6]
    /// @param lines From `linesAt`.
    function charge(uint256 amountE6, bytes calldata lines) internal pure returns (uint256) {
        if (amountE6 > LIMIT) amountE6 = LIMIT;
        uint256 mostE12 = 0;
        // 2**57 x 2**32 is far from 2**256.
        unchecked {
            for (uint256 place = 0; place < lines.length; place += LINE_BYTES) {
                uint256 rate;
                uint256 deduction;
                // rate = uint32(bytes4(lines[place:place + 4]));
                // deduction = uint96(bytes12(lines[place + 4:place + 16]));
                assembly ("memory-safe") {
                    let line := calldataload(add(lines.offset, place))
                    rate := shr(224, line)
                    deduction := shr(160, shl(32, line))
                }
                uint256 due = rate * amountE6;
                if (due > deduction && due - deduction > mostE12) mostE12 = due - deduction;
            }
            return (mostE12 + ONE_E6 - 1) / ONE_E6;
        }
    }
}
