// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf} from "./Account.sol";
import {BatchHeader} from "./Batch.sol";
import {Epoch, Report} from "./Epoch.sol";
import {StepOpening, StepPair} from "./Evidence.sol";
import {ColumnOpening, Instruction} from "./Liquidation.sol";
import {ListedAsset, ListedInstrument, ListedOracle} from "./Listing.sol";
import {Book} from "./Trace.sol";

// What a challenger shows about the content of records. As in Evidence.sol, evidence is
// `abi.encode` of one struct, and nothing is believed before it is hashed against the header.

/// @notice A record of the batch with everything that its step commits to.
/// @param frame Of `pair.step`.
/// @param effects Words of `pair.step`, one after another.
struct RecordOpening {
    StepPair pair;
    bytes frame;
    bytes effects;
}

/// @notice A record of the batch or of any batch before it.
/// @param header Empty for the disputed batch itself, else the one header of the other.
struct PastRecord {
    BatchHeader[] header;
    StepOpening opening;
    bytes frame;
}

/// @notice One place of the account tree.
/// @param leaf Empty when nobody has the place, else one leaf.
struct AccountOpening {
    uint32 account;
    AccountLeaf[] leaf;
    bytes32[] proof;
}

/// @notice One packed column.
/// @param proof Siblings under the root of its kind.
struct Column {
    bytes packed;
    bytes32[] proof;
}

/// @notice One instrument of the listing.
/// @param index Place under the listing root, from 1.
struct InstrumentOpening {
    ListedInstrument listed;
    uint32 index;
    bytes32[] proof;
}

/// @notice One asset of the listing.
/// @param index Place under the listing root.
struct AssetOpening {
    ListedAsset listed;
    uint32 index;
    bytes32[] proof;
}

/// @notice What the listing says about oracles; its place is 0.
struct OracleOpening {
    ListedOracle listed;
    bytes32[] proof;
}

/// @notice Evidence of kind 3.
/// @param before Under the account root of the step before.
/// @param afterwards The same place under that of the step.
struct TransitionEvidence {
    RecordOpening record;
    AccountOpening before;
    AccountOpening afterwards;
}

/// @notice Evidence of kind 3 for a root behind which nobody knows the leaves.
/// @param book After the record.
/// @param accounts That the words change, ascending; each under the root in which those before it
/// are changed, beginning with the root of the step before.
struct RootEvidence {
    RecordOpening record;
    Book book;
    AccountOpening[] accounts;
}

/// @notice Evidence of kind 12: which of its judges, and what that one asks for.
struct EffectsEvidence {
    uint8 part;
    bytes evidence;
}

/// @notice For the judge of signatures, which does not look at effects.
/// @param frame Of `pair.step`.
/// @param holder The account of the intent under the root of the step before.
struct SignatureEvidence {
    StepPair pair;
    bytes frame;
    AccountOpening holder;
}

/// @notice For the judge of trades on the book.
/// @param place Of the taker's word; the maker's follows.
/// @param maker The record that the maker's word names.
/// @param epoch In force before the record.
/// @param funding Funding column of the underlying in that epoch.
struct TradeEvidence {
    RecordOpening record;
    uint32 place;
    PastRecord maker;
    InstrumentOpening instrument;
    Epoch epoch;
    Column funding;
}

/// @notice For the judge of prices that the engine sets itself.
/// @param rule One of `PriceJudge`'s.
/// @param place Of the first word of the group.
/// @param epoch In force before the record.
/// @param column Collateral for a sale, values for the rules on trades; else anything.
/// @param report Of the epoch, for a settlement; else anything.
/// @param instrument For a settlement; else anything.
struct PriceEvidence {
    uint8 rule;
    RecordOpening record;
    uint32 place;
    Epoch epoch;
    Column column;
    Report report;
    InstrumentOpening instrument;
}

/// @notice For the judge of deposits.
/// @param rule One of `DepositJudge.HOLDER`, `NUMBER`, `REST`.
/// @param holder The account credited, or the owner's, under the root of the step before.
/// @param book Before the record.
/// @param asset What the listing says of it, for the cap; else anything.
struct DepositEvidence {
    uint8 rule;
    RecordOpening record;
    AccountOpening holder;
    Book book;
    AssetOpening asset;
}

/// @notice For the judge of what accounts hold: withdrawals, forced operations, deficits.
/// @param rule One of `HolderJudge`'s.
/// @param holder Under the root of the step before, or of the step itself where the rule says so.
/// @param quiet For `WHOLE`: a record after which the account had no order. Else anything.
/// @param absent For `WHOLE`, unless `quiet` is a forced cancel-all: the place of the account under
/// the account root after `quiet`, where nobody had it. Else anything.
/// @param between For `WHOLE`: the frames from `quiet` to the record, both excluded, in order.
struct HolderEvidence {
    uint8 rule;
    RecordOpening record;
    AccountOpening holder;
    PastRecord quiet;
    AccountOpening absent;
    bytes[] between;
}

/// @notice For the judge of records that contradict earlier ones.
/// @param rule One of `HistoryJudge`'s.
/// @param later In the disputed batch.
/// @param place For the rules on one trade: of the maker's word. Else anything.
/// @param earlier What it contradicts.
/// @param holder For `CLOSED`: the maker, before the later record. Else anything.
/// @param fills For `OVERFILL`: other trades that fill the order, ascending, all before `later`.
struct HistoryEvidence {
    uint8 rule;
    RecordOpening later;
    uint32 place;
    PastRecord earlier;
    AccountOpening holder;
    Fill[] fills;
}

/// @notice A trade that fills an order.
/// @param effects Of the record.
/// @param place Of the maker's word.
struct Fill {
    PastRecord record;
    bytes effects;
    uint32 place;
}

/// @notice For the judge of the band in which a forced close may trade, and of its fee.
/// @param rule One of `BandJudge`'s.
/// @param place Of the word of who closes.
/// @param epoch In force before the record, with its report and two of its columns.
struct BandEvidence {
    uint8 rule;
    RecordOpening record;
    uint32 place;
    InstrumentOpening instrument;
    Epoch epoch;
    Report report;
    Column values;
    Column funding;
}

/// @notice For the judge of columns that the parameter set bounds; see `ColumnJudge`.
/// @param rule One of `ColumnJudge`'s.
/// @param since For `FUNDING`: an earlier funding tick, or the Genesis. Else anything.
/// @param instrument For `FUNDING`; else anything.
/// @param asset For `COLLATERAL`; else anything.
/// @param document Of the parameter set.
/// @param place In the document, of the key that the rule reads.
/// @param before Epoch in force before the record; anything when there was none.
/// @param afterwards Epoch that the record begins.
/// @param report Of `before` for `FUNDING`, of `afterwards` for `COLLATERAL`.
/// @param columnBefore For `FUNDING`: the funding column of `before`.
/// @param column The funding or the collateral column of `afterwards`.
struct ColumnEvidence {
    uint8 rule;
    StepPair pair;
    bytes frame;
    PastRecord since;
    InstrumentOpening instrument;
    AssetOpening asset;
    bytes document;
    uint32 place;
    Epoch before;
    Epoch afterwards;
    Report report;
    Column columnBefore;
    Column column;
}

/// @notice For the judge of the penalty of a liquidation.
/// @param epoch In force before the record.
/// @param instruments That the account trades.
/// @param values Of each of them the value column of its underlying.
/// @param fundings The same for the funding columns.
struct PenaltyEvidence {
    RecordOpening record;
    Epoch epoch;
    InstrumentOpening[] instruments;
    Column[] values;
    Column[] fundings;
}

/// @notice For the judge of what accounts can afford.
/// @param rule One of `SolvencyJudge`'s.
/// @param before For `FALLEN`: the account under the root of the step before. Else anything.
/// @param afterwards The account under that of the step.
/// @param epoch In force before the record.
/// @param columns For each underlying held after it, ascending, what is opened; for `BELOW` and
/// `FALLEN`.
/// @param columnsBefore For `FALLEN`: the same of what was held before it.
/// @param collateral The collateral column; anything when none is held.
/// @param curves The tier curves of the set; anything when no charges are opened.
struct SolvencyEvidence {
    uint8 rule;
    RecordOpening record;
    AccountOpening before;
    AccountOpening afterwards;
    Epoch epoch;
    ColumnOpening[] columns;
    ColumnOpening[] columnsBefore;
    Column collateral;
    bytes curves;
}

/// @notice Evidence of kind 2.
/// @param kind 255 for the value column, 254 for the charges, else the scenario.
/// @param funding The funding column, for kind 255; else anything.
struct CellEvidence {
    Epoch epoch;
    uint32 epochIndex;
    bytes32[] epochProof;
    Report report;
    InstrumentOpening instrument;
    uint8 kind;
    Column column;
    Column funding;
}

/// @notice Evidence of kind 1.
/// @param rule One of `OracleJudge`'s.
/// @param before Epoch and report in force before the record; anything when there were none.
/// @param afterwards Epoch and report in force after it.
/// @param earlier For the rules that ask: an earlier report.
/// @param between The frames from `earlier` to the record, both excluded, in order.
struct OracleEvidence {
    uint8 rule;
    StepPair pair;
    bytes frame;
    OracleOpening oracle;
    Epoch before;
    Report reportBefore;
    Epoch afterwards;
    PastRecord earlier;
    bytes[] between;
}

/// @notice Evidence of kind 5.
/// @param rule One of `LiquidationJudge`'s.
/// @param index Place of the instruction under the batch's liquidation root.
/// @param holder The account under the root of the step before.
/// @param place For `LIMIT`: of the word of the account that is liquidated. For `BAND`: of the leg.
/// @param instrument For `LIMIT` and `BAND`, with the epoch before the record and its columns; else
/// anything. `BAND` alone asks for the report and the values.
struct LiquidationEvidence {
    uint8 rule;
    RecordOpening record;
    Instruction instruction;
    uint32 index;
    bytes32[] proof;
    AccountOpening holder;
    uint32 place;
    InstrumentOpening instrument;
    Epoch epoch;
    Report report;
    Column values;
    Column funding;
}
