// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernedLimits} from "../../../contracts/interfaces/IGovernedLimits.sol";
import {IGuardian} from "../../../contracts/interfaces/IGuardian.sol";
import {IRiskParameters} from "../../../contracts/interfaces/IRiskParameters.sol";
import {Terms} from "../../../contracts/types/Liquidation.sol";
import {GovernanceGhost} from "./GovernanceGhost.sol";
import {vm} from "./Vm.sol";

/// @dev Every role of governance at random: proposals that wait, are executed, cancelled or
/// forgotten, the guardian's brake, the risk setter's steps, and calls by those who may not.
contract GovernanceHandler is GovernanceGhost {
    uint256 private constant MOST = 48;

    struct Proposal {
        address target;
        bytes data;
        uint256 madeAt;
        bool isOver; // executed or cancelled
    }

    uint256 public executed;
    uint256 public tightened;
    uint256 public braked;
    uint256 public cancelled;

    Proposal[] private _proposals;

    /// @dev Not in the constructor, so that a planted bug can be told first.
    function start() public {
        deployGovernance();
        startGhost();
        observe();
    }

    function pass(uint32 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 2 days);
        observe();
    }

    function proposeCap(uint8 asset, uint96 target, bool waits) external {
        target %= 1e15;
        bytes memory data =
            abi.encodeCall(IGovernedLimits.setDepositCap, (uint8(asset % ASSETS), target));
        announce(address(limits), data, waits);
    }

    function proposeOutflow(uint8 asset, uint96 floor, uint32 share, bool waits) external {
        floor = 1 + floor % 1e13;
        share = 50_000 + share % 950_001;
        bytes memory data =
            abi.encodeCall(IGovernedLimits.setOutflowLimit, (uint8(asset % ASSETS), floor, share));
        announce(address(limits), data, waits);
    }

    function proposeTerms(uint256 term, uint32 value, bytes32 document, bool waits) external {
        Terms memory t = withTerm(term, value, 300_000);
        bytes memory data =
            abi.encodeCall(IRiskParameters.adopt, (t, "curves", "listing", document));
        announce(address(parameters), data, waits);
    }

    /// @dev Anyone, at any time: what happens must have been announced long enough ago.
    function execute(uint256 which) external {
        if (_proposals.length == 0) return;
        executeOne(which % _proposals.length);
        observe();
    }

    function cancel(uint256 which, bool byGuardian) external {
        if (_proposals.length == 0) return;
        Proposal storage p = _proposals[which % _proposals.length];
        bytes32 id = timelock.hashOperation(p.target, 0, p.data, 0, salt(p.data));
        vm.prank(byGuardian ? HOLDER : PROPOSER);
        (bool done,) = (byGuardian ? address(guardian) : address(timelock))
        .call(abi.encodeCall(IGuardian.cancel, (id)));
        if (done) (p.isOver, cancelled) = (true, cancelled + 1);
        observe();
    }

    /// @dev The guardian may lower a cap and pause: nothing it does raises one.
    function brake(uint8 kind, uint8 asset, uint128 cap, uint32 share, uint32 seconds_) external {
        uint64 until = uint64(block.timestamp) + seconds_ % uint32(LONGEST + 2);
        asset %= uint8(ASSETS);
        bytes memory data = abi.encodeCall(IGuardian.pauseDeposits, (until));
        if (kind % 3 == 1) {
            data = abi.encodeCall(IGuardian.lowerDepositCap, (asset, cap % 1e15, until));
        }
        if (kind % 3 == 2) {
            share = 249_000 + share % 752_000;
            data = abi.encodeCall(IGuardian.lowerOutflowCap, (asset, share, until));
        }
        uint256[] memory before = allCaps();
        vm.prank(HOLDER);
        (bool done,) = address(guardian).call(data);
        if (done) braked += 1;
        uint256[] memory now_ = allCaps();
        for (uint256 i = 0; i < now_.length; ++i) {
            if (now_[i] > before[i]) violations["G-1 guardian"] += 1;
        }
        observe();
    }

    function tighten(uint256 term, uint32 value, bool isSmall) external {
        Terms memory t = withTerm(term, value, isSmall ? MAX_STEP_E6 : 1_000_000);
        vm.prank(RISK_SETTER);
        (bool done,) = address(parameters).call(abi.encodeCall(IRiskParameters.tighten, (t)));
        if (done) {
            ghostTighten(t);
            tightened += 1;
        }
        observe();
    }

    /// @dev Those who may not: everyone but the timelock, the guardian and the risk setter.
    function intrude(uint8 who, uint8 what, uint8 asset) external {
        address[3] memory others = [STRANGER, PROPOSER, HOLDER];
        uint64 until = uint64(block.timestamp) + 1;
        asset %= uint8(ASSETS);
        bytes[] memory calls = new bytes[](7);
        calls[0] = abi.encodeCall(IGovernedLimits.setDepositCap, (asset, type(uint96).max));
        calls[1] = abi.encodeCall(IGovernedLimits.setOutflowLimit, (asset, 1e20, 1_000_000));
        calls[2] = abi.encodeCall(IGovernedLimits.pauseDeposits, (until));
        calls[3] = abi.encodeCall(IGovernedLimits.lowerOutflowCap, (asset, 300_000, until));
        calls[4] = abi.encodeCall(IRiskParameters.setRiskSetter, (others[who % 3]));
        calls[5] =
            abi.encodeCall(IRiskParameters.adopt, (firstTerms(), "curves", "listing", "intruder"));
        calls[6] = abi.encodeCall(IRiskParameters.tighten, (withTerm(4, 1, 10)));
        what %= 7;
        vm.prank(others[who % 3]);
        (bool done,) = (what < 4 ? address(limits) : address(parameters)).call(calls[what]);
        if (done) violations["intrusion"] += 1;
        observe();
    }

    function announce(address target, bytes memory data, bool waits) private {
        if (_proposals.length >= MOST) return;
        vm.prank(PROPOSER);
        (bool done,) = address(timelock)
            .call(abi.encodeCall(timelock.schedule, (target, 0, data, 0, salt(data), DELAY)));
        if (!done) return; // the same is proposed already
        _proposals.push(Proposal(target, data, block.timestamp, false));
        if (!waits) {
            vm.warp(block.timestamp + DELAY);
            observe();
            executeOne(_proposals.length - 1);
        }
        observe();
    }

    function executeOne(uint256 which) private {
        Proposal storage p = _proposals[which];
        (bool done,) = address(timelock)
            .call(abi.encodeCall(timelock.execute, (p.target, 0, p.data, 0, salt(p.data))));
        if (!done) return;
        // The same call may have been proposed again; the last one is what was executed.
        for (uint256 i = which + 1; i < _proposals.length; ++i) {
            if (salt(_proposals[i].data) == salt(p.data)) p = _proposals[i];
        }
        if (block.timestamp < p.madeAt + DELAY || p.isOver) violations["G-1 early"] += 1;
        if (block.timestamp >= p.madeAt + DELAY + LIFE) violations["G-4"] += 1;
        p.isOver = true;
        executed += 1;
        apply_(p.data);
    }

    function apply_(bytes memory data) private {
        bytes4 selector = bytes4(data);
        bytes memory input = new bytes(data.length - 4);
        for (uint256 i = 0; i < input.length; ++i) {
            input[i] = data[i + 4];
        }
        if (selector == IGovernedLimits.setDepositCap.selector) {
            (uint8 asset, uint96 target) = abi.decode(input, (uint8, uint96));
            ghostCap(asset, target);
        } else if (selector == IGovernedLimits.setOutflowLimit.selector) {
            (uint8 asset, uint96 floor, uint32 share) = abi.decode(input, (uint8, uint96, uint32));
            ghostOutflow(asset, floor, share);
        } else {
            (Terms memory t,,, bytes32 document) =
                abi.decode(input, (Terms, bytes32, bytes32, bytes32));
            ghostAdopt(t, document);
        }
    }

    /// @dev One term of the current ones moved by up to `most` of it, either way.
    function withTerm(uint256 term, uint32 value, uint256 most)
        private
        view
        returns (Terms memory)
    {
        uint256[8] memory values = abi.decode(abi.encode(terms()), (uint256[8]));
        uint256 from = values[term % 8];
        uint256 by = from * (value % (most + 1)) / 1e6;
        values[term % 8] = value % 2 == 0 ? from - by : (from + by) % 2 ** 32;
        return abi.decode(abi.encode(values), (Terms));
    }

    function allCaps() private view returns (uint256[] memory caps) {
        caps = new uint256[](1 + 2 * ASSETS);
        caps[0] = limits.areDepositsPaused() ? 0 : 1;
        for (uint256 asset = 0; asset < ASSETS; ++asset) {
            caps[1 + 2 * asset] = limits.depositCap(uint8(asset));
            caps[2 + 2 * asset] = limits.outflowCap(uint8(asset), 1e13);
        }
    }
}
