// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What somebody wants a price for; liquidation is the strictest.
enum Action {
    WITHDRAW,
    TRADE,
    SETTLE,
    LIQUIDATE
}

/// @notice Why a price is of no use for an action; `NONE` when it is of use.
enum Cause {
    NONE,
    NO_REPORT,
    TOO_OLD,
    DISPERSED,
    AFTER_OUTAGE,
    JUMPED,
    MOVED
}

uint256 constant ACTIONS = 4;

/// @dev Dispersions are cut here, so that as a limit it is none.
uint16 constant ANY_DISPERSION_E6 = type(uint16).max;

/// @dev Ranges are cut here, and the spans of signers; a range that nobody knows is this one.
uint16 constant ANY_RANGE_E5 = type(uint16).max;

/// @notice What an action asks of a price.
/// @param maxAgeNs Since the observation. [ns]
/// @param maxDispersionE6 Median distance of the observers from their median. [1e-6 of it]
/// @param needsGrace Whether the oracle must have been back for a while after an outage.
/// @param waitsForJumps Whether a jump that nobody confirmed yet bars the action.
/// @param maxRangeE5 Between the ends of the price's bracket; `ANY_RANGE_E5` is none. [1e-5 of it]
struct UseRule {
    uint64 maxAgeNs;
    uint16 maxDispersionE6;
    bool needsGrace;
    bool waitsForJumps;
    uint16 maxRangeE5;
}

/// @notice Tighter limits of one feed; a zero leaves that of the hub.
/// @param heartbeatNs Age after which the feed is stale. [ns]
/// @param bandE6 Largest step that needs no second report. [1e-6 of the earlier value]
struct FeedLimit {
    uint64 heartbeatNs;
    uint32 bandE6;
}

/// @notice How long an outage echoes.
/// @param reports Accepted since the oracle came back, at least.
/// @param lengthSeconds Between the observation with which it came back and a usable one. [s]
struct Grace {
    uint8 reports;
    uint32 lengthSeconds;
}

/// @notice What is kept of a report for good; one storage slot.
/// @param recordedAt 0 if never. [s since 1970]
/// @param resumedAt First observation after the last outage before it, rounded up, as far back as
/// was shown. [s since 1970]
/// @param streak Reports accepted since then, as far as was shown, this one included; at most 255.
/// @param isSettled Whether the grace was over.
/// @param worstE6 Largest dispersion among its feeds. [1e-6]
/// @param bracket First bytes of the hash of the lower and the upper ends of its brackets: others
/// for the same report take 2**144 trials.
struct ReportRecord {
    uint40 recordedAt;
    uint40 resumedAt;
    uint8 streak;
    bool isSettled;
    uint16 worstE6;
    bytes18 bracket;
}
