// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AssetOpening,
    Column,
    InstrumentOpening,
    OracleOpening
} from "../../../contracts/types/ContentEvidence.sol";
import {Epoch, Report} from "../../../contracts/types/Epoch.sol";
import {ListedAsset, ListedInstrument, ListedOracle} from "../../../contracts/types/Listing.sol";
import {ContentRig} from "./ContentRig.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @dev One underlying with a perpetual, a future and a call, one collateral asset, one report.
abstract contract ContentWorld is ContentRig {
    uint16 internal constant PERPETUAL = 0;
    uint16 internal constant FUTURE = 1;
    uint16 internal constant CALL = 2;
    uint64 internal constant EXPIRY = START_NS;
    uint64 internal constant DIVISOR = 1e5;
    uint64 internal constant INDEX_E8 = 60_000e8;
    uint64 internal constant CAP_E8 = 100e8;

    /// @dev Of the perpetual: a lot is worth 60 dollars, one of which was paid as funding.
    int64 internal constant FUNDING_E6 = 1e6;
    int64 internal constant VALUE_E6 = 59e6;
    uint32 internal constant TAKER_FEE_E6 = 500;

    int64[3] internal values = [VALUE_E6, 60e6, 5e6];
    int64[3] internal fundings = [FUNDING_E6, 0, 0];
    ListedInstrument[] internal listed;
    address[] internal oracleSigners;

    function buildWorld() internal {
        beginBatch();
        for (uint16 id = 0; id < 3; ++id) {
            ListedInstrument storage one = listed.push();
            one.id = id;
            (one.instrument.lotDivisor, one.instrument.tickE8) = (DIVISOR, 1e8);
            one.takerFeeE6 = TAKER_FEE_E6;
            (one.feeE6, one.bandMarkE6, one.bandIndexE6) = (10_000, 20_000, 5000);
        }
        (listed[FUTURE].instrument.kind, listed[FUTURE].instrument.expiryNs) = (1, EXPIRY);
        (listed[CALL].instrument.kind, listed[CALL].instrument.expiryNs) = (2, EXPIRY);
        listed[CALL].instrument.strikeE8 = 58_000e8;
        listings.list(header.paramsHash, MerkleTree.root(listing()));
        steps[0].epochHash = keccak256(abi.encode(epoch()));
    }

    function listing() internal view returns (bytes32[] memory all) {
        all = new bytes32[](listed.length + 2);
        all[0] = keccak256(abi.encode(oracle()));
        for (uint256 i = 0; i < listed.length; ++i) {
            all[i + 1] = keccak256(abi.encode(listed[i]));
        }
        all[all.length - 1] = keccak256(abi.encode(asset()));
    }

    function oracle() internal view returns (ListedOracle memory) {
        return ListedOracle(1, 3, 60e9, 50_000, oracleSigners);
    }

    function asset() internal pure returns (ListedAsset memory) {
        return ListedAsset(1, 0, CAP_E8, 100_000, 200_000);
    }

    function instrumentOf(uint16 id) internal view returns (InstrumentOpening memory) {
        return InstrumentOpening(listed[id], id + 1, MerkleTree.proof(listing(), id + 1));
    }

    function assetOpening() internal view returns (AssetOpening memory) {
        uint32 place = uint32(listed.length) + 1;
        return AssetOpening(asset(), place, MerkleTree.proof(listing(), place));
    }

    function oracleOpening() internal view returns (OracleOpening memory) {
        return OracleOpening(oracle(), MerkleTree.proof(listing(), 0));
    }

    function report() internal view virtual returns (Report memory) {
        return Report(7, START_NS + 1, abi.encodePacked(INDEX_E8));
    }

    function epoch() internal view returns (Epoch memory) {
        Report memory its = report();
        return Epoch(
            4,
            START_NS + 2,
            keccak256(abi.encode(its.round, its.observedAt, its.medians)),
            MerkleTree.root(prices()),
            keccak256("the risk root"),
            keccak256(abi.encode(columnHash(255, 253, collateralColumn()), bytes32(0)))
        );
    }

    function packed(int64[3] memory numbers) internal pure returns (bytes memory) {
        return abi.encodePacked(numbers[0], numbers[1], numbers[2]);
    }

    function valueColumn() internal view returns (Column memory) {
        return Column(packed(values), MerkleTree.proof(prices(), 0));
    }

    function fundingColumn() internal view returns (Column memory) {
        return Column(packed(fundings), MerkleTree.proof(prices(), 1));
    }

    /// @dev One asset in two brackets of its four.
    function collateralColumn() internal pure returns (bytes memory) {
        return abi.encodePacked(
            uint64(10e8), uint64(54_000e8), uint64(20e8), uint64(40_000e8), new bytes(32)
        );
    }

    function collateralOpening() internal pure returns (Column memory column) {
        column.packed = collateralColumn();
        column.proof = new bytes32[](1);
    }

    function columnHash(uint8 underlying, uint8 kind, bytes memory column)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(underlying, kind, keccak256(column)));
    }

    function prices() private view returns (bytes32[] memory all) {
        all = new bytes32[](2);
        all[0] = columnHash(0, 255, packed(values));
        all[1] = columnHash(0, 252, packed(fundings));
    }
}
