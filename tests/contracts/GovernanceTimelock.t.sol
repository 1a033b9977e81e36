// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {PlimsollTimelock} from "../../contracts/governance/PlimsollTimelock.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IPlimsollTimelock} from "../../contracts/interfaces/IPlimsollTimelock.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {GovernanceRig} from "./support/GovernanceRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev G-1 and G-4: what the governor does waits as long as an exit by force takes, and expires.
contract GovernanceTimelockTest is GovernanceRig {
    bytes private _naming;

    function setUp() public {
        deployGovernance();
        _naming = abi.encodeCall(IRiskParameters.setRiskSetter, (STRANGER));
    }

    function test_a_delay_that_covers_an_exit_by_force_is_accepted() public view {
        vm.assertEq(timelock.minimumDelay(), 12 days);
        vm.assertEq(timelock.getMinDelay(), DELAY);
        vm.assertEq(timelock.approvalLife(), LIFE);
    }

    function test_RevertWhen_the_delay_does_not_cover_an_exit_by_force() public {
        vm.expectRevert(
            abi.encodeWithSelector(IPlimsollTimelock.DelayTooShort.selector, DELAY - 1, DELAY)
        );
        new PlimsollTimelock(periods(), DELAY - 1, LIFE, proposers(), HOLDER, address(venue));
    }

    function testFuzz_every_period_counts_towards_the_delay(
        uint64 forced,
        uint64 window,
        uint64 extension,
        uint64 slack
    ) public {
        IPlimsollTimelock.Periods memory p =
            IPlimsollTimelock.Periods(forced, window, extension, slack);
        uint256 sum = uint256(forced) + window + extension + slack;
        PlimsollTimelock least =
            new PlimsollTimelock(p, sum, LIFE, proposers(), HOLDER, address(venue));
        vm.assertEq(least.minimumDelay(), sum);
        if (sum == 0) return;
        vm.expectRevert(
            abi.encodeWithSelector(IPlimsollTimelock.DelayTooShort.selector, sum - 1, sum)
        );
        new PlimsollTimelock(p, sum - 1, LIFE, proposers(), HOLDER, address(venue));
    }

    function test_RevertWhen_guardian_or_settlement_is_missing() public {
        vm.expectRevert(IPlimsollTimelock.ZeroAddress.selector);
        new PlimsollTimelock(periods(), DELAY, LIFE, proposers(), address(0), address(venue));
        vm.expectRevert(IPlimsollTimelock.ZeroAddress.selector);
        new PlimsollTimelock(periods(), DELAY, LIFE, proposers(), HOLDER, address(0));
    }

    function test_RevertWhen_approvals_would_live_not_at_all_or_too_long() public {
        refuseLife(0);
        refuseLife(30 days + 1);
        new PlimsollTimelock(periods(), DELAY, 30 days, proposers(), HOLDER, address(venue));
    }

    function test_a_proposal_acts_after_the_delay_and_anyone_may_execute_it() public {
        bytes32 id = propose(address(parameters), _naming);
        vm.warp(START + DELAY - 1);
        vm.assertFalse(timelock.isOperationReady(id));
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        execute(address(parameters), _naming);
        vm.warp(START + DELAY);
        vm.prank(STRANGER);
        execute(address(parameters), _naming);
        vm.assertEq(parameters.riskSetter(), STRANGER);
        vm.assertTrue(timelock.isOperationDone(id));
        vm.assertEq(timelock.expiresAt(id), 0);
    }

    function test_RevertWhen_a_proposal_asks_for_less_than_the_delay() public {
        vm.prank(PROPOSER);
        vm.expectRevert(
            abi.encodeWithSelector(
                TimelockController.TimelockInsufficientDelay.selector, DELAY - 1, DELAY
            )
        );
        timelock.schedule(address(parameters), 0, _naming, 0, 0, DELAY - 1);
    }

    function test_RevertWhen_a_proposal_is_executed_after_its_life() public {
        bytes32 id = propose(address(parameters), _naming);
        vm.assertEq(timelock.expiresAt(id), START + DELAY + LIFE);
        vm.warp(START + DELAY + LIFE);
        vm.assertFalse(timelock.isOperationPending(id));
        vm.expectRevert(
            abi.encodeWithSelector(
                IPlimsollTimelock.ProposalExpired.selector, id, START + DELAY + LIFE
            )
        );
        execute(address(parameters), _naming);
    }

    function test_a_proposal_acts_in_the_last_second_of_its_life() public {
        propose(address(parameters), _naming);
        vm.warp(START + DELAY + LIFE - 1);
        execute(address(parameters), _naming);
        vm.assertEq(parameters.riskSetter(), STRANGER);
    }

    function test_an_expired_proposal_may_be_made_anew_and_waits_anew() public {
        bytes32 id = propose(address(parameters), _naming);
        vm.warp(START + DELAY + LIFE);
        vm.assertEq(propose(address(parameters), _naming), id);
        vm.assertFalse(timelock.isOperationReady(id));
        vm.warp(block.timestamp + DELAY);
        execute(address(parameters), _naming);
        vm.assertEq(parameters.riskSetter(), STRANGER);
    }

    function test_RevertWhen_a_list_of_calls_is_executed_after_its_life() public {
        (address[] memory to, uint256[] memory values, bytes[] memory calls) = list();
        vm.prank(PROPOSER);
        timelock.scheduleBatch(to, values, calls, 0, 0, DELAY);
        bytes32 id = timelock.hashOperationBatch(to, values, calls, 0, 0);
        vm.warp(START + DELAY + LIFE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPlimsollTimelock.ProposalExpired.selector, id, START + DELAY + LIFE
            )
        );
        timelock.executeBatch(to, values, calls, 0, 0);
        vm.warp(START + DELAY + LIFE - 1);
        timelock.executeBatch(to, values, calls, 0, 0);
        vm.assertEq(parameters.riskSetter(), STRANGER);
    }

    function test_RevertWhen_governance_acts_after_the_freeze() public {
        propose(address(parameters), _naming);
        (address[] memory to, uint256[] memory values, bytes[] memory calls) = list();
        vm.prank(PROPOSER);
        timelock.scheduleBatch(to, values, calls, 0, 0, DELAY);
        vm.warp(START + DELAY);
        venue.freeze();
        vm.expectRevert(IPlimsollTimelock.VenueFrozen.selector);
        execute(address(parameters), _naming);
        vm.expectRevert(IPlimsollTimelock.VenueFrozen.selector);
        timelock.executeBatch(to, values, calls, 0, 0);
    }

    function test_RevertWhen_the_delay_is_shortened_below_an_exit_by_force() public {
        bytes memory shorten = abi.encodeCall(TimelockController.updateDelay, (DELAY - 1));
        propose(address(timelock), shorten);
        vm.warp(START + DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IPlimsollTimelock.DelayTooShort.selector, DELAY - 1, DELAY)
        );
        execute(address(timelock), shorten);
        vm.assertEq(timelock.getMinDelay(), DELAY);
    }

    function test_the_delay_may_be_lengthened_and_shortened_again() public {
        govern(address(timelock), abi.encodeCall(TimelockController.updateDelay, (DELAY + 5)));
        vm.assertEq(timelock.getMinDelay(), DELAY + 5);
        bytes memory back = abi.encodeCall(TimelockController.updateDelay, (DELAY));
        vm.prank(PROPOSER);
        timelock.schedule(address(timelock), 0, back, 0, 0, DELAY + 5);
        vm.warp(block.timestamp + DELAY + 5);
        timelock.execute(address(timelock), 0, back, 0, 0);
        vm.assertEq(timelock.getMinDelay(), DELAY);
    }

    function test_RevertWhen_anyone_but_the_timelock_changes_its_delay_or_its_roles() public {
        bytes32 proposerRole = timelock.PROPOSER_ROLE();
        vm.startPrank(PROPOSER);
        vm.expectRevert(
            abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, PROPOSER)
        );
        timelock.updateDelay(DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, PROPOSER, bytes32(0)
            )
        );
        timelock.grantRole(proposerRole, STRANGER);
        vm.stopPrank();
    }

    function test_proposer_and_guardian_cancel() public {
        bytes32 id = propose(address(parameters), _naming);
        vm.prank(PROPOSER);
        timelock.cancel(id);
        vm.assertFalse(timelock.isOperation(id));
        propose(address(parameters), _naming);
        vm.prank(HOLDER);
        guardian.cancel(id);
        vm.assertFalse(timelock.isOperation(id));
    }

    function test_RevertWhen_a_stranger_cancels() public {
        bytes32 id = propose(address(parameters), _naming);
        bytes32 role = timelock.CANCELLER_ROLE();
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, role
            )
        );
        timelock.cancel(id);
    }

    function test_RevertWhen_the_guardian_cancels_what_replaces_its_holder() public {
        bytes memory naming = abi.encodeCall(IGuardian.setHolder, (STRANGER));
        bytes32 id = propose(address(guardian), naming);
        vm.prank(HOLDER);
        vm.expectRevert(abi.encodeWithSelector(IPlimsollTimelock.AboutGuardian.selector, id));
        guardian.cancel(id);
        vm.warp(START + DELAY);
        execute(address(guardian), naming);
        vm.assertEq(guardian.holder(), STRANGER);
    }

    /// @dev Else any proposal could be shielded from the guardian by a call to it in its list.
    function test_the_guardian_cancels_a_list_of_calls_that_names_it_among_others() public {
        (address[] memory to, uint256[] memory values, bytes[] memory calls) = list();
        (to[0], calls[0]) = (address(guardian), abi.encodeCall(IGuardian.setHolder, (HOLDER)));
        vm.prank(PROPOSER);
        timelock.scheduleBatch(to, values, calls, 0, 0, DELAY);
        bytes32 id = timelock.hashOperationBatch(to, values, calls, 0, 0);
        vm.prank(HOLDER);
        guardian.cancel(id);
        vm.assertFalse(timelock.isOperation(id));
    }

    function test_the_proposer_cancels_what_replaces_the_guardians_holder() public {
        bytes32 id = propose(address(guardian), abi.encodeCall(IGuardian.setHolder, (STRANGER)));
        vm.prank(PROPOSER);
        timelock.cancel(id);
        vm.assertFalse(timelock.isOperation(id));
    }

    function refuseLife(uint64 life) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPlimsollTimelock.ApprovalLifeOutOfRange.selector, life, uint64(30 days)
            )
        );
        new PlimsollTimelock(periods(), DELAY, life, proposers(), HOLDER, address(venue));
    }

    function list()
        private
        view
        returns (address[] memory to, uint256[] memory values, bytes[] memory calls)
    {
        (to, values, calls) = (new address[](1), new uint256[](1), new bytes[](1));
        (to[0], calls[0]) = (address(parameters), _naming);
    }
}
