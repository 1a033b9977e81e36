// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "../../contracts/governance/Guardian.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {GovernanceRig} from "./support/GovernanceRig.sol";
import {vm} from "./support/Vm.sol";

contract GovernanceGuardianTest is GovernanceRig {
    event Acted(address indexed holder, bytes4 indexed action, bytes data);
    event HolderNamed(address indexed holder);

    function setUp() public {
        deployGovernance();
        vm.warp(START + RAMP);
    }

    function test_each_action_reaches_its_contract() public {
        uint64 until = uint64(block.timestamp + 1 hours);
        vm.startPrank(HOLDER);
        guardian.pauseDeposits(until);
        guardian.lowerDepositCap(0, 5, until);
        guardian.lowerOutflowCap(0, 500_000, until);
        guardian.promoteStandby();
        vm.stopPrank();
        vm.assertTrue(limits.areDepositsPaused());
        vm.assertEq(limits.depositCap(0), 5);
        vm.assertEq(limits.outflowCap(0, 0), CASH_FLOOR / 2);
        vm.assertEq(venue.promotions(), 1);
        vm.assertEq(venue.promotedBy(), address(guardian));
    }

    function test_each_action_is_logged_with_its_input() public {
        bytes memory call =
            abi.encodeCall(IGuardian.lowerDepositCap, (0, 5, uint64(block.timestamp + 1)));
        vm.expectEmit(address(guardian));
        emit Acted(HOLDER, IGuardian.lowerDepositCap.selector, call);
        vm.prank(HOLDER);
        guardian.lowerDepositCap(0, 5, uint64(block.timestamp + 1));

        vm.expectEmit(address(guardian));
        emit Acted(
            HOLDER, IGuardian.promoteStandby.selector, abi.encodeCall(IGuardian.promoteStandby, ())
        );
        vm.prank(HOLDER);
        guardian.promoteStandby();
    }

    function test_RevertWhen_anyone_but_the_holder_acts() public {
        bytes[] memory calls = new bytes[](5);
        calls[0] = abi.encodeCall(IGuardian.pauseDeposits, (uint64(block.timestamp + 1)));
        calls[1] = abi.encodeCall(IGuardian.lowerDepositCap, (0, 1, uint64(block.timestamp + 1)));
        calls[2] =
            abi.encodeCall(IGuardian.lowerOutflowCap, (0, 500_000, uint64(block.timestamp + 1)));
        calls[3] = abi.encodeCall(IGuardian.promoteStandby, ());
        calls[4] = abi.encodeCall(IGuardian.cancel, (bytes32(0)));
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(STRANGER);
            (bool done, bytes memory reason) = address(guardian).call(calls[i]);
            vm.assertFalse(done);
            vm.assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSelector(IGuardian.NotHolder.selector, STRANGER))
            );
        }
        vm.assertFalse(limits.areDepositsPaused());
        vm.assertEq(venue.promotions(), 0);
    }

    function test_the_governor_names_another_holder_who_alone_acts() public {
        bytes memory naming = abi.encodeCall(IGuardian.setHolder, (STRANGER));
        propose(address(guardian), naming);
        vm.warp(block.timestamp + DELAY);
        vm.expectEmit(address(guardian));
        emit HolderNamed(STRANGER);
        execute(address(guardian), naming);
        vm.prank(STRANGER);
        guardian.promoteStandby();
        vm.prank(HOLDER);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.NotHolder.selector, HOLDER));
        guardian.promoteStandby();
    }

    function test_RevertWhen_the_holder_names_his_successor() public {
        vm.prank(HOLDER);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.NotGovernor.selector, HOLDER));
        guardian.setHolder(STRANGER);
    }

    function test_RevertWhen_an_address_is_missing() public {
        address[4] memory all = [HOLDER, address(timelock), address(limits), address(venue)];
        for (uint256 i = 0; i < 4; ++i) {
            address given = all[i];
            all[i] = address(0);
            vm.expectRevert(IGuardian.ZeroAddress.selector);
            new Guardian(all[0], all[1], all[2], all[3]);
            all[i] = given;
        }
        new Guardian(all[0], all[1], all[2], all[3]);
    }
}
