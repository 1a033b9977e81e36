// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instrument, Scan} from "../../../contracts/types/Pricing.sol";
import {PricingRig} from "../support/PricingRig.sol";
import {vm} from "../support/Vm.sol";

/// @dev Whatever is asked, there is an answer or an error with a name: never a panic.
contract RiskCellRefusalsTest is PricingRig {
    uint256 private constant CALL_ROW = 3;
    uint256 private constant FIELDS = 25;
    bytes4 private constant PANIC = 0x4e487b71;

    /// @dev abi.encode of a `Row`, which storage cannot hold.
    bytes private _row;

    function setUp() public {
        deployPricing();
        _row = abi.encode(rowAt(rows(), CALL_ROW));
    }

    function testFuzz_any_number_is_priced_or_refused_by_name(
        uint256 field,
        uint256 value,
        uint256 other,
        uint256 another,
        uint8 scenario
    ) public view {
        Row memory row = abi.decode(_row, (Row));
        alter(row, field % FIELDS, value);
        alter(row, other % FIELDS, another);
        answersOrRefuses(
            abi.encodeCall(
                cells.loss, (row.observation, row.places, row.scan, row.instrument, scenario % 37)
            )
        );
        answersOrRefuses(
            abi.encodeCall(cells.lotValue, (row.observation, row.places, row.instrument))
        );
        answersOrRefuses(abi.encodeCall(cells.delta, (row.observation, row.places, row.instrument)));
        answersOrRefuses(abi.encodeCall(cells.vega, (row.observation, row.places, row.instrument)));
    }

    function testFuzz_any_scan_is_priced_or_refused_by_name(Scan memory scan, uint8 scenario)
        public
        view
    {
        Row memory row = abi.decode(_row, (Row));
        answersOrRefuses(
            abi.encodeCall(
                cells.loss, (row.observation, row.places, scan, row.instrument, scenario % 36)
            )
        );
    }

    function answersOrRefuses(bytes memory input) private view {
        (bool done, bytes memory output) = address(cells).staticcall(input);
        vm.assertTrue(done || (output.length >= 4 && bytes4(output) != PANIC));
    }

    /// @dev Puts any value of its type, or one near an end, where a number was.
    function alter(Row memory row, uint256 field, uint256 value) private pure {
        Instrument memory one = row.instrument;
        Scan memory scan = row.scan;
        uint64 any = value % 3 == 0 ? uint64(value >> 8) : uint64(value >> 8) >> uint8(value) % 64;
        if (field == 0) one.kind = uint8(any) % 5;
        else if (field == 1) one.expiryNs = any;
        else if (field == 2) one.strikeE8 = any;
        else if (field == 3) (one.lotDivisor, one.tickE8) = (any, any);
        else if (field == 4) one.tickE8 = any;
        else if (field == 5) row.observation.observedAt = any;
        else if (field == 6) row.places.index = uint16(any);
        else if (field == 7) row.places.forward = uint16(any);
        else if (field == 8) row.places.volatility = uint16(any);
        else if (field == 9) row.places.isShaped = any % 2 == 0;
        else if (field == 10) row.places.width = uint16(any);
        else if (field == 11) row.observation.observedAt = one.expiryNs - 1 + any % 3;
        else if (field == 12) scan.priceRangeE6 = uint32(any);
        else if (field == 13) scan.volUpE6 = uint32(any);
        else if (field == 14) scan.minVolUpE8 = any;
        else if (field == 15) scan.volPowerShortE6 = uint32(any);
        else if (field == 16) scan.tails[any % 7].moveE6 = int64(any);
        else if (field == 17) (scan.skews[0].slopeE6, scan.skews[1].slopeE6) = (int64(any), -1);
        else alterMedian(row.observation.medians, field - 18, any);
    }

    function alterMedian(bytes memory medians, uint256 feed, uint64 value) private pure {
        for (uint256 i = 0; i < 8 && 8 * feed + i < medians.length; ++i) {
            medians[8 * feed + i] = bytes1(uint8(value >> (56 - 8 * i)));
        }
    }
}
