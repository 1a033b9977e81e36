// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../contracts/challenge/Court.sol";
import {DataJudge} from "../../contracts/challenge/DataJudge.sol";
import {HolderJudge} from "../../contracts/challenge/HolderJudge.sol";
import {InboxJudge} from "../../contracts/challenge/InboxJudge.sol";
import {LeafJudge} from "../../contracts/challenge/LeafJudge.sol";
import {OutputJudge} from "../../contracts/challenge/OutputJudge.sol";
import {StepJudge} from "../../contracts/challenge/StepJudge.sol";
import {TotalsJudge} from "../../contracts/challenge/TotalsJudge.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {
    BookEvidence,
    EntryEvidence,
    LinkEvidence,
    OutputEvidence,
    RebuildEvidence,
    TwinEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeCheckpoints} from "./support/ChallengeCheckpoints.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

/// @dev What a reveal costs but for the court itself, which Court.t.sol measures: the transaction,
/// its calldata and the judge. Ceilings a few percent above.
contract ChallengeGasTest is ChallengeCheckpoints {
    uint256 private constant INTRINSIC = 21_000;
    uint256 private constant STEPS = 512;
    uint256 private constant PIECE = 32;

    function listingRootOf(bytes32) external pure returns (bytes32) {
        return MerkleTree.root(listingLeaves());
    }

    function isEntry(InboxEntry calldata) external pure returns (bool) {
        return true;
    }

    function test_a_link_stays_below_its_ceiling() public {
        Draft memory d = firstBatch();
        LinkEvidence memory e = LinkEvidence(pairOf(d, FILL), d.frames[FILL], d.frames[FILL - 1]);
        measure("11.link", new StepJudge(), d, 2, abi.encode(e), 65_000);
    }

    function test_an_entry_stays_below_its_ceiling() public {
        Draft memory d = firstBatch();
        address holders = address(new HolderJudge(ISettlement(address(this))));
        EntryEvidence memory e = EntryEvidence(pairOf(d, RETURNED), d.frames[RETURNED]);
        measure("4.entry", new InboxJudge(address(this), holders), d, 1, abi.encode(e), 60_000);
    }

    function test_a_book_stays_below_its_ceiling() public {
        Draft memory d = firstBatch();
        BookEvidence memory e =
            BookEvidence(pairOf(d, FILL), d.effects[FILL], d.books[FILL - 1], d.books[FILL]);
        measure("7.book", new TotalsJudge(address(this)), d, 1, abi.encode(e), 75_000);
    }

    function test_what_is_owed_stays_below_its_ceiling() public {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        bytes memory body = abi.encode(owedTo(d, exitLeaves(), 3));
        measure("7.owed", new TotalsJudge(address(this)), d, 5, body, 240_000);
    }

    function test_twins_stay_below_their_ceiling() public {
        Draft memory d = firstBatch();
        uint256 last = d.count - 1;
        TwinEvidence memory e =
            TwinEvidence(lastOf(d), holderAfter(d, last, 2), holderAfter(d, last, 3));
        measure("9.twins", new LeafJudge(), d, 1, abi.encode(e), 88_000);
    }

    function test_an_output_stays_below_its_ceiling() public {
        Draft memory d = firstBatch();
        OutputEvidence memory e;
        (e.bounds, e.record) = (boundsOf(d), recordOf(d, WITHDRAWAL));
        e.holder = holderAfter(d, WITHDRAWAL, 2);
        (e.given, e.proof) = (outputLeaves(d)[0], MerkleTree.proof(outputLeaves(d), 0));
        measure("13.output", new OutputJudge(), d, 1, abi.encode(e), 100_000);
    }

    /// @dev About 120 KB, almost as much as a node relays in one transaction. Four times as many
    /// steps in as many bytes stay below 2**24, the most that one transaction may use since Fusaka.
    function test_a_whole_batch_is_rebuilt_in_one_transaction() public {
        Draft memory d = firstBatch();
        d.data = manySteps();
        d.header.daHash = keccak256(d.data);
        (d.header.daLength, d.header.stepCount) = (uint32(d.data.length), uint32(STEPS));
        RebuildEvidence memory e;
        (e.before, e.data) = (d.before, d.data);
        measure("8.rebuild", new DataJudge(), d, 4, abi.encode(e), 5_200_000);
    }

    /// @dev Orders that each fill one other: four words.
    function manySteps() private pure returns (bytes memory data) {
        bytes memory words = bytes.concat(
            TraceWords.trade(2, INSTRUMENT, 10, 50e6, 0),
            TraceWords.trade(3, INSTRUMENT, -10, -50e6, 6),
            TraceWords.cash(2, 2, -1e6),
            TraceWords.cash(0, 2, 1e6)
        );
        // In pieces: joining one by one would fill the memory with copies.
        bytes memory items;
        for (uint256 piece = 0; piece < STEPS; piece += PIECE) {
            (bytes memory frames, bytes memory more) = ("", "");
            for (uint256 i = piece; i < piece + PIECE; ++i) {
                bytes memory payload = filled(i, 101);
                frames = bytes.concat(frames, TraceWords.frame(uint64(i), TIME, FENCE, 3, payload));
                more = bytes.concat(more, TraceWords.posted(rootsOf(i), rootsOf(i + 1), words));
            }
            data = bytes.concat(data, frames);
            items = bytes.concat(items, more);
        }
        data = bytes.concat(data, items);
    }

    /// @dev Accounts and book change with each step, the epoch does not.
    function rootsOf(uint256 i) private pure returns (bytes32[3] memory) {
        return [keccak256(abi.encode("accounts", i)), 0, keccak256(abi.encode("book", i))];
    }

    function filled(uint256 seed, uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(uint8(1 + (seed + i) % 255));
        }
    }

    function measure(
        string memory what,
        IJudge judge,
        Draft memory d,
        uint8 rule,
        bytes memory body,
        uint256 ceiling
    ) private {
        bytes memory evidence = abi.encodePacked(rule, body);
        bytes memory input = abi.encodeCall(IJudge.isFaulty, (d.header, evidence));
        bytes memory sent = abi.encodeCall(Court.reveal, (d.header, rule, evidence));
        uint256 used = INTRINSIC + this.executionGas(address(judge), input);
        for (uint256 i = 0; i < sent.length; ++i) {
            used += sent[i] == 0 ? 4 : 16;
        }
        vm.snapshotValue("challenge", what, used);
        vm.assertLe(used, ceiling);
    }

    /// @dev In a frame of its own: what the test has in memory must not make the call dearer.
    function executionGas(address judge, bytes calldata input) external view returns (uint256) {
        uint256 before = gasleft();
        (bool done,) = judge.staticcall(input);
        vm.assertTrue(done);
        return before - gasleft();
    }
}
