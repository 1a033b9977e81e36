// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataJudge} from "../../contracts/challenge/DataJudge.sol";
import {HolderJudge} from "../../contracts/challenge/HolderJudge.sol";
import {InboxJudge} from "../../contracts/challenge/InboxJudge.sol";
import {LeafJudge} from "../../contracts/challenge/LeafJudge.sol";
import {OutputJudge} from "../../contracts/challenge/OutputJudge.sol";
import {StepJudge} from "../../contracts/challenge/StepJudge.sol";
import {TotalsJudge} from "../../contracts/challenge/TotalsJudge.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {
    AssetsEvidence,
    BookEvidence,
    EntryEvidence,
    EpochEvidence,
    FormEvidence,
    FundEvidence,
    LinkEvidence,
    OutputEvidence,
    PlaceEvidence,
    RebuildEvidence,
    RootsEvidence,
    ShapeEvidence,
    SliceEvidence,
    StateEvidence,
    SurplusEvidence,
    TotalsEvidence,
    TwinEvidence,
    WholeEvidence,
    WordsEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {Book} from "../../contracts/types/Trace.sol";
import {AccountTree} from "./support/AccountTree.sol";
import {ChallengeCheckpoints} from "./support/ChallengeCheckpoints.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev INV-5: whatever the evidence, an honest batch is not at fault. Right evidence of every rule
/// is damaged in up to three words, or its rule exchanged: it must be refused or show nothing. The
/// test is the inbox, and the parameters.
contract ChallengeHonestTest is ChallengeCheckpoints {
    IJudge[] private _judges;
    mapping(uint256 rule => bytes) private _evidence;
    mapping(uint256 rule => uint256) private _judgeOf;
    uint256 private _count;
    BatchHeader private _header;

    function listingRootOf(bytes32) external pure returns (bytes32) {
        return MerkleTree.root(listingLeaves());
    }

    function isEntry(InboxEntry calldata given) external pure returns (bool) {
        if (given.index == 0 || given.index > 7) return false;
        return keccak256(abi.encode(given)) == keccak256(abi.encode(entry(given.index)));
    }

    function setUp() public {
        address holders = address(new HolderJudge(ISettlement(address(this))));
        _judges.push(new StepJudge());
        _judges.push(new TotalsJudge(address(this)));
        _judges.push(new DataJudge());
        _judges.push(new LeafJudge());
        _judges.push(new OutputJudge());
        _judges.push(new InboxJudge(address(this), holders));
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        d.header.epochRoot = hashOfEpoch(epochOne());
        StateEvidence memory state;
        state.last = lastOf(d);
        state.frame = d.frames[d.count - 1];
        state.parts.accountRoot = d.steps[d.count - 1].accountRoot;
        state.parts.totalsHash = d.header.totalsHash;
        state.parts.lastSeq = uint64(d.count);
        d.header.stateRoot = keccak256(abi.encode(state.parts));
        _header = d.header;
        keep(0, 6, abi.encode(state));
        keepStructure(d);
        keepTotals(d);
        keepRest(d);
    }

    function keep(uint256 judge, uint8 rule, bytes memory body) private {
        _judgeOf[_count] = judge;
        _evidence[_count++] = abi.encodePacked(rule, body);
    }

    function keepStructure(Draft memory d) private {
        uint256 i = LIQUIDATION;
        ShapeEvidence memory shape = ShapeEvidence(d.steps[i], false, uint32(i), stepProof(d, i));
        keep(0, 1, abi.encode(shape));
        keep(0, 2, abi.encode(LinkEvidence(pairOf(d, i), d.frames[i], d.frames[i - 1])));
        keep(0, 3, abi.encode(pairOf(d, i)));
        keep(0, 4, abi.encode(WordsEvidence(pairOf(d, i), d.effects[i])));
        keep(0, 5, abi.encode(boundsOf(d)));
        EpochEvidence memory epoch;
        (epoch.pair, epoch.frame) = (pairOf(d, REPORT), d.frames[REPORT]);
        epoch.epoch = epochOne();
        keep(0, 7, abi.encode(epoch));
        keep(0, 8, abi.encode(RootsEvidence(lastOf(d), epochOne())));
    }

    function keepTotals(Draft memory d) private {
        uint256 i = LIQUIDATION;
        Book memory book = d.books[d.count - 1];
        BookEvidence memory books =
            BookEvidence(pairOf(d, i), d.effects[i], d.books[i - 1], d.books[i]);
        keep(1, 1, abi.encode(books));
        keep(1, 2, abi.encode(TotalsEvidence(lastOf(d), book, totalsAfter(d))));
        FundEvidence memory fund =
            FundEvidence(lastOf(d), holderAfter(d, d.count - 1, 0), totalsAfter(d));
        keep(1, 3, abi.encode(fund));
        keep(1, 4, abi.encode(walkTo(exitLeaves(), 3)));
        keep(1, 5, abi.encode(owedTo(d, exitLeaves(), 3)));
        WholeEvidence memory whole;
        (whole.last, whole.accounts) = (lastOf(d), accountsAfter(d, d.count - 1));
        (whole.epoch, whole.report) = (epochOne(), report());
        whole.underlyings = new uint8[](1);
        (whole.values, whole.assets) =
        (owedTo(d, exitLeaves(), 3).values, owedTo(d, exitLeaves(), 3).assets);
        keep(1, 6, abi.encode(whole));
        AssetsEvidence memory assets = AssetsEvidence(lastOf(d), book, whole.assets[0], endProof());
        keep(1, 7, abi.encode(assets));
        keep(3, 3, abi.encode(PlaceEvidence(lastOf(d), book, holderAfter(d, d.count - 1, 2))));
    }

    function endProof() private pure returns (bytes32[] memory) {
        return MerkleTree.proof(listingLeaves(), 3);
    }

    function keepRest(Draft memory d) private {
        keep(2, 1, abi.encode(SliceEvidence(pairOf(d, FILL), d.data)));
        RebuildEvidence memory rebuild;
        (rebuild.before, rebuild.data) = (d.before, d.data);
        keep(2, 4, abi.encode(rebuild));
        TwinEvidence memory twins =
            TwinEvidence(lastOf(d), holderAfter(d, d.count - 1, 2), holderAfter(d, d.count - 1, 3));
        keep(3, 1, abi.encode(twins));
        FormEvidence memory form;
        (form.step, form.account) = (lastOf(d), 3);
        form.leaf = abi.encode(accountsAfter(d, d.count - 1)[3]);
        form.proof = AccountTree.proof(AccountTree.hashesOf(accountsAfter(d, d.count - 1)), 3);
        keep(3, 2, abi.encode(form));
        OutputEvidence memory output;
        (output.bounds, output.record) = (boundsOf(d), recordOf(d, WITHDRAWAL));
        output.holder = holderAfter(d, WITHDRAWAL, 2);
        output.given = outputLeaves(d)[0];
        output.proof = MerkleTree.proof(outputLeaves(d), 0);
        keep(4, 1, abi.encode(output));
        bytes32[] memory proof = MerkleTree.proof(outputLeaves(d), 1);
        keep(4, 2, abi.encode(SurplusEvidence(boundsOf(d), d.outputs[1], 1, proof)));
        keep(4, 3, abi.encode(boundsOf(d)));
        keep(5, 1, abi.encode(EntryEvidence(pairOf(d, RETURNED), d.frames[RETURNED])));
        keep(5, 2, abi.encode(EntryEvidence(pairOf(d, GRANT), d.frames[GRANT])));
    }

    function test_right_evidence_shows_no_fault_of_an_honest_batch() public view {
        for (uint256 i = 0; i < _count; ++i) {
            vm.assertFalse(_judges[_judgeOf[i]].isFaulty(_header, _evidence[i]));
        }
        vm.assertEq(_count, 25);
    }

    function testFuzz_damaged_evidence_shows_no_fault_of_an_honest_batch(
        uint256 which,
        uint256[3] calldata places,
        uint256[3] calldata values,
        uint8 ways
    ) public view {
        which %= _count;
        bytes memory evidence = _evidence[which];
        for (uint256 i = 0; i < 1 + ways % 3; ++i) {
            damage(evidence, places[i], values[i], ways >> 4);
        }
        assertNothingShown(_judges[_judgeOf[which]], evidence);
    }

    function testFuzz_evidence_of_another_rule_shows_no_fault_of_an_honest_batch(
        uint256 which,
        uint256 judge,
        uint8 rule
    ) public view {
        bytes memory evidence = _evidence[which % _count];
        evidence[0] = bytes1(rule % 10);
        assertNothingShown(_judges[judge % _judges.length], evidence);
    }

    function testFuzz_noise_shows_no_fault_of_an_honest_batch(
        uint256 judge,
        uint8 rule,
        bytes calldata noise
    ) public view {
        bytes memory evidence = abi.encodePacked(rule % 10, uint256(0x20), noise);
        assertNothingShown(_judges[judge % _judges.length], evidence);
    }

    /// @dev Another word at some place, or one bit, or a word near it, or the word of another place.
    function damage(bytes memory evidence, uint256 place, uint256 value, uint256 way) private pure {
        uint256 words = (evidence.length - 1) / 32;
        place = 33 + 32 * (place % words);
        uint256 other = 33 + 32 * (value % words);
        assembly ("memory-safe") {
            let at_ := add(evidence, place)
            switch mod(way, 4)
            case 0 { mstore(at_, value) }
            case 1 { mstore(at_, xor(mload(at_), shl(and(value, 0xff), 1))) }
            case 2 { mstore(at_, add(mload(at_), sub(mod(value, 5), 2))) }
            default { mstore(at_, mload(add(evidence, other))) }
        }
    }

    function assertNothingShown(IJudge judge, bytes memory evidence) private view {
        (bool decided, bytes memory answer) = address(judge).staticcall{gas: 30_000_000}(
            abi.encodeCall(IJudge.isFaulty, (_header, evidence))
        );
        if (decided) vm.assertFalse(abi.decode(answer, (bool)));
    }
}
