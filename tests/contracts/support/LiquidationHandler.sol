// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InsuranceFund} from "../../../contracts/insurance/InsuranceFund.sol";
import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {LiquidationManager} from "../../../contracts/liquidation/LiquidationManager.sol";
import {Position} from "../../../contracts/types/Account.sol";
import {Leg} from "../../../contracts/types/Liquidation.sol";
import {LiquidationGhost} from "./LiquidationGhost.sol";
import {LiquidationVenue} from "./LiquidationVenue.sol";
import {vm} from "./Vm.sol";
import {Bug, PlantedManager} from "./planted/PlantedManager.sol";

/// @dev Reports, good and bad, and liquidations that cite any of them, of accounts near and far from
/// their trigger. By invariant it counts what the manager took and the ghost would not, and the
/// reverse.
contract LiquidationHandler is LiquidationVenue, LiquidationGhost {
    /// @dev What the ghost knows of a report; `isGood` when it had to be accepted.
    struct Told {
        bytes32 hash;
        bool isGood;
    }

    enum Flaw {
        NONE,
        THIN, // one signer too few
        STRANGER, // one signer is nobody
        TWICE, // one signer signs for two
        ZERO, // one price is zero
        UNSENT // never shown to the hub
    }

    uint256 private constant MOST_TOLD = 40;

    uint256[9] public faults; // by the number of the invariant; must stay 0
    uint256 public verified;
    uint256 public safe; // refused because the account was
    uint256 public unsourced; // refused because of the report

    Bug private immutable BUG;
    Told[] private _told;
    uint256 private _clock = START;
    uint64 private _round = 1;
    int64 private _lastE8 = BTC_E8; // of feed 0, by the ghost
    int64 private _pendingE8;

    constructor(Bug bug) {
        BUG = bug;
        deployVenue();
        _told.push(Told(hashOf(1, uint64(START * 1e9), medians), true));
    }

    function makeManager(ISettlement venue, InsuranceFund payer)
        internal
        override
        returns (LiquidationManager)
    {
        if (BUG == Bug.NONE) return super.makeManager(venue, payer);
        return new PlantedManager(BUG, venue, hub, parameters, payer);
    }

    function told() external view returns (uint256) {
        return _told.length;
    }

    /// @dev INV-6: feed 0 moves; the ghost applies quorum, sign and band by itself.
    function report(int24 moveE6, uint8 flaw_, bool confirms) external {
        if (_told.length == MOST_TOLD) return;
        Flaw flaw = Flaw(flaw_ % 6);
        int64 from = confirms && _pendingE8 != 0 ? _pendingE8 : _lastE8;
        int256 moved = int256(from) + int256(from) * (int256(moveE6) % 200_000) / 1e6;
        if (moved < 1000e8 || moved > 1_000_000e8) moved = from;
        _clock += 1;
        vm.warp(_clock);
        uint64 next = ++_round;
        int64[] memory values = medians;
        values[0] = int64(moved);
        bool isGood = flaw == Flaw.NONE && _isWithinGhostBand(values[0]);
        uint64 time = uint64(_clock * 1e9);
        bool done = flaw != Flaw.UNSENT && _send(next, time, values, flaw);
        bytes32 hash = hashOf(next, time, values);
        _note(6, done == (flaw == Flaw.NONE));
        _note(6, (hub.acceptedAt(hash) != 0) == isGood);
        _told.push(Told(hash, isGood));
        if (isGood) (_lastE8, _pendingE8) = (values[0], 0);
        else if (flaw == Flaw.NONE) _pendingE8 = values[0];
        (int64 shown,,) = hub.latest(0);
        _note(6, shown == _lastE8 && shown > 0);
    }

    /// @dev INV-6, INV-8. With a small `distance` the account is that far from its trigger.
    function liquidate(uint256 seed, uint256 cited, int8 distance, bool isNear) external {
        Holding memory h = _holding(seed);
        int256 cash_ = ghostTrigger(h) - ghostWorth(h, BTC_E8) + int256(distance);
        if (!isNear) cash_ += int256(distance) * 1e6;
        h.cash = int64(cash_);
        Told memory source = _told[cited % _told.length];
        bool expected = isLiquidatable(h, BTC_E8);

        Case memory c = _caseOf(h, source.hash);
        seal(c);
        (bool done,) = address(manager)
            .call(abi.encodeCall(manager.verify, (c.header, c.instruction, c.witness)));
        _note(6, !done || source.isGood);
        _note(8, !done || expected);
        if (source.isGood) _note(8, done == expected);
        if (done) verified += 1;
        else if (!source.isGood) unsourced += 1;
        else safe += 1;
        vm.prank(vm.addr(SEQUENCER_KEY));
        settlement.rollback(c.header); // so that there is always room for another
    }

    function _holding(uint256 seed) private pure returns (Holding memory h) {
        for (uint256 u = 0; u < 2; ++u) {
            uint256 dice = uint256(keccak256(abi.encode(seed, u)));
            h.slots[u] = uint8(dice % SLOTS);
            int32 lots = int32(int256(dice >> 16 & 0xffff) - 0x8000);
            h.lots[u] = lots == 0 ? int32(1) : lots;
            h.costs[u] = int64(int256(uint256(uint40(dice >> 64))) - 2 ** 39);
        }
        h.held = uint64(uint256(uint40(seed >> 8)) % 700e8);
        h.isCommon = seed & 1 != 0;
        h.tier = seed & 2 != 0 ? 1 : 2;
    }

    function _caseOf(Holding memory h, bytes32 reportHash) private view returns (Case memory c) {
        c = fullCase(2);
        c.witness.epoch.reportHash = reportHash;
        c.instruction.tier = h.tier;
        c.witness.leaf.cashE6 = h.cash;
        c.witness.leaf.collateralE8[0] = h.held;
        if (h.held == 0) c.witness.collateral = "";
        if (h.isCommon) c.witness.columns[1].scenario = c.witness.columns[0].scenario;
        for (uint256 u = 0; u < 2; ++u) {
            uint16 instrument = uint16(u << 8 | h.slots[u]);
            c.witness.leaf.positions[u] = Position(instrument, h.lots[u], h.costs[u]);
            c.instruction.legs[u] = Leg(instrument, -h.lots[u], 55_000e8);
        }
        if (h.tier != 1) return c;
        Leg[] memory legs = new Leg[](1);
        legs[0] = c.instruction.legs[0];
        legs[0].lots = h.lots[0] > 0 ? int32(-1) : int32(1);
        c.instruction.legs = legs;
    }

    function _send(uint64 next, uint64 time, int64[] memory seen, Flaw flaw)
        private
        returns (bool done)
    {
        uint256 count = flaw == Flaw.THIN ? QUORUM - 1 : QUORUM;
        bytes[] memory values = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            values[i] = still(pack(seen));
        }
        if (flaw == Flaw.ZERO) {
            seen[1] = 0;
            values[2] = still(pack(seen));
            seen[1] = medians[1];
        }
        bytes[] memory signatures = signAll(next, time, values);
        if (flaw == Flaw.TWICE) signatures[4] = signatures[3];
        if (flaw == Flaw.STRANGER) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xBAD, digest(next, time, values[1]));
            signatures[1] = abi.encodePacked(r, s, v);
        }
        (done,) = address(hub).call(abi.encodeCall(hub.submit, (next, time, values, signatures)));
    }

    /// @dev Five hundredths from the last report that counts, or from the one that waits.
    function _isWithinGhostBand(int64 value) private view returns (bool) {
        return _near(value, _lastE8) || (_pendingE8 != 0 && _near(value, _pendingE8));
    }

    function _near(int256 value, int256 from) private pure returns (bool) {
        int256 apart = value > from ? value - from : from - value;
        return apart * 1_000_000 <= from * 50_000;
    }

    function hashOf(uint64 number, uint64 time, int64[] memory values)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(number, time, pack(values)));
    }

    function _note(uint256 rule, bool holds) private {
        if (!holds) faults[rule] += 1;
    }
}
