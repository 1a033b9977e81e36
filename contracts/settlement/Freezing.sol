// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {InboxEntry} from "../types/Inbox.sol";
import {BatchStore} from "./BatchStore.sol";

/// @title Freezing
/// @notice INV-4, L-1: how anyone ends a venue that no longer serves its traders.
abstract contract Freezing is BatchStore {
    // What they are is said in ISettlement.Config.
    address public immutable inbox;
    uint64 public immutable forcedDeadline; // [s]
    /// @inheritdoc ISettlement
    uint64 public immutable liveness; // [s]
    /// @inheritdoc ISettlement
    uint64 public immutable repairTime; // [s]

    constructor(Config memory config) {
        if (config.inbox == address(0)) revert ZeroAddress();
        uint64 window = config.attestedWindow;
        if (config.provenWindow > window) window = config.provenWindow;
        uint256 slowest = uint256(window) + config.maxExtension;
        if (config.liveness <= slowest) revert LivenessTooShort(config.liveness, slowest);
        inbox = config.inbox;
        forcedDeadline = config.forcedDeadline;
        liveness = config.liveness;
        repairTime = config.repairTime;
    }

    /// @inheritdoc ISettlement
    function freezeCensored(InboxEntry calldata head_) external {
        _requireWaiting(head_, _chain.inboxCursor + 1);
        _freeze(uint256(head_.time) + forcedDeadline, FreezeCause.CENSORED);
    }

    /// @inheritdoc ISettlement
    function freezeStalled() external {
        uint64 oldest = uint64(_chain.finalised) + 1;
        if (!_isOpen(oldest)) revert NothingOpen();
        uint256 since = _later(_openOf(oldest).committedAt, _finality.since);
        _freeze(since + liveness, FreezeCause.STALLED);
    }

    /// @inheritdoc ISettlement
    /// @dev Other batches that become final keep it off only while the entry is younger than
    /// `forcedDeadline`: it must have been committed by then, and be final a little later.
    function freezeUnserved(InboxEntry calldata waiting) external {
        _requireWaiting(waiting, _finality.cursor + 1);
        uint256 latest = uint256(waiting.time) + forcedDeadline;
        uint256 last = _finality.since;
        uint256 since = _later(waiting.time, last < latest ? last : latest);
        _freeze(since + liveness, FreezeCause.UNSERVED);
    }

    /// @inheritdoc ISettlement
    function freezeUnrepaired() external {
        uint256 since = _finality.repairSince;
        if (since == 0) revert NothingToRepair();
        _freeze(since + repairTime, FreezeCause.UNREPAIRED);
    }

    function _requireUnfrozen(uint64 frozenAt_) internal pure {
        if (frozenAt_ != 0) revert VenueFrozen(frozenAt_);
    }

    /// @dev All that is open is dropped: exits pay from what is final.
    function _freeze(uint256 until, FreezeCause cause) internal virtual {
        Chain storage chain = _chain;
        _requireUnfrozen(chain.frozenAt);
        // The few seconds that a validator may shift matter little to these deadlines.
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp <= until) revert NotOverdue(until, block.timestamp);
        chain.frozenAt = _now();
        uint64 last = chain.finalised;
        if (chain.head > last) _drop(last + 1, _finalStateRoot, RevertCause.FREEZE);
        emit Frozen(cause, last);
    }

    function _requireWaiting(InboxEntry calldata entry, uint64 expected) private view {
        if (entry.index != expected) revert EntryNotNext(entry.index, expected);
        if (!IInbox(inbox).isEntry(entry)) revert UnknownEntry(entry.index);
    }

    function _later(uint256 one, uint256 other) private pure returns (uint256) {
        return one > other ? one : other;
    }
}
