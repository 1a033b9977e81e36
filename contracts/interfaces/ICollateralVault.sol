// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ICollateralVault
/// @notice Holds every deposited token and pays out only what the settlement contract releases.
/// @dev C-1, C-2. Fixed at construction: no owner, no pause, no upgrade. Asset 0 is cash, assets 1,
/// 2, .. are collateral.
interface ICollateralVault {
    /// @notice Only the settlement contract may release.
    error NotSettlement(address caller);
    /// @notice No asset has this number.
    error UnknownAsset(uint8 asset);
    /// @notice A deposit of nothing.
    error ZeroAmount();
    /// @notice A deposit for nobody, or for the vault itself.
    error InvalidOwner(address owner);
    /// @notice The engine could not represent so large an amount. [token units]
    error AmountAboveLimit(uint8 asset, uint256 amount, uint256 limit);
    /// @notice The token moved another amount than it was asked to. [token units]
    error InexactTransfer(uint256 expected, uint256 received);
    /// @notice The books hold less than what is to be released. [token units]
    error InsufficientBookedBalance(uint8 asset, uint256 amount, uint256 booked);
    /// @notice A token whose unit is not the unit of the engine.
    error WrongDecimals(address token, uint8 expected, uint8 actual);
    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice Two assets are one token, which would be booked twice.
    error SameToken(address token);
    /// @notice More collateral assets than an account has room for.
    error TooManyAssets(uint256 count, uint256 limit);

    /// @param amount Paid out. [token units]
    event Released(uint8 indexed asset, address indexed to, uint256 amount);

    /// @notice Takes `amount` from the caller and queues it for `owner`'s subaccount.
    /// @dev The inbox emits the event. Refuses tokens that take a fee or lie about a transfer.
    /// @param amount What the vault must receive, exactly. [token units]
    /// @return index Position in the inbox, from 1.
    function deposit(uint8 asset, uint256 amount, address owner, uint8 subaccount)
        external
        returns (uint64 index);

    /// @notice Pays `amount` to `to`; only for the settlement contract.
    /// @param amount Exactly what leaves the vault. [token units]
    function release(uint8 asset, address to, uint256 amount) external;

    /// @notice What was deposited and not yet released; donations do not count. [token units]
    function bookedBalance(uint8 asset) external view returns (uint256);

    /// @notice How many collateral assets there are, besides cash.
    function collateralCount() external view returns (uint256);

    /// @notice The token of an asset.
    function token(uint8 asset) external view returns (address);

    /// @notice The largest single deposit of an asset. [token units]
    function depositLimit(uint8 asset) external view returns (uint256);

    /// @notice The inbox that deposits are pushed to.
    function inbox() external view returns (address);

    /// @notice The contract that may release.
    function settlement() external view returns (address);
}
