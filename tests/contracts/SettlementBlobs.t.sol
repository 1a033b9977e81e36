// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev EIP-4844: the log in the blobs of the committing transaction.
contract SettlementBlobsTest is SettlementRig {
    uint32 private constant BLOB = 4096 * 31;

    BatchHeader private header;

    function setUp() public {
        deployRig();
        header = nextHeader();
        header.daKind = 1;
    }

    /// @dev Puts so many blobs into the transaction, which hold so many bytes.
    function post(uint256 count, uint32 length) private {
        bytes32[] memory hashes = new bytes32[](count);
        bytes memory packed = "";
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = bytes32(uint256(keccak256(abi.encode("blob", i))) >> 8 | 1 << 248);
            packed = bytes.concat(packed, hashes[i]);
        }
        vm.blobhashes(hashes);
        header.daHash = keccak256(packed);
        header.daLength = length;
    }

    function send(bytes memory logData, bytes memory reason) private {
        bytes memory signature = signatureOf(header);
        if (reason.length != 0) vm.expectRevert(reason);
        vm.prank(RELAYER, RELAYER);
        settlement.commit(header, signature, logData);
    }

    function refuseCount(uint256 count, uint32 length, uint256 expected) private {
        post(count, length);
        send(
            "",
            abi.encodeWithSelector(ISettlement.WrongBlobCount.selector, count, expected, uint256(2))
        );
    }

    function test_a_log_in_blobs_is_committed() public {
        post(1, 5);
        send("", "");
        vm.assertEq(settlement.head(), 1);
    }

    function test_a_log_fills_one_blob_or_two() public {
        uint32[4] memory lengths = [uint32(1), BLOB, BLOB + 1, 2 * BLOB];
        uint256[4] memory counts = [uint256(1), 1, 2, 2];
        for (uint256 i = 0; i < 4; ++i) {
            deployRig();
            header = nextHeader();
            header.daKind = 1;
            post(counts[i], lengths[i]);
            send("", "");
            vm.assertEq(settlement.head(), 1);
        }
    }

    function test_blobs_that_are_missing_or_left_over_are_refused() public {
        refuseCount(1, BLOB + 1, 2);
        refuseCount(2, BLOB, 1);
        refuseCount(0, 5, 1);
        refuseCount(0, 0, 0);
        refuseCount(1, 0, 0);
    }

    function test_more_than_two_blobs_are_refused() public {
        refuseCount(3, 2 * BLOB + 1, 3);
    }

    function test_other_blobs_are_refused() public {
        post(2, BLOB + 1);
        bytes32 actual = header.daHash;
        header.daHash = keccak256("other");
        send(
            "",
            abi.encodeWithSelector(ISettlement.WrongDataHash.selector, keccak256("other"), actual)
        );
    }

    function test_a_log_in_blobs_is_not_in_calldata_too() public {
        post(1, 5);
        send(LOG, abi.encodeWithSelector(ISettlement.WrongDataLength.selector, 0, 5));
    }

    function test_a_log_in_calldata_ignores_blobs() public {
        bytes32 inCalldata = header.daHash;
        post(1, 5);
        (header.daKind, header.daHash) = (0, inCalldata);
        send(LOG, "");
        vm.assertEq(settlement.head(), 1);
    }
}
