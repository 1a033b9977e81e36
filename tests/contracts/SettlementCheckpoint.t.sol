// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {ExitSums} from "../../contracts/types/Checkpoint.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev What a checkpoint must add up to before exits may be paid from it.
contract SettlementCheckpointTest is SettlementRig {
    BatchHeader private header;
    ExitSums private owed;

    function setUp() public {
        deployRig();
        (totals.netCashE6, totals.depositedCash) = (70, 70);
        holdCollateral(5, 5, 0);
        (owed.equityE6, owed.owedE6, owed.debtE6) = (100, 30, 11);
        owed.collateralE8 = [uint128(4)]; // one unit covers a debt
    }

    /// @dev Commits a batch with a checkpoint of these sums, and waits for its window to end.
    function commitWith() private {
        header = nextHeader();
        header.checkpointRoot = BatchHash.checkpointRoot(EXIT_ROOT, owed);
        commit(header);
        vm.warp(block.timestamp + WINDOW);
    }

    function settle(bytes memory reason) private {
        bytes memory proof = proofOf(hashOf(header));
        if (reason.length != 0) vm.expectRevert(reason);
        settlement.finalise(header, totals, owed, EXIT_ROOT, proof);
    }

    function test_a_final_checkpoint_is_kept() public {
        commitWith();
        settle("");
        (uint64 batchNo, bytes32 root) = settlement.checkpoint();
        vm.assertEq(batchNo, 1);
        vm.assertEq(root, header.checkpointRoot);
    }

    function test_the_root_is_that_of_tree_and_sums_as_the_page_says() public view {
        bytes memory packed = abi.encodePacked(uint128(100), uint128(30), uint128(11), uint128(4));
        vm.assertEq(packed.length, 64);
        vm.assertEq(
            BatchHash.checkpointRoot(EXIT_ROOT, owed), keccak256(abi.encode(EXIT_ROOT, packed))
        );
    }

    function test_a_batch_without_a_checkpoint_leaves_the_last_one() public {
        commitWith();
        settle("");
        bytes32 kept = header.checkpointRoot;
        header = nextHeader();
        header.checkpointRoot = 0;
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        delete owed; // whatever is said of no checkpoint is not looked at
        settle("");
        (uint64 batchNo, bytes32 root) = settlement.checkpoint();
        vm.assertEq(settlement.finalised(), 2);
        vm.assertEq(batchNo, 1);
        vm.assertEq(root, kept);
    }

    function test_other_sums_or_another_tree_are_refused() public {
        commitWith();
        owed.debtE6 = 10;
        bytes32 given = BatchHash.checkpointRoot(EXIT_ROOT, owed);
        settle(
            abi.encodeWithSelector(
                ISettlement.WrongCheckpoint.selector, given, header.checkpointRoot
            )
        );
        owed.debtE6 = 11;
        given = BatchHash.checkpointRoot(0, owed);
        bytes memory proof = proofOf(hashOf(header));
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlement.WrongCheckpoint.selector, given, header.checkpointRoot
            )
        );
        settlement.finalise(header, totals, owed, 0, proof);
    }

    function test_equity_that_the_book_does_not_hold_is_refused() public {
        owed.equityE6 = 101;
        commitWith();
        settle(abi.encodeWithSelector(ISettlement.CheckpointNotConserved.selector, 1));
    }

    function test_equity_that_is_left_out_is_refused() public {
        owed.owedE6 = 32;
        commitWith();
        settle(abi.encodeWithSelector(ISettlement.CheckpointNotConserved.selector, -2));
    }

    function test_more_collateral_than_the_book_holds_is_refused() public {
        owed.collateralE8 = [uint128(6)];
        commitWith();
        settle(abi.encodeWithSelector(ISettlement.CheckpointExceedsBook.selector, 1, 6, 5));
    }

    function test_all_the_collateral_of_the_book_may_be_owed() public {
        owed.collateralE8 = [uint128(5)];
        commitWith();
        settle("");
    }

    function test_a_checkpoint_speaks_of_the_assets_of_the_totals() public {
        owed.collateralE8 = [uint128(4), 0];
        commitWith();
        settle(abi.encodeWithSelector(ISettlement.WrongSumCount.selector, 2, 1));
        delete owed.collateralE8;
        deployRig();
        holdCollateral(5, 5, 0);
        commitWith();
        settle(abi.encodeWithSelector(ISettlement.WrongSumCount.selector, 0, 1));
    }

    function testFuzz_only_sums_that_differ_by_the_net_cash_pass(
        uint128 equityE6,
        uint128 owedE6,
        int64 netCashE6
    ) public {
        (owed.equityE6, owed.owedE6) = (equityE6, owedE6);
        totals.netCashE6 = netCashE6;
        (totals.depositedCash, totals.withdrawnCash) = netCashE6 < 0
            ? (uint128(0), uint128(uint256(-int256(netCashE6))))
            : (uint128(uint64(netCashE6)), uint128(0));
        commitWith();
        int256 excess = int256(uint256(equityE6)) - int256(uint256(owedE6)) - netCashE6;
        settle(
            excess == 0
                ? bytes("")
                : abi.encodeWithSelector(ISettlement.CheckpointNotConserved.selector, excess)
        );
    }
}
