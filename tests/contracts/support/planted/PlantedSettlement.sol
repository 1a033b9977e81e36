// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement} from "../../../../contracts/settlement/Settlement.sol";
import {BatchHeader} from "../../../../contracts/types/Batch.sol";

/// @dev One thing wrong in the life of a batch.
enum Bug {
    NONE,
    KEEPS_CURSOR, // INV-5
    FORGETS_LINKS, // INV-5
    LOSES_ENTRIES, // INV-5
    NO_WINDOW, // INV-3
    NO_PROOF, // INV-3
    ACCUSED_ESCAPES, // INV-14
    FREEZES_AT_WILL, // INV-4
    NEVER_FREEZES, // INV-4, L-1
    FROZEN_BUT_OPEN // INV-4
}

/// @dev Settlement with a bug.
contract PlantedSettlement is Settlement {
    Bug private immutable _bug;

    constructor(Bug bug, Config memory config) Settlement(config) {
        _bug = bug;
    }

    function _drop(uint64 from, bytes32 stateRoot, RevertCause cause) internal override {
        uint64 cursor = _chain.inboxCursor;
        if (_bug == Bug.FROZEN_BUT_OPEN && cause == RevertCause.FREEZE) return;
        super._drop(from, stateRoot, cause);
        if (_bug == Bug.KEEPS_CURSOR) _chain.inboxCursor = cursor;
    }

    function _freeze(uint256 until, FreezeCause cause) internal override {
        if (_bug == Bug.NEVER_FREEZES) until = type(uint256).max;
        super._freeze(_bug == Bug.FREEZES_AT_WILL ? 0 : until, cause);
    }

    function _requireUnchallenged(uint64 from) internal view override {
        if (_bug != Bug.ACCUSED_ESCAPES) super._requireUnchallenged(from);
    }

    function _windowEnd(Open storage open, ProofClass proof)
        internal
        view
        override
        returns (uint64)
    {
        return _bug == Bug.NO_WINDOW ? open.committedAt : super._windowEnd(open, proof);
    }

    function _requireNext(BatchHeader calldata header, Chain memory chain) internal view override {
        if (_bug != Bug.FORGETS_LINKS) super._requireNext(header, chain);
    }

    function _requireInbox(BatchHeader calldata header, Chain memory chain) internal view override {
        if (_bug != Bug.LOSES_ENTRIES) super._requireInbox(header, chain);
    }

    function _proven(BatchHeader calldata header, bytes32 batchHash, bytes calldata proof)
        internal
        override
        returns (ProofClass)
    {
        if (_bug == Bug.NO_PROOF) return ProofClass.ATTESTED;
        return super._proven(header, batchHash, proof);
    }
}
