// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Output} from "../../contracts/types/Batch.sol";
import {Report} from "../../contracts/types/Epoch.sol";
import {Oracles} from "./support/Oracles.sol";
import {OutputTree, SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Ceilings a few percent above what the calls execute with cold storage, and the snapshot of
/// it. Calldata and intrinsic gas are not in them: `make bench` measures those.
abstract contract GasCeiling {
    function withinCeiling(
        string memory what,
        address[] memory cold,
        address target,
        bytes memory input,
        uint256 ceiling
    ) internal {
        uint256 used = executionGas(cold, target, input);
        vm.snapshotValue("calls", what, used);
        vm.assertLe(used, ceiling);
    }

    function executionGas(address[] memory cold, address target, bytes memory input)
        internal
        returns (uint256 used)
    {
        for (uint256 i = 0; i < cold.length; ++i) {
            vm.cool(cold[i]);
        }
        vm.prank(address(0xbeef), address(0xbeef));
        uint256 before = gasleft();
        (bool done,) = target.call(input);
        used = before - gasleft();
        vm.assertTrue(done);
    }
}

contract SettlementGasTest is SettlementRig, GasCeiling {
    uint256 private constant COMMIT = 70_800;
    uint256 private constant FINALISE = 102_000;
    uint256 private constant CLAIM = 109_800;
    uint256 private constant DEPOSIT = 84_400;
    uint256 private constant PROVE = 34_300;
    uint256 private constant COMMIT_BLOBS = 73_600;

    /// @dev The goal of `commit.gas.without_da`.
    uint256 private constant COMMIT_GOAL = 120_000;

    uint256 private constant INTRINSIC = 21_000;

    /// @dev The target of a transaction is warm from the start; in a test it is cold.
    uint256 private constant COLD_TARGET = 2500;

    address[] private _cold;

    function setUp() public {
        deployRig();
        // As long as the ring of open batches is new, a commit costs more.
        for (uint256 i = 0; i <= MAX_OPEN; ++i) {
            depositFor(cash, 0, address(0xa11ce), 1000);
            settled(0);
        }
        depositFor(cash, 0, address(0xa11ce), 1000);
        address[10] memory all = [
            address(settlement),
            address(inbox),
            address(vault),
            address(registry),
            address(insurance),
            address(router),
            address(verifier),
            address(answers),
            address(cash),
            address(collateral)
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            _cold.push(all[i]);
        }
    }

    function test_a_commit_stays_below_its_ceiling() public {
        BatchHeader memory header = nextHeader();
        bytes memory input = abi.encodeCall(settlement.commit, (header, signatureOf(header), LOG));
        withinCeiling("commit", _cold, address(settlement), input, COMMIT);
    }

    /// @dev The goal of `commit.gas.without_da`: all that a transaction costs but for its data.
    function test_a_commit_without_its_data_costs_less_than_the_goal() public {
        BatchHeader memory header = nextHeader();
        bytes memory signature = signatureOf(header);
        bytes memory input = abi.encodeCall(settlement.commit, (header, signature, LOG));
        uint256 execution = executionGas(_cold, address(settlement), input) - COLD_TARGET;
        bytes memory bare = abi.encodeCall(settlement.commit, (header, signature, ""));
        uint256 total = INTRINSIC + execution;
        for (uint256 i = 0; i < bare.length; ++i) {
            total += bare[i] == 0 ? 4 : 16;
        }
        vm.snapshotValue("calls", "commit.without_da", total);
        vm.assertLe(total, COMMIT_GOAL);
    }

    function test_a_commit_of_blobs_stays_below_its_ceiling() public {
        bytes32[] memory hashes = new bytes32[](2);
        bytes memory packed = "";
        for (uint256 i = 0; i < 2; ++i) {
            hashes[i] = bytes32(uint256(keccak256(abi.encode(i))) >> 8 | 1 << 248);
            packed = bytes.concat(packed, hashes[i]);
        }
        vm.blobhashes(hashes);
        BatchHeader memory header = nextHeader();
        header.daKind = 1;
        header.daLength = 2 * 4096 * 31;
        header.daHash = keccak256(packed);
        bytes memory input = abi.encodeCall(settlement.commit, (header, signatureOf(header), ""));
        withinCeiling("commit.blobs", _cold, address(settlement), input, COMMIT_BLOBS);
    }

    function test_a_proof_stays_below_its_ceiling() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        bytes memory proof = proofOf(hashOf(header));
        bytes memory input = abi.encodeCall(settlement.prove, (header, proof));
        withinCeiling("prove", _cold, address(settlement), input, PROVE);
    }

    function test_a_finalisation_stays_below_its_ceiling() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        bytes memory proof = proofOf(hashOf(header));
        bytes memory input =
            abi.encodeCall(settlement.finalise, (header, totals, sums(), EXIT_ROOT, proof));
        withinCeiling("finalise", _cold, address(settlement), input, FINALISE);
    }

    /// @dev The first of 256 ids, for an owner who holds nothing: the dearest.
    function test_a_claim_stays_below_its_ceiling() public {
        Output[] memory outputs = new Output[](4);
        for (uint64 i = 0; i < 4; ++i) {
            outputs[i] = Output(i + 1, 7, address(uint160(0xacc + i)), 0, 10);
        }
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        bytes32[] memory proof = OutputTree.proofOf(outputs, 2);
        bytes memory input = abi.encodeCall(settlement.claim, (header, outputs[2], 2, proof));
        withinCeiling("claim", _cold, address(settlement), input, CLAIM);
    }

    function test_a_deposit_stays_below_its_ceiling() public {
        cash.mint(address(0xbeef), 20);
        vm.prank(address(0xbeef));
        cash.approve(address(vault), 20);
        bytes memory input = abi.encodeCall(vault.deposit, (0, 10, address(0xa11ce), 0));
        withinCeiling("deposit", _cold, address(vault), input, DEPOSIT);
    }
}

/// @dev Seven signers, 18 feeds.
contract OracleGasTest is Oracles, GasCeiling {
    uint256 private constant SUBMIT = 224_000;
    uint256 private constant SUBMIT_LATE = 190_500;
    uint16 private constant FEEDS = 18;

    address[] private _cold;
    int64[] private _medians;

    function setUp() public {
        deployHub(FEEDS);
        _cold.push(address(hub));
        for (uint256 f = 0; f < FEEDS; ++f) {
            _medians.push(int64(uint64(1e8 + f)));
        }
        report(1, uint64(START * 1e9), _medians);
    }

    function test_a_report_stays_below_its_ceiling() public {
        (uint64 time, bytes[] memory values, bytes[] memory signatures) = next();
        bytes memory input = abi.encodeCall(hub.submit, (2, time, values, signatures));
        withinCeiling("submit", _cold, address(hub), input, SUBMIT);
    }

    function test_a_late_report_stays_below_its_ceiling() public {
        (uint64 time, bytes[] memory values, bytes[] memory signatures) = next();
        Report memory base = Report(1, uint64(START * 1e9), pack(_medians));
        bytes memory input = abi.encodeCall(hub.submitLate, (base, 2, time, values, signatures));
        withinCeiling("submitLate", _cold, address(hub), input, SUBMIT_LATE);
    }

    function next()
        private
        view
        returns (uint64 time, bytes[] memory values, bytes[] memory signatures)
    {
        time = uint64(START * 1e9) + 1;
        values = new bytes[](ORACLES);
        for (uint256 i = 0; i < ORACLES; ++i) {
            values[i] = still(pack(_medians));
        }
        signatures = signAll(2, time, values);
    }
}
