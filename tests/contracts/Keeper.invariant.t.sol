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
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = handler.commitBatch.selector;
        selectors[1] = handler.verifyOne.selector;
        selectors[2] = handler.finaliseNext.selector;
        selectors[3] = handler.claim.selector;
        selectors[4] = handler.addToReserve.selector;
        selectors[5] = handler.drain.selector;
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
        for (uint256 k = 0; k < handler.KEEPERS(); ++k) {
            vm.assertEq(handler.creditAt(k), handler.owed(k));
        }
    }

    function invariant_each_instruction_is_paid_once() external view {
        for (uint64 batch = 1; batch <= handler.head(); ++batch) {
            vm.assertLe(handler.timesVerified(batch), 1);
        }
        vm.assertEq(handler.doubles(), 0);
    }

    function invariant_no_fee_leaves_before_its_batch_is_final() external view {
        vm.assertEq(handler.early(), 0);
    }

    /// @dev One fixed walk through every step, so that none of them is idle for want of luck.
    function test_every_step_of_the_handler_does_something() external {
        handler.commitBatch();
        handler.commitBatch();
        handler.verifyOne(0, 0);
        handler.verifyOne(0, 1);
        handler.claim(0);
        vm.assertEq(handler.refusals(), 1);
        vm.assertEq(handler.paidOut(), 0);
        handler.finaliseNext();
        handler.claim(0);
        vm.assertEq(handler.paidOut(), 5e6);
        handler.drain(2e6);
        handler.verifyOne(1, 1);
        vm.assertEq(handler.owed(1), 2e6);
        handler.addToReserve(3);
        vm.assertEq(handler.finalised(), 1);
    }
}
