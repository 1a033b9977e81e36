// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VaultLimits} from "../../contracts/governance/VaultLimits.sol";
import {IGovernedLimits} from "../../contracts/interfaces/IGovernedLimits.sol";
import {GovernanceRig} from "./support/GovernanceRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev The governor's part: caps ramp up from zero, the outflow cannot be raised at once. This
/// contract is governor and guardian.
contract GovernanceLimitsTest is GovernanceRig {
    VaultLimits private _limits;

    event DepositCapSet(uint8 indexed asset, uint256 from, uint256 target, uint256 reachedAt);
    event OutflowLimitSet(uint8 indexed asset, uint96 floor, uint32 shareE6, uint256 effectiveAt);

    function setUp() public {
        vm.warp(START);
        _limits = new VaultLimits(settings(address(this), address(this)), targets());
    }

    function test_the_first_caps_begin_at_zero_and_ramp() public {
        vm.assertEq(_limits.depositCap(0), 0);
        vm.warp(START + RAMP / 2);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET / 2);
        vm.warp(START + RAMP);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET);
        vm.warp(START + 2 * RAMP);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET);
    }

    function test_new_collateral_stays_at_zero_until_its_cap_is_set_and_then_ramps() public {
        vm.warp(START + 10 * RAMP);
        vm.assertEq(_limits.depositCap(3), 0);
        vm.expectEmit(address(_limits));
        emit DepositCapSet(3, 0, 700, block.timestamp + RAMP);
        _limits.setDepositCap(3, 700);
        vm.assertEq(_limits.depositCap(3), 0);
        vm.warp(block.timestamp + RAMP / 7);
        vm.assertEq(_limits.depositCap(3), 100);
    }

    function test_a_lower_cap_counts_at_once() public {
        vm.warp(START + RAMP);
        vm.expectEmit(address(_limits));
        emit DepositCapSet(0, 5, 5, block.timestamp);
        _limits.setDepositCap(0, 5);
        vm.assertEq(_limits.depositCap(0), 5);
        vm.warp(START + 3 * RAMP);
        vm.assertEq(_limits.depositCap(0), 5);
    }

    function test_a_cap_that_is_set_on_its_way_goes_on_from_where_it_is() public {
        vm.warp(START + RAMP / 2);
        _limits.setDepositCap(0, CASH_TARGET);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET / 2);
        vm.warp(START + RAMP);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET * 3 / 4);
        _limits.setDepositCap(0, CASH_TARGET / 2);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET / 2);
    }

    function testFuzz_a_ramp_is_a_line_rounded_down(uint96 from, uint96 to, uint64 elapsed) public {
        elapsed %= RAMP + 2;
        _limits.setDepositCap(1, from);
        vm.warp(START + RAMP);
        _limits.setDepositCap(1, to);
        vm.warp(START + RAMP + elapsed);
        uint256 expected = to;
        if (to > from && elapsed < RAMP) {
            expected = from + (uint256(to) - from) * elapsed / RAMP;
        }
        vm.assertEq(_limits.depositCap(1), expected);
    }

    function test_a_ramp_of_nothing_raises_at_once() public {
        IGovernedLimits.Settings memory s = settings(address(this), address(this));
        s.capRamp = 0;
        VaultLimits direct = new VaultLimits(s, targets());
        vm.assertEq(direct.depositCap(0), CASH_TARGET);
        direct.setDepositCap(0, type(uint96).max);
        vm.assertEq(direct.depositCap(0), type(uint96).max);
    }

    function test_the_outflow_is_the_larger_of_floor_and_share() public view {
        vm.assertEq(_limits.outflowWindow(), WINDOW);
        vm.assertEq(_limits.outflowCap(0, 0), CASH_FLOOR);
        vm.assertEq(_limits.outflowCap(0, 4 * uint256(CASH_FLOOR)), CASH_FLOOR);
        vm.assertEq(_limits.outflowCap(0, 4 * uint256(CASH_FLOOR) + 3), CASH_FLOOR);
        vm.assertEq(_limits.outflowCap(0, 4 * uint256(CASH_FLOOR) + 4), uint256(CASH_FLOOR) + 1);
        vm.assertEq(_limits.outflowCap(1, 0), TOKEN_FLOOR);
        vm.assertEq(_limits.outflowCap(7, 0), TOKEN_FLOOR);
    }

    function test_a_lower_outflow_counts_at_once() public {
        vm.expectEmit(address(_limits));
        emit OutflowLimitSet(1, 1, 50_000, START);
        _limits.setOutflowLimit(1, 1, 50_000);
        vm.assertEq(_limits.outflowCap(1, 100), 5);
        vm.assertEq(_limits.outflowCap(1, 0), 1);
        vm.assertEq(_limits.outflowCap(2, 0), TOKEN_FLOOR);
    }

    function test_a_raised_outflow_waits_another_delay() public {
        vm.expectEmit(address(_limits));
        emit OutflowLimitSet(0, CASH_FLOOR, SHARE_E6 + 1, START + RAISE_DELAY);
        _limits.setOutflowLimit(0, CASH_FLOOR, SHARE_E6 + 1);
        (IGovernedLimits.OutflowLimit memory raised, uint64 counts) = _limits.pendingOutflow(0);
        vm.assertEq(raised.shareE6, SHARE_E6 + 1);
        vm.assertEq(counts, START + RAISE_DELAY);
        vm.warp(START + RAISE_DELAY - 1);
        vm.assertEq(_limits.outflowLimit(0).shareE6, SHARE_E6);
        vm.warp(START + RAISE_DELAY);
        vm.assertEq(_limits.outflowLimit(0).shareE6, SHARE_E6 + 1);
        (, counts) = _limits.pendingOutflow(0);
        vm.assertEq(counts, 0);
    }

    function test_a_raise_of_the_floor_alone_waits_too_even_with_a_lower_share() public {
        _limits.setOutflowLimit(0, CASH_FLOOR + 1, 50_000);
        vm.assertEq(_limits.outflowLimit(0).floor, CASH_FLOOR);
        vm.assertEq(_limits.outflowLimit(0).shareE6, SHARE_E6);
        vm.warp(START + RAISE_DELAY);
        vm.assertEq(_limits.outflowLimit(0).floor, CASH_FLOOR + 1);
        vm.assertEq(_limits.outflowLimit(0).shareE6, 50_000);
    }

    function test_another_raise_replaces_the_one_that_waits_and_waits_anew() public {
        _limits.setOutflowLimit(0, CASH_FLOOR, 500_000);
        vm.warp(START + RAISE_DELAY - 1);
        _limits.setOutflowLimit(0, CASH_FLOOR, 600_000);
        vm.warp(START + 2 * RAISE_DELAY - 2);
        vm.assertEq(_limits.outflowLimit(0).shareE6, SHARE_E6);
        vm.warp(START + 2 * RAISE_DELAY - 1);
        vm.assertEq(_limits.outflowLimit(0).shareE6, 600_000);
    }

    function test_a_lower_outflow_drops_the_raise_that_waits() public {
        _limits.setOutflowLimit(0, CASH_FLOOR, 500_000);
        _limits.setOutflowLimit(0, CASH_FLOOR, 200_000);
        vm.warp(START + RAISE_DELAY);
        vm.assertEq(_limits.outflowLimit(0).shareE6, 200_000);
    }

    function test_a_raise_that_counts_is_what_the_next_change_is_compared_with() public {
        _limits.setOutflowLimit(0, CASH_FLOOR, 500_000);
        vm.warp(START + RAISE_DELAY);
        _limits.setOutflowLimit(0, CASH_FLOOR, 600_000);
        vm.assertEq(_limits.outflowLimit(0).shareE6, 500_000);
        _limits.setOutflowLimit(0, CASH_FLOOR, 400_000);
        vm.assertEq(_limits.outflowLimit(0).shareE6, 400_000);
    }

    function test_RevertWhen_an_outflow_limit_would_keep_funds_in_or_exceed_all() public {
        refuseOutflow(0, SHARE_E6);
        refuseOutflow(1, 49_999);
        refuseOutflow(1, 1_000_001);
        _limits.setOutflowLimit(0, 1, 1_000_000);
    }

    function test_RevertWhen_anyone_but_the_governor_sets() public {
        bytes memory reason = abi.encodeWithSelector(IGovernedLimits.NotGovernor.selector, STRANGER);
        vm.startPrank(STRANGER);
        vm.expectRevert(reason);
        _limits.setDepositCap(0, 1);
        vm.expectRevert(reason);
        _limits.setOutflowLimit(0, 1, 50_000);
        vm.stopPrank();
    }

    function test_RevertWhen_a_setting_is_missing() public {
        IGovernedLimits.Settings memory s = settings(address(0), address(this));
        refuseSettings(s, abi.encodeWithSelector(IGovernedLimits.ZeroAddress.selector));
        s = settings(address(this), address(0));
        refuseSettings(s, abi.encodeWithSelector(IGovernedLimits.ZeroAddress.selector));
        s = settings(address(this), address(this));
        s.raiseDelay = 0;
        bytes4 period = IGovernedLimits.PeriodOutOfRange.selector;
        refuseSettings(s, abi.encodeWithSelector(period, 0, WINDOW));
        (s.raiseDelay, s.outflowWindow) = (1, 0);
        refuseSettings(s, abi.encodeWithSelector(period, 1, 0));
        (s.outflowWindow, s.cashFloor) = (1, 0);
        bytes4 outflow = IGovernedLimits.OutflowOutOfRange.selector;
        refuseSettings(s, abi.encodeWithSelector(outflow, 0, SHARE_E6));
        (s.cashFloor, s.tokenFloor) = (1, 0);
        refuseSettings(s, abi.encodeWithSelector(outflow, 0, SHARE_E6));
        s.tokenFloor = 1;
        new VaultLimits(s, targets());
    }

    function refuseOutflow(uint96 floor, uint32 shareE6) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernedLimits.OutflowOutOfRange.selector, floor, shareE6)
        );
        _limits.setOutflowLimit(0, floor, shareE6);
    }

    function refuseSettings(IGovernedLimits.Settings memory s, bytes memory reason) private {
        vm.expectRevert(reason);
        new VaultLimits(s, targets());
    }
}
