// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ONE_E6} from "../types/Units.sol";
import {Columns} from "./Columns.sol";

/// @title Medians
/// @notice Turns packed vectors of int64 into medians, and compares reports.
library Medians {
    uint256 internal constant VALUE_BYTES = Columns.VALUE_BYTES;

    /// @notice A vector has one int64 for each feed.
    error VectorLength(uint256 vector, uint256 length, uint256 expected);

    /// @notice An observed value is zero or negative.
    error ValueNotPositive(uint256 feed, int64 value);

    /// @notice Fills `sorted` with what the vectors say of one feed, ascending. Its median is
    /// element `(k - 1) / 2` of the `k` values.
    /// @param starts Where each vector begins, from `startsOf`; at least one, as many as fit
    /// `sorted`.
    function sortFeed(int64[] memory sorted, uint256[] memory starts, uint256 feed) internal pure {
        uint256 count = starts.length;
        // for (uint256 v = 0; v < count; ++v) {
        //     int64 value = Columns.valueAt(<the vector at starts[v]>, feed);
        //     uint256 place = v;
        //     while (place > 0 && sorted[place - 1] > value) {
        //         sorted[place] = sorted[place - 1];
        //         --place;
        //     }
        //     sorted[place] = value;
        // }
        // without tests of bounds: every vector has one value for each feed, and both arrays hold
        // `count` elements.
        assembly ("memory-safe") {
            let first := add(sorted, 0x20)
            let end := add(first, shl(5, count))
            let start := add(starts, 0x20)
            for { let next := first } lt(next, end) { next := add(next, 0x20) } {
                let value := sar(192, calldataload(add(mload(start), shl(3, feed))))
                start := add(start, 0x20)
                let place := next
                for {} gt(place, first) {} {
                    let above := mload(sub(place, 0x20))
                    if iszero(sgt(above, value)) { break }
                    mstore(place, above)
                    place := sub(place, 0x20)
                }
                mstore(place, value)
            }
        }
        require(sorted[0] > 0, ValueNotPositive(feed, sorted[0]));
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
            if (!isNear(values[feed], earlier[feed], bandE6)) return false;
        }
        return true;
    }

    /// @notice Whether a value lies within the band of an earlier one. Both are positive.
    function isNear(int64 value, int64 earlier, uint256 bandE6) internal pure returns (bool) {
        // The products fit 64 + 20 bits.
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast): both are positive.
            (uint256 to, uint256 from) = (uint64(value), uint64(earlier));
            uint256 step = to > from ? to - from : from - to;
            return step * ONE_E6 <= bandE6 * from;
        }
    }

    /// @notice Where each vector begins in calldata: looked up once, not once for every feed.
    /// @param expected Bytes of every vector.
    function startsOf(bytes[] calldata vectors, uint256 expected)
        internal
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
}
