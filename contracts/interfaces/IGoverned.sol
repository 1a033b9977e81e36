// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IGoverned
interface IGoverned {
    /// @notice Somebody must govern.
    error NoGovernor();
    /// @notice Only the governor may do this.
    error NotGovernor(address caller);

    /// @notice Who governs; it never changes.
    function governor() external view returns (address);
}
