// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitLeaf} from "../../../contracts/types/Checkpoint.sol";
import {AssetOpening, Column} from "../../../contracts/types/ContentEvidence.sol";
import {OwedEvidence, WalkEvidence} from "../../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./ChallengeScenario.sol";
import {CheckpointTree} from "./CheckpointTree.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @dev The checkpoint of batch 1, worked out by hand, and ways down it.
abstract contract ChallengeCheckpoints is ChallengeScenario {
    using CheckpointTree for CheckpointTree.Node;

    /// @dev With one lot worth 6 USD and the asset 2 USD: the fund has what it was paid; the backstop
    /// is short four lots for 20 USD; Alice is long ten for 50 USD; Bob owes one, is short six for 30
    /// and has five of the asset, of which 3.5 cover the 7 that he owes.
    function exitLeaves() internal pure returns (ExitLeaf[] memory leaves) {
        leaves = new ExitLeaf[](4);
        leaves[0] = exitLeaf(0, FUND, 0, 2e6, 0, 0, 0);
        leaves[1] = exitLeaf(1, BACKSTOP, 0, 0, 4e6, 4e6, 0);
        leaves[2] = exitLeaf(2, ALICE, 0, 909e6, 0, 0, 0);
        leaves[3] = exitLeaf(3, BOB, 1, 0, 7e6, 0, 1.5e8);
    }

    function exitLeaf(
        uint32 account,
        address owner,
        uint8 subaccount,
        uint128 equity,
        uint128 owed,
        uint128 debt,
        uint128 collateral
    ) internal pure returns (ExitLeaf memory leaf) {
        leaf = ExitLeaf(account, owner, subaccount, equity, owed, debt, new uint128[](1));
        leaf.collateralE8[0] = collateral;
    }

    /// @dev The way down to an account, as far as there is something.
    function walkTo(ExitLeaf[] memory leaves, uint32 account)
        internal
        pure
        returns (WalkEvidence memory walk)
    {
        CheckpointTree.Node memory root = CheckpointTree.root(leaves);
        walk.account = account;
        walk.rootHash = root.hash;
        walk.rootSums = CheckpointTree.packed(root.sums);
        walk.nodes = nodesTo(leaves, account);
    }

    function nodesTo(ExitLeaf[] memory leaves, uint32 account)
        private
        pure
        returns (bytes[] memory nodes)
    {
        bytes[] memory climbed = new bytes[](20);
        bytes memory path = CheckpointTree.path(leaves, account);
        CheckpointTree.Node memory node = account < leaves.length
            ? CheckpointTree.leafNode(leaves[account])
            : CheckpointTree.empty(4);
        uint256 count = 0;
        for (uint256 k = 0; k < 20; ++k) {
            CheckpointTree.Node memory sibling = siblingAt(path, k);
            bool isRight = account >> k & 1 == 1;
            (CheckpointTree.Node memory left, CheckpointTree.Node memory right) =
                isRight ? (sibling, node) : (node, sibling);
            node = CheckpointTree.parent(left, right);
            if (node.hash == 0) continue;
            climbed[count++] = bytes.concat(left.wordsOf(), right.wordsOf());
        }
        nodes = new bytes[](count);
        for (uint256 k = 0; k < count; ++k) {
            nodes[k] = climbed[count - 1 - k];
        }
    }

    function siblingAt(bytes memory path, uint256 level)
        private
        pure
        returns (CheckpointTree.Node memory node)
    {
        uint256 start = level * 96;
        bytes32 hash;
        assembly ("memory-safe") {
            hash := mload(add(add(path, 0x20), start))
        }
        node = CheckpointTree.empty(4);
        node.hash = hash;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 place = start + 32 + 16 * i;
            uint256 sum;
            assembly ("memory-safe") {
                sum := shr(128, mload(add(add(path, 0x20), place)))
            }
            node.sums[i] = uint128(sum);
        }
    }

    function rootOf(ExitLeaf[] memory leaves) internal pure returns (bytes32) {
        return CheckpointTree.root(leaves).checkpointRoot();
    }

    function owedTo(Draft memory d, ExitLeaf[] memory leaves, uint32 account)
        internal
        pure
        returns (OwedEvidence memory e)
    {
        e.walk = walkTo(leaves, account);
        e.last = lastOf(d);
        e.holder = holderAfter(d, d.count - 1, account);
        e.epoch = epochOne();
        e.values = new Column[](1);
        e.values[0] = valueColumn();
        e.report = report();
        e.assets = new AssetOpening[](1);
        e.assets[0] = AssetOpening(listedAsset(), 2, MerkleTree.proof(listingLeaves(), 2));
    }
}
