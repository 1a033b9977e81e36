// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {SECOND_NS} from "../types/Units.sol";

/// @title ChainlinkFeed
/// @notice One feed of the oracle hub in the shape of a Chainlink aggregator.
contract ChainlinkFeed is IAggregatorV3 {
    /// @inheritdoc IAggregatorV3
    uint8 public constant decimals = 8;

    /// @inheritdoc IAggregatorV3
    uint256 public constant version = 1;

    IOracleHub public immutable oracleHub;
    uint256 public immutable feed;

    /// @inheritdoc IAggregatorV3
    string public description;

    constructor(IOracleHub oracleHub_, uint256 feed_, string memory description_) {
        uint256 feeds = oracleHub_.limits().feeds;
        require(feed_ < feeds, IOracleHub.UnknownFeed(feed_, feeds));
        oracleHub = oracleHub_;
        feed = feed_;
        description = description_;
    }

    /// @inheritdoc IAggregatorV3
    function latestRoundData()
        public
        view
        returns (
            uint80 roundId,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        )
    {
        (int64 value, uint64 observedAt, uint64 round) = oracleHub.latest(feed);
        updatedAt = observedAt / SECOND_NS;
        require(oracleHub.isFeedFresh(feed), StaleRound(round, updatedAt));
        return (round, value, updatedAt, updatedAt, round);
    }

    /// @inheritdoc IAggregatorV3
    function getRoundData(uint80 roundId)
        external
        view
        returns (
            uint80,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        )
    {
        (,, uint64 round) = oracleHub.latest(feed);
        require(roundId == round, RoundNotKept(roundId, round));
        return latestRoundData();
    }
}
