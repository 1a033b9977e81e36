// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Cause} from "../../../contracts/types/OracleUse.sol";
import {Oracles} from "./Oracles.sol";

/// @dev What the hub should believe, from what was sent to it alone: never read from the contract
/// under test. Times are whole seconds. Feed 1 always says twice what feed 0 says, has a shorter
/// heartbeat and a narrower band.
abstract contract OracleGhost is Oracles {
    uint256 internal constant ONE = 1e6;
    uint256 internal constant HEARTBEAT = HEARTBEAT_NS / 1e9;
    uint256 internal constant FEED_HEARTBEAT = 20;
    uint256 internal constant FEED_BAND_E6 = 10_000;
    uint256 internal constant LIQUIDATION_AGE = 30;
    uint256 internal constant GRACE_REPORTS = 3;
    uint256 internal constant GRACE_SECONDS = 20;

    uint64 public round; // of the last accepted report
    uint64 public newestRound; // of the last report taken, accepted or pending
    int64 public last; // of feed 0; 0 before the first
    int64 public pending; // 0 when nothing waits
    uint256 public accepted;
    uint256 public confirmed;

    uint256 internal clock = START;
    uint256 internal newestTime;
    uint256 internal acceptedTime;
    uint256 private _resumed;
    uint256 private _streak;
    uint256 private _waitResumed;
    uint256 private _waitStreak;
    uint256 private _dispersionE6;
    bool private _isSettled;
    bool private _isSteep;

    /// @dev Whether the band rule accepts a report.
    function shouldAccept(int64 value) internal view returns (bool) {
        return last == 0 || within(value, last, BAND_E6)
            || (pending != 0 && within(value, pending, BAND_E6));
    }

    /// @dev Takes a report into account as the rules say, whatever the hub did.
    function take(uint64 next, int64 value, uint256 dispersionE6) internal {
        bool near = last == 0 || within(value, last, BAND_E6);
        bool done = shouldAccept(value);
        bool isConfirmation = done && pending != 0 && within(value, pending, BAND_E6);
        (uint256 resumed, uint256 streak) = (_resumed, _streak);
        uint256 before = acceptedTime;
        if (isConfirmation) (before, resumed, streak) = (newestTime, _waitResumed, _waitStreak);
        if (before == 0 || clock - before > HEARTBEAT) (resumed, streak) = (clock, 0);
        (newestRound, newestTime) = (next, clock);
        if (!done) {
            (pending, _waitResumed, _waitStreak) = (value, resumed, streak);
            return;
        }
        (_resumed, _streak) = (resumed, streak);
        _isSteep = last != 0 && !within(value, last, FEED_BAND_E6)
            && (pending == 0 || !within(value, pending, FEED_BAND_E6));
        _streak += 1;
        _isSettled = _streak >= GRACE_REPORTS && clock - _resumed >= GRACE_SECONDS;
        _dispersionE6 = dispersionE6;
        (round, last, pending, acceptedTime) = (next, value, 0, clock);
        accepted += 1;
        if (!near) confirmed += 1;
    }

    /// @dev Why a feed may not be used now.
    function causeOf(Action action, uint256 feed) internal view returns (Cause) {
        if (last == 0) return Cause.NO_REPORT;
        uint256 oldest = feed == 1 ? FEED_HEARTBEAT : HEARTBEAT;
        if (action == Action.LIQUIDATE && oldest > LIQUIDATION_AGE) oldest = LIQUIDATION_AGE;
        if (clock - acceptedTime > oldest) return Cause.TOO_OLD;
        if (action == Action.WITHDRAW) return Cause.NONE;
        uint256 widest = action == Action.LIQUIDATE ? 10_000 : 20_000;
        if (_dispersionE6 > widest) return Cause.DISPERSED;
        if (action == Action.LIQUIDATE && !_isSettled) return Cause.AFTER_OUTAGE;
        if (pending != 0 || (feed == 1 && _isSteep)) return Cause.JUMPED;
        return Cause.NONE;
    }

    function within(int64 value, int64 base, uint256 bandE6) internal pure returns (bool) {
        int256 step_ = int256(value) - base;
        if (step_ < 0) step_ = -step_;
        return uint256(step_) * ONE <= uint256(int256(base)) * bandE6;
    }

    function medianOf(int64[] memory seen) internal pure returns (int64) {
        int64[] memory list = new int64[](seen.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = seen[i];
        }
        for (uint256 i = 0; i < list.length; ++i) {
            for (uint256 j = i + 1; j < list.length; ++j) {
                if (list[j] < list[i]) (list[i], list[j]) = (list[j], list[i]);
            }
        }
        return list[(list.length - 1) / 2];
    }

    /// @dev Median distance from the median, in millionths of it, rounded up.
    function dispersionOf(int64[] memory seen) internal pure returns (uint256) {
        int64 median = medianOf(seen);
        int64[] memory far = new int64[](seen.length);
        for (uint256 i = 0; i < far.length; ++i) {
            far[i] = seen[i] < median ? median - seen[i] : seen[i] - median;
        }
        uint256 base = uint64(median);
        return (uint256(uint64(medianOf(far))) * ONE + base - 1) / base;
    }
}
