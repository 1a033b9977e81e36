// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {IOracleUse} from "../interfaces/IOracleUse.sol";
import {Columns} from "../libraries/Columns.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Observations} from "../libraries/Observations.sol";
import {Action, ReportRecord} from "../types/OracleUse.sol";
import {UsePolicy} from "./UsePolicy.sol";

/// @title ReportRecords
/// @notice What is kept of every report, accepted or jumped, by its hash.
abstract contract ReportRecords is IOracleHub, UsePolicy {
    mapping(bytes32 reportHash => ReportRecord) private _acceptedRecords;
    mapping(bytes32 reportHash => ReportRecord) private _jumpedRecords;

    /// @inheritdoc IOracleUse
    function isUsableReport(bytes32 reportHash, Action action) external view returns (bool) {
        ReportRecord memory record = _acceptedRecords[reportHash];
        return record.recordedAt != 0 && (record.isSettled || !_ruleOf[action].needsGrace);
    }

    /// @inheritdoc IOracleHub
    function acceptedAt(bytes32 reportHash) public view returns (uint64) {
        return _acceptedRecords[reportHash].recordedAt;
    }

    /// @inheritdoc IOracleHub
    function jumpedAt(bytes32 reportHash) external view returns (uint64) {
        return _jumpedRecords[reportHash].recordedAt;
    }

    /// @inheritdoc IOracleHub
    function recordOf(bytes32 reportHash) external view returns (ReportRecord memory) {
        return _acceptedRecords[reportHash];
    }

    /// @inheritdoc IOracleHub
    function isBracket(bytes32 reportHash, bytes calldata lows, bytes calldata highs)
        public
        view
        returns (bool)
    {
        return _acceptedRecords[reportHash].bracket == Observations.bracket(lows, highs);
    }

    /// @inheritdoc IOracleHub
    function isWithinBracket(
        bytes32 reportHash,
        bytes calldata lows,
        bytes calldata highs,
        uint256 feed,
        int64 value
    ) external view returns (bool) {
        require(feed < _feeds, UnknownFeed(feed, _feeds));
        require(isBracket(reportHash, lows, highs), OtherBracket(reportHash));
        return
            value > 0 && value >= Columns.valueAt(lows, feed)
                && value <= Columns.valueAt(highs, feed);
    }

    /// @dev What is kept of a report, and whether it was accepted; all zero when it is not known.
    function _known(bytes32 reportHash)
        internal
        view
        returns (bool isAccepted, ReportRecord memory record)
    {
        record = _acceptedRecords[reportHash];
        isAccepted = record.recordedAt != 0;
        if (!isAccepted) record = _jumpedRecords[reportHash];
    }

    /// @dev A report that is known stays as it was first recorded, unless more is shown this time:
    /// that the oracle was back longer, that more reports were accepted since, or that the grace was
    /// over. Whoever names a worse base, or a better one first, changes nothing.
    function _keep(
        uint64 round,
        uint64 observedAt,
        Observations.Summary memory seen,
        ReportRecord memory record,
        bool accepted
    ) internal {
        bytes32 reportHash = LeafHash.report(round, observedAt, seen.medians);
        // What was accepted behind one base stays so behind another, which may show more of it.
        bool isAccepted = accepted || _acceptedRecords[reportHash].recordedAt != 0;
        mapping(bytes32 => ReportRecord) storage records =
            isAccepted ? _acceptedRecords : _jumpedRecords;
        bool isKept = records[reportHash].recordedAt == 0;
        if (isKept) records[reportHash] = record;
        else isKept = _addTo(records, reportHash, record, observedAt);
        if (isKept && isAccepted) emit BracketRecorded(reportHash, seen.lows, seen.highs);
        if (accepted) emit ReportAccepted(round, observedAt, reportHash, seen.medians);
        else emit ReportPending(round, observedAt, reportHash, seen.medians);
    }

    /// @dev Both are true of the report, so the better of each counts: no silence since the earlier
    /// resumption, and in that time at least the longer streak.
    function _addTo(
        mapping(bytes32 => ReportRecord) storage records,
        bytes32 reportHash,
        ReportRecord memory record,
        uint64 observedAt
    ) private returns (bool isKept) {
        ReportRecord memory known = records[reportHash];
        if (known.isSettled) return false;
        if (known.resumedAt < record.resumedAt) record.resumedAt = known.resumedAt;
        if (known.streak > record.streak) record.streak = known.streak;
        record.isSettled =
            record.isSettled || _isGraceOver(observedAt, record.resumedAt, record.streak);
        record.recordedAt = known.recordedAt;
        isKept = record.isSettled;
        if (!isKept) (record.worstE6, record.bracket) = (known.worstE6, known.bracket);
        records[reportHash] = record;
    }
}
