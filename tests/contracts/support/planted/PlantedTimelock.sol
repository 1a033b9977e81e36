// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @dev A timelock whose proposals never expire, or that does not wait either.
contract PlantedTimelock is TimelockController {
    bool private immutable _isHasty;

    constructor(bool isHasty, uint256 delay, address[] memory proposers, address guardian)
        TimelockController(delay, proposers, new address[](1), address(0))
    {
        _isHasty = isHasty;
        _grantRole(CANCELLER_ROLE, guardian);
    }

    function getOperationState(bytes32 id) public view override returns (OperationState state) {
        state = super.getOperationState(id);
        if (_isHasty && state == OperationState.Waiting) state = OperationState.Ready;
    }
}
