// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A line for each event that the user names, in the order of time over all CPUs, as the kernel
 * prints it or by a format of the user's; with its stack when asked for.
 *
 * A record is gone after feed(), so its line is made there. With --stack a line waits for its
 * stack, and so do those behind it: until the stack is there, or can't come any more.
 */
#include "analysis/analysis.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis/template.h"
#include "analysis/stacks.h"
#include "base/util.h"

enum {
	TEXT_ROOM = 4096,              /* bytes of a line's text */
	STACK_PATIENCE = 10 * 1000000, /* ns after which a stack comes no more */
};

struct line {
	struct line *next;
	uint64_t time;
	char *text, *comm, *vm;
	int64_t tid, pid; /* -1 unknown */
	uint32_t slot;
	uint32_t stack; /* number, 0 none */
	uint16_t cpu;
	bool waits; /* for its stack */
};

struct trace {
	const struct analysis_env *env;
	struct template *format; /* NULL: as the kernel prints it */
	struct stacks *stacks;
	struct stack_owners owners;
	struct line *first, **last; /* not reported yet */
	uint64_t lines;             /* so far */
	uint64_t now;
};

static void trace_free(void *state)
{
	struct trace *t = state;

	if (!t)
		return;
	while (t->first) {
		struct line *line = t->first;

		t->first = line->next;
		free(line->text);
		free(line->comm);
		free(line->vm);
		free(line);
	}
	template_free(t->format);
	stacks_free(t->stacks);
	stack_owners_free(&t->owners);
	free(t);
}

static void *trace_new(const struct analysis_env *env, struct error *err)
{
	struct trace *t = xcalloc(1, sizeof(*t));

	t->env = env;
	t->last = &t->first;
	if (env->stacks)
		t->stacks = stacks_new(env);
	if (env->format) {
		t->format = template_new(env, env->format, err);
		if (!t->format) {
			trace_free(t);
			return NULL;
		}
	}
	return t;
}

static char *text_of(struct trace *t, const struct fact *f)
{
	char text[TEXT_ROOM];
	size_t len;

	if (t->format)
		template_print(t->format, f, text, sizeof(text));
	else
		t->env->print(t->env->ctx, f, text, sizeof(text));
	for (len = strlen(text); len && strchr(" \n", text[len - 1]);)
		len--;
	return xstrndup(text, len);
}

static void set_who(struct line *line, const struct subject_who *who)
{
	line->tid = line->pid = -1;
	if (who->cpu)
		return;
	line->tid = who->tid;
	line->pid = who->pid;
	line->vm = who->vm ? xstrdup(who->vm) : NULL;
	if (who->comm)
		line->comm = xstrdup(who->comm);
	else if (!who->tid)
		line->comm = xasprintf("swapper/%u", who->cpu_id);
}

static void add_line(struct trace *t, const struct fact *f)
{
	const struct analysis_env *env = t->env;
	struct line *line = xcalloc(1, sizeof(*line));

	line->time = f->time;
	line->cpu = f->cpu;
	line->slot = fact_slot(f);
	line->text = text_of(t, f);
	set_who(line, env->who(env->ctx, f->subject));
	*t->last = line;
	t->last = &line->next;
	t->lines++;
	if (t->stacks) {
		struct line *before = stack_owners_wait(&t->owners, env, f, line);

		line->waits = true;
		if (before)
			before->waits = false;
	}
}

static void add_stack(struct trace *t, const struct fact *f)
{
	struct line *line = stack_owners_take(&t->owners, t->env, f);

	if (!line)
		return;
	line->stack = stacks_add(t->stacks, f);
	line->waits = false;
}

static bool wanted(const struct trace *t, const struct fact *f)
{
	const struct analysis_env *env = t->env;

	return !(env->limit && t->lines >= env->limit) &&
	       (!env->selected || env->selected(env->ctx, f->subject, FACT_NO_VCPU)) &&
	       (!env->cpu_selected || env->cpu_selected(env->ctx, f->cpu));
}

/* A record that isn't wanted has a stack all the same, which is not that of the one before. */
static void skip_line(struct trace *t, const struct fact *f)
{
	struct line *before;

	if (!t->stacks)
		return;
	before = stack_owners_wait(&t->owners, t->env, f, NULL);
	if (before)
		before->waits = false;
}

static void trace_feed(void *state, const struct fact *facts, size_t n)
{
	struct trace *t = state;

	for (const struct fact *f = facts; f < facts + n; f++) {
		if (f->kind != FACT_RECORD)
			continue;
		t->now = f->time;
		if (t->stacks && fact_slot(f) == t->env->stack_slot)
			add_stack(t, f);
		else if (wanted(t, f))
			add_line(t, f);
		else
			skip_line(t, f);
	}
}

enum { TIME, DAY, DAY_SHOWN, CPU, COMM, TID, PID, VM, EVENT, TEXT, STACK, COLUMNS };

static void trace_lost(void *state, const struct loss *losses, size_t n)
{
	struct trace *t = state;

	stack_owners_lost(&t->owners, losses, n);
}

#define TIME_OF_DAY(more)                                                                  \
	{                                                                                  \
		.key = "time", .title = "TIME OF DAY", .type = COLUMN_TIME, .flags = more, \
		.help = "The same as a time of day, UTC"                                   \
	}

static const struct column columns[COLUMNS] = {
	[TIME] = { .key = "time_ns",
		   .title = "TIME",
		   .type = COLUMN_NS,
		   .flags = COLUMN_GAUGE | COLUMN_SECONDS,
		   .help = "When it was recorded, by the clock of the source" },
	[DAY] = TIME_OF_DAY(COLUMN_WIDE),
	[DAY_SHOWN] = TIME_OF_DAY(0), /* with -T */
	[CPU] = { .key = "cpu",
		  .title = "CPU",
		  .type = COLUMN_COUNT,
		  .flags = COLUMN_GAUGE | COLUMN_LABEL,
		  .help = "CPU that recorded it" },
	[COMM] = { .key = "comm",
		   .title = "COMM",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_LABEL,
		   .help = "Name of the thread; null in an interrupt" },
	[TID] = { .key = "tid",
		  .title = "TID",
		  .type = COLUMN_COUNT,
		  .flags = COLUMN_GAUGE | COLUMN_LABEL,
		  .help = "Its thread id; null in an interrupt" },
	[PID] = { .key = "pid",
		  .title = "PID",
		  .type = COLUMN_COUNT,
		  .flags = COLUMN_GAUGE | COLUMN_LABEL | COLUMN_WIDE,
		  .help = "Its process id" },
	[VM] = { .key = "vm",
		 .title = "VM",
		 .type = COLUMN_TEXT,
		 .flags = COLUMN_LABEL | COLUMN_WHEN_ANY,
		 .help = "Name of the virtual machine that it belongs to" },
	[EVENT] = { .key = "event",
		    .title = "EVENT",
		    .type = COLUMN_TEXT,
		    .flags = COLUMN_LABEL,
		    .help = "Event, as the user named it" },
	[TEXT] = { .key = "text",
		   .title = "TEXT",
		   .type = COLUMN_TEXT,
		   .help = "The event as the kernel prints it, or by the format" },
	[STACK] = { .key = "stack",
		    .title = "STACK",
		    .type = COLUMN_STACK,
		    .help = "Kernel functions that led there" },
};

static void set_stack(struct trace *t, struct row *row, uint32_t number)
{
	const char *const *frames;
	unsigned int n;

	if (!number)
		return;
	frames = stacks_frames(t->stacks, number, &n);
	row_stack(row, STACK, frames, n);
}

static void set_number(struct row *row, unsigned int column, int64_t value)
{
	if (value >= 0)
		row_count(row, column, (uint64_t)value);
}

/* Moves the line into the table. */
static void report_line(struct trace *t, struct table *table, struct line *line)
{
	const struct analysis_env *env = t->env;
	struct row *row = table_row(table);

	if (env->times)
		row_count(row, TIME, line->time);
	if (env->has_utc)
		row_time(row, env->timestamps ? DAY_SHOWN : DAY, (int64_t)line->time + env->utc);
	row_count(row, CPU, line->cpu);
	row_text(row, COMM, line->comm);
	row_text(row, VM, line->vm);
	set_number(row, TID, line->tid);
	set_number(row, PID, line->pid);
	row_text(row, EVENT, env->event(env->ctx, line->slot));
	row_text(row, TEXT, line->text);
	set_stack(t, row, line->stack);
	free(line->text);
	free(line->comm);
	free(line->vm);
	free(line);
}

static bool must_wait(const struct trace *t, const struct line *line, bool last)
{
	return line->waits && !last && line->time + STACK_PATIENCE > t->now;
}

/* A line that goes without its stack isn't waiting any more: nobody may point to it. */
static void forget_owner(struct trace *t, const struct line *line)
{
	if (line->waits)
		stack_owners_forget(&t->owners, line);
}

static void trace_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct trace *t = state;
	unsigned int show[COLUMNS], n = 0;
	struct table *table;

	(void)now;
	for (unsigned int i = 0; i < (t->stacks ? COLUMNS : STACK); i++)
		if (i != (t->env->timestamps ? DAY : DAY_SHOWN))
			show[n++] = i;
	table = table_new(report, &(struct table_layout){
					  .name = "lines",
					  .title = "events",
					  .columns = columns,
					  .nr_columns = COLUMNS,
					  .show = show,
					  .nr_show = n,
				  });
	while (t->first && !must_wait(t, t->first, last)) {
		struct line *line = t->first;

		t->first = line->next;
		if (!t->first)
			t->last = &t->first;
		forget_owner(t, line);
		report_line(t, table, line);
	}
	if (last && !t->lines)
		report_note(report, "None of the events happened.");
	if (last && t->stacks)
		stacks_note(t->stacks, report);
}

static bool trace_done(const void *state)
{
	const struct trace *t = state;

	/* the last one's stack may be on its way */
	return t->env->limit && t->lines >= t->env->limit && !(t->stacks && t->first);
}

const struct analysis analysis_trace = {
	.name = "trace",
	.summary = "Events one by one, as they happen",
	.facts = FACT_BIT(FACT_RECORD),
	.facts_who = FACTS_WHO,
	.specs = true,
	.streams = true,
	.order = ORDER_GLOBAL,
	.order_who = ORDER_GLOBAL,
	.pairs_threads = true,
	.keys = KEY_BIT(KEY_PID) | KEY_BIT(KEY_VM) | KEY_BIT(KEY_VCPU),
	.new = trace_new,
	.lost = trace_lost,
	.feed = trace_feed,
	.report = trace_report,
	.done = trace_done,
	.free = trace_free,
};
