// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GovernanceRig, Surroundings} from "../contracts/support/GovernanceRig.sol";
import {vm} from "../contracts/support/Vm.sol";
import {Restricted} from "./support/Restricted.sol";

/// @dev G-1: who proposes, who cancels, and that only the timelock changes itself.
contract TimelockAccessSymbolic is GovernanceRig, Restricted {
    address internal constant GUARDIAN = address(0x2000002);

    bytes32 internal proposal;

    function setUp() public {
        vm.warp(START);
        venue = new Surroundings();
        timelock = newTimelock(GUARDIAN);
        proposal = propose(address(venue), "");
    }

    function check_PlimsollTimelock_schedule(address caller, bytes32 salt_, uint64 delay) public {
        call(
            PROPOSER,
            caller,
            abi.encodeCall(timelock.schedule, (address(venue), 0, "", 0, salt_, delay))
        );
    }

    function check_PlimsollTimelock_scheduleBatch(address caller, bytes32 salt_, uint64 delay)
        public
    {
        address[] memory targets_ = new address[](1);
        targets_[0] = address(venue);
        call(
            PROPOSER,
            caller,
            abi.encodeCall(
                timelock.scheduleBatch,
                (targets_, new uint256[](1), new bytes[](1), 0, salt_, delay)
            )
        );
    }

    function check_PlimsollTimelock_cancel(address caller) public {
        onlyFor(
            PROPOSER,
            GUARDIAN,
            caller,
            address(timelock),
            abi.encodeCall(timelock.cancel, (proposal))
        );
    }

    function check_PlimsollTimelock_updateDelay(address caller, uint256 delay) public {
        call(address(timelock), caller, abi.encodeCall(timelock.updateDelay, (delay)));
    }

    function check_PlimsollTimelock_grantRole(address caller, bytes32 role, address account)
        public
    {
        call(address(timelock), caller, abi.encodeCall(timelock.grantRole, (role, account)));
    }

    function check_PlimsollTimelock_revokeRole(address caller, bytes32 role, address account)
        public
    {
        call(address(timelock), caller, abi.encodeCall(timelock.revokeRole, (role, account)));
    }

    function call(address holder, address caller, bytes memory data) private {
        onlyFor(holder, caller, address(timelock), data);
    }
}

contract TimelockAccessPlanted is TimelockAccessSymbolic {
    function isAllowed(address, address, address) internal pure override returns (bool) {
        return false;
    }
}
