// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OracleJudge} from "../../contracts/challenge/OracleJudge.sol";
import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Frames} from "../../contracts/libraries/Frames.sol";
import {Medians} from "../../contracts/libraries/Medians.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {OracleEvidence} from "../../contracts/types/ContentEvidence.sol";
import {Epoch, Report} from "../../contracts/types/Epoch.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev What the judge asks of the hub: the domain of the observations.
contract ObservationDomain {
    bytes32 public constant domainSeparator = keccak256("the domain of the hub");
}

/// @dev O-1, O-6: prices are those of a quorum, and jump only when confirmed.
contract OracleJudgeTest is ContentWorld {
    uint8 private constant REPORT = 5;
    uint256 private constant SIGNERS = 5;

    OracleJudge private _judge;
    ObservationDomain private _hub = new ObservationDomain();
    Epoch private _before;
    uint64 private _round = 8;
    uint64 private _observedAt = START_NS + 2;

    function setUp() public {
        for (uint256 i = 0; i < SIGNERS; ++i) {
            oracleSigners.push(vm.addr(_key(i)));
        }
        buildWorld();
        _judge = new OracleJudge(
            ISettlement(address(batches)),
            IRiskParameters(address(listings)),
            IOracleHub(address(_hub))
        );
        _before = epoch();
    }

    function test_a_quorum_of_listed_signers_vouches_for_a_report() public {
        assertHonest(_judge, _signatures(_report(5)));
        assertHonest(_judge, _signatures(_report(3)));
        assertFaulty(_judge, _signatures(_report(2)));
    }

    function test_signers_ascend_and_are_listed() public {
        bytes memory first = _observation(0, _key(0), 60_000e8);
        bytes memory second = _observation(1, _key(1), 60_000e8);
        bytes memory third = _observation(4, _key(4), 60_000e8);
        assertHonest(_judge, _signatures(_three(first, second, third)));
        assertFaulty(_judge, _signatures(_three(second, first, third)));
        assertFaulty(_judge, _signatures(_three(first, first, third)));
        bytes memory stranger = _observation(5, _key(5), 60_000e8);
        assertFaulty(_judge, _signatures(_three(first, second, stranger)));
        stranger = _observation(4, _key(5), 60_000e8);
        assertFaulty(_judge, _signatures(_three(first, second, stranger)));
    }

    function test_a_signature_covers_round_time_values_and_spans() public {
        bytes memory frame = _report(3);
        _round += 1;
        assertFaulty(_judge, _signatures(_headed(frame)));
        (_round, _observedAt) = (8, _observedAt + 1);
        assertFaulty(_judge, _signatures(_headed(frame)));
        _observedAt -= 1;
        assertHonest(_judge, _signatures(_headed(frame)));
        frame[25 + 18 + 3 + 7] ^= 0x01;
        assertFaulty(_judge, _signatures(frame));
        frame[25 + 18 + 3 + 7] ^= 0x01;
        for (uint256 i = 8; i < 12; ++i) {
            frame[25 + 18 + 3 + i] ^= 0x01;
            assertFaulty(_judge, _signatures(frame));
            frame[25 + 18 + 3 + i] ^= 0x01;
        }
        assertHonest(_judge, _signatures(frame));
        frame[frame.length - 1] = 0x00;
        assertFaulty(_judge, _signatures(frame));
    }

    function test_every_value_is_in_range_and_there_is_one_for_each_feed() public {
        bytes memory first = _observation(0, _key(0), 60_000e8);
        bytes memory second = _observation(1, _key(1), 60_000e8);
        int64[3] memory wrong = [int64(0), -1, int64(1 << 46)];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory third = _observation(2, _key(2), wrong[i]);
            assertFaulty(_judge, _signatures(_three(first, second, third)));
        }
        bytes memory packed_ = abi.encodePacked(int64(1), int64(2), uint64(0));
        bytes memory long = abi.encodePacked(uint8(2), uint16(2), packed_, _sign(_key(2), packed_));
        assertFaulty(_judge, _signatures(_three(first, second, long)));
    }

    function test_a_report_is_neither_too_old_nor_ahead() public {
        uint64 time = next().time;
        _observedAt = time - 60e9;
        assertHonest(_judge, _age(_report(3)));
        _observedAt = next().time - 60e9 - 1;
        assertFaulty(_judge, _age(_report(3)));
        _observedAt = next().time + 5e9;
        assertHonest(_judge, _age(_report(3)));
        _observedAt = next().time + 5e9 + 1;
        assertFaulty(_judge, _age(_report(3)));
    }

    function test_rounds_and_times_go_forward() public {
        uint32 earlier = add(_report(3), "");
        (_round, _observedAt) = (9, _observedAt + 1);
        assertHonest(_judge, _pastEvidence(2, earlier, _report(3)));
        _round = 8;
        assertFaulty(_judge, _pastEvidence(2, earlier, _report(3)));
        (_round, _observedAt) = (9, _observedAt - 1);
        assertFaulty(_judge, _pastEvidence(2, earlier, _report(3)));
    }

    function test_an_epoch_follows_from_its_record() public {
        int64[3] memory seen = [int64(60_100e8), 60_300e8, 60_200e8];
        Epoch memory new_ = _epochOf(60_200e8);
        assertHonest(_judge, _changed(_reportOf(seen), new_));
        new_.number += 1;
        assertFaulty(_judge, _changed(_reportOf(seen), new_));
        new_ = _epochOf(60_200e8);
        new_.time += 1;
        assertFaulty(_judge, _changed(_reportOf(seen), new_));
        assertFaulty(_judge, _changed(_reportOf(seen), _epochOf(60_100e8)));
    }

    function test_a_tick_and_a_settlement_keep_the_report() public {
        Epoch memory new_ = _epochOf(1);
        new_.reportHash = _before.reportHash;
        assertHonest(_judge, _changed(LogFrames.fundingTick(next()), new_));
        new_.time = next().time;
        assertHonest(_judge, _changed(LogFrames.settleExpiry(next(), 1), new_));
        new_.time = next().time;
        assertFaulty(_judge, _changed(LogFrames.liquidate(next(), 1), new_));
        new_ = _epochOf(1);
        assertFaulty(_judge, _changed(LogFrames.fundingTick(next()), new_));
    }

    function test_the_first_epoch_has_number_one_and_comes_with_a_report() public {
        steps[0].epochHash = 0;
        Epoch memory new_ = _epochOf(60_000e8);
        new_.number = 1;
        assertHonest(_judge, _changed(_report(3), new_));
        steps[steps.length - 1].epochHash = 0;
        (new_.time, new_.reportHash) = (next().time, 0);
        assertFaulty(_judge, _changed(LogFrames.fundingTick(next()), new_));
    }

    function test_a_report_within_the_band_is_not_ignored() public {
        int64 most = 63_000e8;
        assertFaulty(_judge, _kept(4, _reportOf([most, most, most])));
        assertHonest(_judge, _kept(4, _reportOf([most + 1, most + 1, most + 1])));
        assertFaulty(_judge, _kept(4, _reportOf([most + 1, most, most])));
        steps[steps.length - 1].epochHash = 0;
        assertFaulty(_judge, _kept(4, _report(3)));
    }

    function test_a_jump_counts_only_when_the_report_before_vouches_for_it() public {
        int64 far = 70_000e8;
        uint32 held = add(_reportOf([far, far, far]), "");
        (_round, _observedAt) = (9, _observedAt + 1);
        assertHonest(_judge, _jump(held, 70_100e8));
        assertHonest(_judge, _jump(held, 60_100e8));
        assertFaulty(_judge, _jump(held, 80_000e8));
    }

    function test_a_jump_after_an_accepted_report_has_nobody_to_vouch_for_it() public {
        (_round, _observedAt) = (7, START_NS + 1);
        uint32 accepted = add(_report(3), "");
        (_round, _observedAt) = (8, START_NS + 2);
        assertFaulty(_judge, _jump(accepted, 70_100e8));
        assertHonest(_judge, _jump(accepted, 60_100e8));
    }

    function test_a_confirmed_jump_is_not_held_again() public {
        int64 far = 70_000e8;
        uint32 held = add(_reportOf([far, far, far]), "");
        (_round, _observedAt) = (9, _observedAt + 1);
        assertFaulty(_judge, _heldAgain(held, 70_100e8));
        assertHonest(_judge, _heldAgain(held, 80_000e8));
    }

    function test_RevertWhen_the_earlier_report_is_not_the_last() public {
        uint32 earlier = add(_report(3), "");
        add(_report(3), "");
        bytes memory evidence = _jump(earlier, 70_100e8);
        expectRefused(_judge, evidence, OracleJudge.ReportBetween.selector);
        OracleEvidence memory shown = abi.decode(evidence, (OracleEvidence));
        delete shown.between;
        expectRefused(_judge, abi.encode(shown), Openings.WrongGap.selector);
    }

    function test_RevertWhen_the_rule_is_not_about_the_record() public {
        bytes memory evidence = _kept(7, _report(3));
        expectRefused(_judge, evidence, OracleJudge.UnknownRule.selector);
        evidence = _kept(3, _report(3));
        expectRefused(_judge, evidence, OracleJudge.OtherRecord.selector);
        evidence = _kept(0, LogFrames.fundingTick(next()));
        expectRefused(_judge, evidence, Frames.WrongRecordType.selector);
        bytes memory packed_ = abi.encodePacked(int64(1), int64(2), uint64(0));
        bytes memory long = abi.encodePacked(uint8(2), uint16(2), packed_, _sign(_key(2), packed_));
        evidence = _kept(4, _three(long, long, long));
        expectRefused(_judge, evidence, Medians.VectorLength.selector);
        OracleEvidence memory shown = abi.decode(_kept(4, _report(3)), (OracleEvidence));
        shown.before.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.before.number -= 1;
        shown.reportBefore.round += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.oracle.listed.quorum = 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_the_record_is_not_that_of_the_batch() public {
        OracleEvidence memory shown = abi.decode(_signatures(_report(2)), (OracleEvidence));
        shown.pair.step.dataEnd += 1;
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
        shown.pair.step.dataEnd -= 1;
        shown.frame = _report(1);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
    }

    function test_RevertWhen_an_epoch_is_not_that_of_its_step() public {
        bytes memory evidence = _changed(_report(3), _epochOf(60_000e8));
        OracleEvidence memory shown = abi.decode(evidence, (OracleEvidence));
        shown.afterwards.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.afterwards.number -= 1;
        shown.before.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
    }

    function test_gas_of_the_oracle_judge() public {
        bytes memory evidence = _signatures(_report(5));
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 200_000);
        vm.snapshotValue("judges", "oracle", used);
    }

    function _key(uint256 signer) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("oracle", signer))) >> 8;
    }

    /// @dev So many signers agree on the index in force.
    function _report(uint256 count) private view returns (bytes memory) {
        bytes memory body;
        for (uint8 i = 0; i < count; ++i) {
            body = bytes.concat(body, _observation(i, _key(i), int64(INDEX_E8)));
        }
        return _framed(uint16(count), body);
    }

    function _reportOf(int64[3] memory seen) private view returns (bytes memory) {
        bytes memory body;
        for (uint8 i = 0; i < 3; ++i) {
            body = bytes.concat(body, _observation(i, _key(i), seen[i]));
        }
        return _framed(3, body);
    }

    function _three(bytes memory a, bytes memory b, bytes memory c)
        private
        view
        returns (bytes memory)
    {
        return _framed(3, bytes.concat(a, b, c));
    }

    function _framed(uint16 count, bytes memory body) private view returns (bytes memory) {
        return LogFrames.frame(next(), REPORT, abi.encodePacked(_round, _observedAt, count, body));
    }

    /// @dev The same observations under the round and time of now.
    function _headed(bytes memory frame) private view returns (bytes memory other) {
        other = bytes.concat(frame);
        bytes memory head = abi.encodePacked(_round, _observedAt);
        for (uint256 i = 0; i < 16; ++i) {
            other[25 + i] = head[i];
        }
    }

    function _observation(uint8 place, uint256 key, int64 value)
        private
        view
        returns (bytes memory)
    {
        bytes memory packed_ = abi.encodePacked(value, uint16(7), uint16(9));
        return abi.encodePacked(place, uint16(1), packed_, _sign(key, packed_));
    }

    /// @dev Over a vector: eight bytes of twelve are its values.
    function _sign(uint256 key, bytes memory vector) private view returns (bytes memory) {
        bytes32 typeHash =
            keccak256("Observation(uint64 round,uint64 observedAt,bytes values,bytes spans)");
        uint256 cut = vector.length / 3 * 2;
        bytes32 values_;
        bytes32 spans;
        assembly ("memory-safe") {
            values_ := keccak256(add(vector, 0x20), cut)
            spans := keccak256(add(add(vector, 0x20), cut), sub(mload(vector), cut))
        }
        bytes32 hash = keccak256(abi.encode(typeHash, _round, _observedAt, values_, spans));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", _hub.domainSeparator(), hash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The epoch that a report with this median makes as the next record.
    function _epochOf(int64 median) private view returns (Epoch memory new_) {
        new_ = _before;
        new_.number += 1;
        new_.time = next().time;
        new_.reportHash = keccak256(abi.encode(_round, _observedAt, abi.encodePacked(median)));
    }

    function _signatures(bytes memory frame) private returns (bytes memory) {
        return _kept(0, frame);
    }

    function _age(bytes memory frame) private returns (bytes memory) {
        return _kept(1, frame);
    }

    /// @dev A record that leaves the epoch as it is.
    function _kept(uint8 rule, bytes memory frame) private returns (bytes memory) {
        return abi.encode(_shown(rule, add(frame, "")));
    }

    function _pastEvidence(uint8 rule, uint32 earlier, bytes memory frame)
        private
        returns (bytes memory)
    {
        OracleEvidence memory shown = _shown(rule, add(frame, ""));
        shown.earlier = pastAt(earlier);
        shown.between = framesBetween(earlier, uint32(steps.length) - 1);
        return abi.encode(shown);
    }

    function _changed(bytes memory frame, Epoch memory new_) private returns (bytes memory) {
        uint32 index = add(frame, "");
        steps[index].epochHash = keccak256(abi.encode(new_));
        OracleEvidence memory shown = _shown(3, index);
        shown.afterwards = new_;
        // The next question begins where this one did.
        bytes memory evidence = abi.encode(shown);
        add(LogFrames.fundingTick(next()), "");
        steps[index + 1].epochHash = keccak256(abi.encode(_before));
        seal();
        shown = abi.decode(evidence, (OracleEvidence));
        shown.pair = pairAt(index);
        return abi.encode(shown);
    }

    /// @dev A report with this value that sets the prices.
    function _jump(uint32 earlier, int64 value) private returns (bytes memory) {
        uint32 index = add(_reportOf([value, value, value]), "");
        steps[index].epochHash = keccak256("the epoch after");
        OracleEvidence memory shown = _shown(5, index);
        shown.earlier = pastAt(earlier);
        shown.between = framesBetween(earlier, index);
        steps.pop();
        bytes memory evidence = abi.encode(shown);
        frames.pop();
        effects.pop();
        return evidence;
    }

    /// @dev A report with this value that does not.
    function _heldAgain(uint32 earlier, int64 value) private returns (bytes memory) {
        uint32 index = add(_reportOf([value, value, value]), "");
        OracleEvidence memory shown = _shown(6, index);
        shown.earlier = pastAt(earlier);
        shown.between = framesBetween(earlier, index);
        steps.pop();
        frames.pop();
        effects.pop();
        return abi.encode(shown);
    }

    function _shown(uint8 rule, uint32 index) private returns (OracleEvidence memory shown) {
        seal();
        shown.rule = rule;
        shown.pair = pairAt(index);
        shown.frame = frames[index];
        shown.oracle = oracleOpening();
        shown.before = _before;
        shown.reportBefore = report();
    }
}
