#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Metrics in both dialects: what the formats demand is checked line by line here; promtool and a
# real Prometheus judge too where they are installed.

. "${top_srcdir:-.}/tests/lib.sh"

render=$top_builddir/tests/unit/render
[ -x "$render" ] || skip_all 'tests/unit/render is not built'

"$render" prometheus >"$tmp/prometheus" || exit 1
"$render" openmetrics >"$tmp/openmetrics" || exit 1

# Each sample's family: the name up to the labels, without the suffixes of histograms.
families() {
	grep -v '^#' "$1" | sed 's/[{ ].*//; s/_\(bucket\|sum\|count\)$//' | uniq
}

# series FILE: everything before the value, which must be unique.
series() {
	grep -v '^#' "$1" | sed 's/ [^ ]*$//'
}

# Cumulative counts of each histogram never fall, and end with the count.
cumulative() {
	awk '
	/_bucket\{/ {
		at = match($0, /,?le="/)
		key = substr($0, 1, at - 1)
		if (key != last) { last = key; below = 0; n = 0 }
		if ($NF < below) { print "falls: " $0; exit 1 }
		below = $NF; n++
		if ($0 ~ /le="\+Inf"/ && n != 26) { print "borders: " n; exit 1 }
	}
	/_count/ { if ($NF != below) { print "count: " $0; exit 1 } }
	' "$1"
}

is 'a family appears once' "$(families "$tmp/prometheus" | sort | uniq -d)" ''
is 'no two samples have the same labels' "$(series "$tmp/prometheus" | sort | uniq -d)" ''
ok 'rows that look alike are told apart' grep -q 'duplicate="1"' "$tmp/prometheus"
is 'every family has its help' "$(grep -c '^# HELP' "$tmp/prometheus")" "$(families "$tmp/prometheus" | wc -l | tr -d ' ')"
is 'every family has its type' "$(grep -c '^# TYPE' "$tmp/prometheus")" "$(families "$tmp/prometheus" | wc -l | tr -d ' ')"
ok 'counters are declared with _total' grep -q '^# TYPE hvscope_exits_total counter$' "$tmp/prometheus"
ok 'in OpenMetrics without' grep -q '^# TYPE hvscope_exits counter$' "$tmp/openmetrics"
is 'OpenMetrics ends with EOF' "$(tail -n 1 "$tmp/openmetrics")" '# EOF'
is 'which comes once' "$(grep -c '^# EOF$' "$tmp/openmetrics")" 1
is 'and never in the other dialect' "$(grep -c '^# EOF$' "$tmp/prometheus")" 0
is 'both have the same samples' "$(grep -v '^#' "$tmp/prometheus")" "$(grep -v '^#' "$tmp/openmetrics")"
is 'a newline in a name stays in its line' "$(grep -c '^[^#h]' "$tmp/prometheus")" 0
ok 'labels are escaped' grep -qF 'vm="a\"b,c\\d\ne' "$tmp/prometheus"
ok 'times are seconds' grep -q '^hvscope_span_seconds{command="exits"} 2.5$' "$tmp/prometheus"
ok 'borders are 2^k - 1 ns' grep -q 'le="1.023e-06"' "$tmp/prometheus"
ok 'up to 2^34 - 1 ns' grep -q 'le="17.179869183"' "$tmp/prometheus"
ok 'histograms are cumulative' cumulative "$tmp/prometheus"
# Of the values 1000, 1, 2, … 7 (web's) all are below 1.023 us.
ok 'buckets hold what they should' grep -q '_bucket{vm="web",.*le="1.023e-06"} 9$' "$tmp/prometheus"

if command -v promtool >/dev/null; then
	ok 'promtool finds nothing to say' sh -c "promtool check metrics <'$tmp/prometheus'"
else
	skip 'promtool finds nothing to say' 'promtool is not installed'
fi

# A server that gives the exposition its content type, and a Prometheus that asks it.
scrape() {
	cat >"$tmp/serve.py" <<-'END'
	import http.server, sys
	body, kind = open(sys.argv[1], 'rb').read(), sys.argv[2]
	class Handler(http.server.BaseHTTPRequestHandler):
	    def do_GET(self):
	        self.send_response(200)
	        self.send_header('Content-Type', kind)
	        self.end_headers()
	        self.wfile.write(body)
	    def log_message(self, *args): pass
	server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
	open(sys.argv[3], 'w').write(str(server.server_port))
	server.serve_forever()
	END
	cat >"$tmp/query.py" <<-'END'
	import json, sys, time, urllib.parse, urllib.request
	base, end = sys.argv[1], time.time() + 20
	def ask(query):
	    url = base + '/api/v1/query?query=' + urllib.parse.quote(query)
	    return json.load(urllib.request.urlopen(url, timeout=5))['data']['result']
	while time.time() < end:
	    try:
	        if ask('up == 1'):
	            print(ask('scrape_samples_scraped')[0]['value'][1])
	            sys.exit(0)
	        targets = json.load(urllib.request.urlopen(base + '/api/v1/targets', timeout=5))
	        why = [t['lastError'] for t in targets['data']['activeTargets'] if t['lastError']]
	        if why:
	            print(why[0])
	            sys.exit(1)
	    except OSError:
	        pass
	    time.sleep(0.3)
	print('no scrape came about')
	END
	rm -rf "$tmp/port" "$tmp/data"
	python3 "$tmp/serve.py" "$1" "$2" "$tmp/port" &
	server=$!
	while [ ! -s "$tmp/port" ]; do sleep 0.1; done
	listen=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	printf 'global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [{job_name: t, static_configs: [{targets: ["127.0.0.1:%s"]}]}]\n' \
		"$(cat "$tmp/port")" >"$tmp/prometheus.yml"
	prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/data" \
		--web.listen-address="$listen" >"$tmp/prometheus.log" 2>&1 &
	prometheus=$!
	python3 "$tmp/query.py" "http://$listen"
	kill "$server" "$prometheus"
	wait "$server" "$prometheus" 2>/dev/null
}

samples=$(grep -vc '^#' "$tmp/prometheus")
if command -v prometheus >/dev/null && command -v python3 >/dev/null; then
	is 'Prometheus takes OpenMetrics' "$(scrape "$tmp/openmetrics" 'application/openmetrics-text; version=1.0.0; charset=utf-8')" "$samples"
	is 'Prometheus takes its own text format' "$(scrape "$tmp/prometheus" 'text/plain; version=0.0.4; charset=utf-8')" "$samples"
else
	skip 'Prometheus takes OpenMetrics' 'prometheus or python3 is not installed'
	skip 'Prometheus takes its own text format' 'prometheus or python3 is not installed'
fi
done_testing
