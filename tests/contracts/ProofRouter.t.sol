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

/// @dev Answers with a word that is no bool.
contract StrangeAnswer {
    function verify(bytes32, bytes calldata) external pure returns (uint256) {
        return 2;
    }
}

contract ProofRouterTest {
    bytes32 private constant BATCH = bytes32(uint256(7));
    ProofRouter private router;

    function setUp() public {
        router = new ProofRouter(address(this));
        router.register(3, address(new OneProof()));
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

    function test_an_unknown_kind_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.UnknownProofKind.selector, 0));
        router.requireValid(0, BATCH, "right");
    }

    function test_an_answer_that_is_no_bool_is_refused() public {
        router.register(4, address(new StrangeAnswer()));
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
        router.register(4, verifier);
    }

    function test_an_address_without_code_is_no_verifier() public {
        vm.expectRevert(abi.encodeWithSelector(IProofRouter.NotAContract.selector, address(0xbad)));
        router.register(4, address(0xbad));
    }

    function test_registering_announces_and_replaces() public {
        OneProof another = new OneProof();
        vm.expectEmit(address(router));
        emit IProofRouter.VerifierRegistered(3, address(another));
        router.register(3, address(another));
        vm.assertEq(router.verifierOf(3), address(another));
    }
}
