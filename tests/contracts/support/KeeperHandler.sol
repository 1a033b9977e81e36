// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestedVerifier} from "../../../contracts/proof/AttestedVerifier.sol";
import {Totals} from "../../../contracts/types/Batch.sol";
import {ExitSums} from "../../../contracts/types/Checkpoint.sol";
import {LiquidationVenue} from "./LiquidationVenue.sol";
import {vm} from "./Vm.sol";

/// @dev Drives liquidation manager, settlement and fund with random calls; keeps its own books of
/// who is owed what for which batch. A batch that takes the number of a dropped one is another.
contract KeeperHandler is LiquidationVenue {
    enum Fate {
        OPEN,
        FINAL,
        DEAD
    }

    uint256 public constant KEEPERS = 3;
    uint256 private constant ATTESTOR_KEY = 0xA77E;
    uint256 private constant MOST_OPEN = 4;

    uint64 public finalised;
    uint256 public funded = 1000e6;
    uint256 public paidOut;
    uint256 public early; // fees of batches that are not final that were paid; must stay 0
    uint256 public lost; // fees of batches that may be final that were freed; must stay 0
    uint256 public doubles; // second verifications that went through; must stay 0
    uint256 public unverified; // batches that became final without a verification; must stay 0
    uint256 public refusals;
    mapping(uint256 batch => uint256) public timesVerified;
    mapping(uint256 batch => Fate) public fates;
    mapping(uint256 batch => mapping(uint256 keeper => uint256)) public owed;

    /// @dev Every batch that ever was, and which of them the chain consists of.
    bytes[] private _cases;
    uint256[] private _chain;
    AttestedVerifier private _verifier;

    constructor() {
        deployVenue();
        address[] memory attestors = new address[](1);
        attestors[0] = vm.addr(ATTESTOR_KEY);
        _verifier = new AttestedVerifier(attestors, 1);
        router.register(0, address(_verifier), false);
    }

    function keeperAt(uint256 keeper) public pure returns (address) {
        return address(uint160(0xcee9e4000 + keeper));
    }

    function batches() external view returns (uint256) {
        return _cases.length;
    }

    function fundState() external view returns (uint256 held, uint256 owed_, uint256 reserve) {
        return (cash.balanceOf(address(fund)), fund.owedToKeepersE6(), fund.reserveE6());
    }

    function creditAt(uint256 batch, uint256 keeper) external view returns (uint256) {
        return credited(caseOf(batch), keeperAt(keeper));
    }

    // --- steps ---

    function commitBatch() external {
        if (_chain.length - finalised == MOST_OPEN) return;
        Case memory c = fullCase(2);
        c.instruction.id = uint64(_cases.length) + 1;
        c.witness.index = 0;
        sealColumns(c);
        sealEpoch(c);
        sealAccount(c);
        c.witness.instructionProof = new bytes32[](0);
        c.header.liquidationRoot = keccak256(abi.encode(c.instruction));
        c.header.liquidationCount = 1;
        Totals memory totals;
        c.header.totalsHash = keccak256(abi.encode(totals));
        sealHeader(c);
        _chain.push(_cases.length);
        _cases.push(abi.encode(c));
    }

    function rollback(uint256 place) external {
        uint256 open = _chain.length - finalised;
        if (open == 0) return;
        place = finalised + place % open;
        Case memory c = caseOf(_chain[place]);
        vm.prank(vm.addr(SEQUENCER_KEY));
        settlement.rollback(c.header);
        while (_chain.length > place) {
            fates[_chain[_chain.length - 1]] = Fate.DEAD;
            _chain.pop();
        }
    }

    function verifyOne(uint256 batch, uint256 keeper) external {
        if (_cases.length == 0) return;
        (batch, keeper) = (batch % _cases.length, keeper % KEEPERS);
        Case memory c = caseOf(batch);
        bytes memory call = abi.encodeCall(manager.verify, (c.header, c.instruction, c.witness));
        uint256 free = funded - paidOut - allOwed();
        vm.prank(keeperAt(keeper));
        (bool done,) = address(manager).call(call);
        if (!done) {
            refusals += 1;
            return;
        }
        if (timesVerified[batch] != 0) doubles += 1;
        timesVerified[batch] += 1;
        owed[batch][keeper] += free < KEEPER_FEE_E6 ? free : KEEPER_FEE_E6;
    }

    function finaliseNext() external {
        if (finalised == _chain.length) return;
        uint256 batch = _chain[finalised];
        Case memory c = caseOf(batch);
        vm.warp(block.timestamp + 600);
        bytes[] memory signatures = new bytes[](1);
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(ATTESTOR_KEY, _verifier.attestationDigest(hasher.hash(c.header)));
        signatures[0] = abi.encodePacked(r, s, v);
        Totals memory totals;
        ExitSums memory sums;
        bytes memory proof = abi.encode(signatures);
        (bool done,) = address(settlement)
            .call(abi.encodeCall(settlement.finalise, (c.header, totals, sums, 0, proof)));
        if (!done) {
            refusals += 1;
            return;
        }
        if (timesVerified[batch] == 0) unverified += 1;
        fates[batch] = Fate.FINAL;
        finalised += 1;
    }

    function claim(uint256 batch, uint256 keeper) external {
        if (_cases.length == 0) return;
        (batch, keeper) = (batch % _cases.length, keeper % KEEPERS);
        uint64[] memory list = new uint64[](1);
        list[0] = caseOf(batch).header.batchNo;
        uint256 before = cash.balanceOf(keeperAt(keeper));
        vm.prank(keeperAt(keeper));
        (bool done,) = address(fund).call(abi.encodeCall(fund.claimKeeperFees, (list)));
        if (!done) return;
        if (list[0] > finalised) early += 1;
        uint256 paid = cash.balanceOf(keeperAt(keeper)) - before;
        uint256 standing = _chain[list[0] - 1];
        vm.assertEq(paid, owed[standing][keeper]);
        paidOut += paid;
        owed[standing][keeper] = 0;
    }

    function release(uint256 batch, uint256 keeper) external {
        if (_cases.length == 0) return;
        (batch, keeper) = (batch % _cases.length, keeper % KEEPERS);
        bytes32 hash = hasher.hash(caseOf(batch).header);
        (bool done,) =
            address(fund).call(abi.encodeCall(fund.releaseDead, (hash, keeperAt(keeper))));
        if (!done) return;
        if (fates[batch] != Fate.DEAD) lost += 1;
        owed[batch][keeper] = 0;
    }

    function addToReserve(uint64 amount) external {
        amount %= 20e6;
        cash.mint(address(fund), amount);
        funded += amount;
    }

    /// @dev Leaves a few fees in a fund that nobody but keepers may draw on.
    function drain(uint64 rest) external {
        uint256 free = fund.reserveE6();
        rest %= 12e6;
        if (free <= rest) return;
        vm.prank(address(fund));
        cash.transfer(address(1), free - rest);
        funded -= free - rest;
    }

    function allOwed() public view returns (uint256 sum) {
        for (uint256 batch = 0; batch < _cases.length; ++batch) {
            for (uint256 k = 0; k < KEEPERS; ++k) {
                sum += owed[batch][k];
            }
        }
    }

    function caseOf(uint256 batch) private view returns (Case memory) {
        return abi.decode(_cases[batch], (Case));
    }
}
