// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LiquidationHandler} from "./support/LiquidationHandler.sol";
import {vm} from "./support/Vm.sol";
import {Bug} from "./support/planted/PlantedManager.sol";

/// @dev Reports and liquidations under random calls, against a ghost that knows what was signed and
/// what every account is worth: INV-6, INV-8.
contract LiquidationInvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    LiquidationHandler private handler;

    function setUp() public {
        handler = new LiquidationHandler(Bug.NONE);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](2);
        selectors[0] = handler.report.selector;
        selectors[1] = handler.liquidate.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// forge-config: default.invariant.runs = 24
    /// forge-config: default.invariant.depth = 48
    function invariant_every_price_that_decides_comes_from_an_accepted_report() external view {
        vm.assertEq(handler.faults(6), 0);
    }

    /// forge-config: default.invariant.runs = 24
    /// forge-config: default.invariant.depth = 48
    function invariant_what_is_verified_was_liquidatable_and_nothing_else_is() external view {
        vm.assertEq(handler.faults(8), 0);
    }
}

/// @dev The same handler notices each bug by the invariant that it breaks.
contract LiquidationPlantedTest {
    uint256 private constant TURNS = 24;

    function test_an_honest_manager_breaks_nothing_on_the_walk() external {
        LiquidationHandler handler = walk(Bug.NONE);
        vm.assertEq(handler.faults(6), 0);
        vm.assertEq(handler.faults(8), 0);
        // No step of the walk is idle.
        vm.assertGe(handler.verified(), 8);
        vm.assertGe(handler.safe(), 8);
        vm.assertGe(handler.unsourced(), 8);
    }

    function test_a_manager_that_takes_any_report_is_caught() external {
        caught(Bug.ANY_REPORT, 6);
    }

    function test_a_manager_that_takes_a_report_that_jumped_is_caught() external {
        caught(Bug.JUMPED_REPORT, 6);
    }

    function test_a_manager_that_takes_any_margin_is_caught() external {
        caught(Bug.ANY_MARGIN, 8);
    }

    function test_a_manager_that_liquidates_at_the_trigger_is_caught() external {
        caught(Bug.AT_THE_TRIGGER, 8);
    }

    function test_a_manager_with_a_trigger_a_millionth_too_high_is_caught() external {
        caught(Bug.LATER_TRIGGER, 8);
    }

    function test_a_manager_with_a_trigger_a_millionth_too_low_is_caught() external {
        caught(Bug.EARLIER_TRIGGER, 8);
    }

    function caught(Bug bug, uint256 rule) private {
        vm.assertGe(walk(bug).faults(rule), 1);
    }

    /// @dev A fixed walk: reports of every kind, and accounts on both sides of their trigger.
    function walk(Bug bug) private returns (LiquidationHandler handler) {
        handler = new LiquidationHandler(bug);
        for (uint256 i = 0; i < TURNS; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            handler.report(i % 3 == 1 ? int24(90_000) : int24(20_000), uint8(i % 7), i % 3 == 2);
            handler.liquidate(seed, handler.told() - 1, -1, true);
            handler.liquidate(seed, 0, int8(int256(i % 3)) - 1, true);
            handler.liquidate(seed, 0, int8(int256(i % 2 * 2)) - 1, false);
        }
    }
}
