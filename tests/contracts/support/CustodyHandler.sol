// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {BatchHeader, Output} from "../../../contracts/types/Batch.sol";
import {PlainToken} from "./HostileTokens.sol";
import {OutputTree, SettlementRig} from "./SettlementRig.sol";
import {vm} from "./Vm.sol";

/// @dev Drives vault, inbox and settlement with random calls, right and hostile, and keeps its own
/// books for each user: they are never read from the contracts under test.
contract CustodyHandler is SettlementRig {
    uint256 public constant USERS = 5;
    uint256 private constant MOST_OUTPUTS = 4;

    mapping(uint256 user => mapping(uint8 asset => uint256)) public paidIn;
    mapping(uint256 user => mapping(uint8 asset => uint256)) public promised;
    mapping(uint256 user => mapping(uint8 asset => uint256)) public paidOut;
    mapping(uint8 asset => uint256) public donated;
    mapping(uint64 id => uint256) public timesPaid;
    uint256 public intrusions; // hostile calls that went through; must stay 0
    uint256 public claims;
    uint64 public lastId;
    uint64 public entries;
    bytes32 public prefix;

    Output[] private _pending;
    BatchHeader[] private _headers;
    mapping(uint64 batchNo => Output[]) private _outputs;

    constructor() {
        deployRig();
    }

    // --- what the invariants look at ---

    function userAt(uint256 user) public pure returns (address) {
        return address(uint160(0xace000 + user));
    }

    function tokenOf(uint8 asset) public view returns (PlainToken) {
        return asset == 0 ? cash : collateral;
    }

    function vaultBalance(uint8 asset) external view returns (uint256) {
        return tokenOf(asset).balanceOf(address(vault));
    }

    function bookedBalance(uint8 asset) external view returns (uint256) {
        return vault.bookedBalance(asset);
    }

    function inboxEnd() external view returns (uint64, bytes32) {
        return (inbox.count(), inbox.prefixAt(inbox.count()));
    }

    // --- honest steps ---

    function deposit(uint256 user, uint8 asset, uint256 amount) external {
        (user, asset) = (user % USERS, asset % 2);
        amount = 1 + amount % (vault.depositLimit(asset) / 1000);
        PlainToken token = tokenOf(asset);
        token.mint(address(this), amount);
        token.approve(address(vault), amount);
        vault.deposit(asset, amount, userAt(user), uint8(user));

        paidIn[user][asset] += amount;
        entries += 1;
        bytes32 entry =
            keccak256(abi.encode(uint256(1), entries, userAt(user), user, asset, amount));
        prefix = keccak256(abi.encode(prefix, entry));
    }

    function withdraw(uint256 user, uint8 asset, uint256 amount) external {
        (user, asset) = (user % USERS, asset % 2);
        uint256 free = paidIn[user][asset] - promised[user][asset];
        if (free == 0 || _pending.length == MOST_OUTPUTS) return;
        amount = 1 + amount % free;
        promised[user][asset] += amount;
        lastId += 1;
        _pending.push(Output(lastId, uint32(user), userAt(user), asset, uint128(amount)));
    }

    function settle() external {
        bytes32 root = OutputTree.rootOf(_pending);
        BatchHeader memory header = settled(root);
        _headers.push(header);
        for (uint256 i = 0; i < _pending.length; ++i) {
            _outputs[header.batchNo].push(_pending[i]);
        }
        delete _pending;
    }

    /// @dev Claims any output of any final batch, paid already or not.
    function claim(uint256 batch, uint256 index) external {
        if (_headers.length == 0) return;
        BatchHeader memory header = _headers[batch % _headers.length];
        Output[] memory outputs = _outputs[header.batchNo];
        if (outputs.length == 0) return;
        index %= outputs.length;
        Output memory output = outputs[index];
        bytes32[] memory proof = OutputTree.proofOf(outputs, index);
        bool done = _try(
            address(settlement), abi.encodeCall(settlement.claim, (header, output, index, proof))
        );
        vm.assertTrue(done == (timesPaid[output.id] == 0));
        if (done) _paid(output);
    }

    // --- hostile steps ---

    function donate(uint8 asset, uint64 amount) external {
        asset %= 2;
        tokenOf(asset).mint(address(vault), amount);
        donated[asset] += amount;
    }

    function claimMore(uint256 batch, uint256 user, uint128 amount) external {
        if (_headers.length == 0) return;
        BatchHeader memory header = _headers[batch % _headers.length];
        Output[] memory outputs = _outputs[header.batchNo];
        if (outputs.length == 0) return;
        bytes32[] memory proof = OutputTree.proofOf(outputs, 0);
        Output memory forged = outputs[0];
        (forged.id, forged.owner) = (lastId + 1, userAt(user % USERS));
        forged.amount = amount;
        _intrude(address(settlement), abi.encodeCall(settlement.claim, (header, forged, 0, proof)));
    }

    /// @dev The output is signed and committed, but its window is still open.
    function claimEarly(uint256 amount) external {
        Output[] memory outputs = new Output[](1);
        outputs[0] = Output(lastId + 1, 0, userAt(0), 0, uint128(1 + amount % 1000));
        BatchHeader memory header = nextHeader();
        header.outputRoot = OutputTree.rootOf(outputs);
        commit(header);
        bytes memory call =
            abi.encodeCall(settlement.claim, (header, outputs[0], 0, new bytes32[](0)));
        _intrude(address(settlement), call);
        vm.warp(block.timestamp + WINDOW);
        finalise(header);
    }

    function intrude(uint256 user, uint8 asset, uint128 amount) external {
        address to = userAt(user % USERS);
        _intrude(address(vault), abi.encodeCall(vault.release, (asset % 2, to, amount)));
        _intrude(address(inbox), abi.encodeCall(inbox.push, (to, 0, asset % 2, amount)));
        uint256 held = tokenOf(asset % 2).balanceOf(address(vault));
        bytes memory pull = abi.encodeCall(IERC20.transferFrom, (address(vault), to, held / 2 + 1));
        _intrude(address(tokenOf(asset % 2)), pull);
    }

    function _intrude(address target, bytes memory data) private {
        if (_try(target, data)) intrusions += 1;
    }

    function _try(address target, bytes memory data) private returns (bool done) {
        (done,) = target.call(data);
    }

    function _paid(Output memory output) private {
        timesPaid[output.id] += 1;
        claims += 1;
        paidOut[output.account][output.asset] += output.amount;
    }
}
