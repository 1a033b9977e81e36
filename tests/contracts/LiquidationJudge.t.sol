// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LiquidationJudge} from "../../contracts/challenge/LiquidationJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {LiquidationEvidence} from "../../contracts/types/ContentEvidence.sol";
import {Instruction, Leg} from "../../contracts/types/Liquidation.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev INV-8: what was liquidated is what the instruction says, where it says, at its prices.
contract LiquidationJudgeTest is ContentWorld {
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;

    /// @dev The mark of the perpetual less, or plus, a band of 1,500 dollars.
    uint64 private constant SELL_LIMIT_E8 = 58_500e8;
    uint64 private constant BUY_LIMIT_E8 = 61_500e8;

    LiquidationJudge private _judge;
    AccountLeaf private _leaf;
    Instruction private _instruction;
    bytes private _words;

    function setUp() public {
        buildWorld();
        _judge = new LiquidationJudge(IRiskParameters(address(listings)));
        (_leaf.owner, _leaf.mode) = (address(0xA11CE), 2);
        _instruction.account = ACCOUNT;
        _instruction.tier = 1;
        _instruction.epochHash = steps[0].epochHash;
        _instruction.legs.push(Leg(PERPETUAL, -10, SELL_LIMIT_E8));
        _instruction.legs.push(Leg(FUTURE, 4, BUY_LIMIT_E8));
        _words = bytes.concat(
            W.liquidation(ACCOUNT, 1),
            W.fill(ACCOUNT, MAKER, PERPETUAL, -6, -6 * 57.5e6, 1, 0),
            W.fill(ACCOUNT, MAKER, FUTURE, 4, 4 * 61e6, 2, 0),
            W.transfer(ACCOUNT, PERPETUAL, 4, 4 * VALUE_E6)
        );
    }

    function test_every_liquidation_counts_one() public {
        assertHonest(_judge, _shown(0));
        steps[steps.length - 1].liquidations += 1;
        assertFaulty(_judge, _reshown(0));
        steps[steps.length - 1].liquidations -= 2;
        assertFaulty(_judge, _reshown(0));
        uint32 index = add(LogFrames.fundingTick(next()), "");
        assertHonest(_judge, _reshown(0));
        steps[index].liquidations += 1;
        assertFaulty(_judge, _reshown(0));
    }

    function test_the_instruction_is_that_of_its_record() public {
        assertHonest(_judge, _shown(1));
        _instruction.tier = 2;
        assertFaulty(_judge, _shown(1));
        (_instruction.tier, _instruction.account) = (1, MAKER);
        assertFaulty(_judge, _shown(1));
        _instruction.account = ACCOUNT;
        _instruction.epochHash = keccak256("another epoch");
        assertFaulty(_judge, _shown(1));
        _instruction.epochHash = steps[0].epochHash;
        _words = "";
        assertFaulty(_judge, _shown(1));
        _words = W.mode(ACCOUNT, 1);
        assertFaulty(_judge, _shown(1));
    }

    function test_the_instruction_stands_on_the_tree_before_its_record() public {
        LiquidationEvidence memory shown = abi.decode(_shown(1), (LiquidationEvidence));
        Instruction memory given = shown.instruction;
        given.id += 1;
        assertFaulty(_judge, _with(shown));
        given.id -= 1;
        given.leafHash = keccak256("another leaf");
        assertFaulty(_judge, _with(shown));
        given.leafHash = keccak256(abi.encode(_leaf));
        given.accountRoot = keccak256("another root");
        assertFaulty(_judge, _with(shown));
        given.accountRoot = shown.record.pair.previous.accountRoot;
        assertHonest(_judge, _with(shown));
    }

    function test_an_account_that_does_not_exist_is_not_liquidated() public {
        bytes memory evidence = _shown(1);
        steps[steps.length - 2].accountRoot = rootWithout(ACCOUNT);
        LiquidationEvidence memory shown = abi.decode(evidence, (LiquidationEvidence));
        seal();
        shown.record = recordAt(uint32(steps.length) - 1);
        shown.instruction.accountRoot = rootWithout(ACCOUNT);
        shown.holder = absent(ACCOUNT);
        assertFaulty(_judge, _with(shown));
    }

    function test_another_record_carries_no_instruction() public {
        LiquidationEvidence memory shown = abi.decode(_shown(1), (LiquidationEvidence));
        uint32 index = add(LogFrames.fundingTick(next()), "");
        steps[index].liquidations = 2;
        seal();
        shown.record = recordAt(index);
        (shown.index, shown.proof) = (1, MerkleTree.proof(_instructions(shown.instruction), 1));
        header.liquidationRoot = MerkleTree.root(_instructions(shown.instruction));
        assertFaulty(_judge, abi.encode(shown));
    }

    function test_the_account_trades_within_its_legs() public {
        assertHonest(_judge, _shown(2));
        _instruction.legs[0].lots = -9;
        assertFaulty(_judge, _shown(2));
        _instruction.legs[0].lots = 10;
        assertFaulty(_judge, _shown(2));
        (_instruction.legs[0].lots, _instruction.legs[1].instrument) = (-10, CALL);
        assertFaulty(_judge, _shown(2));
        (_instruction.legs[1].instrument, _instruction.legs[1].lots) = (FUTURE, 3);
        assertFaulty(_judge, _shown(2));
        _instruction.legs[1].lots = 5;
        assertHonest(_judge, _shown(2));
    }

    function test_a_fill_is_within_the_limit_of_its_leg() public {
        assertHonest(_judge, _shownAt(3, 1, PERPETUAL));
        assertHonest(_judge, _shownAt(3, 3, FUTURE));
        _instruction.legs[0].limitPriceE8 += 1e8;
        assertFaulty(_judge, _shownAt(3, 1, PERPETUAL));
        _instruction.legs[1].limitPriceE8 = 61_000e8;
        assertHonest(_judge, _shownAt(3, 3, FUTURE));
        _instruction.legs[1].limitPriceE8 -= 1e8;
        assertFaulty(_judge, _shownAt(3, 3, FUTURE));
    }

    function test_the_limits_are_those_of_the_band() public {
        assertHonest(_judge, _shownAt(4, 0, PERPETUAL));
        assertHonest(_judge, _shownAt(4, 1, FUTURE));
        _instruction.legs[0].limitPriceE8 -= 1e8;
        assertFaulty(_judge, _shownAt(4, 0, PERPETUAL));
        _instruction.legs[1].limitPriceE8 += 1e8;
        assertFaulty(_judge, _shownAt(4, 1, FUTURE));
    }

    function test_a_limit_within_the_band_is_no_fault() public {
        _instruction.legs[0].limitPriceE8 += 1e8;
        assertHonest(_judge, _shownAt(4, 0, PERPETUAL));
        _instruction.legs[1].limitPriceE8 -= 1e8;
        assertHonest(_judge, _shownAt(4, 1, FUTURE));
        _instruction.legs[1].limitPriceE8 = 0;
        assertHonest(_judge, _shownAt(4, 1, FUTURE));
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        bytes memory evidence = _shownAt(3, 1, PERPETUAL);
        LiquidationEvidence memory shown = abi.decode(evidence, (LiquidationEvidence));
        shown.rule = 5;
        expectRefused(_judge, abi.encode(shown), LiquidationJudge.UnknownRule.selector);
        (shown.rule, shown.index) = (3, 1);
        expectRefused(_judge, abi.encode(shown), LiquidationJudge.OtherRecord.selector);
        shown.index = 0;
        shown.instruction.tier = 2;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        (shown.instruction.tier, shown.place) = (1, 5);
        expectRefused(_judge, abi.encode(shown), LiquidationJudge.OtherPhrase.selector);
        shown.place = 1;
        shown.instrument = instrumentOf(FUTURE);
        expectRefused(_judge, abi.encode(shown), LiquidationJudge.OtherInstrument.selector);
        shown = abi.decode(evidence, (LiquidationEvidence));
        shown.epoch.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown = abi.decode(evidence, (LiquidationEvidence));
        shown.instrument.listed.bandMarkE6 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(evidence, (LiquidationEvidence));
        shown.funding.packed = shown.values.packed;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(_shown(1), (LiquidationEvidence));
        shown.holder.leaf[0].cashE6 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.holder = opened(MAKER, _leaf);
        expectRefused(_judge, abi.encode(shown), LiquidationJudge.OtherAccount.selector);
    }

    function test_RevertWhen_the_record_shown_is_not_that_of_the_batch() public {
        LiquidationEvidence memory shown = abi.decode(_shown(2), (LiquidationEvidence));
        shown.record.effects = W.fill(ACCOUNT, MAKER, CALL, 1, 1, 1, 0);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
        shown = abi.decode(_shown(0), (LiquidationEvidence));
        shown.record.frame = LogFrames.fundingTick(next());
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
    }

    function test_RevertWhen_the_fill_is_in_no_leg() public {
        _instruction.legs[0].instrument = CALL;
        bytes memory evidence = _shownAt(3, 1, PERPETUAL);
        expectRefused(_judge, evidence, LiquidationJudge.OtherInstrument.selector);
    }

    function test_gas_of_the_liquidation_judge() public {
        bytes memory evidence = _shownAt(4, 0, PERPETUAL);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 200_000);
        vm.snapshotValue("judges", "liquidation", used);
    }

    function _shown(uint8 rule) private returns (bytes memory) {
        return _shownAt(rule, 0, PERPETUAL);
    }

    /// @dev A batch of one liquidation, and the record that carries it.
    function _shownAt(uint8 rule, uint32 place, uint16 instrument) private returns (bytes memory) {
        while (steps.length > 1) {
            steps.pop();
            frames.pop();
            effects.pop();
        }
        standBefore(rootWith(ACCOUNT, _leaf));
        _instruction.id = next().seq;
        _instruction.accountRoot = rootWith(ACCOUNT, _leaf);
        _instruction.leafHash = keccak256(abi.encode(_leaf));
        uint32 index = add(LogFrames.liquidate(next(), ACCOUNT), _words);
        steps[index].liquidations = 1;
        seal();
        LiquidationEvidence memory shown;
        (shown.rule, shown.place) = (rule, place);
        shown.record = recordAt(index);
        shown.instruction = _instruction;
        shown.holder = opened(ACCOUNT, _leaf);
        shown.instrument = instrumentOf(instrument);
        shown.epoch = epoch();
        shown.report = report();
        shown.values = valueColumn();
        shown.funding = fundingColumn();
        return _with(shown);
    }

    /// @dev The last record as it is now.
    function _reshown(uint8 rule) private returns (bytes memory) {
        seal();
        LiquidationEvidence memory shown;
        shown.rule = rule;
        shown.record = recordAt(uint32(steps.length) - 1);
        return abi.encode(shown);
    }

    /// @dev The same evidence in a batch that lists the instruction.
    function _with(LiquidationEvidence memory shown) private returns (bytes memory) {
        header.liquidationRoot = MerkleTree.root(_instructions(shown.instruction));
        shown.proof = MerkleTree.proof(_instructions(shown.instruction), 0);
        return abi.encode(shown);
    }

    /// @dev The instruction twice.
    function _instructions(Instruction memory given) private pure returns (bytes32[] memory all) {
        all = new bytes32[](2);
        all[0] = all[1] = keccak256(abi.encode(given));
    }
}
