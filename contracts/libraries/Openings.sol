// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf} from "../types/Account.sol";
import {BatchHeader} from "../types/Batch.sol";
import {
    AccountOpening,
    AssetOpening,
    Column,
    InstrumentOpening,
    OracleOpening,
    RecordOpening
} from "../types/ContentEvidence.sol";
import {Epoch, Report} from "../types/Epoch.sol";
import {Step} from "../types/Trace.sol";
import {Columns} from "./Columns.sol";
import {Effects} from "./Effects.sol";
import {LeafHash} from "./LeafHash.sol";
import {Merkle} from "./Merkle.sol";
import {Trace} from "./Trace.sol";

/// @title Openings
/// @notice Ties what a challenger shows to the header: records, accounts, epochs, columns, listing.
/// @dev Everything here reverts when it does not belong: then the evidence is worthless, and says
/// nothing about the batch.
library Openings {
    /// @notice The frame given is not that of the step.
    error WrongFrame(bytes32 given, bytes32 expected);

    /// @notice An account has one leaf or none.
    error LeafCount(uint256 leaves);

    /// @notice The opening does not lead to the root.
    error WrongRoot(bytes32 given, bytes32 expected);

    /// @notice The epoch or report given is not the one in force.
    error WrongPreimage(bytes32 given, bytes32 expected);

    /// @notice The frames between two records do not lead from one to the other.
    error WrongGap(bytes32 given, bytes32 expected);

    /// @notice Reverts unless the record is of this batch, with its frame and its effects.
    function requireRecord(BatchHeader calldata header, RecordOpening calldata record)
        internal
        pure
    {
        Trace.requirePair(header, record.pair);
        requireFrame(record.pair.step, record.frame);
        Effects.requireOf(record.pair.step, record.effects);
    }

    /// @notice Reverts unless the frame is that of the step.
    function requireFrame(Step calldata step, bytes calldata frame) internal pure {
        bytes32 given = keccak256(frame);
        require(given == step.frameHash, WrongFrame(given, step.frameHash));
    }

    /// @notice Reverts unless the frames are all those between two records.
    /// @dev tip = keccak256(tip before | frame), docs/COMMITMENTS.md, "Input log".
    function requireGap(Step calldata from, Step calldata to, bytes[] calldata frames)
        internal
        pure
    {
        bytes32 tip = from.tip;
        for (uint256 i = 0; i < frames.length; ++i) {
            tip = keccak256(bytes.concat(tip, frames[i]));
        }
        require(tip == to.tip, WrongGap(tip, to.tip));
    }

    /// @notice Reverts unless the account stands, or is absent, at its place under the root.
    function requireAccount(bytes32 root, AccountOpening calldata opening) internal pure {
        require(opening.leaf.length <= 1, LeafCount(opening.leaf.length));
        bytes32 leaf = opening.leaf.length == 0 ? bytes32(0) : LeafHash.account(opening.leaf[0]);
        requireRoot(Merkle.accountRoot(leaf, opening.account, opening.proof), root);
    }

    /// @notice Whether the opening shows an account of this owner.
    function isOwnedBy(AccountOpening calldata opening, address owner, uint8 subaccount)
        internal
        pure
        returns (bool)
    {
        if (opening.leaf.length == 0) return false;
        AccountLeaf calldata leaf = opening.leaf[0];
        return leaf.owner == owner && leaf.subaccount == subaccount;
    }

    /// @notice Reverts unless the epoch has this hash.
    function requireEpoch(Epoch calldata epoch, bytes32 expected) internal pure {
        bytes32 given = LeafHash.epoch(epoch);
        require(given == expected, WrongPreimage(given, expected));
    }

    /// @notice Reverts unless the report has this hash.
    function requireReport(Report calldata report, bytes32 expected) internal pure {
        bytes32 given = LeafHash.report(report.round, report.observedAt, report.medians);
        require(given == expected, WrongPreimage(given, expected));
    }

    /// @notice Reverts unless the column stands at a place under the root of its kind.
    function requireColumn(
        bytes32 root,
        uint256 place,
        uint8 underlying,
        uint8 kind,
        Column calldata column
    ) internal pure {
        bytes32 leaf = Columns.hash(underlying, kind, column.packed);
        requireRoot(Merkle.listRoot(leaf, place, column.proof), root);
    }

    /// @notice Reverts unless the column holds the values of an underlying in an epoch.
    function requireValues(Epoch calldata epoch, uint8 underlying, Column calldata column)
        internal
        pure
    {
        uint256 place = Columns.valueIndex(underlying);
        requireColumn(epoch.priceRoot, place, underlying, Columns.VALUES, column);
    }

    /// @notice Reverts unless the column holds the funding of an underlying in an epoch.
    function requireFunding(Epoch calldata epoch, uint8 underlying, Column calldata column)
        internal
        pure
    {
        uint256 place = Columns.fundingIndex(underlying);
        requireColumn(epoch.priceRoot, place, underlying, Columns.FUNDING, column);
    }

    /// @notice Reverts unless the instrument is listed.
    function requireInstrument(bytes32 listingRoot, InstrumentOpening calldata opening)
        internal
        pure
    {
        bytes32 leaf = keccak256(abi.encode(opening.listed));
        requireRoot(Merkle.listRoot(leaf, opening.index, opening.proof), listingRoot);
    }

    /// @notice Reverts unless the asset is listed.
    function requireAsset(bytes32 listingRoot, AssetOpening calldata opening) internal pure {
        bytes32 leaf = keccak256(abi.encode(opening.listed));
        requireRoot(Merkle.listRoot(leaf, opening.index, opening.proof), listingRoot);
    }

    /// @notice Reverts unless the asset is the last one listed: assets end the listing.
    /// @param endProof Siblings of the place behind it; not looked at when the tree ends there.
    function requireLastAsset(
        bytes32 listingRoot,
        AssetOpening calldata opening,
        bytes32[] calldata endProof
    ) internal pure {
        requireAsset(listingRoot, opening);
        uint256 end = uint256(opening.index) + 1;
        if (end >> opening.proof.length != 0) return;
        requireRoot(Merkle.listRoot(bytes32(0), end, endProof), listingRoot);
    }

    /// @notice Reverts unless the listing says this of its oracle.
    function requireOracle(bytes32 listingRoot, OracleOpening calldata opening) internal pure {
        bytes32 leaf = keccak256(abi.encode(opening.listed));
        requireRoot(Merkle.listRoot(leaf, 0, opening.proof), listingRoot);
    }

    /// @notice Reverts unless the leaf stands at a place of the list tree.
    function requireLeaf(bytes32 root, bytes32 leaf, uint256 place, bytes32[] calldata proof)
        internal
        pure
    {
        requireRoot(Merkle.listRoot(leaf, place, proof), root);
    }

    function requireRoot(bytes32 given, bytes32 expected) private pure {
        require(given == expected, WrongRoot(given, expected));
    }
}
