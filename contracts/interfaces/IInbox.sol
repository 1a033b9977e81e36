// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IInbox
/// @notice The queue of deposits, hash-chained so that a batch can show which ones it consumed.
/// @dev prefix_0 = 0; prefix_n = keccak256(abi.encode(prefix_{n-1}, entryHash_n)).
interface IInbox {
    /// @notice Only the vault may push.
    error NotVault(address caller);
    /// @notice The queue has no such entry yet.
    error NoSuchEntry(uint64 index, uint64 count);
    /// @notice An address that must be given is missing.
    error ZeroAddress();

    /// @param index Position in the queue, from 1.
    /// @param amount What arrived in the vault. [token units]
    /// @param prefix The prefix hash that ends with this entry.
    event Deposited(
        uint64 indexed index,
        address indexed owner,
        uint8 subaccount,
        uint8 asset,
        uint128 amount,
        bytes32 prefix
    );

    /// @notice Appends a deposit; only for the vault.
    /// @param amount What arrived in the vault. [token units]
    /// @return index Position in the queue, from 1.
    function push(address owner, uint8 subaccount, uint8 asset, uint128 amount)
        external
        returns (uint64 index);

    /// @notice The number of entries, and so the index of the last one.
    function count() external view returns (uint64);

    /// @notice The prefix hash of the first `n` entries; reverts if there are fewer.
    function prefixAt(uint64 n) external view returns (bytes32);

    /// @notice The contract that may push.
    function vault() external view returns (address);
}
