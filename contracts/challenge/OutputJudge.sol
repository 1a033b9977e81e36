// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Commands} from "../libraries/Commands.sol";
import {Dispute} from "../libraries/Dispute.sol";
import {Effects} from "../libraries/Effects.sol";
import {Frames, RECORD_DEPOSIT} from "../libraries/Frames.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {Openings} from "../libraries/Openings.sol";
import {Trace} from "../libraries/Trace.sol";
import {TraceBuild} from "../libraries/TraceBuild.sol";
import {BatchHeader, Output} from "../types/Batch.sol";
import {AccountOpening, RecordOpening} from "../types/ContentEvidence.sol";
import {TraceBounds} from "../types/Evidence.sol";
import {
    OutputEvidence,
    OutputListEvidence,
    PutOut,
    SurplusEvidence
} from "../types/StructureEvidence.sol";
import {EFFECT_OUTPUT} from "../types/Trace.sol";

/// @title OutputJudge
/// @notice Kind 13: an output that no effect put out, or differs from it.
/// @dev evidence = rule u8 | abi.encode(struct). That outputs are numbered in order, and counted, is
/// a matter of the trace: see StepJudge.
contract OutputJudge is IJudge {
    uint8 public constant RULE_DIFFERS = 1; // OutputEvidence
    uint8 public constant RULE_SURPLUS = 2; // SurplusEvidence
    uint8 public constant RULE_EMPTY = 3; // TraceBounds
    uint8 public constant RULE_LIST = 4; // OutputListEvidence

    /// @notice The output is not one of this batch, as the trace counts.
    error NotOfBatch(uint64 id, uint64 before, uint64 last);

    /// @notice The proof has not as many levels as a list of so many outputs.
    error WrongDepth(uint256 given, uint256 expected);

    /// @notice The opening does not lead to the output root.
    error WrongRoot(bytes32 given, bytes32 expected);

    /// @notice Not all outputs of the batch are given.
    error OutputCount(uint256 given, uint256 expected);

    /// @notice The account opened is not that of the output, or does not exist.
    error OtherAccount(uint32 given, uint32 expected);

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        pure
        returns (bool)
    {
        (uint8 rule, uint256 place) = Dispute.split(evidence);
        if (rule == RULE_DIFFERS) return differs(header, outputAt(place));
        if (rule == RULE_SURPLUS) return isSurplus(header, surplusAt(place));
        if (rule == RULE_EMPTY) return isEmptyWrong(header, boundsAt(place));
        if (rule == RULE_LIST) return isListWrong(header, listAt(place));
        revert Dispute.UnknownRule(rule);
    }

    /// @dev Faulty: at the place of an output that an effect put out stands something else.
    function differs(BatchHeader calldata header, OutputEvidence calldata e)
        private
        pure
        returns (bool)
    {
        (uint64 before, uint64 count) = countOf(header, e.bounds);
        Openings.requireRecord(header, e.record);
        uint256 word = Effects.ofKind(e.record.effects, e.place, EFFECT_OUTPUT);
        uint64 id = Effects.outputOf(word);
        require(id > before && id - before <= count, NotOfBatch(id, before, before + count));
        uint256 depth = Trace.depthOf(count);
        require(e.proof.length == depth, WrongDepth(e.proof.length, depth));
        requireRoot(header, Merkle.listRoot(e.given, id - before - 1, e.proof));

        (bool isOne, bytes32 leaf) = leafOf(e.record, e.holder, word);
        return !isOne || e.given != leaf;
    }

    /// @dev Faulty: the outputs that the effects put out do not make up the root of the header.
    function isListWrong(BatchHeader calldata header, OutputListEvidence calldata e)
        private
        pure
        returns (bool)
    {
        (uint64 before, uint64 count) = countOf(header, e.bounds);
        require(e.outputs.length == count, OutputCount(e.outputs.length, count));
        bytes32[] memory leaves = new bytes32[](1 << Trace.depthOf(count));
        for (uint256 i = 0; i < count; ++i) {
            PutOut calldata put = e.outputs[i];
            Openings.requireRecord(header, put.record);
            uint256 word = Effects.ofKind(put.record.effects, put.place, EFFECT_OUTPUT);
            uint64 id = Effects.outputOf(word);
            require(id == uint256(before) + 1 + i, NotOfBatch(id, before, before + count));
            bool isOne;
            (isOne, leaves[i]) = leafOf(put.record, put.holder, word);
            if (!isOne) return true;
        }
        return TraceBuild.foldedRoot(leaves) != header.outputRoot;
    }

    /// @dev The output that a word puts out; there is none of such an asset when it is not one.
    function leafOf(RecordOpening calldata record, AccountOpening calldata holder, uint256 word)
        private
        pure
        returns (bool isOne, bytes32 leaf)
    {
        uint16 asset = Effects.placeOf(word);
        Output memory output = Output({
            id: Effects.outputOf(word),
            account: Effects.accountOf(word),
            owner: ownerOf(record, holder, word),
            // forge-lint: disable-next-line(unsafe-typecast): compared below.
            asset: uint8(asset),
            amount: Effects.amountOf(word)
        });
        return (asset <= type(uint8).max, keccak256(abi.encode(output)));
    }

    /// @dev A deposit that found no room goes back to its owner, who may have no account.
    function ownerOf(RecordOpening calldata record, AccountOpening calldata holder, uint256 word)
        private
        pure
        returns (address)
    {
        uint32 account = Effects.accountOf(word);
        if (account == Effects.NO_ACCOUNT) {
            Frames.requireType(record.frame, RECORD_DEPOSIT);
            return Commands.ownerOf(record.frame);
        }
        require(
            holder.account == account && holder.leaf.length == 1,
            OtherAccount(holder.account, account)
        );
        Openings.requireAccount(record.pair.step.accountRoot, holder);
        return holder.leaf[0].owner;
    }

    /// @dev Faulty: an output stands at a place that is beyond the number of outputs, or another's.
    function isSurplus(BatchHeader calldata header, SurplusEvidence calldata e)
        private
        pure
        returns (bool)
    {
        (uint64 before, uint64 count) = countOf(header, e.bounds);
        bytes32 leaf = BatchHash.outputHash(e.output);
        requireRoot(header, Merkle.listRoot(leaf, e.index, e.proof));
        return e.index >= count || e.proof.length != Trace.depthOf(count)
            || e.output.id != uint256(before) + 1 + e.index;
    }

    /// @dev Faulty: there is a root without outputs, or there are outputs without a root.
    function isEmptyWrong(BatchHeader calldata header, TraceBounds calldata bounds)
        private
        pure
        returns (bool)
    {
        (, uint64 count) = countOf(header, bounds);
        return (count == 0) != (header.outputRoot == 0);
    }

    /// @dev How many outputs were put out before the batch, and in it.
    function countOf(BatchHeader calldata header, TraceBounds calldata bounds)
        private
        pure
        returns (uint64 before, uint64 count)
    {
        Trace.requireBounds(header, bounds);
        before = bounds.before.outputs;
        // A trace that counts down is at fault for that.
        count = bounds.last.outputs > before ? bounds.last.outputs - before : 0;
    }

    function requireRoot(BatchHeader calldata header, bytes32 given) private pure {
        require(given == header.outputRoot, WrongRoot(given, header.outputRoot));
    }

    // Where each struct lies in calldata.

    function outputAt(uint256 place) private pure returns (OutputEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function surplusAt(uint256 place) private pure returns (SurplusEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function listAt(uint256 place) private pure returns (OutputListEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function boundsAt(uint256 place) private pure returns (TraceBounds calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }
}
