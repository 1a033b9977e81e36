// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInsuranceFund} from "../../contracts/interfaces/IInsuranceFund.sol";
import {IProofRouter} from "../../contracts/interfaces/IProofRouter.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader, BatchStatus, Totals} from "../../contracts/types/Batch.sol";
import {ExitSums} from "../../contracts/types/Checkpoint.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

contract SettlementFinaliseTest is SettlementRig {
    BatchHeader private header;

    /// @dev Whether somebody deposits collateral before the batch.
    bool private uses;

    function setUp() public {
        deployRig();
        totals.depositedCash = 100;
        totals.withdrawnCash = 30;
        totals.netCashE6 = 70;
        holdCollateral(5, 9, 4);
        totals.insuranceE6 = 20;
        totals.contributedE6 = 50;
        totals.drawnE6 = 30;
        totals.shortfallE6 = 10;
        header = nextHeader();
        header.liquidationCount = 2;
        commit(header);
        answers.setVerifiedCount(hashOf(header), 2);
        vm.warp(block.timestamp + WINDOW);
    }

    function refuse(bytes memory reason) private {
        bytes memory proof = proofOf(hashOf(header));
        ExitSums memory made = sums();
        vm.expectRevert(reason);
        settlement.finalise(header, totals, made, EXIT_ROOT, proof);
    }

    function test_a_right_batch_becomes_final_and_moves_the_insurance_record() public {
        bytes memory proof = proofOf(hashOf(header));
        ExitSums memory made = sums();
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchProven(1, hashOf(header), false);
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchFinalized(1, hashOf(header), totals);
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.InsuranceMoved(1, 20, 50, 30, 10);
        vm.prank(address(0xbeef));
        settlement.finalise(header, totals, made, EXIT_ROOT, proof);

        vm.assertEq(settlement.finalised(), 1);
        vm.assertEq(settlement.committedAt(1), 0);
        vm.assertEq(settlement.finalAfter(1), 0);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.FINALIZED);
        vm.assertEq(insurance.lastBatch(), 1);
        vm.assertEq(insurance.balanceE6(), 20);
    }

    function test_a_batch_is_finalised_once() public {
        finalise(header);
        refuse(abi.encodeWithSelector(ISettlement.NotOpen.selector, 1, BatchStatus.FINALIZED));
    }

    function test_a_batch_that_was_not_committed_is_refused() public {
        header.batchNo = 2;
        refuse(abi.encodeWithSelector(ISettlement.NotOpen.selector, 2, BatchStatus.NONE));
        header.batchNo = 0;
        refuse(abi.encodeWithSelector(ISettlement.NotOpen.selector, 0, BatchStatus.NONE));
    }

    function test_batches_are_finalised_in_order() public {
        BatchHeader memory second = nextHeader();
        commit(second);
        header = second;
        vm.warp(block.timestamp + WINDOW);
        refuse(abi.encodeWithSelector(ISettlement.NotNextToFinalise.selector, 2, 1));
    }

    function test_another_header_is_refused() public {
        bytes32 committed = hashOf(header);
        header.outputRoot = keccak256("mine");
        refuse(
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 1, hashOf(header), committed)
        );
    }

    function test_the_window_is_waited_for_to_the_second() public {
        uint256 until = block.timestamp;
        vm.warp(until - 1);
        refuse(abi.encodeWithSelector(ISettlement.WindowOpen.selector, until, until - 1));
        vm.warp(until);
        finalise(header);
    }

    function test_a_batch_with_an_unverified_liquidation_is_refused() public {
        answers.setVerifiedCount(hashOf(header), 1);
        refuse(abi.encodeWithSelector(ISettlement.UnverifiedLiquidations.selector, 1, 2));
    }

    function test_other_totals_are_refused() public {
        bytes32 expected = header.totalsHash;
        totals.accounts = 1;
        refuse(
            abi.encodeWithSelector(
                ISettlement.WrongTotals.selector, keccak256(abi.encode(totals)), expected
            )
        );
    }

    function test_money_out_of_nothing_is_refused() public {
        settleWith(71, 5);
        refuse(abi.encodeWithSelector(ISettlement.NotConserved.selector, 0, 1)); // SOL-1
        finaliseRefusedUntilRight(70, 6);
    }

    function test_money_that_vanished_is_refused() public {
        settleWith(69, 5);
        refuse(abi.encodeWithSelector(ISettlement.NotConserved.selector, 0, -1)); // SOL-1
        finaliseRefusedUntilRight(70, 4);
    }

    function testFuzz_only_conserved_totals_pass(uint64 paidIn, uint64 paidOut, int8 excess)
        public
    {
        totals.depositedCash = paidIn;
        totals.withdrawnCash = paidOut;
        int128 conserved = int128(uint128(paidIn)) - int128(uint128(paidOut));
        settleWith(conserved + excess, 5);
        if (excess == 0) {
            finalise(header);
        } else {
            refuse(abi.encodeWithSelector(ISettlement.NotConserved.selector, 0, excess));
        }
    }

    function test_sums_at_the_limits_of_their_types_are_compared_without_a_wrap() public {
        totals.depositedCash = type(uint128).max;
        totals.withdrawnCash = 0;
        settleWith(-1, 5); // what the largest sum would be, if it wrapped
        int256 excess = -1 - int256(uint256(type(uint128).max));
        refuse(abi.encodeWithSelector(ISettlement.NotConserved.selector, 0, excess));
    }

    function test_every_collateral_is_conserved_for_itself() public {
        deployRig();
        // One token less of the second is no token more of the third. SOL-1
        totals.collateralE8 = [uint128(5), 7, 1];
        totals.depositedCollateral = [uint128(9), 8, 0];
        totals.withdrawnCollateral = [uint128(4), 0, 0];
        recommit();
        refuse(abi.encodeWithSelector(ISettlement.NotConserved.selector, 2, -1));
        totals.collateralE8 = [uint128(5), 8, 1];
        deployKeepingTotals();
        refuse(abi.encodeWithSelector(ISettlement.NotConserved.selector, 3, 1));
        totals.collateralE8 = [uint128(5), 8, 0];
        deployKeepingTotals();
        finalise(header);
    }

    function test_totals_that_leave_an_asset_out_are_refused() public {
        bytes4 reason = ISettlement.WrongAssetCount.selector;
        uses = true;
        deployKeepingTotals();
        delete totals.collateralE8;
        delete totals.depositedCollateral;
        delete totals.withdrawnCollateral;
        deployKeepingTotals();
        refuse(abi.encodeWithSelector(reason, 0, 0, 0, 1));
        totals.collateralE8 = [uint128(0)];
        deployKeepingTotals();
        refuse(abi.encodeWithSelector(reason, 1, 0, 0, 1));
        totals.depositedCollateral = [uint128(0)];
        deployKeepingTotals();
        refuse(abi.encodeWithSelector(reason, 1, 1, 0, 1));
        totals.depositedCollateral = [uint128(0), 0];
        totals.withdrawnCollateral = [uint128(0)];
        deployKeepingTotals();
        refuse(abi.encodeWithSelector(reason, 1, 2, 1, 1));
    }

    function test_a_proof_of_another_batch_is_refused() public {
        bytes memory proof = proofOf(keccak256("another"));
        ExitSums memory made = sums();
        vm.expectRevert(
            abi.encodeWithSelector(IProofRouter.InvalidProof.selector, 0, hashOf(header))
        );
        settlement.finalise(header, totals, made, EXIT_ROOT, proof);
    }

    function test_an_unknown_proof_kind_is_refused() public {
        deployRig();
        header = nextHeader();
        header.proofKind = 9;
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        refuse(abi.encodeWithSelector(IProofRouter.UnknownProofKind.selector, 9));
    }

    function test_the_next_batch_may_be_finalised_after_the_first() public {
        BatchHeader memory second = nextHeader();
        commit(second);
        finalise(header);
        vm.warp(block.timestamp + WINDOW);
        finalise(second);
        vm.assertEq(settlement.finalised(), 2);
    }

    /// @dev A fresh chain whose first batch has these totals.
    function settleWith(int128 netCashE6, uint128 collateralE8) private {
        deployRig();
        totals.netCashE6 = netCashE6;
        holdCollateral(collateralE8, 9, 4);
        header = nextHeader();
        commit(header);
        vm.warp(block.timestamp + WINDOW);
    }

    function recommit() private {
        header = nextHeader();
        commit(header);
        vm.warp(block.timestamp + WINDOW);
    }

    /// @dev A fresh chain whose first batch has the totals that are set.
    function deployKeepingTotals() private {
        Totals memory kept = totals;
        deployRig();
        totals = kept;
        if (uses) depositFor(collateral, 1, address(0xa11ce), 1);
        recommit();
    }

    function finaliseRefusedUntilRight(int128 netCashE6, uint128 wrongCollateralE8) private {
        settleWith(netCashE6, wrongCollateralE8);
        int256 excess = int256(uint256(wrongCollateralE8)) - 5;
        refuse(abi.encodeWithSelector(ISettlement.NotConserved.selector, 1, excess));
        settleWith(netCashE6, 5);
        finalise(header);
    }
}
