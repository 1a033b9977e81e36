// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {LeafHash} from "../../contracts/libraries/LeafHash.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {Instruction, Leg} from "../../contracts/types/Liquidation.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the libraries the calldata that they read.
contract LeafHashHarness {
    function account(AccountLeaf calldata leaf) external pure returns (bytes32) {
        return LeafHash.account(leaf);
    }

    function instruction(Instruction calldata instruction_) external pure returns (bytes32) {
        return LeafHash.instruction(instruction_);
    }

    function epoch(Epoch calldata epoch_) external pure returns (bytes32) {
        return LeafHash.epoch(epoch_);
    }

    function header(BatchHeader calldata header_) external pure returns (bytes32) {
        return BatchHash.givenHeaderHash(header_);
    }
}

/// @dev The plain expressions, which refuse a word outside its type.
contract PlainHashes {
    function account(AccountLeaf calldata leaf) external pure returns (bytes32) {
        return keccak256(abi.encode(leaf));
    }

    function instruction(Instruction calldata instruction_) external pure returns (bytes32) {
        return keccak256(abi.encode(instruction_));
    }

    function epoch(Epoch calldata epoch_) external pure returns (bytes32) {
        return keccak256(abi.encode(epoch_));
    }

    function header(BatchHeader calldata header_) external pure returns (bytes32) {
        return BatchHash.headerHash(header_);
    }
}

/// @dev The hashes that take words straight from calldata equal the plain expressions.
contract LeafHashTest {
    LeafHashHarness private _hashes = new LeafHashHarness();
    PlainHashes private _plain = new PlainHashes();

    function testFuzz_an_account_hashes_as_it_is_encoded(AccountLeaf calldata leaf) public view {
        vm.assertEq(_hashes.account(leaf), keccak256(abi.encode(leaf)));
    }

    function testFuzz_an_instruction_hashes_as_it_is_encoded(Instruction calldata i) public view {
        vm.assertEq(_hashes.instruction(i), keccak256(abi.encode(i)));
    }

    function testFuzz_an_epoch_hashes_as_it_is_encoded(Epoch calldata e) public view {
        vm.assertEq(_hashes.epoch(e), keccak256(abi.encode(e)));
    }

    function testFuzz_a_header_hashes_as_it_is_encoded(BatchHeader calldata h) public view {
        vm.assertEq(_hashes.header(h), keccak256(abi.encode(BatchHash.HEADER_TYPEHASH, h)));
        vm.assertEq(_plain.header(h), _hashes.header(h));
    }

    function test_empty_arrays_hash_as_they_are_encoded() public view {
        AccountLeaf memory leaf;
        Instruction memory i;
        vm.assertEq(_hashes.account(leaf), keccak256(abi.encode(leaf)));
        vm.assertEq(_hashes.instruction(i), keccak256(abi.encode(i)));
    }

    /// @dev A word outside its type, an array laid elsewhere, a length that is not.
    function testFuzz_an_altered_input_hashes_as_what_it_says_or_as_nothing(uint256 bit)
        public
        view
    {
        compareAltered(abi.encodeCall(LeafHashHarness.account, (someAccount())), bit);
        compareAltered(abi.encodeCall(LeafHashHarness.instruction, (someInstruction())), bit);
        compareAltered(abi.encodeCall(LeafHashHarness.epoch, (someEpoch())), bit);
        BatchHeader memory header;
        compareAltered(abi.encodeCall(LeafHashHarness.header, (header)), bit);
    }

    function test_the_order_in_which_arrays_are_laid_out_does_not_matter() public view {
        AccountLeaf memory leaf = someAccount();
        // Positions first, where collateral is usual: they end at 0xc0 + 7 words.
        bytes memory input = bytes.concat(
            LeafHashHarness.account.selector,
            abi.encode(0x20, leaf.owner, leaf.subaccount, leaf.mode, leaf.cashE6, 0x1a0, 0xc0),
            abi.encode(2, leaf.positions[0], leaf.positions[1]),
            abi.encode(2, leaf.collateralE8[0], leaf.collateralE8[1])
        );
        (bool done, bytes memory output) = address(_hashes).staticcall(input);
        vm.assertTrue(done);
        vm.assertEq(abi.decode(output, (bytes32)), keccak256(abi.encode(leaf)));
    }

    function test_no_leaf_has_the_length_of_a_node() public pure {
        AccountLeaf memory leaf;
        Instruction memory i;
        i.legs = new Leg[](0);
        vm.assertTrue(abi.encode(leaf).length > 64);
        vm.assertTrue(abi.encode(i).length > 64);
    }

    function compareAltered(bytes memory input, uint256 bit) private view {
        (, bytes memory unaltered) = address(_hashes).staticcall(input);
        bit %= (input.length - 4) * 8;
        input[4 + bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool done, bytes memory output) = address(_hashes).staticcall(input);
        (bool says, bytes memory expected) = address(_plain).staticcall(input);
        vm.assertTrue(done || !says);
        if (says) vm.assertEq(keccak256(output), keccak256(expected));
        else vm.assertTrue(!done || keccak256(output) != keccak256(unaltered));
    }

    function someAccount() private pure returns (AccountLeaf memory leaf) {
        leaf.owner = address(0xB0B);
        leaf.mode = 2;
        leaf.cashE6 = -7;
        leaf.collateralE8 = new uint64[](2);
        leaf.collateralE8[1] = 9;
        leaf.positions = new Position[](2);
        leaf.positions[0] = Position(257, -3, 5);
        leaf.positions[1] = Position(300, 4, -6);
    }

    function someInstruction() private pure returns (Instruction memory i) {
        i.id = 77;
        i.tier = 2;
        i.epochHash = keccak256("epoch");
        i.legs = new Leg[](2);
        i.legs[0] = Leg(257, 3, 8);
        i.legs[1] = Leg(300, -4, 9);
    }

    function someEpoch() private pure returns (Epoch memory e) {
        e.number = 5;
        e.time = 6;
        e.chargeRoot = keccak256("charges");
    }
}
