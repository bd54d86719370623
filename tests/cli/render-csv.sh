#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# CSV as another program reads it: the same cells as JSON has, one record a line.

. "${top_srcdir:-.}/tests/lib.sh"

command -v python3 >/dev/null || skip_all 'python3, whose csv module judges, is not installed'
render=$top_builddir/tests/unit/render
[ -x "$render" ] || skip_all 'tests/unit/render is not built'

"$render" csv >"$tmp/csv" || exit 1
"$render" json >"$tmp/json" || exit 1

cat >"$tmp/compare.py" <<'END'
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], newline=''), strict=True))
table = json.load(open(sys.argv[2]))['tables'][0]
types = {c['key']: c['type'] for c in table['columns']}

def text(value):
    """As CSV escapes text: a backslash is doubled, control characters are \\x1b."""
    names = {'\\': '\\\\', '\n': '\\n', '\t': '\\t'}
    hidden = lambda c: c < ' ' or '\x7f' <= c < '\xa0' or c in '\u202a\u202b\u202c\u202d\u202e'
    return ''.join(names.get(c) or (('\\x%02x' if ord(c) < 128 else '\\u%04x') % ord(c)
                                    if hidden(c) else c) for c in value)

def want(key, value):
    if value is None:
        return ''
    if types[key] == 'histogram':
        return ';'.join(':'.join(map(str, bucket)) for bucket in value)
    if types[key] == 'bool':
        return 'true' if value else 'false'
    if types[key] in ('ratio', 'rate'):
        return float(value)
    return text(value) if isinstance(value, str) else str(value)

different = 0
if len(rows) != len(table['rows']) or list(rows[0]) != list(types):
    sys.exit('another number of rows or other keys')
for got, row in zip(rows, table['rows']):
    for key, value in row.items():
        cell = float(got[key]) if types[key] in ('ratio', 'rate') and got[key] else got[key]
        # Bytes that are no UTF-8 are escaped in CSV and replaced in JSON.
        if '\ufffd' not in str(value) and cell != want(key, value):
            print(key, repr(got[key]), repr(want(key, value)))
            different += 1
sys.exit(different != 0)
END
ok 'CSV and JSON have the same cells' python3 "$tmp/compare.py" "$tmp/csv" "$tmp/json"
is 'lines end in CR LF' "$(grep -c "$(printf '\r')\$" "$tmp/csv")" "$(wc -l <"$tmp/csv" | tr -d ' ')"
is 'a record is a line' "$(wc -l <"$tmp/csv" | tr -d ' ')" 9
done_testing
