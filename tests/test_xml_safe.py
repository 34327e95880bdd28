"""XML from strangers: bounded, without entities, and exact both ways."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from xml.etree.ElementTree import Comment, Element, SubElement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.errors import FormatError
from otio_mapedit.interchange import xml_safe
from otio_mapedit.interchange.xml_safe import clean, parse, read_bytes, serialise

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<x>&c;</x>"""

HOSTILE = {
    "entity bomb": BOMB,
    "external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "parameter entity": b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/p"> %p;]><x/>',
    "unparsed entity": b'<!DOCTYPE x [<!NOTATION n SYSTEM "n"><!ENTITY e SYSTEM "f" NDATA n>]><x/>',
    "undeclared entity": b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x>&e;</x>',
    "nesting": b"<a>" * 10_000 + b"</a>" * 10_000,
    "open nesting": b"<a>" * 10_000_000,
    "garbage": bytes(range(256)) * 100,
    "zip": b"PK\x03\x04" + b"\0" * 1000,
    "empty": b"",
    "white space": b" \n\t ",
    "cut off": b"<fcpxml><resources><asset id='r1'",
    "two roots": b"<a/><b/>",
    "unknown encoding": b'<?xml version="1.0" encoding="x-nothing"?><a/>',
    "many-byte encoding": b'<?xml version="1.0" encoding="big5"?><a>\xa4\xa4</a>',
    "wrong bytes": b'<?xml version="1.0" encoding="UTF-8"?><a>\xff\xfe</a>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse(HOSTILE[name], "evil.fcpxml")
    assert "evil.fcpxml" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.remedy


def test_200_megabytes_are_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.fcpxml"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=r"huge.fcpxml is larger than 64 MB"):
            read_bytes(path)
        assert tracemalloc.get_traced_memory()[1] < 3 * xml_safe.MAX_BYTES
    finally:
        tracemalloc.stop()


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_safe, "MAX_ELEMENTS", 100)
    assert len(parse(b"<a>" + b"<b/>" * 99 + b"</a>", "x")) == 99
    with pytest.raises(FormatError, match="more than 100 elements"):
        parse(b"<a>" + b"<b/>" * 100 + b"</a>", "x")


def test_a_missing_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"cannot read none.xml: No such file"):
        read_bytes(tmp_path / "none.xml")


@pytest.mark.parametrize(
    "doctype", [b"<!DOCTYPE xmeml>", b'<!DOCTYPE xmeml SYSTEM "http://127.0.0.1/never.dtd">', b""]
)
def test_a_plain_doctype_is_allowed_and_its_dtd_never_opened(doctype: bytes) -> None:
    root = parse(
        b'<?xml version="1.0"?>\n' + doctype + b"<xmeml version='4'>&amp;&#65;</xmeml>", "x"
    )
    assert (root.tag, root.get("version"), root.text) == ("xmeml", "4", "&A")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_of_real_files(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><a name="Grüße"/>'
    assert parse(text.encode(encoding), "x").get("name") == "Grüße"


def test_comments_only_on_request() -> None:
    data = b"<!--before--><a><!--inside--><b/></a><!--after-->"
    assert [child.tag for child in parse(data, "x")] == ["b"]
    assert parse(data, "x", comments=True)[0].text == "inside"


def test_serialise_writes_declaration_doctype_and_indents() -> None:
    root = Element("fcpxml", {"version": "1.10"})
    SubElement(SubElement(root, "resources"), "format", {"id": "r1"})
    SubElement(root, "note").text = "a < b & c"
    assert serialise(root, "fcpxml") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.10">\n'
        '\t<resources>\n\t\t<format id="r1"/>\n\t</resources>\n'
        "\t<note>a &lt; b &amp; c</note>\n</fcpxml>\n"
    )


def test_comments_are_written_so_that_they_stay_comments() -> None:
    root = Element("a")
    for text in ("slope=1", "a--b", "end-"):
        comment = Comment(text)
        root.append(comment)
    again = parse(serialise(root).encode(), "x", comments=True)
    assert [child.text for child in again] == ["slope=1", "a- -b", "end- "]


names = st.sampled_from(["a", "b", "clip", "asset-clip"])
texts = st.text(max_size=20)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    element = Element(draw(names), draw(st.dictionaries(names, texts, max_size=3)))
    element.text = draw(texts)
    if depth:
        for child in draw(st.lists(elements(depth - 1), max_size=3)):
            child.tail = draw(texts)
            element.append(child)
    return element


def _content(element: Element) -> object:
    """What a reader sees; white space beside child elements is layout unless text is there."""
    # Cleaned first: Python takes some characters that XML cannot hold for white space.
    pieces = [clean(element.text or ""), *(clean(child.tail or "") for child in element)]
    if len(element) and not any(piece.strip() for piece in pieces):
        pieces = [""] * len(pieces)
    return (
        element.tag,
        {key: clean(value) for key, value in element.attrib.items()},
        pieces,
        [_content(child) for child in element],
    )


@given(elements())
def test_what_is_written_reads_back_exactly(root: Element) -> None:
    assert _content(parse(serialise(root, "a").encode(), "x")) == _content(root)


@given(st.binary(max_size=400))
def test_any_bytes_give_an_element_or_one_line(data: bytes) -> None:
    answer: object
    try:
        answer = parse(data, "noise.xml").tag
    except FormatError as error:
        answer = str(error)
    assert isinstance(answer, str)
    assert "\n" not in answer
