// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {Inbox} from "../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../contracts/insurance/InsuranceFund.sol";
import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {IInsuranceFund} from "../../contracts/interfaces/IInsuranceFund.sol";
import {BatchStatus, Totals} from "../../contracts/types/Batch.sol";
import {CollateralVault} from "../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {Answers} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Stands for the settlement contract, of which the fund asks where a batch is in its life.
contract Batches {
    struct Batch {
        BatchStatus status;
        bytes32 hash;
    }

    bool public constant isFrozen = false;

    mapping(uint64 batchNo => Batch) private _batches;

    function set(uint64 batchNo, BatchStatus status, bytes32 hash) external {
        _batches[batchNo] = Batch(status, hash);
    }

    function batchOf(uint64 batchNo) external view returns (BatchStatus, bytes32) {
        return (_batches[batchNo].status, _batches[batchNo].hash);
    }

    function record(InsuranceFund fund, uint64 batchNo, Totals calldata totals) external {
        fund.record(batchNo, totals);
    }
}

/// @dev K-1: a keeper gets at most the fee, and at most what there is.
contract InsuranceFundTest {
    address private constant KEEPER = address(0x4ee9e4);
    address private constant MANAGER = address(0x11c);

    PlainToken private cash;
    CollateralVault private vault;
    Inbox private inbox;
    InsuranceFund private insurance;
    Batches private batches;

    function setUp() public {
        batches = new Batches();
        cash = new PlainToken(6);
        address limits = address(new Answers());
        ICollateralVault.NewAsset[] memory assets = new ICollateralVault.NewAsset[](2);
        assets[0] = ICollateralVault.NewAsset(address(cash), 1);
        assets[1] = ICollateralVault.NewAsset(address(new PlainToken(8)), 1);
        address inboxAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        vault = new CollateralVault(
            ICollateralVault.Config({
                inbox: inboxAt,
                settlement: address(batches),
                exit: address(0xe817),
                limits: limits,
                governor: address(this)
            }),
            assets
        );
        inbox = new Inbox(address(vault), address(batches));
        insurance = new InsuranceFund(
            address(cash), address(vault), address(batches), MANAGER, address(this)
        );
        for (uint64 batchNo = 1; batchNo <= 3; ++batchNo) {
            batches.set(batchNo, BatchStatus.COMMITTED, hashOf(batchNo));
        }
    }

    function hashOf(uint64 batchNo) private pure returns (bytes32) {
        return keccak256(abi.encode("batch", batchNo));
    }

    function one(uint64 batchNo) private pure returns (uint64[] memory list) {
        list = new uint64[](1);
        list[0] = batchNo;
    }

    function makeFinal(uint64 batchNo) private {
        batches.set(batchNo, BatchStatus.FINALIZED, hashOf(batchNo));
    }

    function claim(uint64 batchNo) private returns (uint256) {
        vm.prank(KEEPER);
        return insurance.claimKeeperFees(one(batchNo));
    }

    function fund(uint256 amount) private {
        cash.mint(address(this), amount);
        cash.approve(address(insurance), amount);
        insurance.fund(amount);
    }

    function pay(uint64 fee) private returns (uint64) {
        return payFor(1, fee);
    }

    function payFor(uint64 batchNo, uint64 fee) private returns (uint64) {
        vm.prank(MANAGER);
        return insurance.payKeeper(batchNo, hashOf(batchNo), KEEPER, fee);
    }

    function credited(uint64 batchNo) private view returns (uint256 amountE6) {
        (, amountE6) = insurance.creditOf(hashOf(batchNo), KEEPER);
    }

    function record(uint64 batchNo, Totals memory totals) private {
        batches.record(insurance, batchNo, totals);
    }

    // --- reserve ---

    function test_anyone_funds_the_reserve() public {
        cash.mint(KEEPER, 50);
        vm.startPrank(KEEPER);
        cash.approve(address(insurance), 50);
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.Funded(KEEPER, 50);
        insurance.fund(50);
        vm.stopPrank();
        vm.assertEq(insurance.reserveE6(), 50);
    }

    function test_the_admin_seeds_the_account_of_the_engine() public {
        fund(100);
        vm.expectEmit(address(inbox));
        bytes32 entry =
            keccak256(abi.encode(1, 1, block.timestamp, address(insurance), 0, 0, 70, address(0)));
        emit IInbox.Enqueued(
            1,
            1,
            address(insurance),
            0,
            0,
            70,
            address(0),
            uint64(block.timestamp),
            keccak256(abi.encode(bytes32(0), entry))
        );
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.Seeded(70, 1);
        insurance.seed(70);
        vm.assertEq(insurance.reserveE6(), 30);
        vm.assertEq(vault.bookedBalance(0), 70);
    }

    /// @dev G-1, G-4.
    function test_the_role_is_handed_over_and_never_shared() public {
        (address timelock, address other) = (address(0x71e), address(0x07e4));
        insurance.grantRole(0, timelock);
        insurance.renounceRole(0, address(this));
        bytes4 refusal = IAccessControl.AccessControlUnauthorizedAccount.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, timelock, bytes32(0)));
        vm.prank(timelock);
        insurance.grantRole(0, other);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(this), bytes32(0)));
        insurance.grantRole(0, other);
        vm.assertTrue(insurance.hasRole(0, timelock) && !insurance.hasRole(0, other));
    }

    function test_nobody_else_seeds() public {
        fund(100);
        bytes4 refusal = IAccessControl.AccessControlUnauthorizedAccount.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, KEEPER, bytes32(0)));
        vm.prank(KEEPER);
        insurance.seed(70);
    }

    function test_what_is_owed_to_keepers_cannot_be_seeded() public {
        fund(100);
        pay(40);
        vm.expectRevert(abi.encodeWithSelector(IInsuranceFund.InsufficientReserve.selector, 61, 60));
        insurance.seed(61);
        insurance.seed(60);
        vm.assertEq(cash.balanceOf(address(insurance)), 40);
        vm.assertEq(cash.allowance(address(insurance), address(vault)), 0);
    }

    // --- keepers ---

    function test_a_keeper_is_credited_and_collects() public {
        fund(100);
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.KeeperCredited(KEEPER, hashOf(1), 30, 30);
        vm.assertEq(pay(30), 30);
        pay(5);
        makeFinal(1);
        vm.assertEq(insurance.keeperCredit(1, KEEPER), 35);
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.KeeperPaid(KEEPER, 35);
        vm.assertEq(claim(1), 35);
        vm.assertEq(cash.balanceOf(KEEPER), 35);
        vm.assertEq(insurance.reserveE6(), 65);
        vm.assertEq(insurance.owedToKeepersE6(), 0);
    }

    function test_a_poor_fund_credits_what_it_has_and_never_reverts() public {
        vm.assertEq(pay(30), 0);
        fund(20);
        vm.assertEq(pay(30), 20);
        vm.assertEq(pay(30), 0);
        vm.assertEq(credited(1), 20);
    }

    function testFuzz_credits_never_exceed_the_money(uint64 reserve, uint64[8] calldata fees)
        public
    {
        fund(reserve);
        uint256 sum = 0;
        for (uint256 i = 0; i < fees.length; ++i) {
            sum += pay(fees[i]);
        }
        vm.assertLe(sum, reserve);
        vm.assertEq(credited(1), sum);
        vm.assertEq(insurance.reserveE6(), reserve - sum);
    }

    function test_only_the_liquidation_manager_credits() public {
        fund(100);
        vm.expectRevert(
            abi.encodeWithSelector(IInsuranceFund.NotLiquidationManager.selector, KEEPER)
        );
        vm.prank(KEEPER);
        insurance.payKeeper(1, hashOf(1), KEEPER, 1);
    }

    function test_credit_is_collected_once() public {
        fund(100);
        pay(30);
        makeFinal(1);
        claim(1);
        bytes memory reason =
            abi.encodeWithSelector(IInsuranceFund.NothingOwed.selector, hashOf(1), KEEPER);
        vm.expectRevert(reason);
        claim(1);
    }

    function test_a_batch_is_not_paid_twice_in_one_list() public {
        fund(100);
        pay(30);
        makeFinal(1);
        uint64[] memory twice = new uint64[](2);
        (twice[0], twice[1]) = (1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IInsuranceFund.NothingOwed.selector, hashOf(1), KEEPER)
        );
        vm.prank(KEEPER);
        insurance.claimKeeperFees(twice);
    }

    /// @dev Until a batch is final only its sequencer vouches for it. One that makes liquidations
    /// up could else pay itself the whole reserve without a single attestor.
    function test_credit_is_due_when_its_batch_is_final() public {
        fund(100);
        payFor(1, 30);
        payFor(2, 10);
        BatchStatus[4] memory early = [
            BatchStatus.COMMITTED, BatchStatus.PROVEN, BatchStatus.CHALLENGED, BatchStatus.REVERTED
        ];
        for (uint256 i = 0; i < 4; ++i) {
            batches.set(1, early[i], hashOf(1));
            vm.assertEq(insurance.keeperCredit(1, KEEPER), 0);
            vm.expectRevert(
                abi.encodeWithSelector(IInsuranceFund.CreditNotDue.selector, 1, early[i])
            );
            claim(1);
        }
        makeFinal(1);
        vm.assertEq(claim(1), 30);
        vm.assertEq(insurance.owedToKeepersE6(), 10);
        vm.assertEq(credited(2), 10);
    }

    function test_several_batches_are_collected_at_once() public {
        fund(100);
        payFor(1, 30);
        payFor(3, 10);
        makeFinal(1);
        makeFinal(3);
        uint64[] memory list = new uint64[](2);
        (list[0], list[1]) = (3, 1);
        vm.prank(KEEPER);
        vm.assertEq(insurance.claimKeeperFees(list), 40);
    }

    function test_a_batch_that_took_the_number_pays_no_credit_of_the_dead_one() public {
        fund(100);
        pay(30);
        batches.set(1, BatchStatus.FINALIZED, keccak256("another"));
        vm.assertEq(insurance.keeperCredit(1, KEEPER), 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInsuranceFund.NothingOwed.selector, keccak256("another"), KEEPER
            )
        );
        claim(1);
    }

    function test_credit_for_a_dead_batch_is_freed() public {
        fund(100);
        payFor(1, 30);
        payFor(2, 10);
        batches.set(1, BatchStatus.REVERTED, hashOf(1));
        batches.set(2, BatchStatus.COMMITTED, keccak256("another"));
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.CreditReleased(KEEPER, hashOf(1), 30);
        insurance.releaseDead(hashOf(1), KEEPER);
        insurance.releaseDead(hashOf(2), KEEPER);
        vm.assertEq(insurance.reserveE6(), 100);
        vm.assertEq(insurance.owedToKeepersE6(), 0);
        vm.assertEq(credited(1), 0);
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(
            abi.encodeWithSelector(IInsuranceFund.NothingOwed.selector, unknown, KEEPER)
        );
        insurance.releaseDead(unknown, KEEPER);
    }

    function test_credit_for_a_batch_that_lives_is_not_freed() public {
        fund(100);
        pay(30);
        BatchStatus[4] memory alive = [
            BatchStatus.COMMITTED, BatchStatus.PROVEN, BatchStatus.CHALLENGED, BatchStatus.FINALIZED
        ];
        for (uint256 i = 0; i < 4; ++i) {
            batches.set(1, alive[i], hashOf(1));
            vm.expectRevert(abi.encodeWithSelector(IInsuranceFund.NotDead.selector, 1, hashOf(1)));
            insurance.releaseDead(hashOf(1), KEEPER);
        }
    }

    // --- record ---

    function test_a_batch_is_recorded_as_what_it_moved() public {
        Totals memory totals;
        (totals.insuranceE6, totals.contributedE6, totals.drawnE6) = (60, 100, 40);
        record(1, totals);
        (totals.insuranceE6, totals.contributedE6, totals.drawnE6) = (0, 110, 110);
        totals.shortfallE6 = 7;
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.InsuranceMoved(2, 0, 10, 70, 7);
        record(2, totals);
        vm.assertEq(insurance.lastBatch(), 2);
        vm.assertEq(insurance.balanceE6(), 0);
        vm.assertEq(insurance.contributedE6(), 110);
        vm.assertEq(insurance.drawnE6(), 110);
        vm.assertEq(insurance.shortfallE6(), 7);
    }

    function test_only_settlement_records() public {
        Totals memory totals;
        vm.expectRevert(
            abi.encodeWithSelector(IInsuranceFund.NotSettlement.selector, address(this))
        );
        insurance.record(1, totals);
    }

    function test_a_batch_is_recorded_once_and_in_order() public {
        Totals memory totals;
        record(2, totals);
        vm.expectRevert(abi.encodeWithSelector(IInsuranceFund.BatchOutOfOrder.selector, 2, 2));
        record(2, totals);
        vm.expectRevert(abi.encodeWithSelector(IInsuranceFund.BatchOutOfOrder.selector, 1, 2));
        record(1, totals);
    }

    function test_sums_since_genesis_never_fall() public {
        Totals memory totals;
        (totals.contributedE6, totals.drawnE6, totals.shortfallE6) = (5, 4, 3);
        record(1, totals);
        bytes4 refusal = IInsuranceFund.CumulativeDecreased.selector;
        totals.contributedE6 = 4;
        vm.expectRevert(abi.encodeWithSelector(refusal, 5, 4));
        record(2, totals);
        (totals.contributedE6, totals.drawnE6) = (5, 3);
        vm.expectRevert(abi.encodeWithSelector(refusal, 4, 3));
        record(2, totals);
        (totals.drawnE6, totals.shortfallE6) = (4, 2);
        vm.expectRevert(abi.encodeWithSelector(refusal, 3, 2));
        record(2, totals);
    }

    function test_a_fund_without_one_of_its_parts_is_refused() public {
        for (uint256 i = 0; i < 5; ++i) {
            address[5] memory p = [address(1), address(2), address(3), address(4), address(5)];
            p[i] = address(0);
            vm.expectRevert(IInsuranceFund.ZeroAddress.selector);
            new InsuranceFund(p[0], p[1], p[2], p[3], p[4]);
        }
    }
}
