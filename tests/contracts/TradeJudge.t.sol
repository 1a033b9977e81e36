// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EarlierRecord} from "../../contracts/challenge/EarlierRecord.sol";
import {TradeJudge} from "../../contracts/challenge/TradeJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {PastRecord, TradeEvidence} from "../../contracts/types/ContentEvidence.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev A fill stands between two orders, at the price of the one that rested.
contract TradeJudgeTest is ContentWorld {
    uint32 private constant TAKER = 5;
    uint32 private constant MAKER = 6;
    uint64 private constant PRICE_E8 = 61_000e8;

    /// @dev 10 lots at 61 dollars less the funding of one; fee 5 basis points of 610 dollars.
    int64 private constant COST_E6 = 600e6;
    int64 private constant FEE_E6 = 305_000;

    TradeJudge private _judge;
    bytes private _unsigned = new bytes(65);
    LogFrames.Order private _resting;
    LogFrames.Order private _taking;

    function setUp() public {
        buildWorld();
        _judge = new TradeJudge(ISettlement(address(batches)), IRiskParameters(address(listings)));
        _resting = LogFrames.Order(MAKER, PERPETUAL, -10, PRICE_E8, 0, false, 1, LATER);
        _taking = LogFrames.Order(TAKER, PERPETUAL, 10, PRICE_E8, 0, false, 1, LATER);
    }

    function test_a_fill_at_the_makers_price_is_right() public {
        assertHonest(_judge, _evidence(10, COST_E6, FEE_E6));
    }

    function test_the_makers_order_must_be_one() public {
        _resting.account = 7;
        _wrong();
        (_resting.account, _resting.instrument) = (MAKER, FUTURE);
        _wrong();
        (_resting.instrument, _resting.lots) = (PERPETUAL, 10);
        _wrong();
        _resting.lots = -9;
        _wrong();
        (_resting.lots, _resting.timeInForce) = (-10, 1);
        _wrong();
        (_resting.timeInForce, _resting.expiresAt) = (0, START_NS);
        _wrong();
        _resting.expiresAt = LATER;
        assertHonest(_judge, _evidence(10, COST_E6, FEE_E6));
    }

    function test_a_record_that_is_no_order_has_nothing_to_fill() public {
        uint32 maker = add(LogFrames.liquidate(next(), MAKER), "");
        assertFaulty(_judge, _taken(maker, 10, COST_E6, FEE_E6));
    }

    function test_the_takers_limit_must_allow_the_price() public {
        _taking.limitE8 = PRICE_E8 - 1e8;
        _wrong();
        _taking.limitE8 = PRICE_E8 + 1e8;
        assertHonest(_judge, _evidence(10, COST_E6, FEE_E6));
        (_resting.lots, _taking.lots) = (10, -10);
        assertFaulty(_judge, _evidence(-10, -COST_E6, FEE_E6));
        _taking.limitE8 = PRICE_E8;
        assertHonest(_judge, _evidence(-10, -COST_E6, FEE_E6));
    }

    function test_the_cost_is_exact() public {
        assertFaulty(_judge, _evidence(10, COST_E6 + 1, FEE_E6));
        assertFaulty(_judge, _evidence(10, COST_E6 - 1, FEE_E6));
        assertFaulty(_judge, _evidence(10, 610e6, FEE_E6));
    }

    function test_the_fee_is_exact() public {
        assertFaulty(_judge, _evidence(10, COST_E6, FEE_E6 + 1));
        assertFaulty(_judge, _evidence(10, COST_E6, 0));
    }

    function test_a_liquidation_pays_no_fee_and_has_its_own_limits() public {
        uint32 maker = add(LogFrames.placeOrder(next(), _resting, _unsigned), "");
        uint64 orderId = uint64(maker) + 1;
        bytes memory words = W.fill(TAKER, MAKER, PERPETUAL, 10, COST_E6, orderId, 0);
        bytes memory frame = LogFrames.liquidate(next(), TAKER);
        assertHonest(_judge, _shown(maker, frame, bytes.concat(W.liquidation(TAKER, 1), words), 1));
        words = W.fill(TAKER, MAKER, PERPETUAL, 10, COST_E6, orderId, FEE_E6);
        frame = LogFrames.liquidate(next(), TAKER);
        assertFaulty(_judge, _shown(maker, frame, bytes.concat(W.liquidation(TAKER, 1), words), 1));
    }

    function test_an_order_may_rest_from_an_earlier_batch() public {
        uint32 maker = add(LogFrames.placeOrder(next(), _resting, _unsigned), "");
        PastRecord memory past;
        BatchHeader memory before = nextBatch();
        past = pastAt(maker);
        past.header = new BatchHeader[](1);
        past.header[0] = before;
        TradeEvidence memory shown = abi.decode(_taken(maker, 10, COST_E6, FEE_E6), (TradeEvidence));
        shown.maker = past;
        assertHonest(_judge, abi.encode(shown));
        past.header[0].batchNo = header.batchNo;
        expectRefused(_judge, abi.encode(shown), EarlierRecord.NotEarlier.selector);
        past.header[0].batchNo = 1;
        past.header[0].stepCount += 1;
        expectRefused(_judge, abi.encode(shown), Trace.WrongPreviousHeader.selector);
    }

    function testFuzz_an_honest_fill_is_never_faulty(uint32 size, uint32 dollars, int32 funding)
        public
    {
        int32 lots = int32(size % 1e6) + 1;
        uint64 priceE8 = (uint64(dollars % 1e5) + 1) * 1e8;
        fundings[0] = funding;
        steps[0].epochHash = keccak256(abi.encode(epoch()));
        (_resting.lots, _taking.lots) = (-lots, lots);
        (_resting.limitE8, _taking.limitE8) = (priceE8, priceE8);
        int64 lotE6 = int64(priceE8 / DIVISOR);
        int64 fee = (lots * lotE6 * int64(uint64(TAKER_FEE_E6)) + 999_999) / 1e6;
        assertHonest(_judge, _evidence(lots, lots * (lotE6 - funding), fee));
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        bytes memory evidence = _evidence(10, COST_E6, FEE_E6);
        TradeEvidence memory shown = abi.decode(evidence, (TradeEvidence));
        shown.instrument = instrumentOf(FUTURE);
        expectRefused(_judge, abi.encode(shown), TradeJudge.OtherInstrument.selector);
        shown = abi.decode(evidence, (TradeEvidence));
        shown.instrument.listed.takerFeeE6 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(evidence, (TradeEvidence));
        shown.funding.packed = valueColumn().packed;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(evidence, (TradeEvidence));
        shown.epoch.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown = abi.decode(evidence, (TradeEvidence));
        shown.maker = pastAt(0);
        expectRefused(_judge, abi.encode(shown), TradeJudge.OtherOrder.selector);
        shown.maker = pastAt(uint32(steps.length) - 1);
        expectRefused(_judge, abi.encode(shown), EarlierRecord.NotEarlier.selector);
        shown = abi.decode(evidence, (TradeEvidence));
        shown.place = 1;
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffectKind.selector);
        shown.place = 4;
        expectRefused(_judge, abi.encode(shown), Effects.NoSuchEffect.selector);
    }

    function test_RevertWhen_the_record_is_not_that_of_the_batch() public {
        bytes memory evidence = _evidence(10, COST_E6, FEE_E6);
        TradeEvidence memory shown = abi.decode(evidence, (TradeEvidence));
        uint64 orderId = uint64(shown.maker.opening.index) + 1;
        shown.record.effects = W.fill(TAKER, MAKER, PERPETUAL, 10, 1, orderId, FEE_E6);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
    }

    function test_RevertWhen_the_words_fill_no_order() public {
        uint32 maker = add(LogFrames.placeOrder(next(), _resting, _unsigned), "");
        bytes memory words = W.transfer(TAKER, PERPETUAL, 10, COST_E6);
        bytes memory evidence = _shown(maker, LogFrames.liquidate(next(), TAKER), words, 0);
        expectRefused(_judge, evidence, TradeJudge.NoOrder.selector);
    }

    function test_gas_of_the_trade_judge() public {
        bytes memory evidence = _evidence(10, COST_E6, FEE_E6);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 200_000);
        vm.snapshotValue("judges", "effects.trade", used);
    }

    function _wrong() private {
        assertFaulty(_judge, _evidence(10, COST_E6, FEE_E6));
    }

    /// @dev The maker's order, then the record that fills it.
    function _evidence(int32 lots, int64 cost, int64 fee) private returns (bytes memory) {
        uint32 maker = add(LogFrames.placeOrder(next(), _resting, _unsigned), "");
        return _taken(maker, lots, cost, fee);
    }

    function _taken(uint32 maker, int32 lots, int64 cost, int64 fee)
        private
        returns (bytes memory)
    {
        uint64 orderId = uint64(maker) + 1;
        bytes memory words = W.fill(TAKER, MAKER, PERPETUAL, lots, cost, orderId, fee);
        return _shown(maker, LogFrames.placeOrder(next(), _taking, _unsigned), words, 0);
    }

    function _shown(uint32 maker, bytes memory frame, bytes memory words, uint32 place)
        private
        returns (bytes memory)
    {
        uint32 index = add(frame, words);
        seal();
        TradeEvidence memory shown;
        shown.record = recordAt(index);
        shown.place = place;
        shown.maker = pastAt(maker);
        shown.instrument = instrumentOf(PERPETUAL);
        shown.epoch = epoch();
        shown.funding = fundingColumn();
        return abi.encode(shown);
    }
}
