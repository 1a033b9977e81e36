// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Output, Totals} from "../../../contracts/types/Batch.sol";
import {ExitLeaf} from "../../../contracts/types/Checkpoint.sol";
import {InboxEntry} from "../../../contracts/types/Inbox.sol";

/// @dev Books of every user that are kept apart from the contracts under test: what came in, what
/// the engine would say of it, what was promised and what was paid. Nothing here is read from them.
abstract contract CustodyGhost {
    uint256 public constant USERS = 4;

    /// @dev Price of the collateral when debts are covered. [USD e-8]
    uint256 private constant PRICE = 2000e8;
    uint256 private constant WINDOW_LENGTH = 1 hours;

    /// @dev One account for each user, and the flows since genesis. [engine units]
    struct Ledger {
        int256[4] cashE6;
        uint256[4] heldE8;
        uint256[2] deposited;
        uint256[2] withdrawn;
        uint64 cursor;
    }

    struct Window {
        uint256 began;
        uint256 cap;
        uint256 spent;
    }

    mapping(uint256 user => mapping(uint8 asset => uint256)) public paidIn;
    mapping(uint256 user => mapping(uint8 asset => uint256)) public paidOut;
    mapping(uint256 user => mapping(uint8 asset => uint256)) public deferred;
    mapping(uint256 user => mapping(uint8 asset => uint256)) public exits;
    mapping(uint8 asset => uint256) public donated;
    mapping(uint64 id => uint256) public timesPaid;
    mapping(uint64 index => uint256) public timesRefunded;
    mapping(uint256 user => mapping(uint8 asset => uint256)) public timesLeft;
    mapping(uint8 asset => uint256) public unclaimed; // of final batches

    uint256 public intrusions; // hostile calls that went through
    uint256 public breaches; // windows that paid more than they may
    uint256 public mistakes; // honest calls with another outcome than the rules say
    uint64 public lastId;
    bytes32 public prefix;
    bool public isOver;

    Ledger internal current; // after the last record
    Ledger internal last; // of the last final batch
    InboxEntry[] internal entries;
    mapping(uint8 asset => Window) private _windows;

    function userAt(uint256 user) public pure returns (address) {
        return address(uint160(0xace000 + user));
    }

    function entryCount() external view returns (uint256) {
        return entries.length;
    }

    /// @dev All that users were not paid yet, wherever it is. [engine units]
    function outstanding(uint8 asset) external view returns (uint256 units) {
        for (uint256 user = 0; user < USERS; ++user) {
            units += paidIn[user][asset];
        }
        for (uint256 user = 0; user < USERS; ++user) {
            units -= paidOut[user][asset];
        }
    }

    /// @dev The same, by what it is: in the book, put out and not claimed, not consumed, deferred.
    function composed(uint8 asset) external view returns (uint256 units) {
        units = last.deposited[asset] - last.withdrawn[asset] + unclaimed[asset];
        for (uint256 i = last.cursor; i < entries.length; ++i) {
            if (entries[i].kind != 1 || entries[i].place != asset) continue;
            if (timesRefunded[entries[i].index] == 0) units += entries[i].amount;
        }
        for (uint256 user = 0; user < USERS; ++user) {
            units += deferred[user][asset];
            units -= exits[user][asset];
        }
    }

    function enqueued(InboxEntry memory entry) internal {
        entries.push(entry);
        prefix = keccak256(abi.encode(prefix, keccak256(abi.encode(entry))));
    }

    /// @dev What the engine does with every entry that waits.
    function consumeAll() internal {
        for (uint256 i = current.cursor; i < entries.length; ++i) {
            InboxEntry memory entry = entries[i];
            if (entry.kind != 1) continue;
            uint256 user = entry.subaccount;
            current.deposited[entry.place] += entry.amount;
            if (entry.place == 0) current.cashE6[user] += int256(uint256(entry.amount));
            else current.heldE8[user] += entry.amount;
        }
        current.cursor = uint64(entries.length);
    }

    function noteOutflow(uint8 asset, uint256 units, uint256 heldBefore) internal {
        Window storage window = _windows[asset];
        if (isOver || units == 0) return;
        if (block.timestamp >= window.began + WINDOW_LENGTH) {
            uint256 share = heldBefore / 4;
            _windows[asset] = Window(block.timestamp, share > 1e9 ? share : 1e9, 0);
        }
        window.spent += units;
        if (window.spent > window.cap) breaches += 1;
    }

    function windowLeft(uint8 asset, uint256 held)
        internal
        view
        returns (uint256 left, uint256 cap)
    {
        Window memory window = _windows[asset];
        if (block.timestamp >= window.began + WINDOW_LENGTH) {
            cap = held / 4 > 1e9 ? held / 4 : 1e9;
            return (cap, cap);
        }
        return (window.cap - window.spent, window.cap);
    }

    // --- what a checkpoint says ---

    function leavesOf(Ledger memory book) internal pure returns (ExitLeaf[] memory leaves) {
        leaves = new ExitLeaf[](USERS);
        for (uint32 user = 0; user < USERS; ++user) {
            uint128[] memory held = new uint128[](1);
            ExitLeaf memory leaf = ExitLeaf(user, userAt(user), uint8(user), 0, 0, 0, held);
            uint256 left = book.heldE8[user];
            int256 money = book.cashE6[user];
            if (money >= 0) {
                leaf.equityE6 = uint128(uint256(money));
            } else {
                uint256 debt = uint256(-money);
                leaf.owedE6 = uint128(debt);
                uint256 needed = (debt * 1e10 + PRICE - 1) / PRICE;
                uint256 taken = needed < left ? needed : left;
                uint256 worth = taken * PRICE / 1e10;
                leaf.debtE6 = uint128(worth < debt ? debt - worth : 0);
                left -= taken;
            }
            held[0] = uint128(left);
            leaves[user] = leaf;
        }
    }

    function totalsOf(Ledger memory book) internal pure returns (Totals memory made) {
        made.collateralE8 = one(book.deposited[1] - book.withdrawn[1]);
        made.depositedCollateral = one(book.deposited[1]);
        made.withdrawnCollateral = one(book.withdrawn[1]);
        made.depositedCash = uint128(book.deposited[0]);
        made.withdrawnCash = uint128(book.withdrawn[0]);
        made.netCashE6 = int128(int256(book.deposited[0]) - int256(book.withdrawn[0]));
    }

    /// @dev What an account is paid after a freeze, by the words of docs/PROTOCOL.md section 4.
    function dueTo(uint256 user, uint8 asset) public view returns (uint256) {
        ExitLeaf[] memory leaves = leavesOf(last);
        uint256 equity = 0;
        uint256 held = 0;
        for (uint256 i = 0; i < USERS; ++i) {
            equity += leaves[i].equityE6;
            held += leaves[i].collateralE8[0];
        }
        uint256 available = last.deposited[asset] - last.withdrawn[asset];
        ExitLeaf memory leaf = leaves[user];
        if (asset == 0) {
            uint256 pool = available < equity ? available : equity;
            return equity == 0 ? 0 : leaf.equityE6 * pool / equity;
        }
        uint256 own =
            held == 0 ? 0 : leaf.collateralE8[0] * (available < held ? available : held) / held;
        uint256 extra = available > held ? available - held : 0;
        return own + (equity == 0 ? 0 : leaf.equityE6 * extra / equity);
    }

    /// @dev What is available after a freeze and due to nobody, as nobody has equity.
    function unshared(uint8 asset) external view returns (uint256) {
        ExitLeaf[] memory leaves = leavesOf(last);
        uint256 equity = 0;
        uint256 held = 0;
        for (uint256 i = 0; i < USERS; ++i) {
            equity += leaves[i].equityE6;
            held += leaves[i].collateralE8[0];
        }
        uint256 available = last.deposited[asset] - last.withdrawn[asset];
        if (asset == 0) return available > equity ? available - equity : 0;
        return equity == 0 && available > held ? available - held : 0;
    }

    function one(uint256 value) private pure returns (uint128[] memory list) {
        list = new uint128[](1);
        list[0] = uint128(value);
    }
}
