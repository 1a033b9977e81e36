// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitLeaf, ExitSums} from "../types/Checkpoint.sol";
import {ACCOUNT_TREE_DEPTH} from "../types/Units.sol";
import {BatchHash} from "./BatchHash.sol";

/// @title SumTree
/// @notice The Merkle sum tree of a checkpoint, as docs/COMMITMENTS.md defines it: every node
/// carries the sums of the leaves below it, so that no account can be owed more than its root says.
library SumTree {
    /// @notice A path has 20 siblings, each as wide as the leaf's hash and sums. [bytes]
    error PathLength(uint256 length, uint256 expected);

    /// @notice The tree has no such leaf.
    error AccountOutOfRange(uint256 account, uint256 leaves);

    /// @notice Sums that do not fit 128 bits are no sums of a tree.
    error SumOverflow();

    /// @notice The checkpoint root of the tree in which `leaf` is at its account's place.
    /// @param path Siblings, leaf level first, each `hash 32 | sums`.
    function rootOf(ExitLeaf calldata leaf, bytes calldata path) internal pure returns (bytes32) {
        bytes memory sums = BatchHash.packedSums(
            ExitSums(leaf.equityE6, leaf.owedE6, leaf.debtE6, leaf.collateralE8)
        );
        uint256 account = leaf.account;
        _requirePath(account, path, 32 + sums.length);
        (bytes32 root, bool fits) = _climb(BatchHash.exitLeafHash(leaf), sums, account, path);
        if (!fits) revert SumOverflow();
        return keccak256(abi.encode(root, sums)); // as BatchHash.checkpointRoot
    }

    /// @notice The checkpoint root of the tree in which the place of an account is empty.
    /// @dev A node of two empty children is empty: the way up begins beside the first sibling that
    /// is there.
    /// @param collaterals Sums of a node besides its three of cash.
    /// @param path As above; an empty sibling is zeros.
    function rootWithout(uint256 account, uint256 collaterals, bytes calldata path)
        internal
        pure
        returns (bytes32)
    {
        bytes memory sums = new bytes(16 * (3 + collaterals));
        uint256 width = 32 + sums.length;
        _requirePath(account, path, width);
        bytes32 nothing = keccak256(new bytes(width));
        uint256 level = 0;
        while (level < ACCOUNT_TREE_DEPTH && keccak256(path[:width]) == nothing) {
            path = path[width:];
            ++level;
        }
        (bytes32 root, bool fits) = _climb(0, sums, account >> level, path);
        if (!fits) revert SumOverflow();
        return keccak256(abi.encode(root, sums));
    }

    /// @param width Of a sibling. [bytes]
    function _requirePath(uint256 account, bytes calldata path, uint256 width) private pure {
        if (account >> ACCOUNT_TREE_DEPTH != 0) {
            revert AccountOutOfRange(account, 1 << ACCOUNT_TREE_DEPTH);
        }
        if (path.length != ACCOUNT_TREE_DEPTH * width) {
            revert PathLength(path.length, ACCOUNT_TREE_DEPTH * width);
        }
    }

    /// @dev Hashes the way up and leaves the root's sums in `sums`.
    /// @param node Hash of the leaf.
    function _climb(bytes32 node, bytes memory sums, uint256 account, bytes calldata path)
        private
        pure
        returns (bytes32 root, bool fits)
    {
        // for (level = 0; level < 20; ++level) {
        //     node = account >> level & 1 == 0
        //         ? keccak256(abi.encodePacked(node, sums, siblings[level]))
        //         : keccak256(abi.encodePacked(siblings[level], node, sums));
        //     for (i = 0; i < lanes; ++i) sums[i] += siblings[level].sums[i], each below 2**128
        // }
        // with both children in one place beyond the memory in use.
        assembly ("memory-safe") {
            let width := add(mload(sums), 0x20)
            let sibling := path.offset
            let carry := 0
            for { let end := add(sibling, path.length) } lt(sibling, end) {} {
                let own := add(mload(0x40), mul(and(account, 1), width))
                mstore(own, node)
                mcopy(add(own, 0x20), add(sums, 0x20), mload(sums))
                own := add(mload(0x40), mul(iszero(and(account, 1)), width)) // the sibling's now
                calldatacopy(own, sibling, width)
                node := keccak256(mload(0x40), mul(2, width))

                // A word holds two lanes. Each is written together with the one before it, which
                // is done, and the first with the low half of the length, which stays.
                let earlier := mload(sums)
                let lane := add(sums, 0x20)
                sibling := add(sibling, 0x20)
                for { let last := add(sums, width) } lt(lane, last) {} {
                    let sum := add(shr(128, mload(lane)), shr(128, calldataload(sibling)))
                    carry := or(carry, shr(128, sum))
                    mstore(sub(lane, 0x10), or(shl(128, earlier), sum))
                    earlier := sum
                    lane := add(lane, 0x10)
                    sibling := add(sibling, 0x10)
                }
                account := shr(1, account)
            }
            root := node
            fits := iszero(carry)
        }
    }
}
