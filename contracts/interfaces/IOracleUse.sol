// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Cause, FeedLimit, Grace, UseRule} from "../types/OracleUse.sol";

/// @title IOracleUse
/// @notice For what the newest prices of the hub may be used.
/// @dev Which reports the hub accepts is another matter, and the same for all: the rules here only
/// tighten. They are the governor's to set. Withdrawing never waits for a jump, an outage or calm.
interface IOracleUse {
    /// @notice The price is of no use for the action.
    /// @param actual What is too large or too small: an age [ns], a dispersion [1e-6], the reports
    /// since an outage, the round of a jump, the range of a bracket [1e-5].
    /// @param limit What the rule asks for, in the same unit; of a jump, the round in force.
    error Unusable(Action action, uint256 feed, Cause cause, uint256 actual, uint256 limit);

    /// @notice An age is positive and at most the heartbeat. [ns]
    error AgeOutOfRange(Action action, uint64 maxAgeNs, uint64 heartbeatNs);

    /// @notice Nothing but age and dispersion may stand between a trader and a withdrawal.
    error WithdrawalBarred();

    /// @notice Liquidation must be at least as strict as the other action.
    error NotStrictest(Action other);

    /// @notice A feed is never looser than the hub.
    error FeedLimitOutOfRange(uint256 feed, uint64 heartbeatNs, uint32 bandE6);

    /// @notice A grace has 1 to 100 reports, and at most a day.
    error GraceOutOfRange(uint8 reports, uint32 lengthSeconds);

    event UseRuleSet(Action indexed action, UseRule rule);

    event FeedLimitSet(uint256 indexed feed, FeedLimit limit);

    event GraceSet(Grace grace);

    /// @notice Replaces the rule of an action. Only the governor.
    function setUseRule(Action action, UseRule calldata rule) external;

    /// @notice Tightens one feed, or gives it back the limits of the hub. Only the governor.
    /// @dev A band counts from the next report on.
    function setFeedLimit(uint256 feed, FeedLimit calldata limit) external;

    /// @notice Replaces the grace; it counts from the next report on. Only the governor.
    function setGrace(Grace calldata grace_) external;

    /// @notice Why the newest price is of no use for an action, or `NONE` and zeros.
    /// @return cause As in `Unusable`, as the numbers are.
    /// @return actual What is too large or too small.
    /// @return limit What the rule asks for.
    function assess(Action action, uint256 feed)
        external
        view
        returns (Cause cause, uint256 actual, uint256 limit);

    /// @notice Whether the newest price may be used for an action.
    function isUsable(Action action, uint256 feed) external view returns (bool);

    /// @notice Reverts unless the newest price may be used for an action.
    function requireUsable(Action action, uint256 feed) external view;

    /// @notice The newest prices of some feeds, all usable for the action.
    /// @return values In the order of `feeds`, all positive.
    /// @return observedAt Of all of them. [ns since 1970]
    function valuesFor(Action action, uint256[] calldata feeds)
        external
        view
        returns (int64[] memory values, uint64 observedAt);

    /// @notice Whether an action may cite a report, however old: it was accepted, and where the
    /// action needs it the grace after an outage was over.
    /// @dev Age, dispersion and range bar a use now. Whoever cites a report used it then, under rules
    /// that are checked elsewhere.
    function isUsableReport(bytes32 reportHash, Action action) external view returns (bool);

    /// @notice The rule of an action.
    function useRule(Action action) external view returns (UseRule memory);

    /// @notice The limits of one feed as they count: its own, or the hub's.
    function feedLimit(uint256 feed) external view returns (FeedLimit memory);

    /// @notice The grace after an outage.
    function grace() external view returns (Grace memory);
}
