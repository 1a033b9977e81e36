// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

uint8 constant KIND_PERPETUAL = 0;
uint8 constant KIND_FUTURE = 1;
uint8 constant KIND_CALL = 2;
uint8 constant KIND_PUT = 3;

/// @notice An extreme move with volatility up, of which only a share is covered.
/// @param moveE6 In (-1, 9]. [1e-6]
/// @param weightE6 In (0, 1]. [1e-6]
struct Tail {
    int64 moveE6;
    uint32 weightE6;
}

/// @notice A tilt of the smile: volatility times 1 + slope x log-moneyness, within +-cap.
/// @param slopeE6 Per unit of ln(K/F). [1e-6]
/// @param capE6 Below one. [1e-6]
/// @param isAbsolute Whether the size of ln(K/F) counts.
struct Skew {
    int64 slopeE6;
    uint32 capE6;
    bool isAbsolute;
}

/// @notice The scan grid of one underlying; `offchain.core.parameters.ScanParameters`.
struct Scan {
    uint32 priceRangeE6;
    uint32 volUpE6;
    uint32 volDownE6;
    uint64 minVolUpE8;
    uint32 volPowerShortE6;
    uint32 volPowerLongE6;
    Tail[7] tails;
    Skew[2] skews;
}

/// @notice What is priced, with the lot of its underlying.
/// @param kind One of `KIND_*`.
/// @param expiryNs 0 for a perpetual. [ns since 1970]
/// @param strikeE8 0 for a linear instrument. [USD e-8]
/// @param lotDivisor A price [USD e-8] divided by this is the value of a lot [USD e-6].
/// @param tickE8 A multiple of the lot divisor. [USD e-8]
struct Instrument {
    uint8 kind;
    uint64 expiryNs;
    uint64 strikeE8;
    uint64 lotDivisor;
    uint64 tickE8;
}

/// @notice What an oracle report says.
/// @param observedAt Time of the observation. [ns since 1970]
/// @param medians Packed int64, one for each feed in listing order.
struct Observation {
    uint64 observedAt;
    bytes medians;
}

/// @notice Where the numbers of one expiry stand in every report.
/// @param isShaped Whether the expiry lists the four feeds that bend its smile.
struct FeedPlaces {
    uint16 index;
    uint16 forward;
    uint16 volatility;
    bool isShaped;
    uint16 slope;
    uint16 tilt;
    uint16 centre;
    uint16 width;
}

/// @notice The bend of a smile, decoded and within its limits; no slope is no bend. [1e-8]
struct Shape {
    int256 slopeE8;
    int256 tiltE8;
    int256 centreE8;
    int256 widthE8;
}

/// @notice What an instrument is priced from.
/// @param priceE8 The index of a perpetual and of what has expired, else the forward. [USD e-8]
/// @param remainingNs Time to expiry; 0 after it and for a perpetual. [ns]
/// @param volatilityE8 Of its strike; 0 for linear instruments and after expiry. [1e-8]
/// @param logMoneyness ln(forward / strike); 0 for linear instruments and after expiry. [2**-56]
struct Quote {
    int256 priceE8;
    uint256 remainingNs;
    uint256 volatilityE8;
    int256 logMoneyness;
}

/// @notice One stress of one underlying.
/// @param shock The volatility that options are priced with: a place in `VolatilityShock`.
struct Scenario {
    int256 moveE6;
    VolatilityShock shock;
    int256 weightE6;
}

/// @notice Which volatility of an option a scenario uses.
enum VolatilityShock {
    DOWN,
    SAME,
    UP,
    FIRST_SKEW,
    SECOND_SKEW
}
