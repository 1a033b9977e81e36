// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {IPyth} from "../interfaces/IPyth.sol";
import {SECOND_NS} from "../types/Units.sol";

/// @title PythFeed
/// @notice The feeds of the oracle hub in the shape of a Pyth contract. The id of a feed is its
/// place in every report.
/// @dev The hub keeps no averages, so this contract samples them, whenever anyone calls `sample`:
/// by `elapsed / MEMORY` of the way to the newest price, at most all of it. An average is as good
/// as its samples are dense, and its `publishTime` says how old the last one is.
contract PythFeed is IPyth {
    int32 private constant EXPONENT = -8;

    /// @dev An average remembers for about an hour. [ns]
    uint256 private constant MEMORY_NS = 3600 * SECOND_NS;

    /// @dev One storage slot.
    struct Average {
        int64 value;
        uint64 spread;
        uint64 observedAt;
    }

    /// @param value Average price. [USD e-8]
    event AverageSampled(bytes32 indexed id, int64 value, uint64 spread, uint64 observedAt);

    IOracleHub public immutable oracleHub;

    mapping(bytes32 id => Average) private _averageOf;

    constructor(IOracleHub oracleHub_) {
        oracleHub = oracleHub_;
    }

    /// @notice Moves the averages of some feeds towards their newest prices. Anyone may call it.
    /// @dev To sample one report twice changes nothing, since no time lies between.
    function sample(bytes32[] calldata ids) external {
        for (uint256 i = 0; i < ids.length; ++i) {
            _sample(ids[i]);
        }
    }

    /// @inheritdoc IPyth
    function getPriceUnsafe(bytes32 id) public view returns (Price memory price) {
        uint256 feed = _feedOf(id);
        (int64 value, uint64 observedAt,) = oracleHub.latest(feed);
        (uint64 spread,) = oracleHub.confidence(feed);
        price = Price(value, spread, EXPONENT, observedAt / SECOND_NS);
    }

    /// @inheritdoc IPyth
    function getPriceNoOlderThan(bytes32 id, uint256 age)
        external
        view
        returns (Price memory price)
    {
        price = getPriceUnsafe(id);
        _requireYoung(id, price.publishTime, age);
    }

    /// @inheritdoc IPyth
    function getEmaPriceUnsafe(bytes32 id) public view returns (Price memory price) {
        Average memory average = _averageOf[id];
        require(average.observedAt != 0, NoAverage(id));
        price = Price(average.value, average.spread, EXPONENT, average.observedAt / SECOND_NS);
    }

    /// @inheritdoc IPyth
    function getEmaPriceNoOlderThan(bytes32 id, uint256 age)
        external
        view
        returns (Price memory price)
    {
        price = getEmaPriceUnsafe(id);
        _requireYoung(id, price.publishTime, age);
    }

    function _sample(bytes32 id) private {
        uint256 feed = _feedOf(id);
        (int64 value, uint64 observedAt,) = oracleHub.latest(feed);
        (uint64 spread,) = oracleHub.confidence(feed);
        Average memory average = _averageOf[id];
        if (average.observedAt != 0) {
            uint256 elapsedNs = observedAt - average.observedAt;
            // forge-lint: disable-start(unsafe-typecast): between two numbers of the type.
            value = int64(_towards(average.value, value, elapsedNs));
            spread = uint64(uint256(_towards(int64(average.spread), int64(spread), elapsedNs)));
            // forge-lint: disable-end(unsafe-typecast)
        }
        _averageOf[id] = Average(value, spread, observedAt);
        emit AverageSampled(id, value, spread, observedAt);
    }

    /// @dev A feed that the hub lacks has no id here.
    function _feedOf(bytes32 id) private view returns (uint256 feed) {
        feed = uint256(id);
        require(feed < oracleHub.limits().feeds, PriceFeedNotFound(id));
    }

    function _requireYoung(bytes32 id, uint256 publishTime, uint256 limit) private view {
        // An age of seconds, as its caller asks for; a validator can move it by no more.
        // forge-lint: disable-next-line(block-timestamp)
        uint256 age = block.timestamp > publishTime ? block.timestamp - publishTime : 0;
        require(age <= limit, PriceTooOld(id, age, limit));
    }

    /// @dev Truncated toward `from`, so that it never leaves the span between both.
    function _towards(int256 from, int256 to, uint256 elapsedNs) private pure returns (int256) {
        if (elapsedNs >= MEMORY_NS) return to;
        // forge-lint: disable-next-line(unsafe-typecast): below an hour.
        return from + (to - from) * int256(elapsedNs) / int256(MEMORY_NS);
    }
}
