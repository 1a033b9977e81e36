// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BandJudge} from "../../contracts/challenge/BandJudge.sol";
import {EffectsJudge} from "../../contracts/challenge/EffectsJudge.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Frames} from "../../contracts/libraries/Frames.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {BandEvidence, EffectsEvidence} from "../../contracts/types/ContentEvidence.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev A forced close gets the mark less the band at worst, and pays the fee at most.
contract BandJudgeTest is ContentWorld {
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;
    address private constant OWNER = address(0xA11CE);

    /// @dev The mark is 60,000 dollars; the band 2 % of it and 0.5 % of the index: 1,500 dollars,
    /// and so 1.5 dollars for a lot.
    int64 private constant BAND_E6 = 1.5e6;

    BandJudge private _judge;

    function setUp() public {
        buildWorld();
        _judge = new BandJudge(IRiskParameters(address(listings)));
    }

    function test_a_sale_is_within_the_band_below_the_mark() public {
        assertHonest(_judge, _fill(-10, -10 * (VALUE_E6 - BAND_E6)));
        assertHonest(_judge, _fill(-10, -10 * (VALUE_E6 + BAND_E6)));
        assertFaulty(_judge, _fill(-10, -10 * (VALUE_E6 - BAND_E6) + 1));
    }

    function test_a_purchase_is_within_the_band_above_the_mark() public {
        assertHonest(_judge, _fill(10, 10 * (VALUE_E6 + BAND_E6)));
        assertHonest(_judge, _fill(10, 10 * (VALUE_E6 - BAND_E6)));
        assertFaulty(_judge, _fill(10, 10 * (VALUE_E6 + BAND_E6) + 1));
    }

    function test_a_sale_never_has_to_go_below_one_tick() public {
        values[0] = 1e3 - FUNDING_E6;
        steps[0].epochHash = keccak256(abi.encode(epoch()));
        assertHonest(_judge, _fill(-10, -10 * (1e3 - FUNDING_E6)));
        assertFaulty(_judge, _fill(-10, 10 * FUNDING_E6));
    }

    function test_the_penalty_is_at_most_the_fee_at_the_mark() public {
        // 1 % of ten lots at 60 dollars.
        assertHonest(_judge, _transfer(6e6));
        assertHonest(_judge, _transfer(1));
        assertHonest(_judge, _transfer(0));
        assertFaulty(_judge, _transfer(6e6 + 1));
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        bytes memory evidence = _transfer(1);
        BandEvidence memory shown = abi.decode(evidence, (BandEvidence));
        shown.rule = 2;
        expectRefused(_judge, abi.encode(shown), BandJudge.UnknownRule.selector);
        shown.rule = 1;
        shown.epoch.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.epoch.number -= 1;
        shown.report.round += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.report.round -= 1;
        shown.instrument.listed.feeE6 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.instrument = instrumentOf(PERPETUAL);
        shown.values.packed = shown.funding.packed;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.values = valueColumn();
        shown.place = 0;
        expectRefused(_judge, abi.encode(shown), BandJudge.OtherPhrase.selector);
        shown.rule = 0;
        expectRefused(_judge, abi.encode(shown), BandJudge.OtherPhrase.selector);
        shown.instrument = instrumentOf(FUTURE);
        expectRefused(_judge, abi.encode(shown), BandJudge.OtherInstrument.selector);
        bytes memory words = W.transfer(ACCOUNT, PERPETUAL, 10, 10 * VALUE_E6);
        shown = _shown(LogFrames.liquidate(next(), ACCOUNT), words);
        expectRefused(_judge, abi.encode(shown), Frames.WrongRecordType.selector);
        LogFrames.Entry memory entry = LogFrames.Entry(3, OWNER, 0, 0, 0, address(0));
        shown = _shown(LogFrames.forced(next(), entry), words);
        expectRefused(_judge, abi.encode(shown), BandJudge.NotAClose.selector);
    }

    function test_RevertWhen_the_record_shown_is_not_that_of_the_batch() public {
        BandEvidence memory shown = abi.decode(_fill(-10, -10 * VALUE_E6), (BandEvidence));
        shown.record.effects = W.fill(ACCOUNT, MAKER, PERPETUAL, -10, -1, 1, 5);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
        shown = abi.decode(_fill(-10, -10 * VALUE_E6), (BandEvidence));
        LogFrames.Entry memory entry = LogFrames.Entry(4, address(0xB0B), 0, 0, 0, address(0));
        shown.record.frame = LogFrames.forced(next(), entry);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
    }

    function test_RevertWhen_the_penalty_shown_follows_no_transfer() public {
        bytes memory words = bytes.concat(
            W.trade(ACCOUNT, PERPETUAL, 10, 10 * VALUE_E6, 0),
            W.trade(MAKER, PERPETUAL, -10, -10 * VALUE_E6, 1),
            W.penalty(MAKER, 6e6 + 1)
        );
        BandEvidence memory shown = _shown(_close(), words);
        (shown.rule, shown.place) = (1, 1);
        expectRefused(_judge, abi.encode(shown), BandJudge.OtherPhrase.selector);
    }

    function test_the_dispatcher_asks_the_judge_of_the_part() public {
        IJudge[] memory parts = new IJudge[](2);
        (parts[0], parts[1]) = (IJudge(address(0xdead)), _judge);
        EffectsJudge dispatcher = new EffectsJudge(parts);
        vm.assertEq(address(dispatcher.part(1)), address(_judge));
        assertFaulty(dispatcher, abi.encode(EffectsEvidence(1, _transfer(6e6 + 1))));
        assertHonest(dispatcher, abi.encode(EffectsEvidence(1, _transfer(6e6))));
        bytes memory unknown = abi.encode(EffectsEvidence(2, ""));
        expectRefused(dispatcher, unknown, EffectsJudge.UnknownPart.selector);
        parts[0] = IJudge(address(0));
        vm.expectRevert(EffectsJudge.ZeroAddress.selector);
        new EffectsJudge(parts);
    }

    function test_gas_of_the_band_judge() public {
        bytes memory evidence = _transfer(1);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 200_000);
        vm.snapshotValue("judges", "effects.band", used);
    }

    function _fill(int32 lots, int64 cost) private returns (bytes memory) {
        bytes memory words = W.fill(ACCOUNT, MAKER, PERPETUAL, lots, cost, 1, 5);
        return abi.encode(_shown(_close(), words));
    }

    function _transfer(int64 penalty) private returns (bytes memory) {
        bytes memory words = bytes.concat(
            W.transfer(ACCOUNT, PERPETUAL, 10, 10 * VALUE_E6), W.penalty(ACCOUNT, penalty)
        );
        BandEvidence memory shown = _shown(_close(), words);
        (shown.rule, shown.place) = (1, 1);
        return abi.encode(shown);
    }

    function _close() private view returns (bytes memory) {
        return LogFrames.forced(next(), LogFrames.Entry(4, OWNER, 0, 0, 0, address(0)));
    }

    function _shown(bytes memory frame, bytes memory words)
        private
        returns (BandEvidence memory shown)
    {
        uint32 index = add(frame, words);
        seal();
        shown.record = recordAt(index);
        shown.instrument = instrumentOf(PERPETUAL);
        shown.epoch = epoch();
        shown.report = report();
        shown.values = valueColumn();
        shown.funding = fundingColumn();
    }
}
