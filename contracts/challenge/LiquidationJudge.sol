// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {Frames, RECORD_LIQUIDATE} from "../libraries/Frames.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Marks} from "../libraries/Marks.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {Openings} from "../libraries/Openings.sol";
import {BatchHeader} from "../types/Batch.sol";
import {LiquidationEvidence} from "../types/ContentEvidence.sol";
import {Instruction, Leg} from "../types/Liquidation.sol";
import {EFFECT_LIQUIDATION, EFFECT_TRADE} from "../types/Trace.sol";

/// @title LiquidationJudge
/// @notice Kind 5: a liquidation stands under another root, epoch or record than its own, or trades
/// beyond its legs or limit prices.
/// @dev Evidence is a `LiquidationEvidence`. What makes the instruction itself right, the
/// liquidation manager verifies; this judge ties it to what was done.
/// `COUNT`: faulty when a Liquidate record does not add one to the count of the step, or another
/// record changes it. The first step of a batch counts from zero.
/// For the other rules the record makes the count `index + 1`, and the instruction stands at `index`
/// under the batch's liquidation root:
/// `INSTRUCTION`: faulty when the record is no Liquidate of the instruction's account with its
/// tier; or `id`, `accountRoot`, `epochHash` or `leafHash` are not the record's number and what stood
/// before it, `holder` being the account there.
/// `LEGS`: faulty when the account trades in an instrument without a leg, against a leg, or more.
/// `LIMIT`: `place` is the word of the account in a fill. Faulty when the price is worse than the
/// limit price of its leg.
/// `BAND`: faulty when the limit price of the leg at `place` is worse than that of the liquidation
/// band; a better one spares the account more.
contract LiquidationJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 public constant COUNT = 0;
    uint8 public constant INSTRUCTION = 1;
    uint8 public constant LEGS = 2;
    uint8 public constant LIMIT = 3;
    uint8 public constant BAND = 4;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The record does not carry the instruction at this place.
    error OtherRecord(uint32 index, uint32 before, uint32 afterwards);

    /// @notice The account opened is not the one that is liquidated.
    error OtherAccount(uint32 given, uint32 expected);

    /// @notice The instrument opened is not the one traded, or has no leg.
    error OtherInstrument(uint16 given, uint16 expected);

    /// @notice The word is no fill of the account.
    error OtherPhrase(uint32 place);

    IRiskParameters private immutable _parameters;

    constructor(IRiskParameters parameters) {
        _parameters = parameters;
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        LiquidationEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        uint8 rule = shown.rule;
        require(rule <= BAND, UnknownRule(rule));
        Openings.requireRecord(header, shown.record);
        uint32 before = shown.record.pair.index == 0 ? 0 : shown.record.pair.previous.liquidations;
        uint32 afterwards = shown.record.pair.step.liquidations;
        if (rule == COUNT) return _isMiscounted(shown, before, afterwards);
        uint32 index = shown.index;
        require(
            before == index && afterwards == uint256(index) + 1,
            OtherRecord(index, before, afterwards)
        );
        _requireInstruction(header, shown);
        if (rule == INSTRUCTION) return _isMisplaced(shown);
        if (rule == LEGS) return _isBeyondLegs(shown);
        bytes32 listingRoot = _parameters.listingRootOf(header.paramsHash);
        return rule == LIMIT ? _isBeyondLimit(listingRoot, shown) : _isOffBand(listingRoot, shown);
    }

    function _isMiscounted(LiquidationEvidence calldata shown, uint256 before, uint256 afterwards)
        private
        pure
        returns (bool)
    {
        bool isLiquidation = Frames.typeOf(shown.record.frame) == RECORD_LIQUIDATE;
        return afterwards != (isLiquidation ? before + 1 : before);
    }

    function _requireInstruction(BatchHeader calldata header, LiquidationEvidence calldata shown)
        private
        pure
    {
        bytes32 leaf = LeafHash.instruction(shown.instruction);
        bytes32 given = Merkle.listRoot(leaf, shown.index, shown.proof);
        require(given == header.liquidationRoot, Openings.WrongRoot(given, header.liquidationRoot));
    }

    function _isMisplaced(LiquidationEvidence calldata shown) private pure returns (bool) {
        bytes calldata frame = shown.record.frame;
        Instruction calldata given = shown.instruction;
        if (Frames.typeOf(frame) != RECORD_LIQUIDATE) return true;
        uint32 account = Commands.accountOf(frame);
        if (given.id != Frames.seqOf(frame) || given.account != account) return true;
        if (given.accountRoot != shown.record.pair.previous.accountRoot) return true;
        if (given.epochHash != shown.record.pair.previous.epochHash) return true;
        bytes calldata effects = shown.record.effects;
        if (effects.count() == 0) return true;
        uint256 word = effects.wordAt(0);
        if (word.kindOf() != EFFECT_LIQUIDATION || word.placeOf() != given.tier) return true;
        require(shown.holder.account == account, OtherAccount(shown.holder.account, account));
        Openings.requireAccount(given.accountRoot, shown.holder);
        if (shown.holder.leaf.length == 0) return true;
        return LeafHash.account(shown.holder.leaf[0]) != given.leafHash;
    }

    function _isBeyondLegs(LiquidationEvidence calldata shown) private pure returns (bool) {
        bytes calldata effects = shown.record.effects;
        Leg[] calldata legs = shown.instruction.legs;
        int256[] memory traded = new int256[](legs.length);
        uint256 words = effects.count();
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            if (word.kindOf() != EFFECT_TRADE) continue;
            if (word.accountOf() != shown.instruction.account) continue;
            uint256 place = _legOf(legs, word.placeOf());
            if (place == legs.length) return true;
            int256 lots = word.lotsOf();
            if ((lots > 0) != (legs[place].lots > 0)) return true;
            traded[place] += lots;
        }
        for (uint256 i = 0; i < legs.length; ++i) {
            int256 most = legs[i].lots;
            if (most > 0 ? traded[i] > most : traded[i] < most) return true;
        }
        return false;
    }

    function _isBeyondLimit(bytes32 listingRoot, LiquidationEvidence calldata shown)
        private
        pure
        returns (bool)
    {
        bytes calldata effects = shown.record.effects;
        uint256 word = effects.ofKind(shown.place, EFFECT_TRADE);
        bool isFill = effects.ofKind(uint256(shown.place) + 1, EFFECT_TRADE).orderOf() != 0;
        require(isFill && word.accountOf() == shown.instruction.account, OtherPhrase(shown.place));
        uint16 id = word.placeOf();
        _requireInstrument(listingRoot, shown, id);
        int256 fundingE6 = Marks.fundingOf(shown.epoch, id, shown.funding);
        int256 limitE8 = _limitOf(shown.instruction.legs, id);
        return Marks.isBeyond(word, limitE8, shown.instrument, fundingE6);
    }

    function _limitOf(Leg[] calldata legs, uint16 instrument) private pure returns (int256) {
        uint256 place = _legOf(legs, instrument);
        require(place != legs.length, OtherInstrument(0, instrument));
        return int256(uint256(legs[place].limitPriceE8));
    }

    function _isOffBand(bytes32 listingRoot, LiquidationEvidence calldata shown)
        private
        pure
        returns (bool)
    {
        Leg calldata leg = shown.instruction.legs[shown.place];
        _requireInstrument(listingRoot, shown, leg.instrument);
        Marks.Opened memory opened =
            Marks.open(shown.epoch, shown.report, shown.instrument, shown.values, shown.funding);
        int256 limitE8 = Marks.limitOf(opened, shown.instrument, leg.lots);
        int256 givenE8 = int256(uint256(leg.limitPriceE8));
        return leg.lots > 0 ? givenE8 > limitE8 : givenE8 < limitE8;
    }

    /// @dev The instrument, and the epoch that the instruction names.
    function _requireInstrument(
        bytes32 listingRoot,
        LiquidationEvidence calldata shown,
        uint16 instrument
    ) private pure {
        uint16 id = shown.instrument.listed.id;
        require(id == instrument, OtherInstrument(id, instrument));
        Openings.requireInstrument(listingRoot, shown.instrument);
        Openings.requireEpoch(shown.epoch, shown.record.pair.previous.epochHash);
    }

    /// @return The place of the leg, or the number of legs when there is none.
    function _legOf(Leg[] calldata legs, uint16 instrument) private pure returns (uint256) {
        for (uint256 i = 0; i < legs.length; ++i) {
            if (legs[i].instrument == instrument) return i;
        }
        return legs.length;
    }
}
