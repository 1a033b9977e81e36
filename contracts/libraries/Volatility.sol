// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {Quote, Scan, Skew, VolatilityShock} from "../types/Pricing.sol";
import {DAY_NS, ONE_E6, ONE_E8} from "../types/Units.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {Rounding} from "./Rounding.sol";

/// @title Volatility
/// @notice Volatility of an option in a scenario: up and down by days to expiry, and the two tilts
/// of the smile. Equal on every bit to `offchain.pricing.volatility`.
library Volatility {
    uint256 private constant REFERENCE_DAYS = 30;
    uint256 private constant LAST_DAY = 730;

    /// @dev ln 30. [2**-56]
    int256 private constant LN_30 = 245_082_100_170_675_033;
    int256 private constant RATIO_ONE = 1e6;
    uint256 private constant SHOCK_ONE = ONE_E6 * ONE_E8;

    /// @notice A tilt takes less than the whole volatility. [1e-6]
    error CapOutOfRange(uint32 capE6);

    /// @notice Volatility of an option under a shock. [1e-8]
    /// @dev Sizes: 30 bits of volatility, 32 of a shock, 73 of a scale.
    function shocked(Scan calldata scan, VolatilityShock shock, Quote memory quote)
        internal
        pure
        returns (uint256)
    {
        uint256 volatilityE8 = quote.volatilityE8;
        if (shock == VolatilityShock.SAME) return volatilityE8;
        if (shock >= VolatilityShock.FIRST_SKEW) {
            uint256 place = uint256(shock) - uint256(VolatilityShock.FIRST_SKEW);
            return skewed(volatilityE8, quote.logMoneyness, scan.skews[place]);
        }
        uint256 day = daysToExpiry(quote.remainingNs);
        uint32 powerE6 = day < REFERENCE_DAYS ? scan.volPowerShortE6 : scan.volPowerLongE6;
        uint256 scaleE8 = dayScaleE8(day, powerE6);
        if (shock == VolatilityShock.UP) {
            return upward(volatilityE8, scan.volUpE6 * scaleE8, scan.minVolUpE8);
        }
        return downward(volatilityE8, scan.volDownE6 * scaleE8);
    }

    /// @notice Whole days left, rounded down, within [1, 730].
    function daysToExpiry(uint256 remainingNs) internal pure returns (uint256) {
        return Math.min(Math.max(remainingNs / DAY_NS, 1), LAST_DAY);
    }

    /// @notice (30 / day)^p, rounded down. [1e-8]
    /// @param day In [1, 730].
    /// @param powerE6 p. [1e-6]
    function dayScaleE8(uint256 day, uint32 powerE6) internal pure returns (uint256) {
        int256 power = int256(uint256(powerE6)) * (LN_30 - FixedPoint.ln(day));
        int256 exponent = Rounding.floorDiv(power, RATIO_ONE);
        return FixedPoint.exp(exponent) * ONE_E8 >> FixedPoint.LOG_BITS;
    }

    /// @notice Volatility times 1 + clamp(slope x distance, -cap, cap), every step rounded down.
    /// @dev The distance is ln(K/F), or its size for the absolute skew. [1e-8]
    function skewed(uint256 volatilityE8, int256 logMoneyness, Skew calldata skew)
        internal
        pure
        returns (uint256)
    {
        uint32 capE6 = skew.capE6;
        require(capE6 < ONE_E6, CapOutOfRange(capE6));
        bool isFarSide = skew.isAbsolute && logMoneyness > 0;
        int256 distance = isFarSide ? logMoneyness : -logMoneyness;
        int256 cap = int256(uint256(capE6));
        int256 tiltE6 = skew.slopeE6 * distance >> FixedPoint.LOG_BITS;
        tiltE6 = SignedMath.min(SignedMath.max(tiltE6, -cap), cap);
        // forge-lint: disable-next-line(unsafe-typecast): the cap is below one, so it is positive.
        return volatilityE8 * uint256(RATIO_ONE + tiltE6) / ONE_E6;
    }

    /// @dev max(ceil(volatility x (1 + shock)), minimum); the shock is in 1e-14.
    function upward(uint256 volatilityE8, uint256 shock, uint256 minimumE8)
        private
        pure
        returns (uint256)
    {
        return Math.max(Rounding.mulDivCeil(volatilityE8, SHOCK_ONE + shock, SHOCK_ONE), minimumE8);
    }

    /// @dev max(floor(volatility x (1 - shock)), 0); the shock is in 1e-14.
    function downward(uint256 volatilityE8, uint256 shock) private pure returns (uint256) {
        return
            shock < SHOCK_ONE ? Rounding.mulDivFloor(volatilityE8, SHOCK_ONE - shock, SHOCK_ONE) : 0;
    }
}
