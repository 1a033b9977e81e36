// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GrammarJudge} from "../../contracts/challenge/GrammarJudge.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {RecordOpening} from "../../contracts/types/ContentEvidence.sol";
import {ContentRig} from "./support/ContentRig.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev Which effects a command can have at all.
contract GrammarJudgeTest is ContentRig {
    uint32 private constant NOBODY = type(uint32).max;
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;
    address private constant OWNER = address(0xA11CE);

    GrammarJudge private _judge = new GrammarJudge();
    bytes private _unsigned = new bytes(65);

    function setUp() public {
        beginBatch();
        steps[0].epochHash = keccak256("an epoch");
        steps[0].outputs = 8;
        // So that orders from 1 on lie in the past.
        for (uint256 i = 0; i < 3; ++i) {
            add(LogFrames.fundingTick(next()), "");
        }
    }

    function test_genesis_opens_the_two_reserved_accounts() public {
        bytes memory frame = LogFrames.frame(next(), 1, "{}");
        bytes memory first = W.open(0, 0, OWNER);
        _right(frame, bytes.concat(first, W.open(1, 0, OWNER)));
        _wrong(frame, first);
        _wrong(frame, bytes.concat(first, W.open(2, 0, OWNER)));
        _wrong(frame, bytes.concat(first, W.open(1, 1, OWNER)));
        _wrong(frame, bytes.concat(first, W.mode(1, 0)));
    }

    function test_adopted_parameters_may_bring_assets_and_nothing_else() public {
        bytes memory frame = LogFrames.frame(next(), 13, new bytes(40));
        _right(frame, "");
        _right(frame, W.assets(0, 2));
        _right(frame, W.assets(0, 8));
        _wrong(frame, W.assets(0, 1));
        _wrong(frame, W.assets(0, 9));
        _wrong(frame, W.assets(1, 2));
        _wrong(frame, W.mode(0, 2));
        _wrong(frame, bytes.concat(W.assets(0, 2), W.assets(0, 3)));
        bytes memory loud = W.assets(0, 2);
        loud[31] = 0x01;
        _wrong(frame, loud);
    }

    function test_no_other_command_brings_assets() public {
        bytes memory word = W.assets(0, 2);
        _wrong(LogFrames.fundingTick(next()), word);
        _wrong(LogFrames.frame(next(), 1, "{}"), word);
        _wrong(LogFrames.deposit(next(), OWNER, 2, 1, 100), word);
        _wrong(LogFrames.placeOrder(next(), _order(10), _unsigned), word);
        _wrong(LogFrames.frame(next(), 9, abi.encodePacked(uint16(3))), word);
        _wrong(LogFrames.frame(next(), 5, new bytes(18)), word);
    }

    function test_a_deposit_is_credited_whole() public {
        bytes memory cash = LogFrames.deposit(next(), OWNER, 2, 0, 100);
        bytes memory token = LogFrames.deposit(next(), OWNER, 2, 1, 100);
        _right(cash, W.credit(ACCOUNT, 0, 100));
        _right(token, W.credit(ACCOUNT, 1, 100));
        _right(cash, bytes.concat(W.open(ACCOUNT, 2, OWNER), W.credit(ACCOUNT, 0, 100)));
        _wrong(cash, "");
        _wrong(cash, W.credit(ACCOUNT, 0, 99));
        _wrong(cash, W.cash(ACCOUNT, 2, 100));
        _wrong(cash, W.credit(ACCOUNT, 1, 100));
        _wrong(token, W.credit(ACCOUNT, 2, 100));
        _wrong(token, W.collateral(ACCOUNT, 1, 100, false));
        _wrong(cash, W.open(ACCOUNT, 2, OWNER));
        _wrong(cash, bytes.concat(W.open(ACCOUNT, 2, OWNER), W.credit(MAKER, 0, 100)));
        _wrong(cash, bytes.concat(W.open(ACCOUNT, 1, OWNER), W.credit(ACCOUNT, 0, 100)));
        _wrong(cash, bytes.concat(W.open(ACCOUNT, 2, address(1)), W.credit(ACCOUNT, 0, 100)));
    }

    function test_a_deposit_may_go_out_again_in_part_or_whole() public {
        bytes memory frame = LogFrames.deposit(next(), OWNER, 2, 1, 100);
        bytes memory credit = W.credit(ACCOUNT, 1, 100);
        _right(frame, bytes.concat(credit, W.output(ACCOUNT, 1, 30, 9)));
        _right(frame, W.output(NOBODY, 1, 100, 9));
        _right(frame, W.noop(NOBODY, 7));
        _right(frame, W.noop(ACCOUNT, 5));
        _wrong(frame, bytes.concat(credit, W.output(ACCOUNT, 1, 101, 9)));
        _wrong(frame, bytes.concat(credit, W.output(ACCOUNT, 1, 0, 9)));
        _wrong(frame, bytes.concat(credit, W.output(ACCOUNT, 0, 30, 9)));
        _wrong(frame, bytes.concat(credit, W.output(MAKER, 1, 30, 9)));
        _wrong(frame, bytes.concat(credit, W.mode(ACCOUNT, 1)));
        _wrong(frame, W.output(NOBODY, 1, 99, 9));
        _wrong(frame, W.output(NOBODY, 0, 100, 9));
        _wrong(frame, W.output(ACCOUNT, 1, 100, 9));
        _wrong(frame, W.noop(ACCOUNT, 1));
    }

    function test_an_order_trades_on_its_side_within_its_lots() public {
        bytes memory frame = LogFrames.placeOrder(next(), _order(10), _unsigned);
        bytes memory six = W.fill(ACCOUNT, MAKER, 3, 6, 60, 1, 2);
        _right(frame, "");
        _right(frame, six);
        _right(frame, bytes.concat(six, W.fill(ACCOUNT, 7, 3, 4, 40, 2, 0)));
        _wrong(frame, bytes.concat(six, W.fill(ACCOUNT, 7, 3, 5, 40, 2, 0)));
        _wrong(frame, bytes.concat(six, W.fill(ACCOUNT, 7, 3, -4, -40, 2, 0)));
        _wrong(frame, W.fill(ACCOUNT, MAKER, 4, 6, 60, 1, 2));
        _wrong(frame, W.fill(ACCOUNT, MAKER, 3, -6, -60, 1, 2));
        _wrong(frame, W.fill(MAKER, ACCOUNT, 3, 6, 60, 1, 2));
        _wrong(frame, W.fill(ACCOUNT, ACCOUNT, 3, 6, 60, 1, 2));
        _wrong(frame, W.fill(ACCOUNT, 0, 3, 6, 60, 1, 2));
        _wrong(frame, W.fill(ACCOUNT, MAKER, 3, 6, 60, 0, 2));
        _wrong(frame, W.fill(ACCOUNT, MAKER, 3, 6, 60, next().seq, 2));
        _wrong(frame, bytes.concat(six, W.mode(ACCOUNT, 1)));
        frame = LogFrames.placeOrder(next(), _order(-10), _unsigned);
        _right(frame, W.fill(ACCOUNT, MAKER, 3, -10, -60, 1, 2));
        _wrong(frame, W.fill(ACCOUNT, MAKER, 3, -11, -60, 1, 2));
    }

    function test_a_trade_and_a_fee_are_zero_sum() public {
        bytes memory frame = LogFrames.placeOrder(next(), _order(10), _unsigned);
        bytes memory taker = W.trade(ACCOUNT, 3, 6, 60, 0);
        bytes memory both = bytes.concat(taker, W.trade(MAKER, 3, -6, -60, 1));
        _right(frame, both);
        _wrong(frame, taker);
        _wrong(frame, bytes.concat(taker, W.trade(MAKER, 3, -5, -60, 1)));
        _wrong(frame, bytes.concat(taker, W.trade(MAKER, 3, -6, -59, 1)));
        _wrong(frame, bytes.concat(taker, W.trade(MAKER, 4, -6, -60, 1)));
        _wrong(frame, bytes.concat(taker, W.mode(MAKER, 1)));
        _wrong(frame, bytes.concat(W.trade(ACCOUNT, 3, 6, 60, 1), W.trade(MAKER, 3, -6, -60, 1)));
        _wrong(frame, bytes.concat(W.trade(ACCOUNT, 3, 0, 60, 0), W.trade(MAKER, 3, 0, -60, 1)));
        _wrong(frame, bytes.concat(both, W.cash(ACCOUNT, 2, -3), W.cash(0, 2, 2)));
        _wrong(frame, bytes.concat(both, W.cash(ACCOUNT, 2, -3), W.cash(MAKER, 2, 3)));
        _wrong(frame, bytes.concat(both, W.cash(ACCOUNT, 2, 3), W.cash(0, 2, -3)));
        _wrong(frame, bytes.concat(both, W.cash(ACCOUNT, 3, -3), W.cash(0, 3, 3)));
        _wrong(frame, bytes.concat(both, W.cash(MAKER, 2, -3), W.cash(0, 2, 3)));
    }

    function test_an_intent_may_not_be_late_or_of_the_insurance_fund() public {
        LogFrames.Order memory order = _order(10);
        order.expiresAt = next().time + 1;
        _right(LogFrames.placeOrder(next(), order, _unsigned), "");
        order.expiresAt = next().time;
        _wrong(LogFrames.placeOrder(next(), order, _unsigned), "");
        (order.expiresAt, order.account) = (LATER, 0);
        _wrong(LogFrames.placeOrder(next(), order, _unsigned), "");
        order.account = 1 << 20;
        _wrong(LogFrames.placeOrder(next(), order, _unsigned), "");
    }

    function test_an_order_that_is_only_to_rest_does_not_trade() public {
        LogFrames.Order memory order = _order(10);
        order.timeInForce = 2;
        bytes memory frame = LogFrames.placeOrder(next(), order, _unsigned);
        _right(frame, "");
        _wrong(frame, W.fill(ACCOUNT, MAKER, 3, 6, 60, 1, 2));
        order.timeInForce = 3;
        _wrong(LogFrames.placeOrder(next(), order, _unsigned), "");
        frame = LogFrames.placeOrder(next(), _order(10), _unsigned);
        frame[25 + 19] = 0x02;
        _wrong(frame, "");
    }

    function test_a_cancel_a_tick_and_a_report_have_no_effects() public {
        bytes memory cancel = LogFrames.cancel(next(), ACCOUNT, 1, 2, LATER, _unsigned);
        _right(cancel, "");
        _wrong(cancel, W.cash(ACCOUNT, 2, 1));
        _right(LogFrames.fundingTick(next()), "");
        _wrong(LogFrames.fundingTick(next()), W.mode(ACCOUNT, 1));
        _wrong(LogFrames.frame(next(), 5, ""), W.mode(ACCOUNT, 1));
    }

    function test_a_withdrawal_is_one_output() public {
        bytes memory frame = LogFrames.withdraw(next(), ACCOUNT, 1, 70, 2, LATER, _unsigned);
        _right(frame, W.output(ACCOUNT, 1, 70, 9));
        _wrong(frame, "");
        _wrong(frame, W.output(MAKER, 1, 70, 9));
        _wrong(frame, W.output(ACCOUNT, 0, 70, 9));
        _wrong(frame, W.output(ACCOUNT, 1, 71, 9));
        _wrong(frame, W.output(ACCOUNT, 1, 70, 8));
        _wrong(frame, bytes.concat(W.output(ACCOUNT, 1, 70, 9), W.output(ACCOUNT, 1, 70, 10)));
        frame = LogFrames.withdraw(next(), ACCOUNT, 1, 0, 2, LATER, _unsigned);
        _wrong(frame, W.output(ACCOUNT, 1, 0, 9));
    }

    function test_a_settlement_is_one_word_of_its_instrument() public {
        bytes memory frame = LogFrames.settleExpiry(next(), 3);
        _right(frame, W.settle(3, 10));
        _wrong(frame, "");
        _wrong(frame, W.settle(4, 10));
        _wrong(frame, bytes.concat(W.settle(3, 10), W.settle(3, 10)));
    }

    function test_a_change_of_mode_is_one_word() public {
        bytes memory frame = LogFrames.setMode(next(), ACCOUNT, 1, 2, LATER, _unsigned);
        _right(frame, W.mode(ACCOUNT, 1));
        _wrong(frame, "");
        _wrong(frame, W.mode(ACCOUNT, 0));
        _wrong(frame, W.mode(MAKER, 1));
        _wrong(LogFrames.setMode(next(), ACCOUNT, 3, 2, LATER, _unsigned), W.mode(ACCOUNT, 3));
        _wrong(LogFrames.setMode(next(), 1, 1, 2, LATER, _unsigned), W.mode(1, 1));
    }

    function test_a_conversion_is_one_sale_for_the_minimum() public {
        bytes memory frame = LogFrames.convert(next(), ACCOUNT, 1, 50, 20, 2, LATER, _unsigned);
        _right(frame, W.sale(ACCOUNT, 1, 50, 20));
        _wrong(frame, "");
        _wrong(frame, W.sale(ACCOUNT, 1, 50, 19));
        _wrong(frame, W.sale(ACCOUNT, 1, 51, 20));
        _wrong(frame, W.sale(ACCOUNT, 2, 50, 20));
        _wrong(frame, W.sale(MAKER, 1, 50, 20));
        frame = LogFrames.convert(next(), ACCOUNT, 1, 50, 0, 2, LATER, _unsigned);
        _wrong(frame, W.sale(ACCOUNT, 1, 50, 0));
        frame = LogFrames.convert(next(), 1, 1, 50, 20, 2, LATER, _unsigned);
        _wrong(frame, W.sale(1, 1, 50, 20));
    }

    function test_a_sale_is_zero_sum() public {
        bytes memory frame = LogFrames.convert(next(), ACCOUNT, 1, 50, 20, 2, LATER, _unsigned);
        bytes memory cash = bytes.concat(W.cash(ACCOUNT, 5, 20), W.cash(1, 5, -20));
        bytes memory given = W.collateral(ACCOUNT, 1, -50, false);
        _right(frame, bytes.concat(given, W.collateral(1, 1, 50, false), cash));
        _wrong(frame, bytes.concat(given, W.collateral(1, 1, 49, false), cash));
        _wrong(frame, bytes.concat(given, W.collateral(1, 1, 50, true), cash));
        _wrong(frame, bytes.concat(given, W.collateral(MAKER, 1, 50, false), cash));
        _wrong(frame, bytes.concat(given, W.collateral(1, 2, 50, false), cash));
        cash = bytes.concat(W.cash(ACCOUNT, 5, 20), W.cash(1, 5, -19));
        _wrong(frame, bytes.concat(given, W.collateral(1, 1, 50, false), cash));
    }

    function test_words_are_whole_canonical_and_known() public {
        bytes memory frame = LogFrames.withdraw(next(), ACCOUNT, 1, 70, 2, LATER, _unsigned);
        bytes memory word = W.output(ACCOUNT, 1, 70, 9);
        _wrong(frame, bytes.concat(word, hex"00"));
        for (uint256 i = 23; i < 32; ++i) {
            bytes memory other = bytes.concat(word);
            other[i] = 0x01;
            _wrong(frame, other);
        }
        word[0] = 0x0b;
        _wrong(frame, word);
        word[0] = 0x00;
        _wrong(frame, word);
        _wrong(LogFrames.frame(next(), 13, ""), W.mode(ACCOUNT, 1));
        word = W.credit(ACCOUNT, 1, 100);
        word[15] = 0x02;
        _wrong(LogFrames.deposit(next(), OWNER, 2, 1, 100), word);
    }

    function test_nothing_trades_or_settles_before_there_is_a_price() public {
        bytes memory frame = LogFrames.placeOrder(next(), _order(10), _unsigned);
        steps[3].epochHash = 0;
        _wrong(frame, W.fill(ACCOUNT, MAKER, 3, 6, 60, 1, 2));
        steps[steps.length - 1].epochHash = 0;
        _wrong(LogFrames.settleExpiry(next(), 3), W.settle(3, 10));
    }

    function test_RevertWhen_the_record_shown_is_not_that_of_the_batch() public {
        uint32 index = _only(LogFrames.fundingTick(next()), "");
        RecordOpening memory record = recordAt(index);
        record.effects = W.mode(ACCOUNT, 1);
        expectRefused(_judge, abi.encode(record), Effects.WrongEffects.selector);
        record = recordAt(index);
        record.frame = LogFrames.frame(next(), 1, "{}");
        expectRefused(_judge, abi.encode(record), Openings.WrongFrame.selector);
        record.pair.step.frameHash = keccak256(record.frame);
        expectRefused(_judge, abi.encode(record), Trace.WrongStep.selector);
    }

    function test_gas_of_the_grammar_judge() public {
        LogFrames.Order memory order = _order(64);
        bytes memory words;
        for (uint256 i = 0; i < 64; ++i) {
            words = bytes.concat(words, W.fill(ACCOUNT, MAKER, 3, 1, 60, 1, 2));
        }
        uint32 index = add(LogFrames.placeOrder(next(), order, _unsigned), words);
        seal();
        bytes memory evidence = abi.encode(recordAt(index));
        uint256 gas = gasleft();
        assertHonest(_judge, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 900_000);
        vm.snapshotValue("judges", "effects.grammar", used);
    }

    function _order(int32 lots) private pure returns (LogFrames.Order memory) {
        return LogFrames.Order(ACCOUNT, 3, lots, 1e8, 0, false, 1, LATER);
    }

    function _right(bytes memory frame, bytes memory words) private {
        uint32 index = _only(frame, words);
        assertHonest(_judge, abi.encode(recordAt(index)));
    }

    function _wrong(bytes memory frame, bytes memory words) private {
        uint32 index = _only(frame, words);
        assertFaulty(_judge, abi.encode(recordAt(index)));
    }

    /// @dev The record, in place of the one of the last question.
    function _only(bytes memory frame, bytes memory words) private returns (uint32 index) {
        if (steps.length > 4) {
            steps.pop();
            frames.pop();
            effects.pop();
        }
        index = add(frame, words);
        seal();
    }
}
