// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {Commands} from "../libraries/Commands.sol";
import {Dispute} from "../libraries/Dispute.sol";
import {Effects} from "../libraries/Effects.sol";
import {Frames, RECORD_DEPOSIT, RECORD_FORCED} from "../libraries/Frames.sol";
import {Openings} from "../libraries/Openings.sol";
import {Trace} from "../libraries/Trace.sol";
import {AccountLeaf} from "../types/Account.sol";
import {BatchHeader} from "../types/Batch.sol";
import {
    INBOX_CLOSE,
    INBOX_DEPOSIT,
    INBOX_GRANT_KEY,
    INBOX_REVOKE_KEY,
    INBOX_WITHDRAW,
    InboxEntry
} from "../types/Inbox.sol";
import {EntryEvidence, ListedEvidence} from "../types/StructureEvidence.sol";
import {EFFECT_NOOP} from "../types/Trace.sol";

/// @title InboxJudge
/// @notice Kind 4: an entry of the inbox was skipped, altered, doubled, or answered wrongly.
/// @dev evidence = rule u8 | abi.encode(struct). That the cursor counts the records which consume
/// an entry is a matter of the trace: see StepJudge.
contract InboxJudge is IJudge {
    uint8 public constant RULE_ENTRY = 1; // EntryEvidence
    uint8 public constant RULE_KEYS = 2; // EntryEvidence
    uint8 public constant RULE_LISTED = 3; // ListedEvidence
    uint8 public constant RULE_HOLDER = 4; // HolderEvidence

    uint16 private constant NOT_LISTED = 7;

    address public immutable inbox;

    /// @notice Decides what is owed to the account of an entry; see there for its rules.
    address public immutable holderJudge;

    /// @notice An address that must be given is missing.
    error ZeroAddress();

    /// @notice The record consumes no entry of the inbox, or not one of the kind in question.
    error OtherEntry(uint8 recordType, uint8 kind);

    /// @notice The entry was not turned down as not listed.
    error NotTurnedDown();

    constructor(address inbox_, address holderJudge_) {
        require(inbox_ != address(0) && holderJudge_ != address(0), ZeroAddress());
        inbox = inbox_;
        holderJudge = holderJudge_;
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        (uint8 rule, uint256 place) = Dispute.split(evidence);
        if (rule == RULE_ENTRY) return isEntryWrong(header, entryAt(place));
        if (rule == RULE_KEYS) return isKeyRefused(header, entryAt(place));
        if (rule == RULE_LISTED) return isListed(header, listedAt(place));
        // The record that it is about need not be forced: a fault is a fault.
        if (rule == RULE_HOLDER) return IJudge(holderJudge).isFaulty(header, evidence[1:]);
        revert Dispute.UnknownRule(rule);
    }

    /// @dev Faulty: the record consumes another entry than the next one of the inbox.
    function isEntryWrong(BatchHeader calldata header, EntryEvidence calldata e)
        private
        view
        returns (bool)
    {
        InboxEntry memory entry = requireEntry(header, e);
        if (Frames.typeOf(e.frame) == RECORD_FORCED && entry.kind == INBOX_DEPOSIT) return true;
        return
            entry.index != uint256(e.pair.previous.inboxCursor) + 1 || !IInbox(inbox).isEntry(entry);
    }

    /// @dev Faulty: a grant or a revocation had effects. It has none, and no reason not to be done.
    function isKeyRefused(BatchHeader calldata header, EntryEvidence calldata e)
        private
        pure
        returns (bool)
    {
        uint8 kind = requireEntry(header, e).kind;
        require(
            kind == INBOX_GRANT_KEY || kind == INBOX_REVOKE_KEY,
            OtherEntry(Frames.typeOf(e.frame), kind)
        );
        return e.pair.step.effectsHash != keccak256("");
    }

    /// @dev Faulty: an entry came to nothing because its asset or instrument is not listed, which an
    /// account before the record has room for, or a position in.
    function isListed(BatchHeader calldata header, ListedEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Openings.requireRecord(header, e.record);
        bytes calldata frame = e.record.frame;
        uint8 recordType = Frames.typeOf(frame);
        require(recordType == RECORD_FORCED, OtherEntry(recordType, 0));
        uint256 word = Effects.ofKind(e.record.effects, 0, EFFECT_NOOP);
        require(Effects.placeOf(word) == NOT_LISTED, NotTurnedDown());
        Openings.requireAccount(e.record.pair.previous.accountRoot, e.holder);
        require(e.holder.leaf.length != 0, Openings.LeafCount(0));

        AccountLeaf calldata leaf = e.holder.leaf[0];
        uint16 place = Commands.placeOf(frame);
        uint8 kind = Commands.entryKindOf(frame);
        if (kind == INBOX_WITHDRAW) return place == 0 || isAsset(leaf.collateralE8, place);
        // A cancel-all is about nothing that could be listed, keys neither.
        return kind != INBOX_CLOSE || hasPosition(leaf, place);
    }

    /// @dev Where nothing is listed, accounts have room for one asset all the same, and hold none.
    function isAsset(uint64[] calldata held, uint16 asset) private pure returns (bool) {
        return asset <= held.length && (held.length > 1 || held[asset - 1] != 0);
    }

    function hasPosition(AccountLeaf calldata leaf, uint16 instrument) private pure returns (bool) {
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            if (leaf.positions[p].instrument == instrument) return true;
        }
        return false;
    }

    /// @dev The entry that the record claims to consume.
    function requireEntry(BatchHeader calldata header, EntryEvidence calldata e)
        private
        pure
        returns (InboxEntry memory entry)
    {
        Trace.requirePair(header, e.pair);
        Openings.requireFrame(e.pair.step, e.frame);
        uint8 recordType = Frames.typeOf(e.frame);
        bool isForced = recordType == RECORD_FORCED;
        require(isForced || recordType == RECORD_DEPOSIT, OtherEntry(recordType, 0));
        entry.kind = isForced ? Commands.entryKindOf(e.frame) : INBOX_DEPOSIT;
        entry.index = Commands.entryIndexOf(e.frame);
        entry.time = Commands.entryTimeOf(e.frame);
        entry.owner = Commands.ownerOf(e.frame);
        entry.subaccount = Commands.subaccountOf(e.frame);
        entry.place = Commands.placeOf(e.frame);
        entry.amount = Commands.entryAmountOf(e.frame);
        if (isForced) entry.key = Commands.entryKeyOf(e.frame);
    }

    // Where each struct lies in calldata.

    function entryAt(uint256 place) private pure returns (EntryEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function listedAt(uint256 place) private pure returns (ListedEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }
}
