// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReferenceSource} from "../interfaces/IReferenceSource.sol";

/// @title ReferenceSource
/// @notice What all sources have in common: the age limit and the units.
abstract contract ReferenceSource is IReferenceSource {
    int256 private constant OUR_DECIMALS = 8;
    int256 private constant MAX_DECIMALS = 36;

    /// @dev Keeps the product below 2**256; whatever is larger does not fit in any decimals.
    int256 private constant MAX_PRICE = int256(1) << 200;
    uint256 private constant MAX_AGE_LIMIT = 7 days;

    /// @notice The oldest price that is passed on. [s]
    uint256 public immutable maxAge;

    constructor(uint256 maxAge_) {
        require(maxAge_ > 0 && maxAge_ <= MAX_AGE_LIMIT, AgeLimitOutOfRange(maxAge_));
        maxAge = maxAge_;
    }

    /// @dev Age of what was published at a time. [s]
    function _age(uint256 updatedAt) internal view returns (uint256 age) {
        // Ages of use are far longer than a validator can move the time.
        // forge-lint: disable-next-line(block-timestamp)
        require(updatedAt <= block.timestamp, SourceAhead(updatedAt, block.timestamp));
        age = block.timestamp - updatedAt;
        require(age <= maxAge, SourceStale(age, maxAge));
    }

    /// @dev `price / 10**decimals` dollars, rounded down. [USD e-8]
    function _normalised(int256 price, int256 decimals) internal pure returns (int64) {
        require(price > 0, PriceNotPositive(price));
        _checkDecimals(decimals);
        // forge-lint: disable-start(unsafe-typecast): no sign is lost.
        require(price <= MAX_PRICE, PriceTooLarge(uint256(price)));
        uint256 priceE8 = decimals > OUR_DECIMALS
            ? uint256(price) / 10 ** uint256(decimals - OUR_DECIMALS)
            : uint256(price) * 10 ** uint256(OUR_DECIMALS - decimals);
        require(priceE8 > 0, PriceNotPositive(price));
        require(priceE8 <= uint256(uint64(type(int64).max)), PriceTooLarge(priceE8));
        return int64(uint64(priceE8));
        // forge-lint: disable-end(unsafe-typecast)
    }

    function _checkDecimals(int256 decimals) internal pure {
        require(decimals >= 0 && decimals <= MAX_DECIMALS, DecimalsOutOfRange(decimals));
    }
}
