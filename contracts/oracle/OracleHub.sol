// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {IOracleUse} from "../interfaces/IOracleUse.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Observations} from "../libraries/Observations.sol";
import {Report} from "../types/Epoch.sol";
import {ANY_RANGE_E5, Action, Cause, Grace, ReportRecord, UseRule} from "../types/OracleUse.sol";
import {SECOND_NS} from "../types/Units.sol";
import {ReportRecords} from "./ReportRecords.sol";
import {SignerQuorum} from "./SignerQuorum.sol";
import {UsePolicy} from "./UsePolicy.sol";

/// @title OracleHub
contract OracleHub is SignerQuorum, ReportRecords {
    uint8 private constant LONGEST_STREAK = type(uint8).max;

    /// @dev Medians as in `Report`; what precedes them is one word. A report of round 0 does not
    /// exist. The others are as in `ReportRecord`.
    struct Stored {
        uint64 round;
        uint64 observedAt;
        uint40 resumedAt;
        uint8 streak;
        bool isSettled;
        bytes medians;
    }

    Stored internal _accepted;
    Stored internal _pending;

    /// @dev Of the newest accepted report: as in `Observations`, and one bit for each feed.
    bytes private _shares;
    uint256 private _steep;

    /// @param governor_ Replaces the signers, and sets what prices may be used for.
    constructor(
        address governor_,
        Limits memory limits_,
        Grace memory grace_,
        address[] memory signers_,
        uint8 quorum_
    ) SignerQuorum(governor_, signers_, quorum_) UsePolicy(limits_, grace_) {}

    /// @inheritdoc IOracleHub
    function submit(
        uint64 round,
        uint64 observedAt,
        bytes[] calldata vectors,
        bytes[] calldata signatures
    ) external returns (bool accepted) {
        _checkTimes(round, observedAt);
        _checkSignatures(round, observedAt, vectors, signatures);
        Observations.Summary memory seen = _summarise(vectors);

        accepted = _isAcceptable(seen.medians);
        Stored storage base = _baseOf(seen.medians, accepted);
        ReportRecord memory record =
            _recordOf(seen, observedAt, base.observedAt, base.resumedAt, base.streak, accepted);
        if (accepted) {
            _accept(round, observedAt, seen, record);
        } else {
            _pending = _stored(round, observedAt, seen.medians, record);
        }
        _keep(round, observedAt, seen, record, accepted);
    }

    /// @inheritdoc IOracleHub
    function submitLate(
        Report calldata base,
        uint64 round,
        uint64 observedAt,
        bytes[] calldata vectors,
        bytes[] calldata signatures
    ) external returns (bool accepted) {
        _checkNotAhead(observedAt);
        _checkSignatures(round, observedAt, vectors, signatures);
        Observations.Summary memory seen = _summarise(vectors);
        ReportRecord memory earlier;
        (accepted, earlier) = _supportOf(base, round, observedAt, seen.medians);
        // Without a base there is nothing to continue, whatever time was stated for it.
        uint64 earlierAt = earlier.recordedAt == 0 ? 0 : base.observedAt;
        ReportRecord memory record =
            _recordOf(seen, observedAt, earlierAt, earlier.resumedAt, earlier.streak, accepted);
        _keep(round, observedAt, seen, record, accepted);
    }

    /// @inheritdoc IOracleHub
    function latest(uint256 feed)
        public
        view
        returns (int64 value, uint64 observedAt, uint64 round)
    {
        require(feed < _feeds, UnknownFeed(feed, _feeds));
        (observedAt, round) = (_accepted.observedAt, _accepted.round);
        require(round != 0, NoReport());
        value = Observations.storedAt(_accepted.medians, feed);
    }

    /// @inheritdoc IOracleHub
    function price(uint256 feed) external view returns (int64 value) {
        uint64 observedAt;
        (value, observedAt,) = latest(feed);
        uint64 heartbeatNs = _heartbeatNsOf(feed);
        require(_ageNs(observedAt) <= heartbeatNs, StalePrice(observedAt, heartbeatNs));
    }

    /// @inheritdoc IOracleUse
    function valuesFor(Action action, uint256[] calldata feeds)
        external
        view
        returns (int64[] memory values, uint64 observedAt)
    {
        values = new int64[](feeds.length);
        observedAt = _accepted.observedAt;
        for (uint256 i = 0; i < feeds.length; ++i) {
            requireUsable(action, feeds[i]);
            values[i] = Observations.storedAt(_accepted.medians, feeds[i]);
        }
    }

    /// @inheritdoc IOracleUse
    function requireUsable(Action action, uint256 feed) public view {
        (Cause cause, uint256 actual, uint256 limit) = assess(action, feed);
        require(cause == Cause.NONE, Unusable(action, feed, cause, actual, limit));
    }

    /// @inheritdoc IOracleUse
    function isUsable(Action action, uint256 feed) external view returns (bool) {
        (Cause cause,,) = assess(action, feed);
        return cause == Cause.NONE;
    }

    /// @inheritdoc IOracleUse
    function assess(Action action, uint256 feed)
        public
        view
        virtual
        returns (Cause cause, uint256 actual, uint256 limit)
    {
        require(feed < _feeds, UnknownFeed(feed, _feeds));
        if (_accepted.round == 0) return (Cause.NO_REPORT, 0, 0);
        UseRule memory rule = _ruleOf[action];
        (actual, limit) = (_ageNs(_accepted.observedAt), _heartbeatNsOf(feed));
        if (rule.maxAgeNs < limit) limit = rule.maxAgeNs;
        if (actual > limit) return (Cause.TOO_OLD, actual, limit);
        actual = Observations.storedDispersion(_shares, feed);
        limit = rule.maxDispersionE6;
        if (actual > limit) return (Cause.DISPERSED, actual, limit);
        if (rule.maxRangeE5 != ANY_RANGE_E5) {
            (actual, limit) = (Observations.storedRange(_shares, feed), rule.maxRangeE5);
            if (actual > limit) return (Cause.MOVED, actual, limit);
        }
        if (rule.needsGrace && !_accepted.isSettled) {
            return (Cause.AFTER_OUTAGE, _accepted.streak, _grace.reports);
        }
        if (rule.waitsForJumps && (_pending.round != 0 || _steep >> feed & 1 != 0)) {
            return (Cause.JUMPED, _newest().round, _accepted.round);
        }
        return (Cause.NONE, 0, 0);
    }

    /// @inheritdoc IOracleHub
    function isFresh() external view returns (bool) {
        return _accepted.round != 0 && _ageNs(_accepted.observedAt) <= _heartbeatNs;
    }

    /// @inheritdoc IOracleHub
    function isFeedFresh(uint256 feed) external view returns (bool) {
        require(feed < _feeds, UnknownFeed(feed, _feeds));
        return _accepted.round != 0 && _ageNs(_accepted.observedAt) <= _heartbeatNsOf(feed);
    }

    /// @inheritdoc IOracleHub
    function confidence(uint256 feed) external view returns (uint64 spread, uint16 dispersionE6) {
        (int64 value,,) = latest(feed);
        dispersionE6 = Observations.storedDispersion(_shares, feed);
        spread = Observations.spread(value, dispersionE6);
    }

    /// @inheritdoc IOracleHub
    function rangeE5(uint256 feed) external view returns (uint16) {
        require(feed < _feeds, UnknownFeed(feed, _feeds));
        require(_accepted.round != 0, NoReport());
        return Observations.storedRange(_shares, feed);
    }

    /// @inheritdoc IOracleHub
    function latestReport() external view returns (Report memory) {
        require(_accepted.round != 0, NoReport());
        return Report(_accepted.round, _accepted.observedAt, _accepted.medians);
    }

    /// @inheritdoc IOracleHub
    function pendingRound() external view returns (uint64) {
        return _pending.round;
    }

    /// @inheritdoc IOracleHub
    function limits() external view returns (Limits memory) {
        return Limits(_feeds, _bandE6, _heartbeatNs, _maxSkewNs);
    }

    /// @dev A pending report counts as newest, or it could be submitted again as its own
    /// confirmation.
    function _checkTimes(uint64 round, uint64 observedAt) internal view virtual {
        Stored storage newest = _newest();
        require(round > newest.round, RoundNotNew(round, newest.round));
        require(observedAt > newest.observedAt, ObservationNotNew(observedAt, newest.observedAt));
        _checkNotAhead(observedAt);
        require(_ageNs(observedAt) <= _heartbeatNs, ObservedTooLongAgo(observedAt, _heartbeatNs));
    }

    function _checkNotAhead(uint64 observedAt) internal view virtual {
        uint256 latestNs = block.timestamp * SECOND_NS + _maxSkewNs;
        require(observedAt <= latestNs, ObservedInFuture(observedAt, latestNs));
    }

    function _summarise(bytes[] calldata vectors)
        internal
        view
        virtual
        returns (Observations.Summary memory)
    {
        return Observations.summarise(vectors, _feeds);
    }

    /// @dev The band rule of docs/COMMITMENTS.md, which the engine applies too.
    function _isAcceptable(bytes memory medians) internal view virtual returns (bool) {
        if (_accepted.round == 0) return true;
        if (Observations.isWithin(medians, _accepted.medians, _bandE6)) return true;
        return _pending.round != 0 && Observations.isWithin(medians, _pending.medians, _bandE6);
    }

    /// @dev The report that vouches for another one: the pending one when that is confirmed, else the
    /// last accepted one. A jump continues the latter too, until something confirms it.
    function _baseOf(bytes memory medians, bool accepted) private view returns (Stored storage) {
        bool isConfirmed = accepted && _pending.round != 0
            && Observations.isWithin(medians, _pending.medians, _bandE6);
        return isConfirmed ? _pending : _accepted;
    }

    /// @dev The band rule without the order of submissions. A report that jumped vouches for later
    /// ones only, or two quorums of one round would confirm each other.
    /// @return isSupported Whether the late report is accepted.
    /// @return earlier What was kept of the base.
    function _supportOf(Report calldata base, uint64 round, uint64 observedAt, bytes memory medians)
        private
        view
        returns (bool isSupported, ReportRecord memory earlier)
    {
        if (base.round == 0) return (false, earlier);
        bytes32 baseHash = LeafHash.report(base.round, base.observedAt, base.medians);
        bool isAccepted;
        (isAccepted, earlier) = _known(baseHash);
        require(earlier.recordedAt != 0, UnknownBase(baseHash));
        if (!isAccepted && (round <= base.round || observedAt <= base.observedAt)) {
            return (false, earlier);
        }
        isSupported = Observations.isWithin(medians, base.medians, _bandE6);
    }

    /// @dev What will be kept of a report. A silence beyond the heartbeat between it and the one that
    /// vouches for it is an outage, in whatever order they came; by the times of observation, which
    /// the log has too ("Grace" in docs/COMMITMENTS.md).
    function _recordOf(
        Observations.Summary memory seen,
        uint64 observedAt,
        uint64 earlierAt,
        uint40 resumedAt,
        uint8 streak,
        bool accepted
    ) private view returns (ReportRecord memory record) {
        if (observedAt <= earlierAt || observedAt - earlierAt > _heartbeatNs) {
            // forge-lint: disable-next-line(unsafe-typecast): 2**64 ns are below 2**35 seconds.
            (resumedAt, streak) = (uint40((observedAt + SECOND_NS - 1) / SECOND_NS), 0);
        }
        if (accepted && streak < LONGEST_STREAK) ++streak;
        record = ReportRecord({
            recordedAt: uint40(block.timestamp),
            resumedAt: resumedAt,
            streak: streak,
            isSettled: _isGraceOver(observedAt, resumedAt, streak),
            worstE6: seen.worstE6,
            bracket: Observations.bracket(seen.lows, seen.highs)
        });
    }

    function _accept(
        uint64 round,
        uint64 observedAt,
        Observations.Summary memory seen,
        ReportRecord memory record
    ) private {
        uint256 steep = _banded == 0 || _accepted.round == 0
            ? 0
            : _steepFeeds(seen.medians, _accepted.medians, _pending.medians, _pending.round != 0);
        if (steep != _steep) _steep = steep;
        _accepted = _stored(round, observedAt, seen.medians, record);
        _shares = seen.shares;
        // Round zero: nothing is pending. The words of its medians are written over later.
        if (_pending.round != 0) _pending.round = 0;
    }

    function _newest() private view returns (Stored storage) {
        return _pending.round != 0 ? _pending : _accepted;
    }

    /// @dev Zero for what lies ahead. [ns]
    function _ageNs(uint64 observedAt) internal view virtual returns (uint256) {
        // A validator can move it by less than the heartbeats that are of use.
        uint256 nowNs = block.timestamp * SECOND_NS;
        // forge-lint: disable-next-line(block-timestamp)
        return nowNs > observedAt ? nowNs - observedAt : 0;
    }

    function _stored(
        uint64 round,
        uint64 observedAt,
        bytes memory medians,
        ReportRecord memory record
    ) private pure returns (Stored memory) {
        return Stored(round, observedAt, record.resumedAt, record.streak, record.isSettled, medians);
    }
}
