// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ANY_DISPERSION_E6} from "../types/OracleUse.sol";
import {ONE_E6} from "../types/Units.sol";
import {Medians} from "./Medians.sol";
import {Rounding} from "./Rounding.sol";

/// @title Observations
/// @notice What the signers of one report saw: medians, and how far they agree. Everything is
/// packed, one number after another for each feed in listing order, as it is stored and hashed.
library Observations {
    uint256 private constant DISPERSION_BYTES = 2;

    /// @notice One report over all feeds.
    /// @param medians Packed int64.
    /// @param lows The lowest observations, packed int64.
    /// @param highs The highest observations, packed int64.
    /// @param dispersions Median distances from the median, rounded up, at most
    /// `ANY_DISPERSION_E6`; a minority of signers cannot set them. Packed uint16. [1e-6 of the
    /// median]
    /// @param worstE6 The largest of them.
    struct Summary {
        bytes medians;
        bytes lows;
        bytes highs;
        bytes dispersions;
        uint16 worstE6;
    }

    /// @notice The summary of at least one vector of packed int64, one for each feed.
    function summarise(bytes[] calldata vectors, uint256 feeds)
        internal
        pure
        returns (Summary memory seen)
    {
        uint256 size = feeds * Medians.VALUE_BYTES;
        uint256[] memory starts = Medians.startsOf(vectors, size);
        (seen.medians, seen.lows, seen.highs) = (new bytes(size), new bytes(size), new bytes(size));
        seen.dispersions = new bytes(feeds * DISPERSION_BYTES);
        int64[] memory sorted = new int64[](starts.length);
        uint256 last = starts.length - 1;
        uint16 worstE6 = 0;
        for (uint256 feed = 0; feed < feeds; ++feed) {
            Medians.sortFeed(sorted, starts, feed);
            put(seen.medians, feed, sorted[last / 2]);
            put(seen.lows, feed, sorted[0]);
            put(seen.highs, feed, sorted[last]);
            uint16 dispersionE6 = dispersion(sorted);
            putDispersion(seen.dispersions, feed, dispersionE6);
            if (dispersionE6 > worstE6) worstE6 = dispersionE6;
        }
        seen.worstE6 = worstE6;
    }

    /// @notice Whether every value lies within the band of the earlier one; all are positive.
    /// @param values Packed int64.
    /// @param earlier As many.
    /// @param bandE6 Largest step. [1e-6 of the earlier value]
    function isWithin(bytes memory values, bytes memory earlier, uint256 bandE6)
        internal
        pure
        returns (bool)
    {
        uint256 feeds = values.length / Medians.VALUE_BYTES;
        for (uint256 feed = 0; feed < feeds; ++feed) {
            if (!Medians.isNear(valueAt(values, feed), valueAt(earlier, feed), bandE6)) {
                return false;
            }
        }
        return true;
    }

    /// @notice Names a bracket: keccak256 of both ends, cut.
    function bracket(bytes memory lows, bytes memory highs) internal pure returns (bytes18) {
        return bytes18(keccak256(abi.encode(lows, highs)));
    }

    /// @notice How far off a value may be, rounded up, in the value's unit.
    /// @param value Positive.
    function spread(int64 value, uint16 dispersionE6) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast): a part of a value below 2**63.
        return uint64(Rounding.mulDivCeil(uint64(value), dispersionE6, ONE_E6));
    }

    /// @notice One of the packed int64; the place lies within them.
    function valueAt(bytes memory packed, uint256 feed) internal pure returns (int64 value) {
        // value = int64(uint64(bytes8(packed[8 feed .. 8 feed + 8])));
        assembly ("memory-safe") {
            value := sar(192, mload(add(add(packed, 0x20), shl(3, feed))))
        }
    }

    /// @notice The same, of values in storage.
    function storedAt(bytes storage packed, uint256 feed) internal view returns (int64) {
        return int64(uint64(field(packed, feed, Medians.VALUE_BYTES)));
    }

    /// @notice One of the packed dispersions in storage. [1e-6 of the median]
    function storedDispersion(bytes storage packed, uint256 feed) internal view returns (uint16) {
        return uint16(field(packed, feed, DISPERSION_BYTES));
    }

    /// @notice Writes one of the packed int64, for which there is room.
    function put(bytes memory packed, uint256 feed, int64 value) internal pure {
        // packed[8 feed .. 8 feed + 8] = bytes8(uint64(value));
        // as the last bytes of a word, of which the others stay: nothing behind is touched.
        assembly ("memory-safe") {
            let place := add(add(packed, 8), shl(3, feed))
            let mask := 0xffffffffffffffff
            mstore(place, or(and(mload(place), not(mask)), and(value, mask)))
        }
    }

    /// @dev The same for a packed uint16.
    function putDispersion(bytes memory packed, uint256 feed, uint16 value) private pure {
        // packed[2 feed .. 2 feed + 2] = bytes2(value);
        assembly ("memory-safe") {
            let place := add(add(packed, 2), shl(1, feed))
            mstore(place, or(and(mload(place), not(0xffff)), and(value, 0xffff)))
        }
    }

    /// @dev `size` bytes at `place x size`; read byte by byte, of one word or two.
    function field(bytes storage packed, uint256 place, uint256 size)
        private
        view
        returns (uint256 value)
    {
        for (uint256 i = place * size; i < (place + 1) * size; ++i) {
            value = value << 8 | uint8(packed[i]);
        }
    }

    /// @dev `median_low(|x - median|) / median`, rounded up. The values ascend and are positive.
    function dispersion(int64[] memory sorted) private pure returns (uint16) {
        uint256 middle = (sorted.length - 1) / 2;
        uint256 median;
        uint256 distance = 0;
        // The distances ascend from the middle on both sides. As many are taken as lie on the
        // shorter side, so that neither side runs out.
        // median = sorted[middle];
        // (uint256 low, uint256 high) = (middle, middle);
        // for (uint256 taken = 0; taken < middle; ++taken) {
        //     uint256 below = median - sorted[low - 1];
        //     uint256 above = sorted[high + 1] - median;
        //     if (below <= above) (distance, low) = (below, low - 1);
        //     else (distance, high) = (above, high + 1);
        // }
        assembly ("memory-safe") {
            let low := add(sorted, shl(5, add(middle, 1)))
            let high := low
            median := mload(low)
            for { let left := middle } left { left := sub(left, 1) } {
                let below := sub(median, mload(sub(low, 0x20)))
                let above := sub(mload(add(high, 0x20)), median)
                switch gt(below, above)
                case 0 {
                    distance := below
                    low := sub(low, 0x20)
                }
                default {
                    distance := above
                    high := add(high, 0x20)
                }
            }
        }
        // Both have 63 bits, and the median is positive.
        unchecked {
            uint256 ratioE6 = (distance * ONE_E6 + median - 1) / median;
            // forge-lint: disable-next-line(unsafe-typecast): it is smaller.
            return ratioE6 < ANY_DISPERSION_E6 ? uint16(ratioE6) : ANY_DISPERSION_E6;
        }
    }
}
