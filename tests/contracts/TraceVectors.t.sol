// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Effects} from "../../contracts/libraries/Effects.sol";
import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {SumTree} from "../../contracts/libraries/SumTree.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {ExitLeaf} from "../../contracts/types/Checkpoint.sol";
import {ListedAsset, ListedInstrument, ListedOracle} from "../../contracts/types/Listing.sol";
import {
    Book,
    EFFECT_COLLATERAL,
    EFFECT_OPEN,
    EFFECT_OUTPUT,
    EFFECT_SHORTFALL,
    EFFECT_TRADE,
    Step
} from "../../contracts/types/Trace.sol";
import {Json} from "./support/Json.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the libraries the calldata that they read.
contract TraceHashes {
    function step(Step calldata value) external pure returns (bytes32) {
        return Trace.stepHash(value);
    }

    function checkpoint(ExitLeaf calldata leaf, bytes calldata path)
        external
        pure
        returns (bytes32)
    {
        return SumTree.rootOf(leaf, path);
    }

    function listRoot(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return Merkle.listRoot(leaf, index, proof);
    }
}

/// @dev The golden vectors of effects, steps, checkpoints and listings, which the Python reference
/// writes.
contract TraceVectorsTest {
    using Effects for uint256;
    using Json for Json.Case;

    TraceHashes private _hashes = new TraceHashes();

    function test_every_effect_word_reads_as_python_wrote_it() public view {
        Json.File memory file = Json.open("tests/vectors/effects.json", "plimsoll.effects.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            uint256 word = uint256(here.word("word"));
            vm.assertTrue(word.isCanonical());
            vm.assertEq(word.kindOf(), here.number("kind"));
            vm.assertEq(word.accountOf(), here.number("account"));
            vm.assertEq(word.placeOf(), here.number("place"));
            readBody(here, word);
        }
    }

    function readBody(Json.Case memory here, uint256 word) private pure {
        uint8 kind = word.kindOf();
        if (kind == EFFECT_OPEN) {
            vm.assertEq(word.ownerOf(), here.account("owner"));
        } else if (kind == EFFECT_TRADE) {
            vm.assertEq(word.lotsOf(), here.signed("lots"));
            vm.assertEq(word.costOf(), here.signed("cost"));
            vm.assertEq(word.orderOf(), here.number("orderId"));
        } else if (kind == EFFECT_OUTPUT || kind == EFFECT_SHORTFALL) {
            vm.assertEq(word.amountOf(), here.number("amount"));
            if (kind == EFFECT_OUTPUT) vm.assertEq(word.outputOf(), here.number("outputId"));
        } else {
            vm.assertEq(word.deltaOf(), here.signed("delta"));
            if (kind == EFFECT_COLLATERAL) {
                vm.assertTrue(word.isDeposit() == here.flag("isDeposit"));
            }
        }
    }

    function test_every_step_hashes_and_is_in_its_trace_as_in_python() public view {
        Json.File memory file = Json.open("tests/vectors/trace.json", "plimsoll.trace.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            bytes32 leaf = _hashes.step(stepOf(here));
            vm.assertEq(leaf, here.word("stepHash"));
            bytes32 root = _hashes.listRoot(leaf, here.number("index"), here.words("proof"));
            vm.assertEq(root, here.word("traceRoot"));
            vm.assertEq(keccak256(abi.encode(bookOf(here))), here.word("bookHash"));
            if (i == 0) vm.assertEq(leaf, Trace.zeroStepHash());
            else vm.assertEq(keccak256(abi.encodePacked(here.words("effects"))), effectsOf(here));
        }
    }

    function effectsOf(Json.Case memory here) private pure returns (bytes32) {
        return here.word("effectsHash");
    }

    function stepOf(Json.Case memory here) private pure returns (Step memory) {
        return Step({
            frameHash: here.word("frameHash"),
            effectsHash: effectsOf(here),
            tip: here.word("tip"),
            accountRoot: here.word("accountRoot"),
            epochHash: here.word("epochHash"),
            bookHash: here.word("bookHash"),
            inboxCursor: uint64(here.number("inboxCursor")),
            outputs: uint64(here.number("outputs")),
            liquidations: uint32(here.number("liquidations")),
            dataEnd: uint32(here.number("dataEnd"))
        });
    }

    function bookOf(Json.Case memory here) private pure returns (Book memory) {
        return Book({
            deposited: amounts(here, "deposited"),
            withdrawn: amounts(here, "withdrawn"),
            contributedE6: uint128(here.number("contributedE6")),
            drawnE6: uint128(here.number("drawnE6")),
            shortfallE6: uint128(here.number("shortfallE6")),
            accounts: uint32(here.number("bookAccounts")),
            liquidations: uint32(here.number("bookLiquidations"))
        });
    }

    function test_every_exit_leaf_leads_to_its_checkpoint_as_in_python() public view {
        Json.File memory file = Json.open("tests/vectors/checkpoint.json", "plimsoll.checkpoint.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            ExitLeaf memory leaf = ExitLeaf({
                account: uint32(here.number("account")),
                owner: here.account("owner"),
                subaccount: uint8(here.number("subaccount")),
                equityE6: uint128(here.number("equityE6")),
                owedE6: uint128(here.number("owedE6")),
                debtE6: uint128(here.number("debtE6")),
                collateralE8: amounts(here, "collateralE8")
            });
            vm.assertEq(keccak256(abi.encode(leaf)), here.word("leafHash"));
            bytes32 root = _hashes.checkpoint(leaf, here.data("path"));
            vm.assertEq(root, here.word("checkpointRoot"));
        }
    }

    function test_every_listed_leaf_is_the_struct_that_python_encodes() public view {
        Json.File memory file = Json.open("tests/vectors/listing.json", "plimsoll.listing.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            bytes32 leaf = listedHash(here.string_("kind"), here.data("encoded"));
            vm.assertEq(leaf, here.word("hash"));
            bytes32 root = _hashes.listRoot(leaf, here.number("index"), here.words("proof"));
            vm.assertEq(root, here.word("listingRoot"));
        }
    }

    function listedHash(string memory kind, bytes memory encoded) private pure returns (bytes32) {
        bytes32 name = keccak256(bytes(kind));
        if (name == keccak256("oracle")) {
            return keccak256(abi.encode(abi.decode(encoded, (ListedOracle))));
        }
        if (name == keccak256("instrument")) {
            return keccak256(abi.encode(abi.decode(encoded, (ListedInstrument))));
        }
        return keccak256(abi.encode(abi.decode(encoded, (ListedAsset))));
    }

    function amounts(Json.Case memory here, string memory key)
        private
        pure
        returns (uint128[] memory list)
    {
        string[] memory texts = here.strings(key);
        list = new uint128[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            list[i] = uint128(vm.parseUint(texts[i]));
        }
    }
}
