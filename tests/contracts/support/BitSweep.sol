// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @dev INV-15: every single bit of a header is flipped, one after the other, where the header lies
/// in the calldata of a call. A header is static and the first argument of all that take one.
abstract contract BitSweep {
    uint256 internal constant HEADER_BYTES = 31 * 32;
    uint256 internal constant HEADER_BITS = 8 * HEADER_BYTES;

    /// @dev Selector and length come before the header in memory.
    uint256 private constant BEFORE = 32 + 4;

    /// @dev How many of the flips the call took. Then the call as it was must succeed, or nothing
    /// was shown.
    function taken(address sender, address target, bytes memory input)
        internal
        returns (uint256 count)
    {
        for (uint256 bit = 0; bit < HEADER_BITS; ++bit) {
            flip(input, BEFORE, bit);
            if (isTaken(sender, target, input)) ++count;
            flip(input, BEFORE, bit);
        }
        vm.assertTrue(count != 0 || isTaken(sender, target, input));
    }

    /// @dev What it returns is not copied, so that memory does not grow.
    function isTaken(address sender, address target, bytes memory input)
        private
        returns (bool done)
    {
        vm.prank(sender, sender);
        // (done,) = target.call(input);
        assembly ("memory-safe") {
            done := call(gas(), target, 0, add(input, 0x20), mload(input), 0, 0)
        }
    }

    /// @param offset Of the first byte of the header, from the length of `data`.
    function flip(bytes memory data, uint256 offset, uint256 bit) internal pure {
        assembly ("memory-safe") {
            let place := add(add(data, offset), shl(5, shr(8, bit)))
            mstore(place, xor(mload(place), shl(and(bit, 255), 1)))
        }
    }
}
