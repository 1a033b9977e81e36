// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IFreezable
/// @notice What ends for ever, as the settlement contract does.
interface IFreezable {
    /// @notice Whether the venue is frozen.
    function isFrozen() external view returns (bool);
}
