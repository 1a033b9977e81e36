// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafHash} from "../../contracts/libraries/LeafHash.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {Instruction, Leg} from "../../contracts/types/Liquidation.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the library the calldata that it reads.
contract LeafHashHarness {
    function account(AccountLeaf calldata leaf) external pure returns (bytes32) {
        return LeafHash.account(leaf);
    }

    function instruction(Instruction calldata instruction_) external pure returns (bytes32) {
        return LeafHash.instruction(instruction_);
    }
}

/// @dev The two hashes that take arrays straight from calldata equal the plain expression.
contract LeafHashTest {
    LeafHashHarness private _hashes = new LeafHashHarness();

    function testFuzz_an_account_hashes_as_it_is_encoded(AccountLeaf calldata leaf) public view {
        vm.assertEq(_hashes.account(leaf), keccak256(abi.encode(leaf)));
    }

    function testFuzz_an_instruction_hashes_as_it_is_encoded(Instruction calldata i) public view {
        vm.assertEq(_hashes.instruction(i), keccak256(abi.encode(i)));
    }

    function test_empty_arrays_hash_as_they_are_encoded() public view {
        AccountLeaf memory leaf;
        Instruction memory i;
        vm.assertEq(_hashes.account(leaf), keccak256(abi.encode(leaf)));
        vm.assertEq(_hashes.instruction(i), keccak256(abi.encode(i)));
    }

    function testFuzz_a_word_outside_its_type_makes_another_hash(uint8 bit) public view {
        AccountLeaf memory leaf;
        leaf.positions = new Position[](1);
        leaf.positions[0] = Position(257, -3, 5);
        bytes memory input = abi.encodeCall(LeafHashHarness.account, (leaf));
        uint256 high = 16 + uint256(bit) % 240;
        // The word of the instrument is the third from the end.
        assembly ("memory-safe") {
            let at := sub(add(add(input, 0x20), mload(input)), 0x60)
            mstore(at, xor(mload(at), shl(high, 1)))
        }
        (bool done, bytes memory output) = address(_hashes).staticcall(input);
        vm.assertTrue(!done || abi.decode(output, (bytes32)) != keccak256(abi.encode(leaf)));
    }

    function test_no_leaf_has_the_length_of_a_node() public pure {
        AccountLeaf memory leaf;
        Instruction memory i;
        i.legs = new Leg[](0);
        vm.assertTrue(abi.encode(leaf).length > 64);
        vm.assertTrue(abi.encode(i).length > 64);
    }
}
