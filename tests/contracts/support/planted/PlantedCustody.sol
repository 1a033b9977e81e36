// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Exit} from "../../../../contracts/exit/Exit.sol";
import {Inbox} from "../../../../contracts/inbox/Inbox.sol";
import {ICollateralVault} from "../../../../contracts/interfaces/ICollateralVault.sol";
import {IInbox} from "../../../../contracts/interfaces/IInbox.sol";
import {ExitLeaf} from "../../../../contracts/types/Checkpoint.sol";
import {InboxEntry} from "../../../../contracts/types/Inbox.sol";
import {CollateralVault} from "../../../../contracts/vault/CollateralVault.sol";

/// @dev One thing wrong in vault, inbox or exit.
enum Bug {
    NONE,
    PAYS_TOO_MUCH, // C-1, C-3
    PAYS_ANOTHER, // C-4
    BELIEVES_THE_TOKEN, // C-2
    NO_OUTFLOW_CAP, // C-5
    UNLOCKED_BOOKS, // C-7
    FORGETS_AN_ENTRY, // C-6
    EXITS_TWICE, // C-6, INV-11
    REFUNDS_TWICE, // C-6
    REFUNDS_CONSUMED, // INV-1
    FORGETS_OUTPUTS, // INV-11, L-2
    ORDER_MATTERS, // INV-11
    ROUNDS_UP // INV-11
}

/// @dev The vault with a bug.
contract PlantedVault is CollateralVault {
    Bug private immutable _bug;

    constructor(Bug bug, Config memory config, NewAsset[] memory assets)
        CollateralVault(config, assets)
    {
        _bug = bug;
    }

    function bookedBalance(uint8 asset) external view override returns (uint256) {
        if (_bug != Bug.UNLOCKED_BOOKS && _reentrancyGuardEntered()) {
            revert ReentrancyGuardReentrantCall();
        }
        return _booked(asset);
    }

    function _pull(IERC20 erc20, uint256 amount) internal override {
        if (_bug != Bug.BELIEVES_THE_TOKEN) return super._pull(erc20, amount);
        // A broken vault would look at nothing.
        // forge-lint: disable-next-line(erc20-unchecked-transfer)
        erc20.transferFrom(msg.sender, address(this), amount);
    }

    function _pay(uint8 asset, address to, uint256 units) internal override {
        super._pay(asset, _bug == Bug.PAYS_ANOTHER && units % 2 == 1 ? address(0xbad) : to, units);
    }

    function _amountOf(uint8 asset, uint256 units) internal view override returns (uint256) {
        return super._amountOf(asset, units) + (_bug == Bug.PAYS_TOO_MUCH ? 1 : 0);
    }

    function _spend(uint8 asset, uint256 units, uint256 booked)
        internal
        override
        returns (uint256)
    {
        return _bug == Bug.NO_OUTFLOW_CAP ? units : super._spend(asset, units, booked);
    }
}

/// @dev An inbox with a bug.
contract PlantedInbox is Inbox {
    Bug private immutable _bug;

    constructor(Bug bug, address vault_, address settlement_) Inbox(vault_, settlement_) {
        _bug = bug;
    }

    function _append(
        uint8 kind,
        address owner,
        uint8 subaccount,
        uint16 place,
        uint128 amount,
        address key
    ) internal override returns (uint64) {
        // It says so, and does not do it.
        if (_bug == Bug.FORGETS_AN_ENTRY && kind != 1) return count + 1;
        return super._append(kind, owner, subaccount, place, amount, key);
    }
}

/// @dev An exit with a bug.
contract PlantedExit is Exit {
    Bug private immutable _bug;

    constructor(Bug bug, address vault_, address inbox_, address settlement_)
        Exit(vault_, inbox_, settlement_)
    {
        _bug = bug;
    }

    function _take(uint32 account, uint256 assets) internal override {
        if (_bug != Bug.EXITS_TWICE) super._take(account, assets);
    }

    function _requireRefundable(InboxEntry calldata entry) internal view override {
        bool skips = _bug == Bug.REFUNDS_TWICE && this.isRefunded(entry.index);
        if (_bug == Bug.REFUNDS_CONSUMED) {
            skips = !this.isRefunded(entry.index) && IInbox(inbox).isEntry(entry);
        }
        if (!skips) super._requireRefundable(entry);
    }

    function _available(uint8 asset, uint256 deposited, uint256 withdrawn)
        internal
        view
        override
        returns (uint128)
    {
        if (_bug == Bug.FORGETS_OUTPUTS) withdrawn = 0;
        return super._available(asset, deposited, withdrawn);
    }

    function _payout(ExitLeaf calldata leaf, uint8 asset) internal view override returns (uint256) {
        uint256 units = super._payout(leaf, asset);
        if (_bug == Bug.ROUNDS_UP && units != 0) return units + 1;
        if (_bug != Bug.ORDER_MATTERS || asset != 0) return units;
        uint256 booked = ICollateralVault(vault).bookedBalance(0);
        return leaf.equityE6 < booked ? leaf.equityE6 : booked;
    }
}
