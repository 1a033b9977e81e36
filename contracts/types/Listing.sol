// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FeedPlaces, Instrument, Scan} from "./Pricing.sol";

/// @notice Everything about one instrument that a judge needs; a leaf of the listing.
/// @param id `underlying << 8 | slot`.
/// @param feeE6 Liquidation fee, of the notional closed. [1e-6]
/// @param bandMarkE6 How far from the mark a liquidation may trade. [1e-6]
/// @param bandIndexE6 The same, of the index. [1e-6]
struct ListedInstrument {
    uint16 id;
    Instrument instrument;
    FeedPlaces places;
    Scan scan;
    uint32 takerFeeE6;
    uint32 feeE6;
    uint32 bandMarkE6;
    uint32 bandIndexE6;
    uint32 rollRateE6;
    uint32 rollMinE6;
    uint32 unwindE6;
    uint32 nakedMmE6;
}

/// @notice One collateral asset; a leaf of the listing.
/// @param asset From 1.
/// @param indexFeed Place of its price in every report.
struct ListedAsset {
    uint8 asset;
    uint16 indexFeed;
    uint64 capE8;
    uint32 haircutFloorE6;
    uint32 haircutCapE6;
}

/// @notice When the engine believes a report; leaf 0 of the listing.
/// @param signers In the order of the parameter set, by which observations name them.
struct ListedOracle {
    uint16 feeds;
    uint8 quorum;
    uint64 heartbeatNs;
    uint32 bandE6;
    address[] signers;
}
