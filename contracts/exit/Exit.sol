// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IExit} from "../interfaces/IExit.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {SumTree} from "../libraries/SumTree.sol";
import {BatchHeader, Totals} from "../types/Batch.sol";
import {ExitLeaf, ExitSums} from "../types/Checkpoint.sol";
import {INBOX_DEPOSIT, InboxEntry} from "../types/Inbox.sol";

/// @title Exit
/// @dev Internal functions are virtual only for tests that break one on purpose.
contract Exit is IExit, ReentrancyGuardTransient {
    using BitMaps for BitMaps.BitMap;

    /// @dev One slot. [engine units]
    struct Terms {
        uint128 available;
        uint128 claims;
    }

    uint8 private constant CASH = 0;

    /// @dev The engine counts cash in USD e-6 and collateral in e-8.
    uint256 private constant CASH_DECIMALS = 6;
    uint256 private constant COLLATERAL_DECIMALS = 8;

    /// @dev Many times what a balance costs to read. Whoever starts the exits with less has none
    /// left to end with.
    uint256 private constant TOKEN_GAS = 200_000;

    /// @inheritdoc IExit
    address public immutable vault;
    /// @inheritdoc IExit
    address public immutable inbox;
    /// @inheritdoc IExit
    address public immutable settlement;

    /// @inheritdoc IExit
    bytes32 public checkpointRoot;
    /// @inheritdoc IExit
    mapping(uint8 asset => Terms) public termsOf;
    /// @inheritdoc IExit
    mapping(uint32 account => uint256) public exitedAssets;
    /// @inheritdoc IExit
    mapping(uint8 asset => uint256) public refundedTotal;
    BitMaps.BitMap private _refunded;

    constructor(address vault_, address inbox_, address settlement_) {
        if (vault_ == address(0) || inbox_ == address(0) || settlement_ == address(0)) {
            revert ZeroAddress();
        }
        vault = vault_;
        inbox = inbox_;
        settlement = settlement_;
    }

    /// @inheritdoc IExit
    function start(
        BatchHeader calldata header,
        Totals calldata totals,
        ExitSums calldata sums,
        bytes32 rootHash
    ) external nonReentrant {
        _requireFrozen();
        if (checkpointRoot != 0) revert AlreadyStarted();
        (uint64 batchNo, bytes32 root) = _requireCheckpoint(header);
        bytes32 totalsHash = BatchHash.totalsHash(totals);
        if (totalsHash != header.totalsHash) revert WrongTotals(totalsHash, header.totalsHash);
        bytes32 given = BatchHash.checkpointRoot(rootHash, sums);
        if (given != root) revert WrongRoot(given, root);

        checkpointRoot = root;
        _fix(batchNo, root, totals, sums);
    }

    /// @inheritdoc IExit
    function exit(ExitLeaf calldata leaf, bytes calldata path, uint256 assets)
        external
        nonReentrant
    {
        bytes32 root = checkpointRoot;
        if (root == 0) revert NotStarted();
        uint256 count = leaf.collateralE8.length + 1;
        if (assets == 0 || assets >> count != 0) revert WrongAssets(assets, count);
        bytes32 given = SumTree.rootOf(leaf, path);
        if (given != root) revert WrongRoot(given, root);
        _take(leaf.account, assets);

        for (uint8 asset = 0; asset < count; ++asset) {
            if (assets >> asset & 1 == 0) continue;
            uint256 units = _payout(leaf, asset);
            emit Exited(leaf.account, leaf.owner, asset, units);
            if (units != 0) ICollateralVault(vault).release(asset, leaf.owner, units);
        }
    }

    /// @inheritdoc IExit
    function refund(InboxEntry calldata entry) external nonReentrant {
        _requireFrozen();
        _requireRefundable(entry);
        // The vault counts assets in 8 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint8 asset = uint8(entry.place);

        _refunded.set(entry.index);
        refundedTotal[asset] += entry.amount;
        emit Refunded(entry.index, entry.owner, asset, entry.amount);
        ICollateralVault(vault).release(asset, entry.owner, entry.amount);
    }

    /// @inheritdoc IExit
    function payoutOf(ExitLeaf calldata leaf, uint8 asset) external view returns (uint256) {
        return asset > leaf.collateralE8.length ? 0 : _payout(leaf, asset);
    }

    /// @inheritdoc IExit
    function isRefunded(uint64 index) external view returns (bool) {
        return _refunded.get(index);
    }

    function _fix(uint64 batchNo, bytes32 root, Totals calldata totals, ExitSums calldata sums)
        private
    {
        uint256 count = sums.collateralE8.length;
        if (
            totals.collateralE8.length != count || totals.depositedCollateral.length != count
                || totals.withdrawnCollateral.length != count
        ) {
            revert WrongAssetCount(
                totals.collateralE8.length,
                totals.depositedCollateral.length,
                totals.withdrawnCollateral.length,
                count
            );
        }
        uint128[] memory available = new uint128[](count + 1);
        uint128[] memory claims = new uint128[](count + 1);
        available[0] = _available(CASH, totals.depositedCash, totals.withdrawnCash);
        claims[0] = sums.equityE6;
        for (uint256 i = 0; i < count; ++i) {
            (uint128 deposited, uint128 withdrawn) =
                (totals.depositedCollateral[i], totals.withdrawnCollateral[i]);
            // No batch with more than 8 collateral assets becomes final.
            // forge-lint: disable-next-line(unsafe-typecast)
            available[i + 1] = _available(uint8(i + 1), deposited, withdrawn);
            claims[i + 1] = sums.collateralE8[i];
        }
        for (uint8 asset = 0; asset <= count; ++asset) {
            termsOf[asset] = Terms(available[asset], claims[asset]);
        }
        emit Started(batchNo, root, available, claims);
    }

    /// @dev Each account and asset once: C-6.
    function _take(uint32 account, uint256 assets) internal virtual {
        uint256 before = exitedAssets[account];
        if (before & assets != 0) revert AlreadyExited(account, before & assets);
        exitedAssets[account] = before | assets;
    }

    /// @dev Each deposit once, and only one that no final batch consumed.
    function _requireRefundable(InboxEntry calldata entry) internal view virtual {
        if (entry.kind != INBOX_DEPOSIT || !IInbox(inbox).isEntry(entry)) {
            revert NotADeposit(entry.index);
        }
        uint64 cursor = ISettlement(settlement).finalCursor();
        if (entry.index <= cursor) revert Consumed(entry.index, cursor);
        if (_refunded.get(entry.index)) revert AlreadyRefunded(entry.index);
    }

    /// @dev What the books hold, less what others come first for. Books that cannot be, of a batch
    /// that should never have become final, leave less, never a revert: the way out stays open.
    function _available(uint8 asset, uint256 deposited, uint256 withdrawn)
        internal
        view
        virtual
        returns (uint128)
    {
        ICollateralVault held = ICollateralVault(vault);
        uint256 refunded = refundedTotal[asset];
        uint256 claimed = held.releasedTotal(asset) - refunded;
        uint256 unclaimed = Math.saturatingSub(withdrawn, claimed);
        uint256 unconsumed =
            Math.saturatingSub(Math.saturatingSub(held.depositedTotal(asset), deposited), refunded);
        // What is on the books fits 128 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(Math.saturatingSub(_backed(held, asset), unclaimed + unconsumed));
    }

    /// @dev What is on the books and, as far as its token says, in the vault. A token that took
    /// some away would pay the first in full and the last nothing; so all share what it left. One
    /// that does not answer is believed to have left everything: it must not close the way out.
    function _backed(ICollateralVault held, uint8 asset) internal view virtual returns (uint256) {
        uint256 booked = held.bookedBalance(asset);
        address erc20 = held.token(asset);
        bytes memory query = abi.encodeCall(IERC20.balanceOf, (vault));
        bool done;
        uint256 tokens;
        // Of an answer only its first word is copied: a long one would cost more than it was given.
        assembly ("memory-safe") {
            done := staticcall(TOKEN_GAS, erc20, add(query, 0x20), mload(query), 0, 0x20)
            done := and(done, gt(returndatasize(), 0x1f))
            tokens := mload(0)
        }
        if (!done) return booked;
        uint256 has = held.decimalsOf(asset);
        uint256 wants = asset == CASH ? CASH_DECIMALS : COLLATERAL_DECIMALS;
        uint256 units = Math.saturatingMul(
            tokens / 10 ** Math.saturatingSub(has, wants), 10 ** Math.saturatingSub(wants, has)
        );
        return Math.min(booked, units);
    }

    /// @dev Rounded down. A leaf's claim is at most the sum of all, so nothing exceeds 256 bits and
    /// no sum of payouts what is available.
    function _payout(ExitLeaf calldata leaf, uint8 asset) internal view virtual returns (uint256) {
        uint256 equity = termsOf[CASH].claims;
        Terms memory terms = termsOf[asset];
        uint256 shared = Math.min(terms.available, terms.claims);
        if (asset == CASH) return _share(leaf.equityE6, shared, equity);
        uint256 surplus = terms.available - shared;
        return _share(leaf.collateralE8[asset - 1], shared, terms.claims)
            + _share(leaf.equityE6, surplus, equity);
    }

    function _requireFrozen() private view {
        if (!ISettlement(settlement).isFrozen()) revert NotFrozen();
    }

    function _requireCheckpoint(BatchHeader calldata header)
        private
        view
        returns (uint64 batchNo, bytes32 root)
    {
        (batchNo, root) = ISettlement(settlement).checkpoint();
        if (root == 0) revert NoCheckpoint();
        bytes32 expected = ISettlement(settlement).batchHashOf(batchNo);
        bytes32 given = BatchHash.givenHeaderHash(header);
        if (given != expected) revert WrongCheckpoint(batchNo, given, expected);
    }

    function _share(uint256 claim, uint256 available, uint256 claims)
        private
        pure
        returns (uint256)
    {
        return claims == 0 ? 0 : claim * available / claims;
    }
}
