"""Expressions and messages for SQL92 filters; Apache's answers to all pairs are in `filter.json`."""

MESSAGES: tuple[dict[str, str], ...] = (
    {},
    {"a": "1", "b": "2", "c": "x"},
    {"a": "10", "b": "9"},
    {"a": "-3", "b": "-2.5"},
    {"a": "+7", "b": "007"},
    {"a": "2147483647", "b": "2147483648"},
    {"a": "-2147483648", "b": "-2147483649"},
    {"a": "9223372036854775807", "b": "9223372036854775808"},
    {"a": "-9223372036854775808", "b": "0"},
    {"a": "2.5", "b": "2.50"},
    {"a": "1e3", "b": "1000"},
    {"a": ".5", "b": "5."},
    {"a": "0.0", "b": "-0.0"},
    {"a": "NaN", "b": "Infinity", "c": "-Infinity"},
    {"a": "nan", "b": "infinity", "c": "+Infinity"},
    {"a": "0x10", "b": "0x1p4", "c": "0x1.8P1d"},
    {"a": "5f", "b": "5d", "c": "5L"},
    {"a": "1e999", "b": "-1e999", "c": "1e-999"},
    {"a": " 5 ", "b": "5 ", "c": "\t5\n"},
    {"a": "1_000", "b": "1,000"},
    {"a": "٥", "b": "５", "c": "²"},
    {"a": "𝟓", "b": "Ⅴ"},
    {"a": "0000000000000000000000000000005", "b": "00000000000000000000000000000000000000"},
    {"a": "9" * 40, "b": "0." + "1" * 40},
    {"a": "9007199254740993", "b": "9007199254740992"},
    {"a": "true", "b": "TRUE", "c": "True"},
    {"a": "false", "b": "yes", "c": "1"},
    {"a": "x", "b": "X", "c": "xyz"},
    {"a": "it's", "b": "''", "c": "'"},
    {"a": "ünï✓", "b": "😀", "c": "日本"},
    {"a": "a\nb", "b": "%", "c": "_"},
    {"a": "NULL", "b": "null", "c": "TRUE "},
    {"a": "+", "b": "-", "c": "."},
    {"a": "e5", "b": "0x", "c": "1e"},
    {"TAGS": "TagA", "KEYS": "k1 k2", "UNIQ_KEY": "7F00", "$x_1": "5", "_y": "6"},
    {"A": "1", "B": "2"},
    {"a": "1"},
    {"b": "5", "c": "abc"},
    {"aa": "1", "xa": "2", "a": "3"},
)

_COMPARED = [
    f"{left} {sign} {right}"
    for sign in ("=", "<>", ">", ">=", "<", "<=")
    for left, right in (
        ("a", "1"), ("a", "5"), ("5", "a"), ("a", "b"), ("a", "2.5"), ("2.5", "a"), ("a", "-3"), ("a", "-2.5"),
        ("a", "2147483647"), ("a", "2147483648"), ("2147483648", "a"), ("a", "9223372036854775807"), ("a", "1e3"),
        ("a", "5L"), ("a", "'x'"), ("'x'", "a"), ("a", "TRUE"), ("TRUE", "a"), ("a", "FALSE"), ("a", "NULL"),
        ("NULL", "a"), ("1", "1.0"), ("2", "1"), ("1", "'1'"), ("'1'", "1"), ("'x'", "1"), ("'x'", "'x'"),
        ("TRUE", "TRUE"), ("TRUE", "FALSE"), ("TRUE", "1"), ("1", "TRUE"), ("TRUE", "'true'"), ("'true'", "TRUE"),
        ("(a > 1)", "(b > 1)"), ("(a > 1)", "TRUE"), ("(a > 1)", "1"), ("1", "(a > 1)"), ("(a > 1)", "b"),
        ("-a", "1"), ("a", "-b"), ("-a", "-b"), ("a", "-(-5)"), ("a", "- 2147483648"), ("-(a > 1)", "1"),
        ("9007199254740993", "9007199254740992.0"), ("a", "9007199254740992.0"), ("a", "+5"), ("NOT a", "b"),
        ("c", "5.0"), ("b", "5.0"), ("c", "1"), ("zz", "zz"), ("zz", "yy"),
    )
]  # fmt: skip

_WORDS = [
    f"{operand} {negation}{word} {text}"
    for operand in ("a", "'xyz'", "5", "NULL", "(a = 1)", "-a")
    for negation in ("", "NOT ")
    for word, text in (
        ("CONTAINS", "'x'"), ("CONTAINS", "''"), ("STARTSWITH", "'it'''"), ("STARTSWITH", "'x'"), ("ENDSWITH", "'z'"),
        ("ENDSWITH", "'✓'"), ("IN", "('x', '1', 'it''s')"), ("IN", "('1', '2', '3', '4', '5', '10')"),
        ("IN", "('')"), ("BETWEEN", "1 AND 5"), ("BETWEEN", "-5 AND 2.5"), ("BETWEEN", "b AND 100"),
        ("BETWEEN", "5 AND 1"), ("BETWEEN", "-1 AND -5"), ("BETWEEN", "1 AND 1"), ("BETWEEN", "NULL AND 1"),
        ("BETWEEN", "'a' AND 'b'"), ("BETWEEN", "1 AND 'b'"), ("BETWEEN", "2.5 AND 3"), ("BETWEEN", "TRUE AND 1"),
        ("BETWEEN", "'1' AND TRUE"), ("BETWEEN", "1.5 AND 'x'"),
    )
]  # fmt: skip

_LOGIC = [
    *("a", "b", "NOT a", "NOT NOT a", "(a)", "((a))", "-a", "+a", "TRUE", "FALSE", "NULL", "NOT TRUE", "NOT NULL"),
    *("5", "'x'", "NOT 5", "NOT 'x'", "-5", "+TRUE", "-TRUE", "- NOT a", "NOT -a", "NOT +a", "+ + a = 1"),
    *(f"{one} {word} {two}" for word in ("AND", "OR") for one in ("TRUE", "FALSE", "NULL", "a", "a > 1", "a = TRUE")
      for two in ("TRUE", "FALSE", "NULL", "b", "b > 1", "TRUE = b", "a IS NULL")),
    *("a > 1 AND b > 1 OR c = 'x'", "a > 1 OR b > 1 AND c = 'x'", "(a > 1 OR b > 1) AND c = 'x'"),
    *("NOT a = 1", "NOT (a = 1)", "NOT a > 1", "NOT a IS NULL", "NOT (a IS NULL)", "NOT a IN ('1')"),
    *("a = 1 AND b = 2 AND c = 'x'", "a = 1 OR b = 2 OR c = 'x'", "a = 1 AND NOT b = 3 AND NOT (c IS NULL OR c = 'y')"),
    *("a > 'x' OR TRUE", "5 AND TRUE", "TRUE AND 5", "5 OR TRUE", "TRUE OR 'x'", "a AND -b"),
    *("a IS NULL", "a IS NOT NULL", "a is null", "5 IS NULL", "NULL IS NULL", "NULL IS NOT NULL", "TRUE IS NULL"),
    *("a IS NULL IS NULL", "a IS NOT NULL = TRUE", "a = b = TRUE", "a = b = c", "a <> b <> c", "a > 1 > 2"),
    *("a > 1 = TRUE", "TRUE = a > 1", "a CONTAINS 'x' CONTAINS 'y'", "a > 1 CONTAINS 'x'", "a > 1 IN ('x')"),
    *("(a = 1) IS NULL", "(zz > 1) IS NULL", "-a IS NULL", "-(a > 5) IS NULL", "(a > 1 OR b) IS NOT NULL"),
]  # fmt: skip

_LITERALS = [
    *("a = 0", "a = 00", "a = 007", "a = 0L", "a = 5l", "a = 5L", "a = 5LL", "a = 5f", "a = 1.5d", "a = 0x10"),
    *("a = 1_0",),
    *("a = 5.", "a = .5", "a = 5.e1", "a = .5E-1", "a = 1E3", "a = 1e+3", "a = 1e", "a = 1.e", "a = .", "a = 1.2.3"),
    *("a = 0.0", "a = .0", "a = 0e0", "a = 1e309", "a = 1e-400", "a = 4.9E-324", "a = 2e-324"),
    *("a = 1.7976931348623157E308",),
    *("a = 9223372036854775807", "a = 9223372036854775808", "a = -9223372036854775808", "a = -9223372036854775807"),
    *("a = 2147483648L", "a = -2147483648", "a = 99999999999999999999999999"),
    *("a = ''", "a = ''''", "a = 'it''s'", "a = 'x", "a = 'x''", "a = \"x\"", "a = 'a\nb'", "a = 'ünï✓'", "b = '😀'"),
    *("c CONTAINS '本'", "b STARTSWITH '😀'", "a = 'NULL'", "a = 'true'", "TAGS = 'TagA'", "tags = 'TagA'", "$x_1 = 5"),
    *("_y > 5", "A = 1", "KEYS CONTAINS 'k2'", "ü = 1", "a.b = 1", "a-b = 1", "UNIQ_KEY IS NOT NULL", "a1 = 1"),
    *("1a = 1",),
]  # fmt: skip

_TEXTS = [
    *("", " ", "\t\n", "a = 1 b", "a = 1 b = 2", "a = 1)", "(a = 1", "a = 1 ~", "a = 1 b ~", "a = 1; b = 2"),
    *("a = 1 --",),
    *("a = 1 -- comment", "a = 1 -- comment\nAND b = 2", "a = 1 -- comment\r\nAND b = 2", "-- c\na = 1", "a = --5\n1"),
    *("a /* c */ = /* d * / */ 1", "/**/a = 1", "/***/a = 1", "/* a = 1", "a /*/ = 1", "a = 1 /* open", "a = 1 /x"),
    *("a=1AND b=2", "a=1and b=2", "a =1aNd(b=2)oR c='x'", "NOTa = 1", "not(a=1)", "a iN('1')", "a bEtWeEn 1 aNd 5"),
    *("a = = 1", "= 1", "a =", "a == 1", "a != 1", "a <> 1", "a < > 1", "a => 1", "a >", "a IS", "a IS NOT", "a IS 5"),
    *("a IN", "a IN ()", "a IN (1)", "a IN ('1',)", "a IN '1'", "a IN ('1' '2')", "a IN ('1'", "a IN (b)", "a NOT"),
    *("a NOT b", "a NOT = 1", "a NOT NULL", "a BETWEEN 1", "a BETWEEN 1 AND", "a BETWEEN 1, 5"),
    *("a NOT BETWEEN 1 OR 5",),
    *("a LIKE 'x'", "a LIKE 'x%' ", "a + 1 = 2", "a * 2 = 2", "a = 1 + 1", "a = 1 - 1", "a = -1", "a = - - 1"),
    *("a = +-1",),
    *("AND", "OR", "NOT", "()", "(())", ")", ",", "a,b", "a AND", "AND a", "a OR OR b", "a CONTAINS b", "a CONTAINS 5"),
    *("a CONTAINS", "NOT", "NOT NOT", "IS NULL", "IN ('x')", "BETWEEN = 1", "null = 1", "true", "TRUE TRUE", "a b c"),
    *("a\f=\f1", "a\u00a0= 1", "a\u000b= 1", "a\r=\r1 ?", "a\r\n=\n\n ?", "\ta\t=\t? x"),
    *("a = 1 OR (b = 2 AND (c = ? 'x'))",),
    *("a = 1\0", "\0", "a = ?", "?", "a = @b", "a & b", "a || b", "!a", "a = [1]", "a = {1}", "`a` = 1", "a = \\'x\\'"),
]  # fmt: skip

EXPRESSIONS: tuple[str, ...] = tuple(dict.fromkeys([*_COMPARED, *_WORDS, *_LOGIC, *_LITERALS, *_TEXTS]))
