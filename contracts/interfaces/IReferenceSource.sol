// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IReferenceSource
/// @notice A price of somebody else's oracle in our units, or a refusal that says why.
interface IReferenceSource {
    /// @notice The source has more decimals than can be told apart, or fewer than none.
    error DecimalsOutOfRange(int256 decimals);

    /// @notice Zero and negative prices do not exist; a price of less than 1e-8 USD rounds to none.
    error PriceNotPositive(int256 price);

    /// @notice A normalised price fits 63 bits, and what it is made of 200.
    error PriceTooLarge(uint256 price);

    /// @notice The source has not finished its round, or answers for an earlier one.
    error RoundIncomplete(uint80 roundId, uint80 answeredInRound);

    /// @notice The price is older than this source may be. [s]
    error SourceStale(uint256 age, uint256 limit);

    /// @notice The source speaks of the future. [s since 1970]
    error SourceAhead(uint256 updatedAt, uint256 time);

    /// @notice The source itself doubts its price too much. [1e-6 of the price]
    error SourceUncertain(uint256 confidenceE6, uint256 limitE6);

    /// @notice A source without an age limit, or with one beyond a week, is of no use. [s]
    error AgeLimitOutOfRange(uint256 maxAge);

    /// @notice The price now.
    /// @return priceE8 Rounded down, positive. [USD e-8]
    /// @return age Since the source published it. [s]
    function read() external view returns (int64 priceE8, uint256 age);
}
