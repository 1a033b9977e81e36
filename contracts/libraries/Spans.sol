// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Spans
/// @notice How far the signers' own sources went below and above what they report, since they
/// reported last.
/// @dev Behind its values each signer has a span for each feed, in listing order: down u16 | up
/// u16. [1e-5 of its value, rounded up] `ANY_RANGE_E5` is that or more, or not known: no bound.
library Spans {
    uint256 internal constant SPAN_BYTES = 4;

    uint256 private constant ONE_E5 = 100_000;

    /// @notice The medians of the downs and of the ups of each feed, packed as spans: element
    /// `(k - 1) / 2` of the `k` that the signers say, ascending. Fewer than half of them move it no
    /// further than to what another says.
    /// @param starts Where each vector begins, from `Medians.startsOf`; at least one.
    /// @param offset Of the first span in its vector. [bytes]
    /// @param feeds As many spans.
    function medians(uint256[] memory starts, uint256 offset, uint256 feeds)
        internal
        pure
        returns (bytes memory packed)
    {
        packed = new bytes(feeds * SPAN_BYTES);
        uint256[] memory side = new uint256[](starts.length);
        // for (uint256 feed = 0; feed < feeds; ++feed) {
        //     uint256 start = offset + SPAN_BYTES * feed;
        //     uint16 down = median(<uint16 at starts[v] + start> for each v);
        //     uint16 up = median(<uint16 at starts[v] + start + 2> for each v);
        //     packed[4 feed .. 4 feed + 4] = bytes4(uint32(down) << 16 | up);
        // }
        // eight feeds at a time: a word of one side has a number in each lane of 32 bits, of which
        // the upper half is free. What lies behind the last span is sorted with it, and is padding.
        assembly ("memory-safe") {
            // The words of one side, of which each lane is sorted up to the median.
            function middle(first, end) -> least {
                let free := 0x0001000000010000000100000001000000010000000100000001000000010000
                let last := add(first, and(shr(1, sub(sub(end, first), 0x20)), not(0x1f)))
                for { let place := first } iszero(gt(place, last)) { place := add(place, 0x20) } {
                    least := mload(place)
                    for { let next := add(place, 0x20) } lt(next, end) { next := add(next, 0x20) } {
                        let other := mload(next)
                        // A bit in each lane where the other is not larger, then 16 ones below it.
                        let above := and(sub(or(least, free), other), free)
                        let change := and(xor(least, other), sub(above, shr(16, above)))
                        least := xor(least, change)
                        mstore(next, xor(other, change))
                    }
                }
            }
            let lower := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            let first := add(side, 0x20)
            let size := shl(5, mload(starts))
            let to := add(packed, 0x20)
            for { let end := add(to, mload(packed)) } lt(to, end) { to := add(to, 0x20) } {
                let from := add(starts, 0x20)
                for { let i := 0 } lt(i, size) { i := add(i, 0x20) } {
                    let word := calldataload(add(mload(add(from, i)), offset))
                    mstore(add(first, i), and(shr(16, word), lower))
                }
                let downs := middle(first, add(first, size))
                for { let i := 0 } lt(i, size) { i := add(i, 0x20) } {
                    let word := calldataload(add(mload(add(from, i)), offset))
                    mstore(add(first, i), and(word, lower))
                }
                mstore(to, or(shl(16, downs), middle(first, add(first, size))))
                offset := add(offset, 0x20)
            }
        }
    }

    /// @notice Writes both ends of each feed's bracket, and the range between them.
    /// @param spans Packed, from `medians`.
    /// @param values The medians around which the brackets are, packed int64, all positive.
    /// @param lows As long as `values`, all zero.
    /// @param highs The same.
    /// @param shares A uint16 for each feed, and behind it as much room of zeros for the range.
    function putBrackets(
        bytes memory spans,
        bytes memory values,
        bytes memory lows,
        bytes memory highs,
        bytes memory shares
    ) internal pure {
        // for (uint256 feed = 0; feed < values.length / 8; ++feed) {
        //     (uint256 down, uint256 up) = <uint16 at spans[4 feed], uint16 at spans[4 feed + 2]>;
        //     uint256 median = <int64 at values[8 feed]>;
        //     uint256 low = down == ANY_RANGE_E5 ? 0 : median * (ONE_E5 - down) / ONE_E5;
        //     uint256 high = (median * (ONE_E5 + up) + ONE_E5 - 1) / ONE_E5;
        //     if (up == ANY_RANGE_E5 || high > HIGHEST) high = HIGHEST;
        //     uint256 range = down + up < ANY_RANGE_E5 ? down + up : ANY_RANGE_E5;
        //     lows[8 feed .. 8 feed + 8] = bytes8(uint64(low));
        //     highs[8 feed .. 8 feed + 8] = bytes8(uint64(high));
        //     shares[4 feed + 2 .. 4 feed + 4] = bytes2(uint16(range));
        // }
        // each as the last bytes of a word: those before stay, and nothing behind is touched. The
        // products have 63 and 18 bits.
        assembly ("memory-safe") {
            let any := 0xffff
            let highest := 0x7fffffffffffffff
            let end := mload(values)
            for { let at := 8 } iszero(gt(at, end)) { at := add(at, 8) } {
                let half := shr(1, at)
                let down := mload(add(spans, half))
                let up := and(down, any)
                down := and(shr(16, down), any)
                let median := and(mload(add(values, at)), highest)
                let place := add(lows, at)
                if lt(down, any) {
                    let low := div(mul(median, sub(ONE_E5, down)), ONE_E5)
                    mstore(place, or(mload(place), low))
                }
                let high := div(add(mul(median, add(ONE_E5, up)), sub(ONE_E5, 1)), ONE_E5)
                if or(eq(up, any), gt(high, highest)) { high := highest }
                place := add(highs, at)
                mstore(place, or(mload(place), high))
                up := add(down, up)
                if gt(up, any) { up := any }
                place := add(shares, half)
                mstore(place, or(mload(place), up))
            }
        }
    }
}
