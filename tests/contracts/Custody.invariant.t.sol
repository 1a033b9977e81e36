// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CustodyHandler} from "./support/CustodyHandler.sol";
import {vm} from "./support/Vm.sol";

/// @dev Custody under random calls, right and hostile, against books that the handler keeps for
/// each user by itself: C-1, C-3, C-6, INV-1.
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
        bytes4[] memory selectors = new bytes4[](11);
        selectors[0] = handler.deposit.selector;
        selectors[1] = handler.deposit.selector;
        selectors[2] = handler.withdraw.selector;
        selectors[3] = handler.withdraw.selector;
        selectors[4] = handler.settle.selector;
        selectors[5] = handler.claim.selector;
        selectors[6] = handler.claim.selector;
        selectors[7] = handler.donate.selector;
        selectors[8] = handler.claimMore.selector;
        selectors[9] = handler.intrude.selector;
        selectors[10] = handler.claimEarly.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_the_vault_covers_every_user() external view {
        for (uint8 asset = 0; asset < 2; ++asset) {
            uint256 owed = 0;
            for (uint256 user = 0; user < handler.USERS(); ++user) {
                owed += handler.paidIn(user, asset) - handler.paidOut(user, asset);
            }
            vm.assertGe(handler.vaultBalance(asset), owed);
            vm.assertEq(handler.vaultBalance(asset), owed + handler.donated(asset));
            vm.assertEq(handler.bookedBalance(asset), owed);
        }
    }

    function invariant_users_hold_exactly_what_was_paid_to_them() external view {
        for (uint8 asset = 0; asset < 2; ++asset) {
            for (uint256 user = 0; user < handler.USERS(); ++user) {
                uint256 held = handler.tokenOf(asset).balanceOf(handler.userAt(user));
                vm.assertEq(held, handler.paidOut(user, asset));
                vm.assertLe(held, handler.paidIn(user, asset));
            }
        }
    }

    function invariant_each_id_pays_at_most_once() external view {
        uint256 paid = 0;
        for (uint64 id = 1; id <= handler.lastId(); ++id) {
            vm.assertLe(handler.timesPaid(id), 1);
            paid += handler.timesPaid(id);
        }
        vm.assertEq(paid, handler.claims());
    }

    function invariant_no_hostile_call_goes_through() external view {
        vm.assertEq(handler.intrusions(), 0);
    }

    function invariant_the_inbox_is_the_chain_of_the_deposits() external view {
        (uint64 count, bytes32 prefix) = handler.inboxEnd();
        vm.assertEq(count, handler.entries());
        vm.assertEq(prefix, handler.prefix());
    }

    /// @dev One fixed walk through every step, so that none of them is idle for want of luck.
    function test_every_step_of_the_handler_does_something() external {
        handler.deposit(0, 0, 999);
        handler.deposit(1, 1, 499);
        handler.withdraw(0, 0, 99);
        handler.withdraw(1, 1, 49);
        handler.settle();
        handler.claim(0, 0);
        handler.claim(0, 0);
        handler.claim(0, 1);
        handler.donate(0, 7);
        handler.claimMore(0, 3, 10);
        handler.claimEarly(10);
        handler.intrude(0, 0, 10);
        vm.assertEq(handler.paidOut(0, 0), 100);
        vm.assertEq(handler.paidOut(1, 1), 50);
        vm.assertEq(handler.claims(), 2);
        vm.assertEq(handler.intrusions(), 0);
    }
}
