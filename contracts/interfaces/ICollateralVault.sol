// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ICollateralVault
/// @notice Holds every deposited token and pays out only what settlement or exit release.
/// @dev C-1, C-2, C-3, C-5, C-7. Fixed at construction but for assets that the governor adds: no
/// pause, no upgrade, no way for any role to move a token. Asset 0 is cash, 1, 2, .. are collateral.
/// Everything is in the engine's units, USD e-6 for cash and token e-8 for collateral, whatever
/// decimals the token has, except what a depositor hands over, which is in token units.
interface ICollateralVault {
    /// @notice The contracts around the vault.
    /// @param exit May release after a freeze.
    /// @param limits Deposit and outflow caps, an IVaultLimits.
    /// @param governor May add assets.
    struct Config {
        address inbox;
        address settlement;
        address exit;
        address limits;
        address governor;
    }

    /// @notice One asset at its listing.
    /// @param minDeposit Least deposit, since an account of its own costs the venue. [engine units]
    struct NewAsset {
        address token;
        uint64 minDeposit;
    }

    /// @notice Only settlement and exit may release.
    error NotReleaser(address caller);
    /// @notice Only the governor may add an asset.
    error NotGovernor(address caller);
    /// @notice Nothing is listed in a frozen venue.
    error VenueFrozen();
    /// @notice No asset has this number.
    error UnknownAsset(uint8 asset);
    /// @notice A deposit for nobody, or for the vault itself.
    error InvalidOwner(address owner);
    /// @notice The guardian has paused deposits.
    error DepositsPaused();
    /// @notice A deposit that is no whole number of the engine's units. [token units]
    error NotWholeUnits(uint8 asset, uint256 amount, uint256 unit);
    /// @notice A deposit below the least of its asset. [engine units]
    error AmountBelowMinimum(uint8 asset, uint256 units, uint256 minimum);
    /// @notice The engine could not represent so large an amount. [engine units]
    error AmountAboveLimit(uint8 asset, uint256 units, uint256 limit);
    /// @notice The vault would hold more than its cap. [engine units]
    error DepositCapReached(uint8 asset, uint256 units, uint256 left);
    /// @notice The token moved another amount than it was asked to. [token units]
    error InexactTransfer(uint256 expected, uint256 received);
    /// @notice The books hold less than what is to be released. [engine units]
    error InsufficientBookedBalance(uint8 asset, uint256 units, uint256 booked);
    /// @notice More than what may still leave in this window; it is not lost. [engine units]
    /// @param windowEnds From when on more may leave. [s since 1970]
    error OutflowCapReached(uint8 asset, uint256 units, uint256 left, uint256 windowEnds);
    /// @notice Nothing of this asset was deferred for this owner.
    error NothingOwed(uint8 asset, address owner);
    /// @notice A token whose decimals the vault does not convert.
    error WrongDecimals(address token, uint8 least, uint8 most, uint8 actual);
    /// @notice A least deposit of nothing, or above the largest deposit. [engine units]
    error InvalidMinimum(uint8 asset, uint256 minimum, uint256 limit);
    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice Two assets are one token, which would be booked twice.
    error SameToken(address token);
    /// @notice More collateral assets than an account has room for.
    error TooManyAssets(uint256 count, uint256 limit);
    /// @notice A vault without cash.
    error NoCash();

    /// @param minDeposit Least deposit. [engine units]
    event AssetListed(
        uint8 indexed asset, address indexed token, uint8 decimals, uint64 minDeposit
    );
    /// @param units What left the books. [engine units]
    /// @param amount Paid out. [token units]
    event Released(uint8 indexed asset, address indexed to, uint256 units, uint256 amount);
    /// @param units To be collected in later windows. [engine units]
    event Deferred(uint8 indexed asset, address indexed to, uint256 units);

    /// @notice Takes `amount` from the caller and queues it for `owner`'s subaccount.
    /// @dev The inbox emits the event. Refuses tokens that take a fee or lie about a transfer.
    /// @param amount What the vault must receive, exactly. [token units]
    /// @return index Position in the inbox, from 1.
    function deposit(uint8 asset, uint256 amount, address owner, uint8 subaccount)
        external
        returns (uint64 index);

    /// @notice `deposit` with the caller's ERC-2612 permit for exactly `amount`.
    /// @dev A permit that fails is ignored: somebody may have used it in advance, and then the
    /// allowance is there.
    function depositWithPermit(
        uint8 asset,
        uint256 amount,
        address owner,
        uint8 subaccount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint64 index);

    /// @notice Pays `units` to `to`; only for settlement and exit.
    /// @dev A token with fewer decimals than the engine pays the whole token units in it; what is
    /// left, less than one of them, stays in the vault unbooked. What settlement releases counts
    /// against the outflow of its window, until a freeze: what exceeds it reverts and may be tried
    /// again in the next, but what no window could ever pay goes out in parts, of which `collect`
    /// pays the later ones.
    /// @param units What leaves the books. [engine units]
    function release(uint8 asset, address to, uint256 units) external;

    /// @notice Pays an owner as much of what was deferred as may leave now; anyone may call.
    /// @return units What left the books. [engine units]
    function collect(uint8 asset, address owner) external returns (uint256 units);

    /// @notice Adds the next collateral asset; only for the governor. Nothing can be deposited
    /// until the limits say so.
    /// @return asset Its number.
    function list(address token, uint64 minDeposit) external returns (uint8 asset);

    /// @notice What was deposited and not yet released; donations do not count. [engine units]
    /// @dev Zero for an asset that is not listed. This and the next two revert while the vault is
    /// in the middle of a transfer.
    function bookedBalance(uint8 asset) external view returns (uint256);

    /// @notice What was deposited since genesis. [engine units]
    function depositedTotal(uint8 asset) external view returns (uint256);

    /// @notice What was released since genesis. [engine units]
    function releasedTotal(uint8 asset) external view returns (uint256);

    /// @notice What may leave of an asset before the end of its window, were it asked for now.
    /// @return left At most so much. [engine units]
    /// @return windowEnds When the window ends. [s since 1970]
    function outflowLeft(uint8 asset) external view returns (uint256 left, uint256 windowEnds);

    /// @notice What `collect` has still to pay an owner; still on the books. [engine units]
    function owedTo(uint8 asset, address owner) external view returns (uint256);

    /// @notice How many collateral assets there are, besides cash.
    function collateralCount() external view returns (uint256);

    /// @notice The highest collateral asset of which the first `cursor` entries of the inbox have a
    /// deposit; zero if none.
    /// @dev What the totals of a batch that consumed so many must speak of at least. Whoever pays in
    /// an asset that was listed since a batch was committed cannot keep that batch from becoming
    /// final: the batch did not consume it.
    function usedCollaterals(uint64 cursor) external view returns (uint256);

    /// @notice The token of an asset.
    function token(uint8 asset) external view returns (address);

    /// @notice Decimals of the token of an asset when it was listed.
    function decimalsOf(uint8 asset) external view returns (uint8);

    /// @notice The smallest single deposit of an asset. [engine units]
    function minDeposit(uint8 asset) external view returns (uint256);

    /// @notice The largest single deposit of an asset. [engine units]
    function depositLimit(uint8 asset) external view returns (uint256);

    /// @notice The inbox that deposits are pushed to.
    function inbox() external view returns (address);

    /// @notice The contract that releases outputs.
    function settlement() external view returns (address);

    /// @notice The contract that releases exits and refunds.
    function exit() external view returns (address);

    /// @notice Deposit and outflow caps.
    function limits() external view returns (address);

    /// @notice Who may add assets.
    function governor() external view returns (address);
}
