// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PenaltyJudge} from "../../contracts/challenge/PenaltyJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Frames} from "../../contracts/libraries/Frames.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {
    Column,
    InstrumentOpening,
    PenaltyEvidence
} from "../../contracts/types/ContentEvidence.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev A liquidation costs at most the fee on what it closes, at the mark.
contract PenaltyJudgeTest is ContentWorld {
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;

    /// @dev 1 % of ten perpetuals and of ten futures, 60 dollars each.
    int64 private constant DUE_E6 = 12e6;

    PenaltyJudge private _judge;

    function setUp() public {
        buildWorld();
        _judge = new PenaltyJudge(IRiskParameters(address(listings)));
    }

    function test_the_penalty_is_at_most_the_fee_on_everything_closed() public {
        assertHonest(_judge, abi.encode(_liquidation(DUE_E6)));
        assertHonest(_judge, abi.encode(_liquidation(0)));
        assertFaulty(_judge, abi.encode(_liquidation(DUE_E6 + 1)));
    }

    function test_the_fee_is_on_the_mark_not_on_the_price_or_net_of_funding() public {
        // Sold on the book for one dollar each.
        bytes memory words = bytes.concat(
            W.liquidation(ACCOUNT, 1), W.fill(ACCOUNT, MAKER, PERPETUAL, -10, -10e6, 1, 0)
        );
        assertHonest(_judge, abi.encode(_shown(bytes.concat(words, W.penalty(ACCOUNT, 6e6)))));
        assertFaulty(_judge, abi.encode(_shown(bytes.concat(words, W.penalty(ACCOUNT, 6e6 + 1)))));
    }

    function test_what_others_pay_or_trade_does_not_count() public {
        bytes memory words = bytes.concat(
            W.liquidation(ACCOUNT, 1), W.fill(ACCOUNT, MAKER, PERPETUAL, -10, -10e6, 1, 0)
        );
        words = bytes.concat(words, W.penalty(MAKER, 100e6));
        assertHonest(_judge, abi.encode(_shown(words)));
        words = bytes.concat(words, W.fill(MAKER, 7, PERPETUAL, 90, 90e6, 1, 0));
        words = bytes.concat(words, W.penalty(ACCOUNT, 7e6));
        assertFaulty(_judge, abi.encode(_shown(words)));
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        PenaltyEvidence memory shown = _liquidation(DUE_E6 + 1);
        shown.epoch.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.epoch.number -= 1;
        shown.instruments[1].listed.feeE6 -= 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.instruments[1] = instrumentOf(CALL);
        expectRefused(_judge, abi.encode(shown), PenaltyJudge.MissingInstrument.selector);
        shown.instruments[1] = instrumentOf(FUTURE);
        (shown.values[1], shown.fundings[1]) = (fundingColumn(), fundingColumn());
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        (shown.values[1], shown.fundings[1]) = (valueColumn(), valueColumn());
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.fundings = new Column[](1);
        expectRefused(_judge, abi.encode(shown), PenaltyJudge.ColumnCount.selector);
        shown = _liquidation(0);
        bytes memory frame = LogFrames.settleExpiry(next(), 0);
        uint32 index = add(frame, "");
        seal();
        shown.record = recordAt(index);
        expectRefused(_judge, abi.encode(shown), Frames.WrongRecordType.selector);
    }

    function test_RevertWhen_the_record_is_not_that_of_the_batch() public {
        PenaltyEvidence memory shown = _liquidation(DUE_E6);
        shown.record.effects = W.penalty(ACCOUNT, DUE_E6);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
    }

    function _liquidation(int64 penalty) private returns (PenaltyEvidence memory) {
        bytes memory words = bytes.concat(
            W.liquidation(ACCOUNT, 2),
            W.fill(ACCOUNT, MAKER, PERPETUAL, -4, -4 * 59e6, 1, 0),
            W.transfer(ACCOUNT, PERPETUAL, 6, 6 * VALUE_E6),
            W.transfer(ACCOUNT, FUTURE, -10, -10 * 60e6)
        );
        return _shown(bytes.concat(words, W.penalty(ACCOUNT, penalty)));
    }

    function _shown(bytes memory words) private returns (PenaltyEvidence memory shown) {
        uint32 index = add(LogFrames.liquidate(next(), ACCOUNT), words);
        seal();
        shown.record = recordAt(index);
        shown.epoch = epoch();
        shown.instruments = new InstrumentOpening[](2);
        (shown.values, shown.fundings) = (new Column[](2), new Column[](2));
        for (uint16 i = 0; i < 2; ++i) {
            shown.instruments[i] = instrumentOf(i);
            (shown.values[i], shown.fundings[i]) = (valueColumn(), fundingColumn());
        }
        vm.assertEq(shown.record.effects.length, words.length);
    }
}
