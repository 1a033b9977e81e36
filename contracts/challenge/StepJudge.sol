// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {Dispute} from "../libraries/Dispute.sol";
import {Effects} from "../libraries/Effects.sol";
import {
    Frames,
    RECORD_ADOPT,
    RECORD_DEPOSIT,
    RECORD_FORCED,
    RECORD_FUNDING_TICK,
    RECORD_GENESIS,
    RECORD_PRICE_REPORT,
    RECORD_SETTLE_EXPIRY
} from "../libraries/Frames.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {Openings} from "../libraries/Openings.sol";
import {Trace} from "../libraries/Trace.sol";
import {BatchHeader} from "../types/Batch.sol";
import {StepPair, TraceBounds} from "../types/Evidence.sol";
import {
    EpochEvidence,
    LinkEvidence,
    RootsEvidence,
    ShapeEvidence,
    StateEvidence,
    WordsEvidence
} from "../types/StructureEvidence.sol";
import {EFFECT_LIQUIDATION, EFFECT_OUTPUT, Step} from "../types/Trace.sol";

/// @title StepJudge
/// @notice Kind 11: the trace does not chain.
/// @dev evidence = rule u8 | abi.encode(struct). The rules, each with its struct, are documented at
/// the function that decides it.
contract StepJudge is IJudge {
    uint8 public constant RULE_SHAPE = 1; // ShapeEvidence
    uint8 public constant RULE_LINK = 2; // LinkEvidence
    uint8 public constant RULE_COUNTERS = 3; // StepPair
    uint8 public constant RULE_WORDS = 4; // WordsEvidence
    uint8 public constant RULE_ENDS = 5; // TraceBounds
    uint8 public constant RULE_STATE = 6; // StateEvidence
    uint8 public constant RULE_EPOCH = 7; // EpochEvidence
    uint8 public constant RULE_ROOTS = 8; // RootsEvidence

    /// @notice The parts do not make up the state root of the header.
    error WrongStateParts(bytes32 given, bytes32 expected);

    /// @notice No epoch begins with the step.
    error NoNewEpoch();

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        pure
        returns (bool)
    {
        (uint8 rule, uint256 place) = Dispute.split(evidence);
        if (rule == RULE_SHAPE) return isMisshapen(header, shapeAt(place));
        if (rule == RULE_LINK) return isBrokenLink(header, linkAt(place));
        if (rule == RULE_COUNTERS) return isCountedWrong(header, pairAt(place));
        if (rule == RULE_WORDS) return areWordsWrong(header, wordsAt(place));
        if (rule == RULE_ENDS) return endsWrong(header, boundsAt(place));
        if (rule == RULE_STATE) return isStateWrong(header, stateAt(place));
        if (rule == RULE_EPOCH) return isEpochWrong(header, epochAt(place));
        if (rule == RULE_ROOTS) return areRootsWrong(header, rootsAt(place));
        revert Dispute.UnknownRule(rule);
    }

    /// @dev Faulty: a step beyond `stepCount`, one at another depth than a list of so many has, or
    /// none where there must be one.
    function isMisshapen(BatchHeader calldata header, ShapeEvidence calldata e)
        private
        pure
        returns (bool)
    {
        uint32 stepCount = header.stepCount;
        if (e.isMissing) require(e.index < stepCount, Trace.NoSuchStep(e.index, stepCount));
        bytes32 leaf = e.isMissing ? bytes32(0) : Trace.stepHash(e.step);
        bytes32 root = Merkle.listRoot(leaf, e.index, e.proof);
        require(root == header.traceRoot, Trace.WrongStep(root, header.traceRoot));
        return e.isMissing || e.index >= stepCount || e.proof.length != Trace.depthOf(stepCount);
    }

    /// @dev Faulty: the frame is not well formed; number, time or sequencer's epoch do not follow
    /// from the frame before and the header; the log hash, the place in the data or the inbox
    /// cursor does not follow from the step before; an epoch begins where none can; parameters are
    /// adopted by another record than the first of the batch; or without that the header has others
    /// than the one before.
    function isBrokenLink(BatchHeader calldata header, LinkEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requirePair(header, e.pair);
        Step calldata step = e.pair.step;
        Openings.requireFrame(step, e.frame);
        if (!Frames.isWellFormed(e.frame)) return true;
        if (isOutOfOrder(header, e) || isOutOfRange(header, e.pair.index, e.frame)) return true;

        Step calldata previous = e.pair.previous;
        uint8 kind = Frames.typeOf(e.frame);
        uint256 consumed = kind == RECORD_DEPOSIT || kind == RECORD_FORCED ? 1 : 0;
        uint256 start = e.pair.index == 0 ? 0 : previous.dataEnd;
        bool mayBegin = kind == RECORD_PRICE_REPORT || kind == RECORD_FUNDING_TICK
            || kind == RECORD_SETTLE_EXPIRY || kind == RECORD_ADOPT;
        if (areParametersWrong(header, e.pair, kind == RECORD_ADOPT)) return true;
        return step.tip != keccak256(bytes.concat(previous.tip, e.frame))
            || step.dataEnd != start + e.frame.length
            || step.inboxCursor != uint256(previous.inboxCursor) + consumed
            || (step.epochHash != previous.epochHash && !mayBegin);
    }

    /// @dev One set holds for a whole batch, and only a record puts another in force.
    function areParametersWrong(
        BatchHeader calldata header,
        StepPair calldata pair,
        bool isAdoption
    ) private pure returns (bool) {
        if (isAdoption) return pair.index != 0;
        return
            pair.previousHeader.length != 0
                && pair.previousHeader[0].paramsHash != header.paramsHash;
    }

    /// @dev The first record of all is the Genesis, with number 1; every other follows one.
    function isOutOfOrder(BatchHeader calldata header, LinkEvidence calldata e)
        private
        pure
        returns (bool)
    {
        uint256 seq = Frames.seqOf(e.frame);
        bool isGenesis = Frames.typeOf(e.frame) == RECORD_GENESIS;
        if (header.batchNo == 1 && e.pair.index == 0) return seq != 1 || !isGenesis;
        Openings.requireFrame(e.pair.previous, e.previousFrame);
        return isGenesis || seq != uint256(Frames.seqOf(e.previousFrame)) + 1
            || Frames.timeOf(e.frame) < Frames.timeOf(e.previousFrame)
            || Frames.epochOf(e.frame) < Frames.epochOf(e.previousFrame);
    }

    /// @dev The header has the span of time and the sequencer's epoch of the last record.
    function isOutOfRange(BatchHeader calldata header, uint32 index, bytes calldata frame)
        private
        pure
        returns (bool)
    {
        uint64 time = Frames.timeOf(frame);
        uint64 epoch = Frames.epochOf(frame);
        if (index == header.stepCount - 1 && epoch != header.sequencerEpoch) return true;
        return time < header.timeStart || time > header.timeEnd || epoch > header.sequencerEpoch;
    }

    /// @dev Faulty, whatever the frame and the words: a counter runs backward, the cursor takes more
    /// than one entry, the frame has no room in the data, the epoch is gone, or without any effect
    /// accounts or book are others than before.
    function isCountedWrong(BatchHeader calldata header, StepPair calldata pair)
        private
        pure
        returns (bool)
    {
        Trace.requirePair(header, pair);
        (Step calldata previous, Step calldata step) = (pair.previous, pair.step);
        bool isFirst = pair.index == 0;
        uint256 start = isFirst ? 0 : previous.dataEnd;
        if (step.effectsHash == keccak256("")) {
            if (step.accountRoot != previous.accountRoot) return true;
            if (step.bookHash != previous.bookHash) return true;
        }
        return step.inboxCursor < previous.inboxCursor
            || step.inboxCursor > uint256(previous.inboxCursor) + 1
            || step.outputs < previous.outputs
            || (!isFirst && step.liquidations < previous.liquidations)
            || step.dataEnd < start + Frames.HEAD_BYTES || step.dataEnd > header.daLength
            || (step.epochHash == 0 && previous.epochHash != 0);
    }

    /// @dev Faulty: a word that no effect is encoded as, an output whose number is not the next, or
    /// other numbers of outputs and liquidations than the words have.
    function areWordsWrong(BatchHeader calldata header, WordsEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requirePair(header, e.pair);
        (Step calldata previous, Step calldata step) = (e.pair.previous, e.pair.step);
        Effects.requireOf(step, e.effects);
        if (e.effects.length % Effects.WORD_BYTES != 0) return true;

        uint256 outputs = previous.outputs;
        uint256 liquidations = e.pair.index == 0 ? 0 : previous.liquidations;
        uint256 count = Effects.count(e.effects);
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = Effects.wordAt(e.effects, i);
            if (!Effects.isCanonical(word)) return true;
            uint8 kind = Effects.kindOf(word);
            if (kind == EFFECT_LIQUIDATION) ++liquidations;
            if (kind == EFFECT_OUTPUT && Effects.outputOf(word) != ++outputs) return true;
        }
        return step.outputs != outputs || step.liquidations != liquidations;
    }

    /// @dev Faulty: the trace does not begin and end where the header says.
    function endsWrong(BatchHeader calldata header, TraceBounds calldata bounds)
        private
        pure
        returns (bool)
    {
        Trace.requireBounds(header, bounds);
        Step calldata last = bounds.last;
        return bounds.before.inboxCursor != header.inboxFrom || last.inboxCursor != header.inboxTo
            || last.tip != header.inputLogHash || last.liquidations != header.liquidationCount
            || last.dataEnd > header.daLength;
    }

    /// @dev Faulty: the state root has other accounts, totals or another last record than the trace
    /// and the header.
    function isStateWrong(BatchHeader calldata header, StateEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requireLast(header, e.last);
        Openings.requireFrame(e.last.step, e.frame);
        bytes32 given = keccak256(abi.encode(e.parts));
        require(given == header.stateRoot, WrongStateParts(given, header.stateRoot));
        return e.parts.accountRoot != e.last.step.accountRoot
            || e.parts.totalsHash != header.totalsHash || e.parts.lastSeq != Frames.seqOf(e.frame);
    }

    /// @dev Faulty: an epoch begins whose number is not the next, or whose time is not the record's.
    function isEpochWrong(BatchHeader calldata header, EpochEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requirePair(header, e.pair);
        bytes32 previous = e.pair.previous.epochHash;
        bytes32 current = e.pair.step.epochHash;
        Openings.requireFrame(e.pair.step, e.frame);
        require(current != previous, NoNewEpoch());
        Openings.requireEpoch(e.epoch, current);
        uint256 number = 0;
        if (previous != 0) {
            Openings.requireEpoch(e.previousEpoch, previous);
            number = e.previousEpoch.number;
        }
        return e.epoch.number != number + 1 || e.epoch.time != Frames.timeOf(e.frame);
    }

    /// @dev Faulty: the columns of the header are not those of the last epoch.
    function areRootsWrong(BatchHeader calldata header, RootsEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requireLast(header, e.last);
        bytes32 current = e.last.step.epochHash;
        if (current == 0) return header.priceRoot != 0 || header.riskRoot != 0;
        Openings.requireEpoch(e.epoch, current);
        return header.priceRoot != e.epoch.priceRoot || header.riskRoot != e.epoch.riskRoot;
    }

    // Where each struct lies in calldata.

    function shapeAt(uint256 place) private pure returns (ShapeEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function linkAt(uint256 place) private pure returns (LinkEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function pairAt(uint256 place) private pure returns (StepPair calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function wordsAt(uint256 place) private pure returns (WordsEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function boundsAt(uint256 place) private pure returns (TraceBounds calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function stateAt(uint256 place) private pure returns (StateEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function epochAt(uint256 place) private pure returns (EpochEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function rootsAt(uint256 place) private pure returns (RootsEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }
}
