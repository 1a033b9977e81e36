// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPlimsollTimelock
/// @notice The governor: what it does is announced for so long that whoever dislikes it can leave
/// by force, be paid, and only then see it act.
/// @dev G-1, G-4. Has no administrator but itself, so every change of its own rules waits as well.
interface IPlimsollTimelock {
    /// @notice What an exit by force takes, each part fixed. [s]
    /// @param forcedDeadline Age of an inbox entry that freezes the venue.
    /// @param attestedWindow Between commit and finality.
    /// @param maxExtension By which challenges may put finality off.
    /// @param exitSlack For the exit itself.
    struct Periods {
        uint64 forcedDeadline;
        uint64 attestedWindow;
        uint64 maxExtension;
        uint64 exitSlack;
    }

    /// @notice The delay would not cover an exit by force. [s]
    error DelayTooShort(uint256 delay, uint256 minimum);

    /// @notice A proposal would expire as it becomes ready, or would stay for ever. [s]
    error ApprovalLifeOutOfRange(uint64 approvalLife, uint64 limit);

    /// @notice The proposal was not executed in time. [s since 1970]
    error ProposalExpired(bytes32 id, uint256 expiredAt);

    /// @notice The venue is frozen for ever; nothing is left to govern.
    error VenueFrozen();

    /// @notice The guardian may not stop the proposal that replaces its own holder.
    error AboutGuardian(bytes32 id);

    /// @notice An address that must be given is missing.
    error ZeroAddress();

    /// @notice Stops a proposal that was not executed; proposers and the guardian.
    function cancel(bytes32 id) external;

    /// @notice The least delay that the timelock can ever have. [s]
    function minimumDelay() external view returns (uint256);

    /// @notice How long a proposal may be executed after it became ready. [s]
    function approvalLife() external view returns (uint64);

    /// @notice When a proposal that is ready expires; zero if there is none. [s since 1970]
    function expiresAt(bytes32 id) external view returns (uint256);
}
