// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Rounding} from "./Rounding.sol";

/// @title FixedPoint
/// @notice Logarithm, exponential and square root in integers, equal on every bit to
/// `offchain.pricing.fixed_point`.
/// @dev Work is done with 96 fraction bits. Every intermediate is below 2**192 and every rounding
/// is a floor. A series ends where a term has become zero: all that follow would be zero, too.
library FixedPoint {
    /// @dev Fraction bits of logarithms.
    uint256 internal constant LOG_BITS = 56;

    uint256 private constant WORK_BITS = 96;
    uint256 private constant WORK_ONE = 1 << WORK_BITS;

    /// @dev Divisors of the logarithm's 30 terms are 1, 3, .. 59, five in a go.
    uint256 private constant LAST_LOG_DIVISOR = 59;
    uint256 private constant EXP_TERMS = 28;
    int256 private constant MAX_EXPONENT = int256(32) << LOG_BITS;

    /// @dev ln 2 with 96 fraction bits, from the same series.
    uint256 private constant LN_2 = 54_916_777_467_707_473_351_141_471_098;

    // forge-lint: disable-next-line(unsafe-typecast): below 2**96.
    int256 private constant SIGNED_LN_2 = int256(LN_2);
    // forge-lint: disable-next-line(unsafe-typecast): 40.
    int256 private constant GUARD_BITS = int256(WORK_BITS - LOG_BITS);

    /// @notice Logarithms are taken of [1, 2**96).
    error LogOutOfRange(uint256 value);

    /// @notice Exponents lie in [-32, 32]. [2**-56]
    error ExponentOutOfRange(int256 exponent);

    /// @notice Natural logarithm, rounded down. [2**-56]
    /// @param value In [1, 2**96).
    function ln(uint256 value) internal pure returns (int256) {
        require(value != 0 && value < WORK_ONE, LogOutOfRange(value));
        // The exponent is below 96; all is below 96 x 2**96 + 2 x 2**96.
        unchecked {
            uint256 exponent = Math.log2(value);
            uint256 wide = exponent * LN_2 + logOfMantissa(value << (WORK_BITS - exponent));
            // forge-lint: disable-next-line(unsafe-typecast): far below 2**255.
            return int256(wide >> (WORK_BITS - LOG_BITS));
        }
    }

    /// @notice e to the given power, rounded down. [2**-56]
    /// @param exponent In [-32, 32]. [2**-56]
    function exp(int256 exponent) internal pure returns (uint256) {
        require(exponent >= -MAX_EXPONENT && exponent <= MAX_EXPONENT, ExponentOutOfRange(exponent));
        int256 wide = exponent << (WORK_BITS - LOG_BITS);
        int256 doublings = Rounding.floorDiv(wide, SIGNED_LN_2);
        // `rest` is in [0, ln 2), so a term is at most the one before and the total below 2**97.
        // `doublings` is in [-47, 46].
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast): a remainder is not negative.
            uint256 rest = uint256(wide - doublings * SIGNED_LN_2);
            uint256 total = 0;
            uint256 term = WORK_ONE;
            for (uint256 k = 1; term != 0 && k <= EXP_TERMS; ++k) {
                total += term;
                term = (term * rest >> WORK_BITS) / k;
            }
            int256 shift = GUARD_BITS - doublings;
            // forge-lint: disable-next-line(unsafe-typecast): neither shift is negative.
            return shift >= 0 ? total >> uint256(shift) : total << uint256(-shift);
        }
    }

    /// @notice floor(sqrt(numerator / denominator) * 2**bits), exactly.
    /// @param numerator Below 2**(256 - 2 bits).
    /// @param denominator Positive.
    function squareRoot(uint256 numerator, uint256 denominator, uint256 bits)
        internal
        pure
        returns (uint256)
    {
        return Math.sqrt((numerator << 2 * bits) / denominator);
    }

    /// @notice An integer with eight decimals as a binary fraction, rounded down. [2**-56]
    /// @param valueE8 Below 2**190 in size.
    function ofE8(int256 valueE8) internal pure returns (int256) {
        return Rounding.floorDiv(valueE8 << LOG_BITS, 1e8);
    }

    /// @dev ln(mantissa) for a mantissa in [1, 2), both with 96 fraction bits:
    /// 2 artanh((m - 1) / (m + 1)), whose argument is at most 1/3.
    function logOfMantissa(uint256 mantissa) private pure returns (uint256) {
        // Powers are below 2**95 and the square is below 2**93, so products stay below 2**188.
        unchecked {
            uint256 power = ((mantissa - WORK_ONE) << WORK_BITS) / (mantissa + WORK_ONE);
            uint256 square = power * power >> WORK_BITS;
            uint256 total = 0;
            for (uint256 d = 1; power != 0 && d <= LAST_LOG_DIVISOR; d += 10) {
                // Five times, with d, d + 2, .. d + 8, which are not zero:
                // total += power / d; power = power * square >> 96;
                // In a loop, tests and jumps would cost more gas than the terms.
                assembly ("memory-safe") {
                    total := add(total, div(power, d))
                    power := shr(96, mul(power, square))
                    total := add(total, div(power, add(d, 2)))
                    power := shr(96, mul(power, square))
                    total := add(total, div(power, add(d, 4)))
                    power := shr(96, mul(power, square))
                    total := add(total, div(power, add(d, 6)))
                    power := shr(96, mul(power, square))
                    total := add(total, div(power, add(d, 8)))
                    power := shr(96, mul(power, square))
                }
            }
            return 2 * total;
        }
    }
}
