// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NormalTable} from "../../../contracts/pricing/NormalTable.sol";
import {RiskCells} from "../../../contracts/pricing/RiskCells.sol";
import {
    FeedPlaces,
    Instrument,
    Observation,
    Scan,
    Skew,
    Tail
} from "../../../contracts/types/Pricing.sol";
import {Json} from "./Json.sol";

/// @dev The table and the cells, and the questions of the golden vectors.
abstract contract PricingRig {
    using Json for Json.Case;

    /// @notice A question with its answers.
    struct Row {
        Observation observation;
        FeedPlaces places;
        Scan scan;
        Instrument instrument;
        int256[] losses;
        int256 mark;
        int256 lotValue;
        int256 delta;
        int256 vega;
    }

    address internal table;
    RiskCells internal cells;

    function deployPricing() internal {
        table = address(new NormalTable(coefficients()));
        cells = new RiskCells(table);
    }

    function coefficients() internal view returns (bytes memory) {
        Json.File memory file =
            Json.open("tests/vectors/risk_cell_table.json", "plimsoll.risk_cell_table.v1");
        return Json.caseAt(file, 0).data("coefficients");
    }

    function rows() internal view returns (Json.File memory) {
        return Json.open("tests/vectors/risk_cell.json", "plimsoll.risk_cell.v1");
    }

    function rowAt(Json.File memory file, uint256 index) internal pure returns (Row memory row) {
        Json.Case memory here = Json.caseAt(file, index);
        uint64 observedAt = uint64(here.number("observedAt"));
        row.observation = Observation(observedAt, here.data("medians"));
        row.places = placesOf(here.integers("places"));
        row.scan = scanOf(here.integers("scan"));
        row.instrument = instrumentOf(here.integers("instrument"));
        row.losses = here.integers("losses");
        row.mark = here.signed("mark");
        row.lotValue = here.signed("lotValue");
        row.delta = here.signed("delta");
        row.vega = here.signed("vega");
    }

    function placesOf(int256[] memory n) private pure returns (FeedPlaces memory) {
        return FeedPlaces(
            uint16(uint256(n[0])),
            uint16(uint256(n[1])),
            uint16(uint256(n[2])),
            n[3] != 0,
            uint16(uint256(n[4])),
            uint16(uint256(n[5])),
            uint16(uint256(n[6])),
            uint16(uint256(n[7]))
        );
    }

    function instrumentOf(int256[] memory n) private pure returns (Instrument memory) {
        return Instrument(
            uint8(uint256(n[0])),
            uint64(uint256(n[1])),
            uint64(uint256(n[2])),
            uint64(uint256(n[3])),
            uint64(uint256(n[4]))
        );
    }

    function scanOf(int256[] memory n) private pure returns (Scan memory scan) {
        scan.priceRangeE6 = uint32(uint256(n[0]));
        scan.volUpE6 = uint32(uint256(n[1]));
        scan.volDownE6 = uint32(uint256(n[2]));
        scan.minVolUpE8 = uint64(uint256(n[3]));
        scan.volPowerShortE6 = uint32(uint256(n[4]));
        scan.volPowerLongE6 = uint32(uint256(n[5]));
        for (uint256 i = 0; i < 7; ++i) {
            scan.tails[i] = Tail(int64(n[6 + 2 * i]), uint32(uint256(n[7 + 2 * i])));
        }
        for (uint256 i = 0; i < 2; ++i) {
            uint256 first = 20 + 3 * i;
            scan.skews[i] = Skew(int64(n[first]), uint32(uint256(n[first + 1])), n[first + 2] != 0);
        }
    }
}
