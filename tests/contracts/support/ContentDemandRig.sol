// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader} from "../../../contracts/types/Batch.sol";
import {ColumnOpening, ContentPlace} from "../../../contracts/types/Content.sol";
import {
    AssetOpening,
    Column,
    InstrumentOpening
} from "../../../contracts/types/ContentEvidence.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {StepOpening} from "../../../contracts/types/Evidence.sol";
import {ListedAsset, ListedInstrument} from "../../../contracts/types/Listing.sol";
import {Step} from "../../../contracts/types/Trace.sol";
import {SCENARIOS} from "../../../contracts/types/Units.sol";
import {DemandRig} from "./DemandRig.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {vm} from "./Vm.sol";

/// @dev Batches of three records, with an epoch from the second on, whose columns are known.
abstract contract ContentDemandRig is DemandRig {
    uint8 internal constant TOTALS = 1;
    uint8 internal constant EPOCH = 2;
    uint8 internal constant PRICES = 3;
    uint8 internal constant RISKS = 4;
    uint8 internal constant CHARGES_OF = 5;
    uint8 internal constant VALUES = 255;
    uint8 internal constant CHARGES = 254;
    uint8 internal constant COLLATERAL = 253;
    uint8 internal constant FUNDING = 252;
    uint8 internal constant UNDERLYINGS = 3;
    uint32 internal constant STEPS = 3;

    function deployContents() internal {
        deployDemands();
        answers.setListingRoot(MerkleTree.root(listing()));
    }

    /// @dev Commits an honest batch.
    function opened() internal returns (BatchHeader memory header) {
        header = honest();
        commit(header);
    }

    function honest() internal view returns (BatchHeader memory header) {
        header = nextHeader();
        header.stepCount = STEPS;
        header.traceRoot = MerkleTree.root(stepHashes());
    }

    function steps() internal pure returns (Step[] memory all) {
        all = new Step[](STEPS);
        for (uint256 i = 0; i < STEPS; ++i) {
            all[i].tip = keccak256(abi.encode("tip", i));
            if (i > 0) all[i].epochHash = keccak256(abi.encode(epoch()));
        }
    }

    function stepHashes() internal pure returns (bytes32[] memory hashes) {
        Step[] memory all = steps();
        hashes = new bytes32[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            hashes[i] = keccak256(abi.encode(all[i]));
        }
    }

    function stepOpening(uint32 index) internal pure returns (StepOpening memory) {
        return StepOpening(steps()[index], index, MerkleTree.proof(stepHashes(), index));
    }

    function epoch() internal pure returns (Epoch memory) {
        return Epoch({
            number: 7,
            time: 99,
            reportHash: keccak256("report"),
            priceRoot: MerkleTree.root(leavesUnder(VALUES)),
            riskRoot: MerkleTree.root(leavesUnder(0)),
            chargeRoot: MerkleTree.root(leavesUnder(CHARGES))
        });
    }

    function packedOf(uint8 underlying, uint8 kind) internal pure returns (bytes memory packed) {
        packed = new bytes(kind == CHARGES ? 21 * 3 : 24);
        packed[0] = bytes1(underlying);
        packed[23] = bytes1(kind);
    }

    /// @dev The leaves of the tree in which columns of this kind are.
    function leavesUnder(uint8 kind) internal pure returns (bytes32[] memory leaves_) {
        if (kind < SCENARIOS) {
            leaves_ = new bytes32[](UNDERLYINGS * SCENARIOS);
            for (uint256 i = 0; i < leaves_.length; ++i) {
                leaves_[i] = leafOf(uint8(i / SCENARIOS), uint8(i % SCENARIOS));
            }
        } else if (kind == VALUES || kind == FUNDING) {
            leaves_ = new bytes32[](2 * UNDERLYINGS);
            for (uint8 u = 0; u < UNDERLYINGS; ++u) {
                (leaves_[2 * u], leaves_[2 * u + 1]) = (leafOf(u, VALUES), leafOf(u, FUNDING));
            }
        } else {
            leaves_ = new bytes32[](UNDERLYINGS + 1);
            leaves_[0] = leafOf(255, COLLATERAL);
            for (uint8 u = 0; u < UNDERLYINGS; ++u) {
                leaves_[u + 1] = leafOf(u, CHARGES);
            }
        }
    }

    function leafOf(uint8 underlying, uint8 kind) internal pure returns (bytes32) {
        return keccak256(abi.encode(underlying, kind, keccak256(packedOf(underlying, kind))));
    }

    function indexOf(uint8 underlying, uint8 kind) internal pure returns (uint256) {
        if (kind == COLLATERAL) return 0;
        if (kind == CHARGES) return uint256(underlying) + 1;
        if (kind == VALUES) return 2 * uint256(underlying);
        if (kind == FUNDING) return 2 * uint256(underlying) + 1;
        return uint256(underlying) * SCENARIOS + kind;
    }

    function column(uint8 underlying, uint8 kind) internal pure returns (Column memory) {
        bytes32[] memory proof = MerkleTree.proof(leavesUnder(kind), indexOf(underlying, kind));
        return Column(packedOf(underlying, kind), proof);
    }

    function rootAbove(uint8 kind) internal pure returns (bytes32) {
        return MerkleTree.root(leavesUnder(kind));
    }

    /// @dev The oracle, an instrument of each underlying, and two assets.
    function listing() internal pure returns (bytes32[] memory leaves_) {
        leaves_ = new bytes32[](3 + UNDERLYINGS);
        leaves_[0] = keccak256("oracle");
        for (uint8 u = 0; u < UNDERLYINGS; ++u) {
            leaves_[u + 1] = keccak256(abi.encode(listed(u)));
        }
        for (uint8 a = 0; a < 2; ++a) {
            leaves_[1 + UNDERLYINGS + a] = keccak256(abi.encode(listedAsset(a + 1)));
        }
    }

    function listed(uint8 underlying) internal pure returns (ListedInstrument memory made) {
        made.id = uint16(underlying) << 8 | 2;
    }

    function listedAsset(uint8 asset_) internal pure returns (ListedAsset memory made) {
        made.asset = asset_;
    }

    function instrument(uint8 underlying) internal pure returns (InstrumentOpening memory) {
        uint32 index = uint32(underlying) + 1;
        return InstrumentOpening(listed(underlying), index, MerkleTree.proof(listing(), index));
    }

    function asset(uint8 number) internal pure returns (AssetOpening memory) {
        uint32 index = uint32(UNDERLYINGS) + number;
        return AssetOpening(listedAsset(number), index, MerkleTree.proof(listing(), index));
    }

    function columnOpening(uint8 underlying, uint8 kind)
        internal
        pure
        returns (ColumnOpening memory)
    {
        return columnOpeningAt(uint16(indexOf(underlying, kind)));
    }

    function columnOpeningAt(uint16 index) internal pure returns (ColumnOpening memory) {
        return ColumnOpening(stepOpening(2), epoch(), index, instrument(UNDERLYINGS - 1), asset(1));
    }

    function whatOf(uint8 kind) internal pure returns (uint8) {
        if (kind < SCENARIOS) return RISKS;
        return kind == VALUES || kind == FUNDING ? PRICES : CHARGES_OF;
    }

    // What is demanded, by its place.

    function totalsPlace(BatchHeader memory header) internal pure returns (ContentPlace memory) {
        return ContentPlace(TOTALS, 0, 0, header.totalsHash);
    }

    function epochPlace() internal pure returns (ContentPlace memory) {
        return ContentPlace(EPOCH, 0, 0, keccak256(abi.encode(epoch())));
    }

    function columnPlace(uint8 underlying, uint8 kind) internal pure returns (ContentPlace memory) {
        uint16 count = uint16(leavesUnder(kind).length);
        uint16 index = uint16(indexOf(underlying, kind));
        return ContentPlace(whatOf(kind), index, count, rootAbove(kind));
    }

    function idOf(BatchHeader memory header, ContentPlace memory place)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(hashOf(header), place.what, place.place, place.count, place.expected)
        );
    }

    function demandedTotals(address by, BatchHeader memory header) internal returns (bytes32) {
        vm.prank(by);
        return demands.demandContent(header, TOTALS, "");
    }

    function demandedEpoch(address by, BatchHeader memory header, uint32 index)
        internal
        returns (bytes32)
    {
        bytes memory opening = abi.encode(stepOpening(index));
        vm.prank(by);
        return demands.demandContent(header, EPOCH, opening);
    }

    function demandedColumn(address by, BatchHeader memory header, uint8 underlying, uint8 kind)
        internal
        returns (bytes32)
    {
        bytes memory opening = abi.encode(columnOpening(underlying, kind));
        vm.prank(by);
        return demands.demandContent(header, whatOf(kind), opening);
    }

    function answerWith(
        bytes32 id,
        BatchHeader memory header,
        ContentPlace memory place,
        bytes memory content
    ) internal {
        vm.prank(OPERATOR);
        demands.answerContent(id, header, place, content);
    }
}
