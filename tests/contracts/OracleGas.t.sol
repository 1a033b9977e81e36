// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {Action, FeedLimit} from "../../contracts/types/OracleUse.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev What a report of 64 feeds costs, the second and later ones, with cold storage: execution
/// alone, and with it what the transaction pays for its bytes and for being one.
contract OracleReportGasTest is Oracles {
    uint16 private constant FEEDS = 64;
    uint256 private constant TRANSACTION = 21_000;

    function setUp() public {
        deployHub(1);
    }

    function test_a_report_of_64_feeds_by_three_signers_stays_below_its_ceiling() public {
        deploy(5, 3);
        measure("prices_64.signers_3", 3, 420_000);
    }

    function test_a_report_of_64_feeds_by_five_signers_stays_below_its_ceiling() public {
        deploy(7, 5);
        measure("prices_64.signers_5", 5, 515_000);
    }

    /// @dev Every feed with a band of its own: the dearest.
    function test_a_report_of_64_banded_feeds_stays_below_its_ceiling() public {
        deploy(7, 5);
        for (uint256 f = 0; f < FEEDS; ++f) {
            hub.setFeedLimit(f, FeedLimit(0, BAND_E6 - 1));
        }
        measure("prices_64.signers_5.banded", 5, 582_000);
    }

    function test_asking_whether_a_price_is_usable_stays_below_its_ceiling() public {
        deploy(7, 5);
        vm.cool(address(hub));
        uint256 before = gasleft();
        hub.isUsable(Action.LIQUIDATE, 7);
        uint256 used = before - gasleft();
        vm.snapshotValue("oracle", "is_usable", used);
        vm.assertLe(used, 17_600);
    }

    /// @dev A hub with a first report, which pays for the storage of all that follow.
    function deploy(uint256 signers, uint8 quorum) private {
        hub = new OracleHub(
            address(this),
            IOracleHub.Limits(FEEDS, BAND_E6, HEARTBEAT_NS, MAX_SKEW_NS),
            startingGrace(),
            addresses(signers),
            quorum
        );
        for (uint64 round = 1; round < 3; ++round) {
            (bytes[] memory values, bytes[] memory signatures) = signed(round, quorum);
            hub.submit(round, timeOf(round), values, signatures);
        }
    }

    function measure(string memory name, uint256 count, uint256 ceiling) private {
        (bytes[] memory values, bytes[] memory signatures) = signed(3, count);
        bytes memory input = abi.encodeCall(hub.submit, (3, timeOf(3), values, signatures));
        vm.cool(address(hub));
        uint256 before = gasleft();
        (bool done,) = address(hub).call(input);
        uint256 used = before - gasleft();
        vm.assertTrue(done);
        vm.snapshotValue("oracle.report", name, used);
        vm.snapshotValue("oracle.report.transaction", name, used + TRANSACTION + gasOfBytes(input));
        vm.assertLe(used, ceiling);
    }

    /// @dev Prices of 46 bits that differ by signer, feed and round, as real ones do.
    function signed(uint64 round, uint256 count)
        private
        view
        returns (bytes[] memory values, bytes[] memory signatures)
    {
        values = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            for (uint256 f = 0; f < FEEDS; ++f) {
                uint256 stray = uint256(keccak256(abi.encode(round, i, f))) % 1e10;
                values[i] = abi.encodePacked(values[i], int64(uint64(6e12 + stray)));
            }
            for (uint256 f = 0; f < FEEDS; ++f) {
                uint256 span = uint256(keccak256(abi.encode("span", round, i, f)));
                values[i] =
                    abi.encodePacked(values[i], uint16(span % 500), uint16(span >> 128) % 500);
            }
        }
        signatures = signAll(round, timeOf(round), values);
    }

    function timeOf(uint64 round) private pure returns (uint64) {
        return uint64(START * 1e9) + round;
    }

    function gasOfBytes(bytes memory input) private pure returns (uint256 gas_) {
        for (uint256 i = 0; i < input.length; ++i) {
            gas_ += input[i] == 0 ? 4 : 16;
        }
    }
}
