// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {Action, Grace, ReportRecord} from "../../contracts/types/OracleUse.sol";
import {Json} from "./support/Json.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev L-5: the hub says of every report what the engine says of it.
contract OracleGraceVectorsTest is Oracles {
    using Json for Json.Case;
    using Json for Json.File;

    function setUp() public {
        deployHub(1);
    }

    function test_hub_and_engine_agree_when_an_outage_is_over() public {
        Json.File memory file = Json.open("tests/vectors/grace.json", "plimsoll.grace.v1");
        vm.assertEq(file.count, 20);
        for (uint256 i = 0; i < file.count; ++i) {
            follow(file.caseAt(i));
        }
    }

    function follow(Json.Case memory c) private {
        Grace memory grace = Grace(uint8(c.number("reports")), uint32(c.number("lengthSeconds")));
        IOracleHub.Limits memory limits = IOracleHub.Limits(1, BAND_E6, HEARTBEAT_NS, MAX_SKEW_NS);
        hub = new OracleHub(address(this), limits, grace, addresses(ORACLES), QUORUM);
        int256[] memory times = c.integers("observedAt");
        int256[] memory values = c.integers("values");
        int256[] memory accepted = c.integers("accepted");
        int256[] memory resumed = c.integers("resumedAt");
        int256[] memory streaks = c.integers("streaks");
        int256[] memory settled = c.integers("settled");
        for (uint256 i = 0; i < times.length; ++i) {
            (uint64 time, int64 value) = (uint64(uint256(times[i])), int64(values[i]));
            vm.warp(time / 1e9);
            bool isAccepted = report(uint64(i + 1), time, single(value));
            vm.assertTrue(isAccepted == (accepted[i] == 1));
            bytes32 hash = keccak256(abi.encode(uint64(i + 1), time, abi.encodePacked(value)));
            bool isUsable = hub.isUsableReport(hash, Action.LIQUIDATE);
            vm.assertTrue(isUsable == (isAccepted && settled[i] == 1));
            if (!isAccepted) continue;
            ReportRecord memory record = hub.recordOf(hash);
            vm.assertEq(uint256(record.resumedAt), uint256(resumed[i]));
            vm.assertEq(uint256(record.streak), uint256(streaks[i]));
        }
    }
}
