// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {BatchHeader, Output} from "../../../contracts/types/Batch.sol";
import {ExitLeaf} from "../../../contracts/types/Checkpoint.sol";
import {InboxEntry} from "../../../contracts/types/Inbox.sol";
import {CheckpointTree} from "./CheckpointTree.sol";
import {CustodyGhost} from "./CustodyGhost.sol";
import {CustodyRig} from "./CustodyRig.sol";
import {PlainToken} from "./HostileTokens.sol";
import {OutputTree} from "./SettlementRig.sol";
import {vm} from "./Vm.sol";

/// @dev Drives vault, inbox, settlement and exit with random calls, right and hostile, and tells
/// its ghost about each what the rules say.
contract CustodyHandler is CustodyRig, CustodyGhost {
    uint256 private constant MOST_OUTPUTS = 4;

    Output[] private _pending;
    BatchHeader[] private _open;
    Ledger[] private _openBooks;
    BatchHeader[] private _final;
    mapping(uint64 batchNo => Output[]) private _outputs;
    bool private _isStarted;

    constructor() {
        deployCustody();
    }

    // --- what the invariants look at ---

    function tokenOf(uint8 asset) public view returns (PlainToken) {
        return asset == 0 ? cash : collateral;
    }

    /// @dev Token units in an engine unit: cash has 6 decimals, the collateral 18.
    function unitOf(uint8 asset) public pure returns (uint256) {
        return asset == 0 ? 1 : 1e10;
    }

    function vaultBalance(uint8 asset) external view returns (uint256) {
        return tokenOf(asset).balanceOf(address(vault));
    }

    function bookedBalance(uint8 asset) public view returns (uint256) {
        return vault.bookedBalance(asset);
    }

    function inboxEnd() external view returns (uint64, bytes32) {
        return (inbox.count(), inbox.prefixAt(inbox.count()));
    }

    // --- a living venue ---

    function deposit(uint256 user, uint8 asset, uint256 units) public {
        (user, asset) = (user % USERS, asset % 2);
        units = 1 + units % 1e10;
        uint256 amount = units * unitOf(asset);
        tokenOf(asset).mint(address(this), amount);
        tokenOf(asset).approve(address(vault), amount);
        bytes memory call =
            abi.encodeCall(vault.deposit, (asset, amount, userAt(user), uint8(user)));
        if (!_expect(address(vault), call, !isOver)) return;
        paidIn[user][asset] += units;
        enqueued(
            InboxEntry(
                1,
                uint64(entries.length + 1),
                uint64(block.timestamp),
                userAt(user),
                uint8(user),
                asset,
                uint128(units),
                address(0)
            )
        );
    }

    function force(uint256 user) public {
        user %= USERS;
        vm.prank(userAt(user));
        if (!_expect(address(inbox), abi.encodeCall(inbox.forceCancelAll, (uint8(user))), !isOver))
        {
            return;
        }
        uint64 index = uint64(entries.length + 1);
        uint64 time = uint64(block.timestamp);
        enqueued(InboxEntry(3, index, time, userAt(user), uint8(user), 0, 0, address(0)));
    }

    /// @dev One gains what another loses, which may be more than he has.
    function trade(uint256 winner, uint256 loser, uint256 gainE6) external {
        int256 gain = int256(gainE6 % 1e9);
        current.cashE6[winner % USERS] += gain;
        current.cashE6[loser % USERS] -= gain;
    }

    function withdraw(uint256 user, uint8 asset, uint256 units) external {
        (user, asset) = (user % USERS, asset % 2);
        int256 money = current.cashE6[user];
        uint256 free = asset == 1 ? current.heldE8[user] : money > 0 ? uint256(money) : 0;
        // Profit that no loser can pay is not to be had.
        uint256 inside = current.deposited[asset] - current.withdrawn[asset];
        if (free > inside) free = inside;
        if (free == 0 || _pending.length == MOST_OUTPUTS || isOver) return;
        units = 1 + units % free;
        if (asset == 0) current.cashE6[user] -= int256(units);
        else current.heldE8[user] -= units;
        current.withdrawn[asset] += units;
        lastId += 1;
        _pending.push(Output(lastId, uint32(user), userAt(user), asset, uint128(units)));
    }

    function commitBatch() public {
        if (isOver || _open.length == MAX_OPEN) return;
        consumeAll();
        Ledger memory book = current;
        BatchHeader memory header = nextHeader();
        header.checkpointRoot = CheckpointTree.checkpointRoot(CheckpointTree.root(leavesOf(book)));
        header.totalsHash = keccak256(abi.encode(totalsOf(book)));
        header.outputRoot = OutputTree.rootOf(_pending);
        commit(header);
        _open.push(header);
        _openBooks.push(current);
        for (uint256 i = 0; i < _pending.length; ++i) {
            _outputs[header.batchNo].push(_pending[i]);
        }
        delete _pending;
    }

    function finaliseBatch() public {
        if (_open.length == 0) return;
        vm.warp(block.timestamp + WINDOW);
        BatchHeader memory header = _open[0];
        Ledger memory book = _openBooks[0];
        CheckpointTree.Node memory root = CheckpointTree.root(leavesOf(book));
        settlement.finalise(
            header, totalsOf(book), CheckpointTree.sumsOf(root), root.hash, proofOf(hashOf(header))
        );
        last = _openBooks[0];
        _final.push(header);
        Output[] storage put = _outputs[header.batchNo];
        for (uint256 i = 0; i < put.length; ++i) {
            unclaimed[put[i].asset] += put[i].amount;
        }
        for (uint256 i = 1; i < _open.length; ++i) {
            _open[i - 1] = _open[i];
            _openBooks[i - 1] = _openBooks[i];
        }
        _open.pop();
        _openBooks.pop();
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + time % 2000);
    }

    /// @dev Not always, since the rest of a run is the way out.
    function freeze(uint256 chance) external {
        if (chance % 4 == 0) freezeNow();
    }

    function freezeNow() public {
        if (isOver) return;
        if (settlement.inboxCursor() == entries.length) force(0);
        vm.warp(block.timestamp + FORCED_DEADLINE + 1);
        settlement.freezeCensored(entries[settlement.inboxCursor()]);
        isOver = true;
        current = last;
        delete _open;
        delete _openBooks;
        delete _pending;
    }

    // --- payments: any of them at any time, made already or not ---

    function claim(uint256 batch, uint256 index) public {
        if (_final.length == 0) return;
        BatchHeader memory header = _final[batch % _final.length];
        Output[] memory outputs = _outputs[header.batchNo];
        if (outputs.length == 0) return;
        index %= outputs.length;
        Output memory output = outputs[index];
        bytes32[] memory proof = OutputTree.proofOf(outputs, index);
        bool can = timesPaid[output.id] == 0 && _mayLeave(output.asset, output.amount);
        bytes memory call = abi.encodeCall(settlement.claim, (header, output, index, proof));
        uint256 paid;
        bool done;
        (done, paid) = _pay(address(settlement), call, output.account, output.asset, can);
        if (!done) return;
        timesPaid[output.id] += 1;
        unclaimed[output.asset] -= output.amount;
        deferred[output.account][output.asset] += _less(output.amount, paid);
    }

    function collect(uint256 user, uint8 asset) public {
        (user, asset) = (user % USERS, asset % 2);
        uint256 owed = deferred[user][asset];
        bool can = owed != 0 && _mayLeave(asset, owed);
        bytes memory call = abi.encodeCall(vault.collect, (asset, userAt(user)));
        (bool done, uint256 paid) = _pay(address(vault), call, user, asset, can);
        if (done) deferred[user][asset] = _less(owed, paid);
    }

    function refund(uint256 which) public {
        if (entries.length == 0) return;
        InboxEntry memory entry = entries[which % entries.length];
        bool can = isOver && entry.kind == 1 && entry.index > last.cursor
            && timesRefunded[entry.index] == 0;
        bytes memory call = abi.encodeCall(exit.refund, (entry));
        (bool done,) = _pay(address(exit), call, entry.subaccount, uint8(entry.place), can);
        if (done) timesRefunded[entry.index] += 1;
    }

    function startExits() public {
        if (_final.length == 0) return;
        ExitLeaf[] memory leaves = leavesOf(last);
        CheckpointTree.Node memory root = CheckpointTree.root(leaves);
        bytes memory call = abi.encodeWithSelector(
            exit.start.selector,
            _final[_final.length - 1],
            totalsOf(last),
            CheckpointTree.sumsOf(root),
            root.hash
        );
        if (_expect(address(exit), call, isOver && !_isStarted)) _isStarted = true;
    }

    function leaveVenue(uint256 user, uint8 asset) public {
        (user, asset) = (user % USERS, asset % 2);
        ExitLeaf[] memory leaves = leavesOf(last);
        bytes memory call = abi.encodeCall(
            exit.exit, (leaves[user], CheckpointTree.path(leaves, user), 1 << asset)
        );
        bool can = _isStarted && timesLeft[user][asset] == 0;
        (bool done, uint256 paid) = _pay(address(exit), call, user, asset, can);
        if (!done) return;
        timesLeft[user][asset] += 1;
        exits[user][asset] += paid;
        if (paid != dueTo(user, asset)) mistakes += 1;
    }

    /// @dev L-2, L-3: with limits that let nothing pass, everyone leaves in an order of the seed.
    function everyoneLeaves(uint256 seed) external {
        freezeNow();
        limits.setOutflow(0, 0);
        limits.setPaused(true);
        for (uint256 i = 0; i < entries.length; ++i) {
            if (seed >> i % 256 & 1 == 0) refund(i);
        }
        startExits();
        for (uint256 i = 0; i < 2 * USERS; ++i) {
            uint256 place = (i + seed % 8) % (2 * USERS);
            leaveVenue(place / 2, uint8(place % 2));
        }
        for (uint256 i = 0; i < entries.length; ++i) {
            refund(i);
        }
        for (uint256 batch = 0; batch < _final.length; ++batch) {
            for (uint256 i = 0; i < _outputs[_final[batch].batchNo].length; ++i) {
                claim(batch, i);
            }
        }
        for (uint256 i = 0; i < 2 * USERS; ++i) {
            collect(i / 2, uint8(i % 2));
        }
    }

    // --- hostile steps ---

    function donate(uint8 asset, uint64 amount) external {
        asset %= 2;
        tokenOf(asset).mint(address(vault), amount);
        donated[asset] += amount;
    }

    /// @dev Outputs that nobody put out, and outputs of batches that are not final.
    function claimMore(uint256 batch, uint256 user, uint128 amount) external {
        Output memory forged = Output(lastId + 1, 0, userAt(user % USERS), 0, amount);
        Output[] memory own = new Output[](1);
        own[0] = forged;
        if (_final.length != 0) _claimWith(_final[batch % _final.length], own);
        if (_open.length != 0) {
            BatchHeader memory header = _open[batch % _open.length];
            if (_outputs[header.batchNo].length != 0) {
                _claimWith(header, _outputs[header.batchNo]);
            }
        }
    }

    function _claimWith(BatchHeader memory header, Output[] memory outputs) private {
        bytes32[] memory proof = OutputTree.proofOf(outputs, 0);
        bytes memory call = abi.encodeCall(settlement.claim, (header, outputs[0], 0, proof));
        _intrude(address(settlement), call);
    }

    function intrude(uint256 user, uint8 asset, uint128 amount) external {
        (user, asset) = (user % USERS, asset % 2);
        address to = userAt(user);
        _intrude(address(vault), abi.encodeCall(vault.release, (asset, to, amount)));
        _intrude(address(inbox), abi.encodeCall(inbox.push, (to, 0, asset, amount)));
        uint256 held = tokenOf(asset).balanceOf(address(vault));
        bytes memory pull = abi.encodeCall(IERC20.transferFrom, (address(vault), to, held / 2 + 1));
        _intrude(address(tokenOf(asset)), pull);
        ExitLeaf[] memory leaves = leavesOf(last);
        bytes memory path = CheckpointTree.path(leaves, user);
        leaves[user].equityE6 += 1 + amount % 1e9;
        _intrude(address(exit), abi.encodeCall(exit.exit, (leaves[user], path, 1)));
    }

    /// @dev A vault that pays too much is for the checks to see.
    function _less(uint256 owed, uint256 paid) private pure returns (uint256) {
        return owed > paid ? owed - paid : 0;
    }

    function _intrude(address target, bytes memory data) private {
        (bool done,) = target.call(data);
        if (done) intrusions += 1;
    }

    /// @dev Counts it as a mistake when the outcome is not the one that the rules say.
    function _expect(address target, bytes memory data, bool can) private returns (bool done) {
        (done,) = target.call(data);
        if (done != can) mistakes += 1;
    }

    function _pay(address target, bytes memory data, uint256 user, uint8 asset, bool can)
        private
        returns (bool done, uint256 paid)
    {
        PlainToken token = tokenOf(asset);
        uint256 before = token.balanceOf(userAt(user));
        uint256 held = bookedBalance(asset);
        done = _expect(target, data, can);
        paid = (token.balanceOf(userAt(user)) - before) / unitOf(asset);
        paidOut[user][asset] += paid;
        noteOutflow(asset, paid, held);
    }

    /// @dev The whole, or a part of what no window would ever pay.
    function _mayLeave(uint8 asset, uint256 units) private view returns (bool) {
        if (isOver) return true;
        (uint256 left, uint256 cap) = windowLeft(asset, bookedBalance(asset));
        return units <= left || (units > cap && left != 0);
    }
}
