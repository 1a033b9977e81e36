// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OracleHandler} from "./support/OracleHandler.sol";
import {vm} from "./support/Vm.sol";

/// @dev The hub under random reports, against a handler that applies the band rule by itself:
/// O-6, O-7.
contract OracleInvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    OracleHandler private handler;

    function setUp() public {
        handler = new OracleHandler();
        handler.step(0, 0);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = handler.step.selector;
        selectors[1] = handler.jump.selector;
        selectors[2] = handler.confirm.selector;
        selectors[3] = handler.repeat.selector;
        selectors[4] = handler.late.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_prices_move_within_the_band_or_by_a_confirmed_step() external view {
        vm.assertEq(handler.wildSteps(), 0);
        vm.assertEq(handler.disagreements(), 0);
    }

    function invariant_the_newest_accepted_report_is_the_price() external view {
        (int64 value,, uint64 round) = handler.hubState();
        vm.assertEq(value, handler.last());
        vm.assertEq(round, handler.round());
    }

    /// @dev One fixed walk through every step, so that none of them is idle for want of luck.
    function test_every_step_of_the_handler_does_something() external {
        handler.step(40_000, 3);
        handler.jump(-300_000, 7);
        handler.late(0, 1000, true);
        handler.late(0, 1000, false);
        handler.confirm(-20_000, 1);
        handler.repeat(0);
        handler.late(0, 1000, false);
        vm.assertEq(handler.accepted(), 3);
        vm.assertEq(handler.confirmed(), 1);
        vm.assertEq(handler.lateAccepted(), 1);
        vm.assertEq(handler.disagreements(), 0);
    }
}
