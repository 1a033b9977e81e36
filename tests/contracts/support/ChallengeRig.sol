// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHash} from "../../../contracts/libraries/BatchHash.sol";
import {AccountLeaf} from "../../../contracts/types/Account.sol";
import {BatchHeader, Output} from "../../../contracts/types/Batch.sol";
import {AccountOpening, RecordOpening} from "../../../contracts/types/ContentEvidence.sol";
import {StepOpening, StepPair, TraceBounds} from "../../../contracts/types/Evidence.sol";
import {Book, Step} from "../../../contracts/types/Trace.sol";
import {AccountTree} from "./AccountTree.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {TraceWords} from "./TraceWords.sol";

/// @dev Writes batches record by record, and opens what a challenger shows of them. A test changes
/// a step or a field of the header and seals the batch again: then it is a batch with that fault.
abstract contract ChallengeRig {
    uint64 internal constant TIME = 1_700_000_000e9;
    uint32 internal constant FENCE = 1;
    uint256 internal constant MOST = 24;

    /// @dev A batch as its sequencer has it; arrays are filled up to `count`.
    struct Draft {
        BatchHeader header;
        BatchHeader[] previousHeader;
        Step before;
        bytes32[] beforeProof;
        bytes beforeFrame;
        Book beforeBook;
        bytes32[] beforeAccounts;
        uint256 count;
        bytes[] frames;
        bytes[] effects;
        Step[] steps;
        Book[] books;
        bytes[] accounts; // abi.encode(AccountLeaf[]) after each record
        Output[] outputs;
        bytes data;
    }

    /// @dev What a record leaves behind.
    struct After {
        AccountLeaf[] accounts;
        Book book;
        bytes32 epochHash;
    }

    function emptyBook(uint256 assets) internal pure returns (Book memory book) {
        book.deposited = new uint128[](assets);
        book.withdrawn = new uint128[](assets);
    }

    /// @dev The draft of batch 1.
    function firstDraft() internal pure returns (Draft memory d) {
        d.beforeBook = emptyBook(0);
        d.before.accountRoot = AccountTree.root(new bytes32[](0));
        d.before.bookHash = keccak256(abi.encode(d.beforeBook));
        d.header.batchNo = 1;
        room(d);
    }

    /// @dev The draft of the batch after a sealed one.
    function nextDraft(Draft memory last) internal pure returns (Draft memory d) {
        d.previousHeader = new BatchHeader[](1);
        d.previousHeader[0] = last.header;
        d.before = last.steps[last.count - 1];
        d.beforeProof = stepProof(last, last.count - 1);
        d.beforeFrame = last.frames[last.count - 1];
        d.beforeBook = last.books[last.count - 1];
        d.beforeAccounts = AccountTree.hashesOf(accountsAfter(last, last.count - 1));
        d.header.batchNo = last.header.batchNo + 1;
        d.header.prevBatchHash = hashOf(last.header);
        d.header.inboxFrom = last.header.inboxTo;
        d.header.timeStart = last.header.timeEnd;
        room(d);
    }

    function room(Draft memory d) private pure {
        d.header.schema = 2;
        d.header.sequencerEpoch = FENCE;
        d.frames = new bytes[](MOST);
        d.effects = new bytes[](MOST);
        d.steps = new Step[](MOST);
        d.books = new Book[](MOST);
        d.accounts = new bytes[](MOST);
        d.outputs = new Output[](0);
    }

    /// @dev Appends a record and the step that follows from it.
    function add(
        Draft memory d,
        uint8 kind,
        bytes memory payload,
        bytes memory words,
        After memory a
    ) internal pure {
        uint256 i = d.count++;
        uint64 seq = nextSeq(d, i);
        d.frames[i] = TraceWords.frame(seq, TIME + seq * 1e9, FENCE, kind, payload);
        d.effects[i] = words;
        d.books[i] = abi.decode(abi.encode(a.book), (Book));
        d.accounts[i] = abi.encode(a.accounts);
        Step memory previous = stepBefore(d, i);
        Step memory step = d.steps[i];
        step.frameHash = keccak256(d.frames[i]);
        step.effectsHash = keccak256(words);
        step.tip = keccak256(bytes.concat(previous.tip, d.frames[i]));
        step.accountRoot = AccountTree.root(AccountTree.hashesOf(a.accounts));
        step.epochHash = a.epochHash;
        step.bookHash = keccak256(abi.encode(a.book));
        step.inboxCursor = previous.inboxCursor + (kind == 2 || kind == 12 ? 1 : 0);
        step.outputs = previous.outputs + uint64(countOf(words, 6));
        step.liquidations = (i == 0 ? 0 : previous.liquidations) + uint32(countOf(words, 8));
        step.dataEnd = (i == 0 ? 0 : previous.dataEnd) + uint32(d.frames[i].length);
    }

    function nextSeq(Draft memory d, uint256 i) private pure returns (uint64) {
        bytes memory last = i == 0 ? d.beforeFrame : d.frames[i - 1];
        return last.length == 0 ? 1 : uint64(bytes8(last)) + 1;
    }

    function countOf(bytes memory words, uint8 kind) internal pure returns (uint256 count) {
        for (uint256 i = 0; i < words.length; i += 32) {
            if (uint8(words[i]) == kind) ++count;
        }
    }

    /// @dev Appends an output that the last record put out.
    function putOut(Draft memory d, Output memory output) internal pure {
        Output[] memory more = new Output[](d.outputs.length + 1);
        for (uint256 i = 0; i < d.outputs.length; ++i) {
            more[i] = d.outputs[i];
        }
        more[d.outputs.length] = output;
        d.outputs = more;
    }

    /// @dev Fills in every field of the header that follows from the records, and seals.
    function close(Draft memory d) internal pure {
        Step memory last = d.steps[d.count - 1];
        BatchHeader memory h = d.header;
        h.inputLogHash = last.tip;
        h.inboxTo = last.inboxCursor;
        h.liquidationCount = last.liquidations;
        h.outputRoot = MerkleTree.root(outputLeaves(d));
        if (h.batchNo == 1) h.timeStart = timeOf(d.frames[0]);
        h.timeEnd = timeOf(d.frames[d.count - 1]);
        h.stepCount = uint32(d.count);
        h.traceRoot = MerkleTree.root(stepLeaves(d));
        post(d);
    }

    /// @dev Puts the trace and the data as they are now under the header.
    function seal(Draft memory d) internal pure {
        d.header.traceRoot = MerkleTree.root(stepLeaves(d));
    }

    function post(Draft memory d) internal pure {
        d.data = "";
        for (uint256 i = 0; i < d.count; ++i) {
            d.data = bytes.concat(d.data, d.frames[i]);
        }
        for (uint256 i = 0; i < d.count; ++i) {
            bytes32[3] memory before = rootsOf(stepBefore(d, i));
            bytes memory item = TraceWords.posted(before, rootsOf(d.steps[i]), d.effects[i]);
            d.data = bytes.concat(d.data, item);
        }
        d.header.daHash = keccak256(d.data);
        d.header.daLength = uint32(d.data.length);
    }

    function rootsOf(Step memory step) private pure returns (bytes32[3] memory) {
        return [step.accountRoot, step.epochHash, step.bookHash];
    }

    function timeOf(bytes memory frame) internal pure returns (uint64 time) {
        assembly ("memory-safe") {
            time := shr(192, mload(add(frame, 0x28)))
        }
    }

    function stepBefore(Draft memory d, uint256 i) internal pure returns (Step memory) {
        return i == 0 ? d.before : d.steps[i - 1];
    }

    function stepLeaves(Draft memory d) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](d.count);
        for (uint256 i = 0; i < d.count; ++i) {
            leaves[i] = keccak256(abi.encode(d.steps[i]));
        }
    }

    function outputLeaves(Draft memory d) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](d.outputs.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(d.outputs[i]));
        }
    }

    function stepProof(Draft memory d, uint256 i) internal pure returns (bytes32[] memory) {
        return MerkleTree.proof(stepLeaves(d), i);
    }

    function hashOf(BatchHeader memory header) internal pure returns (bytes32) {
        return keccak256(abi.encode(BatchHash.HEADER_TYPEHASH, header));
    }

    function openingOf(Draft memory d, uint256 i) internal pure returns (StepOpening memory) {
        return StepOpening(d.steps[i], uint32(i), stepProof(d, i));
    }

    function lastOf(Draft memory d) internal pure returns (StepOpening memory) {
        return openingOf(d, d.count - 1);
    }

    function pairOf(Draft memory d, uint256 i) internal pure returns (StepPair memory pair) {
        pair.previous = stepBefore(d, i);
        pair.step = d.steps[i];
        pair.index = uint32(i);
        pair.previousProof = i == 0 ? d.beforeProof : stepProof(d, i - 1);
        pair.proof = stepProof(d, i);
        if (i == 0) pair.previousHeader = d.previousHeader;
    }

    function boundsOf(Draft memory d) internal pure returns (TraceBounds memory bounds) {
        bounds.before = d.before;
        bounds.beforeProof = d.beforeProof;
        bounds.previousHeader = d.previousHeader;
        bounds.last = d.steps[d.count - 1];
        bounds.lastProof = stepProof(d, d.count - 1);
    }

    function recordOf(Draft memory d, uint256 i) internal pure returns (RecordOpening memory) {
        return RecordOpening(pairOf(d, i), d.frames[i], d.effects[i]);
    }

    function accountsAfter(Draft memory d, uint256 i) internal pure returns (AccountLeaf[] memory) {
        return abi.decode(d.accounts[i], (AccountLeaf[]));
    }

    /// @dev An account of some list of accounts, or that there is none.
    function holderIn(AccountLeaf[] memory accounts, uint32 account)
        internal
        pure
        returns (AccountOpening memory opening)
    {
        opening.account = account;
        opening.proof = AccountTree.proof(AccountTree.hashesOf(accounts), account);
        if (account < accounts.length) {
            opening.leaf = new AccountLeaf[](1);
            opening.leaf[0] = accounts[account];
        }
    }

    function holderAfter(Draft memory d, uint256 i, uint32 account)
        internal
        pure
        returns (AccountOpening memory)
    {
        return holderIn(accountsAfter(d, i), account);
    }
}
