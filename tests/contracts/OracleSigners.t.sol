// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IGoverned} from "../../contracts/interfaces/IGoverned.sol";
import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev Whose word makes a report: INV-6, O-3, C-9, C-10.
contract OracleSignersTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);
    uint256 private constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function setUp() public {
        deployHub(1);
    }

    function test_fewer_than_a_quorum_are_refused() public {
        bytes[] memory values = new bytes[](QUORUM - 1);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = still(abi.encodePacked(int64(5)));
        }
        bytes[] memory signatures = signAll(1, NOW_NS, values);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.NoQuorum.selector, 4, 5));
        hub.submit(1, NOW_NS, values, signatures);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.SignatureCount.selector, 4, 0));
        hub.submit(1, NOW_NS, values, new bytes[](0));
    }

    function test_a_signer_counts_once() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        signatures[2] = signatures[1];
        expectRefusal(
            values,
            signatures,
            abi.encodeWithSelector(IOracleHub.SignersOutOfOrder.selector, oracleAt(1), oracleAt(1))
        );
    }

    function test_signers_come_in_ascending_order() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        (signatures[2], signatures[1]) = (signatures[1], signatures[2]);
        expectRefusal(
            values,
            signatures,
            abi.encodeWithSelector(IOracleHub.SignersOutOfOrder.selector, oracleAt(2), oracleAt(1))
        );
    }

    function test_a_stranger_is_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        // Drop the first oracle and put a stranger where his address belongs.
        uint256 key = strangerAbove(oracleAt(QUORUM - 2));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest(1, NOW_NS, values[4]));
        signatures[4] = abi.encodePacked(r, s, v);
        expectRefusal(
            values,
            signatures,
            abi.encodeWithSelector(IOracleHub.UnknownSigner.selector, vm.addr(key))
        );
    }

    function test_a_signature_over_other_values_is_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        values[0] = still(abi.encodePacked(int64(6)));
        (bool done,) = trySubmit(values, signatures);
        vm.assertFalse(done);
    }

    /// @dev O-8: whoever carries a report cannot widen or narrow its brackets.
    function testFuzz_a_signature_over_other_spans_is_refused(uint8 oracle, uint8 place, uint8 bit)
        public
    {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        values[oracle % QUORUM][8 + place % 4] ^= bytes1(uint8(1) << (bit % 8));
        (bool done,) = trySubmit(values, signatures);
        vm.assertFalse(done);
    }

    function test_a_mirrored_signature_is_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(oracleKeys[0], digest(1, NOW_NS, values[0]));
        bytes32 mirrored = bytes32(ORDER - uint256(s));
        signatures[0] = abi.encodePacked(r, mirrored, v == 27 ? uint8(28) : uint8(27));
        expectRefusal(
            values,
            signatures,
            abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, mirrored)
        );
    }

    function test_signatures_of_64_or_66_bytes_are_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        bytes memory whole = signatures[0];
        signatures[0] = bytes.concat(whole, hex"00");
        expectRefusal(
            values,
            signatures,
            abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 66)
        );
        assembly ("memory-safe") {
            mstore(whole, 64)
        }
        signatures[0] = whole;
        expectRefusal(
            values,
            signatures,
            abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 64)
        );
    }

    function test_a_signature_of_nobody_is_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        signatures[0] = new bytes(65);
        expectRefusal(
            values, signatures, abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector)
        );
    }

    function test_a_signature_for_another_chain_or_hub_is_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        (bool done,) = trySubmit(values, signatures);
        vm.assertFalse(done);
        vm.chainId(here);
        OracleHub first = hub;
        hub =
            new OracleHub(address(this), first.limits(), first.grace(), addresses(ORACLES), QUORUM);
        (done,) = trySubmit(values, signatures);
        vm.assertFalse(done);
        hub = first;
        (done,) = trySubmit(values, signatures);
        vm.assertTrue(done);
    }

    function test_replaced_signers_lose_their_voice_and_new_ones_get_it() public {
        address[] memory few = new address[](3);
        (few[0], few[1], few[2]) = (oracleAt(0), oracleAt(1), oracleAt(6));
        hub.replaceSigners(few, 3);
        vm.assertEq(hub.signerEpoch(), 2);
        vm.assertEq(hub.signers().length, 3);
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 5);
        expectRefusal(
            values,
            signatures,
            abi.encodeWithSelector(IOracleHub.UnknownSigner.selector, oracleAt(2))
        );
    }

    function test_only_the_admin_replaces_signers() public {
        address[] memory list = addresses(ORACLES);
        vm.prank(oracleAt(0));
        vm.expectRevert(abi.encodeWithSelector(IGoverned.NotGovernor.selector, oracleAt(0)));
        hub.replaceSigners(list, QUORUM);
    }

    function test_a_hub_that_nobody_governs_is_refused() public {
        address[] memory list = addresses(ORACLES);
        IOracleHub.Limits memory limits = hub.limits();
        vm.expectRevert(IGoverned.NoGovernor.selector);
        new OracleHub(address(0), limits, startingGrace(), list, QUORUM);
        vm.assertEq(hub.governor(), address(this));
    }

    function test_a_signer_set_must_ascend_from_above_zero() public {
        address[] memory list = addresses(3);
        (list[0], list[1]) = (list[1], list[0]);
        vm.expectRevert(
            abi.encodeWithSelector(IOracleHub.SignersOutOfOrder.selector, list[0], list[1])
        );
        hub.replaceSigners(list, 3);
        list[0] = address(0);
        vm.expectRevert(
            abi.encodeWithSelector(IOracleHub.SignersOutOfOrder.selector, address(0), address(0))
        );
        hub.replaceSigners(list, 3);
    }

    function test_a_quorum_is_three_a_majority_and_not_more_than_all() public {
        refuseQuorum(2, 3);
        refuseQuorum(4, 3);
        refuseQuorum(3, 6);
        hub.replaceSigners(addresses(5), 3);
    }

    function test_no_more_than_thirty_two_sign() public {
        address[] memory list = new address[](33);
        for (uint160 i = 0; i < 33; ++i) {
            list[i] = address(i + 1);
        }
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.QuorumOutOfRange.selector, 17, 33));
        hub.replaceSigners(list, 17);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.NoQuorum.selector, 33, QUORUM));
        hub.submit(1, NOW_NS, new bytes[](33), new bytes[](33));
        assembly ("memory-safe") {
            mstore(list, 32)
        }
        hub.replaceSigners(list, 17);
    }

    function refuseQuorum(uint8 quorum, uint256 count) private {
        address[] memory list = addresses(count);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.QuorumOutOfRange.selector, quorum, count));
        hub.replaceSigners(list, quorum);
    }

    function expectRefusal(bytes[] memory values, bytes[] memory signatures, bytes memory reason)
        private
    {
        vm.expectRevert(reason);
        hub.submit(1, NOW_NS, values, signatures);
    }

    function trySubmit(bytes[] memory values, bytes[] memory signatures)
        private
        returns (bool, bytes memory)
    {
        return address(hub).call(abi.encodeCall(hub.submit, (1, NOW_NS, values, signatures)));
    }

    function strangerAbove(address floor) private pure returns (uint256 key) {
        key = 1;
        while (vm.addr(key) <= floor) ++key;
    }
}
