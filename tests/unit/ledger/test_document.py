"""The parameter document: one canonical form, and everything else is refused."""

import json
from dataclasses import replace

import pytest

from offchain.core.curves import curve_lines
from offchain.core.parameters import ParameterError
from offchain.ledger.document import MAX_DOCUMENT_BYTES, document, parse_document
from offchain.ledger.errors import EncodingError, WireError
from offchain.ledger.keccak import keccak256
from offchain.ledger.listing import listing_root
from offchain.ledger.terms import (
    Terms,
    curves,
    curves_hash,
    params_hash,
    terms,
    terms_hash,
    unpack_curves,
)
from tests.support.venue import RULES

DATA = document(RULES)


def changed(*path: str | int, value: object) -> bytes:
    """Return the document with one value replaced, canonical otherwise."""
    tree = json.loads(DATA)
    node = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()


def without(key: str) -> bytes:
    tree = json.loads(DATA)
    del tree[key]
    return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()


def test_a_set_survives_the_way_through_its_document() -> None:
    assert parse_document(DATA) == RULES
    assert document(parse_document(DATA)) == DATA


def test_the_document_is_sorted_dense_json_without_numbers() -> None:
    tree = json.loads(DATA, parse_int=pytest.fail, parse_float=pytest.fail)
    assert json.dumps(tree, sort_keys=True, separators=(",", ":")).encode() == DATA


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        DATA + b" ",
        DATA[:-1],
        DATA.replace(b":", b": ", 1),
        b"{" + DATA[1:-1].split(b",", 1)[1] + b"}",
        b'{"version":"1",' + DATA[1:],
        DATA.replace(b"BTC", b"\\u0042TC", 1),
        DATA.replace(b"BTC", "B\u20bfC".encode(), 1),
        b"[" * 100_000,
        b" " * (MAX_DOCUMENT_BYTES + 1),
        without("version"),
        changed("extra", value="1"),
        changed("version", value=1),
        changed("version", value=1.0),
        changed("version", value="01"),
        changed("version", value="-0"),
        changed("version", value="+1"),
        changed("version", value=" 1"),
        changed("version", value="1" * 40),
        changed("version", value=None),
        changed("insurance_owner", value="x" * 65),
        changed("scan", 0, "skews", 0, "absolute", value="true"),
        changed("listing", "instruments", 0, "kind", value="9"),
        changed("scan", 0, "tails", value={}),
    ],
)
def test_anything_but_the_canonical_form_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        parse_document(data)


def test_a_set_that_breaks_a_rule_is_refused_and_the_rule_is_named() -> None:
    with pytest.raises(WireError, match="MM factor") as caught:
        parse_document(changed("mm_factor_e6", value="0"))
    assert isinstance(caught.value.__cause__, ParameterError)


def test_a_breaker_that_contradicts_itself_is_refused_by_the_document() -> None:
    with pytest.raises(WireError, match="multiple of 16 ns"):
        parse_document(changed("breakers", 0, "window_ns", value="17"))


def test_every_change_of_the_set_changes_its_hash() -> None:
    other = parse_document(changed("version", value="2"))
    assert terms(other) == terms(RULES)
    assert params_hash(other) != params_hash(RULES)


def test_the_hash_binds_terms_curves_listing_and_document() -> None:
    of_terms, of_curves = terms_hash(terms(RULES)), keccak256(curves(RULES))
    expected = keccak256(of_terms + of_curves + listing_root(RULES) + keccak256(DATA))
    assert params_hash(RULES) == expected
    assert curves_hash(RULES) == keccak256(curves(RULES))


def test_the_curves_of_a_set_are_its_tiers_in_order() -> None:
    bitcoin, ether = unpack_curves(curves(RULES))
    for u, made in enumerate((bitcoin, ether)):
        addons, of_class = RULES.addons[u], RULES.classes[RULES.class_of[u]]
        assert made.delta == curve_lines(addons.delta_tiers)
        assert made.unwind == curve_lines(addons.unwind_tiers)
        assert made.linear == curve_lines(of_class.tiers)


def test_terms_that_do_not_fit_the_contract_have_no_hash() -> None:
    for name in Terms.__dataclass_fields__:
        with pytest.raises(EncodingError):
            terms_hash(replace(terms(RULES), **{name: 2**32}))
