// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf} from "./Account.sol";
import {BatchHeader, Output, Totals} from "./Batch.sol";
import {AccountOpening, AssetOpening, Column, RecordOpening} from "./ContentEvidence.sol";
import {Epoch, Report} from "./Epoch.sol";
import {StepOpening, StepPair, TraceBounds} from "./Evidence.sol";
import {Book, Step} from "./Trace.sol";

// What a challenger shows about how a batch is put together: kinds 4, 7, 8, 9, 11 and 13. Each rule
// of a judge names its struct; see Evidence.sol.

// Kind 11, STEP.

/// @param isMissing Whether the leaf at `index` is zero; `step` is not looked at then.
struct ShapeEvidence {
    Step step;
    bool isMissing;
    uint32 index;
    bytes32[] proof;
}

/// @param previousFrame Frame of the step before; empty for the first record of all.
struct LinkEvidence {
    StepPair pair;
    bytes frame;
    bytes previousFrame;
}

/// @param effects The effect words of the step.
struct WordsEvidence {
    StepPair pair;
    bytes effects;
}

/// @notice The preimage of a state root.
struct StateParts {
    bytes32 accountRoot;
    bytes32 marketHash;
    bytes32 orderHash;
    bytes32 nonceHash;
    bytes32 totalsHash;
    uint64 lastSeq;
}

/// @param last The last step of the batch.
/// @param frame Of it.
struct StateEvidence {
    StepOpening last;
    bytes frame;
    StateParts parts;
}

/// @param previousEpoch In force before; not looked at when there was none.
struct EpochEvidence {
    StepPair pair;
    bytes frame;
    Epoch previousEpoch;
    Epoch epoch;
}

/// @param last The last step of the batch.
/// @param epoch In force after it; not looked at when there is none.
struct RootsEvidence {
    StepOpening last;
    Epoch epoch;
}

// Kind 4, INBOX.

/// @param frame Of `pair.step`.
struct EntryEvidence {
    StepPair pair;
    bytes frame;
}

/// @param holder Any account before the record.
struct ListedEvidence {
    RecordOpening record;
    AccountOpening holder;
}

// Kind 7, TOTALS.

/// @param effects The effect words of the step.
/// @param before The book of the step before.
/// @param afterwards The book of the step.
struct BookEvidence {
    StepPair pair;
    bytes effects;
    Book before;
    Book afterwards;
}

/// @param last The last step of the batch.
/// @param book Of it.
struct TotalsEvidence {
    StepOpening last;
    Book book;
    Totals totals;
}

/// @param last The last step of the batch.
/// @param fund Account 0 after it.
struct FundEvidence {
    StepOpening last;
    AccountOpening fund;
    Totals totals;
}

/// @notice A way down the checkpoint, from the root toward one account.
/// @param rootHash With `rootSums` the preimage of `header.checkpointRoot`.
/// @param nodes Preimages of the nodes, root first: `hash | sums | hash | sums`. At most 20.
struct WalkEvidence {
    bytes32 rootHash;
    bytes rootSums;
    uint32 account;
    bytes[] nodes;
}

/// @notice What an account is owed, against the leaf at its place.
/// @param last The last step of the batch.
/// @param holder The account after it, or that there is none.
/// @param epoch Of `last`; anything when there is none.
/// @param values For each underlying held, ascending, its value column.
/// @param report Of the epoch; anything when no collateral covers a debt.
/// @param assets For each asset that covers a debt, ascending, what the listing says of it.
struct OwedEvidence {
    WalkEvidence walk;
    StepOpening last;
    AccountOpening holder;
    Epoch epoch;
    Column[] values;
    Report report;
    AssetOpening[] assets;
}

/// @notice All accounts there are, for a checkpoint behind which nobody knows the leaves.
/// @param last The last step of the batch.
/// @param accounts From account 0 on.
/// @param epoch Of `last`; anything when there is none.
/// @param underlyings That anybody holds.
/// @param values For each of them its value column.
/// @param report Of the epoch.
/// @param assets For each asset what the listing says of it, ascending.
struct WholeEvidence {
    StepOpening last;
    AccountLeaf[] accounts;
    Epoch epoch;
    uint8[] underlyings;
    Column[] values;
    Report report;
    AssetOpening[] assets;
}

/// @notice How many assets there are, against the listing of the parameter set.
/// @param step Any step of the batch.
/// @param book Of it.
/// @param last The last asset of the listing.
/// @param endProof That nothing is listed behind it; not looked at when the tree ends there.
struct AssetsEvidence {
    StepOpening step;
    Book book;
    AssetOpening last;
    bytes32[] endProof;
}

// Kind 8, DATA.

/// @param data All that was posted in calldata.
struct SliceEvidence {
    StepPair pair;
    bytes data;
}

/// @notice One field element of a blob, opened at its place.
/// @param element Place among the elements of all blobs, from 0.
/// @param value The element.
/// @param commitment KZG commitment of its blob, 48 bytes.
/// @param proof KZG proof that the blob has this value there, 48 bytes.
struct BlobOpening {
    uint32 element;
    bytes32 value;
    bytes commitment;
    bytes proof;
}

/// @param frame Of `pair.step`.
/// @param versionedHashes Of the blobs, the preimage of `header.daHash`.
/// @param opening One element that holds bytes of the frame.
struct BlobFrameEvidence {
    StepPair pair;
    bytes frame;
    bytes32[] versionedHashes;
    BlobOpening opening;
}

/// @param opening Any element of any blob.
struct BlobPaddingEvidence {
    bytes32[] versionedHashes;
    BlobOpening opening;
}

/// @notice All that was posted, to build the trace from.
/// @param before The step before the batch, as in `TraceBounds`.
/// @param versionedHashes Empty when the data is in calldata.
/// @param commitments One for each blob, 48 bytes.
/// @param proofs One for each blob, at the point that `BlobData.pointOf` names. 48 bytes.
struct RebuildEvidence {
    Step before;
    bytes32[] beforeProof;
    BatchHeader[] previousHeader;
    bytes data;
    bytes32[] versionedHashes;
    bytes[] commitments;
    bytes[] proofs;
}

// Kind 9, DOUBLE_LEAF.

/// @param step Any step of the batch; the accounts are those after it.
struct TwinEvidence {
    StepOpening step;
    AccountOpening one;
    AccountOpening other;
}

/// @param step Any step of the batch.
/// @param leaf The preimage of a leaf of the account tree, as bytes.
struct FormEvidence {
    StepOpening step;
    uint32 account;
    bytes leaf;
    bytes32[] proof;
}

/// @param step Any step of the batch.
/// @param book Of it.
struct PlaceEvidence {
    StepOpening step;
    Book book;
    AccountOpening holder;
}

// Kind 13, OUTPUT.

/// @param bounds The step before the batch and its last one.
/// @param record The record that puts out the output.
/// @param place Of the OUTPUT word among its effects.
/// @param holder The account of the word after the record; anything when it names none.
/// @param given What stands at the place of the output under `header.outputRoot`.
struct OutputEvidence {
    TraceBounds bounds;
    RecordOpening record;
    uint32 place;
    AccountOpening holder;
    bytes32 given;
    bytes32[] proof;
}

/// @notice One output that a record puts out; the fields are those of `OutputEvidence`.
struct PutOut {
    RecordOpening record;
    uint32 place;
    AccountOpening holder;
}

/// @notice All outputs of a batch, in order, for a root behind which nobody knows the leaves.
struct OutputListEvidence {
    TraceBounds bounds;
    PutOut[] outputs;
}

/// @notice A leaf where no output belongs.
/// @param index Its place under `header.outputRoot`.
struct SurplusEvidence {
    TraceBounds bounds;
    Output output;
    uint32 index;
    bytes32[] proof;
}
