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

    uint8 private constant CASH = 0;
    uint8 private constant COLLATERAL = 1;

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
    address private immutable CASH_TOKEN;
    address private immutable COLLATERAL_TOKEN;

    /// @inheritdoc ICollateralVault
    mapping(uint8 asset => uint256) public bookedBalance;

    constructor(address inbox_, address settlement_, address cash, address collateral) {
        if (inbox_ == address(0) || settlement_ == address(0)) revert ZeroAddress();
        if (cash == collateral) revert SameToken(cash);
        _requireDecimals(cash, CASH_DECIMALS);
        _requireDecimals(collateral, COLLATERAL_DECIMALS);
        inbox = inbox_;
        settlement = settlement_;
        CASH_TOKEN = cash;
        COLLATERAL_TOKEN = collateral;
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

        bookedBalance[asset] += amount;
        // The limit is below 2**128.
        // forge-lint: disable-next-line(unsafe-typecast)
        index = IInbox(inbox).push(owner, subaccount, asset, uint128(amount));
    }

    /// @inheritdoc ICollateralVault
    function release(uint8 asset, address to, uint256 amount) external nonReentrant {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        IERC20 erc20 = IERC20(token(asset));
        uint256 booked = bookedBalance[asset];
        if (amount > booked) revert InsufficientBookedBalance(asset, amount, booked);

        bookedBalance[asset] = booked - amount;
        emit Released(asset, to, amount);

        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransfer(to, amount);
        uint256 sent = before - erc20.balanceOf(address(this));
        if (sent != amount) revert InexactTransfer(amount, sent);
    }

    /// @inheritdoc ICollateralVault
    function token(uint8 asset) public view returns (address) {
        if (asset == CASH) return CASH_TOKEN;
        if (asset == COLLATERAL) return COLLATERAL_TOKEN;
        revert UnknownAsset(asset);
    }

    /// @inheritdoc ICollateralVault
    function depositLimit(uint8 asset) public pure returns (uint256) {
        if (asset == CASH) return CASH_LIMIT;
        if (asset == COLLATERAL) return COLLATERAL_LIMIT;
        revert UnknownAsset(asset);
    }

    function _requireDecimals(address erc20, uint8 expected) private view {
        uint8 actual = IERC20Metadata(erc20).decimals();
        if (actual != expected) revert WrongDecimals(erc20, expected, actual);
    }
}
