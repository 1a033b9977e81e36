// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IProofRouter} from "../../contracts/interfaces/IProofRouter.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {ProofRouter} from "../../contracts/proof/ProofRouter.sol";
import {vm} from "./support/Vm.sol";

/// @dev Accepts exactly one pair of batch and proof.
contract OneProof is IProofVerifier {
    function verify(bytes32 batchHash, bytes calldata proof) external pure returns (bool) {
        return batchHash == bytes32(uint256(7)) && keccak256(proof) == keccak256("right");
    }
}

/// @dev Decodes, so that junk makes it revert, with as much data as it can pay for.
contract FussyProof is IProofVerifier {
    function verify(bytes32, bytes calldata proof) external pure returns (bool) {
        if (proof.length == 0) {
            assembly ("memory-safe") {
                revert(0, 100000)
            }
        }
        return abi.decode(proof, (bytes[])).length == 1;
    }
}

/// @dev Answers with a word that is no bool.
contract StrangeAnswer {
    function verify(bytes32, bytes calldata) external pure returns (uint256) {
        return 2;
    }
}

contract ProofRouterTest {
    bytes32 private constant BATCH = bytes32(uint256(7));
    uint64 private constant DELAY = 1000;
    ProofRouter private router;

    function setUp() public {
        vm.warp(1_700_000_000);
        router = new ProofRouter(address(this), DELAY);
        router.register(3, address(new OneProof()), false);
    }

    function test_a_valid_proof_passes() public view {
        router.requireValid(3, BATCH, "right");
    }

    function test_a_proof_that_its_verifier_refuses_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.InvalidProof.selector, 3, BATCH));
        router.requireValid(3, BATCH, "wrong");
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.InvalidProof.selector, 3, bytes32(0)));
        router.requireValid(3, 0, "right");
    }

    function test_a_proof_that_its_verifier_cannot_read_is_refused_by_name() public {
        router.register(5, address(new FussyProof()), false);
        bytes memory reason = abi.encodeWithSelector(IProofRouter.InvalidProof.selector, 5, BATCH);
        vm.expectRevert(reason);
        router.requireValid(5, BATCH, "");
        vm.expectRevert(reason);
        router.requireValid(5, BATCH, hex"ffff");
        router.requireValid(5, BATCH, abi.encode(new bytes[](1)));
    }

    function test_an_unknown_kind_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.UnknownProofKind.selector, 0));
        router.requireValid(0, BATCH, "right");
    }

    function test_an_answer_that_is_no_bool_is_refused() public {
        router.register(4, address(new StrangeAnswer()), true);
        vm.expectRevert();
        router.requireValid(4, BATCH, "right");
    }

    function test_only_the_admin_registers() public {
        address verifier = router.verifierOf(3);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, address(0xbad), bytes32(0)
            )
        );
        vm.prank(address(0xbad));
        router.register(4, verifier, false);
    }

    function test_an_address_without_code_is_no_verifier() public {
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.NotAContract.selector, address(0xbad)));
        router.register(4, address(0xbad), false);
    }

    function test_registering_announces() public {
        OneProof another = new OneProof();
        vm.expectEmit(address(router));
        emit IProofRouter.VerifierRegistered(5, address(another), true);
        router.register(5, address(another), true);
        vm.assertEq(router.verifierOf(5), address(another));
        vm.assertTrue(router.isValidity(5));
        vm.assertFalse(router.isValidity(3));
        vm.assertFalse(router.isValidity(6));
    }

    function test_a_kind_is_not_replaced_in_place() public {
        address taken = router.verifierOf(3);
        address another = address(new OneProof());
        bytes memory reason = abi.encodeWithSelector(IProofRouter.KindTaken.selector, 3, taken);
        vm.expectRevert(reason);
        router.register(3, another, true);
        router.retire(3);
        vm.expectRevert(reason);
        router.register(3, another, true);
    }

    function test_a_verifier_serves_until_its_delay_is_over() public {
        address verifier = router.verifierOf(3);
        uint64 time = uint64(block.timestamp) + DELAY;
        vm.expectEmit(address(router));
        emit IProofRouter.VerifierRetiring(3, verifier, time);
        router.retire(3);
        vm.assertEq(router.retiresAt(3), time);
        vm.warp(time - 1);
        router.requireValid(3, BATCH, "right");
        vm.warp(time);
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.UnknownProofKind.selector, 3));
        router.requireValid(3, BATCH, "right");
        vm.assertEq(router.verifierOf(3), address(0));
    }

    function test_a_kind_is_free_after_its_verifier_has_retired() public {
        router.retire(3);
        vm.warp(block.timestamp + DELAY);
        address another = address(new OneProof());
        router.register(3, another, true);
        vm.assertEq(router.verifierOf(3), another);
        vm.assertEq(router.retiresAt(3), 0);
    }

    function test_a_retired_validity_verifier_is_of_no_class() public {
        router.register(5, address(new OneProof()), true);
        router.retire(5);
        vm.assertTrue(router.isValidity(5));
        vm.warp(block.timestamp + DELAY);
        vm.assertFalse(router.isValidity(5));
    }

    function test_a_verifier_retires_once() public {
        router.retire(3);
        uint64 time = router.retiresAt(3);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.AlreadyRetiring.selector, 3, time));
        router.retire(3);
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.UnknownProofKind.selector, 4));
        router.retire(4);
    }

    /// @dev G-1, G-4: after the hand-over nobody acts beside the timelock.
    function test_the_role_is_handed_over_and_never_shared() public {
        (address timelock, address other) = (address(0x71e), address(0x07e4));
        router.grantRole(0, timelock);
        router.renounceRole(0, address(this));
        vm.assertTrue(router.hasRole(0, timelock));
        bytes4 refusal = IAccessControl.AccessControlUnauthorizedAccount.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, timelock, bytes32(0)));
        vm.prank(timelock);
        router.grantRole(0, other);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(this), bytes32(0)));
        router.grantRole(0, other);
        vm.assertFalse(router.hasRole(0, other));
    }

    function test_only_the_admin_retires() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, address(0xbad), bytes32(0)
            )
        );
        vm.prank(address(0xbad));
        router.retire(3);
    }
}
