"""The test identity provider's two pages: in plain sight a test, whatever is on them."""

from collections.abc import Sequence
from typing import Any, Final

from jinja2 import Environment
from starlette.responses import HTMLResponse

from policies.vocabulary import Person

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
}
_FRAME: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>测试身份提供方 TEST ONLY</title>
<style>
body { margin: 0; font: 18px/1.5 sans-serif; color: #1b1b1b; background: #fff; }
.test { padding: 0.8rem 1rem; background: #8c1d18; color: #fff; font-size: 1.3rem; font-weight: 700; }
main { max-width: 34rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; }
label { display: block; margin-top: 0.8rem; font-weight: 600; }
input, select, button { box-sizing: border-box; width: 100%; min-height: 3rem; padding: 0.4rem 0.7rem; font: inherit; }
button { margin-top: 0.8rem; border: 2px solid #1f4e8c; border-radius: 0.4rem; background: #fff; color: #1f4e8c; }
.go { background: #1f4e8c; color: #fff; font-weight: 700; }
.people { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0 0.6rem; }
</style></head><body>
<p class="test" role="note">测试身份提供方 TEST ONLY<br>不核实任何人，只在这台机器上 Nobody is checked here</p>
<main>{% block main %}{% endblock %}</main></body></html>"""
_FORM: Final = """{% extends "frame" %}{% block main %}
<h1>您想以谁的身份登录？ Sign in as whom?</h1>
<form method="post" action="/authorize" autocomplete="off">
<input type="hidden" name="pending" value="{{ pending }}">
<label for="level">核实程度 How surely identified</label>
<select id="level" name="level">
{% for value, words in levels %}
<option value="{{ value }}"{% if value == level %} selected{% endif %}>{{ words }}</option>
{% endfor %}</select>
<p>虚构的人，点一下就行。 Made-up people, one tap:</p>
<div class="people">
{% for person in people %}<button name="pick" value="{{ loop.index0 }}">{{ person.name }}</button>
{% endfor %}</div>
<label for="name">姓名 Name</label><input id="name" name="name" autocomplete="off">
<label for="id_number">身份证号 Id-card number</label><input id="id_number" name="id_number" autocomplete="off">
<button class="go" id="go">登录 Sign in</button>
<button name="deny" value="yes" id="deny">取消 Cancel</button>
</form>{% endblock %}"""
_STOPPED: Final = """{% extends "frame" %}{% block main %}<h1>停在这里 Stopped</h1><p>{{ why }}</p>{% endblock %}"""
_LEVELS: Final = (
    ("low", "低：只有手机号 Low"),
    ("substantial", "中：实名认证 Substantial"),
    ("high", "高：人脸核验 High"),
)


def form_page(pending: str, level: str, people: Sequence[Person]) -> HTMLResponse:
    """Who she wants to be, and how surely."""
    return _page(_FORM, pending=pending, level=level, people=people, levels=_LEVELS)


def stopped_page(why: str) -> HTMLResponse:
    """What the relying party did wrong; no redirect may follow."""
    return _page(_STOPPED, 400, why=why)


def _page(source: str, status: int = 200, **values: Any) -> HTMLResponse:
    environment = Environment(autoescape=True)
    frame = environment.from_string(_FRAME)
    return HTMLResponse(
        environment.from_string(source.replace('"frame"', "frame")).render(values | {"frame": frame}), status, _HEADERS
    )
