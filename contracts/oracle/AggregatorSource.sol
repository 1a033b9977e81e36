// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {IReferenceSource} from "../interfaces/IReferenceSource.sol";
import {ReferenceSource} from "./ReferenceSource.sol";

/// @title AggregatorSource
/// @notice Reads a contract in the shape of a Chainlink aggregator.
contract AggregatorSource is ReferenceSource {
    IAggregatorV3 public immutable aggregator;

    /// @notice Decimals of its answers; one that changes them is refused.
    uint8 public immutable decimals;

    /// @param maxAge_ At least the heartbeat of the aggregator. [s]
    constructor(IAggregatorV3 aggregator_, uint256 maxAge_) ReferenceSource(maxAge_) {
        uint8 decimals_ = aggregator_.decimals();
        _checkDecimals(int256(uint256(decimals_)));
        aggregator = aggregator_;
        decimals = decimals_;
    }

    /// @inheritdoc IReferenceSource
    function read() external view returns (int64 priceE8, uint256 age) {
        uint8 decimals_ = aggregator.decimals();
        require(decimals_ == decimals, DecimalsOutOfRange(int256(uint256(decimals_))));
        (uint80 round, int256 answer,, uint256 updatedAt, uint80 answeredInRound) =
            aggregator.latestRoundData();
        require(updatedAt != 0 && answeredInRound >= round, RoundIncomplete(round, answeredInRound));
        age = _age(updatedAt);
        priceE8 = _normalised(answer, int256(uint256(decimals_)));
    }
}
