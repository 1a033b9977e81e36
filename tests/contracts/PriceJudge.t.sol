// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PriceJudge} from "../../contracts/challenge/PriceJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Collateral} from "../../contracts/libraries/Collateral.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {PriceEvidence} from "../../contracts/types/ContentEvidence.sol";
import {Report} from "../../contracts/types/Epoch.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev Prices that no order names: the mark, the haircut price, the index at expiry.
contract PriceJudgeTest is ContentWorld {
    uint32 private constant ACCOUNT = 5;
    uint32 private constant MAKER = 6;

    PriceJudge private _judge;
    uint64 private _indexE8 = INDEX_E8;
    uint64 private _observedAt = START_NS + 1;

    function setUp() public {
        buildWorld();
        _judge = new PriceJudge(IRiskParameters(address(listings)));
    }

    function report() internal view override returns (Report memory) {
        return Report(7, _observedAt, abi.encodePacked(_indexE8));
    }

    function test_a_transfer_is_at_the_mark() public {
        bytes memory right = W.transfer(ACCOUNT, PERPETUAL, 10, 10 * VALUE_E6);
        assertHonest(_judge, _transfer(right, 0));
        assertHonest(_judge, _transfer(right, 1));
        bytes memory wrong = W.transfer(ACCOUNT, PERPETUAL, 10, 10 * VALUE_E6 - 1);
        assertFaulty(_judge, _transfer(wrong, 0));
        assertFaulty(_judge, _transfer(wrong, 1));
        assertFaulty(_judge, _transfer(W.transfer(ACCOUNT, PERPETUAL, 10, 600e6), 0));
    }

    function test_the_last_of_several_transfers_is_judged_by_itself() public {
        bytes memory words = bytes.concat(
            W.transfer(ACCOUNT, PERPETUAL, 1, VALUE_E6), W.transfer(ACCOUNT, FUTURE, -1, -60e6)
        );
        for (uint32 place = 0; place < 4; ++place) {
            assertHonest(_judge, _transfer(words, place));
        }
    }

    function test_a_sale_is_at_the_price_of_the_first_bracket() public {
        // 1.5 tokens at 54,000 dollars, and three grains of which a part is lost.
        assertHonest(_judge, _sale(1.5e8, 81_000e6));
        assertHonest(_judge, _sale(3, 1620));
        assertHonest(_judge, _sale(12e8, 648_000e6));
        assertFaulty(_judge, _sale(3, 1621));
        assertFaulty(_judge, _sale(1.5e8, 81_000e6 + 1));
        assertFaulty(_judge, _sale(1.5e8, 80_999e6));
    }

    function test_a_settlement_is_the_payoff_at_the_index() public {
        assertHonest(_judge, _settlement(FUTURE, 60e6));
        assertHonest(_judge, _settlement(CALL, 2e6));
        assertFaulty(_judge, _settlement(FUTURE, 60e6 + 1));
        assertFaulty(_judge, _settlement(CALL, 2e6 - 1));
        _indexE8 = 57_999e8;
        assertHonest(_judge, _settlement(CALL, 0));
        assertFaulty(_judge, _settlement(CALL, -1e3));
    }

    function test_a_put_pays_below_its_strike_and_rounds_to_the_tick() public {
        listed[CALL].instrument.kind = 3;
        _relist();
        _indexE8 = 57_000e8 + 1;
        assertHonest(_judge, _settlement(CALL, 999e3));
        _indexE8 = 58_001e8;
        assertHonest(_judge, _settlement(CALL, 0));
    }

    function test_a_settlement_needs_a_report_from_after_the_expiry() public {
        assertFaulty(_judge, _settlement(PERPETUAL, 60e6));
        _observedAt = EXPIRY;
        assertHonest(_judge, _settlement(FUTURE, 60e6));
        _observedAt = EXPIRY - 1;
        assertFaulty(_judge, _settlement(FUTURE, 60e6));
    }

    function test_what_no_column_lists_is_not_traded() public {
        assertHonest(_judge, _unlisted(CALL));
        assertFaulty(_judge, _unlisted(CALL + 1));
    }

    function testFuzz_an_honest_payoff_is_never_faulty(uint32 dollars, uint8 cents, bool isPut)
        public
    {
        uint256 index = uint256(dollars % 200_000) * 1e8 + uint256(cents) * 1e6 + 1;
        _indexE8 = uint64(index);
        listed[CALL].instrument.kind = isPut ? 3 : 2;
        _relist();
        uint256 strike = 58_000e8;
        uint256 payoff =
            isPut ? (strike > index ? strike - index : 0) : (index > strike ? index - strike : 0);
        assertHonest(_judge, _settlement(CALL, int64(uint64(payoff / 1e8 * 1e8 / DIVISOR))));
    }

    function test_RevertWhen_the_words_are_of_another_group() public {
        bytes memory words = W.fill(ACCOUNT, MAKER, PERPETUAL, 10, 600e6, 1, 5);
        expectRefused(_judge, _transfer(words, 0), PriceJudge.OtherPhrase.selector);
        expectRefused(_judge, _transfer(words, 1), PriceJudge.OtherPhrase.selector);
        words = W.sale(ACCOUNT, 1, 50, 20);
        PriceEvidence memory shown = _shown(LogFrames.liquidate(next(), ACCOUNT), words);
        (shown.rule, shown.place) = (1, 1);
        expectRefused(_judge, abi.encode(shown), PriceJudge.OtherPhrase.selector);
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        bytes memory evidence = _settlement(FUTURE, 60e6);
        PriceEvidence memory shown = abi.decode(evidence, (PriceEvidence));
        shown.instrument = instrumentOf(CALL);
        expectRefused(_judge, abi.encode(shown), PriceJudge.OtherInstrument.selector);
        shown = abi.decode(evidence, (PriceEvidence));
        shown.report.round += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown = abi.decode(evidence, (PriceEvidence));
        shown.epoch.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown = abi.decode(evidence, (PriceEvidence));
        shown.instrument.listed.takerFeeE6 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.rule = 4;
        shown.epoch = epoch();
        expectRefused(_judge, abi.encode(shown), PriceJudge.UnknownRule.selector);
        shown = _shown(LogFrames.liquidate(next(), ACCOUNT), W.sale(ACCOUNT, 2, 50, 20));
        (shown.rule, shown.column) = (1, collateralOpening());
        expectRefused(_judge, abi.encode(shown), Collateral.AssetNotListed.selector);
    }

    function test_RevertWhen_a_record_or_a_column_is_not_that_of_the_batch() public {
        bytes memory words = W.transfer(ACCOUNT, PERPETUAL, 10, 10 * VALUE_E6);
        PriceEvidence memory shown = abi.decode(_transfer(words, 0), (PriceEvidence));
        shown.record.effects = W.transfer(ACCOUNT, PERPETUAL, 10, 1);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
        shown = abi.decode(_transfer(words, 0), (PriceEvidence));
        shown.column = fundingColumn();
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(_unlisted(CALL), (PriceEvidence));
        shown.column.packed = "";
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(_sale(3, 1620), (PriceEvidence));
        shown.column.packed = new bytes(64);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_gas_of_the_price_judge() public {
        bytes memory evidence = _settlement(FUTURE, 60e6);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 150_000);
        vm.snapshotValue("judges", "effects.price", used);
    }

    function _relist() private {
        bytes32 leaf = keccak256(abi.encode(listed[CALL]));
        bytes32[] memory proof = instrumentOf(CALL).proof;
        bytes32 root = leaf;
        uint256 index = CALL + 1;
        for (uint256 k = 0; k < proof.length; ++k) {
            root = index >> k & 1 == 0
                ? keccak256(abi.encode(root, proof[k]))
                : keccak256(abi.encode(proof[k], root));
        }
        listings.list(header.paramsHash, root);
    }

    function _transfer(bytes memory words, uint32 place) private returns (bytes memory) {
        PriceEvidence memory shown = _shown(LogFrames.liquidate(next(), ACCOUNT), words);
        shown.place = place;
        shown.column = valueColumn();
        return abi.encode(shown);
    }

    function _sale(int64 amount, int64 proceeds) private returns (bytes memory) {
        bytes memory words =
            bytes.concat(W.liquidation(ACCOUNT, 2), W.sale(ACCOUNT, 1, amount, proceeds));
        PriceEvidence memory shown = _shown(LogFrames.liquidate(next(), ACCOUNT), words);
        (shown.rule, shown.place) = (1, 1);
        shown.column = collateralOpening();
        return abi.encode(shown);
    }

    function _settlement(uint16 instrument, int64 lotValue) private returns (bytes memory) {
        steps[steps.length - 1].epochHash = keccak256(abi.encode(epoch()));
        PriceEvidence memory shown =
            _shown(LogFrames.settleExpiry(next(), instrument), W.settle(instrument, lotValue));
        shown.rule = 2;
        shown.report = report();
        shown.instrument = instrumentOf(instrument);
        return abi.encode(shown);
    }

    function _unlisted(uint16 instrument) private returns (bytes memory) {
        PriceEvidence memory shown =
            _shown(LogFrames.liquidate(next(), ACCOUNT), W.transfer(ACCOUNT, instrument, 1, 1));
        (shown.rule, shown.column) = (3, valueColumn());
        return abi.encode(shown);
    }

    function _shown(bytes memory frame, bytes memory words)
        private
        returns (PriceEvidence memory shown)
    {
        uint32 index = add(frame, words);
        seal();
        shown.record = recordAt(index);
        shown.epoch = epoch();
    }
}
