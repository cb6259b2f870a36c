"""Text in HTML that no reader sees never gets out, and is counted."""

import pytest

from flaskllm.inputs.html import read_html
from flaskllm.inputs.text import join

HIDING_STYLES = [
    "display:none",
    "DISPLAY : None !important",
    "visibility:hidden",
    "font-size:0",
    "font-size:1px",
    "font-size:2pt",
    "font-size:0.1em",
    "font-size:5%",
    "opacity:0",
    "opacity:.01",
    "color:#fff",
    "color:rgb(250, 250, 250)",
    "color:white",
    "color:transparent",
    "color:rgba(0,0,0,0)",
    "color:rgba(0 0 0 / 1%)",
    "background-color:#333;color:#333333",
    "background:navy;color:#000080",
    "position:absolute;left:-9999px",
    "position:fixed;top:-100em",
    "position:absolute;clip:rect(0,0,0,0)",
    "text-indent:-9999px",
    "margin-left:-2000px",
    "max-height:0;overflow:hidden",
    "height:0px;overflow:hidden",
    "width:1px;overflow-y:clip",
    "mso-hide:all",
    "transform:scale(0)",
    "content-visibility:hidden",
]

VISIBLE_STYLES = [
    "",
    "color:red",
    "color:#ccc",
    "color:inherit",
    "font-size:small",
    "font-size:80%",
    "font-size:x%",
    "font-size:8px",
    "opacity:0.5",
    "opacity:none",
    "max-height:0",
    "overflow:hidden",
    "height:100px;overflow:hidden",
    "height:auto;overflow:hidden",
    "width:50%;overflow:hidden",
    "left:-9999px",
    "position:absolute;left:10px",
    "position:absolute;clip:auto",
    "background-image:url(x.png);color:#fff",
    "background:linear-gradient(#000,#111);color:#fff",
    "background:#000;color:#fff",
    "background:transparent",
    "background:none;color:#000",
    "background-color:rgba(0,0,0,0)",
    "transform:scale(1.5)",
    "color",
]


@pytest.mark.parametrize("style", HIDING_STYLES)
def test_a_hiding_style_removes_the_text(style):
    lines = read_html(f"<p>shown</p><div style='{style}'>secret <b>word</b></div>")

    assert (join(lines.lines), lines.hidden) == ("shown", 10)


@pytest.mark.parametrize("style", VISIBLE_STYLES)
def test_other_styles_keep_the_text(style):
    lines = read_html(f"<div style='{style}'>shown</div>")

    assert (join(lines.lines), lines.hidden) == ("shown", 0)


@pytest.mark.parametrize(
    "source",
    [
        "<p hidden>secret</p>",
        "<template>secret</template>",
        "<head><title>secret</title></head>",
        "<script>secret</script>",
        "<style>secret</style>",
        "<iframe>secret</iframe>",
        "<img alt='secret' src=x>",
        "<span title='secret'></span>",
        "<input value='secret'>",
        "<font color=white>secret</font>",
        "<body text=#ffffff>secret</body>",
        "<table bgcolor=red><tr><td><font color=#f00>secret</font></table>",
        "<a width=1 height=1>secret</a>",
        "<div style='display:none'><p>secret<p>secret</div>",
        "<div style='display:none'><span>x</div></span>",
        "<span style='display:none'><div>x</span>secret</div>",
        "<b><div style='display:none'></b>secret</div>",
        "<b><i><div style='display:none'></b></i>secret</div>",
        "<div style='display:none'><table><tr><td></div>secret</table></div>",
        "<div style='display:none'></b></i></p>secret</div>",
        "<style>.x{display:none}</style><p class='a x'>secret</p>",
        "<style>#x{display:none}</style><p id=x>secret</p>",
        "<style>P.x{font-size:0}</style><p class=x>secret</p>",
        "<style><!-- i{display:none} --></style><i>secret</i>",
        "<style>/* } */ a, i {display:none}</style><i>secret</i>",
        "<style>@import url(x); i{display:none}</style><i>secret</i>",
        "<style>i{display:none!important}</style><i style='display:inline'>secret</i>",
        "<script>a</script x>",
        "<!-- secret -->",
    ],
)
def test_no_hidden_place_leaks(source):
    assert "secret" not in join(read_html(source + "<p>end</p>").lines)


@pytest.mark.parametrize(
    "source",
    [
        "<style>@media print{p{display:none}}</style><p>shown</p>",
        "<style>.a .b{display:none}</style><p class=b>shown</p>",
        "<style>.x{display:none}</style><p class=y>shown</p>",
        "<style>.x{display:none}</style><p class=x style='display:block'>shown</p>",
        "<style>}} p{color}</style><p>shown</p>",
        "<td style='font-size:0'><span style='font-size:12px'>shown</span></td>",
        "<div style='background:#000'><font color=#fff>shown</font></div>",
        "<table background=x.png><tr><td><font color=#fff>shown</font></table>",
        "<table bgcolor=#000><tr><td style='color:#fff'>shown</table>",
        "<p aria-hidden=true>shown</p>",
        "<div style='display:none'>x</div>shown",
        "<div style='display:none'>x<p>y</div>shown",
        "<span style='display:none'><div>x</div></span>shown",
        "<b style='display:none'><div>x</b>shown</div>",
        "<noscript>shown</noscript>",
        "<span style='color:#F00A'>shown</span>",
        "<a width=1>shown</a>",
    ],
)
def test_visible_text_is_not_lost(source):
    assert join(read_html(source).lines) == "shown"


def test_what_is_hidden_is_counted_without_white_space():
    source = "<p hidden> a &nbsp; b </p><!-- c d --><!--[if mso]> e <![endif]-->"

    assert read_html(source).hidden == 4


def test_invisible_characters_in_visible_text_are_counted():
    lines = read_html("<p>a&#8203;b&zwnj;c</p>")

    assert (join(lines.lines), lines.invisible) == ("abc", 2)
