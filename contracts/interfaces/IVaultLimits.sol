// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IVaultLimits
/// @notice What the vault asks before it takes or pays; amounts in the engine's units.
interface IVaultLimits {
    /// @notice Whether the guardian has paused deposits.
    function areDepositsPaused() external view returns (bool);

    /// @notice The most of an asset that the vault may hold now; ramps up, falls at once.
    function depositCap(uint8 asset) external view returns (uint256);

    /// @notice The most of an asset that may leave in one window.
    /// @param held What the vault held when the window began.
    function outflowCap(uint8 asset, uint256 held) external view returns (uint256);

    /// @notice Length of a window. [s]
    function outflowWindow() external view returns (uint64);
}
