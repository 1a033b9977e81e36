// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IJudge} from "../interfaces/IJudge.sol";
import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {Columns} from "../libraries/Columns.sol";
import {Commands} from "../libraries/Commands.sol";
import {
    Frames,
    RECORD_ADOPT,
    RECORD_FUNDING_TICK,
    RECORD_PRICE_REPORT,
    RECORD_SETTLE_EXPIRY
} from "../libraries/Frames.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Medians} from "../libraries/Medians.sol";
import {Observations} from "../libraries/Observations.sol";
import {Openings} from "../libraries/Openings.sol";
import {Rounds} from "../libraries/Rounds.sol";
import {Trace} from "../libraries/Trace.sol";
import {BatchHeader} from "../types/Batch.sol";
import {OracleEvidence} from "../types/ContentEvidence.sol";
import {ListedOracle} from "../types/Listing.sol";
import {PRICE_BITS, SECOND_NS} from "../types/Units.sol";
import {EarlierRecord} from "./EarlierRecord.sol";

/// @title OracleJudge
/// @notice Kind 1: a report of the log that the listing's oracle does not vouch for, or an epoch
/// that does not follow from the reports.
/// @dev Evidence is an `OracleEvidence`. `before` and `afterwards` are the epochs in force before
/// and after the record, `reportBefore` the report of the first.
/// `SIGNATURES`: faulty when the report has fewer observations than the quorum; their signers do not
/// ascend or are not listed; one has not a number in [1, 2^46) for each feed; or one is not signed
/// by its signer.
/// `AGE`: faulty when the observations are older than the heartbeat, or more than 5 s ahead.
/// `BACKWARDS`: `earlier` is a report too. Faulty when round or observation time is not after its.
/// `EPOCH`: the record changes the epoch. Faulty when its number is not the next, its time not that
/// of the record, its report neither this one nor, for a funding tick, a settled expiry or adopted
/// parameters, the one before; or when it is another kind of record.
/// `IGNORED`: the report did not change the epoch. Faulty when there was none before, or every median
/// lies within the band of the report before.
/// `UNIGNORED`: the report changed the epoch, without lying within the band of the report before;
/// `earlier` is the last report before it, as `between` shows. Faulty when that one was accepted, so
/// that nothing was pending, or is out of the band as well.
/// `UNCONFIRMED`: the report did not change the epoch; `earlier` is the last report before it and
/// was not accepted. Faulty when every median lies within the band of that one.
contract OracleJudge is IJudge {
    uint8 public constant SIGNATURES = 0;
    uint8 public constant AGE = 1;
    uint8 public constant BACKWARDS = 2;
    uint8 public constant EPOCH = 3;
    uint8 public constant IGNORED = 4;
    uint8 public constant UNIGNORED = 5;
    uint8 public constant UNCONFIRMED = 6;

    /// @dev How far an observation may lie ahead of the record.
    uint256 private constant MAX_SKEW_NS = 5 * SECOND_NS;

    int256 private constant PRICE_LIMIT = int256(1) << PRICE_BITS;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The rule is not about a record like this one.
    error OtherRecord(uint8 rule);

    /// @notice A report lies between the two.
    error ReportBetween(uint256 place);

    ISettlement private immutable _settlement;
    IRiskParameters private immutable _parameters;
    IOracleHub private immutable _hub;

    /// @param hub Whose domain the observations are signed in.
    constructor(ISettlement settlement, IRiskParameters parameters, IOracleHub hub) {
        (_settlement, _parameters, _hub) = (settlement, parameters, hub);
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        OracleEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        uint8 rule = shown.rule;
        require(rule <= UNCONFIRMED, UnknownRule(rule));
        Trace.requirePair(header, shown.pair);
        Openings.requireFrame(shown.pair.step, shown.frame);
        Openings.requireOracle(_parameters.listingRootOf(header.paramsHash), shown.oracle);
        if (rule == EPOCH) return _isEpochWrong(shown);
        Frames.requireType(shown.frame, RECORD_PRICE_REPORT);
        if (rule == SIGNATURES) return !_isVouchedFor(shown);
        if (rule == AGE) return _isOld(shown);
        if (rule == IGNORED) return _isIgnored(shown);
        EarlierRecord.requireBefore(_settlement, header, shown.pair.index, shown.earlier);
        Frames.requireType(shown.earlier.frame, RECORD_PRICE_REPORT);
        if (rule == BACKWARDS) return _isBackwards(shown);
        _requireLast(shown);
        return rule == UNIGNORED ? _isUnignored(shown) : _isUnconfirmed(shown);
    }

    function _isVouchedFor(OracleEvidence calldata shown) private view returns (bool) {
        ListedOracle calldata listed = shown.oracle.listed;
        Rounds.Place[] memory places = Rounds.placesOf(shown.frame);
        if (places.length < listed.quorum) return false;
        bytes32 domain = _hub.domainSeparator();
        uint256 next = 0;
        for (uint256 i = 0; i < places.length; ++i) {
            uint256 signer = places[i].signer;
            if (signer < next || signer >= listed.signers.length) return false;
            next = signer + 1;
            if (!_areValues(shown, places[i])) return false;
            if (!_isSigned(shown, places[i], domain, listed.signers[signer])) return false;
        }
        return true;
    }

    function _areValues(OracleEvidence calldata shown, Rounds.Place memory place)
        private
        pure
        returns (bool)
    {
        if (place.values != shown.oracle.listed.feeds) return false;
        bytes calldata values = Rounds.vectorOf(shown.frame, place);
        for (uint256 feed = 0; feed < place.values; ++feed) {
            int256 value = Columns.valueAt(values, feed);
            if (value <= 0 || value >= PRICE_LIMIT) return false;
        }
        return true;
    }

    function _isSigned(
        OracleEvidence calldata shown,
        Rounds.Place memory place,
        bytes32 domain,
        address expected
    ) private pure returns (bool) {
        bytes32 structHash = Observations.structHash(
            Commands.roundOf(shown.frame),
            Commands.observedAtOf(shown.frame),
            Rounds.vectorOf(shown.frame, place)
        );
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(
            MessageHashUtils.toTypedDataHash(domain, structHash),
            Rounds.signatureOf(shown.frame, place)
        );
        return fault == ECDSA.RecoverError.NoError && signer == expected;
    }

    function _isOld(OracleEvidence calldata shown) private pure returns (bool) {
        uint256 observedAt = Commands.observedAtOf(shown.frame);
        uint256 time = Frames.timeOf(shown.frame);
        return
            time > observedAt + shown.oracle.listed.heartbeatNs || observedAt > time + MAX_SKEW_NS;
    }

    function _isBackwards(OracleEvidence calldata shown) private pure returns (bool) {
        bytes calldata earlier = shown.earlier.frame;
        return Commands.roundOf(shown.frame) <= Commands.roundOf(earlier)
            || Commands.observedAtOf(shown.frame) <= Commands.observedAtOf(earlier);
    }

    function _isEpochWrong(OracleEvidence calldata shown) private pure returns (bool) {
        _require(shown, _isChanged(shown));
        Openings.requireEpoch(shown.afterwards, shown.pair.step.epochHash);
        uint256 number = 0;
        bytes32 reportHash = 0;
        if (shown.pair.previous.epochHash != 0) {
            Openings.requireEpoch(shown.before, shown.pair.previous.epochHash);
            (number, reportHash) = (shown.before.number, shown.before.reportHash);
        }
        if (shown.afterwards.number != number + 1) return true;
        if (shown.afterwards.time != Frames.timeOf(shown.frame)) return true;
        uint8 kind = Frames.typeOf(shown.frame);
        if (kind == RECORD_PRICE_REPORT) return shown.afterwards.reportHash != _reportHash(shown);
        bool mayChange =
            kind == RECORD_FUNDING_TICK || kind == RECORD_SETTLE_EXPIRY || kind == RECORD_ADOPT;
        return !mayChange || number == 0 || shown.afterwards.reportHash != reportHash;
    }

    function _reportHash(OracleEvidence calldata shown) private pure returns (bytes32) {
        return LeafHash.report(
            Commands.roundOf(shown.frame),
            Commands.observedAtOf(shown.frame),
            Medians.pack(_medians(shown, shown.frame))
        );
    }

    function _isIgnored(OracleEvidence calldata shown) private pure returns (bool) {
        _require(shown, !_isChanged(shown));
        if (shown.pair.previous.epochHash == 0) return true;
        return _isNearLast(shown);
    }

    function _isUnignored(OracleEvidence calldata shown) private pure returns (bool) {
        _require(shown, _isChanged(shown) && shown.pair.previous.epochHash != 0);
        if (_isNearLast(shown)) return false;
        return _wasAccepted(shown) || !_isNearPending(shown);
    }

    function _isUnconfirmed(OracleEvidence calldata shown) private pure returns (bool) {
        _require(shown, !_isChanged(shown) && shown.pair.previous.epochHash != 0);
        _requireBefore(shown);
        return !_wasAccepted(shown) && _isNearPending(shown);
    }

    /// @dev No report stands between the earlier one and this.
    function _requireLast(OracleEvidence calldata shown) private pure {
        Openings.requireGap(shown.earlier.opening.step, shown.pair.previous, shown.between);
        for (uint256 i = 0; i < shown.between.length; ++i) {
            require(Frames.typeOf(shown.between[i]) != RECORD_PRICE_REPORT, ReportBetween(i));
        }
    }

    /// @dev Whether the earlier report set the prices that are in force before this one.
    function _wasAccepted(OracleEvidence calldata shown) private pure returns (bool) {
        return shown.reportBefore.round == Commands.roundOf(shown.earlier.frame);
    }

    function _isNearLast(OracleEvidence calldata shown) private pure returns (bool) {
        _requireBefore(shown);
        return _isNear(shown, Medians.unpack(shown.reportBefore.medians));
    }

    function _isNearPending(OracleEvidence calldata shown) private pure returns (bool) {
        return _isNear(shown, _medians(shown, shown.earlier.frame));
    }

    function _isNear(OracleEvidence calldata shown, int64[] memory base)
        private
        pure
        returns (bool)
    {
        return Medians.isWithin(_medians(shown, shown.frame), base, shown.oracle.listed.bandE6);
    }

    function _medians(OracleEvidence calldata shown, bytes calldata frame)
        private
        pure
        returns (int64[] memory)
    {
        return Rounds.mediansOf(frame, shown.oracle.listed.feeds);
    }

    /// @dev The epoch before, with its report.
    function _requireBefore(OracleEvidence calldata shown) private pure {
        Openings.requireEpoch(shown.before, shown.pair.previous.epochHash);
        Openings.requireReport(shown.reportBefore, shown.before.reportHash);
    }

    function _isChanged(OracleEvidence calldata shown) private pure returns (bool) {
        return shown.pair.step.epochHash != shown.pair.previous.epochHash;
    }

    function _require(OracleEvidence calldata shown, bool isRight) private pure {
        require(isRight, OtherRecord(shown.rule));
    }
}
