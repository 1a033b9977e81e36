// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The slow, plain twin of `Merkle`: builds whole list trees.
library MerkleTree {
    /// @dev Root of a list: padded with zero leaves to a power of two.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        if (leaves.length == 0) return bytes32(0);
        bytes32[] memory level = padded(leaves);
        while (level.length > 1) level = parents(level);
        return level[0];
    }

    /// @dev Siblings of one leaf, leaf level first.
    function proof(bytes32[] memory leaves, uint256 index)
        internal
        pure
        returns (bytes32[] memory siblings)
    {
        bytes32[] memory level = padded(leaves);
        siblings = new bytes32[](depthOf(level.length));
        for (uint256 k = 0; k < siblings.length; ++k) {
            siblings[k] = level[index % 2 == 0 ? index + 1 : index - 1];
            level = parents(level);
            index /= 2;
        }
    }

    /// @dev Root above one leaf whose siblings are known.
    function climb(bytes32 leaf, uint256 index, bytes32[] memory siblings)
        internal
        pure
        returns (bytes32)
    {
        for (uint256 k = 0; k < siblings.length; ++k) {
            leaf = index % 2 == 0
                ? keccak256(abi.encode(leaf, siblings[k]))
                : keccak256(abi.encode(siblings[k], leaf));
            index /= 2;
        }
        return leaf;
    }

    function padded(bytes32[] memory leaves) private pure returns (bytes32[] memory level) {
        uint256 width = 1;
        while (width < leaves.length) width *= 2;
        level = new bytes32[](width);
        for (uint256 i = 0; i < leaves.length; ++i) {
            level[i] = leaves[i];
        }
    }

    function parents(bytes32[] memory level) private pure returns (bytes32[] memory above) {
        above = new bytes32[](level.length / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            above[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
        }
    }

    function depthOf(uint256 width) private pure returns (uint256 depth) {
        while (width > 1) {
            width /= 2;
            ++depth;
        }
    }
}
