// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IGuardian
/// @notice The brake: tightens at once, for at most 72 hours, and cannot loosen anything.
/// @dev G-1, G-3. Withdrawals, claims, forced operations, exits and challenges are out of its
/// reach: it has no call for them.
interface IGuardian {
    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice Only the holder acts.
    error NotHolder(address caller);
    /// @notice Only the governor names the holder.
    error NotGovernor(address caller);

    /// @notice The holder used the brake.
    /// @param action Selector of the function, whose whole input is `data`.
    event Acted(address indexed holder, bytes4 indexed action, bytes data);
    event HolderNamed(address indexed holder);

    /// @notice Stops deposits until then. [s since 1970]
    function pauseDeposits(uint64 until) external;

    /// @notice Lowers the deposit cap of an asset until then.
    /// @param cap [engine's units]
    function lowerDepositCap(uint8 asset, uint128 cap, uint64 until) external;

    /// @notice Lets only a share of the outflow cap of an asset leave until then.
    /// @param shareE6 At least 25 %. [1e-6]
    function lowerOutflowCap(uint8 asset, uint32 shareE6, uint64 until) external;

    /// @notice Makes the standby the sequencer, whom the governor named in advance.
    function promoteStandby() external;

    /// @notice Stops a proposal of the governor that was not executed yet.
    function cancel(bytes32 proposal) external;

    /// @notice Names another holder. Only the governor, by a proposal that the holder cannot
    /// cancel.
    function setHolder(address holder_) external;

    /// @notice Who acts; usually a contract that several people sign for.
    function holder() external view returns (address);
}
