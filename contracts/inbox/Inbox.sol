// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IFreezable} from "../interfaces/IFreezable.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {
    INBOX_CANCEL_ALL,
    INBOX_CLOSE,
    INBOX_DEPOSIT,
    INBOX_GRANT_KEY,
    INBOX_REVOKE_KEY,
    INBOX_WITHDRAW,
    InboxEntry
} from "../types/Inbox.sol";
import {SECOND_NS} from "../types/Units.sol";

/// @title Inbox
/// @dev Calls only the vault and the settlement contract, so nobody can re-enter. Internal
/// functions are virtual only for tests that break one on purpose.
contract Inbox is IInbox {
    /// @dev One slot. An era of an owner ends with a revocation of all keys; `revokedAll` knows
    /// which entry ended it.
    struct Key {
        uint64 grantedIndex;
        uint64 expiresAt; // [s since 1970]
        uint64 revokedIndex;
        uint64 era;
    }

    /// @dev Four numbers to a slot, of which the first of all counts the others.
    uint256 private constant LANES = 4;
    uint256 private constant LANE_BITS = 64;

    /// @dev Times in a log are nanoseconds in 64 bits.
    uint256 private constant LATEST_EXPIRY = type(uint64).max / SECOND_NS;

    /// @inheritdoc IInbox
    address public immutable vault;
    /// @inheritdoc IInbox
    address public immutable settlement;
    /// @inheritdoc IInbox
    uint64 public count;
    mapping(uint64 index => bytes32) private _prefixes;
    mapping(address owner => mapping(address key => Key)) private _keys;
    mapping(address owner => mapping(uint256 word => uint256)) private _revokedAll;

    constructor(address vault_, address settlement_) {
        if (vault_ == address(0) || settlement_ == address(0)) revert ZeroAddress();
        vault = vault_;
        settlement = settlement_;
    }

    /// @inheritdoc IInbox
    function push(address owner, uint8 subaccount, uint8 asset, uint128 amount)
        external
        returns (uint64 index)
    {
        if (msg.sender != vault) revert NotVault(msg.sender);
        return _append(INBOX_DEPOSIT, owner, subaccount, asset, amount, address(0));
    }

    /// @inheritdoc IInbox
    function forceWithdraw(uint8 subaccount, uint8 asset, uint128 amount)
        external
        returns (uint64 index)
    {
        if (amount == 0) revert ZeroAmount();
        if (asset > ICollateralVault(vault).collateralCount()) revert UnknownAsset(asset);
        return _append(INBOX_WITHDRAW, msg.sender, subaccount, asset, amount, address(0));
    }

    /// @inheritdoc IInbox
    function forceCancelAll(uint8 subaccount) external returns (uint64 index) {
        return _append(INBOX_CANCEL_ALL, msg.sender, subaccount, 0, 0, address(0));
    }

    /// @inheritdoc IInbox
    function forceClose(uint8 subaccount, uint16 instrument, uint128 lots)
        external
        returns (uint64 index)
    {
        return _append(INBOX_CLOSE, msg.sender, subaccount, instrument, lots, address(0));
    }

    /// @inheritdoc IInbox
    function grantKey(address key, uint64 expiresAt) external returns (uint64 index) {
        if (key == address(0) || key == msg.sender) revert InvalidKey(msg.sender, key);
        // A key that outlives its expiry by the seconds that a validator may shift is no matter.
        // forge-lint: disable-next-line(block-timestamp)
        if (expiresAt <= block.timestamp || expiresAt > LATEST_EXPIRY) {
            revert InvalidExpiry(expiresAt, block.timestamp + 1, LATEST_EXPIRY);
        }
        uint64 before = _keys[msg.sender][key].grantedIndex;
        if (before != 0) revert KeyGrantedBefore(msg.sender, key, before);

        index = _append(INBOX_GRANT_KEY, msg.sender, 0, 0, expiresAt, key);
        _keys[msg.sender][key] = Key(index, expiresAt, 0, _lane(msg.sender, 0));
    }

    /// @inheritdoc IInbox
    function revokeKey(address key) external returns (uint64 index) {
        Key storage known = _keys[msg.sender][key];
        bool isGranted = known.grantedIndex != 0 && known.revokedIndex == 0;
        if (key != address(0) && !isGranted) revert KeyNotGranted(msg.sender, key);

        index = _append(INBOX_REVOKE_KEY, msg.sender, 0, 0, 0, key);
        if (key == address(0)) _endEra(msg.sender, index);
        else known.revokedIndex = index;
    }

    /// @inheritdoc IInbox
    function isEntry(InboxEntry calldata entry) external view returns (bool) {
        uint64 index = entry.index;
        if (index == 0 || index > count) return false;
        bytes32 prefix = BatchHash.inboxPrefix(_prefixes[index - 1], BatchHash.entryHash(entry));
        return prefix == _prefixes[index];
    }

    /// @inheritdoc IInbox
    function keyOf(address owner, address key)
        external
        view
        returns (uint64 grantedIndex, uint64 expiresAt, uint64 revokedIndex)
    {
        Key memory known = _keys[owner][key];
        return (known.grantedIndex, known.expiresAt, known.revokedIndex);
    }

    /// @inheritdoc IInbox
    function revokedAllAt(address owner) external view returns (uint64) {
        uint64 eras = _lane(owner, 0);
        return eras == 0 ? 0 : _lane(owner, eras);
    }

    /// @inheritdoc IInbox
    function isKeyActive(address owner, address key, uint64 cursor, uint64 timeNs)
        external
        view
        returns (bool)
    {
        Key memory known = _keys[owner][key];
        if (known.grantedIndex == 0 || known.grantedIndex > cursor) return false;
        if (timeNs >= known.expiresAt * SECOND_NS) return false;
        if (known.revokedIndex != 0 && known.revokedIndex <= cursor) return false;
        // Zero while the era lasts: lanes are written in order.
        uint64 eraEnd = _lane(owner, known.era + 1);
        return eraEnd == 0 || eraEnd > cursor;
    }

    /// @inheritdoc IInbox
    function prefixAt(uint64 n) external view returns (bytes32) {
        if (n > count) revert NoSuchEntry(n, count);
        return _prefixes[n];
    }

    function _append(
        uint8 kind,
        address owner,
        uint8 subaccount,
        uint16 place,
        uint128 amount,
        address key
    ) internal virtual returns (uint64 index) {
        if (IFreezable(settlement).isFrozen()) revert VenueFrozen();
        index = count + 1;
        InboxEntry memory entry =
            InboxEntry(kind, index, uint64(block.timestamp), owner, subaccount, place, amount, key);
        bytes32 prefix = BatchHash.inboxPrefix(_prefixes[index - 1], BatchHash.entryHash(entry));

        count = index;
        _prefixes[index] = prefix;
        emit Enqueued(index, kind, owner, subaccount, place, amount, key, entry.time, prefix);
    }

    /// @dev Lane 0 counts the eras that ended, lane n says which entry ended the n-th.
    function _endEra(address owner, uint64 index) private {
        mapping(uint256 word => uint256) storage words = _revokedAll[owner];
        uint256 lane = _lane(owner, 0) + 1;
        words[0] += 1;
        words[lane / LANES] |= uint256(index) << (lane % LANES * LANE_BITS);
    }

    function _lane(address owner, uint256 lane) private view returns (uint64) {
        // The other lanes are cut off.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(_revokedAll[owner][lane / LANES] >> (lane % LANES * LANE_BITS));
    }
}
