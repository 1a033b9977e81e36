// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CustodyChecks} from "./support/CustodyChecks.sol";
import {CustodyHandler} from "./support/CustodyHandler.sol";
import {vm} from "./support/Vm.sol";

/// @dev Custody under random calls, right and hostile, before and after a freeze, against books
/// that the handler keeps for each user by itself: C-1, C-3 to C-6, INV-1, INV-3, INV-11, L-2, L-3.
contract CustodyInvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    CustodyHandler private handler;

    function setUp() public {
        handler = new CustodyHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[21] memory steps = [
            handler.deposit.selector,
            handler.deposit.selector,
            handler.deposit.selector,
            handler.force.selector,
            handler.trade.selector,
            handler.withdraw.selector,
            handler.withdraw.selector,
            handler.commitBatch.selector,
            handler.commitBatch.selector,
            handler.finaliseBatch.selector,
            handler.finaliseBatch.selector,
            handler.claim.selector,
            handler.claim.selector,
            handler.collect.selector,
            handler.refund.selector,
            handler.wait.selector,
            handler.donate.selector,
            handler.claimMore.selector,
            handler.intrude.selector,
            handler.freeze.selector,
            handler.leaveVenue.selector
        ];
        bytes4[] memory selectors = new bytes4[](steps.length + 1);
        for (uint256 i = 0; i < steps.length; ++i) {
            selectors[i] = steps[i];
        }
        selectors[steps.length] = handler.startExits.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev One campaign for all of them, since each takes its own time.
    /// forge-config: default.invariant.runs = 128
    function invariant_custody_is_sound() external view {
        vm.assertTrue(CustodyChecks.isCovered(handler));
        vm.assertTrue(CustodyChecks.isComposed(handler));
        vm.assertTrue(CustodyChecks.isPaidExactly(handler));
        vm.assertTrue(CustodyChecks.isOnce(handler));
        vm.assertTrue(CustodyChecks.isChained(handler));
        vm.assertTrue(CustodyChecks.isBounded(handler));
        vm.assertEq(handler.intrusions(), 0);
        vm.assertEq(handler.mistakes(), 0);
    }

    /// @dev Wherever a run ends, everyone gets out from there.
    function afterInvariant() external {
        handler.everyoneLeaves(uint256(keccak256(abi.encode(handler.prefix()))));
        vm.assertTrue(CustodyChecks.isEmptied(handler));
        vm.assertTrue(CustodyChecks.isSound(handler));
    }

    /// @dev One fixed walk through every step, so that none of them is idle for want of luck.
    function test_every_step_of_the_handler_does_something() external {
        handler.deposit(0, 0, 8e9 - 1);
        handler.deposit(1, 1, 499);
        handler.deposit(2, 0, 1e6);
        handler.force(1);
        handler.commitBatch();
        handler.finaliseBatch();
        handler.trade(0, 2, 5e8);
        handler.withdraw(0, 0, 4e9 - 1);
        handler.withdraw(1, 1, 49);
        handler.commitBatch();
        handler.claimMore(0, 3, 10);
        handler.finaliseBatch();
        handler.claim(1, 0);
        handler.claim(1, 0);
        handler.claim(1, 1);
        handler.claim(1, 1);
        vm.assertTrue(handler.deferred(0, 0) > 0);
        vm.assertEq(handler.paidOut(1, 1), 50);
        handler.collect(0, 0);
        handler.wait(1999);
        handler.wait(1999);
        handler.collect(0, 0);
        vm.assertTrue(handler.paidOut(0, 0) > 2e9);
        handler.donate(0, 7);
        handler.intrude(0, 0, 10);
        handler.refund(0);
        handler.deposit(3, 0, 76);
        handler.withdraw(0, 0, 10);
        handler.commitBatch();
        handler.freeze(0);
        handler.refund(4);
        vm.assertEq(handler.paidOut(3, 0), 77);
        handler.refund(4);
        handler.leaveVenue(0, 0);
        handler.startExits();
        handler.startExits();
        handler.leaveVenue(0, 0);
        handler.leaveVenue(0, 0);
        vm.assertTrue(handler.exits(0, 0) > 3e9);
        vm.assertTrue(CustodyChecks.isSound(handler));
        handler.everyoneLeaves(5);
        vm.assertTrue(CustodyChecks.isEmptied(handler));
        vm.assertTrue(CustodyChecks.isSound(handler));
    }
}
