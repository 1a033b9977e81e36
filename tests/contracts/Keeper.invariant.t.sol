// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {KeeperHandler} from "./support/KeeperHandler.sol";
import {vm} from "./support/Vm.sol";

/// @dev Keepers, batches and the fund under random calls: C-6, K-1.
contract KeeperInvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    KeeperHandler private handler;

    function setUp() public {
        handler = new KeeperHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = handler.commitBatch.selector;
        selectors[1] = handler.verifyOne.selector;
        selectors[2] = handler.finaliseNext.selector;
        selectors[3] = handler.claim.selector;
        selectors[4] = handler.addToReserve.selector;
        selectors[5] = handler.drain.selector;
        selectors[6] = handler.rollback.selector;
        selectors[7] = handler.release.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_credits_never_exceed_the_money() external view {
        (uint256 held, uint256 owed, uint256 reserve) = handler.fundState();
        vm.assertEq(held, handler.funded() - handler.paidOut());
        vm.assertEq(owed, handler.allOwed());
        vm.assertLe(owed, held);
        vm.assertEq(reserve, held - owed);
    }

    function invariant_each_keeper_is_credited_what_he_earned() external view {
        for (uint256 batch = 0; batch < handler.batches(); ++batch) {
            for (uint256 k = 0; k < handler.KEEPERS(); ++k) {
                vm.assertEq(handler.creditAt(batch, k), handler.owed(batch, k));
            }
        }
    }

    function invariant_each_instruction_is_paid_once() external view {
        for (uint256 batch = 0; batch < handler.batches(); ++batch) {
            vm.assertLe(handler.timesVerified(batch), 1);
        }
        vm.assertEq(handler.doubles(), 0);
    }

    function invariant_no_fee_leaves_before_its_batch_is_final() external view {
        vm.assertEq(handler.early(), 0);
    }

    function invariant_no_fee_is_freed_that_may_still_be_due() external view {
        vm.assertEq(handler.lost(), 0);
    }

    function invariant_no_batch_is_final_before_its_own_liquidations_are_verified() external view {
        vm.assertEq(handler.unverified(), 0);
    }

    /// @dev One fixed walk through every step, so that none of them is idle for want of luck.
    function test_every_step_of_the_handler_does_something() external {
        handler.commitBatch();
        handler.commitBatch();
        handler.verifyOne(0, 0);
        handler.verifyOne(0, 1);
        handler.claim(0, 0);
        vm.assertEq(handler.refusals(), 1);
        vm.assertEq(handler.paidOut(), 0);
        handler.finaliseNext();
        handler.claim(0, 0);
        vm.assertEq(handler.paidOut(), 5e6);
        handler.drain(2e6);
        handler.verifyOne(1, 1);
        vm.assertEq(handler.owed(1, 1), 2e6);
        handler.addToReserve(3);
        handler.rollback(0);
        handler.commitBatch(); // takes the number of the one that was verified
        handler.finaliseNext();
        vm.assertEq(handler.refusals(), 2);
        vm.assertEq(handler.finalised(), 1);
        handler.claim(1, 1);
        vm.assertEq(handler.owed(1, 1), 2e6);
        handler.release(1, 1);
        vm.assertEq(handler.owed(1, 1), 0);
        vm.assertEq(handler.lost(), 0);
    }
}
