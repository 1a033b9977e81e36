// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {Shape} from "../types/Pricing.sol";
import {ONE_E8, YEAR_NS} from "../types/Units.sol";
import {FixedPoint} from "./FixedPoint.sol";

/// @title Surface
/// @notice Volatility of one strike from the smile of its expiry, equal on every bit to
/// `offchain.pricing.surface`.
/// @dev Total variance in Gatheral's raw SVI form, with `a` replaced by the variance at the money:
///     w(k) = w0 + b (rho k + sqrt((k - m)^2 + sigma^2) - sqrt(m^2 + sigma^2)),   k = ln(K/F)
/// Everything has 56 fraction bits. Sizes: b, k, m, sigma and the roots are below 2**61.
library Surface {
    int256 private constant ONE = 1e8;
    uint256 private constant MAX_VOLATILITY_E8 = 10 * ONE_E8;
    int256 private constant MAX_CENTRE_E8 = 4 * ONE;
    int256 private constant MIN_WIDTH_E8 = 10_000;
    int256 private constant MAX_WIDTH_E8 = 4 * ONE;
    int256 private constant MAX_DISTANCE = int256(8) << FixedPoint.LOG_BITS;

    int256 private constant SLOPE_BIAS_E8 = ONE;
    int256 private constant TILT_BIAS_E8 = 2 * ONE;
    int256 private constant CENTRE_BIAS_E8 = 5 * ONE;
    int256 private constant WIDTH_BIAS_E8 = ONE;

    /// @dev Lee's bound on the slope of total variance: b (1 + |rho|) <= 2. It is always tighter
    /// than the slope's own limit of 4.
    int256 private constant WING_LIMIT = 2 * ONE * ONE;

    /// @dev Total variance is never below a sixteenth of that at the money.
    uint256 private constant FLOOR_SHIFT = 4;

    /// @notice The shape that four feeds carry, each without its bias and cut to its range.
    /// @dev The slope is also cut where total variance would pass Lee's bound.
    function decode(int256 slope, int256 tilt, int256 centre, int256 width)
        internal
        pure
        returns (Shape memory shape)
    {
        // Numbers below 2**64 and biases below 2**30.
        unchecked {
            int256 tiltE8 = clamp(tilt - TILT_BIAS_E8, -ONE, ONE);
            int256 steepestE8 = WING_LIMIT / (ONE + (tiltE8 < 0 ? -tiltE8 : tiltE8));
            shape.slopeE8 = clamp(slope - SLOPE_BIAS_E8, 0, steepestE8);
            shape.tiltE8 = tiltE8;
            shape.centreE8 = clamp(centre - CENTRE_BIAS_E8, -MAX_CENTRE_E8, MAX_CENTRE_E8);
            shape.widthE8 = clamp(width - WIDTH_BIAS_E8, MIN_WIDTH_E8, MAX_WIDTH_E8);
        }
    }

    /// @notice Volatility of an option, at most 10 and at least a quarter of that at the money.
    /// @param atTheMoneyE8 Of the expiry. [1e-8]
    /// @param logMoneyness ln(F/K). [2**-56]
    /// @param remainingNs Below 2**64. [ns]
    /// @return volatilityE8 Of the strike. [1e-8]
    function volatility(
        uint256 atTheMoneyE8,
        Shape memory shape,
        int256 logMoneyness,
        uint256 remainingNs
    ) internal pure returns (uint256 volatilityE8) {
        volatilityE8 = Math.min(atTheMoneyE8, MAX_VOLATILITY_E8);
        // Without a slope total variance is w0 at every strike, and the root below is exact.
        if (shape.slopeE8 == 0) return volatilityE8;
        // The square has 60 bits, time 64, the divisor 108: w0 is below 2**73 and w below 2**74.
        unchecked {
            uint256 square = volatilityE8 * volatilityE8;
            uint256 w0 = (square * remainingNs << FixedPoint.LOG_BITS) / (ONE_E8 * ONE_E8 * YEAR_NS);
            if (w0 == 0) return volatilityE8;
            uint256 w = totalVariance(w0, shape, clamp(-logMoneyness, -MAX_DISTANCE, MAX_DISTANCE));
            return Math.min(Math.sqrt(square * w / w0), MAX_VOLATILITY_E8);
        }
    }

    /// @dev max(w(k), w0 / 16). [2**-56]
    function totalVariance(uint256 w0, Shape memory shape, int256 k)
        private
        pure
        returns (uint256)
    {
        // Two numbers below 2**61 multiply to less than 2**122, and w0 is below 2**73.
        // forge-lint: disable-start(unsafe-typecast): no sign is lost, the maximum is not negative.
        unchecked {
            int256 centre = FixedPoint.ofE8(shape.centreE8);
            int256 width = FixedPoint.ofE8(shape.widthE8);
            int256 bend = FixedPoint.ofE8(shape.tiltE8) * k >> FixedPoint.LOG_BITS;
            bend += hypotenuse(k - centre, width) - hypotenuse(centre, width);
            bend = FixedPoint.ofE8(shape.slopeE8) * bend >> FixedPoint.LOG_BITS;
            return uint256(SignedMath.max(int256(w0) + bend, int256(w0 >> FLOOR_SHIFT)));
        }
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @dev floor(sqrt(x^2 + y^2)) of numbers below 2**61 in size.
    function hypotenuse(int256 x, int256 y) private pure returns (int256) {
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast): neither square nor root is negative.
            return int256(Math.sqrt(uint256(x * x + y * y)));
        }
    }

    function clamp(int256 value, int256 low, int256 high) private pure returns (int256) {
        if (value < low) return low;
        return value > high ? high : value;
    }
}
