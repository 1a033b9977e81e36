// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HistoryJudge} from "../../contracts/challenge/HistoryJudge.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {Fill, HistoryEvidence} from "../../contracts/types/ContentEvidence.sol";
import {ContentRig} from "./support/ContentRig.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev What happened once binds what may happen later.
contract HistoryJudgeTest is ContentRig {
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;
    uint16 private constant INSTRUMENT = 3;
    address private constant OWNER = address(0xA11CE);

    HistoryJudge private _judge;
    bytes private _unsigned = new bytes(65);

    function setUp() public {
        beginBatch();
        _judge = new HistoryJudge(ISettlement(address(batches)));
    }

    function test_a_nonce_is_used_once_for_each_account() public {
        uint32 earlier = add(_order(ACCOUNT, INSTRUMENT, 10, 77), "");
        assertFaulty(_judge, _shown(0, earlier, _order(ACCOUNT, INSTRUMENT, -4, 77), "", 0));
        assertFaulty(_judge, _shown(0, earlier, _cancel(ACCOUNT, 1, 77), "", 0));
        assertHonest(_judge, _shown(0, earlier, _cancel(ACCOUNT, 1, 78), "", 0));
        assertHonest(_judge, _shown(0, earlier, _cancel(MAKER, 1, 77), "", 0));
    }

    function test_a_nonce_of_an_earlier_batch_counts_as_well() public {
        uint32 earlier = add(_order(ACCOUNT, INSTRUMENT, 10, 77), "");
        BatchHeader memory before = nextBatch();
        HistoryEvidence memory shown;
        shown.earlier = pastAt(earlier);
        shown.earlier.header = new BatchHeader[](1);
        shown.earlier.header[0] = before;
        uint32 later = add(_cancel(ACCOUNT, 1, 77), "");
        seal();
        shown.later = recordAt(later);
        assertFaulty(_judge, abi.encode(shown));
    }

    function test_what_is_settled_is_neither_settled_again_nor_traded() public {
        uint32 earlier = add(LogFrames.settleExpiry(next(), INSTRUMENT), "");
        assertFaulty(_judge, _shown(1, earlier, LogFrames.settleExpiry(next(), 3), "", 0));
        assertHonest(_judge, _shown(1, earlier, LogFrames.settleExpiry(next(), 4), "", 0));
        assertFaulty(_judge, _shown(1, earlier, _order(ACCOUNT, INSTRUMENT, 1, 1), "", 0));
        assertHonest(_judge, _shown(1, earlier, _order(ACCOUNT, 4, 1, 1), "", 0));
    }

    function test_a_cancelled_order_is_neither_cancelled_again_nor_filled() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint64 orderId = order + 1;
        uint32 earlier = add(_cancel(MAKER, orderId, 2), "");
        assertFaulty(_judge, _shown(2, earlier, _cancel(MAKER, orderId, 3), "", 0));
        assertHonest(_judge, _shown(2, earlier, _cancel(MAKER, orderId + 1, 3), "", 0));
        bytes memory taker = _order(ACCOUNT, INSTRUMENT, 10, 1);
        assertFaulty(_judge, _shown(2, earlier, taker, _fill(1, orderId), 1));
        assertHonest(_judge, _shown(2, earlier, taker, _fill(1, orderId + 1), 1));
    }

    function test_a_cancel_all_takes_every_order_of_the_account() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint32 earlier = add(_cancelAll(), "");
        AccountLeaf memory leaf = leafOf(OWNER, 0, 0);
        assertFaulty(_judge, _closed(earlier, leaf, order + 1));
        assertHonest(_judge, _closed(earlier, leaf, earlier + 2));
        leaf.owner = address(0xBAD);
        assertHonest(_judge, _closed(earlier, leaf, order + 1));
        (leaf.owner, leaf.subaccount) = (OWNER, 1);
        assertHonest(_judge, _closed(earlier, leaf, order + 1));
    }

    function test_a_liquidation_takes_every_order_of_the_account() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint32 earlier = add(LogFrames.liquidate(next(), MAKER), "");
        uint32 another = add(LogFrames.liquidate(next(), ACCOUNT), "");
        bytes memory taker = _order(ACCOUNT, INSTRUMENT, 10, 1);
        assertFaulty(_judge, _shown(3, earlier, taker, _fill(1, order + 1), 1));
        assertHonest(_judge, _shown(3, earlier, taker, _fill(1, earlier + 2), 1));
        assertHonest(_judge, _shown(3, another, taker, _fill(1, order + 1), 1));
        assertHonest(_judge, _shown(3, earlier, taker, _fill(1, order + 1), 0));
    }

    function test_an_order_is_filled_up_to_its_lots() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint64 orderId = order + 1;
        uint32 first = add(_order(ACCOUNT, INSTRUMENT, 4, 1), _fill(4, orderId));
        uint32 second = add(_order(ACCOUNT, INSTRUMENT, 4, 2), _fill(4, orderId));
        uint32[] memory fills = new uint32[](2);
        (fills[0], fills[1]) = (first, second);
        assertHonest(_judge, _filled(order, fills, 2));
        assertFaulty(_judge, _filled(order, fills, 3));
        assertFaulty(_judge, _filled(order, new uint32[](0), 11));
        assertHonest(_judge, _filled(order, new uint32[](0), 10));
    }

    function test_RevertWhen_a_fill_is_counted_twice() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint32 first = add(_order(ACCOUNT, INSTRUMENT, 6, 1), _fill(6, order + 1));
        uint32[] memory fills = new uint32[](2);
        (fills[0], fills[1]) = (first, first);
        expectRefused(_judge, _filled(order, fills, 1), HistoryJudge.FillsOutOfOrder.selector);
        fills = new uint32[](1);
        fills[0] = uint32(steps.length);
        HistoryEvidence memory shown =
            abi.decode(_filled(order, new uint32[](0), 6), (HistoryEvidence));
        shown.fills = new Fill[](1);
        uint32 last = uint32(steps.length) - 1;
        shown.fills[0] = Fill(pastAt(last), effects[last], 1);
        expectRefused(_judge, abi.encode(shown), HistoryJudge.FillsOutOfOrder.selector);
    }

    function test_RevertWhen_a_fill_is_of_another_order() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint32 first = add(_order(ACCOUNT, INSTRUMENT, 6, 1), _fill(6, order + 2));
        uint32[] memory fills = new uint32[](1);
        fills[0] = first;
        expectRefused(_judge, _filled(order, fills, 1), HistoryJudge.OtherOrder.selector);
        HistoryEvidence memory shown = abi.decode(_filled(order, fills, 1), (HistoryEvidence));
        shown.fills[0].effects = _fill(6, order + 1);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
    }

    function test_RevertWhen_the_later_record_is_not_of_the_batch() public {
        uint32 earlier = add(_order(ACCOUNT, INSTRUMENT, 10, 77), "");
        bytes memory right = _shown(0, earlier, _cancel(ACCOUNT, 1, 78), "", 0);
        HistoryEvidence memory shown = abi.decode(right, (HistoryEvidence));
        shown.later.frame = _cancel(ACCOUNT, 1, 77);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
        shown.later.pair.step.frameHash = keccak256(shown.later.frame);
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
    }

    function test_RevertWhen_the_earlier_record_is_not_of_the_batch() public {
        uint32 earlier = add(_order(ACCOUNT, INSTRUMENT, 10, 77), "");
        bytes memory right = _shown(0, earlier, _cancel(ACCOUNT, 1, 78), "", 0);
        _refuseAnother(abi.decode(right, (HistoryEvidence)));
    }

    function test_RevertWhen_the_earlier_record_is_not_of_the_earlier_batch() public {
        uint32 earlier = add(_order(ACCOUNT, INSTRUMENT, 10, 77), "");
        BatchHeader memory before = nextBatch();
        HistoryEvidence memory shown;
        shown.earlier = pastAt(earlier);
        shown.earlier.header = new BatchHeader[](1);
        shown.earlier.header[0] = before;
        uint32 later = add(_cancel(ACCOUNT, 1, 78), "");
        seal();
        shown.later = recordAt(later);
        assertHonest(_judge, abi.encode(shown));
        _refuseAnother(shown);
    }

    function test_RevertWhen_a_fill_is_not_of_the_batch() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint32[] memory fills = new uint32[](1);
        fills[0] = add(_order(ACCOUNT, INSTRUMENT, 4, 1), _fill(4, order + 1));
        HistoryEvidence memory shown = abi.decode(_filled(order, fills, 6), (HistoryEvidence));
        shown.fills[0].effects = _fill(5, order + 1);
        shown.fills[0].record.opening.step.effectsHash = keccak256(shown.fills[0].effects);
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
    }

    function test_RevertWhen_the_holder_is_not_the_one_before_the_record() public {
        uint32 order = add(_order(MAKER, INSTRUMENT, -10, 1), "");
        uint32 earlier = add(_cancelAll(), "");
        bytes memory right = _closed(earlier, leafOf(address(0xBAD), 0, 0), order + 1);
        HistoryEvidence memory shown = abi.decode(right, (HistoryEvidence));
        shown.holder.leaf[0].owner = OWNER;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_the_rule_is_not_about_the_records() public {
        bytes memory tick = LogFrames.fundingTick(next());
        uint32 earlier = add(tick, "");
        for (uint8 rule = 1; rule < 5; ++rule) {
            bytes memory evidence = _shown(rule, earlier, tick, _fill(1, 1), 1);
            expectRefused(_judge, evidence, HistoryJudge.OtherRecord.selector);
        }
        earlier = add(_cancelAll(), W.noop(MAKER, 1));
        bytes memory failed = _shown(3, earlier, tick, _fill(1, 1), 1);
        expectRefused(_judge, failed, HistoryJudge.OtherRecord.selector);
        earlier = add(_cancelAll(), "");
        bytes memory other = _shown(3, earlier, tick, _fill(1, 1), 1);
        expectRefused(_judge, other, HistoryJudge.OtherAccount.selector);
        earlier = add(LogFrames.settleExpiry(next(), INSTRUMENT), "");
        expectRefused(_judge, _shown(1, earlier, tick, "", 0), HistoryJudge.OtherRecord.selector);
        expectRefused(_judge, _shown(5, earlier, tick, "", 0), HistoryJudge.UnknownRule.selector);
    }

    function test_gas_of_the_history_judge() public {
        uint32 earlier = add(_order(ACCOUNT, INSTRUMENT, 10, 77), "");
        bytes memory evidence = _shown(0, earlier, _cancel(ACCOUNT, 1, 77), "", 0);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 120_000);
        vm.snapshotValue("judges", "effects.history", used);
    }

    /// @dev An earlier intent with the nonce of the later one, which no batch has.
    function _refuseAnother(HistoryEvidence memory shown) private {
        shown.earlier.frame = _order(ACCOUNT, INSTRUMENT, 10, 78);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
        shown.earlier.opening.step.frameHash = keccak256(shown.earlier.frame);
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
    }

    function _closed(uint32 earlier, AccountLeaf memory leaf, uint64 orderId)
        private
        returns (bytes memory)
    {
        standBefore(rootWith(MAKER, leaf));
        bytes memory taker = _order(ACCOUNT, INSTRUMENT, 10, 1);
        HistoryEvidence memory shown =
            abi.decode(_shown(3, earlier, taker, _fill(1, orderId), 1), (HistoryEvidence));
        shown.holder = opened(MAKER, leaf);
        return abi.encode(shown);
    }

    function _filled(uint32 order, uint32[] memory fills, int32 lots)
        private
        returns (bytes memory)
    {
        bytes memory taker = _order(ACCOUNT, INSTRUMENT, 10, 9);
        HistoryEvidence memory shown =
            abi.decode(_shown(4, order, taker, _fill(lots, order + 1), 1), (HistoryEvidence));
        shown.fills = new Fill[](fills.length);
        for (uint256 i = 0; i < fills.length; ++i) {
            shown.fills[i] = Fill(pastAt(fills[i]), effects[fills[i]], 1);
        }
        return abi.encode(shown);
    }

    function _shown(
        uint8 rule,
        uint32 earlier,
        bytes memory frame,
        bytes memory words,
        uint32 place
    ) private returns (bytes memory) {
        uint32 later = add(frame, words);
        seal();
        HistoryEvidence memory shown;
        (shown.rule, shown.place) = (rule, place);
        shown.later = recordAt(later);
        shown.earlier = pastAt(earlier);
        return abi.encode(shown);
    }

    function _order(uint32 account_, uint16 instrument, int32 lots, uint64 nonce)
        private
        view
        returns (bytes memory)
    {
        LogFrames.Order memory order =
            LogFrames.Order(account_, instrument, lots, 1e8, 0, false, nonce, LATER);
        return LogFrames.placeOrder(next(), order, _unsigned);
    }

    function _cancel(uint32 account_, uint64 orderId, uint64 nonce)
        private
        view
        returns (bytes memory)
    {
        return LogFrames.cancel(next(), account_, orderId, nonce, LATER, _unsigned);
    }

    function _cancelAll() private view returns (bytes memory) {
        return LogFrames.forced(next(), LogFrames.Entry(3, OWNER, 0, 0, 0, address(0)));
    }

    function _fill(int32 lots, uint64 orderId) private pure returns (bytes memory) {
        return W.fill(ACCOUNT, MAKER, INSTRUMENT, lots, lots, orderId, 0);
    }
}
