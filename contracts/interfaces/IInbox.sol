// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InboxEntry} from "../types/Inbox.sol";

/// @title IInbox
/// @notice The queue that no sequencer can pass by: deposits and what owners force, in order and
/// hash-chained, so that a batch can show what it consumed.
/// @dev C-6. prefix_0 = 0; prefix_n = keccak256(abi.encode(prefix_{n-1}, entryHash_n)). Fixed at
/// construction: no owner, no pause, no upgrade. A frozen venue takes no entry. Of a trading key
/// the inbox keeps the whole history, which is short: it is granted once and revoked once.
interface IInbox {
    /// @notice Only the vault may push.
    error NotVault(address caller);
    /// @notice The queue has no such entry yet.
    error NoSuchEntry(uint64 index, uint64 count);
    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice The venue is frozen for ever; what is left is refunds and exits.
    error VenueFrozen();
    /// @notice A forced withdrawal of nothing.
    error ZeroAmount();
    /// @notice No asset has this number.
    error UnknownAsset(uint8 asset);
    /// @notice A trading key that is nobody, or its owner.
    error InvalidKey(address owner, address key);
    /// @notice The owner has granted this key before. A key is granted once, so that whether it
    /// was active at any entry and time can be told for ever.
    error KeyGrantedBefore(address owner, address key, uint64 grantedIndex);
    /// @notice A key that expires now or earlier, or later than a log can say. [s since 1970]
    error InvalidExpiry(uint64 expiresAt, uint256 earliest, uint256 latest);
    /// @notice The owner never granted this key, or has revoked it.
    error KeyNotGranted(address owner, address key);

    /// @notice One entry more.
    /// @param index Position in the queue, from 1.
    /// @param kind One of `INBOX_*`.
    /// @param place Asset or instrument.
    /// @param amount In the engine's units, lots, or seconds since 1970.
    /// @param time Of the block. [s since 1970]
    /// @param prefix The prefix hash that ends with this entry.
    event Enqueued(
        uint64 indexed index,
        uint8 indexed kind,
        address indexed owner,
        uint8 subaccount,
        uint16 place,
        uint128 amount,
        address key,
        uint64 time,
        bytes32 prefix
    );

    /// @notice Appends a deposit; only for the vault.
    /// @param amount What arrived in the vault. [engine units]
    /// @return index Position in the queue, from 1.
    function push(address owner, uint8 subaccount, uint8 asset, uint128 amount)
        external
        returns (uint64 index);

    /// @notice Forces a withdrawal from an account of the caller.
    /// @param amount At most so much; 2^128 - 1 is all that is free. [engine units]
    function forceWithdraw(uint8 subaccount, uint8 asset, uint128 amount)
        external
        returns (uint64 index);

    /// @notice Forces the cancellation of every resting order of an account of the caller.
    function forceCancelAll(uint8 subaccount) external returns (uint64 index);

    /// @notice Forces a position of an account of the caller to be reduced.
    /// @dev Which instruments there are is not known here; an unknown one becomes a NOOP.
    /// @param lots At most so many; 0 is the whole position.
    function forceClose(uint8 subaccount, uint16 instrument, uint128 lots)
        external
        returns (uint64 index);

    /// @notice Lets a key sign orders and cancels for all accounts of the caller.
    /// @param expiresAt From when on it may not. [s since 1970]
    function grantKey(address key, uint64 expiresAt) external returns (uint64 index);

    /// @notice Takes a key of the caller back, or all of them.
    /// @param key Zero for all that were granted until now.
    function revokeKey(address key) external returns (uint64 index);

    /// @notice The number of entries, and so the index of the last one.
    function count() external view returns (uint64);

    /// @notice The prefix hash of the first `n` entries; reverts if there are fewer.
    function prefixAt(uint64 n) external view returns (bytes32);

    /// @notice Whether the queue has exactly this entry.
    function isEntry(InboxEntry calldata entry) external view returns (bool);

    /// @notice What the inbox knows about a key of an owner; zero where there is nothing.
    /// @param revokedIndex Entry that revoked this key alone; see `revokedAllAt` for the rest.
    function keyOf(address owner, address key)
        external
        view
        returns (uint64 grantedIndex, uint64 expiresAt, uint64 revokedIndex);

    /// @notice The last entry by which an owner revoked all keys; zero if there is none.
    function revokedAllAt(address owner) external view returns (uint64);

    /// @notice Whether a key could sign for an owner when so many entries were consumed.
    /// @param cursor Entries consumed.
    /// @param timeNs Of the record; a key is active before its expiry. [ns since 1970]
    function isKeyActive(address owner, address key, uint64 cursor, uint64 timeNs)
        external
        view
        returns (bool);

    /// @notice The contract that may push.
    function vault() external view returns (address);

    /// @notice The contract that knows whether the venue is frozen.
    function settlement() external view returns (address);
}
