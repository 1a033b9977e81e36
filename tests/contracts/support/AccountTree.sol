// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf} from "../../../contracts/types/Account.sol";

/// @dev The slow, plain account tree: leaves at places 0, 1, 2, .. of 2**20.
library AccountTree {
    uint256 internal constant DEPTH = 20;

    function hashesOf(AccountLeaf[] memory leaves) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            hashes[i] = keccak256(abi.encode(leaves[i]));
        }
    }

    function root(bytes32[] memory hashes) internal pure returns (bytes32) {
        bytes32[] memory level = hashes;
        bytes32 zero = 0;
        for (uint256 k = 0; k < DEPTH; ++k) {
            (level, zero) = (parents(level, zero), keccak256(abi.encode(zero, zero)));
        }
        return level.length == 0 ? zero : level[0];
    }

    function proof(bytes32[] memory hashes, uint256 index)
        internal
        pure
        returns (bytes32[] memory siblings)
    {
        siblings = new bytes32[](DEPTH);
        bytes32[] memory level = hashes;
        bytes32 zero = 0;
        for (uint256 k = 0; k < DEPTH; ++k) {
            uint256 other = index ^ 1;
            siblings[k] = other < level.length ? level[other] : zero;
            (level, zero) = (parents(level, zero), keccak256(abi.encode(zero, zero)));
            index /= 2;
        }
    }

    function parents(bytes32[] memory level, bytes32 zero)
        private
        pure
        returns (bytes32[] memory above)
    {
        above = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bytes32 right = 2 * i + 1 < level.length ? level[2 * i + 1] : zero;
            above[i] = keccak256(abi.encode(level[2 * i], right));
        }
    }
}
