// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../../../contracts/interfaces/IJudge.sol";
import {BatchHash} from "../../../contracts/libraries/BatchHash.sol";
import {AccountLeaf, Position} from "../../../contracts/types/Account.sol";
import {BatchHeader} from "../../../contracts/types/Batch.sol";
import {
    AccountOpening,
    PastRecord,
    RecordOpening
} from "../../../contracts/types/ContentEvidence.sol";
import {StepOpening, StepPair} from "../../../contracts/types/Evidence.sol";
import {Terms} from "../../../contracts/types/Liquidation.sol";
import {Step} from "../../../contracts/types/Trace.sol";
import {LogFrames} from "./LogFrames.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {vm} from "./Vm.sol";

/// @dev What a judge asks of the settlement contract: the hashes committed, and the domain.
contract CommittedBatches {
    mapping(uint64 batchNo => bytes32) public batchHashOf;
    bytes32 public domainSeparator = keccak256("the domain of settlement");

    function commit(BatchHeader calldata header) external {
        batchHashOf[header.batchNo] = BatchHash.headerHash(header);
    }
}

/// @dev What a judge asks of the parameters: listing, document, curves and terms of a set.
contract Listings {
    mapping(bytes32 paramsHash => bytes32) public listingRootOf;
    mapping(bytes32 paramsHash => bytes32) public documentHashOf;
    mapping(bytes32 paramsHash => bytes32) public curvesHashOf;
    mapping(bytes32 paramsHash => Terms) private _terms;

    function describe(bytes32 paramsHash, bytes32 document, bytes32 curves, Terms memory terms)
        external
    {
        (documentHashOf[paramsHash], curvesHashOf[paramsHash]) = (document, curves);
        _terms[paramsHash] = terms;
    }

    function termsOf(bytes32 paramsHash) external view returns (Terms memory) {
        return _terms[paramsHash];
    }

    function list(bytes32 paramsHash, bytes32 root) external {
        listingRootOf[paramsHash] = root;
    }
}

/// @dev Builds a batch record by record, and opens it as a challenger does.
abstract contract ContentRig {
    uint64 internal constant START_NS = 1_760_000_000e9;
    uint64 internal constant LATER = START_NS + 1 days * 1e9;

    BatchHeader internal header;
    Step[] internal steps;
    bytes[] internal frames;
    bytes[] internal effects;
    bytes32[] internal siblings;

    CommittedBatches internal batches;
    Listings internal listings;

    function beginBatch() internal {
        batches = new CommittedBatches();
        listings = new Listings();
        header.batchNo = 1;
        header.schema = 2;
        header.paramsHash = keccak256("the parameters");
        for (uint256 level = 0; level < 20; ++level) {
            siblings.push(keccak256(abi.encode("sibling", level)));
        }
        // A record before the one that tests are about, which says what was in force.
        add(LogFrames.fundingTick(next()), "");
    }

    /// @dev Number and time of the next record.
    function next() internal view returns (LogFrames.At memory) {
        uint64 seq = uint64(steps.length) + 1;
        return LogFrames.At(seq, START_NS + seq * 1e9);
    }

    /// @dev Adds a record that leaves everything else as it was.
    function add(bytes memory frame, bytes memory words) internal returns (uint32 index) {
        Step memory step;
        if (steps.length != 0) step = steps[steps.length - 1];
        step.frameHash = keccak256(frame);
        step.effectsHash = keccak256(words);
        step.tip = keccak256(bytes.concat(step.tip, frame));
        steps.push(step);
        frames.push(frame);
        effects.push(words);
        return uint32(steps.length - 1);
    }

    /// @dev Commits to the steps as they are now.
    function seal() internal {
        header.stepCount = uint32(steps.length);
        header.traceRoot = MerkleTree.root(leaves());
    }

    /// @dev Commits this batch and begins the next one.
    function nextBatch() internal returns (BatchHeader memory committed) {
        seal();
        committed = header;
        batches.commit(committed);
        header.batchNo += 1;
        header.prevBatchHash = batches.batchHashOf(committed.batchNo);
    }

    function recordAt(uint32 index) internal view returns (RecordOpening memory) {
        return RecordOpening(pairAt(index), frames[index], effects[index]);
    }

    function pairAt(uint32 index) internal view returns (StepPair memory pair) {
        bytes32[] memory all = leaves();
        pair.previous = steps[index - 1];
        pair.step = steps[index];
        pair.index = index;
        pair.previousProof = MerkleTree.proof(all, index - 1);
        pair.proof = MerkleTree.proof(all, index);
    }

    function pastAt(uint32 index) internal view returns (PastRecord memory past) {
        past.opening = StepOpening(steps[index], index, MerkleTree.proof(leaves(), index));
        past.frame = frames[index];
    }

    /// @dev All frames between two records.
    function framesBetween(uint32 from, uint32 to) internal view returns (bytes[] memory between) {
        between = new bytes[](to - from - 1);
        for (uint32 i = from + 1; i < to; ++i) {
            between[i - from - 1] = frames[i];
        }
    }

    /// @dev The account tree in which everything but this account is fixed.
    function rootWith(uint32 account, AccountLeaf memory leaf) internal view returns (bytes32) {
        return MerkleTree.climb(keccak256(abi.encode(leaf)), account, siblings);
    }

    function rootWithout(uint32 account) internal view returns (bytes32) {
        return MerkleTree.climb(bytes32(0), account, siblings);
    }

    function opened(uint32 account, AccountLeaf memory leaf)
        internal
        view
        returns (AccountOpening memory opening)
    {
        opening.account = account;
        opening.leaf = new AccountLeaf[](1);
        opening.leaf[0] = leaf;
        opening.proof = siblings;
    }

    function absent(uint32 account) internal view returns (AccountOpening memory opening) {
        opening.account = account;
        opening.proof = siblings;
    }

    /// @dev An account in portfolio mode with one collateral asset and no position.
    function leafOf(address owner, int64 cashE6, uint64 collateralE8)
        internal
        pure
        returns (AccountLeaf memory leaf)
    {
        leaf.owner = owner;
        leaf.mode = 2;
        leaf.cashE6 = cashE6;
        leaf.collateralE8 = new uint64[](1);
        leaf.collateralE8[0] = collateralE8;
    }

    function withPosition(AccountLeaf memory leaf, uint16 instrument, int32 lots, int64 costE6)
        internal
        pure
        returns (AccountLeaf memory)
    {
        leaf.positions = new Position[](1);
        leaf.positions[0] = Position(instrument, lots, costE6);
        return leaf;
    }

    /// @dev Sets what stands before the next record.
    function standBefore(bytes32 accountRoot) internal {
        steps[steps.length - 1].accountRoot = accountRoot;
    }

    function assertFaulty(IJudge judge, bytes memory evidence) internal view {
        vm.assertTrue(judge.isFaulty(header, evidence));
    }

    function assertHonest(IJudge judge, bytes memory evidence) internal view {
        vm.assertFalse(judge.isFaulty(header, evidence));
    }

    function expectRefused(IJudge judge, bytes memory evidence, bytes4 selector) internal {
        vm.expectPartialRevert(selector);
        judge.isFaulty(header, evidence);
    }

    function leaves() private view returns (bytes32[] memory all) {
        all = new bytes32[](steps.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = keccak256(abi.encode(steps[i]));
        }
    }
}
