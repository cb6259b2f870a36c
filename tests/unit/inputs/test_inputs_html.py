"""The visible text of HTML."""

import pytest
from rounds import rounds

from flaskllm.inputs.html import MAX_DEPTH, MAX_TAGS, read_html
from flaskllm.inputs.text import MAX_CHARACTERS, join


def visible(source):
    return join(read_html(source).lines)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a &amp; b &lt;c&gt; &#8364;&nbsp;5", "a & b <c> € 5"),
        ("one\n  two\t three", "one two three"),
        ("a<b>b</b> <i>c</i>", "ab c"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("a<br><br>b", "a\n\nb"),
        ("<br>a", "a"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p style='margin:0'>a</p><p style='margin:0'>b</p>", "a\nb"),
        ("<style>p{margin:0}</style><p>a</p><p>&nbsp;</p><p>b</p>", "a\n\nb"),
        ("<p>a</p><p>&nbsp;</p><p>&nbsp;</p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b"),
        ("<ol start=x><li>a</li></ol>", "1. a"),
        ("<ul><li></li><li>b</li></ul>", "- b"),
        ("<dl><dt>a<dd>b</dl>", "a\nb"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>", "a b\nc d"),
        ("<table><tr><td><p>a</p></td><td>b</td></tr></table>", "a\nb"),
        ("<table><tr><td>a <td>b</table>", "a b"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("<div style='white-space:pre-line'>a\nb</div>", "a\nb"),
        ("<pre>a<span style='white-space:normal'>\nb</span></pre>", "a b"),
        ("<textarea>a &amp; <b></textarea>", "a & <b>"),
        ("a<hr>b", "a\nb"),
        ("1 < 2 and <3 > x", "1 < 2 and <3 > x"),
        ("a</p>b</br>c", "a\nb\nc"),
        ("on <s>Thursday 8</s> Friday 9", "on ~~Thursday 8~~ Friday 9"),
        ("<span style='text-decoration:line-through'>a</span>", "~~a~~"),
        ("<del> a <b>b</b></del>c", "~~a b~~ c"),
        ("a<s>b</s>, (<s>c</s>)", "a ~~b~~, (~~c~~)"),
        ("~~<s>old</s>~ and ~<s>new</s>", "~~ ~~old~~ ~ and ~ ~~new~~"),
        ("<s>~5 ~~~ 6~</s> <s>~</s>", "~ ~~5 ~ ~ ~ 6~~ ~ ~"),
        ("<s>a<font color=red>b</font></s>", "~~a~~ ~~b~~"),
        ("a<s> </s>b", "a b"),
        ("a<!-->b<!--->c<!-- d --!>e", "abce"),
        ("a<!DOCTYPE x>b<?xml y?>c</>d</ e>f", "abcdf"),
        ("a<![if !mso]>b<![endif]>", "ab"),
        ("a<!-- open", "a"),
        ("a<p unclosed", "a"),
        ("a<! open", "a"),
        ("<a title='a > b'>x</a>", "x"),
        ("<span it's>x</span>", "x"),
        ("<b><p>a</b>b</p>", "ab"),
        ("<s><p>old</s> new</p>", "~~old~~ new"),
        ("<s>" + "<div><i>" * 70 + "old</s> kept", "~~old kept~~"),
        ("a  <span> b</span>", "a b"),
    ],
)
def test_text_reads_as_in_a_browser(source, text):
    assert visible(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<a href='https://x.example/p'>here</a>", "here <https://x.example/p>"),
        ("<a href='https://www.x.example/'>x.example</a>", "x.example"),
        ("<a href='mailto:a@b.example?subject=x'>mail</a>", "mail <a@b.example>"),
        ("<a href='mailto:a@b.example'>A@b.example</a>", "A@b.example"),
        ("<a href='javascript:alert(1)'>go</a>", "go"),
        ("<a href='data:text/html,x'>go</a>", "go"),
        ("<a>no address</a>", "no address"),
        ("<a href='https://x.example'><img alt='y'></a>", ""),
        ("<a href='https://x.example/<i>'>go</a>", "go <https://x.example/%3Ci%3E>"),
        (f"<a href='https://x.example/{'a' * 3000}'>go</a>", "go"),
        ("<a href='https://x.example'>open", "open <https://x.example>"),
        ("<a href='https://x.example'><p>a</p></a>", "a"),
        (
            "<a href='https://x.example'><div>a</a> b</div>",
            "a <https://x.example> b",
        ),
    ],
)
def test_an_address_is_shown_where_the_text_of_a_link_hides_it(source, text):
    assert visible(source) == text


@pytest.mark.parametrize(
    ("source", "region"),
    [
        ("<blockquote>x</blockquote>", "quoted"),
        ("<blockquote type=cite><div>x</div></blockquote>", "quoted"),
        ("<blockquote style='border:none;margin:0'>x</blockquote>", ""),
        ("<blockquote style='border:none;border-left:1px'>x</blockquote>", "quoted"),
        ("<div class='gmail_attr'>x</div>", "quoted"),
        ("<div id=divRplyFwdMsg>x</div>", "header"),
        ("<div id=appendonsend></div><p>x</p>", "header"),
        (
            "<div style='border:none;border-top:solid #E1E1E1 1.0pt;"
            "padding:3.0pt 0cm 0cm 0cm'>x</div>",
            "header",
        ),
        ("<div class=gmail_signature>x</div>", "signature"),
        ("<div id=Signature>x</div>", "signature"),
        ("<div>x</div>", ""),
    ],
)
def test_the_marks_of_mail_programs_are_reported(source, region):
    (line,) = (line for line in read_html(source).lines if line.text)

    assert line.region == region


def test_a_striking_colour_cuts_its_line():
    source = "<p>Is it? <span style='color:#C00000'>Yes.</span></p>"

    question, answer = read_html(source).lines

    assert (question.text, question.colour) == ("Is it? ", None)
    assert (answer.text, answer.colour, answer.continues) == ("Yes.", "#c00000", True)


@pytest.mark.parametrize(
    "source",
    [
        "<a href='https://x.example' style='color:red'>x</a>",
        "<p style='color:#222233'>x</p>",
        "<p style='color:no-colour'>x</p>",
        "<p style='color:red'><span style='color:#000'>x</span></p>",
    ],
)
def test_links_and_dark_text_are_not_striking(source):
    assert all(line.colour is None for line in read_html(source).lines)


def test_lines_know_their_place_in_the_source():
    source = "<p>first</p><p>a &amp; b</p>"

    lines = [line for line in read_html(source).lines if line.text]

    assert [source[line.start : line.end] for line in lines] == ["first", "a &amp; b"]


def test_deep_nesting_neither_recurses_nor_loses_text():
    assert visible("<div>" * 3000 + "deep" + "</div>" * 3000 + "after") == "deep\nafter"


def test_text_deeper_than_the_cap_is_left_out():
    opened = MAX_DEPTH + 1

    lines = read_html("<b>" * opened + "deep</b>up" + "</b>" * opened + "out")

    assert (join(lines.lines), lines.is_cut) == ("upout", True)


@pytest.mark.no_cover
def test_tags_beyond_the_cap_are_not_read():
    lines = read_html("<i>a</i>" * MAX_TAGS)

    assert (join(lines.lines), lines.is_cut) == ("a" * (MAX_TAGS // 2), True)


def test_a_page_that_is_full_takes_no_more():
    lines = read_html("a" * (MAX_CHARACTERS + 1) + "<b>end</b>")

    assert (lines.lines[-1].text[-3:], lines.is_cut) == ("aaa", True)


def test_more_different_tags_than_are_remembered_are_read():
    source = "".join(f"<i id=i{number}>a</i>" for number in range(3000))

    assert visible(source + "<i hidden>b</i>") == "a" * 3000


def test_a_tag_with_too_many_attributes_is_still_read():
    many = " ".join(f"a{number}=1" for number in range(100))

    assert visible(f"<p {many} style='display:none'>x</p>y") == "x\ny"


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<a ", "<!--", "</b>", "<table><tr><td>", "<p>", "<b></i>", "<", "x<br>"],
)
@pytest.mark.timeout(rounds(10, 60))
@pytest.mark.no_cover
def test_hostile_markup_takes_linear_time(piece):
    """The library's parser needs minutes for 200 kB of unclosed tags."""
    assert isinstance(visible(piece * (rounds(50_000, 200_000) // len(piece))), str)
