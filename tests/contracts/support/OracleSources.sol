// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAggregatorV3} from "../../../contracts/interfaces/IAggregatorV3.sol";
import {IPyth} from "../../../contracts/interfaces/IPyth.sol";

/// @dev Somebody else's aggregator, which answers what it is told to.
contract SetAggregator is IAggregatorV3 {
    uint8 public decimals;
    uint256 public constant version = 4;
    string public description = "set";

    uint80 private _round;
    int256 private _answer;
    uint256 private _updatedAt;
    uint80 private _answeredInRound;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function set(uint80 round, int256 answer, uint256 updatedAt, uint80 answeredInRound) external {
        (_round, _answer) = (round, answer);
        (_updatedAt, _answeredInRound) = (updatedAt, answeredInRound);
    }

    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    function latestRoundData() public view returns (uint80, int256, uint256, uint256, uint80) {
        return (_round, _answer, _updatedAt, _updatedAt, _answeredInRound);
    }

    function getRoundData(uint80) external view returns (uint80, int256, uint256, uint256, uint80) {
        return latestRoundData();
    }
}

/// @dev Somebody else's Pyth contract, which answers what it is told to.
contract SetPyth is IPyth {
    mapping(bytes32 id => Price) private _priceOf;

    function set(bytes32 id, Price calldata price) external {
        _priceOf[id] = price;
    }

    function getPriceUnsafe(bytes32 id) public view returns (Price memory) {
        return _priceOf[id];
    }

    function getPriceNoOlderThan(bytes32 id, uint256) external view returns (Price memory) {
        return getPriceUnsafe(id);
    }

    function getEmaPriceUnsafe(bytes32 id) external view returns (Price memory) {
        return getPriceUnsafe(id);
    }

    function getEmaPriceNoOlderThan(bytes32 id, uint256) external view returns (Price memory) {
        return getPriceUnsafe(id);
    }
}
