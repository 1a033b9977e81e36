// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Books} from "../libraries/Books.sol";
import {Dispute} from "../libraries/Dispute.sol";
import {Effects} from "../libraries/Effects.sol";
import {Openings} from "../libraries/Openings.sol";
import {Owed} from "../libraries/Owed.sol";
import {SumWalk} from "../libraries/SumWalk.sol";
import {Trace} from "../libraries/Trace.sol";
import {WholeCheckpoint} from "../libraries/WholeCheckpoint.sol";
import {BatchHeader, Totals} from "../types/Batch.sol";
import {ExitLeaf, ExitSums} from "../types/Checkpoint.sol";
import {
    AssetsEvidence,
    BookEvidence,
    FundEvidence,
    OwedEvidence,
    TotalsEvidence,
    WalkEvidence,
    WholeEvidence
} from "../types/StructureEvidence.sol";
import {Book} from "../types/Trace.sol";

/// @title TotalsJudge
/// @notice Kind 7: book, totals or checkpoint are wrong.
/// @dev evidence = rule u8 | abi.encode(struct). SOL-1 and the sums of the checkpoint's root are
/// checked by the settlement contract itself.
contract TotalsJudge is IJudge {
    uint8 public constant RULE_BOOK = 1; // BookEvidence
    uint8 public constant RULE_TOTALS = 2; // TotalsEvidence
    uint8 public constant RULE_FUND = 3; // FundEvidence
    uint8 public constant RULE_NODE = 4; // WalkEvidence
    uint8 public constant RULE_OWED = 5; // OwedEvidence
    uint8 public constant RULE_WHOLE = 6; // WholeEvidence
    uint8 public constant RULE_ASSETS = 7; // AssetsEvidence

    /// @dev The account of the insurance fund.
    uint32 private constant INSURANCE = 0;

    /// @notice Where the listing of a parameter set is found.
    address public immutable riskParameters;

    /// @notice An address that must be given is missing.
    error ZeroAddress();

    /// @notice The book or totals given are not the ones committed to.
    error WrongPreimage(bytes32 given, bytes32 expected);

    /// @notice The rule is about another account.
    error WrongAccount(uint32 given, uint32 expected);

    /// @notice The way down does not end at the account's leaf, or where nothing is below.
    error WalkTooShort(uint256 nodes);

    uint256 private constant LEAF_LEVEL = 20;

    constructor(address riskParameters_) {
        require(riskParameters_ != address(0), ZeroAddress());
        riskParameters = riskParameters_;
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        (uint8 rule, uint256 place) = Dispute.split(evidence);
        if (rule == RULE_BOOK) return isBookWrong(header, bookAt(place));
        if (rule == RULE_TOTALS) return areTotalsWrong(header, totalsAt(place));
        if (rule == RULE_FUND) return isFundWrong(header, fundAt(place));
        if (rule == RULE_NODE) {
            return !SumWalk.follow(header.checkpointRoot, walkAt(place)).isSound;
        }
        if (rule == RULE_OWED) return isOwedWrong(header, owedAt(place));
        if (rule == RULE_WHOLE) return isWholeWrong(header, wholeAt(place));
        if (rule == RULE_ASSETS) return areAssetsWrong(header, assetsAt(place));
        revert Dispute.UnknownRule(rule);
    }

    /// @dev Faulty: the book after a record is not the one before it with its effects. What follows
    /// is one book, except after the first record of all: so what is given may be the one that
    /// stands there and does not follow, or the one that follows and does not stand there.
    function isBookWrong(BatchHeader calldata header, BookEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requirePair(header, e.pair);
        Effects.requireOf(e.pair.step, e.effects);
        requireBook(e.before, e.pair.previous.bookHash);
        bool follows = Books.follows(e.before, e.effects, e.afterwards);
        if (BatchHash.bookHash(e.afterwards) == e.pair.step.bookHash) return !follows;
        bool isFirst = e.before.deposited.length == 0;
        if (!follows || isFirst) requireBook(e.afterwards, e.pair.step.bookHash);
        return true;
    }

    /// @dev Faulty: the totals are not those of the last book, where they say the same thing.
    function areTotalsWrong(BatchHeader calldata header, TotalsEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requireLast(header, e.last);
        requireBook(e.book, e.last.step.bookHash);
        requireTotals(e.totals, header.totalsHash);
        return differ(e.book, e.totals);
    }

    function differ(Book memory book, Totals memory totals) private pure returns (bool) {
        uint256 assets = book.deposited.length;
        if (
            assets == 0 || totals.collateralE8.length != assets - 1
                || totals.depositedCollateral.length != assets - 1
                || totals.withdrawnCollateral.length != assets - 1
        ) return true;
        if (totals.depositedCash != book.deposited[0]) return true;
        if (totals.withdrawnCash != book.withdrawn[0]) return true;
        for (uint256 a = 1; a < assets; ++a) {
            if (totals.depositedCollateral[a - 1] != book.deposited[a]) return true;
            if (totals.withdrawnCollateral[a - 1] != book.withdrawn[a]) return true;
        }
        return totals.contributedE6 != book.contributedE6 || totals.drawnE6 != book.drawnE6
            || totals.shortfallE6 != book.shortfallE6 || totals.accounts != book.accounts
            || totals.liquidations != book.liquidations;
    }

    /// @dev Faulty: the fund's balance in the totals is not the cash of its account.
    function isFundWrong(BatchHeader calldata header, FundEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requireLast(header, e.last);
        requireTotals(e.totals, header.totalsHash);
        uint32 account = e.fund.account;
        require(account == INSURANCE, WrongAccount(account, INSURANCE));
        Openings.requireAccount(e.last.step.accountRoot, e.fund);
        int256 cashE6 = e.fund.leaf.length == 0 ? int256(0) : e.fund.leaf[0].cashE6;
        return e.totals.insuranceE6 != cashE6;
    }

    /// @dev Faulty: what stands at an account's place is not what it is owed, or a node on the way
    /// there is not the sum of its children.
    function isOwedWrong(BatchHeader calldata header, OwedEvidence calldata e)
        private
        view
        returns (bool)
    {
        SumWalk.End memory end = SumWalk.follow(header.checkpointRoot, e.walk);
        if (!end.isSound) return true;
        uint256 nodes = e.walk.nodes.length;
        require(nodes == LEAF_LEVEL || end.node == 0, WalkTooShort(nodes));
        uint32 account = e.walk.account;
        require(e.holder.account == account, WrongAccount(e.holder.account, account));
        Trace.requireLast(header, e.last);
        Openings.requireAccount(e.last.step.accountRoot, e.holder);
        if (e.holder.leaf.length == 0) return end.node != 0;

        ExitLeaf memory owed = owedTo(header.paramsHash, e);
        ExitSums memory sums = ExitSums(owed.equityE6, owed.owedE6, owed.debtE6, owed.collateralE8);
        return end.node != BatchHash.exitLeafHash(owed)
            || keccak256(end.sums) != keccak256(BatchHash.packedSums(sums));
    }

    /// @dev Faulty: the checkpoint is not the one that all accounts together make up.
    function isWholeWrong(BatchHeader calldata header, WholeEvidence calldata e)
        private
        view
        returns (bool)
    {
        require(header.checkpointRoot != 0, SumWalk.NoCheckpoint());
        Trace.requireLast(header, e.last);
        bytes32 listingRoot = IRiskParameters(riskParameters).listingRootOf(header.paramsHash);
        return WholeCheckpoint.rootOf(e, listingRoot) != header.checkpointRoot;
    }

    /// @dev Faulty: the book after a record has other assets than the parameter set of the batch
    /// lists. A set is put in force by the first record of a batch, so one holds for all of them.
    function areAssetsWrong(BatchHeader calldata header, AssetsEvidence calldata e)
        private
        view
        returns (bool)
    {
        Trace.requireStep(header, e.step);
        requireBook(e.book, e.step.step.bookHash);
        bytes32 listingRoot = IRiskParameters(riskParameters).listingRootOf(header.paramsHash);
        Openings.requireLastAsset(listingRoot, e.last, e.endProof);
        return e.book.deposited.length != uint256(e.last.listed.asset) + 1;
    }

    /// @dev Before the first epoch nothing has a price: cash alone counts, and covers nothing.
    function owedTo(bytes32 paramsHash, OwedEvidence calldata e)
        private
        view
        returns (ExitLeaf memory owed)
    {
        bytes32 epochHash = e.last.step.epochHash;
        bool hasPrices = epochHash != 0;
        if (hasPrices) Openings.requireEpoch(e.epoch, epochHash);
        else require(e.holder.leaf[0].positions.length == 0, Owed.NoValues());
        int256 worthE6 = Owed.worthOf(e.holder.leaf[0], e.epoch, e.values);
        owed = Owed.leafOf(e.holder.account, e.holder.leaf[0], worthE6);
        if (worthE6 < 0 && hasPrices) {
            Openings.requireReport(e.report, e.epoch.reportHash);
            bytes32 listingRoot = IRiskParameters(riskParameters).listingRootOf(paramsHash);
            Owed.cover(owed, listingRoot, e.report, e.assets);
        }
    }

    function requireBook(Book memory book, bytes32 expected) private pure {
        bytes32 given = BatchHash.bookHash(book);
        require(given == expected, WrongPreimage(given, expected));
    }

    function requireTotals(Totals calldata totals, bytes32 expected) private pure {
        bytes32 given = BatchHash.totalsHash(totals);
        require(given == expected, WrongPreimage(given, expected));
    }

    // Where each struct lies in calldata.

    function bookAt(uint256 place) private pure returns (BookEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function totalsAt(uint256 place) private pure returns (TotalsEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function fundAt(uint256 place) private pure returns (FundEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function walkAt(uint256 place) private pure returns (WalkEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function owedAt(uint256 place) private pure returns (OwedEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function assetsAt(uint256 place) private pure returns (AssetsEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function wholeAt(uint256 place) private pure returns (WholeEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }
}
