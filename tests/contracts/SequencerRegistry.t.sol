// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInsuranceFund} from "../../contracts/interfaces/IInsuranceFund.sol";
import {ISequencerRegistry} from "../../contracts/interfaces/ISequencerRegistry.sol";
import {SequencerRegistry} from "../../contracts/settlement/SequencerRegistry.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Stakes, epochs and what a fault costs.
contract SequencerRegistryTest is SettlementRig {
    address private constant CHALLENGER = address(0xc4a1);

    address private sequencer;
    address private other;

    function setUp() public {
        deployRig();
        (sequencer, other) = (vm.addr(SEQUENCER_KEY), vm.addr(STANDBY_KEY));
    }

    function requireCurrent(address expected, uint64 epoch, bool isBonded) private view {
        (address actual, uint64 epoch_, bool isBonded_) = registry.current();
        vm.assertEq(actual, expected);
        vm.assertEq(epoch_, epoch);
        vm.assertTrue(isBonded_ == isBonded);
    }

    function requireStake(address owner, uint256 amount, uint256 leaving, uint256 due)
        private
        view
    {
        (uint96 amount_, uint96 leaving_, uint64 due_) = registry.stakeOf(owner);
        vm.assertEq(amount_, amount);
        vm.assertEq(leaving_, leaving);
        vm.assertEq(due_, due);
    }

    // --- stakes ---

    function test_a_stake_of_the_minimum_is_a_whole_bond() public {
        requireCurrent(sequencer, 1, true);
        SequencerRegistry fresh = new SequencerRegistry(registryConfig(address(insurance)));
        (,, bool isBonded) = fresh.current();
        vm.assertFalse(isBonded);
    }

    function test_less_than_the_minimum_is_none() public {
        vm.prank(sequencer);
        registry.requestUnstake(1);
        requireCurrent(sequencer, 1, false);
        requireStake(sequencer, MINIMUM_STAKE, 1, block.timestamp + UNSTAKE_DELAY);
        stakeFor(sequencer, 1);
        requireCurrent(sequencer, 1, true);
    }

    function test_another_stake_does_not_count_for_the_sequencer() public {
        vm.prank(sequencer);
        registry.requestUnstake(1);
        stakeFor(other, 2 * MINIMUM_STAKE);
        requireCurrent(sequencer, 1, false);
    }

    function test_staking_pulls_and_announces() public {
        cash.mint(other, 7);
        vm.startPrank(other);
        cash.approve(address(registry), 7);
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.Staked(other, 7, 7);
        registry.stake(7);
        vm.stopPrank();
        vm.assertEq(cash.balanceOf(address(registry)), MINIMUM_STAKE + 7);
    }

    function test_a_stake_leaves_after_the_delay_and_once() public {
        stakeFor(sequencer, 100);
        vm.startPrank(sequencer);
        vm.expectEmit(address(registry));
        uint64 due = uint64(block.timestamp + UNSTAKE_DELAY);
        emit ISequencerRegistry.UnstakeRequested(sequencer, 30, due);
        registry.requestUnstake(30);
        vm.warp(due - 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISequencerRegistry.UnstakeNotDue.selector, due, due - 1)
        );
        registry.unstake();
        vm.warp(due);
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.Unstaked(sequencer, 30);
        vm.assertEq(registry.unstake(), 30);
        vm.assertEq(cash.balanceOf(sequencer), 30);
        requireStake(sequencer, MINIMUM_STAKE + 70, 0, 0);
        requireCurrent(sequencer, 1, true);
        vm.expectRevert(ISequencerRegistry.NothingToMove.selector);
        registry.unstake();
    }

    function test_a_second_request_begins_the_delay_anew() public {
        vm.startPrank(sequencer);
        registry.requestUnstake(30);
        vm.warp(block.timestamp + 50);
        registry.requestUnstake(20);
        requireStake(sequencer, MINIMUM_STAKE, 50, block.timestamp + UNSTAKE_DELAY);
    }

    function test_more_than_the_stake_does_not_leave() public {
        bytes4 refusal = ISequencerRegistry.InsufficientStake.selector;
        vm.startPrank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(refusal, MINIMUM_STAKE + 1, MINIMUM_STAKE));
        registry.requestUnstake(MINIMUM_STAKE + 1);
        registry.requestUnstake(1);
        vm.expectRevert(abi.encodeWithSelector(refusal, MINIMUM_STAKE, MINIMUM_STAKE - 1));
        registry.requestUnstake(MINIMUM_STAKE);
    }

    function test_nothing_is_neither_staked_nor_asked_back() public {
        vm.expectRevert(ISequencerRegistry.NothingToMove.selector);
        registry.stake(0);
        vm.expectRevert(ISequencerRegistry.NothingToMove.selector);
        registry.requestUnstake(0);
    }

    // --- epochs ---

    function test_the_governor_names_another_sequencer() public {
        stakeFor(other, MINIMUM_STAKE);
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.SequencerChanged(2, other, true);
        registry.setSequencer(other);
        requireCurrent(other, 2, true);
        vm.assertEq(registry.sequencerOf(1), sequencer);
        vm.assertEq(registry.sequencerOf(2), other);
        vm.assertEq(registry.sequencerOf(3), address(0));
        vm.expectRevert(ISequencerRegistry.ZeroAddress.selector);
        registry.setSequencer(address(0));
    }

    function test_a_standby_is_promoted_by_guardian_or_sequencer() public {
        vm.prank(GUARDIAN);
        registry.promoteStandby();
        requireCurrent(other, 2, false);
        vm.assertEq(registry.standby(), address(0));
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.StandbyChanged(sequencer);
        registry.setStandby(sequencer);
        vm.prank(other);
        registry.promoteStandby();
        requireCurrent(sequencer, 3, true);
    }

    function test_without_a_standby_nobody_is_promoted() public {
        registry.setStandby(address(0));
        vm.expectRevert(ISequencerRegistry.NoStandby.selector);
        vm.prank(GUARDIAN);
        registry.promoteStandby();
    }

    function test_nobody_else_names_or_promotes() public {
        address[3] memory strangers = [sequencer, GUARDIAN, address(0xbad)];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory reason =
                abi.encodeWithSelector(ISequencerRegistry.NotGovernor.selector, strangers[i]);
            vm.startPrank(strangers[i]);
            vm.expectRevert(reason);
            registry.setSequencer(other);
            vm.expectRevert(reason);
            registry.setStandby(other);
            vm.stopPrank();
        }
        address[3] memory refused = [address(this), other, address(0xbad)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ISequencerRegistry.NotGuardianOrSequencer.selector, refused[i]
                )
            );
            vm.prank(refused[i]);
            registry.promoteStandby();
        }
    }

    // --- slashing ---

    function test_a_fault_costs_the_whole_stake() public {
        stakeFor(sequencer, 3);
        vm.prank(sequencer);
        registry.requestUnstake(2); // what is on its way out answers too
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.Slashed(
            1, sequencer, CHALLENGER, MINIMUM_STAKE / 2 + 1, MINIMUM_STAKE / 2 + 2
        );
        vm.prank(COURT);
        vm.assertEq(registry.slash(1, CHALLENGER), MINIMUM_STAKE / 2 + 1);
        requireCurrent(sequencer, 1, false);
        requireStake(sequencer, 0, 0, 0);
        vm.warp(block.timestamp + 1000);
        vm.expectRevert(ISequencerRegistry.NothingToMove.selector);
        vm.prank(sequencer);
        registry.unstake();

        vm.expectEmit(address(registry));
        emit ISequencerRegistry.RewardPaid(CHALLENGER, MINIMUM_STAKE / 2 + 1);
        vm.prank(CHALLENGER);
        registry.claimReward();
        vm.assertEq(cash.balanceOf(CHALLENGER), MINIMUM_STAKE / 2 + 1);
        vm.assertEq(registry.owedToInsurance(), MINIMUM_STAKE / 2 + 2);
        vm.expectEmit(address(insurance));
        emit IInsuranceFund.Funded(address(registry), MINIMUM_STAKE / 2 + 2);
        registry.fundInsurance();
        vm.assertEq(insurance.reserveE6(), MINIMUM_STAKE / 2 + 2);
        vm.assertEq(cash.balanceOf(address(registry)), 0);
    }

    function test_whoever_has_nothing_loses_nothing() public {
        vm.startPrank(COURT);
        registry.slash(1, CHALLENGER);
        vm.assertEq(registry.slash(1, CHALLENGER), 0);
        vm.assertEq(registry.slash(9, CHALLENGER), 0);
        vm.stopPrank();
        vm.assertEq(registry.rewardOf(CHALLENGER), MINIMUM_STAKE / 2);
    }

    /// @dev The successor does not answer for what its predecessor did.
    function test_a_fault_is_paid_by_the_sequencer_of_its_epoch() public {
        stakeFor(other, MINIMUM_STAKE);
        registry.setSequencer(other);
        vm.prank(COURT);
        registry.slash(1, CHALLENGER);
        requireCurrent(other, 2, true);
        requireStake(other, MINIMUM_STAKE, 0, 0);
        requireStake(sequencer, 0, 0, 0);
    }

    function test_only_the_court_slashes() public {
        vm.expectRevert(abi.encodeWithSelector(ISequencerRegistry.NotCourt.selector, address(this)));
        registry.slash(1, CHALLENGER);
    }

    function test_nothing_owed_is_not_paid() public {
        vm.expectRevert(ISequencerRegistry.NothingToMove.selector);
        registry.claimReward();
        vm.expectRevert(ISequencerRegistry.NothingToMove.selector);
        registry.fundInsurance();
    }

    function testFuzz_what_is_staked_is_all_accounted_for(uint64 amount, uint64 leaving) public {
        vm.assume(amount != 0);
        stakeFor(other, amount);
        leaving = leaving % amount;
        if (leaving != 0) {
            vm.prank(other);
            registry.requestUnstake(leaving);
        }
        registry.setSequencer(other);
        vm.prank(COURT);
        uint256 bounty = registry.slash(2, CHALLENGER);
        vm.assertEq(bounty + registry.owedToInsurance(), amount);
        vm.assertLe(bounty, registry.owedToInsurance());
    }

    // --- construction ---

    function test_a_registry_without_one_of_its_parts_is_refused() public {
        for (uint256 i = 0; i < 6; ++i) {
            ISequencerRegistry.Config memory made = registryConfig(address(insurance));
            if (i == 0) made.cash = address(0);
            if (i == 1) made.court = address(0);
            if (i == 2) made.insuranceFund = address(0);
            if (i == 3) made.governor = address(0);
            if (i == 4) made.guardian = address(0);
            if (i == 5) made.sequencer = address(0);
            vm.expectRevert(ISequencerRegistry.ZeroAddress.selector);
            new SequencerRegistry(made);
        }
        ISequencerRegistry.Config memory free = registryConfig(address(insurance));
        free.minimumStake = 0;
        vm.expectRevert(ISequencerRegistry.ZeroMinimumStake.selector);
        new SequencerRegistry(free);
    }
}
