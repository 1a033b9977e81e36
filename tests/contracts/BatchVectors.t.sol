// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {BatchHeader, Output, Totals} from "../../contracts/types/Batch.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {Json} from "./support/Json.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev The libraries take calldata, so the tests reach them through this contract.
contract BatchHashes {
    function header(BatchHeader calldata value) external pure returns (bytes32) {
        return BatchHash.headerHash(value);
    }

    function totals(Totals calldata value) external pure returns (bytes32) {
        return BatchHash.totalsHash(value);
    }

    function output(Output calldata value) external pure returns (bytes32) {
        return BatchHash.outputHash(value);
    }

    function root(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return Merkle.listRoot(leaf, index, proof);
    }
}

/// @dev The golden vectors of batches, which the Python reference writes.
contract BatchVectorsTest is SettlementRig {
    using Json for Json.Case;

    BatchHashes private hashes = new BatchHashes();

    function test_every_header_hashes_as_in_python() public {
        Json.File memory file = Json.open("tests/vectors/header.json", "plimsoll.header.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            BatchHeader memory header = headerOf(here);
            bytes32 structHash = here.word("structHash");
            vm.assertEq(hashes.header(header), structHash);
            vm.chainId(here.number("chainId"));
            bytes32 digest = digestOf(here.account("verifyingContract"), structHash);
            vm.assertEq(digest, here.word("digest"));
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(uint256(here.word("privateKey")), digest);
            vm.assertEq(keccak256(abi.encodePacked(r, s, v)), keccak256(here.data("signature")));
        }
    }

    function test_every_total_hashes_and_is_conserved_as_in_python() public {
        Json.File memory file = Json.open("tests/vectors/totals.json", "plimsoll.totals.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            totals = totalsOf(here);
            vm.assertEq(hashes.totals(totals), here.word("hash"));
            vm.assertTrue(settles() == here.flag("conserved")); // SOL-1
        }
    }

    function test_every_output_hashes_and_is_in_its_tree_as_in_python() public view {
        Json.File memory file = Json.open("tests/vectors/output.json", "plimsoll.output.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            Output memory output = Output({
                id: uint64(here.number("id")),
                account: uint32(here.number("account")),
                owner: here.account("owner"),
                asset: uint8(here.number("asset")),
                amount: uint128(here.number("amount"))
            });
            bytes32 leaf = hashes.output(output);
            vm.assertEq(leaf, here.word("hash"));
            bytes32 root = hashes.root(leaf, here.number("index"), here.words("proof"));
            vm.assertEq(root, here.word("outputRoot"));
        }
    }

    function test_every_inbox_entry_hashes_and_chains_as_in_python() public view {
        Json.File memory file = Json.open("tests/vectors/inbox.json", "plimsoll.inbox.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            bytes32 entry = BatchHash.entryHash(
                InboxEntry({
                    kind: uint8(here.number("kind")),
                    index: uint64(here.number("index")),
                    time: uint64(here.number("time")),
                    owner: here.account("owner"),
                    subaccount: uint8(here.number("subaccount")),
                    place: uint16(here.number("place")),
                    amount: uint128(here.number("amount")),
                    key: here.account("key")
                })
            );
            vm.assertEq(entry, here.word("entryHash"));
            vm.assertEq(BatchHash.inboxPrefix(here.word("previous"), entry), here.word("prefix"));
        }
    }

    /// @dev Whether a first batch with these totals becomes final.
    function settles() private returns (bool done) {
        Totals memory kept = totals;
        deployRig();
        totals = kept;
        depositFor(collateral, 1, address(0xa11ce), 1); // so that the totals must speak of it
        BatchHeader memory header = nextHeader();
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        bytes memory proof = proofOf(hashOf(header));
        (done,) = address(settlement)
            .call(abi.encodeCall(settlement.finalise, (header, totals, sums(), EXIT_ROOT, proof)));
    }

    function headerOf(Json.Case memory here) private pure returns (BatchHeader memory header) {
        header.schema = uint16(here.number("schema"));
        header.batchNo = uint64(here.number("batchNo"));
        header.prevBatchHash = here.word("prevBatchHash");
        header.prevStateRoot = here.word("prevStateRoot");
        header.stateRoot = here.word("stateRoot");
        header.checkpointRoot = here.word("checkpointRoot");
        header.inputLogHash = here.word("inputLogHash");
        header.traceRoot = here.word("traceRoot");
        header.stepCount = uint32(here.number("stepCount"));
        header.daHash = here.word("daHash");
        header.daLength = uint32(here.number("daLength"));
        header.daKind = uint8(here.number("daKind"));
        header.outputRoot = here.word("outputRoot");
        header.liquidationRoot = here.word("liquidationRoot");
        header.liquidationCount = uint32(here.number("liquidationCount"));
        header.adlRoot = here.word("adlRoot");
        header.inboxFrom = uint64(here.number("inboxFrom"));
        header.inboxTo = uint64(here.number("inboxTo"));
        header.inboxPrefixHash = here.word("inboxPrefixHash");
        header.epochRoot = here.word("epochRoot");
        header.priceRoot = here.word("priceRoot");
        header.riskRoot = here.word("riskRoot");
        header.paramsHash = here.word("paramsHash");
        header.engineHash = here.word("engineHash");
        header.l1BlockNumber = uint64(here.number("l1BlockNumber"));
        header.l1BlockHash = here.word("l1BlockHash");
        header.timeStart = uint64(here.number("timeStart"));
        header.timeEnd = uint64(here.number("timeEnd"));
        header.totalsHash = here.word("totalsHash");
        header.sequencerEpoch = uint64(here.number("sequencerEpoch"));
        header.proofKind = uint8(here.number("proofKind"));
    }

    function totalsOf(Json.Case memory here) private pure returns (Totals memory made) {
        made.netCashE6 = int128(here.signed("netCashE6"));
        made.collateralE8 = amounts(here, "collateralE8");
        made.depositedCash = uint128(here.number("depositedCash"));
        made.depositedCollateral = amounts(here, "depositedCollateral");
        made.withdrawnCash = uint128(here.number("withdrawnCash"));
        made.withdrawnCollateral = amounts(here, "withdrawnCollateral");
        made.insuranceE6 = int128(here.signed("insuranceE6"));
        made.contributedE6 = uint128(here.number("contributedE6"));
        made.drawnE6 = uint128(here.number("drawnE6"));
        made.shortfallE6 = uint128(here.number("shortfallE6"));
        made.accounts = uint32(here.number("accounts"));
        made.belowMaintenance = uint32(here.number("belowMaintenance"));
        made.liquidations = uint32(here.number("liquidations"));
    }

    function amounts(Json.Case memory here, string memory key)
        private
        pure
        returns (uint128[] memory list)
    {
        int256[] memory written = here.integers(key);
        list = new uint128[](written.length);
        for (uint256 i = 0; i < written.length; ++i) {
            list[i] = uint128(uint256(written[i]));
        }
    }
}
