// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestedVerifier} from "../../../contracts/proof/AttestedVerifier.sol";
import {Totals} from "../../../contracts/types/Batch.sol";
import {LiquidationVenue} from "./LiquidationVenue.sol";
import {vm} from "./Vm.sol";

/// @dev Drives liquidation manager, settlement and fund with random calls; keeps its own books of
/// who is owed what for which batch.
contract KeeperHandler is LiquidationVenue {
    uint256 public constant KEEPERS = 3;
    uint256 private constant ATTESTOR_KEY = 0xA77E;
    uint256 private constant MOST_OPEN = 4;

    uint64 public head;
    uint64 public finalised;
    uint256 public funded = 1000e6;
    uint256 public paidOut;
    uint256 public early; // fees of open batches that were paid out; must stay 0
    uint256 public doubles; // second verifications that went through; must stay 0
    uint256 public refusals;
    mapping(uint64 batchNo => uint256) public timesVerified;
    mapping(uint256 keeper => uint256) public owed;

    mapping(uint256 keeper => uint64) private _newest;
    mapping(uint64 batchNo => bytes) private _cases;
    AttestedVerifier private _verifier;

    constructor() {
        deployVenue();
        address[] memory attestors = new address[](1);
        attestors[0] = vm.addr(ATTESTOR_KEY);
        _verifier = new AttestedVerifier(attestors, 1);
        router.register(0, address(_verifier));
    }

    function keeperAt(uint256 keeper) public pure returns (address) {
        return address(uint160(0xcee9e4000 + keeper));
    }

    function fundState() external view returns (uint256 held, uint256 owed_, uint256 reserve) {
        return (cash.balanceOf(address(fund)), fund.owedToKeepersE6(), fund.reserveE6());
    }

    function creditAt(uint256 keeper) external view returns (uint256) {
        return credited(keeperAt(keeper));
    }

    // --- steps ---

    function commitBatch() external {
        if (head - finalised == MOST_OPEN) return;
        Case memory c = fullCase(2);
        c.instruction.id = head + 1;
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
        head += 1;
        _cases[head] = abi.encode(c);
    }

    function verifyOne(uint64 batch, uint256 keeper) external {
        if (head == 0) return;
        (batch, keeper) = (1 + batch % head, keeper % KEEPERS);
        Case memory c = abi.decode(_cases[batch], (Case));
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
        owed[keeper] += free < KEEPER_FEE_E6 ? free : KEEPER_FEE_E6;
        if (batch > _newest[keeper]) _newest[keeper] = batch;
    }

    function finaliseNext() external {
        if (finalised == head || timesVerified[finalised + 1] == 0) return;
        Case memory c = abi.decode(_cases[finalised + 1], (Case));
        vm.warp(block.timestamp + 600);
        Totals memory totals;
        bytes[] memory signatures = new bytes[](1);
        bytes32 digest_ = _verifier.attestationDigest(hasher.hash(c.header));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ATTESTOR_KEY, digest_);
        signatures[0] = abi.encodePacked(r, s, v);
        settlement.finalise(c.header, totals, abi.encode(signatures));
        finalised += 1;
    }

    function claim(uint256 keeper) external {
        keeper %= KEEPERS;
        uint256 before = cash.balanceOf(keeperAt(keeper));
        vm.prank(keeperAt(keeper));
        (bool done,) = address(fund).call(abi.encodeCall(fund.claimKeeperFees, ()));
        if (!done) return;
        if (_newest[keeper] > finalised) early += 1;
        uint256 paid = cash.balanceOf(keeperAt(keeper)) - before;
        vm.assertEq(paid, owed[keeper]);
        paidOut += paid;
        owed[keeper] = 0;
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
        for (uint256 k = 0; k < KEEPERS; ++k) {
            sum += owed[k];
        }
    }
}
