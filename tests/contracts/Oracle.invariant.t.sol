// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OracleHandler} from "./support/OracleHandler.sol";
import {vm} from "./support/Vm.sol";
import {Bug} from "./support/planted/PlantedOracleHub.sol";

/// @dev The hub under random reports, against a ghost that applies the rules by itself: O-1 to O-7
/// and L-5.
contract OracleInvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    OracleHandler private handler;

    function setUp() public {
        handler = new OracleHandler(Bug.NONE);
        handler.step(0, 0);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = handler.step.selector;
        selectors[1] = handler.jump.selector;
        selectors[2] = handler.confirm.selector;
        selectors[3] = handler.disperse.selector;
        selectors[4] = handler.lie.selector;
        selectors[5] = handler.wait.selector;
        selectors[6] = handler.mistime.selector;
        selectors[7] = handler.poison.selector;
        selectors[8] = handler.thin.selector;
        selectors[9] = handler.late.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_the_hub_believes_what_the_rules_say_and_nothing_else() external view {
        for (uint256 rule = 0; rule < handler.RULES(); ++rule) {
            vm.assertEq(handler.faults(rule), 0);
        }
    }
}

/// @dev The same handler notices each bug by the invariant that it breaks.
contract OraclePlantedTest {
    uint256 private constant TURNS = 5;

    function test_an_honest_hub_breaks_nothing_on_the_walk() external {
        OracleHandler handler = walk(Bug.NONE);
        for (uint256 rule = 0; rule < handler.RULES(); ++rule) {
            vm.assertEq(handler.faults(rule), 0);
        }
        // No step of the walk is idle.
        vm.assertGe(handler.accepted(), 15);
        vm.assertGe(handler.confirmed(), 4);
        vm.assertGe(handler.lateAccepted(), 4);
        vm.assertGe(handler.usable(), 50);
    }

    function test_a_hub_that_ignores_ages_is_caught() external {
        caught(Bug.AGE_IGNORED, 1);
    }

    function test_a_hub_that_ignores_the_heartbeat_of_a_feed_is_caught() external {
        caught(Bug.FEED_HEARTBEAT_IGNORED, 1);
    }

    function test_a_hub_that_takes_negative_values_is_caught() external {
        caught(Bug.NEGATIVE_TAKEN, 2);
    }

    function test_a_hub_that_counts_a_signer_twice_is_caught() external {
        caught(Bug.SIGNER_COUNTED_TWICE, 3);
    }

    function test_a_hub_that_ignores_the_quorum_is_caught() external {
        caught(Bug.QUORUM_IGNORED, 3);
    }

    function test_a_hub_that_loses_dispersions_is_caught() external {
        caught(Bug.DISPERSION_LOST, 4);
    }

    function test_a_hub_that_takes_the_middle_of_the_extremes_is_caught() external {
        caught(Bug.MIDDLE_OF_THE_EXTREMES, 5);
    }

    function test_a_hub_that_ignores_the_band_is_caught() external {
        caught(Bug.BAND_IGNORED, 6);
    }

    function test_a_hub_that_ignores_the_band_of_a_feed_is_caught() external {
        caught(Bug.FEED_BAND_IGNORED, 6);
    }

    function test_a_hub_that_bars_withdrawals_by_a_jump_is_caught() external {
        caught(Bug.WITHDRAWAL_HELD, 6);
    }

    function test_a_hub_that_takes_a_round_again_is_caught() external {
        caught(Bug.ROUNDS_REPEAT, 7);
    }

    function test_a_hub_that_takes_the_future_is_caught() external {
        caught(Bug.FUTURE_TAKEN, 7);
    }

    function test_a_hub_without_grace_is_caught() external {
        caught(Bug.GRACE_SKIPPED, 8);
    }

    function caught(Bug bug, uint256 rule) private {
        vm.assertGe(walk(bug).faults(rule), 1);
    }

    /// @dev A fixed walk through every step of the handler.
    function walk(Bug bug) private returns (OracleHandler handler) {
        handler = new OracleHandler(bug);
        for (uint256 i = 0; i < TURNS; ++i) {
            int64 move = int64(uint64(uint256(keccak256(abi.encode(i)))));
            uint8 small = uint8(uint256(keccak256(abi.encode(i, "small"))));
            handler.step(0, 1);
            handler.step(int64(i % 2 == 0 ? int256(20_000) : -20_000), small);
            handler.mistime(small);
            handler.poison(small, move);
            handler.thin(uint8(i));
            handler.wait(25 + small % 4);
            handler.step(move, small);
            handler.disperse(uint16(20_000 + i * 900));
            handler.lie(move, type(int64).max - 1);
            handler.wait(61);
            handler.jump(300_000, small);
            handler.late(i, 100, false);
            handler.confirm(9000, small);
            handler.late(i, -100, i % 2 == 0);
        }
    }
}
