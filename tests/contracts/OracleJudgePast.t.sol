// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OracleJudge} from "../../contracts/challenge/OracleJudge.sol";
import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Frames} from "../../contracts/libraries/Frames.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {OracleEvidence} from "../../contracts/types/ContentEvidence.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {LogFrames} from "./support/LogFrames.sol";

/// @dev What the rules on an earlier report do not speak of; nobody signs here.
contract OracleJudgePastTest is ContentWorld {
    int64 private constant FAR_E8 = 70_000e8;

    OracleJudge private _judge;

    function setUp() public {
        buildWorld();
        _judge = new OracleJudge(
            ISettlement(address(batches)),
            IRiskParameters(address(listings)),
            IOracleHub(address(1))
        );
    }

    function test_a_round_that_does_not_go_forward_is_a_fault() public {
        uint32 earlier = add(_report(8, FAR_E8), "");
        assertFaulty(_judge, abi.encode(_kept(2, earlier)));
    }

    function test_RevertWhen_what_came_earlier_is_no_report_of_the_log() public {
        uint32 earlier = add(_report(8, FAR_E8), "");
        OracleEvidence memory shown = _kept(2, earlier);
        shown.earlier.frame = _report(9, FAR_E8);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
        earlier = add(LogFrames.fundingTick(next()), "");
        shown = _kept(2, earlier);
        expectRefused(_judge, abi.encode(shown), Frames.WrongRecordType.selector);
    }

    function test_RevertWhen_the_report_set_the_prices() public {
        OracleEvidence memory shown = _kept(6, add(_report(8, FAR_E8), ""));
        assertFaulty(_judge, abi.encode(shown));
        steps[steps.length - 1].epochHash = keccak256("the epoch after");
        seal();
        shown.pair = pairAt(uint32(steps.length) - 1);
        shown.earlier = pastAt(shown.earlier.opening.index);
        expectRefused(_judge, abi.encode(shown), OracleJudge.OtherRecord.selector);
        shown.rule = 4;
        expectRefused(_judge, abi.encode(shown), OracleJudge.OtherRecord.selector);
    }

    function test_RevertWhen_the_report_was_held() public {
        OracleEvidence memory shown = _kept(5, add(_report(8, FAR_E8), ""));
        expectRefused(_judge, abi.encode(shown), OracleJudge.OtherRecord.selector);
    }

    function test_RevertWhen_the_report_in_force_is_another() public {
        OracleEvidence memory shown = _kept(6, add(_report(8, FAR_E8), ""));
        shown.reportBefore.round = 8;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
    }

    /// @dev Three observations of one value, in a round observed at the same time as any other.
    function _report(uint64 round, int64 value) private view returns (bytes memory) {
        bytes memory body;
        for (uint8 i = 0; i < 3; ++i) {
            body = abi.encodePacked(body, i, uint16(1), value, uint32(0), new bytes(65));
        }
        return LogFrames.frame(
            next(), 5, bytes.concat(abi.encodePacked(round, START_NS, uint16(3)), body)
        );
    }

    /// @dev A far report of round 8 again, which leaves the prices as they are.
    function _kept(uint8 rule, uint32 earlier) private returns (OracleEvidence memory shown) {
        uint32 index = add(_report(8, FAR_E8), "");
        seal();
        shown.rule = rule;
        shown.pair = pairAt(index);
        shown.frame = frames[index];
        shown.oracle = oracleOpening();
        shown.before = epoch();
        shown.reportBefore = report();
        shown.earlier = pastAt(earlier);
        shown.between = framesBetween(earlier, index);
    }
}
