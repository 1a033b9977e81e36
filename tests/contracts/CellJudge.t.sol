// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CellJudge} from "../../contracts/challenge/CellJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Columns} from "../../contracts/libraries/Columns.sol";
import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {CellEvidence} from "../../contracts/types/ContentEvidence.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {ListedInstrument} from "../../contracts/types/Listing.sol";
import {ContentRig} from "./support/ContentRig.sol";
import {Json} from "./support/Json.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {PricingRig} from "./support/PricingRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Every number of an epoch follows from its report; the numbers are those of the engine.
contract CellJudgeTest is ContentRig, PricingRig {
    uint16 private constant ID = 0x0201;
    uint8 private constant UNDERLYING = 2;
    int64 private constant FUNDING_E6 = -123_456;
    uint8 private constant VALUES = 255;
    uint8 private constant CHARGES = 254;

    CellJudge private _judge;

    function setUp() public {
        beginBatch();
        deployPricing();
        _judge = new CellJudge(IRiskParameters(address(listings)), cells);
    }

    function test_an_honest_number_is_never_faulty_and_one_off_it_always() public {
        Json.File memory file = rows();
        for (uint256 i = 0; i < 8; ++i) {
            Row memory row = rowAt(file, i * 3);
            _bothWays(row, VALUES);
            _bothWays(row, CHARGES);
            _bothWays(row, uint8(i * 7 % 36));
        }
    }

    function test_a_row_that_is_missing_is_a_fault() public {
        Row memory row = rowAt(rows(), 0);
        uint8[3] memory kinds = [VALUES, CHARGES, 0];
        for (uint256 i = 0; i < 3; ++i) {
            CellEvidence memory shown = _shown(row, kinds[i], 0);
            shown.column.packed = _half(shown.column.packed);
            _recommit(shown);
            assertFaulty(_judge, abi.encode(shown));
        }
        CellEvidence memory funded = _shown(row, VALUES, 0);
        funded.funding.packed = _half(funded.funding.packed);
        _recommit(funded);
        assertFaulty(_judge, abi.encode(funded));
    }

    function test_every_charge_of_a_dated_instrument_is_exact() public {
        Json.File memory file = rows();
        for (uint256 i = 1; i < 5; ++i) {
            for (uint256 field = 0; field < 6; ++field) {
                assertFaulty(_judge, _chargedMore(rowAt(file, i), field));
            }
        }
    }

    function test_the_provisions_of_a_perpetual_are_at_least_the_closing_fee() public {
        Row memory row = rowAt(rows(), 0);
        for (uint256 field = 0; field < 6; ++field) {
            bytes memory evidence = _chargedMore(row, field);
            if (field == 2 || field == 3) assertHonest(_judge, evidence);
            else assertFaulty(_judge, evidence);
        }
        CellEvidence memory shown = _shown(row, CHARGES, 0);
        shown.column.packed[32] = 0;
        shown.column.packed[31] = 0;
        _recommit(shown);
        assertFaulty(_judge, abi.encode(shown));
        shown = _shown(row, CHARGES, 0);
        shown.column.packed[36] = 0;
        shown.column.packed[35] = 0;
        _recommit(shown);
        assertFaulty(_judge, abi.encode(shown));
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        Row memory row = rowAt(rows(), 0);
        CellEvidence memory shown = _shown(row, VALUES, 0);
        shown.epochIndex = 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = _shown(row, VALUES, 0);
        shown.report.observedAt += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown = _shown(row, VALUES, 0);
        shown.instrument.listed.id += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = _shown(row, VALUES, 0);
        shown.kind = 1;
        expectRefused(_judge, abi.encode(shown), Merkle.IndexOutOfRange.selector);
        shown.kind = 36;
        expectRefused(_judge, abi.encode(shown), Columns.UnknownScenario.selector);
    }

    function test_RevertWhen_a_number_of_a_value_is_not_that_of_the_epoch() public {
        Row memory row = rowAt(rows(), 0);
        CellEvidence memory shown = _shown(row, VALUES, 0);
        shown.column.packed = abi.encodePacked(int64(0), int64(row.lotValue));
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = _shown(row, VALUES, 0);
        shown.funding.packed = abi.encodePacked(int64(0), FUNDING_E6 + 1);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_a_charge_or_a_loss_is_not_that_of_the_epoch() public {
        Row memory row = rowAt(rows(), 0);
        uint8[2] memory kinds = [CHARGES, 3];
        for (uint256 i = 0; i < 2; ++i) {
            CellEvidence memory shown = _shown(row, kinds[i], 0);
            uint256 last = shown.column.packed.length - 1;
            shown.column.packed[last] ^= 0x01;
            expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        }
    }

    function test_gas_of_the_cell_judge() public {
        Json.File memory file = rows();
        bytes memory evidence = abi.encode(_shown(rowAt(file, 3), CHARGES, 0));
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 250_000);
        vm.snapshotValue("judges", "cell", used);
    }

    function _bothWays(Row memory row, uint8 kind) private {
        assertHonest(_judge, abi.encode(_shown(row, kind, 0)));
        assertFaulty(_judge, abi.encode(_shown(row, kind, 1)));
    }

    /// @dev One more in a field of the row: delta, roll, long, short, unwind, group.
    function _chargedMore(Row memory row, uint256 field) private returns (bytes memory) {
        CellEvidence memory shown = _shown(row, CHARGES, 0);
        uint256 last = field == 5 ? 41 : 24 + 4 * field;
        bytes1 byte_ = shown.column.packed[last];
        bool isPerpetual = row.instrument.kind == 0;
        if (field == 5) byte_ = isPerpetual ? bytes1(0x01) : bytes1(0);
        else byte_ = bytes1(uint8(byte_) + 1);
        shown.column.packed[last] = byte_;
        _recommit(shown);
        return abi.encode(shown);
    }

    function _listedOf(Row memory row) private pure returns (ListedInstrument memory listed) {
        listed.id = ID;
        (listed.instrument, listed.places, listed.scan) = (row.instrument, row.places, row.scan);
        (listed.takerFeeE6, listed.unwindE6, listed.nakedMmE6) = (500, 2000, 30_000);
        (listed.rollRateE6, listed.rollMinE6) = (40_000, 1000);
    }

    /// @dev An epoch in which the instrument has slot 1 of two, and slot 0 is all zeros.
    /// @param offBy Added to the number in question.
    function _shown(Row memory row, uint8 kind, int64 offBy)
        private
        returns (CellEvidence memory shown)
    {
        shown.kind = kind;
        shown.report.round = 7;
        shown.report.observedAt = row.observation.observedAt;
        shown.report.medians = row.observation.medians;
        shown.instrument.listed = _listedOf(row);
        listings.list(header.paramsHash, keccak256(abi.encode(_listedOf(row))));
        shown.funding.packed = abi.encodePacked(int64(0), FUNDING_E6);
        if (kind == VALUES) {
            int64 value = int64(row.lotValue) - FUNDING_E6 + offBy;
            shown.column.packed = abi.encodePacked(int64(0), value);
        } else if (kind == CHARGES) {
            shown.column.packed = bytes.concat(new bytes(21), _charges(row, int32(offBy)));
        } else {
            int32 loss = int32(row.losses[kind] + offBy);
            shown.column.packed = abi.encodePacked(int32(0), loss);
        }
        _recommit(shown);
    }

    /// @dev The formulas of `offchain.pricing.charges`, written out.
    function _charges(Row memory row, int32 offBy) private pure returns (bytes memory) {
        uint256 lot = _indexOf(row) / row.instrument.lotDivisor;
        uint32 close = _share(uint256(row.lotValue), 500);
        uint32 naked = row.instrument.kind > 1 ? _share(lot, 30_000) : 0;
        bytes memory first = abi.encodePacked(int32(row.delta) + offBy, _roll(row));
        bytes1 group = row.instrument.kind == 0 ? bytes1(0) : bytes1(0x03);
        return abi.encodePacked(first, close, close + naked, _share(lot, 2000), group);
    }

    function _roll(Row memory row) private pure returns (int32) {
        (uint64 expiry, uint64 observed) = (row.instrument.expiryNs, row.observation.observedAt);
        uint256 left = expiry > observed ? expiry - observed : 0;
        uint256 move = left * 40_000 / (365 days * 1e9);
        if (move < 1000) move = 1000;
        if (move > 1e6) move = 1e6;
        int32 size = int32(uint32(_share(uint256(row.delta < 0 ? -row.delta : row.delta), move)));
        return row.delta < 0 ? -size : size;
    }

    function _share(uint256 amount, uint256 rate) private pure returns (uint32) {
        return uint32((amount * rate + 999_999) / 1e6);
    }

    function _indexOf(Row memory row) private pure returns (uint64 index) {
        bytes memory medians = row.observation.medians;
        uint256 start = 32 + 8 * uint256(row.places.index);
        assembly ("memory-safe") {
            index := shr(192, mload(add(medians, start)))
        }
    }

    /// @dev Roots of the epoch and of the batch for what is shown.
    function _recommit(CellEvidence memory shown) private {
        Epoch memory epoch = shown.epoch;
        epoch.number = 4;
        epoch.reportHash = keccak256(
            abi.encode(shown.report.round, shown.report.observedAt, shown.report.medians)
        );
        bytes32 funding = _leaf(252, shown.funding.packed);
        bytes32 column = _leaf(shown.kind, shown.column.packed);
        shown.funding.proof = _path(3, column);
        if (shown.kind == VALUES) {
            shown.column.proof = _path(3, funding);
            epoch.priceRoot = MerkleTree.climb(column, 4, shown.column.proof);
        } else if (shown.kind == CHARGES) {
            shown.column.proof = _path(2, 0);
            epoch.chargeRoot = MerkleTree.climb(column, 3, shown.column.proof);
        } else {
            shown.column.proof = _path(7, 0);
            epoch.riskRoot = MerkleTree.climb(column, 72 + shown.kind, shown.column.proof);
        }
        header.epochRoot = keccak256(abi.encode(keccak256(abi.encode(epoch)), bytes32(0)));
        shown.epochProof = new bytes32[](1);
    }

    function _path(uint256 depth, bytes32 first) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](depth);
        proof[0] = first;
    }

    function _leaf(uint8 kind, bytes memory packed) private pure returns (bytes32) {
        return keccak256(abi.encode(UNDERLYING, kind, keccak256(packed)));
    }

    /// @dev Without the row of slot 1.
    function _half(bytes memory packed) private pure returns (bytes memory half) {
        half = new bytes(packed.length / 2);
    }
}
