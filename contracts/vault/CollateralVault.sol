// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IFreezable} from "../interfaces/IFreezable.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {IVaultLimits} from "../interfaces/IVaultLimits.sol";
import {OutflowWindow} from "./OutflowWindow.sol";

/// @title CollateralVault
/// @dev One lock covers every entry point and the views of the books, so that no token can re-enter
/// between a transfer and the books, nor show others books in the middle of one. Functions are virtual
/// only for tests that break one on purpose.
contract CollateralVault is OutflowWindow, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One slot; written when the asset is listed and never again.
    struct Asset {
        address token;
        uint8 decimals;
        uint64 minDeposit; // [engine units]
    }

    /// @dev One slot: since genesis. A deposit has at most 56 bits and the inbox counts in 64.
    struct Books {
        uint128 deposited; // [engine units]
        uint128 released; // [engine units]
    }

    uint8 private constant CASH = 0;

    /// @dev MAX_ASSETS of offchain/core/model_rules.py.
    uint256 private constant MAX_COLLATERALS = 8;

    /// @dev The engine counts cash in USD e-6 and collateral in e-8.
    uint8 private constant CASH_DECIMALS = 6;
    uint8 private constant COLLATERAL_DECIMALS = 8;
    uint8 private constant LEAST_DECIMALS = 6;
    uint8 private constant MOST_DECIMALS = 18;

    /// @dev CASH_BITS and COLLATERAL_BITS of offchain/core/units.py.
    uint256 private constant CASH_LIMIT = 2 ** 56 - 1;
    uint256 private constant COLLATERAL_LIMIT = 2 ** 40 - 1;

    /// @inheritdoc ICollateralVault
    address public immutable inbox;
    /// @inheritdoc ICollateralVault
    address public immutable exit;
    /// @inheritdoc ICollateralVault
    address public immutable governor;

    /// @inheritdoc ICollateralVault
    uint256 public collateralCount;
    mapping(uint8 asset => Asset) private _assets;
    mapping(uint8 asset => Books) private _books;

    /// @dev The inbox entry of the first deposit of each asset; zero before it.
    mapping(uint8 asset => uint64) private _firstEntry;

    /// @inheritdoc ICollateralVault
    mapping(uint8 asset => mapping(address owner => uint256)) public owedTo;

    /// @param assets Asset 0, 1, 2, ..
    constructor(Config memory config, NewAsset[] memory assets)
        OutflowWindow(config.settlement, config.limits)
    {
        if (
            config.inbox == address(0) || config.exit == address(0) || config.governor == address(0)
        ) revert ZeroAddress();
        if (assets.length == 0) revert NoCash();
        inbox = config.inbox;
        exit = config.exit;
        governor = config.governor;
        for (uint256 i = 0; i < assets.length; ++i) {
            _list(i, assets[i].token, assets[i].minDeposit);
        }
        collateralCount = assets.length - 1;
    }

    /// @inheritdoc ICollateralVault
    function deposit(uint8 asset, uint256 amount, address owner, uint8 subaccount)
        external
        nonReentrant
        returns (uint64 index)
    {
        return _deposit(asset, amount, owner, subaccount);
    }

    /// @inheritdoc ICollateralVault
    function depositWithPermit(
        uint8 asset,
        uint256 amount,
        address owner,
        uint8 subaccount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint64 index) {
        try IERC20Permit(token(asset))
            .permit(msg.sender, address(this), amount, deadline, v, r, s) {}
            catch {}
        return _deposit(asset, amount, owner, subaccount);
    }

    /// @inheritdoc ICollateralVault
    function release(uint8 asset, address to, uint256 units) external nonReentrant {
        if (msg.sender != settlement && msg.sender != exit) revert NotReleaser(msg.sender);
        uint256 booked = _requireBooked(asset, units);

        uint256 now_ = units;
        if (msg.sender == settlement) {
            now_ = _spend(asset, units, booked);
            if (now_ < units) {
                owedTo[asset][to] += units - now_;
                emit Deferred(asset, to, units - now_);
            }
        }
        _pay(asset, to, now_);
    }

    /// @inheritdoc ICollateralVault
    function collect(uint8 asset, address owner) external nonReentrant returns (uint256 units) {
        uint256 owed = owedTo[asset][owner];
        if (owed == 0) revert NothingOwed(asset, owner);
        units = _spend(asset, owed, _requireBooked(asset, owed));
        owedTo[asset][owner] = owed - units;
        _pay(asset, owner, units);
    }

    /// @inheritdoc ICollateralVault
    function list(address token_, uint64 minDeposit_) external nonReentrant returns (uint8 asset) {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
        if (IFreezable(settlement).isFrozen()) revert VenueFrozen();
        uint256 count = collateralCount + 1;
        collateralCount = count;
        return _list(count, token_, minDeposit_);
    }

    /// @inheritdoc ICollateralVault
    function bookedBalance(uint8 asset) external view virtual nonReentrantView returns (uint256) {
        return _booked(asset);
    }

    /// @inheritdoc ICollateralVault
    function depositedTotal(uint8 asset) external view nonReentrantView returns (uint256) {
        return _books[asset].deposited;
    }

    /// @inheritdoc ICollateralVault
    function releasedTotal(uint8 asset) external view nonReentrantView returns (uint256) {
        return _books[asset].released;
    }

    /// @inheritdoc ICollateralVault
    function outflowLeft(uint8 asset)
        external
        view
        nonReentrantView
        returns (uint256 left, uint256 windowEnds)
    {
        (,, left, windowEnds) = _window(asset, _booked(asset));
    }

    /// @inheritdoc ICollateralVault
    function usedCollaterals(uint64 cursor)
        external
        view
        nonReentrantView
        returns (uint256 highest)
    {
        highest = collateralCount;
        // At most 8 assets, so they fit.
        // forge-lint: disable-next-line(unsafe-typecast)
        while (highest > 0 && !_isUsed(uint8(highest), cursor)) --highest;
    }

    /// @inheritdoc ICollateralVault
    function token(uint8 asset) public view returns (address listed) {
        listed = _assets[asset].token;
        if (listed == address(0)) revert UnknownAsset(asset);
    }

    /// @inheritdoc ICollateralVault
    function decimalsOf(uint8 asset) external view returns (uint8) {
        token(asset);
        return _assets[asset].decimals;
    }

    /// @inheritdoc ICollateralVault
    function minDeposit(uint8 asset) external view returns (uint256) {
        token(asset);
        return _assets[asset].minDeposit;
    }

    /// @inheritdoc ICollateralVault
    function depositLimit(uint8 asset) external view returns (uint256) {
        token(asset);
        return _limit(asset);
    }

    function _deposit(uint8 asset, uint256 amount, address owner, uint8 subaccount)
        private
        returns (uint64 index)
    {
        IERC20 erc20 = IERC20(token(asset));
        if (owner == address(0) || owner == address(this)) revert InvalidOwner(owner);
        uint256 units = _unitsOf(asset, amount);
        _requireRoom(asset, units);

        _pull(erc20, amount);
        bool isFirst = _books[asset].deposited == 0;
        // At most the limit, which is below 2**128.
        // forge-lint: disable-next-line(unsafe-typecast)
        _books[asset].deposited += uint128(units);
        // forge-lint: disable-next-line(unsafe-typecast): as above.
        index = IInbox(inbox).push(owner, subaccount, asset, uint128(units));
        if (isFirst) _firstEntry[asset] = index;
    }

    function _list(uint256 place, address erc20, uint64 minimum) private returns (uint8 asset) {
        if (place > MAX_COLLATERALS) revert TooManyAssets(place, MAX_COLLATERALS);
        // At most 8.
        // forge-lint: disable-next-line(unsafe-typecast)
        asset = uint8(place);
        if (erc20 == address(0)) revert ZeroAddress();
        for (uint8 earlier = 0; earlier < asset; ++earlier) {
            if (_assets[earlier].token == erc20) revert SameToken(erc20);
        }
        uint8 decimals = IERC20Metadata(erc20).decimals();
        if (decimals < LEAST_DECIMALS || decimals > MOST_DECIMALS) {
            revert WrongDecimals(erc20, LEAST_DECIMALS, MOST_DECIMALS, decimals);
        }
        uint256 limit = _limit(asset);
        if (minimum == 0 || minimum > limit) revert InvalidMinimum(asset, minimum, limit);
        _assets[asset] = Asset(erc20, decimals, minimum);
        emit AssetListed(asset, erc20, decimals, minimum);
    }

    /// @dev C-2. What arrives is what was asked for, or nothing happens.
    function _pull(IERC20 erc20, uint256 amount) internal virtual {
        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = erc20.balanceOf(address(this)) - before;
        if (received != amount) revert InexactTransfer(amount, received);
    }

    /// @dev Takes `units` off the books and pays what they are in tokens, rounded down.
    function _pay(uint8 asset, address to, uint256 units) internal virtual {
        uint256 amount = _amountOf(asset, units);
        // Less than what is booked, which fits.
        // forge-lint: disable-next-line(unsafe-typecast)
        _books[asset].released += uint128(units);
        emit Released(asset, to, units, amount);
        if (amount == 0) return; // some tokens refuse to move nothing

        IERC20 erc20 = IERC20(_assets[asset].token);
        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransfer(to, amount);
        uint256 sent = before - erc20.balanceOf(address(this));
        if (sent != amount) revert InexactTransfer(amount, sent);
    }

    function _requireRoom(uint8 asset, uint256 units) private view {
        uint256 minimum = _assets[asset].minDeposit;
        if (units < minimum) revert AmountBelowMinimum(asset, units, minimum);
        uint256 limit = _limit(asset);
        if (units > limit) revert AmountAboveLimit(asset, units, limit);
        if (IVaultLimits(limits).areDepositsPaused()) revert DepositsPaused();
        uint256 left = Math.saturatingSub(IVaultLimits(limits).depositCap(asset), _booked(asset));
        if (units > left) revert DepositCapReached(asset, units, left);
    }

    function _requireBooked(uint8 asset, uint256 units) private view returns (uint256 booked) {
        booked = _booked(asset);
        if (units > booked) revert InsufficientBookedBalance(asset, units, booked);
    }

    /// @dev Whether the first entries of the inbox, so many, have a deposit of the asset.
    function _isUsed(uint8 asset, uint64 cursor) internal view virtual returns (bool) {
        uint64 first = _firstEntry[asset];
        return first != 0 && first <= cursor;
    }

    function _booked(uint8 asset) internal view returns (uint256) {
        Books memory books = _books[asset];
        return books.deposited - books.released;
    }

    /// @dev Exact; an amount beyond all limits stays beyond them.
    function _unitsOf(uint8 asset, uint256 amount) private view returns (uint256) {
        (uint256 finer, uint256 coarser) = _scale(asset);
        if (amount % finer != 0) revert NotWholeUnits(asset, amount, finer);
        return Math.saturatingMul(amount / finer, coarser);
    }

    /// @dev Rounded down: C-3.
    function _amountOf(uint8 asset, uint256 units) internal view virtual returns (uint256) {
        (uint256 finer, uint256 coarser) = _scale(asset);
        return units * finer / coarser;
    }

    /// @dev Token units in an engine unit, and engine units in a token unit; one of them is 1.
    function _scale(uint8 asset) private view returns (uint256 finer, uint256 coarser) {
        uint256 has = _assets[asset].decimals;
        uint256 wants = asset == CASH ? CASH_DECIMALS : COLLATERAL_DECIMALS;
        finer = 10 ** Math.saturatingSub(has, wants);
        coarser = 10 ** Math.saturatingSub(wants, has);
    }

    function _limit(uint8 asset) private pure returns (uint256) {
        return asset == CASH ? CASH_LIMIT : COLLATERAL_LIMIT;
    }
}
