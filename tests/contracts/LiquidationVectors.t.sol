// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Charges} from "../../contracts/libraries/Charges.sol";
import {Collateral} from "../../contracts/libraries/Collateral.sol";
import {Columns} from "../../contracts/libraries/Columns.sol";
import {LeafHash} from "../../contracts/libraries/LeafHash.sol";
import {Margin} from "../../contracts/libraries/Margin.sol";
import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {ColumnOpening, Instruction, Leg, Terms} from "../../contracts/types/Liquidation.sol";
import {Json} from "./support/Json.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the libraries the calldata that they read.
contract LiquidationLibraries {
    function account(AccountLeaf calldata leaf) external pure returns (bytes32) {
        return LeafHash.account(leaf);
    }

    function epoch(Epoch calldata value) external pure returns (bytes32) {
        return LeafHash.epoch(value);
    }

    function instruction(Instruction calldata value) external pure returns (bytes32) {
        return LeafHash.instruction(value);
    }

    function column(uint8 underlying, uint8 kind, bytes calldata packed)
        external
        pure
        returns (bytes32)
    {
        return Columns.hash(underlying, kind, packed);
    }

    function numbers(bytes calldata values, bytes calldata losses, uint256 slot)
        external
        pure
        returns (int256, int256)
    {
        return (Columns.valueAt(values, slot), Columns.lossAt(losses, slot));
    }

    function accountRoot(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return Merkle.accountRoot(leaf, index, proof);
    }

    function listRoot(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return Merkle.listRoot(leaf, index, proof);
    }

    function margin(
        AccountLeaf calldata leaf,
        ColumnOpening[] calldata columns,
        bytes calldata collateral,
        bytes calldata curves,
        Terms calldata terms
    ) external pure returns (int256, uint256) {
        return Margin.ofAccount(leaf, columns, collateral, curves, terms);
    }

    function row(bytes calldata charges, uint256 slot) external pure returns (Charges.Row memory) {
        Charges.Row memory made;
        Charges.read(made, charges, slot);
        return made;
    }
}

/// @dev The golden vectors of what a liquidation opens, which the Python reference writes. A file
/// that lost cases fails: each test states how many it expects at least.
contract LiquidationVectorsTest {
    using Json for Json.Case;

    uint256 private constant SCENARIOS = 36;

    LiquidationLibraries private _libraries = new LiquidationLibraries();

    function test_every_account_hashes_as_in_python() public view {
        Json.File memory file = open("account_leaf", 10);
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            AccountLeaf memory leaf = leafOf(here);
            vm.assertEq(keccak256(abi.encode(leaf)), keccak256(here.data("encoded")));
            vm.assertEq(_libraries.account(leaf), here.word("hash"));
        }
    }

    function test_every_proof_is_judged_as_in_python() public view {
        Json.File memory file = open("merkle", 30);
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            bool account = keccak256(bytes(here.string_("kind"))) == keccak256("account");
            bytes memory arguments =
                abi.encode(here.word("leaf"), here.number("index"), here.words("proof"));
            (bool done, bytes memory output) = address(_libraries)
                .staticcall(
                    bytes.concat(
                        account ? _libraries.accountRoot.selector : _libraries.listRoot.selector,
                        arguments
                    )
                );
            bool valid = done && abi.decode(output, (bytes32)) == here.word("root");
            vm.assertTrue(valid == here.flag("valid"));
        }
    }

    function test_every_column_packs_hashes_and_proves_as_in_python() public view {
        Json.File memory file = open("columns", 11);
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            uint8 u = uint8(here.number("underlying"));
            uint8 s = uint8(here.number("scenario"));
            checkNumbers(here, u, s);
            checkCharges(here, u);
            checkLeaf(here, u, 255, "value", Columns.valueIndex(u), "priceRoot");
            checkLeaf(here, u, Columns.FUNDING, "funding", Columns.fundingIndex(u), "priceRoot");
            checkLeaf(here, u, s, "loss", u * SCENARIOS + s, "riskRoot");
            checkLeaf(here, u, 254, "charge", Charges.index(u), "chargeRoot");
            checkLeaf(here, 255, 253, "collateral", Collateral.INDEX, "chargeRoot");
        }
    }

    function test_every_report_hashes_as_in_python() public view {
        Json.File memory file = open("report", 9);
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            int256[] memory medians = here.integers("medians");
            bytes memory packed;
            for (uint256 f = 0; f < medians.length; ++f) {
                packed = abi.encodePacked(packed, int64(medians[f]));
            }
            vm.assertEq(keccak256(packed), keccak256(here.data("packed")));
            bytes32 hash = LeafHash.report(
                uint64(here.number("round")), uint64(here.number("observedAt")), packed
            );
            vm.assertEq(hash, here.word("hash"));
        }
    }

    function test_every_epoch_hashes_as_in_python() public view {
        Json.File memory file = open("epoch", 9);
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            Epoch memory epoch = Epoch({
                number: uint64(here.number("number")),
                time: uint64(here.number("time")),
                reportHash: here.word("reportHash"),
                priceRoot: here.word("priceRoot"),
                riskRoot: here.word("riskRoot"),
                chargeRoot: here.word("chargeRoot")
            });
            vm.assertEq(_libraries.epoch(epoch), here.word("hash"));
        }
    }

    function test_every_instruction_hashes_as_in_python() public view {
        Json.File memory file = open("instruction", 8);
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            Instruction memory instruction = Instruction({
                id: uint64(here.number("id")),
                account: uint32(here.number("account")),
                tier: uint8(here.number("tier")),
                accountRoot: here.word("accountRoot"),
                leafHash: here.word("leafHash"),
                epochHash: here.word("epochHash"),
                legs: legsOf(here)
            });
            vm.assertEq(keccak256(abi.encode(instruction)), keccak256(here.data("encoded")));
            vm.assertEq(_libraries.instruction(instruction), here.word("hash"));
        }
    }

    function test_every_margin_and_verdict_is_as_in_python() public view {
        Json.File memory file = open("margin", 80);
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            Terms memory terms = termsOf(here);
            (int256 balance, uint256 maintenance) = _libraries.margin(
                leafOf(here), openingsOf(here), here.data("collateral"), here.data("curves"), terms
            );
            vm.assertEq(balance, here.signed("marginBalanceE6"));
            vm.assertEq(maintenance, here.number("maintenanceE6"));
            bool below = Margin.isBelow(balance, maintenance, terms.partialTriggerE6);
            vm.assertTrue(below == here.flag("isBelowPartial"));
            below = Margin.isBelow(balance, maintenance, terms.fullTriggerE6);
            vm.assertTrue(below == here.flag("isBelowFull"));
        }
    }

    function open(string memory name, uint256 least) private view returns (Json.File memory file) {
        file = Json.open(
            string.concat("tests/vectors/", name, ".json"), string.concat("plimsoll.", name, ".v1")
        );
        vm.assertGe(file.count, least);
    }

    /// @dev Each number of the opened columns, read from the packed bytes.
    function checkNumbers(Json.Case memory here, uint8 u, uint8 s) private view {
        int256[] memory slots = here.integers("slots");
        int256[] memory values = here.integers("values");
        int256[] memory losses = here.integers("losses");
        uint256 first = u == 0 ? 0 : uint256(slots[0]);
        for (uint256 slot = 0; slot < uint256(slots[u]); ++slot) {
            (int256 value, int256 loss) =
                _libraries.numbers(here.data("packedValues"), here.data("packedLosses"), slot);
            vm.assertEq(value, values[first + slot]);
            vm.assertEq(loss, losses[(first + slot) * SCENARIOS + s]);
        }
    }

    /// @dev Each charge of the opened column, read from the packed bytes.
    function checkCharges(Json.Case memory here, uint8 u) private view {
        int256[] memory slots = here.integers("slots");
        int256[] memory charges = here.integers("charges");
        uint256 first = u == 0 ? 0 : uint256(slots[0]);
        for (uint256 slot = 0; slot < uint256(slots[u]); ++slot) {
            Charges.Row memory row = _libraries.row(here.data("packedCharges"), slot);
            uint256 place = (first + slot) * 6;
            vm.assertEq(row.delta, charges[place]);
            vm.assertEq(row.roll, charges[place + 1]);
            vm.assertEq(int256(row.long), charges[place + 2]);
            vm.assertEq(int256(row.short), charges[place + 3]);
            vm.assertEq(int256(row.unwind), charges[place + 4]);
            vm.assertEq(int256(row.group), charges[place + 5]);
        }
    }

    function checkLeaf(
        Json.Case memory here,
        uint8 underlying,
        uint8 kind,
        string memory name,
        uint256 place,
        string memory rootKey
    ) private view {
        bytes memory packed = here.data(packedKey(kind));
        bytes32 leaf = _libraries.column(underlying, kind, packed);
        vm.assertEq(leaf, here.word(string.concat(name, "Hash")));
        bytes32 root = _libraries.listRoot(leaf, place, here.words(string.concat(name, "Proof")));
        vm.assertEq(root, here.word(rootKey));
    }

    function packedKey(uint8 kind) private pure returns (string memory) {
        if (kind == 255) return "packedValues";
        if (kind == 254) return "packedCharges";
        if (kind == 252) return "packedFunding";
        return kind == 253 ? "packedCollateral" : "packedLosses";
    }

    function leafOf(Json.Case memory here) private pure returns (AccountLeaf memory leaf) {
        leaf.owner = here.account("owner");
        leaf.subaccount = uint8(here.number("subaccount"));
        leaf.mode = uint8(here.number("mode"));
        leaf.cashE6 = int64(here.signed("cashE6"));
        int256[] memory collateral = here.integers("collateralE8");
        leaf.collateralE8 = new uint64[](collateral.length);
        for (uint256 i = 0; i < collateral.length; ++i) {
            leaf.collateralE8[i] = uint64(uint256(collateral[i]));
        }
        int256[] memory instruments = here.integers("instruments");
        int256[] memory lots = here.integers("lots");
        int256[] memory costs = here.integers("costsE6");
        leaf.positions = new Position[](instruments.length);
        for (uint256 i = 0; i < instruments.length; ++i) {
            leaf.positions[i] =
                Position(uint16(uint256(instruments[i])), int32(lots[i]), int64(costs[i]));
        }
    }

    function legsOf(Json.Case memory here) private pure returns (Leg[] memory legs) {
        int256[] memory instruments = here.integers("legInstruments");
        int256[] memory lots = here.integers("legLots");
        int256[] memory prices = here.integers("legLimitPricesE8");
        legs = new Leg[](instruments.length);
        for (uint256 i = 0; i < instruments.length; ++i) {
            legs[i] =
                Leg(uint16(uint256(instruments[i])), int32(lots[i]), uint64(uint256(prices[i])));
        }
    }

    function openingsOf(Json.Case memory here)
        private
        pure
        returns (ColumnOpening[] memory columns)
    {
        int256[] memory underlyings = here.integers("openedUnderlyings");
        int256[] memory scenarios = here.integers("openedScenarios");
        string[] memory values = here.strings("openedValues");
        string[] memory losses = here.strings("openedLosses");
        string[] memory charges = here.strings("openedCharges");
        columns = new ColumnOpening[](underlyings.length);
        for (uint256 i = 0; i < underlyings.length; ++i) {
            columns[i].underlying = uint8(uint256(underlyings[i]));
            columns[i].scenario = uint8(uint256(scenarios[i]));
            columns[i].values = vm.parseBytes(values[i]);
            columns[i].losses = vm.parseBytes(losses[i]);
            columns[i].charges = vm.parseBytes(charges[i]);
        }
    }

    function termsOf(Json.Case memory here) private pure returns (Terms memory) {
        return Terms({
            mmFactorE6: uint32(here.number("mmFactorE6")),
            partialTriggerE6: uint32(here.number("partialTriggerE6")),
            fullTriggerE6: uint32(here.number("fullTriggerE6")),
            partialCapE6: uint32(here.number("partialCapE6")),
            offsetE6: uint32(here.number("offsetE6")),
            breakdownE6: uint32(here.number("breakdownE6")),
            keeperFeeE6: uint32(here.number("keeperFeeE6")),
            offsetCapUsd: uint32(here.number("offsetCapUsd"))
        });
    }
}
