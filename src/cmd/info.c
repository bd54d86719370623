// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `hvscope info`: what this machine is, how its devices reach the hardware, and which commands can
 * tell something here; for each that can't, why and what to do. A missing file is an answer, never
 * a failure. An event that exists isn't one that fires: tables whose events fire only in guests of
 * one hypervisor say so (hv/hypervisor.h), and what this machine is decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "base/hash.h"
#include "base/util.h"
#include "cmd/output.h"
#include "cmd/rows.h"
#include "command.h"
#include "hv/hypervisor.h"
#include "render/render.h"
#include "report/report.h"
#include "sampler/devices.h"
#include "sampler/machine.h"
#include "sampler/proxies.h"
#include "sampler/sampler.h"
#include "settings.h"
#include "trace/preflight.h"
#include "trace/tracefs.h"

/* --- Table machine --- */

enum { KEY, VALUE };

static const struct column machine_columns[] = {
	[KEY] = { .key = "key",
		  .title = "KEY",
		  .type = COLUMN_TEXT,
		  .flags = COLUMN_LABEL,
		  .help = "What is told" },
	[VALUE] = { .key = "value", .title = "VALUE", .type = COLUMN_TEXT, .help = "What it is" },
};

static void tell(struct table *table, const char *key, const char *value)
{
	struct row *row;

	if (!value || !*value)
		return;
	row = table_row(table);
	row_text(row, KEY, key);
	row_text(row, VALUE, value);
}

/* The file's first line; nothing when it can't be read, or holds no text (a raw build id). */
static void tell_file(struct table *table, const char *key, const struct root *root,
		      const char *path)
{
	char text[256];

	if (path_read_line(root, text, sizeof(text), "%s", path) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	tell(table, key, text);
}

static void tell_xen_version(struct table *table, const struct root *root)
{
	char major[32], minor[32], extra[64], version[128];

	if (path_read_line(root, major, sizeof(major), "/sys/hypervisor/version/major") <= 0 ||
	    path_read_line(root, minor, sizeof(minor), "/sys/hypervisor/version/minor") <= 0)
		return;
	if (path_read_line(root, extra, sizeof(extra), "/sys/hypervisor/version/extra") < 0)
		extra[0] = '\0';
	snprintf(version, sizeof(version), "%s.%s%s", major, minor, extra);
	tell(table, "xen_version", version);
}

/* "none integrity [confidentiality]": the one in brackets holds. */
static void tell_lockdown(struct table *table, const struct root *root)
{
	char text[128], *open;

	if (path_read_line(root, text, sizeof(text), "/sys/kernel/security/lockdown") < 0)
		return;
	open = strchr(text, '[');
	if (open)
		open[strcspn(open, "]")] = '\0';
	tell(table, "lockdown", open ? open + 1 : text);
}

static void tell_tracefs(struct table *table, const struct root *root)
{
	struct tfs tfs;

	tfs_find(&tfs, root, false, NULL);
	tell(table, "tracefs", tfs.state == TFS_READY ? "ready" : tfs_why(tfs.state));
}

static void report_machine(struct report *report, const struct root *root, const struct machine *m)
{
	struct table *table = table_new(
		report, &(struct table_layout){ .name = "machine",
						.title = "this machine",
						.columns = machine_columns,
						.nr_columns = ARRAY_SIZE(machine_columns) });
	char text[256];

	tell(table, "what", machine_describe(m, text, sizeof(text)));
	tell(table, "hypervisor", m->hypervisor);
	tell(table, "mode", m->mode);
	tell(table, "told_by", m->told_by);
	tell(table, "product", m->product);
	tell_xen_version(table, root);
	tell(table, "kvm_host", m->kvm_host ? "yes" : "no");
	proxies_describe(root, text, sizeof(text));
	tell(table, "proxy", text);
	tell_file(table, "clocksource", root,
		  "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	tell_file(table, "kernel", root, "/proc/sys/kernel/osrelease");
	tell_tracefs(table, root);
	tell_lockdown(table, root);
	if (!root->prefix)
		tell(table, "user", geteuid() ? "not root" : "root");
}

/* --- Table devices --- */

enum { NAME, KIND, DRIVER };

static const struct column device_columns[] = {
	[NAME] = { .key = "name",
		   .title = "DEVICE",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_LABEL,
		   .help = "Network or storage device, or its PCI address" },
	[KIND] = { .key = "kind",
		   .title = "KIND",
		   .type = COLUMN_TEXT,
		   .help = "paravirtual, sr-iov, passed-through, emulated, physical" },
	[DRIVER] = { .key = "driver",
		     .title = "DRIVER",
		     .type = COLUMN_TEXT,
		     .help = "Driver that is bound to it" },
};

static void report_devices(struct report *report, const struct root *root, const struct machine *m)
{
	struct table *table = table_new(
		report, &(struct table_layout){ .name = "devices",
						.title = "network and storage",
						.columns = device_columns,
						.nr_columns = ARRAY_SIZE(device_columns) });
	size_t n;
	struct device *devices = devices_look(root, m->kind == MACHINE_GUEST, &n);

	for (size_t i = 0; i < n; i++) {
		struct row *row = table_row(table);

		row_text(row, NAME, devices[i].name);
		row_text(row, KIND, device_kind_name(devices[i].kind));
		row_text(row, DRIVER, devices[i].driver[0] ? devices[i].driver : NULL);
	}
	free(devices);
}

/* --- Table commands --- */

enum { COMMAND_NAME, WORKS, WHY, TODO };

static const struct column command_columns[] = {
	[COMMAND_NAME] = { .key = "command",
			   .title = "COMMAND",
			   .type = COLUMN_TEXT,
			   .flags = COLUMN_LABEL,
			   .help = "Command of hvscope" },
	[WORKS] = { .key = "works",
		    .title = "WORKS",
		    .type = COLUMN_PARTLY,
		    .help = "Whether it can tell something here" },
	[WHY] = { .key = "why",
		  .title = "WHY NOT",
		  .type = COLUMN_TEXT,
		  .help = "What is missing" },
	[TODO] = { .key = "do",
		   .title = "WHAT TO DO",
		   .type = COLUMN_TEXT,
		   .help = "What would help" },
};

static void say_no_kvm(struct preflight_verdict *v)
{
	v->works = WORKS_NO;
	snprintf(v->why, sizeof(v->why), "there is no /dev/kvm to run a guest with");
	snprintf(v->todo, sizeof(v->todo),
		 "load KVM's module for this processor; inside a guest, have nested "
		 "virtualization switched on");
}

/* Whether the table's events can fire on this machine; if not, the verdict says why. */
static bool can_fire(const struct hypervisor *hv, const struct machine *m,
		     struct preflight_verdict *v)
{
	if (hv->host_of_kvm && m->no_kvm) {
		say_no_kvm(v);
		return false;
	}
	if (!hv->guest_of)
		return true;
	if (m->kind != MACHINE_UNKNOWN && strcmp(hv->guest_of, m->hypervisor) == 0 &&
	    (!hv->guest_mode || !m->mode[0] || !strcmp(hv->guest_mode, m->mode)))
		return true;
	*v = (struct preflight_verdict){ .works = WORKS_NO };
	snprintf(v->why, sizeof(v->why), "only %s has it", hv->title);
	return false;
}

static void say_emulates(struct preflight_verdict *v)
{
	v->works = WORKS_PARTLY;
	snprintf(v->why, sizeof(v->why), "KVM without vmx or svm may tell no exits");
	snprintf(v->todo, sizeof(v->todo), "'hvscope selftest' tells");
}

/* What the rows of one table, and the probes behind them, can do here. */
static void check_table(const struct rows *rows, const struct hypervisor *hv,
			const struct preflight *preflight, const struct machine *m,
			struct preflight_verdict *v)
{
	const struct hv_event **events = xcalloc(rows->n, sizeof(*events));
	const struct hv_probe **roles = xcalloc(rows->n, sizeof(*roles));
	size_t n_events = 0, n_roles = 0;
	bool exits = false;

	for (size_t i = 0; i < rows->n; i++) {
		const struct hv_probe *role = rows_probe(&rows->rows[i]);

		if (rows->rows[i].hv != hv || !rows->rows[i].required)
			continue;
		exits |= rows->rows[i].event->kind == FACT_EXIT;
		if (!role)
			events[n_events++] = rows->rows[i].event;
		else if (!n_roles || roles[n_roles - 1] != role)
			roles[n_roles++] = role;
	}
	if (can_fire(hv, m, v)) {
		preflight_check(preflight, events, n_events, roles, n_roles, v);
		if (v->works == WORKS_YES && exits && hv->host_of_kvm && m->kvm_without_hardware)
			say_emulates(v);
	}
	free(events);
	free(roles);
}

/* How much the reason of a table says here: made for this machine, for any, for another. */
static int rank(const struct hypervisor *hv, const struct machine *m)
{
	struct preflight_verdict v;

	return !hv->guest_of ? 1 : can_fire(hv, m, &v) ? 2 : 0;
}

/* The best verdict of all tables that tell the analysis's facts. */
static void check_analysis(const struct analysis *analysis, const char *arch,
			   const struct preflight *preflight, const struct machine *m,
			   struct preflight_verdict *best)
{
	const struct hypervisor *hv = NULL;
	struct rows rows;
	int best_rank = -1;

	*best = (struct preflight_verdict){ .works = WORKS_NO };
	rows_collect(&rows, analysis, arch, 0);
	for (size_t i = 0; i < rows.n; i++) {
		struct preflight_verdict v;

		if (!rows.rows[i].required || rows.rows[i].hv == hv)
			continue;
		hv = rows.rows[i].hv;
		check_table(&rows, hv, preflight, m, &v);
		if (v.works < best->works || (v.works == best->works && rank(hv, m) <= best_rank))
			continue;
		*best = v;
		best_rank = rank(hv, m);
	}
	rows_free(&rows);
}

#define FOR_HIST "--hist: "

/* What a sampler tells always works; what --hist adds to it may not. */
static void check_sampled(const struct root *root, const struct analysis *analysis,
			  struct preflight_verdict *v)
{
	const struct sampler *sampler = sampler_find(analysis->facts_sampled);
	struct sample sample = { 0 };
	char why[sizeof(v->why)];
	struct error err = { 0 };

	if (!sampler || sampler->take(root, 0, &sample, &err)) {
		*v = (struct preflight_verdict){ .works = WORKS_NO };
		snprintf(v->why, sizeof(v->why), "%.200s", err.text);
	} else if (v->works != WORKS_YES) {
		snprintf(why, sizeof(why), FOR_HIST "%.200s", v->why);
		snprintf(v->why, sizeof(v->why), "%s", why);
		v->works = WORKS_PARTLY;
	}
	sample_free(&sample);
}

/* What a verb needs. */
static void check_verb(const struct root *root, const struct command *command,
		       const struct preflight *preflight, struct preflight_verdict *v)
{
	int fd;

	preflight_check(preflight, NULL, 0, NULL, 0, v);
	if (v->works == WORKS_NO || !(command->needs & NEEDS_KVM))
		return;
	fd = path_open(root, O_RDWR, "/dev/kvm");
	if (fd >= 0) {
		close(fd);
		return;
	}
	if (fd != -EACCES && fd != -EPERM) {
		say_no_kvm(v);
		return;
	}
	v->works = WORKS_NO;
	snprintf(v->why, sizeof(v->why), "/dev/kvm is not for this user");
	snprintf(v->todo, sizeof(v->todo), "run it as root");
}

static void add_verdict(struct table *table, const char *command, const struct preflight_verdict *v)
{
	static const enum partly partly[] = {
		[WORKS_NO] = PARTLY_NO,
		[WORKS_PARTLY] = PARTLY_PARTLY,
		[WORKS_YES] = PARTLY_YES,
	};
	struct row *row = table_row(table);

	row_text(row, COMMAND_NAME, command);
	row_partly(row, WORKS, partly[v->works]);
	row_text(row, WHY, v->why[0] ? v->why : NULL);
	row_text(row, TODO, v->todo[0] ? v->todo : NULL);
}

struct verdict {
	const char *command;
	struct preflight_verdict v;
};

/*
 * A table of 100 columns has no room for long reasons: it cuts the longer of the two texts until
 * they fit, so those that may be cut are told below it, each once.
 */
static void tell_whole(struct report *report, const struct verdict *verdicts, size_t n)
{
	enum { ROOM = 80 }; /* beside the other two columns */
	size_t longest_why = 0, longest_todo = 0;
	struct strhash told = { 0 };

	for (size_t i = 0; i < n; i++) {
		longest_why = max(longest_why, strlen(verdicts[i].v.why));
		longest_todo = max(longest_todo, strlen(verdicts[i].v.todo));
	}
	for (size_t i = 0; i < n && longest_why + longest_todo > ROOM; i++) {
		const struct preflight_verdict *v = &verdicts[i].v;
		bool hist = !strncmp(v->why, FOR_HIST, strlen(FOR_HIST));
		const char *why = v->why + (hist ? strlen(FOR_HIST) : 0);
		bool asks = !v->todo[0] && *why && why[strlen(why) - 1] == '?';
		char *text = xasprintf("%s%s%s%s", why, v->todo[0] ? "; " : "", v->todo,
				       asks ? "" : ".");
		bool is_new = false;

		if (strlen(v->why) > ROOM / 2 || strlen(v->todo) > ROOM / 2)
			strhash_insert(&told, text, &is_new);
		if (is_new)
			report_note(report, "%s", text);
		free(text);
	}
	strhash_free(&told);
}

static void check_command(const struct command *command, const struct root *root,
			  const struct preflight *preflight, const struct machine *m,
			  struct preflight_verdict *v)
{
	const struct analysis *a = command->analysis;

	if (!a)
		check_verb(root, command, preflight, v);
	else if (a->specs)
		preflight_check(preflight, NULL, 0, NULL, 0, v);
	else
		check_analysis(a, m->arch[0] ? m->arch : NULL, preflight, m, v);
	if (a && a->facts_sampled)
		check_sampled(root, a, v);
	if (v->works == WORKS_YES)
		v->why[0] = v->todo[0] = '\0';
}

static void report_commands(struct report *report, const struct root *root, const struct machine *m)
{
	struct table *table = table_new(
		report, &(struct table_layout){ .name = "commands",
						.title = "what can be told here",
						.columns = command_columns,
						.nr_columns = ARRAY_SIZE(command_columns) });
	struct preflight *preflight = preflight_new(root);
	struct verdict *verdicts = NULL;
	struct command command;
	size_t n = 0;

	for (size_t i = 0; command_at(i, &command); i++) {
		if (!command.analysis && !command.needs)
			continue;
		verdicts = xreallocarray(verdicts, n + 1, sizeof(*verdicts));
		verdicts[n].command = command.name;
		check_command(&command, root, preflight, m, &verdicts[n++].v);
	}
	for (size_t i = 0; i < n; i++)
		add_verdict(table, verdicts[i].command, &verdicts[i].v);
	tell_whole(report, verdicts, n);
	free(verdicts);
	preflight_free(preflight);
}

/* --- The whole --- */

static void fill_source(struct report *report, const struct root *root)
{
	char host[256] = "", text[128];
	struct timespec ts;

	report->source.kind = SOURCE_PROC;
	if (path_read_line(root, text, sizeof(text), "/proc/sys/kernel/osrelease") > 0)
		report_set(&report->source.kernel, text);
	if (root->prefix)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	report->has_begin = true;
	report->begin = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (!gethostname(host, sizeof(host) - 1))
		report_set(&report->host, host);
}

static struct report *make_report(const struct root *root)
{
	struct report *report =
		report_new("info", "what this machine is, and what can be told here");
	struct machine machine;

	machine_look(root, &machine);
	fill_source(report, root);
	report_machine(report, root, &machine);
	report_devices(report, root, &machine);
	report_commands(report, root, &machine);
	return report;
}

static int print(const struct settings *s, const struct report *report, struct output *output,
		 struct error *err)
{
	FILE *out = output_stream(output);
	struct render_options options = {
		.verbose = s->verbose,
		.quiet = s->quiet,
		.color = render_color(out),
		.timestamps = s->timestamps,
		.table = s->table,
		.version = PACKAGE_VERSION,
	};

	if (render_once(s->format, &options, out, report, err) || output_report(output, err))
		return -1;
	return output_done(output, err);
}

static int run_info(const struct settings *s, struct error *err)
{
	struct output *output = output_open(s->output, OUTPUT_ONCE, err);
	struct report_order order = { .sort = s->sort };
	struct report *report;
	int ret;

	if (!output)
		return -1;
	report = make_report(&s->root);
	ret = report_finish(report, &order, err) ? -1 : print(s, report, output, err);
	report_free(report);
	output_free(output);
	return ret;
}

const struct command command_info = {
	.name = "info",
	.summary = "What this machine is, and what can be told here",
	.run = run_info,
};
