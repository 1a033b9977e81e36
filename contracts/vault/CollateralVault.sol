// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IInbox} from "../interfaces/IInbox.sol";

/// @title CollateralVault
/// @dev One lock covers both entry points, so that no token can re-enter between a transfer and
/// the books.
contract CollateralVault is ICollateralVault, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One slot: what a deposit and a release read and write.
    struct Asset {
        address token;
        uint96 booked; // [token units]
    }

    uint8 private constant CASH = 0;

    /// @dev MAX_ASSETS of offchain/core/model_rules.py.
    uint256 private constant MAX_COLLATERALS = 8;

    /// @dev The engine counts cash in USD e-6 and collateral in e-8: the units of these tokens.
    uint8 private constant CASH_DECIMALS = 6;
    uint8 private constant COLLATERAL_DECIMALS = 8;

    /// @dev CASH_BITS and COLLATERAL_BITS of offchain/core/units.py.
    uint256 private constant CASH_LIMIT = 2 ** 56 - 1;
    uint256 private constant COLLATERAL_LIMIT = 2 ** 40 - 1;

    /// @inheritdoc ICollateralVault
    address public immutable inbox;
    /// @inheritdoc ICollateralVault
    address public immutable settlement;
    /// @inheritdoc ICollateralVault
    uint256 public immutable collateralCount;

    /// @dev Tokens are written by the constructor and never again.
    mapping(uint8 asset => Asset) private _assets;

    /// @param cash Asset 0.
    /// @param collaterals Assets 1, 2, ..
    constructor(address inbox_, address settlement_, address cash, address[] memory collaterals) {
        if (inbox_ == address(0) || settlement_ == address(0)) revert ZeroAddress();
        uint256 count = collaterals.length;
        if (count > MAX_COLLATERALS) revert TooManyAssets(count, MAX_COLLATERALS);
        inbox = inbox_;
        settlement = settlement_;
        collateralCount = count;
        _list(CASH, cash, CASH_DECIMALS);
        for (uint8 i = 0; i < count; ++i) {
            _list(i + 1, collaterals[i], COLLATERAL_DECIMALS);
        }
    }

    /// @inheritdoc ICollateralVault
    function deposit(uint8 asset, uint256 amount, address owner, uint8 subaccount)
        external
        nonReentrant
        returns (uint64 index)
    {
        IERC20 erc20 = IERC20(token(asset));
        if (amount == 0) revert ZeroAmount();
        if (owner == address(0) || owner == address(this)) revert InvalidOwner(owner);
        uint256 limit = depositLimit(asset);
        if (amount > limit) revert AmountAboveLimit(asset, amount, limit);

        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = erc20.balanceOf(address(this)) - before;
        if (received != amount) revert InexactTransfer(amount, received);

        // The limit is below 2**96, and the sum is checked.
        // forge-lint: disable-next-line(unsafe-typecast)
        _assets[asset].booked += uint96(amount);
        // forge-lint: disable-next-line(unsafe-typecast): as above.
        index = IInbox(inbox).push(owner, subaccount, asset, uint128(amount));
    }

    /// @inheritdoc ICollateralVault
    function release(uint8 asset, address to, uint256 amount) external nonReentrant {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        IERC20 erc20 = IERC20(token(asset));
        uint256 booked = _assets[asset].booked;
        if (amount > booked) revert InsufficientBookedBalance(asset, amount, booked);

        // Less than what is booked, which fits.
        // forge-lint: disable-next-line(unsafe-typecast)
        _assets[asset].booked = uint96(booked - amount);
        emit Released(asset, to, amount);

        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransfer(to, amount);
        uint256 sent = before - erc20.balanceOf(address(this));
        if (sent != amount) revert InexactTransfer(amount, sent);
    }

    /// @inheritdoc ICollateralVault
    function bookedBalance(uint8 asset) external view returns (uint256) {
        return _assets[asset].booked;
    }

    /// @inheritdoc ICollateralVault
    function token(uint8 asset) public view returns (address listed) {
        listed = _assets[asset].token;
        if (listed == address(0)) revert UnknownAsset(asset);
    }

    /// @inheritdoc ICollateralVault
    function depositLimit(uint8 asset) public view returns (uint256) {
        if (asset == CASH) return CASH_LIMIT;
        if (asset <= collateralCount) return COLLATERAL_LIMIT;
        revert UnknownAsset(asset);
    }

    function _list(uint8 asset, address erc20, uint8 decimals) private {
        if (erc20 == address(0)) revert ZeroAddress();
        for (uint8 earlier = 0; earlier < asset; ++earlier) {
            if (_assets[earlier].token == erc20) revert SameToken(erc20);
        }
        uint8 actual = IERC20Metadata(erc20).decimals();
        if (actual != decimals) revert WrongDecimals(erc20, decimals, actual);
        _assets[asset].token = erc20;
    }
}
