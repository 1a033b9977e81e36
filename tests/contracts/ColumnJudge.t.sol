// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ColumnJudge} from "../../contracts/challenge/ColumnJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Documents} from "../../contracts/libraries/Documents.sol";
import {Frames} from "../../contracts/libraries/Frames.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {Column, ColumnEvidence} from "../../contracts/types/ContentEvidence.sol";
import {Epoch, Report} from "../../contracts/types/Epoch.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev Funding within the cap of the set, and collateral within its haircuts.
contract ColumnJudgeTest is ContentWorld {
    bytes private constant OTHERS = '{"addons":[{"collateral":"funding"}],"collateral":[';
    bytes private constant FIRST = '{"brackets":[{"upto_e8":"1000000000","weight_e6":"900000"},'
        '{"upto_e8":"2000000000","weight_e6":"850000"}],"cap_e8":"1"}';
    bytes private constant SECOND =
        ',{"brackets":[{"upto_e8":"7","weight_e6":"1000000"}],"cap_e8":"1"}],"cash":"USDC",';
    bytes private constant FUNDING_TERMS = '"funding":{"cap_e8":"400000","damper_e8":"50000",'
        '"interest_e8":"-1000","period_ns":"28800000000000"},"zone":"1"}';

    uint64 private constant PERIOD_S = 28_800;

    /// @dev 0.4 % of a lot of 60 dollars.
    int64 private constant MOST_E6 = 240_000;

    ColumnJudge private _judge;

    function setUp() public {
        buildWorld();
        Terms memory terms;
        listings.describe(header.paramsHash, keccak256(text()), 0, terms);
        _judge = new ColumnJudge(ISettlement(address(batches)), IRiskParameters(address(listings)));
    }

    function test_a_tick_moves_funding_by_no_more_than_the_cap() public {
        assertHonest(_judge, tick(PERIOD_S, PERPETUAL, MOST_E6));
        assertHonest(_judge, tick(PERIOD_S, PERPETUAL, -MOST_E6));
        assertFaulty(_judge, tick(PERIOD_S, PERPETUAL, MOST_E6 + 1));
        assertFaulty(_judge, tick(PERIOD_S, PERPETUAL, -MOST_E6 - 1));
    }

    function test_a_short_time_allows_a_small_move_rounded_up() public {
        assertHonest(_judge, tick(1, PERPETUAL, 9));
        assertHonest(_judge, tick(1, PERPETUAL, -9));
        assertFaulty(_judge, tick(1, PERPETUAL, 10));
        assertFaulty(_judge, tick(1, PERPETUAL, -10));
        assertHonest(_judge, tick(0, PERPETUAL, 0));
        assertFaulty(_judge, tick(0, PERPETUAL, 1));
    }

    function test_a_long_time_counts_as_one_period() public {
        assertHonest(_judge, tick(9 * PERIOD_S, PERPETUAL, MOST_E6));
        assertFaulty(_judge, tick(9 * PERIOD_S, PERPETUAL, MOST_E6 + 1));
    }

    function test_nothing_but_a_perpetual_has_funding() public {
        assertHonest(_judge, tick(PERIOD_S, FUTURE, 0));
        assertFaulty(_judge, tick(PERIOD_S, FUTURE, 1));
        assertFaulty(_judge, tick(PERIOD_S, CALL, -1));
    }

    function test_no_other_record_moves_funding() public {
        bytes memory frame = LogFrames.settleExpiry(next(), FUTURE);
        assertHonest(_judge, abi.encode(_funding(frame, PERPETUAL, 0)));
        frame = LogFrames.settleExpiry(next(), FUTURE);
        assertFaulty(_judge, abi.encode(_funding(frame, PERPETUAL, 1)));
    }

    function test_the_first_epoch_has_no_funding() public {
        steps[0].epochHash = 0;
        fundings[0] = 0;
        assertHonest(_judge, tick(PERIOD_S, PERPETUAL, 0));
        steps[steps.length - 1].epochHash = 0;
        assertFaulty(_judge, tick(PERIOD_S, PERPETUAL, 1));
    }

    function test_an_instrument_that_was_appended_begins_without_funding() public {
        bytes memory frame = LogFrames.settleExpiry(next(), FUTURE);
        assertHonest(_judge, appended(frame, 0));
        frame = LogFrames.settleExpiry(next(), FUTURE);
        assertFaulty(_judge, appended(frame, 1));
    }

    function test_collateral_counts_within_its_haircuts() public {
        // 60,000 less 10 to 20 %; at most 85 % of it in the second bracket.
        assertHonest(_judge, credit(10e8, 54_000e8, 20e8, 51_000e8, 0));
        assertHonest(_judge, credit(10e8, 48_000e8, 20e8, 48_000e8, 0));
        assertFaulty(_judge, credit(10e8, 54_000e8 + 1, 20e8, 51_000e8, 0));
        assertFaulty(_judge, credit(10e8, 48_000e8 - 1, 20e8, 48_000e8, 0));
        assertFaulty(_judge, credit(10e8, 54_000e8, 20e8, 51_000e8 + 1, 0));
        assertFaulty(_judge, credit(10e8, 54_000e8, 20e8, 48_000e8 - 1, 0));
    }

    function test_collateral_has_the_brackets_of_the_set() public {
        assertFaulty(_judge, credit(10e8 + 1, 54_000e8, 20e8, 51_000e8, 0));
        assertFaulty(_judge, credit(10e8, 54_000e8, 20e8 - 1, 51_000e8, 0));
        assertFaulty(_judge, credit(10e8, 54_000e8, 20e8, 51_000e8, 1));
        ColumnEvidence memory shown = _credit(new bytes(63));
        assertFaulty(_judge, abi.encode(shown));
    }

    function test_the_set_is_the_one_that_the_header_names() public {
        bytes memory terms = abi.encodePacked(
            uint32(1), uint32(2), uint32(3), uint32(4), uint32(5), uint32(6), uint32(7), uint32(8)
        );
        listings.describe(header.paramsHash, keccak256(text()), 0, Terms(1, 2, 3, 4, 5, 6, 7, 8));
        assertHonest(_judge, adopted(13, bytes.concat(terms, text())));
        assertFaulty(_judge, adopted(13, bytes.concat(terms, text(), " ")));
        terms[31] = 0x09;
        assertFaulty(_judge, adopted(13, bytes.concat(terms, text())));
        assertHonest(_judge, adopted(1, text()));
        assertFaulty(_judge, adopted(1, bytes.concat(text(), " ")));
        expectRefused(_judge, adopted(6, text()), ColumnJudge.NoSet.selector);
        expectRefused(_judge, adopted(13, new bytes(31)), Frames.FieldBeyondEnd.selector);
    }

    function test_RevertWhen_the_document_does_not_say_so() public {
        ColumnEvidence memory shown = _funding(_tickAt(PERIOD_S), PERPETUAL, 1);
        shown.place += 1;
        expectRefused(_judge, abi.encode(shown), Documents.OtherText.selector);
        // The word stands before, as a text.
        shown.place = 0;
        expectRefused(_judge, abi.encode(shown), Documents.OtherText.selector);
        shown.place = 1e6;
        expectRefused(_judge, abi.encode(shown), Documents.OtherText.selector);
        shown.document = bytes.concat(text(), " ");
        expectRefused(_judge, abi.encode(shown), Documents.WrongDocument.selector);
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        ColumnEvidence memory shown = _funding(_tickAt(PERIOD_S), PERPETUAL, 1);
        shown.rule = 3;
        expectRefused(_judge, abi.encode(shown), ColumnJudge.UnknownRule.selector);
        shown.rule = 0;
        shown.before.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.before.number -= 1;
        shown.afterwards.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.afterwards.number -= 1;
        shown.report.round += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.report.round -= 1;
        shown.columnBefore = shown.column;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.columnBefore = fundingColumn();
        shown.instrument.listed.id += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        // No epoch begins with the first record.
        shown = _funding(_tickAt(PERIOD_S), PERPETUAL, 1);
        steps[steps.length - 1].epochHash = steps[steps.length - 2].epochHash;
        seal();
        shown.pair = pairAt(uint32(steps.length - 1));
        expectRefused(_judge, abi.encode(shown), ColumnJudge.NoNewEpoch.selector);
    }

    function test_RevertWhen_the_record_or_its_funding_is_not_that_of_the_batch() public {
        bytes memory evidence = tick(PERIOD_S, PERPETUAL, 1);
        ColumnEvidence memory shown = abi.decode(evidence, (ColumnEvidence));
        shown.pair.step.effectsHash = keccak256("others");
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
        shown = abi.decode(evidence, (ColumnEvidence));
        shown.frame = LogFrames.settleExpiry(next(), FUTURE);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
        shown = abi.decode(evidence, (ColumnEvidence));
        shown.since.frame = LogFrames.fundingTick(LogFrames.At(1, START_NS));
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
        shown = abi.decode(evidence, (ColumnEvidence));
        shown.column.packed = packed([FUNDING_E6 + 2 * MOST_E6, int64(0), 0]);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_what_is_shown_of_collateral_does_not_belong() public {
        bytes memory evidence = credit(10e8, 54_000e8, 20e8, 51_000e8, 0);
        ColumnEvidence memory shown = abi.decode(evidence, (ColumnEvidence));
        shown.asset.listed.haircutFloorE6 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(evidence, (ColumnEvidence));
        shown.report.round += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown = abi.decode(evidence, (ColumnEvidence));
        shown.column.packed[0] = 0x01;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(evidence, (ColumnEvidence));
        shown.document = bytes.concat(text(), " ");
        expectRefused(_judge, abi.encode(shown), Documents.WrongDocument.selector);
    }

    function test_RevertWhen_time_is_counted_from_another_record() public {
        uint32 order = add(LogFrames.liquidate(next(), 5), "");
        ColumnEvidence memory shown = _funding(_tickAt(PERIOD_S), PERPETUAL, 1);
        shown.since = pastAt(order);
        expectRefused(_judge, abi.encode(shown), ColumnJudge.NotAStart.selector);
    }

    function test_gas_of_the_column_judge() public {
        bytes memory evidence = tick(PERIOD_S, PERPETUAL, 1);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        vm.assertLe(gas - gasleft(), 250_000);
    }

    function text() private pure returns (bytes memory) {
        return bytes.concat(OTHERS, FIRST, SECOND, FUNDING_TERMS);
    }

    function adopted(uint8 kind, bytes memory payload) private returns (bytes memory) {
        ColumnEvidence memory shown;
        shown.rule = 2;
        shown.frame = LogFrames.frame(next(), kind, payload);
        uint32 index = add(shown.frame, "");
        seal();
        shown.pair = pairAt(index);
        return abi.encode(shown);
    }

    function _tickAt(uint64 seconds_) private view returns (bytes memory) {
        LogFrames.At memory here = next();
        here.time = START_NS + 1e9 + seconds_ * 1e9;
        return LogFrames.fundingTick(here);
    }

    function tick(uint64 seconds_, uint16 instrument, int64 step) private returns (bytes memory) {
        return abi.encode(_funding(_tickAt(seconds_), instrument, step));
    }

    function appended(bytes memory frame, int64 funding) private returns (bytes memory) {
        ColumnEvidence memory shown = _funding(frame, CALL, funding);
        shown.columnBefore.packed = abi.encodePacked(fundings[0], fundings[1]);
        bytes32[] memory all = new bytes32[](2);
        all[0] = keccak256("values");
        all[1] = columnHash(0, 252, shown.columnBefore.packed);
        shown.columnBefore.proof = MerkleTree.proof(all, 1);
        shown.before.priceRoot = MerkleTree.root(all);
        uint32 last = uint32(steps.length - 1);
        steps[last - 1].epochHash = keccak256(abi.encode(shown.before));
        seal();
        shown.pair = pairAt(last);
        return abi.encode(shown);
    }

    /// @dev A record after which the funding of an instrument is another one.
    function _funding(bytes memory frame, uint16 instrument, int64 step)
        private
        returns (ColumnEvidence memory shown)
    {
        shown = _shown(frame);
        shown.place = uint32(bytes.concat(OTHERS, FIRST, SECOND).length);
        int64[3] memory later = fundings;
        later[instrument] += step;
        bytes32[] memory all = new bytes32[](2);
        all[0] = keccak256("values");
        all[1] = columnHash(0, 252, packed(later));
        shown.afterwards.priceRoot = MerkleTree.root(all);
        shown.column = Column(packed(later), MerkleTree.proof(all, 1));
        shown.columnBefore = fundingColumn();
        shown.instrument = instrumentOf(instrument);
        shown.since = pastAt(0);
        _begin(frame, shown);
    }

    function credit(uint64 upto, uint64 price, uint64 nextUpto, uint64 nextPrice, uint64 unused)
        private
        returns (bytes memory)
    {
        bytes memory column =
            abi.encodePacked(upto, price, nextUpto, nextPrice, uint64(0), unused, new bytes(16));
        return abi.encode(_credit(column));
    }

    function _credit(bytes memory column) private returns (ColumnEvidence memory shown) {
        bytes memory frame = LogFrames.settleExpiry(next(), FUTURE);
        shown = _shown(frame);
        shown.rule = 1;
        shown.place = uint32(OTHERS.length) - 14;
        shown.asset = assetOpening();
        shown.afterwards.chargeRoot = columnHash(255, 253, column);
        shown.column.packed = column;
        _begin(frame, shown);
    }

    function _shown(bytes memory frame) private view returns (ColumnEvidence memory shown) {
        shown.frame = frame;
        shown.document = text();
        shown.report = report();
        shown.before = epoch();
        shown.afterwards = epoch();
        shown.afterwards.number += 1;
    }

    function _begin(bytes memory frame, ColumnEvidence memory shown) private {
        // What earlier cases of a test began is not in force.
        if (steps[steps.length - 1].epochHash != 0) {
            steps[steps.length - 1].epochHash = keccak256(abi.encode(shown.before));
        }
        uint32 index = add(frame, "");
        steps[index].epochHash = keccak256(abi.encode(shown.afterwards));
        seal();
        shown.pair = pairAt(index);
        if (shown.rule == 0) shown.since = pastAt(0);
    }
}
