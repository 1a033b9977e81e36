// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {Settlement} from "../../../contracts/settlement/Settlement.sol";
import {BatchHeader, BatchStatus} from "../../../contracts/types/Batch.sol";
import {InboxEntry} from "../../../contracts/types/Inbox.sol";
import {SettlementRig} from "./SettlementRig.sol";
import {vm} from "./Vm.sol";
import {Bug, PlantedSettlement} from "./planted/PlantedSettlement.sol";

/// @dev Drives the chain of batches with random calls, right and wrong. It keeps its own chain and
/// says of each call, before it is made, whether it must go through.
contract SettlementHandler is SettlementRig {
    struct Ghost {
        bytes header;
        bytes32 hash;
        uint256 committedAt;
        uint256 delay;
        uint256 challenges;
        bool isProven;
    }

    address private constant OWNER = address(0xa11ce);
    uint256 private constant FLAWS = 9;

    Bug private immutable _bug;
    uint256 public wrongs; // calls that went through and must not; must stay 0
    uint256 public stuck; // calls that were refused and must not; must stay 0
    uint256 public frozenAt;
    uint256 public finalised;
    bytes32[] public finals;
    Ghost[] private _chain;
    uint256[] private _entries; // when each was enqueued
    BatchHeader private _dropped;
    uint256 private _lastFinal;
    uint256 private _repairNo;
    uint256 private _repairSince;
    uint256 private _salt;
    mapping(uint256 place => uint256) private _notBefore; // of the ring

    constructor(Bug bug) {
        _bug = bug;
        deployRig();
    }

    function makeSettlement(ISettlement.Config memory made) internal override returns (Settlement) {
        return new PlantedSettlement(_bug, made);
    }

    // --- what the invariants look at ---

    function target() external view returns (Settlement) {
        return settlement;
    }

    function length() public view returns (uint256) {
        return _chain.length;
    }

    function headerAt(uint256 place) public view returns (BatchHeader memory) {
        return abi.decode(_chain[place].header, (BatchHeader));
    }

    function hashAt(uint256 place) external view returns (bytes32) {
        return _chain[place].hash;
    }

    function statusAt(uint256 place) external view returns (BatchStatus) {
        if (place < finalised) return BatchStatus.FINALIZED;
        if (_chain[place].challenges != 0) return BatchStatus.CHALLENGED;
        return _chain[place].isProven ? BatchStatus.PROVEN : BatchStatus.COMMITTED;
    }

    // --- steps ---

    function wait(uint256 time) external {
        vm.warp(block.timestamp + 1 + time % 300);
        vm.roll(block.number + 1);
    }

    function deposit() external {
        if (frozenAt != 0) return;
        depositFor(cash, 0, OWNER, 5);
        _entries.push(block.timestamp);
    }

    function commitNext(uint256 take) external {
        BatchHeader memory header = next(take);
        bool isRight = frozenAt == 0 && _chain.length - finalised < MAX_OPEN;
        if (send(header, isRight)) {
            uint256 place = _chain.length % (MAX_OPEN + 1);
            uint256 time = block.timestamp;
            if (_notBefore[place] > time) time = _notBefore[place];
            _notBefore[place] = 0;
            _chain.push(Ghost(abi.encode(header), hashOf(header), time, 0, 0, false));
        }
    }

    function commitWrong(uint256 flaw) external {
        BatchHeader memory header = next(type(uint256).max);
        flaw %= FLAWS;
        if (flaw == 0) header.batchNo += 1;
        if (flaw == 1) header.batchNo -= 1;
        if (flaw == 2) header.prevBatchHash ^= bytes32(uint256(1));
        if (flaw == 3) header.prevStateRoot ^= bytes32(uint256(1));
        if (flaw == 4) header.inboxPrefixHash ^= bytes32(uint256(1));
        if (flaw == 5) header.sequencerEpoch += 1;
        if (flaw == 6) (header.timeStart, header.timeEnd) = (header.timeEnd + 1, header.timeEnd);
        if (flaw == 7) {
            if (_entries.length == header.inboxFrom) return;
            header.inboxFrom += 1; // leaves one out
            header.inboxTo = uint64(_entries.length);
            header.inboxPrefixHash = inbox.prefixAt(header.inboxTo);
        }
        if (flaw == 8) {
            if (_dropped.prevBatchHash == header.prevBatchHash) return; // nothing came between
            header = _dropped;
        }
        send(header, false);
    }

    function prove(uint256 place) external {
        if (!hasOpen()) return;
        place = openAt(place);
        BatchHeader memory header = headerAt(place);
        bytes memory call = abi.encodeCall(settlement.prove, (header, proofOf(_chain[place].hash)));
        if (attempt(address(this), call, !_chain[place].isProven)) _chain[place].isProven = true;
    }

    function finalise(uint256 place, bool hasProof) external {
        if (!hasOpen()) return;
        place = openAt(place);
        Ghost memory ghost = _chain[place];
        bytes memory proof = hasProof ? proofOf(ghost.hash) : bytes("");
        bytes memory call = abi.encodeCall(
            settlement.finalise, (headerAt(place), totals, sums(), EXIT_ROOT, proof)
        );
        bool isDue = place == finalised && ghost.challenges == 0 && (ghost.isProven || hasProof)
            && block.timestamp >= windowEnd(ghost);
        if (!attempt(address(this), call, isDue)) return;
        finalised = place + 1;
        finals.push(ghost.hash);
        _lastFinal = block.timestamp;
        if (place + 1 >= _repairNo) _repairSince = 0;
    }

    function rollback(uint256 place) external {
        if (!hasOpen()) return;
        place = openAt(place);
        bool isFree = true;
        for (uint256 i = place; i < _chain.length; ++i) {
            if (_chain[i].challenges != 0) isFree = false;
        }
        bytes memory call = abi.encodeCall(settlement.rollback, (headerAt(place)));
        if (attempt(vm.addr(SEQUENCER_KEY), call, isFree)) drop(place);
    }

    function begin(uint256 place) external {
        if (!hasOpen()) return;
        place = openAt(place);
        Ghost storage ghost = _chain[place];
        bytes memory call =
            abi.encodeCall(settlement.beginChallenge, (uint64(place + 1), ghost.hash));
        if (attempt(COURT, call, block.timestamp < windowEnd(ghost))) ghost.challenges += 1;
    }

    function end(uint256 place, uint64 spent) external {
        if (!hasOpen()) return;
        Ghost storage ghost = _chain[openAt(place)];
        if (ghost.challenges == 0) return;
        spent %= 60;
        bytes memory call =
            abi.encodeCall(settlement.endChallenge, (uint64(openAt(place) + 1), ghost.hash, spent));
        attempt(COURT, call, true);
        ghost.challenges -= 1;
        ghost.delay += spent;
        if (ghost.delay > MAX_EXTENSION) ghost.delay = MAX_EXTENSION;
    }

    function uphold(uint256 place) external {
        if (!hasOpen()) return;
        place = openAt(place);
        bytes memory call = abi.encodeCall(settlement.revertChallenged, (headerAt(place)));
        if (!attempt(COURT, call, _chain[place].challenges != 0)) return;
        if (_repairSince == 0) (_repairNo, _repairSince) = (place + 1, block.timestamp);
        drop(place);
    }

    function freezeForEntry(bool isFinal) external {
        uint256 cursor = isFinal ? cursorOf(finalised) : cursorOf(_chain.length);
        if (cursor == _entries.length) return;
        uint256 since = _entries[cursor];
        uint256 until = since + FORCED_DEADLINE;
        bytes memory call = abi.encodeCall(settlement.freezeCensored, (entryAt(cursor)));
        if (isFinal) {
            uint256 last = _lastFinal < until ? _lastFinal : until;
            until = (since > last ? since : last) + LIVENESS;
            call = abi.encodeCall(settlement.freezeUnserved, (entryAt(cursor)));
        }
        freeze(call, block.timestamp > until);
    }

    function freezeForBatch() external {
        bool isDue = false;
        if (hasOpen()) {
            uint256 since = _chain[finalised].committedAt;
            if (_lastFinal > since) since = _lastFinal;
            isDue = block.timestamp > since + LIVENESS;
        }
        freeze(abi.encodeCall(settlement.freezeStalled, ()), isDue);
    }

    function freezeForFault() external {
        bool isDue = _repairSince != 0 && block.timestamp > _repairSince + REPAIR_TIME;
        freeze(abi.encodeCall(settlement.freezeUnrepaired, ()), isDue);
    }

    // --- the books ---

    function freeze(bytes memory call, bool isDue) private {
        if (!attempt(address(0xf00), call, isDue && frozenAt == 0)) return;
        frozenAt = block.timestamp;
        if (hasOpen()) drop(finalised);
    }

    function drop(uint256 place) private {
        _dropped = headerAt(place);
        while (_chain.length > place) {
            Ghost storage last = _chain[_chain.length - 1];
            uint256 next_ = (_chain.length - 1) % (MAX_OPEN + 1);
            _notBefore[next_] = last.challenges == 0 ? 0 : last.committedAt + 1;
            _chain.pop();
        }
    }

    function next(uint256 take) private returns (BatchHeader memory header) {
        header = nextHeader();
        uint256 waiting = _entries.length - header.inboxFrom;
        if (take < type(uint256).max) waiting = take % (waiting + 1);
        header.inboxTo = header.inboxFrom + uint64(waiting);
        header.inboxPrefixHash = inbox.prefixAt(header.inboxTo);
        header.stateRoot = keccak256(abi.encode("state", ++_salt));
    }

    function send(BatchHeader memory header, bool isRight) private returns (bool) {
        bytes memory call = abi.encodeCall(settlement.commit, (header, signatureOf(header), LOG));
        return attempt(RELAYER, call, isRight);
    }

    function attempt(address from, bytes memory call, bool isRight) private returns (bool done) {
        vm.prank(from, from);
        (done,) = address(settlement).call(call);
        if (done && !isRight) wrongs += 1;
        if (!done && isRight) stuck += 1;
    }

    function hasOpen() private view returns (bool) {
        return _chain.length != finalised;
    }

    function openAt(uint256 place) private view returns (uint256) {
        return finalised + place % (_chain.length - finalised);
    }

    function cursorOf(uint256 count) public view returns (uint256) {
        return count == 0 ? 0 : headerAt(count - 1).inboxTo;
    }

    function windowEnd(Ghost memory ghost) private pure returns (uint256) {
        return ghost.committedAt + WINDOW + ghost.delay;
    }

    function entryAt(uint256 place) private view returns (InboxEntry memory) {
        return InboxEntry(1, uint64(place + 1), uint64(_entries[place]), OWNER, 0, 0, 5, address(0));
    }
}
