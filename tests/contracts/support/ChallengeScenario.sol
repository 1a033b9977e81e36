// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf, Position} from "../../../contracts/types/Account.sol";
import {Output, Totals} from "../../../contracts/types/Batch.sol";
import {Column} from "../../../contracts/types/ContentEvidence.sol";
import {Epoch, Report} from "../../../contracts/types/Epoch.sol";
import {InboxEntry} from "../../../contracts/types/Inbox.sol";
import {ListedAsset} from "../../../contracts/types/Listing.sol";
import {Book} from "../../../contracts/types/Trace.sol";
import {ChallengeRig} from "./ChallengeRig.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {TraceWords} from "./TraceWords.sol";

/// @dev Two honest batches in which every kind of effect that a book knows happens at least once.
abstract contract ChallengeScenario is ChallengeRig {
    address internal constant FUND = address(0xf00d);
    address internal constant BACKSTOP = address(0xbac);
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);
    address internal constant CAROL = address(0xca01);
    address internal constant KEY = address(0x1e1);
    uint64 internal constant ENTERED = 1_699_999_000;
    uint16 internal constant INSTRUMENT = 1;

    // Places of the records of batch 1.
    uint256 internal constant GENESIS = 0;
    uint256 internal constant FIRST_DEPOSIT = 1;
    uint256 internal constant GRANT = 3;
    uint256 internal constant REPORT = 4;
    uint256 internal constant FILL = 6;
    uint256 internal constant WITHDRAWAL = 7;
    uint256 internal constant UNKNOWN = 8;
    uint256 internal constant LIQUIDATION = 9;
    uint256 internal constant RETURNED = 10;
    uint256 internal constant CANCEL_ALL = 11;

    // Places of the records of batch 2.
    uint256 internal constant IN_DOUBT = 0;
    uint256 internal constant TICK = 1;

    function firstBatch() internal pure returns (Draft memory d) {
        After memory a;
        d = firstDraft();
        a.accounts = new AccountLeaf[](0);
        a.book = emptyBook(2);
        a.book.accounts = 2;
        addAccount(a, FUND, 0);
        addAccount(a, BACKSTOP, 0);
        bytes memory words =
            bytes.concat(TraceWords.open(0, FUND, 0), TraceWords.open(1, BACKSTOP, 0));
        add(d, 1, "{}", words, a);
        deposits(d, a);
        add(d, 12, TraceWords.forcedPayload(entry(3)), "", a);
        a.epochHash = hashOfEpoch(epochOne());
        add(d, 5, abi.encodePacked(uint64(1), TIME, uint16(0)), "", a);
        add(d, 3, new bytes(101), "", a);
        fill(d, a);
        withdraw(d, a, 100e6, 1);
        add(d, 12, TraceWords.forcedPayload(entry(4)), TraceWords.noop(TraceWords.NOBODY, 1), a);
        liquidate(d, a);
        returned(d, a);
        add(d, 12, TraceWords.forcedPayload(entry(6)), "", a);
        close(d);
        d.header.totalsHash = keccak256(abi.encode(totalsOf(a)));
        d.header.priceRoot = epochOne().priceRoot;
    }

    function secondBatch(Draft memory first) internal pure returns (Draft memory d) {
        After memory a;
        d = nextDraft(first);
        a.accounts = accountsAfter(first, first.count - 1);
        a.book = abi.decode(abi.encode(first.books[first.count - 1]), (Book));
        a.epochHash = hashOfEpoch(epochOne());
        add(d, 12, TraceWords.forcedPayload(entry(7)), TraceWords.noop(3, 3), a);
        a.epochHash = hashOfEpoch(epochTwo());
        add(d, 6, "", "", a);
        withdraw(d, a, 9e6, 3);
        close(d);
        d.header.totalsHash = keccak256(abi.encode(totalsOf(a)));
        d.header.priceRoot = epochTwo().priceRoot;
    }

    /// @dev The entries that both batches consume, by index.
    function entry(uint64 index) internal pure returns (InboxEntry memory) {
        if (index == 1) return InboxEntry(1, 1, ENTERED, ALICE, 0, 0, 1000e6, address(0));
        if (index == 2) return InboxEntry(1, 2, ENTERED, BOB, 1, 1, 5e8, address(0));
        if (index == 3) return InboxEntry(5, 3, ENTERED, ALICE, 0, 0, ENTERED * 2, KEY);
        if (index == 4) return InboxEntry(2, 4, ENTERED, CAROL, 0, 0, 1, address(0));
        if (index == 5) return InboxEntry(1, 5, ENTERED, CAROL, 0, 1, 7e8, address(0));
        if (index == 6) return InboxEntry(3, 6, ENTERED, BOB, 1, 0, 0, address(0));
        return InboxEntry(2, 7, ENTERED, BOB, 1, 1, type(uint128).max, address(0));
    }

    function addAccount(After memory a, address owner, uint8 subaccount) internal pure {
        AccountLeaf[] memory more = new AccountLeaf[](a.accounts.length + 1);
        for (uint256 i = 0; i < a.accounts.length; ++i) {
            more[i] = a.accounts[i];
        }
        AccountLeaf memory leaf = more[a.accounts.length];
        (leaf.owner, leaf.subaccount, leaf.mode) = (owner, subaccount, 2);
        leaf.collateralE8 = new uint64[](1);
        a.accounts = more;
    }

    function deposits(Draft memory d, After memory a) private pure {
        addAccount(a, ALICE, 0);
        a.accounts[2].cashE6 = 1000e6;
        (a.book.accounts, a.book.deposited[0]) = (3, 1000e6);
        bytes memory words =
            bytes.concat(TraceWords.open(2, ALICE, 0), TraceWords.cash(2, 1, 1000e6));
        add(d, 2, TraceWords.depositPayload(entry(1)), words, a);

        addAccount(a, BOB, 1);
        a.accounts[3].collateralE8[0] = 5e8;
        (a.book.accounts, a.book.deposited[1]) = (4, 5e8);
        words = bytes.concat(TraceWords.open(3, BOB, 1), TraceWords.collateral(3, 1, 5e8, true));
        add(d, 2, TraceWords.depositPayload(entry(2)), words, a);
    }

    function fill(Draft memory d, After memory a) private pure {
        hold(a.accounts[2], 10, 50e6);
        hold(a.accounts[3], -10, -50e6);
        a.accounts[2].cashE6 -= 1e6;
        a.accounts[0].cashE6 += 1e6;
        a.book.contributedE6 += 1e6;
        bytes memory words = bytes.concat(
            TraceWords.trade(2, INSTRUMENT, 10, 50e6, 0),
            TraceWords.trade(3, INSTRUMENT, -10, -50e6, 6),
            TraceWords.cash(2, 2, -1e6),
            TraceWords.cash(0, 2, 1e6)
        );
        add(d, 3, new bytes(101), words, a);
    }

    function withdraw(Draft memory d, After memory a, uint64 amount, uint64 id) private pure {
        a.accounts[2].cashE6 -= int64(amount);
        a.book.withdrawn[0] += amount;
        add(d, 8, new bytes(94), TraceWords.output(2, 0, amount, id), a);
        putOut(d, Output(id, 2, ALICE, 0, amount));
    }

    /// @dev The backstop takes four lots; the fund gains two dollars and pays one.
    function liquidate(Draft memory d, After memory a) private pure {
        hold(a.accounts[3], -6, -30e6);
        hold(a.accounts[1], -4, -20e6);
        a.accounts[3].cashE6 -= 1e6;
        a.accounts[0].cashE6 += 1e6;
        a.book.contributedE6 += 2e6;
        (a.book.drawnE6, a.book.shortfallE6, a.book.liquidations) = (1e6, 5e5, 1);
        bytes memory words = bytes.concat(
            TraceWords.liquidation(3, 1),
            TraceWords.trade(3, INSTRUMENT, 4, 20e6, 0),
            TraceWords.trade(1, INSTRUMENT, -4, -20e6, 0),
            TraceWords.cash(3, 3, -2e6),
            TraceWords.cash(0, 3, 2e6)
        );
        words = bytes.concat(
            words,
            TraceWords.cash(0, 4, -1e6),
            TraceWords.cash(3, 4, 1e6),
            TraceWords.shortfall(3, 5e5)
        );
        add(d, 7, abi.encodePacked(uint32(3)), words, a);
    }

    /// @dev A deposit that finds no room goes out at once.
    function returned(Draft memory d, After memory a) private pure {
        a.book.deposited[1] += 7e8;
        a.book.withdrawn[1] += 7e8;
        bytes memory words = TraceWords.output(TraceWords.NOBODY, 1, 7e8, 2);
        add(d, 2, TraceWords.depositPayload(entry(5)), words, a);
        putOut(d, Output(2, TraceWords.NOBODY, CAROL, 1, 7e8));
    }

    function hold(AccountLeaf memory leaf, int32 lots, int64 costE6) private pure {
        leaf.positions = new Position[](1);
        leaf.positions[0] = Position(INSTRUMENT, lots, costE6);
    }

    function totalsOf(After memory a) internal pure returns (Totals memory totals) {
        Book memory book = a.book;
        (totals.collateralE8, totals.depositedCollateral, totals.withdrawnCollateral) =
        (new uint128[](1), new uint128[](1), new uint128[](1));
        for (uint256 i = 0; i < a.accounts.length; ++i) {
            AccountLeaf memory leaf = a.accounts[i];
            totals.netCashE6 += leaf.cashE6;
            if (leaf.positions.length != 0) totals.netCashE6 -= leaf.positions[0].costE6;
            totals.collateralE8[0] += leaf.collateralE8[0];
        }
        (totals.depositedCash, totals.withdrawnCash) = (book.deposited[0], book.withdrawn[0]);
        totals.depositedCollateral[0] = book.deposited[1];
        totals.withdrawnCollateral[0] = book.withdrawn[1];
        totals.insuranceE6 = a.accounts[0].cashE6;
        (totals.contributedE6, totals.drawnE6, totals.shortfallE6) =
        (book.contributedE6, book.drawnE6, book.shortfallE6);
        (totals.accounts, totals.liquidations) = (book.accounts, book.liquidations);
    }

    function totalsAfter(Draft memory d) internal pure returns (Totals memory) {
        After memory a;
        a.accounts = accountsAfter(d, d.count - 1);
        a.book = d.books[d.count - 1];
        return totalsOf(a);
    }

    /// @dev One lot of slot 1 is worth six dollars.
    function valueColumn() internal pure returns (Column memory column) {
        column.packed = abi.encodePacked(int64(1e6), int64(6e6));
        column.proof = new bytes32[](1);
        column.proof[0] = columnHash(252, abi.encodePacked(int64(0), int64(0)));
    }

    function columnHash(uint8 kind, bytes memory packed) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint8(0), kind, keccak256(packed)));
    }

    function report() internal pure returns (Report memory) {
        return Report(1, TIME, abi.encodePacked(int64(2e8)));
    }

    function epochOne() internal pure returns (Epoch memory epoch) {
        bytes32[] memory columns = new bytes32[](2);
        columns[0] = columnHash(255, valueColumn().packed);
        columns[1] = valueColumn().proof[0];
        epoch.number = 1;
        epoch.time = TIME + 5e9;
        epoch.reportHash = keccak256(abi.encode(uint64(1), TIME, report().medians));
        epoch.priceRoot = MerkleTree.root(columns);
    }

    function epochTwo() internal pure returns (Epoch memory epoch) {
        epoch = epochOne();
        epoch.number = 2;
        epoch.time = TIME + 14e9;
    }

    function hashOfEpoch(Epoch memory epoch) internal pure returns (bytes32) {
        return keccak256(abi.encode(epoch));
    }

    function listedAsset() internal pure returns (ListedAsset memory) {
        return ListedAsset(1, 0, 1e12, 0, 0);
    }

    /// @dev A listing of an oracle, an instrument and the asset, in this order.
    function listingLeaves() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        (leaves[0], leaves[1]) = (keccak256("oracle"), keccak256("instrument"));
        leaves[2] = keccak256(abi.encode(listedAsset()));
    }
}
