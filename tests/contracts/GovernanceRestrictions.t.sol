// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VaultLimits} from "../../contracts/governance/VaultLimits.sol";
import {IGovernedLimits} from "../../contracts/interfaces/IGovernedLimits.sol";
import {GovernanceRig} from "./support/GovernanceRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev The guardian's part: tightens only, for 72 hours at most. This contract is both.
contract GovernanceRestrictionsTest is GovernanceRig {
    uint64 private constant LONGEST = 72 hours;
    uint64 private constant T0 = uint64(START) + RAMP;

    VaultLimits private _limits;

    event DepositsPaused(uint64 until);
    event DepositCapLowered(uint8 indexed asset, uint128 cap, uint64 until);
    event OutflowCapLowered(uint8 indexed asset, uint32 shareE6, uint64 until);

    function setUp() public {
        vm.warp(START);
        _limits = new VaultLimits(settings(address(this), address(this)), targets());
        vm.warp(T0);
    }

    function test_a_pause_ends_by_itself() public {
        vm.assertFalse(_limits.areDepositsPaused());
        vm.expectEmit(address(_limits));
        emit DepositsPaused(T0 + LONGEST);
        _limits.pauseDeposits(T0 + LONGEST);
        vm.assertTrue(_limits.areDepositsPaused());
        vm.warp(T0 + LONGEST - 1);
        vm.assertTrue(_limits.areDepositsPaused());
        vm.warp(T0 + LONGEST);
        vm.assertFalse(_limits.areDepositsPaused());
    }

    function test_a_lowered_deposit_cap_ends_by_itself() public {
        vm.expectEmit(address(_limits));
        emit DepositCapLowered(0, 5, T0 + 10);
        _limits.lowerDepositCap(0, 5, T0 + 10);
        vm.assertEq(_limits.depositCap(0), 5);
        vm.assertEq(_limits.depositCap(1), 0);
        vm.warp(T0 + 10);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET);
    }

    function test_a_lowered_outflow_ends_by_itself_and_leaves_a_quarter() public {
        vm.expectEmit(address(_limits));
        emit OutflowCapLowered(0, 250_000, T0 + 10);
        _limits.lowerOutflowCap(0, 250_000, T0 + 10);
        vm.assertEq(_limits.outflowCap(0, 0), CASH_FLOOR / 4);
        vm.assertEq(_limits.outflowCap(0, 16e12), 1e12);
        vm.assertEq(_limits.outflowCap(1, 0), TOKEN_FLOOR);
        vm.warp(T0 + 10);
        vm.assertEq(_limits.outflowCap(0, 0), CASH_FLOOR);
    }

    function test_even_the_lowest_outflow_is_not_nothing() public {
        _limits.setOutflowLimit(0, 1, 50_000);
        _limits.lowerOutflowCap(0, 250_000, T0 + 10);
        vm.assertEq(_limits.outflowCap(0, 0), 1);
        vm.assertEq(_limits.outflowCap(0, 100), 2);
    }

    function test_a_cap_above_the_governors_changes_nothing() public {
        _limits.lowerDepositCap(0, type(uint128).max, T0 + 10);
        vm.assertEq(_limits.depositCap(0), CASH_TARGET);
    }

    function test_a_restriction_in_force_may_grow_tighter_and_longer() public {
        _limits.lowerDepositCap(0, 5, T0 + 10);
        vm.warp(T0 + 9);
        _limits.lowerDepositCap(0, 4, T0 + LONGEST);
        vm.assertEq(_limits.depositCap(0), 4);
        vm.warp(T0 + LONGEST - 1);
        vm.assertEq(_limits.depositCap(0), 4);
    }

    function test_RevertWhen_a_restriction_in_force_would_loosen() public {
        _limits.lowerDepositCap(0, 5, T0 + 10);
        refuseLooser(6, T0 + 10);
        refuseLooser(5, T0 + 9);
    }

    function test_RevertWhen_a_restriction_is_over_already_or_too_long() public {
        refuseTimes(T0, T0 + LONGEST);
        refuseTimes(T0 + LONGEST + 1, T0 + LONGEST);
        _limits.pauseDeposits(T0 + 10);
        vm.warp(T0 + 5);
        refuseTimes(T0 + LONGEST + 1, T0 + LONGEST); // counted from its beginning
        _limits.pauseDeposits(T0 + LONGEST);
    }

    function test_RevertWhen_a_restriction_begins_anew_before_its_rest() public {
        _limits.pauseDeposits(T0 + 10);
        uint64 allowedAt = T0 + 10 + LONGEST;
        vm.warp(T0 + 10);
        refuseRest(allowedAt);
        vm.warp(allowedAt - 1);
        refuseRest(allowedAt);
        _limits.lowerDepositCap(0, 5, allowedAt + 1); // another kind does not rest
        vm.warp(allowedAt);
        _limits.pauseDeposits(allowedAt + LONGEST);
        vm.assertTrue(_limits.areDepositsPaused());
    }

    function test_RevertWhen_the_outflow_left_is_below_a_quarter_or_all_of_it() public {
        uint32[3] memory shares = [uint32(0), 249_999, 1_000_000];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IGovernedLimits.RestrictionOutOfRange.selector, shares[i])
            );
            _limits.lowerOutflowCap(0, shares[i], T0 + 10);
        }
        _limits.lowerOutflowCap(0, 999_999, T0 + 10);
    }

    function test_RevertWhen_anyone_but_the_guardian_restricts() public {
        bytes memory reason = abi.encodeWithSelector(IGovernedLimits.NotGuardian.selector, STRANGER);
        vm.startPrank(STRANGER);
        vm.expectRevert(reason);
        _limits.pauseDeposits(T0 + 1);
        vm.expectRevert(reason);
        _limits.lowerDepositCap(0, 0, T0 + 1);
        vm.expectRevert(reason);
        _limits.lowerOutflowCap(0, 500_000, T0 + 1);
        vm.stopPrank();
    }

    function testFuzz_the_guardian_never_raises_a_cap(
        uint8 asset,
        uint128 cap,
        uint32 share,
        uint256 held
    ) public {
        asset %= 3;
        held %= 1e30;
        uint256 deposits = _limits.depositCap(asset);
        uint256 outflow = _limits.outflowCap(asset, held);
        _limits.lowerDepositCap(asset, cap, T0 + 10);
        _limits.lowerOutflowCap(asset, 250_000 + share % 750_000, T0 + 10);
        vm.assertLe(_limits.depositCap(asset), deposits);
        vm.assertLe(_limits.outflowCap(asset, held), outflow);
        vm.assertGe(_limits.outflowCap(asset, held), 1);
    }

    function refuseLooser(uint128 limit, uint64 until) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernedLimits.RestrictionLoosens.selector, limit, 5, until, T0 + 10
            )
        );
        _limits.lowerDepositCap(0, limit, until);
    }

    function refuseTimes(uint64 until, uint256 latest) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernedLimits.RestrictionTimes.selector, until, latest)
        );
        _limits.pauseDeposits(until);
    }

    function refuseRest(uint256 allowedAt) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernedLimits.RestrictionRests.selector, allowedAt, block.timestamp
            )
        );
        _limits.pauseDeposits(uint64(block.timestamp) + 1);
    }
}
