// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exit} from "../../../contracts/exit/Exit.sol";
import {Inbox} from "../../../contracts/inbox/Inbox.sol";
import {ICollateralVault} from "../../../contracts/interfaces/ICollateralVault.sol";
import {IVaultLimits} from "../../../contracts/interfaces/IVaultLimits.sol";
import {CollateralVault} from "../../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "./HostileTokens.sol";
import {vm} from "./Vm.sol";

/// @dev What vault, inbox and exit ask of the settlement contract, as the test wants it, so that
/// states that no honest chain of batches reaches can be tried too.
contract FinalBooks {
    bool public isFrozen;
    uint64 public finalCursor;
    uint64 private _batchNo;
    bytes32 private _root;
    mapping(uint64 batchNo => bytes32) public batchHashOf;

    function freeze() external {
        isFrozen = true;
    }

    function setFinal(uint64 batchNo, bytes32 batchHash, bytes32 root, uint64 cursor) external {
        (_batchNo, _root, finalCursor) = (batchNo, root, cursor);
        batchHashOf[batchNo] = batchHash;
    }

    function checkpoint() external view returns (uint64, bytes32) {
        return (_batchNo, _root);
    }

    function pay(ICollateralVault vault, uint8 asset, address to, uint256 units) external {
        vault.release(asset, to, units);
    }
}

/// @dev Limits that the test sets: everything is allowed at first.
contract SetLimits is IVaultLimits {
    bool public areDepositsPaused;
    uint64 public outflowWindow = 1 hours;
    uint256 private _depositCap = type(uint256).max;
    uint256 private _outflowFloor = type(uint256).max;
    uint256 private _outflowPercent;

    function setPaused(bool paused) external {
        areDepositsPaused = paused;
    }

    function setDepositCap(uint256 cap) external {
        _depositCap = cap;
    }

    function setOutflow(uint256 floor, uint256 percent) external {
        (_outflowFloor, _outflowPercent) = (floor, percent);
    }

    function depositCap(uint8) external view returns (uint256) {
        return _depositCap;
    }

    function outflowCap(uint8, uint256 held) external view returns (uint256) {
        uint256 share = held * _outflowPercent / 100;
        return share > _outflowFloor ? share : _outflowFloor;
    }
}

/// @dev Vault, inbox and exit wired as in a deployment. What makes them is virtual, so that a test
/// can put a broken one in the place of each.
abstract contract VaultRig {
    uint256 internal constant START = 1_700_000_000;
    address internal constant GOVERNOR = address(0x90be7);

    FinalBooks internal books;
    SetLimits internal limits;
    CollateralVault internal vault;
    Inbox internal inbox;
    Exit internal exit;

    function deployVault(address[] memory tokens) internal {
        vm.warp(START);
        books = new FinalBooks();
        limits = new SetLimits();
        uint256 nonce = vm.getNonce(address(this));
        address vaultAt = vm.computeCreateAddress(address(this), nonce);
        address inboxAt = vm.computeCreateAddress(address(this), nonce + 1);
        address exitAt = vm.computeCreateAddress(address(this), nonce + 2);
        vault = makeVault(configOf(inboxAt, exitAt), minimal(tokens));
        inbox = makeInbox(vaultAt);
        exit = makeExit(vaultAt, inboxAt);
        vm.assertEq(address(exit), exitAt);
    }

    function makeVault(
        ICollateralVault.Config memory config,
        ICollateralVault.NewAsset[] memory assets
    ) internal virtual returns (CollateralVault) {
        return new CollateralVault(config, assets);
    }

    function makeInbox(address vaultAt) internal virtual returns (Inbox) {
        return new Inbox(vaultAt, address(books));
    }

    function makeExit(address vaultAt, address inboxAt) internal virtual returns (Exit) {
        return new Exit(vaultAt, inboxAt, address(books));
    }

    function configOf(address inboxAt, address exitAt)
        internal
        view
        returns (ICollateralVault.Config memory)
    {
        return ICollateralVault.Config({
            inbox: inboxAt,
            settlement: address(books),
            exit: exitAt,
            limits: address(limits),
            governor: GOVERNOR
        });
    }

    /// @dev Assets of which one unit is enough.
    function minimal(address[] memory tokens)
        internal
        pure
        returns (ICollateralVault.NewAsset[] memory assets)
    {
        assets = new ICollateralVault.NewAsset[](tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            assets[i] = ICollateralVault.NewAsset(tokens[i], 1);
        }
    }

    function both(address first, address second) internal pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (first, second);
    }

    function only(address token) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = token;
    }

    /// @dev Of new tokens, from this contract.
    function depositFor(uint8 asset, address owner, uint8 subaccount, uint256 amount)
        internal
        returns (uint64)
    {
        PlainToken token = PlainToken(vault.token(asset));
        token.mint(address(this), amount);
        token.approve(address(vault), amount);
        return vault.deposit(asset, amount, owner, subaccount);
    }
}
