// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ANY_DISPERSION_E6} from "../types/OracleUse.sol";
import {ONE_E6} from "../types/Units.sol";
import {Medians} from "./Medians.sol";
import {Rounding} from "./Rounding.sol";
import {Spans} from "./Spans.sol";

/// @title Observations
/// @notice What the signers of one report saw: medians, how far they agree, and between what the
/// price went since their reports before. Everything is packed, one number after another for each
/// feed in listing order, as it is stored and hashed.
/// @dev The vector of a signer is a packed int64 for each feed, then a span as in `Spans` for each.
library Observations {
    /// @dev Of a value and its span.
    uint256 internal constant FEED_BYTES = Medians.VALUE_BYTES + Spans.SPAN_BYTES;

    /// @dev EIP-712 type of what one oracle signs.
    bytes32 internal constant TYPEHASH =
        keccak256("Observation(uint64 round,uint64 observedAt,bytes values,bytes spans)");

    uint256 private constant SHARE_BYTES = 2;

    /// @notice One report over all feeds.
    /// @param medians Packed int64.
    /// @param lows Lower ends of the brackets, packed int64: the median less the median of the
    /// signers' downs. 0 where there is no bound.
    /// @param highs Upper ends, packed int64: the median and the median of the signers' ups more.
    /// @param shares For each feed a dispersion and a range, packed uint16. A dispersion is the
    /// median distance from the median, rounded up, at most `ANY_DISPERSION_E6` [1e-6 of the
    /// median]; a range is that between both ends, at most `ANY_RANGE_E5` [1e-5 of it]. A minority
    /// of signers cannot set them.
    /// @param worstE6 The largest dispersion.
    struct Summary {
        bytes medians;
        bytes lows;
        bytes highs;
        bytes shares;
        uint16 worstE6;
    }

    /// @notice The summary of at least one vector.
    function summarise(bytes[] calldata vectors, uint256 feeds)
        internal
        pure
        returns (Summary memory seen)
    {
        uint256 size = feeds * Medians.VALUE_BYTES;
        uint256[] memory starts = Medians.startsOf(vectors, feeds * FEED_BYTES);
        seen.medians = new bytes(size);
        seen.shares = new bytes(feeds * 2 * SHARE_BYTES);
        int64[] memory sorted = new int64[](starts.length);
        uint256 last = starts.length - 1;
        uint16 worstE6 = 0;
        for (uint256 feed = 0; feed < feeds; ++feed) {
            Medians.sortFeed(sorted, starts, feed);
            put(seen.medians, feed, sorted[last / 2]);
            uint16 dispersionE6 = dispersion(sorted);
            putShare(seen.shares, 2 * feed, dispersionE6);
            if (dispersionE6 > worstE6) worstE6 = dispersionE6;
        }
        seen.worstE6 = worstE6;
        (seen.lows, seen.highs) = (new bytes(size), new bytes(size));
        bytes memory spans = Spans.medians(starts, size, feeds);
        Spans.putBrackets(spans, seen.medians, seen.lows, seen.highs, seen.shares);
    }

    /// @notice EIP-712 hash of what one oracle signs; of a vector of another length, some hash.
    /// @param vector Values and spans.
    function structHash(uint64 round, uint64 observedAt, bytes calldata vector)
        internal
        pure
        returns (bytes32)
    {
        uint256 cut = vector.length / FEED_BYTES * Medians.VALUE_BYTES;
        bytes32 values;
        bytes32 spans;
        // (values, spans) = (keccak256(vector[:cut]), keccak256(vector[cut:]));
        // with one copy, into memory that nobody has yet.
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, vector.offset, vector.length)
            values := keccak256(at, cut)
            spans := keccak256(add(at, cut), sub(vector.length, cut))
        }
        return keccak256(abi.encode(TYPEHASH, round, observedAt, values, spans));
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

    /// @notice The dispersion of a feed, of shares in storage. [1e-6 of the median]
    function storedDispersion(bytes storage shares, uint256 feed) internal view returns (uint16) {
        return uint16(field(shares, 2 * feed, SHARE_BYTES));
    }

    /// @notice The range of a feed. [1e-5 of the median]
    function storedRange(bytes storage shares, uint256 feed) internal view returns (uint16) {
        return uint16(field(shares, 2 * feed + 1, SHARE_BYTES));
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
    function putShare(bytes memory packed, uint256 place, uint16 value) private pure {
        // packed[2 place .. 2 place + 2] = bytes2(value);
        assembly ("memory-safe") {
            let end := add(add(packed, 2), shl(1, place))
            mstore(end, or(and(mload(end), not(0xffff)), and(value, 0xffff)))
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
