// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGoverned} from "../interfaces/IGoverned.sol";

/// @title Governed
/// @notice One governor, for good: there is no role that it could hand on past its own delay.
abstract contract Governed is IGoverned {
    /// @inheritdoc IGoverned
    address public immutable governor;

    modifier onlyGovernor() {
        _requireGovernor();
        _;
    }

    constructor(address governor_) {
        require(governor_ != address(0), NoGovernor());
        governor = governor_;
    }

    function _requireGovernor() private view {
        require(msg.sender == governor, NotGovernor(msg.sender));
    }
}
