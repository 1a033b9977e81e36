// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rounding
/// @notice Division with its direction in the name, as `mul_div_floor` and `mul_div_ceil` of
/// `offchain.core.units`.
/// @dev Everything that is divided on chain is at least zero, so `/` floors; a signed quotient
/// would be truncated toward zero and has no place here.
library Rounding {
    /// @notice floor(a * b / divisor), for what is owed to an account.
    function mulDivFloor(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return a * b / divisor;
    }

    /// @notice ceil(a * b / divisor), for what is required of an account.
    function mulDivCeil(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return (a * b + divisor - 1) / divisor;
    }
}
