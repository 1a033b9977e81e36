// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HolderJudge} from "../../contracts/challenge/HolderJudge.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {HolderEvidence} from "../../contracts/types/ContentEvidence.sol";
import {ContentRig} from "./support/ContentRig.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev What accounts hold decides what may leave them, and what must.
contract HolderJudgeTest is ContentRig {
    uint32 private constant NOBODY = type(uint32).max;
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;
    uint16 private constant INSTRUMENT = 3;
    address private constant OWNER = address(0xA11CE);
    uint8 private constant WITHDRAWAL = 2;
    uint8 private constant CANCEL_ALL = 3;
    uint8 private constant CLOSE = 4;

    HolderJudge private _judge;
    bytes private _unsigned = new bytes(65);
    AccountLeaf private _leaf;

    function setUp() public {
        beginBatch();
        _judge = new HolderJudge(ISettlement(address(batches)));
        (_leaf.owner, _leaf.mode, _leaf.cashE6) = (OWNER, 2, 100);
        _leaf.collateralE8.push(40);
    }

    function test_a_forced_operation_is_on_the_account_of_its_owner() public {
        bytes[3] memory answers = [
            W.output(ACCOUNT, 0, 70, 1), W.noop(ACCOUNT, 2), W.transfer(ACCOUNT, INSTRUMENT, 1, 1)
        ];
        for (uint256 i = 0; i < 3; ++i) {
            assertHonest(_judge, _before(0, _forced(WITHDRAWAL, 0, 70), answers[i]));
        }
        _leaf.subaccount = 1;
        for (uint256 i = 0; i < 3; ++i) {
            assertFaulty(_judge, _before(0, _forced(WITHDRAWAL, 0, 70), answers[i]));
        }
        (_leaf.subaccount, _leaf.owner) = (0, address(0xBAD));
        bytes memory fill = W.fill(ACCOUNT, MAKER, INSTRUMENT, -1, -1, 1, 0);
        assertFaulty(_judge, _before(0, _forced(CLOSE, INSTRUMENT, 0), fill));
    }

    function test_an_account_that_exists_is_not_unknown() public {
        bytes memory words = W.noop(NOBODY, 1);
        assertFaulty(_judge, _before(1, _forced(CANCEL_ALL, 0, 0), words));
        _leaf.owner = address(0xBAD);
        assertHonest(_judge, _before(1, _forced(CANCEL_ALL, 0, 0), words));
    }

    function test_nobody_withdraws_more_than_there_is() public {
        assertHonest(_judge, _before(2, _forced(WITHDRAWAL, 0, 200), W.output(ACCOUNT, 0, 100, 1)));
        assertFaulty(_judge, _before(2, _forced(WITHDRAWAL, 0, 200), W.output(ACCOUNT, 0, 101, 1)));
        bytes memory signed = LogFrames.withdraw(next(), ACCOUNT, 1, 40, 1, LATER, _unsigned);
        assertHonest(_judge, _before(2, signed, W.output(ACCOUNT, 1, 40, 1)));
        assertFaulty(_judge, _before(2, signed, W.output(ACCOUNT, 1, 41, 1)));
        assertFaulty(_judge, _before(2, signed, W.output(ACCOUNT, 2, 1, 1)));
        _leaf.cashE6 = -1;
        assertFaulty(_judge, _before(2, signed, W.output(ACCOUNT, 0, 1, 1)));
        HolderEvidence memory shown = _shown(2, signed, W.output(ACCOUNT, 0, 1, 1));
        steps[steps.length - 2].accountRoot = rootWithout(ACCOUNT);
        seal();
        shown.record = recordAt(uint32(steps.length) - 1);
        shown.holder = absent(ACCOUNT);
        assertFaulty(_judge, abi.encode(shown));
    }

    function test_after_a_cancel_all_a_forced_withdrawal_is_paid_in_full() public {
        uint32 quiet = add(_forced(CANCEL_ALL, 0, 0), "");
        assertHonest(_judge, _whole(quiet, 0, 200, W.output(ACCOUNT, 0, 100, 1)));
        assertFaulty(_judge, _whole(quiet, 0, 200, W.output(ACCOUNT, 0, 99, 1)));
        assertHonest(_judge, _whole(quiet, 0, 30, W.output(ACCOUNT, 0, 30, 1)));
        assertFaulty(_judge, _whole(quiet, 0, 30, W.noop(ACCOUNT, 2)));
        assertFaulty(_judge, _whole(quiet, 0, 30, W.noop(ACCOUNT, 3)));
        assertFaulty(_judge, _whole(quiet, 1, 200, W.noop(ACCOUNT, 3)));
        assertHonest(_judge, _whole(quiet, 1, 200, W.output(ACCOUNT, 1, 40, 1)));
        assertHonest(_judge, _whole(quiet, 2, 200, W.noop(NOBODY, 7)));
        _leaf.cashE6 = 0;
        assertHonest(_judge, _whole(quiet, 0, 200, W.noop(ACCOUNT, 2)));
    }

    function test_an_account_that_was_opened_since_has_no_orders_either() public {
        steps[0].accountRoot = rootWithout(ACCOUNT);
        bytes memory words = W.noop(ACCOUNT, 2);
        assertFaulty(_judge, _whole(0, 0, 200, words));
        HolderEvidence memory shown = abi.decode(_whole(0, 0, 200, words), (HolderEvidence));
        shown.absent = opened(ACCOUNT, _leaf);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.absent = absent(ACCOUNT);
        shown.absent.account += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        steps[0].accountRoot = rootWithout(ACCOUNT + 1);
        shown = abi.decode(_whole(0, 0, 200, words), (HolderEvidence));
        shown.absent = absent(ACCOUNT + 1);
        expectRefused(_judge, abi.encode(shown), HolderJudge.NotDecidable.selector);
        steps[0].accountRoot = rootWith(ACCOUNT, _leaf);
        shown = abi.decode(_whole(0, 0, 200, words), (HolderEvidence));
        shown.absent = opened(ACCOUNT, _leaf);
        expectRefused(_judge, abi.encode(shown), HolderJudge.NotDecidable.selector);
    }

    function test_RevertWhen_it_cannot_be_told_what_is_free() public {
        uint32 quiet = add(_forced(CANCEL_ALL, 0, 0), "");
        bytes memory words = W.noop(ACCOUNT, 2);
        _leaf.cashE6 = -1;
        expectRefused(_judge, _whole(quiet, 1, 200, words), HolderJudge.NotDecidable.selector);
        _leaf.cashE6 = 100;
        _leaf.positions.push(Position(INSTRUMENT, 1, 1));
        expectRefused(_judge, _whole(quiet, 0, 200, words), HolderJudge.NotDecidable.selector);
        _leaf.positions.pop();
        LogFrames.Order memory order = LogFrames.Order(MAKER, 3, 1, 1e8, 0, false, 1, LATER);
        add(LogFrames.placeOrder(next(), order, _unsigned), "");
        assertFaulty(_judge, _whole(quiet, 0, 200, words));
        order.account = ACCOUNT;
        add(LogFrames.placeOrder(next(), order, _unsigned), "");
        expectRefused(_judge, _whole(quiet, 0, 200, words), HolderJudge.OrderBetween.selector);
        HolderEvidence memory shown = abi.decode(_whole(quiet, 0, 200, words), (HolderEvidence));
        delete shown.between;
        expectRefused(_judge, abi.encode(shown), Openings.WrongGap.selector);
    }

    function test_a_cancel_all_that_failed_or_is_another_owners_shows_nothing() public {
        bytes memory words = W.noop(ACCOUNT, 2);
        uint32 quiet = add(_forced(CANCEL_ALL, 0, 0), W.noop(NOBODY, 1));
        expectRefused(_judge, _whole(quiet, 0, 200, words), Openings.WrongRoot.selector);
        LogFrames.Entry memory entry = LogFrames.Entry(CANCEL_ALL, OWNER, 1, 0, 0, address(0));
        quiet = add(LogFrames.forced(next(), entry), "");
        expectRefused(_judge, _whole(quiet, 0, 200, words), Openings.WrongRoot.selector);
    }

    function test_a_reduction_reduces() public {
        _leaf.positions.push(Position(INSTRUMENT, 10, 1));
        _reductions(1);
        _leaf.positions[0].lots = -10;
        _reductions(-1);
        _leaf.positions.pop();
        assertFaulty(_judge, _before(4, _forced(CLOSE, INSTRUMENT, 0), _sold(1)));
    }

    function test_a_position_that_is_there_is_not_nothing() public {
        bytes memory words = W.noop(ACCOUNT, 4);
        assertHonest(_judge, _before(4, _forced(CLOSE, INSTRUMENT, 0), words));
        _leaf.positions.push(Position(INSTRUMENT, 10, 1));
        assertFaulty(_judge, _before(4, _forced(CLOSE, INSTRUMENT, 0), words));
        assertHonest(_judge, _before(4, _forced(CLOSE, INSTRUMENT + 1, 0), words));
    }

    function test_a_deficit_is_covered_exactly() public {
        bytes memory words =
            bytes.concat(W.liquidation(ACCOUNT, 2), W.cover(ACCOUNT, 7), W.shortfall(ACCOUNT, 3));
        bytes memory frame = LogFrames.liquidate(next(), ACCOUNT);
        _leaf.cashE6 = -3;
        assertHonest(_judge, _after(5, ACCOUNT, frame, words));
        _leaf.cashE6 = 0;
        assertFaulty(_judge, _after(5, ACCOUNT, frame, words));
        _leaf.cashE6 = -3;
        _leaf.positions.push(Position(INSTRUMENT, 10, 1));
        assertFaulty(_judge, _after(5, ACCOUNT, frame, words));
        words = bytes.concat(W.liquidation(ACCOUNT, 2), W.cover(ACCOUNT, 7));
        _leaf.positions.pop();
        assertFaulty(_judge, _after(5, ACCOUNT, frame, words));
        _leaf.cashE6 = 0;
        assertHonest(_judge, _after(5, ACCOUNT, frame, words));
    }

    function test_the_fund_pays_what_it_has_and_no_more() public {
        bytes memory covered = bytes.concat(W.liquidation(ACCOUNT, 2), W.cover(ACCOUNT, 7));
        bytes memory frame = LogFrames.liquidate(next(), ACCOUNT);
        assertHonest(_judge, _after(6, 0, frame, covered));
        bytes memory short = bytes.concat(covered, W.shortfall(ACCOUNT, 3));
        assertFaulty(_judge, _after(6, 0, frame, short));
        _leaf.cashE6 = 0;
        assertHonest(_judge, _after(6, 0, frame, short));
        _leaf.cashE6 = -1;
        assertFaulty(_judge, _after(6, 0, frame, covered));
    }

    function test_RevertWhen_the_rule_is_not_about_the_record() public {
        bytes memory words = W.mode(ACCOUNT, 1);
        for (uint8 rule = 0; rule < 7; ++rule) {
            if (rule == 3) continue;
            bytes memory evidence = _before(rule, LogFrames.fundingTick(next()), words);
            if (rule > 4) evidence = _after(rule, ACCOUNT, LogFrames.fundingTick(next()), words);
            expectRefused(_judge, evidence, HolderJudge.OtherRecord.selector);
        }
        words = W.output(MAKER, 0, 70, 1);
        bytes memory other = _before(0, _forced(WITHDRAWAL, 0, 70), words);
        expectRefused(_judge, other, HolderJudge.OtherAccount.selector);
        other = _before(2, _forced(WITHDRAWAL, 0, 70), words);
        expectRefused(_judge, other, HolderJudge.OtherAccount.selector);
        expectRefused(
            _judge, _before(7, _forced(WITHDRAWAL, 0, 70), words), HolderJudge.UnknownRule.selector
        );
    }

    function test_RevertWhen_the_record_shown_is_not_that_of_the_batch() public {
        bytes memory frame = _forced(WITHDRAWAL, 0, 200);
        HolderEvidence memory shown = _shown(2, frame, W.output(ACCOUNT, 0, 100, 1));
        shown.record.effects = W.output(ACCOUNT, 0, 101, 1);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
        shown.record.pair.step.effectsHash = keccak256(shown.record.effects);
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
        shown = _shown(0, frame, W.output(ACCOUNT, 0, 100, 1));
        LogFrames.Entry memory entry = LogFrames.Entry(2, address(0xBAD), 0, 0, 200, address(0));
        shown.record.frame = LogFrames.forced(next(), entry);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
    }

    function test_RevertWhen_the_holder_is_not_that_of_the_step() public {
        bytes memory frame = _forced(WITHDRAWAL, 0, 200);
        HolderEvidence memory shown = _shown(2, frame, W.output(ACCOUNT, 0, 100, 1));
        shown.holder.leaf[0].cashE6 = 99;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        frame = LogFrames.liquidate(next(), ACCOUNT);
        shown = abi.decode(_after(6, 0, frame, W.cover(ACCOUNT, 7)), (HolderEvidence));
        shown.holder.leaf[0].cashE6 = -1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_the_cancel_all_is_not_of_the_batch() public {
        uint32 quiet = add(LogFrames.fundingTick(next()), "");
        bytes memory right = _whole(quiet, 0, 30, W.noop(ACCOUNT, 2));
        HolderEvidence memory shown = abi.decode(right, (HolderEvidence));
        shown.quiet.frame = _forced(CANCEL_ALL, 0, 0);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
        shown.quiet.opening.step.frameHash = keccak256(shown.quiet.frame);
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
    }

    function test_RevertWhen_the_answer_is_not_that_the_owner_has_no_account() public {
        bytes memory evidence = _before(0, _forced(CANCEL_ALL, 0, 0), W.noop(NOBODY, 1));
        expectRefused(_judge, evidence, HolderJudge.OtherRecord.selector);
        evidence = _before(1, _forced(CANCEL_ALL, 0, 0), W.noop(ACCOUNT, 2));
        expectRefused(_judge, evidence, HolderJudge.OtherRecord.selector);
        evidence = _before(1, LogFrames.deposit(next(), OWNER, 0, 0, 70), W.noop(NOBODY, 1));
        expectRefused(_judge, evidence, HolderJudge.OtherRecord.selector);
    }

    function test_RevertWhen_nobody_is_owed_the_whole() public {
        uint32 quiet = add(_forced(CANCEL_ALL, 0, 0), "");
        bytes memory words = W.noop(ACCOUNT, 2);
        bytes memory signed = LogFrames.withdraw(next(), ACCOUNT, 0, 40, 1, LATER, _unsigned);
        expectRefused(_judge, _since(quiet, signed, words), HolderJudge.OtherRecord.selector);
        bytes memory close = _forced(CLOSE, 0, 40);
        expectRefused(_judge, _since(quiet, close, words), HolderJudge.OtherRecord.selector);
        steps[0].accountRoot = rootWithout(ACCOUNT);
        _leaf.owner = address(0xBAD);
        expectRefused(_judge, _whole(0, 0, 200, words), HolderJudge.OtherRecord.selector);
        // The insurance fund, although it were its own owner.
        _leaf.owner = OWNER;
        steps[0].accountRoot = rootWithout(0);
        HolderEvidence memory shown = abi.decode(_whole(0, 0, 200, words), (HolderEvidence));
        uint32 index = uint32(steps.length) - 1;
        steps[index - 1].accountRoot = rootWith(0, _leaf);
        seal();
        (shown.record, shown.quiet) = (recordAt(index), pastAt(0));
        (shown.holder, shown.absent) = (opened(0, _leaf), absent(0));
        expectRefused(_judge, abi.encode(shown), HolderJudge.OtherRecord.selector);
    }

    function test_RevertWhen_the_holder_is_not_whom_the_record_is_about() public {
        bytes memory fill = W.fill(MAKER, ACCOUNT, INSTRUMENT, 1, 1, 1, 0);
        bytes memory evidence = _before(4, _forced(CLOSE, INSTRUMENT, 0), fill);
        expectRefused(_judge, evidence, HolderJudge.OtherAccount.selector);
        bytes memory words = bytes.concat(W.liquidation(MAKER, 2), W.cover(MAKER, 7));
        bytes memory frame = LogFrames.liquidate(next(), MAKER);
        evidence = _after(5, ACCOUNT, frame, words);
        expectRefused(_judge, evidence, HolderJudge.OtherAccount.selector);
        _leaf.cashE6 = -1;
        evidence = _after(6, ACCOUNT, frame, words);
        expectRefused(_judge, evidence, HolderJudge.OtherAccount.selector);
    }

    function test_RevertWhen_no_liquidation_covered_a_deficit() public {
        _leaf.cashE6 = -1;
        bytes memory evidence = _after(6, 0, _forced(CLOSE, 0, 0), W.cover(ACCOUNT, 7));
        expectRefused(_judge, evidence, HolderJudge.OtherRecord.selector);
        bytes memory frame = LogFrames.liquidate(next(), ACCOUNT);
        evidence = _after(6, 0, frame, W.liquidation(ACCOUNT, 2));
        expectRefused(_judge, evidence, HolderJudge.OtherRecord.selector);
    }

    function test_gas_of_the_holder_judge() public {
        uint32 quiet = add(_forced(CANCEL_ALL, 0, 0), "");
        bytes memory evidence = _whole(quiet, 0, 30, W.noop(ACCOUNT, 3));
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 150_000);
        vm.snapshotValue("judges", "effects.holder", used);
    }

    /// @dev Against a position of ten lots: forced, and by an order that is to reduce.
    function _reductions(int32 side) private {
        LogFrames.Order memory order =
            LogFrames.Order(ACCOUNT, INSTRUMENT, -20 * side, 1e8, 0, true, 1, LATER);
        bytes memory placed = LogFrames.placeOrder(next(), order, _unsigned);
        bytes[2] memory records = [_forced(CLOSE, INSTRUMENT, 0), placed];
        for (uint256 i = 0; i < 2; ++i) {
            assertHonest(_judge, _before(4, records[i], _sold(10 * side)));
            assertHonest(
                _judge, _before(4, records[i], bytes.concat(_sold(4 * side), _sold(6 * side)))
            );
            assertFaulty(_judge, _before(4, records[i], _sold(11 * side)));
            assertFaulty(_judge, _before(4, records[i], _sold(-1 * side)));
            assertFaulty(
                _judge, _before(4, records[i], bytes.concat(_sold(6 * side), _sold(5 * side)))
            );
        }
        assertHonest(_judge, _before(4, placed, ""));
    }

    function _sold(int32 lots) private pure returns (bytes memory) {
        return W.fill(ACCOUNT, MAKER, INSTRUMENT, -lots, -lots, 1, 0);
    }

    function _forced(uint8 kind, uint16 place, uint128 amount) private view returns (bytes memory) {
        return LogFrames.forced(next(), LogFrames.Entry(kind, OWNER, 0, place, amount, address(0)));
    }

    function _whole(uint32 quiet, uint16 asset, uint128 amount, bytes memory words)
        private
        returns (bytes memory)
    {
        return _since(quiet, _forced(WITHDRAWAL, asset, amount), words);
    }

    function _since(uint32 quiet, bytes memory frame, bytes memory words)
        private
        returns (bytes memory)
    {
        HolderEvidence memory shown = _shown(3, frame, words);
        uint32 index = uint32(steps.length) - 1;
        shown.quiet = pastAt(quiet);
        shown.absent = absent(ACCOUNT);
        shown.between = framesBetween(quiet, index);
        return abi.encode(shown);
    }

    function _before(uint8 rule, bytes memory frame, bytes memory words)
        private
        returns (bytes memory)
    {
        return abi.encode(_shown(rule, frame, words));
    }

    function _after(uint8 rule, uint32 number, bytes memory frame, bytes memory words)
        private
        returns (bytes memory)
    {
        uint32 index = add(frame, words);
        steps[index].accountRoot = rootWith(number, _leaf);
        seal();
        HolderEvidence memory shown;
        (shown.rule, shown.record) = (rule, recordAt(index));
        shown.holder = opened(number, _leaf);
        return abi.encode(shown);
    }

    function _shown(uint8 rule, bytes memory frame, bytes memory words)
        private
        returns (HolderEvidence memory shown)
    {
        add(LogFrames.fundingTick(next()), "");
        standBefore(rootWith(ACCOUNT, _leaf));
        uint32 index = add(frame, words);
        seal();
        (shown.rule, shown.record) = (rule, recordAt(index));
        shown.holder = opened(ACCOUNT, _leaf);
    }
}
