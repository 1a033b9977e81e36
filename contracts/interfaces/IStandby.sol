// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IStandby
/// @notice What can be handed to a sequencer that was named in advance, as the registry can.
interface IStandby {
    /// @notice Makes the standby the sequencer, in a new epoch.
    function promoteStandby() external;
}
