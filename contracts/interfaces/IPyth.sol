// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPyth
/// @notice The reading side of a Pyth price contract, for integrators that expect that shape, and
/// of the contracts that we read.
interface IPyth {
    /// @notice A price with its doubt.
    /// @param price Times `10**expo`. [USD]
    /// @param conf How far off it may be, in the same unit.
    /// @param publishTime [s since 1970]
    struct Price {
        int64 price;
        uint64 conf;
        int32 expo;
        uint256 publishTime;
    }

    /// @notice There is no such feed.
    error PriceFeedNotFound(bytes32 id);

    /// @notice The price is older than asked for. [s]
    error PriceTooOld(bytes32 id, uint256 age, uint256 limit);

    /// @notice Nobody has sampled an average of this feed yet.
    error NoAverage(bytes32 id);

    /// @notice The newest price, however old.
    function getPriceUnsafe(bytes32 id) external view returns (Price memory price);

    /// @notice The newest price; reverts when it is older. [s]
    function getPriceNoOlderThan(bytes32 id, uint256 age) external view returns (Price memory price);

    /// @notice The moving average, however old.
    function getEmaPriceUnsafe(bytes32 id) external view returns (Price memory price);

    /// @notice The moving average; reverts when it is older. [s]
    function getEmaPriceNoOlderThan(bytes32 id, uint256 age)
        external
        view
        returns (Price memory price);
}
