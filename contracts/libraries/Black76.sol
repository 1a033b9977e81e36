// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {ONE_E8, YEAR_NS} from "../types/Units.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {Normal} from "./Normal.sol";

/// @title Black76
/// @notice Black's formula (Black 1976, eq. 16, undiscounted) in integers, equal on every bit to
/// `offchain.pricing.black76`:
///     d1 = ln(F/K) / w + w/2,   d2 = d1 - w,   call = F N(d1) - K N(d2),   put = call - F + K
/// with w = sigma sqrt(T), the total volatility.
/// @dev Forwards are in [0, 2**50), strikes in [1, 2**46), ln(F/K) is below 64 in size and w at
/// most 8, so nothing here passes 2**190.
library Black76 {
    /// @dev Fraction bits of d1, d2 and the total volatility.
    uint256 internal constant VOL_BITS = Normal.ARGUMENT_BITS;
    uint256 private constant INVERSE_BITS = 40;
    uint256 private constant MAX_TOTAL_VOL = 8 << VOL_BITS;
    uint256 private constant MIN_TOTAL_VOL = 1 << (VOL_BITS - 22);
    uint256 private constant DISTANCE_SHIFT = FixedPoint.LOG_BITS + INVERSE_BITS - VOL_BITS;

    /// @notice sqrt(T) for T in years of 365 days, rounded down. [2**-58]
    /// @param remainingNs Below 2**64. [ns]
    function rootOfTime(uint256 remainingNs) internal pure returns (uint256) {
        return FixedPoint.squareRoot(remainingNs, YEAR_NS, VOL_BITS);
    }

    /// @notice sigma sqrt(T), rounded down, at most 8; zero below 2**-22. [2**-58]
    /// @param volatilityE8 Below 2**128. [1e-8]
    /// @param root From `rootOfTime`. [2**-58]
    function totalVolatilityFrom(uint256 volatilityE8, uint256 root)
        internal
        pure
        returns (uint256 totalVol)
    {
        totalVol = Math.min(volatilityE8 * root / ONE_E8, MAX_TOTAL_VOL);
        if (totalVol < MIN_TOTAL_VOL) totalVol = 0;
    }

    /// @notice Price of a European option on a forward, without discount, rounded down. [USD e-8]
    /// @dev Never below intrinsic value; call - put = F - K exactly.
    /// @param forwardE8 In [0, 2**50). [USD e-8]
    /// @param strikeE8 In [1, 2**46). [USD e-8]
    /// @param logMoneyness ln(F/K). [2**-56]
    /// @param totalVol From `totalVolatilityFrom`. [2**-58]
    /// @param table The table of `Normal`.
    function price(
        int256 forwardE8,
        int256 strikeE8,
        int256 logMoneyness,
        uint256 totalVol,
        bool isCall,
        address table
    ) internal view returns (int256 valueE8) {
        unchecked {
            valueE8 = SignedMath.max(forwardE8 - strikeE8, 0);
            if (totalVol != 0) {
                int256 d1 = firstArgument(logMoneyness, totalVol);
                // forge-lint: disable-next-line(unsafe-typecast): at most 2**61.
                int256 d2 = d1 - int256(totalVol);
                int256 expected = forwardE8 * Normal.probability(d1, table);
                expected -= strikeE8 * Normal.probability(d2, table);
                valueE8 = SignedMath.max(valueE8, expected >> Normal.PROBABILITY_BITS);
            }
            if (!isCall) valueE8 += strikeE8 - forwardE8;
        }
    }

    /// @notice Change of the price with the forward: N(d1) of a call, N(d1) - 1 of a put. [2**-62]
    /// @dev Without volatility N(d1) is one above the strike, else zero.
    function delta(
        int256 forwardE8,
        int256 strikeE8,
        int256 logMoneyness,
        uint256 totalVol,
        bool isCall,
        address table
    ) internal view returns (int256 deltaQ62) {
        if (totalVol != 0) {
            deltaQ62 = Normal.probability(firstArgument(logMoneyness, totalVol), table);
        } else if (forwardE8 > strikeE8) {
            deltaQ62 = Normal.PROBABILITY_ONE;
        }
        if (!isCall) deltaQ62 -= Normal.PROBABILITY_ONE;
    }

    /// @dev d1 for a total volatility that is not zero. [2**-58]
    function firstArgument(int256 logMoneyness, uint256 totalVol) private pure returns (int256) {
        // Python cuts the distance at 12 so that it fits 64 bits. As w is at most 8, both arguments
        // are then 8 or more in size, where N(x) no longer changes: here nothing need be cut.
        // |ln(F/K)| < 2**62 and the inverse is at most 2**62, so the product is below 2**124.
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast): at most 2**62.
            int256 inverse = int256((1 << (VOL_BITS + INVERSE_BITS)) / totalVol);
            int256 distance = logMoneyness * inverse >> DISTANCE_SHIFT;
            // forge-lint: disable-next-line(unsafe-typecast): at most 2**60.
            return distance + int256(totalVol >> 1);
        }
    }
}
