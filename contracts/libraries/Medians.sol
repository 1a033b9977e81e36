// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ONE_E6} from "../types/Units.sol";
import {Columns} from "./Columns.sol";

/// @title Medians
/// @notice Turns packed vectors of int64 into medians, and compares reports.
library Medians {
    uint256 private constant VALUE_BYTES = Columns.VALUE_BYTES;

    /// @notice A vector has one int64 for each feed.
    error VectorLength(uint256 vector, uint256 length, uint256 expected);

    /// @notice An observed value is zero or negative.
    error ValueNotPositive(uint256 feed, int64 value);

    /// @notice For each feed, element `(k - 1) / 2` of the `k` values, ascending.
    /// @param vectors Each packed int64, one for each feed; at least one vector.
    function ofVectors(bytes[] calldata vectors, uint256 feeds)
        internal
        pure
        returns (int64[] memory medians)
    {
        uint256[] memory starts = startsOf(vectors, feeds * VALUE_BYTES);
        medians = new int64[](feeds);
        int64[] memory sorted = new int64[](vectors.length);
        for (uint256 feed = 0; feed < feeds; ++feed) {
            for (uint256 v = 0; v < starts.length; ++v) {
                insert(sorted, v, valueAt(starts[v], feed));
            }
            require(sorted[0] > 0, ValueNotPositive(feed, sorted[0]));
            medians[feed] = sorted[(starts.length - 1) / 2];
        }
    }

    /// @notice The medians as reports carry them: packed int64.
    function pack(int64[] memory medians) internal pure returns (bytes memory packed) {
        packed = new bytes(medians.length * VALUE_BYTES);
        for (uint256 feed = 0; feed < medians.length; ++feed) {
            uint256 word = uint256(uint64(medians[feed])) << 192;
            // packed[8 feed .. 8 feed + 8] = bytes8(uint64(medians[feed])). The 24 zero bytes that
            // follow are overwritten by the next value; after the last they reach into free
            // memory at most, since `packed` is the newest allocation.
            assembly ("memory-safe") {
                mstore(add(add(packed, 0x20), mul(feed, 8)), word)
            }
        }
    }

    /// @notice The medians that a report carries.
    function unpack(bytes calldata packed) internal pure returns (int64[] memory medians) {
        medians = new int64[](packed.length / VALUE_BYTES);
        for (uint256 feed = 0; feed < medians.length; ++feed) {
            medians[feed] = Columns.valueAt(packed, feed);
        }
    }

    /// @notice Whether every value lies within the band of the earlier one.
    /// @param bandE6 Largest step. [1e-6 of the earlier value]
    function isWithin(int64[] memory values, int64[] memory earlier, uint256 bandE6)
        internal
        pure
        returns (bool)
    {
        for (uint256 feed = 0; feed < values.length; ++feed) {
            // All medians are positive, and the products fit 64 + 20 bits.
            uint256 value = uint64(values[feed]);
            uint256 base = uint64(earlier[feed]);
            uint256 step = value > base ? value - base : base - value;
            if (step * ONE_E6 > bandE6 * base) return false;
        }
        return true;
    }

    /// @dev Where each vector begins in calldata: looked up once, not once for every feed.
    function startsOf(bytes[] calldata vectors, uint256 expected)
        private
        pure
        returns (uint256[] memory starts)
    {
        starts = new uint256[](vectors.length);
        for (uint256 v = 0; v < vectors.length; ++v) {
            bytes calldata vector = vectors[v];
            require(vector.length == expected, VectorLength(v, vector.length, expected));
            uint256 start;
            assembly ("memory-safe") {
                start := vector.offset
            }
            starts[v] = start;
        }
    }

    /// @dev Columns.valueAt(vector, feed) of the vector that begins at `start`; within it, since
    /// every vector has one value for each feed.
    function valueAt(uint256 start, uint256 feed) private pure returns (int64 value) {
        assembly ("memory-safe") {
            value := sar(192, calldataload(add(start, mul(feed, 8))))
        }
    }

    /// @dev Inserts into the first `count` elements, which ascend; `count` lies in the array.
    function insert(int64[] memory sorted, uint256 count, int64 value) private pure {
        while (count > 0) {
            int64 above = sorted[count - 1];
            if (above <= value) break;
            sorted[count] = above;
            --count;
        }
        sorted[count] = value;
    }
}
