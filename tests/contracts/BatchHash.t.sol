// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {LeafHash} from "../../contracts/libraries/LeafHash.sol";
import {ExitLeaf, ExitSums} from "../../contracts/types/Checkpoint.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {Book} from "../../contracts/types/Trace.sol";
import {vm} from "./support/Vm.sol";

/// @dev The hashes of schema 2, word by word as docs/COMMITMENTS.md writes them.
contract BatchHashTest {
    function testFuzz_an_inbox_entry_hashes_as_eight_words(InboxEntry memory e) public pure {
        bytes32 expected = keccak256(
            abi.encode(
                uint256(e.kind),
                uint256(e.index),
                uint256(e.time),
                e.owner,
                uint256(e.subaccount),
                uint256(e.place),
                uint256(e.amount),
                e.key
            )
        );
        vm.assertEq(BatchHash.entryHash(e), expected);
        vm.assertEq(
            BatchHash.inboxPrefix(expected, expected), keccak256(abi.encode(expected, expected))
        );
    }

    function test_an_empty_book_hashes_as_twelve_words() public pure {
        Book memory book;
        bytes memory encoded =
            abi.encode(0x20, 7 * 0x20, 8 * 0x20, uint256(0), uint256(0), uint256(0));
        encoded = bytes.concat(encoded, abi.encode(uint256(0), uint256(0), uint256(0), uint256(0)));
        vm.assertEq(BatchHash.bookHash(book), keccak256(encoded));
    }

    function testFuzz_sums_are_packed_in_sixteen_bytes_each(ExitSums memory sums) public pure {
        vm.assume(sums.collateralE8.length < 9);
        bytes memory packed = BatchHash.packedSums(sums);
        vm.assertEq(packed.length, 16 * (3 + sums.collateralE8.length));
        vm.assertEq(numberAt(packed, 0), sums.equityE6);
        vm.assertEq(numberAt(packed, 1), sums.owedE6);
        vm.assertEq(numberAt(packed, 2), sums.debtE6);
        for (uint256 a = 0; a < sums.collateralE8.length; ++a) {
            vm.assertEq(numberAt(packed, 3 + a), sums.collateralE8[a]);
        }
        vm.assertEq(
            BatchHash.checkpointRoot(bytes32(uint256(7)), sums),
            keccak256(abi.encode(bytes32(uint256(7)), packed))
        );
    }

    function test_no_leaf_has_the_length_of_a_node() public pure {
        ExitLeaf memory leaf;
        InboxEntry memory entry;
        vm.assertEq(BatchHash.exitLeafHash(leaf), keccak256(abi.encode(leaf)));
        vm.assertTrue(abi.encode(leaf).length > 64);
        vm.assertTrue(abi.encode(entry).length > 64);
    }

    function testFuzz_a_parameter_set_is_its_four_parts(
        Terms memory terms,
        bytes32 curvesHash,
        bytes32 listingRoot,
        bytes32 documentHash
    ) public pure {
        bytes32 expected = keccak256(
            bytes.concat(keccak256(abi.encode(terms)), curvesHash, listingRoot, documentHash)
        );
        vm.assertEq(LeafHash.parameters(terms, curvesHash, listingRoot, documentHash), expected);
    }

    function test_the_type_of_a_header_is_the_stated_one() public pure {
        vm.assertEq(
            BatchHash.HEADER_TYPEHASH,
            keccak256(
                "BatchHeader(uint16 schema,uint64 batchNo,bytes32 prevBatchHash,bytes32 prevStateRoot,bytes32 stateRoot,bytes32 checkpointRoot,bytes32 inputLogHash,bytes32 traceRoot,uint32 stepCount,bytes32 daHash,uint32 daLength,uint8 daKind,bytes32 outputRoot,bytes32 liquidationRoot,uint32 liquidationCount,bytes32 adlRoot,uint64 inboxFrom,uint64 inboxTo,bytes32 inboxPrefixHash,bytes32 epochRoot,bytes32 priceRoot,bytes32 riskRoot,bytes32 paramsHash,bytes32 engineHash,uint64 l1BlockNumber,bytes32 l1BlockHash,uint64 timeStart,uint64 timeEnd,bytes32 totalsHash,uint64 sequencerEpoch,uint8 proofKind)"
            )
        );
    }

    /// @dev The `place`-th number of 16 bytes.
    function numberAt(bytes memory packed, uint256 place) private pure returns (uint256 number) {
        for (uint256 i = 16 * place; i < 16 * (place + 1); ++i) {
            number = number << 8 | uint8(packed[i]);
        }
    }
}
