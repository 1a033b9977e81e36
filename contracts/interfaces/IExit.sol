// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Totals} from "../types/Batch.sol";
import {ExitLeaf, ExitSums} from "../types/Checkpoint.sol";
import {InboxEntry} from "../types/Inbox.sol";

/// @title IExit
/// @notice How everybody leaves a frozen venue, with nothing but chain data.
/// @dev INV-11, L-2, L-3. Outputs of final batches are claimed at the settlement contract as
/// always; deposits that no final batch consumed are refunded here; the rest is paid pro rata from
/// the last final checkpoint. The terms are fixed once, so the order of exits does not matter. No
/// owner, no pause, no upgrade; needs no oracle, no sequencer and no governor.
interface IExit {
    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice Nobody exits from a living venue.
    error NotFrozen();
    /// @notice The terms are fixed for ever.
    error AlreadyStarted();
    /// @notice `start` comes first.
    error NotStarted();
    /// @notice No batch with a checkpoint ever became final: every deposit is refunded instead.
    error NoCheckpoint();
    /// @notice The header is not that of the last final checkpoint.
    error WrongCheckpoint(uint64 batchNo, bytes32 given, bytes32 expected);
    /// @notice The totals are not those of the checkpoint's batch.
    error WrongTotals(bytes32 given, bytes32 expected);
    /// @notice Leaf and path, or sums and root, lead to another checkpoint.
    error WrongRoot(bytes32 given, bytes32 expected);
    /// @notice Totals and sums speak of different numbers of assets.
    error WrongAssetCount(uint256 collateral, uint256 deposited, uint256 withdrawn, uint256 sums);
    /// @notice Bit `a` of the mask is asset `a`: at least one, and none that the leaf lacks.
    error WrongAssets(uint256 mask, uint256 count);
    /// @notice The account was paid these assets before.
    error AlreadyExited(uint32 account, uint256 mask);
    /// @notice The inbox has no such deposit.
    error NotADeposit(uint64 index);
    /// @notice A final batch consumed the deposit: it is in the checkpoint.
    error Consumed(uint64 index, uint64 cursor);
    /// @notice The deposit was paid back before.
    error AlreadyRefunded(uint64 index);

    /// @notice The terms are fixed, by asset, cash first. [engine units]
    /// @param available What is left for accounts.
    /// @param claims What they are owed: the sum of equity, then sums of collateral.
    event Started(
        uint64 indexed batchNo, bytes32 indexed root, uint128[] available, uint128[] claims
    );
    /// @param units Released from the vault. [engine units]
    event Exited(uint32 indexed account, address indexed owner, uint8 indexed asset, uint256 units);
    /// @param units Released from the vault. [engine units]
    event Refunded(uint64 indexed index, address indexed owner, uint8 asset, uint256 units);

    /// @notice Fixes what every claim is worth; anyone, once, after the freeze.
    /// @dev Of each asset is available what the books hold, less outputs that are not claimed yet,
    /// less deposits that no final batch consumed.
    /// @param header Of the last final batch with a checkpoint.
    /// @param totals Behind its `totalsHash`.
    /// @param sums Of the root of its sum tree.
    /// @param rootHash Hash of the root: `checkpointRoot = keccak256(abi.encode(rootHash, sums))`.
    function start(
        BatchHeader calldata header,
        Totals calldata totals,
        ExitSums calldata sums,
        bytes32 rootHash
    ) external;

    /// @notice Pays what one account is owed of some assets to its owner; anyone may call.
    /// @dev A token that refuses its transfer keeps back its own asset only: leave out its bit.
    /// @param path The 20 siblings, leaf level first, each `hash 32 | sums` with the sums packed in
    /// 16 bytes each as in the tree: equity, owed, debt, collateral of asset 1, 2, .. An empty
    /// sibling is as many zero bytes.
    /// @param assets Bit `a` asks for asset `a`; each is paid once.
    function exit(ExitLeaf calldata leaf, bytes calldata path, uint256 assets) external;

    /// @notice Pays back a deposit that no final batch consumed; anyone may call, right after the
    /// freeze.
    function refund(InboxEntry calldata entry) external;

    /// @notice Root of the checkpoint from which exits are paid; zero before `start`.
    function checkpointRoot() external view returns (bytes32);

    /// @notice What one asset is worth to those who are owed it; zero before `start`.
    /// @return available What is left for accounts. [engine units]
    /// @return claims Sum of equity for cash, else of collateral. [engine units]
    function termsOf(uint8 asset) external view returns (uint128 available, uint128 claims);

    /// @notice What `exit` pays for a leaf, if the leaf is one. [engine units]
    function payoutOf(ExitLeaf calldata leaf, uint8 asset) external view returns (uint256 units);

    /// @notice The assets that an account was paid; bit `a` is asset `a`.
    function exitedAssets(uint32 account) external view returns (uint256);

    /// @notice Whether a deposit was paid back.
    function isRefunded(uint64 index) external view returns (bool);

    /// @notice Deposits of an asset that were paid back. [engine units]
    function refundedTotal(uint8 asset) external view returns (uint256);

    /// @notice The vault that pays.
    function vault() external view returns (address);

    /// @notice The queue of deposits.
    function inbox() external view returns (address);

    /// @notice The contract that knows freeze, checkpoint and cursor.
    function settlement() external view returns (address);
}
