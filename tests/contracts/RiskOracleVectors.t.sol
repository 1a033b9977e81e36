// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {IRiskOracle} from "../../contracts/interfaces/IRiskOracle.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {RiskOracle} from "../../contracts/oracle/RiskOracle.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {ListedInstrument} from "../../contracts/types/Listing.sol";
import {Action} from "../../contracts/types/OracleUse.sol";
import {Json} from "./support/Json.sol";
import {OracleListing, SetParameters} from "./support/OracleListing.sol";
import {Oracles} from "./support/Oracles.sol";
import {PricingRig} from "./support/PricingRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Marks and losses read through hub and listing are those of the Python reference.
contract RiskOracleVectorsTest is Oracles, PricingRig {
    uint256 private constant ROWS = 8;
    uint256 private constant STRIDE = 5;

    SetParameters private _parameters;
    /// @dev Each encoded: the compiler copies no arrays of structs to storage.
    bytes[] private _listing;

    function setUp() public {
        deployHub(1);
        deployPricing();
        _parameters = new SetParameters();
    }

    function test_marks_and_losses_are_those_of_the_golden_vectors() public {
        Json.File memory file = rows();
        for (uint256 i = 0; i < ROWS; ++i) {
            checkRow(rowAt(file, i * STRIDE));
        }
    }

    function test_RevertWhen_a_loss_is_asked_of_another_scan() public {
        Row memory row = rowAt(rows(), 0);
        RiskOracle oracle = list(row);
        ListedInstrument memory other = listed(0);
        other.scan.priceRangeE6 += 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskOracle.LeafMismatch.selector,
                other.id,
                keccak256(abi.encode(listed(0))),
                keccak256(abi.encode(other))
            )
        );
        oracle.loss(Action.WITHDRAW, other, 0);
    }

    function checkRow(Row memory row) private {
        RiskOracle oracle = list(row);
        (int256 mark, int256 value) = oracle.mark(Action.WITHDRAW, 9);
        vm.assertEq(mark, row.mark);
        vm.assertEq(value, row.lotValue);
        for (uint8 s = 0; s < row.losses.length; ++s) {
            vm.assertEq(oracle.loss(Action.WITHDRAW, listed(0), s), row.losses[s]);
        }
    }

    /// @dev A hub whose only report is the row's, and a listing of its one instrument.
    function list(Row memory row) private returns (RiskOracle oracle) {
        uint64 time = row.observation.observedAt;
        bytes memory medians = row.observation.medians;
        vm.warp(time / 1e9 + 1);
        hub = new OracleHub(
            address(this),
            IOracleHub.Limits(uint16(medians.length / 8), BAND_E6, HEARTBEAT_NS, MAX_SKEW_NS),
            startingGrace(),
            addresses(ORACLES),
            QUORUM
        );
        bytes[] memory values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            values[i] = still(medians);
        }
        hub.submit(1, time, values, signAll(1, time, values));
        delete _listing;
        _listing.push(abi.encode(OracleListing.listed(9, row.instrument, row.places, row.scan)));
        Terms memory terms;
        _parameters.adopt(keccak256(medians), OracleListing.root(listing()), terms);
        oracle = new RiskOracle(address(hub), IRiskParameters(address(_parameters)), cells);
        oracle.register(listed(0), 1, OracleListing.proof(listing(), 0));
    }

    function listed(uint256 place) private view returns (ListedInstrument memory) {
        return abi.decode(_listing[place], (ListedInstrument));
    }

    function listing() private view returns (ListedInstrument[] memory all) {
        all = new ListedInstrument[](_listing.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = listed(i);
        }
    }
}
