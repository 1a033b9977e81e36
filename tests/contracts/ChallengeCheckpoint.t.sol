// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TotalsJudge} from "../../contracts/challenge/TotalsJudge.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Owed} from "../../contracts/libraries/Owed.sol";
import {SumWalk} from "../../contracts/libraries/SumWalk.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {ExitLeaf} from "../../contracts/types/Checkpoint.sol";
import {AssetOpening, Column} from "../../contracts/types/ContentEvidence.sol";
import {OwedEvidence, WalkEvidence} from "../../contracts/types/StructureEvidence.sol";
import {AccountTree} from "./support/AccountTree.sol";
import {ChallengeCheckpoints} from "./support/ChallengeCheckpoints.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev The test is the parameters: it knows the listing.
contract ChallengeCheckpointTest is ChallengeCheckpoints {
    TotalsJudge private _judge = new TotalsJudge(address(this));

    function listingRootOf(bytes32) external pure returns (bytes32) {
        return MerkleTree.root(listingLeaves());
    }

    // Rule 4: node.

    function test_no_node_of_an_honest_checkpoint_is_a_fault() public view {
        ExitLeaf[] memory leaves = exitLeaves();
        for (uint32 account = 0; account < 6; ++account) {
            vm.assertFalse(isWalkFaulty(walkTo(leaves, account)));
        }
    }

    function test_a_root_whose_sums_are_not_those_of_its_children_is_a_fault() public view {
        for (uint256 lane = 0; lane < 4; ++lane) {
            WalkEvidence memory walk = walkTo(exitLeaves(), 2);
            bytes memory sums = walk.rootSums;
            sums[16 * lane + 15] = bytes1(uint8(sums[16 * lane + 15]) ^ 1);
            vm.assertTrue(isWalkFaulty(walk));
        }
    }

    function test_a_node_below_whose_sums_are_not_those_of_its_children_is_a_fault() public view {
        WalkEvidence memory walk = walkTo(exitLeaves(), 2);
        // The equity of the left child, and of every sum above it.
        for (uint256 level = 0; level < 5; ++level) {
            walk.nodes[level][47] = bytes1(uint8(walk.nodes[level][47]) + 1);
        }
        walk.rootSums[15] = bytes1(uint8(walk.rootSums[15]) + 1);
        rehash(walk);
        vm.assertTrue(isWalkFaulty(walk));
        walk.nodes = firstOf(walk.nodes, 5);
        vm.assertFalse(isWalkFaulty(walk));
    }

    function test_a_node_of_another_length_is_a_fault() public view {
        WalkEvidence memory walk = walkTo(exitLeaves(), 2);
        walk.nodes = firstOf(walk.nodes, 1);
        walk.nodes[0] = bytes.concat(walk.nodes[0], bytes1(0));
        rehash(walk);
        vm.assertTrue(isWalkFaulty(walk));
    }

    function test_a_child_without_hash_that_has_sums_is_a_fault() public view {
        WalkEvidence memory walk = walkTo(exitLeaves(), 2);
        walk.nodes = firstOf(walk.nodes, 1);
        walk.nodes[0][96 + 47] = 0x01;
        walk.rootSums[15] = bytes1(uint8(walk.rootSums[15]) + 1);
        rehash(walk);
        vm.assertTrue(isWalkFaulty(walk));
        // The same with the empty child on the left.
        bytes memory node = walk.nodes[0];
        bytes memory swapped = new bytes(192);
        for (uint256 i = 0; i < 192; ++i) {
            swapped[i] = node[(i + 96) % 192];
        }
        walk.nodes[0] = swapped;
        rehash(walk);
        vm.assertTrue(isWalkFaulty(walk));
    }

    function test_a_node_of_two_empty_children_is_a_fault() public view {
        WalkEvidence memory walk = walkTo(exitLeaves(), 2);
        walk.nodes = firstOf(walk.nodes, 1);
        walk.nodes[0] = new bytes(192);
        walk.rootSums = new bytes(64);
        rehash(walk);
        vm.assertTrue(isWalkFaulty(walk));
    }

    function test_root_sums_of_another_shape_are_a_fault() public view {
        WalkEvidence memory walk;
        walk.rootHash = keccak256("root");
        walk.rootSums = new bytes(47);
        vm.assertTrue(isWalkFaulty(walk));
        walk.rootSums = new bytes(32);
        vm.assertTrue(isWalkFaulty(walk));
        walk.rootSums = new bytes(64);
        vm.assertFalse(isWalkFaulty(walk));
        (walk.rootHash, walk.rootSums[3]) = (0, 0x01);
        vm.assertTrue(isWalkFaulty(walk));
    }

    function test_RevertWhen_the_batch_has_no_checkpoint() public {
        Draft memory d = firstBatch();
        vm.expectRevert(SumWalk.NoCheckpoint.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(walkTo(exitLeaves(), 0))));
    }

    function test_RevertWhen_a_preimage_is_not_that_of_the_node() public {
        WalkEvidence memory walk = walkTo(exitLeaves(), 2);
        walk.nodes[3] = walk.nodes[4];
        vm.expectRevert(
            abi.encodeWithSelector(
                SumWalk.WrongNode.selector,
                3,
                keccak256(walk.nodes[4]),
                keccak256(walkTo(exitLeaves(), 2).nodes[3])
            )
        );
        isWalkFaulty(walk);
    }

    function test_RevertWhen_the_walk_goes_below_the_leaves_or_beside_the_tree() public {
        WalkEvidence memory walk = walkTo(exitLeaves(), 2);
        walk.nodes = new bytes[](21);
        vm.expectRevert(abi.encodeWithSelector(SumWalk.WalkTooLong.selector, 21, 20));
        isWalkFaulty(walk);
        walk = walkTo(exitLeaves(), 2);
        walk.account = 1 << 20;
        vm.expectRevert(
            abi.encodeWithSelector(SumWalk.AccountOutOfRange.selector, 1 << 20, 1 << 20)
        );
        isWalkFaulty(walk);
    }

    // Rule 5: owed.

    function test_what_everybody_is_owed_is_no_fault() public view {
        Draft memory d = firstBatch();
        for (uint32 account = 0; account < 6; ++account) {
            vm.assertFalse(isOwedFaulty(d, exitLeaves(), account));
        }
    }

    function test_any_other_leaf_is_a_fault() public view {
        Draft memory d = firstBatch();
        for (uint256 field = 0; field < 7; ++field) {
            ExitLeaf[] memory leaves = exitLeaves();
            if (field == 0) leaves[3].account = 2;
            if (field == 1) leaves[3].owner = ALICE;
            if (field == 2) leaves[3].subaccount = 0;
            if (field == 3) leaves[3].equityE6 += 1;
            if (field == 4) leaves[3].owedE6 -= 1;
            if (field == 5) leaves[3].debtE6 += 1;
            if (field == 6) leaves[3].collateralE8[0] += 1;
            vm.assertTrue(isOwedFaulty(d, leaves, 3));
        }
    }

    function test_an_account_left_out_of_the_checkpoint_is_a_fault() public view {
        Draft memory d = firstBatch();
        ExitLeaf[] memory fewer = new ExitLeaf[](3);
        (fewer[0], fewer[1], fewer[2]) = (exitLeaves()[0], exitLeaves()[1], exitLeaves()[2]);
        vm.assertTrue(isOwedFaulty(d, fewer, 3));
    }

    function test_somebody_who_has_no_account_in_the_checkpoint_is_a_fault() public view {
        Draft memory d = firstBatch();
        ExitLeaf[] memory more = new ExitLeaf[](5);
        for (uint256 i = 0; i < 4; ++i) {
            more[i] = exitLeaves()[i];
        }
        more[4] = exitLeaf(4, CAROL, 0, 1, 0, 0, 0);
        vm.assertTrue(isOwedFaulty(d, more, 4));
    }

    function test_a_leaf_under_sums_that_are_not_its_own_is_a_fault() public view {
        Draft memory d = firstBatch();
        OwedEvidence memory e = owedTo(d, exitLeaves(), 0);
        // The fund's equity in its parent, and all sums above it.
        for (uint256 level = 0; level < 20; ++level) {
            e.walk.nodes[level][47] = bytes1(uint8(e.walk.nodes[level][47]) + 1);
        }
        e.walk.rootSums[15] = bytes1(uint8(e.walk.rootSums[15]) + 1);
        rehash(e.walk);
        d.header.checkpointRoot = keccak256(abi.encode(e.walk.rootHash, e.walk.rootSums));
        vm.assertTrue(_judge.isFaulty(d.header, abi.encodePacked(uint8(5), abi.encode(e))));
    }

    function test_collateral_that_does_not_reach_leaves_a_debt() public view {
        Draft memory d = firstBatch();
        AccountLeaf[] memory accounts = accountsAfter(d, d.count - 1);
        accounts[3].collateralE8[0] = 1;
        replaceAccounts(d, accounts);
        ExitLeaf[] memory leaves = exitLeaves();
        // One unit is worth 0.00000002 USD: less than the smallest unit of money.
        leaves[3] = exitLeaf(3, BOB, 1, 0, 7e6, 7e6, 0);
        vm.assertFalse(isOwedFaulty(d, leaves, 3));
        leaves[3] = exitLeaf(3, BOB, 1, 0, 7e6, 7e6, 1);
        vm.assertTrue(isOwedFaulty(d, leaves, 3));
    }

    function test_positions_are_worth_what_the_columns_of_their_underlyings_say() public view {
        Draft memory d = firstBatch();
        AccountLeaf[] memory accounts = accountsAfter(d, d.count - 1);
        Position memory held = accounts[2].positions[0];
        accounts[2].positions = new Position[](3);
        accounts[2].positions[0] = held;
        accounts[2].positions[1] = Position(256, 2, 1e6);
        accounts[2].positions[2] = Position(257, -1, 0);
        replaceAccounts(d, accounts);
        bytes memory values = abi.encodePacked(int64(3e6), int64(-4e6));
        (OwedEvidence memory e, bytes32 root) = wideOwed(d, values);
        e.epoch.priceRoot = root;
        d.steps[d.count - 1].epochHash = hashOfEpoch(e.epoch);
        seal(d);
        e.last = lastOf(d);
        // 909 as before, then 2 x 3 - 1, then 4 gained by being short.
        ExitLeaf[] memory leaves = exitLeaves();
        leaves[2].equityE6 = 918e6;
        e.walk = walkTo(leaves, 2);
        d.header.checkpointRoot = rootOf(leaves);
        vm.assertFalse(_judge.isFaulty(d.header, abi.encodePacked(uint8(5), abi.encode(e))));
    }

    /// @dev Evidence on account 2 with value columns of two underlyings, and their root.
    function wideOwed(Draft memory d, bytes memory values)
        private
        pure
        returns (OwedEvidence memory e, bytes32 root)
    {
        e = owedTo(d, exitLeaves(), 2);
        bytes32[] memory columns = new bytes32[](4);
        columns[0] = columnHash(255, valueColumn().packed);
        columns[1] = keccak256("funding");
        columns[2] = keccak256(abi.encode(uint8(1), uint8(255), keccak256(values)));
        columns[3] = keccak256("more funding");
        e.values = new Column[](2);
        e.values[0] = Column(valueColumn().packed, MerkleTree.proof(columns, 0));
        e.values[1] = Column(values, MerkleTree.proof(columns, 2));
        root = MerkleTree.root(columns);
    }

    function test_before_the_first_epoch_cash_alone_counts() public view {
        Draft memory d = firstBatch();
        d.count = REPORT;
        close(d);
        ExitLeaf[] memory leaves = new ExitLeaf[](4);
        leaves[0] = exitLeaf(0, FUND, 0, 0, 0, 0, 0);
        leaves[1] = exitLeaf(1, BACKSTOP, 0, 0, 0, 0, 0);
        leaves[2] = exitLeaf(2, ALICE, 0, 1000e6, 0, 0, 0);
        leaves[3] = exitLeaf(3, BOB, 1, 0, 0, 0, 5e8);
        for (uint32 account = 0; account < 4; ++account) {
            vm.assertFalse(isOwedFaulty(d, leaves, account));
        }
    }

    function test_RevertWhen_positions_have_no_worth_yet() public {
        Draft memory d = firstBatch();
        AccountLeaf[] memory accounts = accountsAfter(d, d.count - 1);
        d.count = REPORT;
        d.accounts[REPORT - 1] = abi.encode(accounts);
        d.steps[REPORT - 1].accountRoot = AccountTree.root(AccountTree.hashesOf(accounts));
        close(d);
        vm.expectRevert(Owed.NoValues.selector);
        isOwedFaulty(d, exitLeaves(), 2);
    }

    function test_RevertWhen_the_walk_stops_above_the_leaf() public {
        Draft memory d = firstBatch();
        OwedEvidence memory e = owedTo(d, exitLeaves(), 3);
        e.walk.nodes = firstOf(e.walk.nodes, 19);
        d.header.checkpointRoot = rootOf(exitLeaves());
        vm.expectRevert(abi.encodeWithSelector(TotalsJudge.WalkTooShort.selector, 19));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(5), abi.encode(e)));
    }

    function test_RevertWhen_the_account_is_another_than_the_walk_goes_to() public {
        Draft memory d = firstBatch();
        OwedEvidence memory e = owedTo(d, exitLeaves(), 3);
        e.holder = holderAfter(d, d.count - 1, 2);
        expectOwedRevert(d, e, abi.encodeWithSelector(TotalsJudge.WrongAccount.selector, 2, 3));
    }

    function test_RevertWhen_a_column_or_an_asset_is_not_opened() public {
        Draft memory d = firstBatch();
        OwedEvidence memory e = owedTo(d, exitLeaves(), 3);
        e.values = new Column[](0);
        expectOwedRevert(d, e, abi.encodeWithSelector(Owed.MissingOpening.selector, 0, 1));
        e = owedTo(d, exitLeaves(), 3);
        e.assets = new AssetOpening[](0);
        expectOwedRevert(d, e, abi.encodeWithSelector(Owed.MissingOpening.selector, 0, 1));
    }

    function test_RevertWhen_the_asset_is_another_or_has_no_price() public {
        Draft memory d = firstBatch();
        AccountLeaf[] memory accounts = accountsAfter(d, d.count - 1);
        accounts[3].collateralE8 = new uint64[](2);
        accounts[3].collateralE8[1] = 1;
        replaceAccounts(d, accounts);
        OwedEvidence memory e = owedTo(d, exitLeaves(), 3);
        expectOwedRevert(d, e, abi.encodeWithSelector(Owed.WrongAsset.selector, 1, 2));
    }

    function test_RevertWhen_the_report_has_no_price_of_the_asset() public {
        Draft memory d = firstBatch();
        OwedEvidence memory e = owedTo(d, exitLeaves(), 3);
        e.report.medians = abi.encodePacked(int64(0));
        e.epoch.reportHash = keccak256(abi.encode(uint64(1), TIME, e.report.medians));
        d.steps[d.count - 1].epochHash = hashOfEpoch(e.epoch);
        seal(d);
        e.last = lastOf(d);
        expectOwedRevert(d, e, abi.encodeWithSelector(Owed.NoPrice.selector, 1));
    }

    function test_RevertWhen_the_epoch_is_not_the_last() public {
        Draft memory d = firstBatch();
        OwedEvidence memory e = owedTo(d, exitLeaves(), 3);
        e.epoch = epochTwo();
        expectOwedRevert(
            d,
            e,
            abi.encodeWithSelector(
                Openings.WrongPreimage.selector, hashOfEpoch(epochTwo()), hashOfEpoch(epochOne())
            )
        );
    }

    function isWalkFaulty(WalkEvidence memory walk) private view returns (bool) {
        Draft memory d;
        d.header.checkpointRoot = keccak256(abi.encode(walk.rootHash, walk.rootSums));
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(walk)));
    }

    function isOwedFaulty(Draft memory d, ExitLeaf[] memory leaves, uint32 account)
        private
        view
        returns (bool)
    {
        d.header.checkpointRoot = rootOf(leaves);
        OwedEvidence memory e = owedTo(d, leaves, account);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(5), abi.encode(e)));
    }

    function expectOwedRevert(Draft memory d, OwedEvidence memory e, bytes memory reason) private {
        d.header.checkpointRoot = rootOf(exitLeaves());
        vm.expectRevert(reason);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(5), abi.encode(e)));
    }

    function replaceAccounts(Draft memory d, AccountLeaf[] memory accounts) private pure {
        d.accounts[d.count - 1] = abi.encode(accounts);
        d.steps[d.count - 1].accountRoot = AccountTree.root(AccountTree.hashesOf(accounts));
        seal(d);
    }

    /// @dev Makes every node the child of the one above it again; accounts 0 to 3 are far left.
    function rehash(WalkEvidence memory walk) private pure {
        uint256 count = walk.nodes.length;
        for (uint256 level = count; level-- > 1;) {
            bool isRight = walk.account >> (19 - (level - 1)) & 1 == 1;
            bytes32 hash = keccak256(walk.nodes[level]);
            bytes memory above = walk.nodes[level - 1];
            uint256 place = 32 + (isRight ? above.length / 2 : 0);
            assembly ("memory-safe") {
                mstore(add(above, place), hash)
            }
        }
        walk.rootHash = keccak256(walk.nodes[0]);
    }

    function firstOf(bytes[] memory nodes, uint256 count)
        private
        pure
        returns (bytes[] memory first)
    {
        first = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            first[i] = nodes[i];
        }
    }
}
