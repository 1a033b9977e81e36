// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {Inbox} from "../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../contracts/insurance/InsuranceFund.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {IInsuranceFund} from "../../contracts/interfaces/IInsuranceFund.sol";
import {Totals} from "../../contracts/types/Batch.sol";
import {CollateralVault} from "../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {vm} from "./support/Vm.sol";

/// @dev K-1: a keeper gets at most the fee, and at most what there is.
contract InsuranceFundTest {
    address private constant KEEPER = address(0x4ee9e4);
    address private constant SETTLEMENT = address(0x5e771e);
    address private constant MANAGER = address(0x11c);

    PlainToken private cash;
    CollateralVault private vault;
    Inbox private inbox;
    InsuranceFund private insurance;

    function setUp() public {
        cash = new PlainToken(6);
        PlainToken collateral = new PlainToken(8);
        address inboxAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        address[] memory collaterals = new address[](1);
        collaterals[0] = address(collateral);
        vault = new CollateralVault(inboxAt, SETTLEMENT, address(cash), collaterals);
        inbox = new Inbox(address(vault));
        insurance =
            new InsuranceFund(address(cash), address(vault), SETTLEMENT, MANAGER, address(this));
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
        return insurance.payKeeper(batchNo, KEEPER, fee);
    }

    function credited() private view returns (uint256 amountE6) {
        (, amountE6) = insurance.creditOf(KEEPER);
    }

    function record(uint64 batchNo, Totals memory totals) private {
        vm.prank(SETTLEMENT);
        insurance.record(batchNo, totals);
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
        bytes32 entry = keccak256(abi.encode(1, 1, address(insurance), 0, 0, 70));
        emit IInbox.Deposited(
            1, address(insurance), 0, 0, 70, keccak256(abi.encode(bytes32(0), entry))
        );
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.Seeded(70, 1);
        insurance.seed(70);
        vm.assertEq(insurance.reserveE6(), 30);
        vm.assertEq(vault.bookedBalance(0), 70);
    }

    function test_nobody_else_seeds() public {
        fund(100);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, KEEPER, bytes32(0)
            )
        );
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
        emit IInsuranceFund.KeeperCredited(KEEPER, 30, 30);
        vm.assertEq(pay(30), 30);
        pay(5);
        Totals memory totals;
        record(1, totals);
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.KeeperPaid(KEEPER, 35);
        vm.prank(KEEPER);
        vm.assertEq(insurance.claimKeeperFees(), 35);
        vm.assertEq(cash.balanceOf(KEEPER), 35);
        vm.assertEq(insurance.reserveE6(), 65);
        vm.assertEq(insurance.owedToKeepersE6(), 0);
    }

    function test_a_poor_fund_credits_what_it_has_and_never_reverts() public {
        vm.assertEq(pay(30), 0);
        fund(20);
        vm.assertEq(pay(30), 20);
        vm.assertEq(pay(30), 0);
        vm.assertEq(credited(), 20);
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
        vm.assertEq(credited(), sum);
        vm.assertEq(insurance.reserveE6(), reserve - sum);
    }

    function test_only_the_liquidation_manager_credits() public {
        fund(100);
        vm.expectRevert(
            abi.encodeWithSelector(IInsuranceFund.NotLiquidationManager.selector, KEEPER)
        );
        vm.prank(KEEPER);
        insurance.payKeeper(1, KEEPER, 1);
    }

    function test_credit_is_collected_once() public {
        fund(100);
        pay(30);
        Totals memory totals;
        record(1, totals);
        vm.startPrank(KEEPER);
        insurance.claimKeeperFees();
        vm.expectRevert(abi.encodeWithSelector(IInsuranceFund.NothingOwed.selector, KEEPER));
        insurance.claimKeeperFees();
    }

    /// @dev Until a batch is final only its sequencer vouches for it. One that makes liquidations
    /// up could else pay itself the whole reserve without a single attestor.
    function test_credit_is_due_when_the_newest_batch_of_it_is_final() public {
        fund(100);
        payFor(1, 30);
        payFor(3, 5);
        payFor(2, 10);
        Totals memory totals;
        for (uint64 batchNo = 1; batchNo < 3; ++batchNo) {
            vm.assertEq(insurance.keeperCredit(KEEPER), 0);
            vm.expectRevert(
                abi.encodeWithSelector(IInsuranceFund.CreditNotDue.selector, 3, batchNo - 1)
            );
            vm.prank(KEEPER);
            insurance.claimKeeperFees();
            record(batchNo, totals);
        }
        record(3, totals);
        vm.assertEq(insurance.keeperCredit(KEEPER), 45);
        vm.prank(KEEPER);
        vm.assertEq(insurance.claimKeeperFees(), 45);
        vm.assertEq(insurance.owedToKeepersE6(), 0);
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
            address[5] memory parts = [address(1), address(2), address(3), address(4), address(5)];
            parts[i] = address(0);
            vm.expectRevert(IInsuranceFund.ZeroAddress.selector);
            new InsuranceFund(parts[0], parts[1], parts[2], parts[3], parts[4]);
        }
    }
}
