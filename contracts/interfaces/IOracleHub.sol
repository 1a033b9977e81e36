// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Report} from "../types/Epoch.sol";
import {ReportRecord} from "../types/OracleUse.sol";

/// @title IOracleHub
/// @notice Turns observations signed by a quorum of oracles into medians that contracts may trust.
/// @dev A report that jumps changes nothing until a second one confirms it. Errors of `Medians` and
/// of OpenZeppelin's `ECDSA` come through.
interface IOracleHub {
    /// @notice Fixed at construction.
    /// @param feeds Numbers in every report.
    /// @param bandE6 Largest step that needs no confirmation. [1e-6 of the earlier value]
    /// @param heartbeatNs Age after which prices are stale. [ns]
    /// @param maxSkewNs How far an observation may lie ahead of the block's time. [ns]
    struct Limits {
        uint16 feeds;
        uint32 bandE6;
        uint64 heartbeatNs;
        uint64 maxSkewNs;
    }

    /// @notice No feed, more feeds than fit, a band outside (0, 50 %] or no heartbeat.
    error LimitsOutOfRange(uint16 feeds, uint32 bandE6, uint64 heartbeatNs);

    /// @notice Signers must ascend strictly by address, beginning above zero.
    error SignersOutOfOrder(address earlier, address later);

    /// @notice A quorum is at least three, a majority, and no more than all signers.
    error QuorumOutOfRange(uint256 quorum, uint256 signers);

    /// @notice Every vector needs its signature.
    error SignatureCount(uint256 vectors, uint256 signatures);

    /// @notice Fewer signed vectors than the quorum, or more than a submission may carry.
    error NoQuorum(uint256 vectors, uint256 quorum);

    /// @notice The signature recovers to nobody who is registered: forged, or over other values.
    error UnknownSigner(address signer);

    /// @notice The round is not after the newest one.
    error RoundNotNew(uint64 round, uint64 newest);

    /// @notice The observation is not after the newest one.
    error ObservationNotNew(uint64 observedAt, uint64 newest);

    /// @notice The observation lies too far in the future. [ns since 1970]
    error ObservedInFuture(uint64 observedAt, uint256 limit);

    /// @notice The observation is older than the heartbeat. [ns since 1970]
    error ObservedTooLongAgo(uint64 observedAt, uint64 heartbeatNs);

    /// @notice The base of a late report was never recorded here.
    error UnknownBase(bytes32 reportHash);

    /// @notice These are not the brackets of an accepted report.
    error OtherBracket(bytes32 reportHash);

    /// @notice There is no such feed.
    error UnknownFeed(uint256 feed, uint256 feeds);

    /// @notice No report was accepted yet.
    error NoReport();

    /// @notice The newest accepted report is older than the heartbeat.
    error StalePrice(uint64 observedAt, uint64 heartbeatNs);

    /// @notice A report is accepted: it set the prices, or came late and only stands beside them.
    /// @param medians Packed int64 in listing order; with the rest, the preimage of `reportHash`.
    event ReportAccepted(
        uint64 indexed round, uint64 observedAt, bytes32 indexed reportHash, bytes medians
    );

    /// @notice The report jumped and waits for a confirmation; prices are as before.
    event ReportPending(
        uint64 indexed round, uint64 observedAt, bytes32 indexed reportHash, bytes medians
    );

    /// @notice Between what each price went since the reports of its signers before; the preimage
    /// of `ReportRecord.bracket` of an accepted report.
    /// @param lows Packed int64, one for each feed in listing order; 0 is no bound.
    /// @param highs The same; 2**63 - 1 is no bound.
    event BracketRecorded(bytes32 indexed reportHash, bytes lows, bytes highs);

    /// @param signerEpoch Counts the sets from 1.
    event SignersReplaced(uint64 indexed signerEpoch, address[] signers, uint8 quorum);

    /// @notice Submits a round, in which each signer vouches for its own vector: values, and how far
    /// its sources went from them since it reported last.
    /// @param observedAt Time of the observations. [ns since 1970]
    /// @param vectors For each signer, packed int64 in listing order, then for each feed down u16 | up
    /// u16 [1e-5 of the value, rounded up; 65535 is no bound].
    /// @param signatures EIP-712 `Observation`, 65 bytes, ascending by signer's address.
    /// @return accepted False when the report jumped and became the pending one.
    function submit(
        uint64 round,
        uint64 observedAt,
        bytes[] calldata vectors,
        bytes[] calldata signatures
    ) external returns (bool accepted);

    /// @notice Records a report that `submit` no longer takes; prices stay as they are.
    /// @dev A round has as many reports as it has quorums, and anyone may submit any of them, or
    /// none in time. A liquidation that cites another one than `submit` took must stay verifiable,
    /// or its batch could never become final. So a report is accepted here, in any order and at
    /// any age, when it lies within the band of an accepted one, or of an earlier one that jumped.
    /// Nothing is believed that two signed reports do not agree on. The base also says how long the
    /// oracle has been back, so a report that is known may be brought again with a better one.
    /// @param base The report that vouches for this one; with round 0, none.
    /// @return accepted False when it found no support and was recorded as one that jumped.
    function submitLate(
        Report calldata base,
        uint64 round,
        uint64 observedAt,
        bytes[] calldata vectors,
        bytes[] calldata signatures
    ) external returns (bool accepted);

    /// @notice Replaces all signers at once. Only the governor.
    function replaceSigners(address[] calldata signers_, uint8 quorum_) external;

    /// @notice The newest accepted median of a feed, however old.
    function latest(uint256 feed)
        external
        view
        returns (int64 value, uint64 observedAt, uint64 round);

    /// @notice The newest accepted median of a feed; reverts when it is older than its heartbeat.
    function price(uint256 feed) external view returns (int64 value);

    /// @notice How far the observers of the newest accepted median of a feed agree, however old.
    /// @return spread Their median distance from it, rounded up, in the unit of the value.
    /// @return dispersionE6 The same as a share of it, rounded up; 65535 is that or more. [1e-6]
    function confidence(uint256 feed) external view returns (uint64 spread, uint16 dispersionE6);

    /// @notice The newest accepted report, however old.
    function latestReport() external view returns (Report memory);

    /// @notice Round of the report that jumped and waits for confirmation; 0 when none does.
    function pendingRound() external view returns (uint64);

    /// @notice Whether an accepted report exists and is no older than the heartbeat.
    function isFresh() external view returns (bool);

    /// @notice The same for one feed, which may have a shorter heartbeat of its own.
    function isFeedFresh(uint256 feed) external view returns (bool);

    /// @notice When a report was accepted; 0 if never. [s since 1970]
    function acceptedAt(bytes32 reportHash) external view returns (uint64);

    /// @notice When a report that jumped was recorded; 0 if never. [s since 1970]
    function jumpedAt(bytes32 reportHash) external view returns (uint64);

    /// @notice What is kept of an accepted report; zeros if it never was.
    function recordOf(bytes32 reportHash) external view returns (ReportRecord memory);

    /// @notice How far apart the ends of the bracket are, of the newest accepted price of a feed,
    /// however old; 65535 is that or more, or not known. [1e-5 of it, rounded up]
    function rangeE5(uint256 feed) external view returns (uint16);

    /// @notice Whether these are the ends of the brackets of an accepted report.
    /// @dev They are those of the quorum that was recorded first, or first after the grace.
    /// @param lows Packed int64, one for each feed in listing order, as `BracketRecorded` has them.
    /// @param highs The same.
    function isBracket(bytes32 reportHash, bytes calldata lows, bytes calldata highs)
        external
        view
        returns (bool);

    /// @notice Whether a price of a feed is one that a median of the signers admits for the interval
    /// of an accepted report. Reverts when these are not its brackets.
    /// @param lows As for `isBracket`.
    /// @param highs The same.
    function isWithinBracket(
        bytes32 reportHash,
        bytes calldata lows,
        bytes calldata highs,
        uint256 feed,
        int64 value
    ) external view returns (bool);

    /// @notice Limits fixed at construction.
    function limits() external view returns (Limits memory);

    /// @notice Registered signers, ascending.
    function signers() external view returns (address[] memory);

    /// @notice Signed vectors that a report needs.
    function quorum() external view returns (uint8);

    /// @notice Number of the current set of signers, from 1.
    function signerEpoch() external view returns (uint64);

    /// @notice The EIP-712 domain of the observations.
    function domainSeparator() external view returns (bytes32);
}
