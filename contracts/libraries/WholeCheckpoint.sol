// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf, Position} from "../types/Account.sol";
import {ExitLeaf, ExitSums} from "../types/Checkpoint.sol";
import {WholeEvidence} from "../types/StructureEvidence.sol";
import {ACCOUNT_TREE_DEPTH, SLOT_BITS, SLOT_MASK} from "../types/Units.sol";
import {BatchHash} from "./BatchHash.sol";
import {Columns} from "./Columns.sol";
import {LeafHash} from "./LeafHash.sol";
import {Openings} from "./Openings.sol";
import {Owed} from "./Owed.sol";

/// @title WholeCheckpoint
/// @notice Works out a whole checkpoint from all accounts of the venue: as long as these fit one
/// transaction, a checkpoint whose leaves nobody knows is shown to be wrong all the same.
library WholeCheckpoint {
    uint256 private constant SUM_BYTES = 16;

    /// @notice The accounts given are not all there are, or not as they are.
    error WrongAccounts(bytes32 given, bytes32 expected);

    /// @notice An underlying that is held is not opened.
    error MissingUnderlying(uint8 underlying);

    struct Node {
        bytes32 hash;
        bytes sums;
    }

    /// @notice The checkpoint root of these accounts, which must be all there are.
    function rootOf(WholeEvidence calldata e, bytes32 listingRoot) internal pure returns (bytes32) {
        uint256 count = e.accounts.length;
        bytes32 given = accountRootOf(e.accounts);
        bytes32 expected = e.last.step.accountRoot;
        require(count != 0 && given == expected, WrongAccounts(given, expected));
        bool hasPrices = e.last.step.epochHash != 0;
        uint256[] memory prices = new uint256[](hasPrices ? e.assets.length : 0);
        if (hasPrices) {
            requireColumns(e);
            // Without a price an asset would cover nothing, and another checkpoint follow.
            uint256 held = e.accounts[0].collateralE8.length;
            require(prices.length >= held, Owed.MissingOpening(prices.length, held));
            for (uint256 a = 0; a < prices.length; ++a) {
                prices[a] = Owed.priceOf(listingRoot, e.report, e.assets[a], a + 1);
            }
        }
        Node[] memory level = new Node[](count);
        for (uint256 i = 0; i < count; ++i) {
            level[i] = nodeOf(e, i, prices);
        }
        return foldedRoot(level);
    }

    function requireColumns(WholeEvidence calldata e) private pure {
        Openings.requireEpoch(e.epoch, e.last.step.epochHash);
        Openings.requireReport(e.report, e.epoch.reportHash);
        for (uint256 u = 0; u < e.underlyings.length; ++u) {
            Openings.requireValues(e.epoch, e.underlyings[u], e.values[u]);
        }
    }

    function nodeOf(WholeEvidence calldata e, uint256 i, uint256[] memory prices)
        private
        pure
        returns (Node memory)
    {
        AccountLeaf calldata leaf = e.accounts[i];
        int256 worthE6 = worthOf(e, leaf);
        // There are at most 2**20 accounts.
        // forge-lint: disable-next-line(unsafe-typecast)
        ExitLeaf memory owed = Owed.leafOf(uint32(i), leaf, worthE6);
        if (worthE6 < 0 && e.last.step.epochHash != 0) {
            for (uint256 a = 0; a < owed.collateralE8.length; ++a) {
                Owed.coverWith(owed, a, prices[a]);
            }
        }
        ExitSums memory sums = ExitSums(owed.equityE6, owed.owedE6, owed.debtE6, owed.collateralE8);
        return Node(BatchHash.exitLeafHash(owed), BatchHash.packedSums(sums));
    }

    function worthOf(WholeEvidence calldata e, AccountLeaf calldata leaf)
        private
        pure
        returns (int256 worthE6)
    {
        worthE6 = leaf.cashE6;
        require(leaf.positions.length == 0 || e.last.step.epochHash != 0, Owed.NoValues());
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position calldata position = leaf.positions[p];
            // An instrument has 16 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            bytes calldata column = columnOf(e, uint8(position.instrument >> SLOT_BITS));
            int256 lotValueE6 = Columns.valueAt(column, position.instrument & SLOT_MASK);
            worthE6 += int256(position.lots) * lotValueE6 - position.costE6;
        }
    }

    function columnOf(WholeEvidence calldata e, uint8 underlying)
        private
        pure
        returns (bytes calldata)
    {
        for (uint256 u = 0; u < e.underlyings.length; ++u) {
            if (e.underlyings[u] == underlying) return e.values[u].packed;
        }
        revert MissingUnderlying(underlying);
    }

    /// @dev Root of the account tree that has just these leaves.
    function accountRootOf(AccountLeaf[] calldata accounts) private pure returns (bytes32 zero) {
        uint256 width = accounts.length;
        bytes32[] memory level = new bytes32[](width);
        for (uint256 i = 0; i < width; ++i) {
            level[i] = LeafHash.account(accounts[i]);
        }
        for (uint256 k = 0; k < ACCOUNT_TREE_DEPTH; ++k) {
            uint256 above = (width + 1) / 2;
            for (uint256 i = 0; i < above; ++i) {
                bytes32 right = 2 * i + 1 < width ? level[2 * i + 1] : zero;
                level[i] = keccak256(bytes.concat(level[2 * i], right));
            }
            width = above;
            zero = keccak256(bytes.concat(zero, zero));
        }
        if (width != 0) return level[0];
    }

    /// @dev The checkpoint root above these leaves; the first places are theirs.
    function foldedRoot(Node[] memory level) private pure returns (bytes32) {
        uint256 width = level.length;
        Node memory empty = Node(0, new bytes(level[0].sums.length));
        for (uint256 k = 0; k < ACCOUNT_TREE_DEPTH; ++k) {
            uint256 above = (width + 1) / 2;
            for (uint256 i = 0; i < above; ++i) {
                Node memory right = 2 * i + 1 < width ? level[2 * i + 1] : empty;
                level[i] = parentOf(level[2 * i], right);
            }
            width = above;
        }
        return keccak256(abi.encode(level[0].hash, level[0].sums));
    }

    function parentOf(Node memory left, Node memory right) private pure returns (Node memory node) {
        node.hash = keccak256(bytes.concat(left.hash, left.sums, right.hash, right.sums));
        (bytes memory a, bytes memory b, bytes memory sums) = (left.sums, right.sums, "");
        for (uint256 offset = SUM_BYTES; offset <= a.length; offset += SUM_BYTES) {
            uint256 sum;
            // The 16 bytes that end at the offset: they are the low half of a word.
            assembly ("memory-safe") {
                let mask := shr(128, not(0))
                sum := add(and(mload(add(a, offset)), mask), and(mload(add(b, offset)), mask))
            }
            // 2**20 accounts of at most 2**100 each.
            // forge-lint: disable-next-line(unsafe-typecast)
            sums = bytes.concat(sums, bytes16(uint128(sum)));
        }
        node.sums = sums;
    }
}
