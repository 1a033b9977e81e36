// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rounding
/// @notice Division with its direction in the name, as in `offchain.core.units`.
/// @dev `/` floors what is at least zero, and truncates a negative quotient toward zero: signed
/// division goes through `floorDiv` and `ceilDiv`, which need a positive divisor.
library Rounding {
    /// @notice floor(a * b / divisor), for what is owed to an account.
    function mulDivFloor(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return a * b / divisor;
    }

    /// @notice ceil(a * b / divisor), for what is required of an account.
    function mulDivCeil(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return (a * b + divisor - 1) / divisor;
    }

    /// @notice |a|; nothing here comes near the most negative number, which has none.
    function magnitude(int256 a) internal pure returns (uint256) {
        // forge-lint: disable-next-line(unsafe-typecast): neither is negative.
        return uint256(a < 0 ? -a : a);
    }

    /// @notice floor(a / divisor), toward minus infinity.
    /// @param divisor Positive.
    function floorDiv(int256 a, int256 divisor) internal pure returns (int256 quotient) {
        // Only a divisor of two or more leaves a rest, and its quotient is far from the ends.
        unchecked {
            quotient = a / divisor;
            if (a % divisor < 0) quotient -= 1;
        }
    }

    /// @notice ceil(a / divisor), toward plus infinity.
    /// @param divisor Positive.
    function ceilDiv(int256 a, int256 divisor) internal pure returns (int256 quotient) {
        // As above.
        unchecked {
            quotient = a / divisor;
            if (a % divisor > 0) quotient += 1;
        }
    }
}
