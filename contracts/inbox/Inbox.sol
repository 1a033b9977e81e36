// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {BatchHash} from "../libraries/BatchHash.sol";

/// @title Inbox
contract Inbox is IInbox {
    uint8 private constant KIND_DEPOSIT = 1;

    /// @inheritdoc IInbox
    address public immutable vault;

    /// @inheritdoc IInbox
    uint64 public count;
    mapping(uint64 index => bytes32) private _prefixes;

    constructor(address vault_) {
        if (vault_ == address(0)) revert ZeroAddress();
        vault = vault_;
    }

    /// @inheritdoc IInbox
    function push(address owner, uint8 subaccount, uint8 asset, uint128 amount)
        external
        returns (uint64 index)
    {
        if (msg.sender != vault) revert NotVault(msg.sender);

        index = count + 1;
        bytes32 entryHash =
            BatchHash.inboxEntryHash(KIND_DEPOSIT, index, owner, subaccount, asset, amount);
        bytes32 prefix = BatchHash.inboxPrefix(_prefixes[index - 1], entryHash);
        _prefixes[index] = prefix;
        count = index;

        emit Deposited(index, owner, subaccount, asset, amount, prefix);
    }

    /// @inheritdoc IInbox
    function prefixAt(uint64 n) external view returns (bytes32) {
        if (n > count) revert NoSuchEntry(n, count);
        return _prefixes[n];
    }
}
