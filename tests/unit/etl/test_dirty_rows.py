"""Every dirty case of the legacy description that touches the product-side files."""

from base64 import b64decode
from pathlib import Path

import pytest

from tests.support.legacy_files import HEADERS, PRODUCT_1, STYLE_1, clean_files, write_files


def test_null_words_when_unquoted_then_null_and_quoted_text_stays(tmp_path: Path) -> None:
    """Case 1: the string null never leaks, a quoted one is text."""
    features = '1,1,"Fabric",null\n2,1,"Fit","null"\n3,1,"Cut",NULL\n4,1,null,"x"\n'
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1, "features": features}))
    assert cleaned.product(1)["features"] == [
        {"feature": "Fabric", "value": None},
        {"feature": "Fit", "value": "null"},
        {"feature": "Cut", "value": None},
        {"feature": None, "value": "x"},
    ]
    assert cleaned.file("features").notes == {"null_word": 3}


def test_photo_when_closing_quote_lost_then_repaired_and_neighbours_kept(tmp_path: Path) -> None:
    """Case 2: one lost quote costs nothing; a line that ends in null gets none."""
    photos = (
        '1,1,"http://a","http://b\n2,1,"http://c","http://d"\n3,1,"http://e",null\n'
        '4,1,"http://f","http://g\n5,1,"http://h","http://i\n'
    )
    cleaned = clean_files(
        write_files(tmp_path, {"product": PRODUCT_1, "styles": STYLE_1, "photos": photos})
    )
    assert [photo["thumbnail_url"] for photo in cleaned.styles(1)[0]["photos"]] == [
        "http://b",
        "http://d",
        None,
        "http://g",
        "http://i",
    ]
    assert cleaned.file("photos").repaired == {"unclosed_quote": 3}
    assert cleaned.file("photos").rejected == {}


@pytest.mark.parametrize(
    "line",
    [
        '1,1,"a","b",2,1,"c","d"',
        '1,1,"a","b"2,1,"c","d"',
        '1,1,"a",null,2,1,"c","d"',
        '1,1,"a",null2,1,"c","d"',
        '1,1,"a","b",2,1,"c","d',
    ],
)
def test_photos_when_two_rows_on_a_line_then_split(tmp_path: Path, line: str) -> None:
    """Case 3: both rows are loaded, in their order, and both are repaired."""
    cleaned = clean_files(
        write_files(tmp_path, {"product": PRODUCT_1, "styles": STYLE_1, "photos": line + "\n"})
    )
    first, second = cleaned.styles(1)[0]["photos"]
    assert first["url"] == "a"
    assert second == {"thumbnail_url": "d", "url": "c"}
    assert cleaned.file("photos").rows_in == 2
    assert cleaned.file("photos").repaired["joined_rows"] == 2


@pytest.mark.parametrize(
    "line", ['1,1,"a","b","x",1,"c","d"', '1,1,"a","b",2', '1,1,"a"', '1,1,"a,"b"', "1,1,a,b,c"]
)
def test_photos_when_no_fifth_int_or_wrong_count_then_rejected_alone(
    tmp_path: Path, line: str
) -> None:
    """Case 3, else: the line is one rejected row and the lines around it stay."""
    photos = f'8,1,"p","q"\n{line}\n9,1,"r","s"\n'
    cleaned = clean_files(
        write_files(tmp_path, {"product": PRODUCT_1, "styles": STYLE_1, "photos": photos})
    )
    assert cleaned.file("photos").rows_in == 3
    assert cleaned.file("photos").rejected == {"malformed_row": 1}
    assert cleaned.rejects[0]["line"] == 3
    assert b64decode(cleaned.rejects[0]["bytes_base64"]) == line.encode()


def test_related_when_zero_or_absent_then_orphan_and_doubles_kept(tmp_path: Path) -> None:
    """Cases 4 and 5: orphans go, duplicates and the product itself stay in order."""
    product = PRODUCT_1 + PRODUCT_1.replace("1,", "2,", 1)
    related = "1,1,2\n2,1,0\n3,1,99\n4,1,1\n5,1,2\n6,77,1\n"
    cleaned = clean_files(write_files(tmp_path, {"product": product, "related": related}))
    assert cleaned.related(1) == [2, 1, 2]
    assert cleaned.file("related").rejected == {"orphan": 3}
    assert cleaned.file("related").notes == {"duplicate_relation": 1, "self_relation": 1}
    assert [(one["line"], one["column"]) for one in cleaned.rejects] == [
        (3, "related_product_id"),
        (4, "related_product_id"),
        (7, "current_product_id"),
    ]


def test_styles_and_skus_when_alike_or_childless_then_kept(tmp_path: Path) -> None:
    """Cases 6, 7, 8, 9, 18 and 19: kept as they are, in the order of their lines, and noted."""
    styles = '9,1,"Red",null,5000000,0\n3,1,"Red",100,140,0\n'
    skus = '5,9,"XL",0\n2,9,"XL",4\n'
    cleaned = clean_files(
        write_files(tmp_path, {"product": PRODUCT_1, "styles": styles, "skus": skus})
    )
    red, other = cleaned.styles(1)
    assert (red["style_id"], red["original_price"], red["default?"]) == (9, "5000000.00", False)
    assert list(red["skus"].items()) == [
        ("5", {"quantity": 0, "size": "XL"}),
        ("2", {"quantity": 4, "size": "XL"}),
    ]
    assert other["photos"] == [{"thumbnail_url": None, "url": None}]
    assert other["skus"] == {"null": {"quantity": None, "size": None}}
    assert cleaned.file("styles").notes == {
        "childless": 1,
        "extreme_value": 1,
        "no_default_style": 1,
        "null_word": 1,
        "out_of_order": 1,
        "same_style_name": 1,
    }
    assert cleaned.file("skus").notes == {"extreme_value": 1, "out_of_order": 1, "same_size": 1}


def test_file_when_marked_returned_unquoted_and_cut_off_then_read(tmp_path: Path) -> None:
    """Cases 12 and 16: BOM, CRLF mixed with LF, no quotes, no last newline."""
    rows = "1,Camo  x,Blend,So it's,Jackets,140\r\n2,B,,D,E,69\n3,C,,,F,1"
    raw = f"\ufeff{HEADERS['product']}\r\n{rows}"
    (tmp_path / "product.csv").write_text(raw, encoding="utf-8", newline="")
    cleaned = clean_files(tmp_path)
    assert cleaned.product(1)["name"] == "Camo  x"
    assert cleaned.product(1)["description"] == "So it's"
    assert cleaned.product(2)["slogan"] == ""
    assert cleaned.product(3)["default_price"] == "1.00"
    assert cleaned.file("product").notes == {
        "byte_order_mark": 1,
        "carriage_return": 2,
        "childless": 3,
        "no_final_newline": 1,
    }


def test_default_style_when_any_word_for_true_then_true(tmp_path: Path) -> None:
    """Case 13: one file may mix them."""
    words = ["true", "TRUE", "t", "T", "1", '"1"', '"True"', "F", "false", "0", "maybe", "2"]
    styles = "".join(f'{at},1,"a",,1,{word}\n' for at, word in enumerate(words, start=1))
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1, "styles": styles}))
    assert [style["default?"] for style in cleaned.styles(1)] == [True] * 7 + [False] * 3
    assert cleaned.file("styles").rejected == {"invalid_boolean": 2}
    assert cleaned.file("styles").notes["empty_null"] == 10


def test_text_when_escaped_then_unescaped_and_else_untouched(tmp_path: Path) -> None:
    """Case 17: doubled quotes, commas, apostrophes, runs of spaces."""
    product = '1,"a ""b"", c","  two  spaces ","it\'s","""",140\n'
    cleaned = clean_files(write_files(tmp_path, {"product": product}))
    assert cleaned.product(1) == {
        "id": 1,
        "name": 'a "b", c',
        "slogan": "  two  spaces ",
        "description": "it's",
        "category": '"',
        "default_price": "140.00",
        "features": [],
    }
    assert cleaned.file("product").notes["escaped_text"] == 1


@pytest.mark.parametrize(
    ("served", "repaired"),
    [
        ({"827": "827.00", "49.99": "49.99", "007": "7.00", "0": "0.00"}, 0),
        (
            {
                "$827.00": "827.00",
                '"1,299.50"': "1299.50",
                "1,299.50": "1299.50",
                "1,299": "1299.00",
                "$1,234,567.89": "1234567.89",
                '"€ 5"': "5.00",
            },
            6,
        ),
    ],
)
def test_price_when_readable_then_cents_are_exact(
    tmp_path: Path, served: dict[str, str], repaired: int
) -> None:
    """Case 20: repaired without ever dropping the point."""
    rows = (f'{at},"a","b","c","d",{price}\n' for at, price in enumerate(served, start=1))
    cleaned = clean_files(write_files(tmp_path, {"product": "".join(rows)}))
    found = (cleaned.product(at)["default_price"] for at in range(1, len(served) + 1))
    assert dict(zip(served, found, strict=True)) == served
    assert cleaned.file("product").repaired == ({"formatted_price": repaired} if repaired else {})


def test_price_when_unreadable_then_rejected(tmp_path: Path) -> None:
    """What may be read in two ways, or is none, is refused with its column."""
    prices = ["49.9", "49.999", "-5", "1e3", "1.299,50", '"12,34"', "abc", "null", "", '""', "$"]
    prices.append("5 000")
    rows = (f'{at},"a","b","c","d",{price}\n' for at, price in enumerate(prices, start=1))
    product = "".join(f'{row}{at},"a","b","c","d",3\n' for at, row in enumerate(rows, start=101))
    cleaned = clean_files(write_files(tmp_path, {"product": product}))
    assert sorted(cleaned.rows) == list(range(101, 101 + len(prices)))
    kinds = ["malformed_row" if price == "1.299,50" else "invalid_price" for price in prices]
    assert [one["kind"] for one in cleaned.rejects] == kinds
    assert [one["line"] for one in cleaned.rejects] == list(range(2, 2 + 2 * len(prices), 2))
    assert {one["column"] for one in cleaned.rejects if one["kind"] == "invalid_price"} == {
        "default_price"
    }


def test_styles_when_separated_prices_unquoted_then_read_unless_ambiguous(tmp_path: Path) -> None:
    """Case 20 between two price columns: only one reading may be possible."""
    styles = (
        '1,1,"a",1,299.50,1,499.00,0\n2,1,"b",null,1,299,0\n3,1,"c",1,299,140,0\n'
        '4,1,"d",100,1,299,1\n'
    )
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1, "styles": styles}))
    assert [(one["sale_price"], one["original_price"]) for one in cleaned.styles(1)] == [
        ("1299.50", "1499.00"),
        (None, "1299.00"),
        ("100.00", "1299.00"),
    ]
    assert [one["line"] for one in cleaned.rejects] == [4]


@pytest.mark.parametrize(
    "line",
    [
        '1125,"Smoke",157,167,0,2237,surplus',
        '1125,"Smoke",157,167,0,2,2237',
        '1125,"Smoke",1,299.50,140,maybe,2237',
        'x,"Smoke",1,299.50,140,0,2237',
    ],
)
def test_line_when_a_separated_price_would_not_make_it_readable_then_malformed(
    tmp_path: Path, line: str
) -> None:
    """A line with a field too many is no row with a price in it, unless all of it is one."""
    (tmp_path / "styles.csv").write_text(
        "productId,name,sale_price,original_price,default_style,id\n"
        f'{line}\n1,"Good",1,299.50,140,0,5\n'
    )
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1}))
    assert cleaned.file("styles").rejected == {"malformed_row": 1}
    assert cleaned.rejects[0]["text"] == line
    assert cleaned.styles(1)[0]["sale_price"] == "1299.50"


def test_header_when_padded_moved_and_widened_then_mapped_by_name(tmp_path: Path) -> None:
    """Case 21: an extra column is ignored with a note."""
    (tmp_path / "product.csv").write_text(
        ' id ,name,slogan,description,category,default_price\n1,"a","b","c","d",1\n'
    )
    (tmp_path / "styles.csv").write_text(
        "name,id,comment,productId,original_price,sale_price,default_style\n"
        '"Red",7,"x, y",1,5,3,1\n"Blue",8,,1,1,000.00,2,0\n'
    )
    cleaned = clean_files(tmp_path)
    red, blue = cleaned.styles(1)
    assert (red["style_id"], red["original_price"], red["sale_price"]) == (7, "5.00", "3.00")
    assert blue["original_price"] == "1000.00"
    assert cleaned.file("styles").notes["extra_column"] == 1
    assert cleaned.file("styles").notes["reordered_header"] == 1
    assert cleaned.file("product").notes["padded_header"] == 1


def test_duplicate_keys_when_last_line_wins_then_counted_once(tmp_path: Path) -> None:
    """Case 22: both count as loaded; a rejected row supersedes nothing."""
    product = PRODUCT_1 + '1,"New","b","c","d",5\n1,"Bad","b","c","d",x\n'
    features = '1,1,"a","1"\n2,1,"b","2"\n1,1,"c","3"\n2,99,"d","4"\n'
    cleaned = clean_files(write_files(tmp_path, {"product": product, "features": features}))
    assert cleaned.product(1)["name"] == "New"
    assert [one["feature"] for one in cleaned.product(1)["features"]] == ["b", "c"]
    assert cleaned.file("product").loaded == 2
    assert cleaned.file("product").repaired == {"duplicate_key": 1}
    assert cleaned.file("features").repaired == {"duplicate_key": 1}
    assert cleaned.file("features").rejected == {"orphan": 1}


def test_row_when_invalid_utf8_or_nul_then_rejected_with_its_bytes(tmp_path: Path) -> None:
    """Case 23: the row goes, with its line number and bytes, and never the file."""
    lines = [b'1,"ok","b","c","d",1', b'2,"caf\xe9","b","c","d",1', b'3,"nu\0l","b","c","d",1\r']
    body = b"\n".join([*lines, '4,"\u2028é😀\x1eE","b","c","d",1'.encode()])
    cleaned = clean_files(write_files(tmp_path, {"product": body}))
    assert sorted(cleaned.rows) == [1, 4]
    assert cleaned.product(4)["name"] == "\u2028é😀\x1eE"
    assert [(one["line"], one["kind"]) for one in cleaned.rejects] == [
        (3, "invalid_utf8"),
        (4, "malformed_row"),
    ]
    assert [b64decode(one["bytes_base64"]) for one in cleaned.rejects] == [
        lines[1],
        lines[2].removesuffix(b"\r"),
    ]


def test_text_when_it_spans_lines_then_one_row(tmp_path: Path) -> None:
    """A quoted line break is legal CSV; blank lines inside belong to the text, others are none."""
    product = (
        '1,"a","b","one\n\ntwo, 3","d",1\r\n\n2,"x","b","c\r\nc","d",2\n'
        '3,"lost,"b","c","d",3\n4,"a","b","open\nclosed","d",4\n'
    )
    cleaned = clean_files(write_files(tmp_path, {"product": product}))
    assert cleaned.product(1)["description"] == "one\n\ntwo, 3"
    assert cleaned.product(2)["description"] == "c\r\nc"
    assert cleaned.product(4)["description"] == "open\nclosed"
    assert [(one["line"], one["kind"]) for one in cleaned.rejects] == [(8, "malformed_row")]
    notes = cleaned.file("product").notes
    assert (notes["multiline_row"], notes["blank_line"]) == (3, 1)
    assert cleaned.file("product").rows_in == 4


def test_text_when_its_middle_line_looks_like_a_row_then_still_one_row(tmp_path: Path) -> None:
    """A line with as many commas as the header is no row while its key is no number."""
    features = '1,1,"Care","wash\nwarm, gently, twice, dry\nslowly"\n2,1,"a","b"\n'
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1, "features": features}))
    assert cleaned.product(1)["features"][0]["value"] == "wash\nwarm, gently, twice, dry\nslowly"
    assert cleaned.file("features").rows_in == 2


def test_quote_when_missing_anywhere_then_only_its_line_is_lost(tmp_path: Path) -> None:
    """One missing quote never swallows neighbours."""
    lines = [f'{number},"n{number}","b","c","d",1' for number in range(1, 40)]
    lines[4] = '5,"n5,"b","c","d",1'
    lines[9] = '10,"n10","b","c","d,1'
    lines[10] = '11,n11","b","c","d",1'
    lines[20] = '21,"n21","b","c,"d",1'
    cleaned = clean_files(write_files(tmp_path, {"product": "\n".join(lines)}))
    assert [one["line"] for one in cleaned.rejects] == [6, 11, 12, 22]
    assert len(cleaned.rows) == 35


def test_file_when_cut_in_a_quoted_field_then_the_last_row_says_so(tmp_path: Path) -> None:
    """A cut file loads up to the cut; the reject names the column that was open."""
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1 + '2,"a","b","cut he'}))
    assert sorted(cleaned.rows) == [1]
    assert cleaned.rejects[0]["column"] == "description"
    assert "not closed" in cleaned.rejects[0]["reason"]


def test_key_when_out_of_range_then_rejected(tmp_path: Path) -> None:
    """Keys are 1 to 2^53-1, in decimal digits only."""
    keys = ["0", "-1", "1.0", "1e3", "9007199254740992", "9" * 20, "abc", "", "0x1"]
    rows = (f'{key},1,"a","b"\n{at},1,"c","d"\n' for at, key in enumerate(keys, start=2**53 - 9))
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1, "features": "".join(rows)}))
    assert [one["feature"] for one in cleaned.product(1)["features"]] == ["c"] * len(keys)
    assert [(one["kind"], one["column"], one["line"]) for one in cleaned.rejects] == [
        ("invalid_integer", "id", line) for line in range(2, 2 + 2 * len(keys), 2)
    ]


def test_children_when_parent_is_rejected_then_the_rejection_cascades(tmp_path: Path) -> None:
    """A child of a rejected parent is an orphan, down to the photo."""
    cleaned = clean_files(
        write_files(
            tmp_path,
            {
                "product": PRODUCT_1.replace("140", "free"),
                "styles": STYLE_1,
                "photos": '1,1,"a","b"\n',
                "skus": '1,1,"S",1\n',
                "features": '1,1,"a","b"\n',
                "related": "1,1,1\n",
            },
        )
    )
    assert cleaned.rows == {}
    assert cleaned.account.rejected_rows == cleaned.account.rows_in == 6
    assert [one["kind"] for one in cleaned.rejects] == ["invalid_price", *["orphan"] * 5]


def test_quantity_when_a_whole_number_then_kept_else_rejected(tmp_path: Path) -> None:
    """Back orders are negative; there is no quantity without a number."""
    quantities = ["0", "-3", '"7"', " 5 ", "null", "", "1.5"]
    skus = "".join(f'{at},1,"S",{quantity}\n' for at, quantity in enumerate(quantities, start=1))
    files = {"product": PRODUCT_1, "styles": STYLE_1, "skus": skus}
    cleaned = clean_files(write_files(tmp_path, files))
    served = cleaned.styles(1)[0]["skus"]
    assert [served[str(at)]["quantity"] for at in range(1, 5)] == [0, -3, 7, 5]
    assert len(served) == 4
    assert [(one["column"], one["line"]) for one in cleaned.rejects] == [
        ("quantity", line) for line in (6, 7, 8)
    ]
