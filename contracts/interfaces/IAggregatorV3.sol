// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAggregatorV3
/// @notice The reading side of a Chainlink price feed, for integrators that expect that shape.
interface IAggregatorV3 {
    /// @notice The newest report is older than the heartbeat.
    error StaleRound(uint80 roundId, uint256 updatedAt);

    /// @notice Only the newest round is kept.
    error RoundNotKept(uint80 roundId, uint80 latestRoundId);

    /// @notice Decimals of `answer`: always 8.
    function decimals() external view returns (uint8);

    /// @notice What the feed prices.
    function description() external view returns (string memory);

    /// @notice Version of this adapter.
    function version() external view returns (uint256);

    /// @notice The newest price. Reverts when it is stale; `answer` is never zero or negative.
    /// @return roundId Round of the oracle report.
    /// @return answer Price. [USD e-8]
    /// @return startedAt Time of the observation. [s since 1970]
    /// @return updatedAt Time of the observation. [s since 1970]
    /// @return answeredInRound Equal to `roundId`.
    function latestRoundData()
        external
        view
        returns (
            uint80 roundId,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        );

    /// @notice As `latestRoundData`, and only for the newest round.
    function getRoundData(uint80 roundId)
        external
        view
        returns (
            uint80,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        );
}
