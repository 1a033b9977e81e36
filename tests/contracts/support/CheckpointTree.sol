// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitLeaf, ExitSums} from "../../../contracts/types/Checkpoint.sol";

/// @dev The slow, plain twin of `SumTree`: builds whole checkpoints.
library CheckpointTree {
    uint256 internal constant DEPTH = 20;

    struct Node {
        bytes32 hash;
        uint128[] sums; // equity, owed, debt, collateral by asset
    }

    /// @dev Root of the tree with these leaves at places 0, 1, 2, ..
    function root(ExitLeaf[] memory leaves) internal pure returns (Node memory) {
        Node[] memory level = nodesOf(leaves);
        for (uint256 k = 0; k < DEPTH; ++k) {
            level = parents(level);
        }
        return level[0];
    }

    /// @dev Siblings of one leaf, leaf level first, as `IExit.exit` wants them.
    function path(ExitLeaf[] memory leaves, uint256 index)
        internal
        pure
        returns (bytes memory siblings)
    {
        Node[] memory level = nodesOf(leaves);
        for (uint256 k = 0; k < DEPTH; ++k) {
            uint256 other = index ^ 1;
            Node memory sibling = other < level.length ? level[other] : empty(level[0].sums.length);
            siblings = bytes.concat(siblings, wordsOf(sibling));
            level = parents(level);
            index /= 2;
        }
    }

    function sumsOf(Node memory node) internal pure returns (ExitSums memory sums) {
        sums.equityE6 = node.sums[0];
        sums.owedE6 = node.sums[1];
        sums.debtE6 = node.sums[2];
        sums.collateralE8 = new uint128[](node.sums.length - 3);
        for (uint256 i = 0; i < sums.collateralE8.length; ++i) {
            sums.collateralE8[i] = node.sums[i + 3];
        }
    }

    function checkpointRoot(Node memory node) internal pure returns (bytes32) {
        return keccak256(abi.encode(node.hash, packed(node.sums)));
    }

    function leafNode(ExitLeaf memory leaf) internal pure returns (Node memory node) {
        node.hash = keccak256(abi.encode(leaf));
        node.sums = new uint128[](3 + leaf.collateralE8.length);
        (node.sums[0], node.sums[1], node.sums[2]) = (leaf.equityE6, leaf.owedE6, leaf.debtE6);
        for (uint256 i = 0; i < leaf.collateralE8.length; ++i) {
            node.sums[i + 3] = leaf.collateralE8[i];
        }
    }

    function parent(Node memory left, Node memory right) internal pure returns (Node memory node) {
        node.sums = new uint128[](left.sums.length);
        for (uint256 i = 0; i < node.sums.length; ++i) {
            node.sums[i] = left.sums[i] + right.sums[i];
        }
        if (left.hash == 0 && right.hash == 0) return node;
        node.hash = keccak256(bytes.concat(wordsOf(left), wordsOf(right)));
    }

    function empty(uint256 width) internal pure returns (Node memory node) {
        node.sums = new uint128[](width);
    }

    /// @dev `hash 32 | sums`.
    function wordsOf(Node memory node) internal pure returns (bytes memory) {
        return bytes.concat(node.hash, packed(node.sums));
    }

    function packed(uint128[] memory sums) internal pure returns (bytes memory words) {
        for (uint256 i = 0; i < sums.length; ++i) {
            words = bytes.concat(words, bytes16(sums[i]));
        }
    }

    function nodesOf(ExitLeaf[] memory leaves) private pure returns (Node[] memory nodes) {
        nodes = new Node[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            nodes[i] = leafNode(leaves[i]);
        }
    }

    function parents(Node[] memory level) private pure returns (Node[] memory above) {
        above = new Node[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            Node memory right =
                2 * i + 1 < level.length ? level[2 * i + 1] : empty(level[0].sums.length);
            above[i] = parent(level[2 * i], right);
        }
    }
}
