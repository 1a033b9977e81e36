// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {IOracleUse} from "../interfaces/IOracleUse.sol";
import {Medians} from "../libraries/Medians.sol";
import {Observations} from "../libraries/Observations.sol";
import {
    ACTIONS,
    ANY_DISPERSION_E6,
    ANY_RANGE_E5,
    Action,
    FeedLimit,
    Grace,
    UseRule
} from "../types/OracleUse.sol";
import {SECOND_NS} from "../types/Units.sol";
import {Governed} from "./Governed.sol";

/// @title UsePolicy
/// @notice What each action asks of a price, the tighter limits of single feeds, and the grace after
/// an outage.
abstract contract UsePolicy is IOracleUse, Governed {
    uint256 internal constant MAX_FEEDS = 256;
    uint256 private constant MAX_BAND_E6 = 500_000;
    uint256 private constant MAX_GRACE_REPORTS = 100;
    uint256 private constant MAX_GRACE_SECONDS = 1 days;

    /// @dev What counts until the governor says otherwise.
    uint16 private constant TRADE_DISPERSION_E6 = 20_000;
    uint16 private constant LIQUIDATE_DISPERSION_E6 = 10_000;

    uint16 internal immutable _feeds;
    uint32 internal immutable _bandE6;
    uint64 internal immutable _heartbeatNs;
    uint64 internal immutable _maxSkewNs;

    mapping(Action action => UseRule) internal _ruleOf;
    Grace internal _grace;

    /// @dev Zero where the hub's limit counts. Dense, since each submission reads all bands.
    uint64[MAX_FEEDS] private _heartbeatOf;
    uint32[MAX_FEEDS] private _bandOf;

    /// @dev Feeds with a band of their own; without any, no submission reads a band.
    uint256 internal _banded;

    constructor(IOracleHub.Limits memory limits_, Grace memory grace_) {
        require(
            limits_.feeds > 0 && limits_.feeds <= MAX_FEEDS && limits_.bandE6 > 0
                && limits_.bandE6 <= MAX_BAND_E6 && limits_.heartbeatNs > 0,
            IOracleHub.LimitsOutOfRange(limits_.feeds, limits_.bandE6, limits_.heartbeatNs)
        );
        (_feeds, _bandE6) = (limits_.feeds, limits_.bandE6);
        (_heartbeatNs, _maxSkewNs) = (limits_.heartbeatNs, limits_.maxSkewNs);

        uint64 ageNs = limits_.heartbeatNs;
        _ruleOf[Action.WITHDRAW] = UseRule(ageNs, ANY_DISPERSION_E6, false, false, ANY_RANGE_E5);
        _ruleOf[Action.TRADE] = UseRule(ageNs, TRADE_DISPERSION_E6, false, true, ANY_RANGE_E5);
        _ruleOf[Action.SETTLE] = UseRule(ageNs, TRADE_DISPERSION_E6, false, true, ANY_RANGE_E5);
        _ruleOf[Action.LIQUIDATE] =
            UseRule(ageNs, LIQUIDATE_DISPERSION_E6, true, true, ANY_RANGE_E5);
        _setGrace(grace_);
    }

    /// @inheritdoc IOracleUse
    function setUseRule(Action action, UseRule calldata rule) external onlyGovernor {
        require(
            rule.maxAgeNs > 0 && rule.maxAgeNs <= _heartbeatNs,
            AgeOutOfRange(action, rule.maxAgeNs, _heartbeatNs)
        );
        _ruleOf[action] = rule;
        UseRule memory free = _ruleOf[Action.WITHDRAW];
        require(
            !free.needsGrace && !free.waitsForJumps && free.maxRangeE5 == ANY_RANGE_E5,
            WithdrawalBarred()
        );
        UseRule memory strictest = _ruleOf[Action.LIQUIDATE];
        for (uint256 i = 0; i < ACTIONS; ++i) {
            require(_isAtLeast(strictest, _ruleOf[Action(i)]), NotStrictest(Action(i)));
        }
        emit UseRuleSet(action, rule);
    }

    /// @inheritdoc IOracleUse
    function setFeedLimit(uint256 feed, FeedLimit calldata limit) external onlyGovernor {
        require(feed < _feeds, IOracleHub.UnknownFeed(feed, _feeds));
        require(
            limit.heartbeatNs <= _heartbeatNs && limit.bandE6 <= _bandE6,
            FeedLimitOutOfRange(feed, limit.heartbeatNs, limit.bandE6)
        );
        _heartbeatOf[feed] = limit.heartbeatNs;
        _bandOf[feed] = limit.bandE6;
        _banded = limit.bandE6 == 0 ? _banded & ~(1 << feed) : _banded | 1 << feed;
        emit FeedLimitSet(feed, limit);
    }

    /// @inheritdoc IOracleUse
    function setGrace(Grace calldata grace_) external onlyGovernor {
        _setGrace(grace_);
    }

    /// @inheritdoc IOracleUse
    function useRule(Action action) external view returns (UseRule memory) {
        return _ruleOf[action];
    }

    /// @inheritdoc IOracleUse
    function feedLimit(uint256 feed) external view returns (FeedLimit memory) {
        require(feed < _feeds, IOracleHub.UnknownFeed(feed, _feeds));
        return FeedLimit(_heartbeatNsOf(feed), _bandE6Of(feed));
    }

    /// @inheritdoc IOracleUse
    function grace() external view returns (Grace memory) {
        return _grace;
    }

    function _heartbeatNsOf(uint256 feed) internal view virtual returns (uint64) {
        uint64 own = _heartbeatOf[feed];
        return own == 0 ? _heartbeatNs : own;
    }

    /// @dev The feeds, one bit each, whose step is beyond their own band: from the last accepted
    /// value, and from the pending one where there is one.
    function _steepFeeds(
        bytes memory medians,
        bytes memory last,
        bytes memory pending,
        bool isPending
    ) internal view virtual returns (uint256 steep) {
        uint256 banded = _banded;
        for (uint256 feed = 0; feed < _feeds; ++feed) {
            if (banded >> feed & 1 == 0) continue;
            uint256 bandE6 = _bandE6Of(feed);
            int64 value = Observations.valueAt(medians, feed);
            if (Medians.isNear(value, Observations.valueAt(last, feed), bandE6)) continue;
            if (isPending && Medians.isNear(value, Observations.valueAt(pending, feed), bandE6)) {
                continue;
            }
            steep |= 1 << feed;
        }
    }

    /// @dev Whether the oracle has been back for long enough.
    function _isGraceOver(uint64 observedAt, uint40 resumedAt, uint8 streak)
        internal
        view
        virtual
        returns (bool)
    {
        Grace memory grace_ = _grace;
        return streak >= grace_.reports
            && observedAt / SECOND_NS >= uint256(resumedAt) + grace_.lengthSeconds;
    }

    function _setGrace(Grace memory grace_) private {
        require(
            grace_.reports > 0 && grace_.reports <= MAX_GRACE_REPORTS
                && grace_.lengthSeconds <= MAX_GRACE_SECONDS,
            GraceOutOfRange(grace_.reports, grace_.lengthSeconds)
        );
        _grace = grace_;
        emit GraceSet(grace_);
    }

    function _bandE6Of(uint256 feed) private view returns (uint32) {
        uint32 own = _bandOf[feed];
        return own == 0 ? _bandE6 : own;
    }

    function _isAtLeast(UseRule memory strict, UseRule memory other) private pure returns (bool) {
        return strict.maxAgeNs <= other.maxAgeNs && strict.maxDispersionE6 <= other.maxDispersionE6
            && strict.maxRangeE5 <= other.maxRangeE5 && (strict.needsGrace || !other.needsGrace)
            && (strict.waitsForJumps || !other.waitsForJumps);
    }
}
