// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exit} from "../../contracts/exit/Exit.sol";
import {IExit} from "../../contracts/interfaces/IExit.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Settlement} from "../../contracts/settlement/Settlement.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {ExitLeaf} from "../../contracts/types/Checkpoint.sol";
import {CheckpointTree} from "./support/CheckpointTree.sol";
import {ExitRig} from "./support/ExitRig.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev C-11: what custody costs with as many assets as there may be. A quarter of a block of 30
/// million is far away, also where tokens burn all the gas they are given.
contract CustodyMaximaTest is ExitRig {
    uint256 private constant COLLATERALS = 8;
    uint256 private constant EVERY = (1 << COLLATERALS + 1) - 1;
    uint256 private constant START_CEILING = 1_000_000;
    uint256 private constant EXIT_CEILING = 900_000;

    /// @dev 200,000 for each token that burns what it is given.
    uint256 private constant HOSTILE_CEILING = 2_700_000;

    PlainToken[] private _tokens;

    function setUp() public {
        address[] memory list = new address[](COLLATERALS + 1);
        for (uint256 asset = 0; asset <= COLLATERALS; ++asset) {
            _tokens.push(new PlainToken(asset == 0 ? 6 : 8));
            list[asset] = address(_tokens[asset]);
        }
        deployVault(list);
        uint128[] memory held = new uint128[](COLLATERALS);
        for (uint8 asset = 0; asset <= COLLATERALS; ++asset) {
            depositFor(asset, ownerAt(0), 0, 1e6);
            if (asset != 0) held[asset - 1] = 1e6;
        }
        leaves.push(ExitLeaf(0, ownerAt(0), 0, 1e6, 0, 0, held));
        totals.depositedCash = 1e6;
        (totals.collateralE8, totals.depositedCollateral) = (held, held);
        totals.withdrawnCollateral = new uint128[](COLLATERALS);
        finalise();
        books.freeze();
    }

    function test_leaving_with_every_asset_fits_a_transaction() public {
        vm.assertLe(_used(_start()), START_CEILING);
        bytes memory path = CheckpointTree.path(leaves, 0);
        vm.assertLe(_used(abi.encodeCall(IExit.exit, (leaves[0], path, EVERY))), EXIT_CEILING);
        for (uint256 asset = 0; asset <= COLLATERALS; ++asset) {
            vm.assertEq(_tokens[asset].balanceOf(ownerAt(0)), 1e6);
        }
    }

    function test_tokens_that_burn_their_gas_do_not_keep_the_exits_shut() public {
        for (uint256 asset = 1; asset <= COLLATERALS; ++asset) {
            vm.etch(address(_tokens[asset]), hex"fe");
        }
        vm.assertLe(_used(_start()), HOSTILE_CEILING);
        exitFor(0, 1);
        vm.assertEq(_tokens[0].balanceOf(ownerAt(0)), 1e6);
    }

    /// @dev 290,000 bytes, all that the gas of a balance pays for: the exits do not pay to copy them.
    function test_tokens_that_answer_at_length_do_not_make_the_start_of_exits_dearer() public {
        for (uint256 asset = 1; asset <= COLLATERALS; ++asset) {
            vm.etch(address(_tokens[asset]), hex"62046cd05ff3");
        }
        vm.assertLe(_used(_start()), HOSTILE_CEILING);
    }

    /// @dev Nobody can make a token look silent by bringing too little gas: then the rest fails too.
    function test_too_little_gas_never_starts_the_exits_as_if_a_token_were_silent() public {
        vm.prank(address(vault));
        _tokens[COLLATERALS].transfer(address(0xdead), 4e5);
        bytes memory input = _start();
        for (uint256 limit = 100_000; limit <= START_CEILING; limit += 5000) {
            uint256 state = Snapshots(address(vm)).snapshotState();
            (bool done,) = address(exit).call{gas: limit}(input);
            (uint128 available,) = exit.termsOf(uint8(COLLATERALS));
            vm.assertEq(available, done ? 6e5 : 0);
            Snapshots(address(vm)).revertToState(state);
        }
    }

    function _start() private view returns (bytes memory) {
        CheckpointTree.Node memory root = CheckpointTree.root(leaves);
        return abi.encodeCall(IExit.start, (header, totals, CheckpointTree.sumsOf(root), root.hash));
    }

    function _used(bytes memory input) private returns (uint256 used) {
        vm.cool(address(exit));
        vm.cool(address(vault));
        used = gasleft();
        (bool done,) = address(exit).call(input);
        used -= gasleft();
        vm.assertTrue(done);
    }
}

interface Snapshots {
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
}

/// @dev C-11, C-12 of the settlement side.
contract CustodyCodeTest is SettlementRig {
    uint64 private constant MOST_OPEN = 64;
    uint256 private constant ROLLBACK_CEILING = 500_000;

    uint8 private constant PUSH1 = 0x60;
    uint8 private constant PUSH32 = 0x7f;
    uint8 private constant CALLCODE = 0xf2;
    uint8 private constant DELEGATECALL = 0xf4;
    uint8 private constant SELFDESTRUCT = 0xff;

    function setUp() public {
        deployRig();
    }

    function makeSettlement(ISettlement.Config memory made) internal override returns (Settlement) {
        made.maxOpenBatches = MOST_OPEN;
        return new Settlement(made);
    }

    /// @dev C-11: the one loop over open batches, as long as it gets.
    function test_dropping_as_many_batches_as_may_be_open_fits_a_transaction() public {
        BatchHeader memory first = nextHeader();
        commit(first);
        for (uint256 i = 1; i < MOST_OPEN; ++i) {
            vm.warp(block.timestamp + 1);
            commit(nextHeader());
        }
        vm.assertEq(settlement.head(), MOST_OPEN);
        vm.prank(vm.addr(SEQUENCER_KEY));
        uint256 before = gasleft();
        settlement.rollback(first);
        vm.assertLe(before - gasleft(), ROLLBACK_CEILING);
        vm.assertEq(settlement.head(), 0);
    }

    /// @dev C-12: nothing here runs the code of others in its own storage, or can vanish: so there
    /// is no way to another version, for any role.
    function test_no_code_of_custody_can_be_replaced() public {
        Exit exit = new Exit(address(vault), address(inbox), address(settlement));
        _assertFixed(address(vault));
        _assertFixed(address(inbox));
        _assertFixed(address(exit));
        _assertFixed(address(settlement));
        _assertFixed(address(registry));
        _assertFixed(address(insurance));
        _assertFixed(address(router));
        _assertFixed(address(verifier));
    }

    function test_code_that_could_be_replaced_is_caught() public {
        vm.etch(address(0xde1), hex"60006000600060006000600060f45af4");
        vm.assertTrue(_isReplaceable(address(0xde1).code));
        // The same byte as a number is no instruction.
        vm.assertFalse(_isReplaceable(hex"60f400000000"));
    }

    function _assertFixed(address at_) private view {
        vm.assertTrue(at_.code.length > 100);
        vm.assertFalse(_isReplaceable(_withoutMetadata(at_.code)));
    }

    function _isReplaceable(bytes memory code) private pure returns (bool) {
        for (uint256 i = 0; i < code.length; ++i) {
            uint8 op = uint8(code[i]);
            if (op == CALLCODE || op == DELEGATECALL || op == SELFDESTRUCT) return true;
            if (op >= PUSH1 && op <= PUSH32) i += op - PUSH1 + 1;
        }
        return false;
    }

    /// @dev The last two bytes say how long the compiler's note is.
    function _withoutMetadata(bytes memory code) private pure returns (bytes memory) {
        uint256 length = code.length;
        uint256 note = uint256(uint8(code[length - 2])) << 8 | uint8(code[length - 1]);
        assembly ("memory-safe") {
            mstore(code, sub(sub(length, note), 2))
        }
        return code;
    }
}
