// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GrammarJudge} from "../../contracts/challenge/GrammarJudge.sol";
import {ContentRig} from "./support/ContentRig.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";

/// @dev Which effects liquidations and forced operations can have.
contract GrammarForcedJudgeTest is ContentRig {
    uint32 private constant NOBODY = type(uint32).max;
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;
    address private constant OWNER = address(0xA11CE);
    uint8 private constant WITHDRAWAL = 2;
    uint8 private constant CANCEL_ALL = 3;
    uint8 private constant CLOSE = 4;
    uint8 private constant GRANT = 5;

    GrammarJudge private _judge = new GrammarJudge();

    function setUp() public {
        beginBatch();
        steps[0].epochHash = keccak256("an epoch");
        steps[0].outputs = 8;
        for (uint256 i = 0; i < 3; ++i) {
            add(LogFrames.fundingTick(next()), "");
        }
    }

    function test_a_liquidation_sells_hands_over_and_charges_in_this_order() public {
        bytes memory frame = LogFrames.liquidate(next(), ACCOUNT);
        bytes memory begin = W.liquidation(ACCOUNT, 1);
        bytes memory sold = W.fill(ACCOUNT, MAKER, 3, -6, -60, 1, 0);
        bytes memory handed = W.transfer(ACCOUNT, 4, 2, 20);
        bytes memory fee = W.penalty(ACCOUNT, 5);
        _right(frame, bytes.concat(begin, sold, handed, fee));
        _right(frame, bytes.concat(begin, sold, sold, fee));
        _right(frame, bytes.concat(begin, handed, handed));
        _wrong(frame, "");
        _wrong(frame, begin);
        _wrong(frame, bytes.concat(sold, handed, fee));
        _wrong(frame, bytes.concat(begin, handed, sold));
        _wrong(frame, bytes.concat(begin, sold, fee, handed));
        _wrong(frame, bytes.concat(begin, sold, fee, fee));
        _wrong(frame, bytes.concat(W.liquidation(MAKER, 1), sold));
        _wrong(frame, bytes.concat(W.liquidation(ACCOUNT, 3), sold));
        _wrong(frame, bytes.concat(begin, W.fill(ACCOUNT, MAKER, 3, -6, -60, 1, 2)));
        _wrong(frame, bytes.concat(begin, W.fill(MAKER, 7, 3, -6, -60, 1, 0)));
        _wrong(frame, bytes.concat(begin, W.transfer(MAKER, 4, 2, 20)));
        _wrong(frame, bytes.concat(begin, sold, W.penalty(MAKER, 5)));
    }

    function test_the_backstop_alone_takes_over_and_is_not_liquidated() public {
        bytes memory frame = LogFrames.liquidate(next(), ACCOUNT);
        bytes memory begin = W.liquidation(ACCOUNT, 1);
        bytes memory taken = W.trade(1, 4, 2, 20, 0);
        _right(frame, bytes.concat(begin, taken, W.trade(ACCOUNT, 4, -2, -20, 0)));
        _wrong(frame, bytes.concat(begin, taken, W.trade(ACCOUNT, 4, -2, -19, 0)));
        taken = W.trade(MAKER, 4, 2, 20, 0);
        _wrong(frame, bytes.concat(begin, taken, W.trade(ACCOUNT, 4, -2, -20, 0)));
        frame = LogFrames.liquidate(next(), 1);
        _wrong(frame, bytes.concat(W.liquidation(1, 1), W.fill(1, MAKER, 3, -6, -60, 1, 0)));
    }

    function test_only_a_full_step_settles_a_debt() public {
        bytes memory frame = LogFrames.liquidate(next(), ACCOUNT);
        bytes memory debt =
            bytes.concat(W.sale(ACCOUNT, 1, 50, 20), W.cover(ACCOUNT, 7), W.shortfall(ACCOUNT, 3));
        bytes memory sold = W.fill(ACCOUNT, MAKER, 3, -6, -60, 1, 0);
        bytes memory full = W.liquidation(ACCOUNT, 2);
        _right(frame, bytes.concat(full, sold, debt));
        _right(frame, bytes.concat(full, debt));
        _right(frame, bytes.concat(full, W.shortfall(ACCOUNT, 3)));
        _wrong(frame, bytes.concat(W.liquidation(ACCOUNT, 1), sold, debt));
        _wrong(frame, bytes.concat(full, W.cover(ACCOUNT, -7)));
        _wrong(frame, bytes.concat(full, W.cover(MAKER, 7)));
        _wrong(frame, bytes.concat(full, W.shortfall(MAKER, 3)));
        _wrong(frame, bytes.concat(full, W.shortfall(ACCOUNT, 0)));
        _wrong(frame, bytes.concat(full, W.cover(ACCOUNT, 7), W.sale(ACCOUNT, 1, 50, 20)));
        _wrong(frame, bytes.concat(full, W.shortfall(ACCOUNT, 3), W.cover(ACCOUNT, 7)));
    }

    function test_a_forced_withdrawal_is_one_output_or_a_reason() public {
        bytes memory frame = _forced(WITHDRAWAL, 1, 70);
        _right(frame, W.output(ACCOUNT, 1, 70, 9));
        _right(frame, W.output(ACCOUNT, 1, 1, 9));
        _wrong(frame, "");
        _wrong(frame, W.output(ACCOUNT, 1, 71, 9));
        _wrong(frame, W.output(ACCOUNT, 1, 0, 9));
        _wrong(frame, W.output(ACCOUNT, 0, 70, 9));
        _wrong(frame, W.output(NOBODY, 1, 70, 9));
        _wrong(frame, W.cash(ACCOUNT, 1, 70));
        _reasons(frame, [true, true, true, false, false, false, true]);
    }

    function test_a_forced_cancel_all_has_no_effects_or_no_account() public {
        bytes memory frame = _forced(CANCEL_ALL, 0, 0);
        _right(frame, "");
        _wrong(frame, W.mode(ACCOUNT, 1));
        _reasons(frame, [true, false, false, false, false, false, false]);
    }

    function test_keys_have_no_effects() public {
        for (uint8 kind = GRANT; kind < 8; ++kind) {
            bytes memory frame = _forced(kind, 0, 0);
            if (kind <= 6) _right(frame, "");
            else _wrong(frame, "");
            _wrong(frame, W.mode(ACCOUNT, 1));
            _reasons(frame, [false, false, false, false, false, false, false]);
        }
    }

    function test_a_forced_close_trades_then_hands_over() public {
        bytes memory frame = _forced(CLOSE, 3, 10);
        bytes memory sold = W.fill(ACCOUNT, MAKER, 3, -6, -60, 1, 2);
        bytes memory handed = W.transfer(ACCOUNT, 3, 4, 40);
        _right(frame, sold);
        _right(frame, bytes.concat(sold, handed, W.penalty(ACCOUNT, 5)));
        _right(frame, handed);
        _wrong(frame, "");
        _wrong(frame, bytes.concat(sold, sold));
        _wrong(frame, bytes.concat(sold, W.penalty(ACCOUNT, 5)));
        _wrong(frame, bytes.concat(handed, sold));
        _wrong(frame, bytes.concat(sold, W.transfer(ACCOUNT, 3, -4, -40)));
        _wrong(frame, bytes.concat(sold, W.transfer(ACCOUNT, 4, 4, 40)));
        _wrong(frame, bytes.concat(sold, W.transfer(MAKER, 3, 4, 40)));
        _wrong(frame, bytes.concat(sold, W.transfer(ACCOUNT, 3, 5, 40)));
        _wrong(frame, W.fill(ACCOUNT, MAKER, 4, -6, -60, 1, 2));
        _wrong(frame, W.mode(ACCOUNT, 1));
        _right(_forced(CLOSE, 3, 0), bytes.concat(sold, sold));
        _reasons(frame, [true, false, true, true, false, true, true]);
    }

    /// @dev Which reasons from 1 on the entry can have; those about nobody name no account.
    function _reasons(bytes memory frame, bool[7] memory isRight) private {
        for (uint16 reason = 1; reason <= 7; ++reason) {
            bool isAboutNobody = reason == 1 || reason == 7;
            uint32 named = isAboutNobody ? NOBODY : ACCOUNT;
            if (isRight[reason - 1]) _right(frame, W.noop(named, reason));
            else _wrong(frame, W.noop(named, reason));
            _wrong(frame, W.noop(isAboutNobody ? ACCOUNT : NOBODY, reason));
        }
    }

    function _forced(uint8 kind, uint16 place, uint128 amount) private view returns (bytes memory) {
        return LogFrames.forced(next(), LogFrames.Entry(kind, OWNER, 0, place, amount, address(0)));
    }

    function _right(bytes memory frame, bytes memory words) private {
        assertHonest(_judge, _evidence(frame, words));
    }

    function _wrong(bytes memory frame, bytes memory words) private {
        assertFaulty(_judge, _evidence(frame, words));
    }

    /// @dev The record, in place of the one of the last question.
    function _evidence(bytes memory frame, bytes memory words) private returns (bytes memory) {
        if (steps.length > 4) {
            steps.pop();
            frames.pop();
            effects.pop();
        }
        uint32 index = add(frame, words);
        seal();
        return abi.encode(recordAt(index));
    }
}
