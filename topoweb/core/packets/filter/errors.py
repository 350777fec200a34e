"""What is wrong with a display filter: where, in both languages, and what helps."""

from __future__ import annotations

from typing import NamedTuple

LANGUAGES = ("en", "zh-CN")


class Words(NamedTuple):
    """A message and its remedy, in English and in Simplified Chinese, with ``{params}``."""

    en: str
    zh: str
    hint_en: str = ""
    hint_zh: str = ""


WORDS = {
    "filter-too-long": Words(
        "The filter has {count} characters; {limit} are allowed.",
        "过滤表达式有 {count} 个字符,最多允许 {limit} 个。",
        "Shorten it.",
        "请缩短。",
    ),
    "filter-too-deep": Words(
        "The filter is nested too deeply.",
        "过滤表达式嵌套过深。",
        "Take out some parentheses or negations.",
        "请去掉一些括号或取反。",
    ),
    "filter-too-many": Words(
        "The filter has more than {limit} conditions.",
        "过滤表达式的条件超过 {limit} 个。",
        "Write ports and addresses as a set: tcp.port in {{80, 443}}.",
        "请把端口和地址写成集合:tcp.port in {{80, 443}}。",
    ),
    "filter-character": Words(
        "{found} has no meaning here.", "{found} 在此处没有意义。"
    ),
    "filter-assignment": Words(
        "= is no comparison.", "= 不是比较运算符。", "Write ==.", "请写 ==。"
    ),
    "filter-open-text": Words(
        "The text has no closing quotation mark.",
        "文本缺少结束的引号。",
        'Close it with ".',
        '请用 " 结束。',
    ),
    "filter-escape": Words(
        "{found} is no escape sequence.",
        "{found} 不是转义序列。",
        r'Known are \\, \", \n, \r, \t and \xHH; in r"…" a backslash stands for itself.',
        r'可用的有 \\、\"、\n、\r、\t 和 \xHH;在 r"…" 中反斜杠代表自身。',
    ),
    "filter-end": Words(
        "The filter ends too early: {expected} is missing.",
        "过滤表达式过早结束:缺少{expected}。",
    ),
    "filter-unexpected": Words(
        "{found} does not belong here; expected is {expected}.",
        "{found} 不应出现在此处;此处应为{expected}。",
    ),
    "filter-unknown-field": Words(
        "There is no field {name}.",
        "没有字段 {name}。",
        "Did you mean {nearest}?",
        "您是不是要写 {nearest}?",
    ),
    "filter-no-value": Words(
        "{name} has no value that could be compared.",
        "{name} 没有可比较的值。",
        "Write {name} alone, or not {name}.",
        "请单独写 {name},或 not {name}。",
    ),
    "filter-operator": Words(
        "{operator} cannot be asked of {name}.",
        "{operator} 不能用于 {name}。",
        "Possible are: {operators}.",
        "可用的有:{operators}。",
    ),
    "filter-value": Words(
        "{found} is not {wanted}.",
        "{found} 不是{wanted}。",
        "Write it like this: {example}",
        "请这样写:{example}",
    ),
    "filter-too-big": Words(
        "{found} is too big for {name}; at most {limit} is possible.",
        "{found} 超出 {name} 的范围,最大为 {limit}。",
    ),
    "filter-prefix": Words(
        "A prefix has no order.",
        "前缀没有大小之分。",
        "Compare it with == or !=, or put it into a set.",
        "请用 == 或 != 比较,或放入集合。",
    ),
    "filter-range": Words(
        "The range {found} is empty or has no order.",
        "范围 {found} 为空,或其类型没有顺序。",
        "Write the smaller value first, like 10..20.",
        "请先写较小的值,如 10..20。",
    ),
    "filter-types": Words(
        "{name} and {other} cannot be compared: they are of different types.",
        "{name} 和 {other} 类型不同,不能比较。",
    ),
    "filter-regex": Words(
        "The regular expression cannot be used from character {at} on: {found}.",
        "正则表达式从第 {at} 个字符起无法使用:{found}。",
        "Understood are . [] () | ^ $ * + ? {{m,n}} \\d \\w \\s and their negations.",
        "支持 . [] () | ^ $ * + ? {{m,n}} \\d \\w \\s 及其取反。",
    ),
    "filter-regex-large": Words(
        "The regular expression is too large.",
        "正则表达式过大。",
        "Use smaller counts in braces.",
        "请减小花括号中的次数。",
    ),
    "filter-unknown-node": Words(
        "The drawing has no node {name}.", "图中没有节点 {name}。"
    ),
    "filter-unknown-link": Words(
        "The drawing has no cable {name}.",
        "图中没有线缆 {name}。",
        "Name it by its id or by its ends, like {example}.",
        "请用其 id 或两端的名称表示,如 {example}。",
    ),
}  # fmt: skip

# What can be expected at a place, or a value be, in both languages.
THINGS = {
    "value": ("a value", "值"),
    "condition": ("a condition", "条件"),
    "end": ("the end, and, or or", "结尾、and 或 or"),
    ")": (")", " ) "),
    "in": ("in", " in "),
    "{": ("{", " { "),
    "}": (", or }", " , 或 } "),
    "field": ("a field", "字段"),
    "comparison": ("a comparison", "比较运算符"),
    "number": ("a number", "数字"),
    "flag": ("0 or 1", " 0 或 1"),
    "seconds": ("a number of seconds", "秒数"),
    "ipv4": ("an IPv4 address or prefix", " IPv4 地址或前缀"),
    "ipv6": ("an IPv6 address or prefix", " IPv6 地址或前缀"),
    "mac": ("a MAC address", " MAC 地址"),
    "text": ("a text in quotation marks", "带引号的文本"),
    "name": ("a name in quotation marks", "带引号的名称"),
    "bytes": ("a text in quotation marks, or bytes", "带引号的文本或字节"),
}
HINTS_WITHOUT = {"filter-unknown-field": "nearest", "filter-unknown-link": "example"}


class FilterError(Exception):
    """A filter that cannot be used; ``position`` and ``length`` count characters.

    ``suggestions`` may stand where the marked part is, as they are.
    """

    def __init__(
        self,
        code: str,
        position: int,
        length: int,
        *,
        suggestions: tuple[str, ...] = (),
        **params: str,
    ) -> None:
        super().__init__(code)
        self.code, self.position, self.length = code, position, length
        self.params, self.suggestions = params, suggestions

    def text(self) -> dict[str, str]:
        """Return the message by language."""
        words = WORDS[self.code]
        return {"en": self._fill(words.en, 0), "zh-CN": self._fill(words.zh, 1)}

    def hint(self) -> dict[str, str]:
        """Return what helps, by language; empty texts where nothing is known."""
        words = WORDS[self.code]
        if not self.params.get(HINTS_WITHOUT.get(self.code, ""), "known"):
            return dict.fromkeys(LANGUAGES, "")
        return {"en": self._fill(words.hint_en, 0), "zh-CN": self._fill(words.hint_zh, 1)}

    def _fill(self, template: str, language: int) -> str:
        words = dict(self.params)
        for key in ("expected", "wanted"):
            if key in words:
                words[key] = THINGS[words[key]][language]
        return template.format_map(words)
