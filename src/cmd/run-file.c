// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a trace file: its sections and pages by tracedat, its formats by libtraceevent, and the rest
 * as live. Intervals begin at the first record, empty ones are reported, the last may be short.
 */
#include "cmd/run-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/confine.h"
#include "cmd/markers.h"
#include "cmd/pace.h"
#include "cmd/pieces.h"
#include "trace/clock.h"
#include "trace/piece.h"
#include "trace/tracedat.h"

/* Pages of the buffer, for one stream. */
struct reader {
	const char *path;
	struct page_layout layout;
	struct tracedat_pages *pages;
	uint64_t *done; /* by CPU: pages that were read; NULL: nobody asks */
};

struct file {
	struct run *run;
	struct tracedat *dat;
	const struct tracedat_buffer *buffer;
	struct page_layout layout;
	struct reader reader;
	struct page_source source;
	struct tracedat_clock *clocks; /* of each CPU */
	struct markers markers;
	uint64_t all;                  /* pages of all CPUs */
	struct stream_stats stats;     /* of pieces */
	unsigned int cpus;
};

/* --- Pages --- */

static int page_get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
		    struct error *err)
{
	const struct reader *r = ctx;

	return tracedat_pages_get(r->pages, cpu, n, page, size, err);
}

static void page_release(void *ctx, unsigned int cpu, uint64_t n)
{
	const struct reader *r = ctx;

	if (r->done)
		r->done[cpu] = n;
	tracedat_pages_release(r->pages, cpu, n);
}

static int page_peek(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	const struct reader *r = ctx;
	const void *page;
	size_t size;
	int ret = tracedat_pages_get(r->pages, cpu, n, &page, &size, err);

	if (ret == 1 && size < r->layout.data)
		return error_set(err, "%s is damaged: a page of CPU %u is cut off", r->path, cpu);
	if (ret == 1)
		*time = page_time(&r->layout, page);
	return ret;
}

static uint64_t convert_time(const void *ctx, unsigned int cpu, uint64_t raw)
{
	const struct tracedat_clock *clocks = ctx;

	return tracedat_time(&clocks[cpu], raw);
}

/* Most clocks count ns from where they should, and need no call for each record. */
static bool clocks_convert(const struct file *f)
{
	for (unsigned int cpu = 0; cpu < f->cpus; cpu++)
		if (f->clocks[cpu].n_samples || f->clocks[cpu].mult || f->clocks[cpu].offset)
			return true;
	return false;
}

static struct reader new_reader(const struct file *f)
{
	return (struct reader){
		.path = f->run->settings->input, .layout = f->layout,
		.pages = tracedat_pages_new(f->dat, f->buffer),
	};
}

static void make_source(struct file *f)
{
	f->reader = new_reader(f);
	f->clocks = xcalloc(f->cpus, sizeof(*f->clocks));
	f->reader.done = xcalloc(f->cpus, sizeof(*f->reader.done));
	for (unsigned int cpu = 0; cpu < f->cpus; cpu++) {
		f->clocks[cpu] = tracedat_clock(f->dat, f->buffer, cpu);
		f->all += tracedat_buffer_pages(f->buffer, cpu);
	}
	f->source = (struct page_source){
		.get = page_get,
		.release = page_release,
		.time = page_peek,
		.ctx = &f->reader,
		.n_cpus = f->cpus,
		.layout = f->layout,
		.clock = clocks_convert(f) ? convert_time : NULL,
		.clock_ctx = f->clocks,
	};
}

/* --- Events --- */

/* Probes of ours are in a group whose name differs from run to run; others' are in "kprobes". */
static bool is_probe_group(const char *system)
{
	return !strncmp(system, "hvscope_", 8) || !strcmp(system, "kprobes");
}

static bool find_event(struct file *f, const char *system, const char *name,
		       struct tracedat_event *event)
{
	if (system)
		return tracedat_event(f->dat, system, name, event, NULL) == 1;
	for (size_t i = 0; tracedat_event_at(f->dat, i, event, NULL) == 1; i++) {
		if (is_probe_group(event->system) && !strcmp(event->name, name))
			return true;
	}
	return false;
}

static char *event_format(void *ctx, const char *system, const char *name)
{
	struct tracedat_event event;

	if (!find_event(ctx, system, name, &event) || !event.format.text)
		return NULL;
	return xstrndup(event.format.text, event.format.len);
}

static bool is_there(void *ctx, const struct hv_event *event)
{
	struct tracedat_event found;

	return find_event(ctx, event->system, event->name, &found);
}

/* "kvm:kvm_exit, sched:sched_switch and 12 more": what the file has instead. */
static void list_events(struct file *f, char *buf, size_t size)
{
	struct tracedat_event event;
	size_t len = 0, more = 0;

	buf[0] = '\0';
	for (size_t i = 0; tracedat_event_at(f->dat, i, &event, NULL) == 1; i++) {
		if (!strcmp(event.system, "ftrace"))
			continue;
		if (len + strlen(event.system) + strlen(event.name) + 32 > size) {
			more++;
			continue;
		}
		len += (size_t)snprintf(buf + len, size - len, "%s%s:%s", len ? ", " : "",
					event.system, event.name);
	}
	if (more)
		snprintf(buf + len, size - len, " and %zu more", more);
	else if (!len)
		snprintf(buf, size, "none");
}

static int explain_absence(struct file *f, struct error *err)
{
	const struct run_source *source = &f->run->source;
	char wanted[256], has[400];

	rows_names(&f->run->rows, wanted, sizeof(wanted));
	list_events(f, has, sizeof(has));
	if (!*wanted)
		return error_set(err,
				 "%s: hvscope %s knows no events of %s machines; the file has: %s",
				 source->path, f->run->analysis->name,
				 source->machine ? source->machine : "such", has);
	return error_set(err, "%s has no events for hvscope %s (%s); it has: %s", source->path,
			 f->run->analysis->name, wanted, has);
}

static const char *event_at(void *ctx, size_t i, const char **system)
{
	struct file *f = ctx;
	struct tracedat_event event;

	if (tracedat_event_at(f->dat, i, &event, NULL) != 1)
		return NULL;
	*system = event.system;
	return event.name;
}

static int choose_named(struct file *f, struct error *err)
{
	struct run *run = f->run;

	if (!run->analysis->specs)
		return 0;
	if (events_parse(&run->events, run->settings, err))
		return -1;
	return events_expand_file(&run->events, run->settings, event_at, f, err);
}

static int bind(struct file *f, struct error *err)
{
	const struct tracedat_facts *facts = tracedat_facts(f->dat);
	struct format_source formats = {
		.format = event_format,
		.ctx = f,
		.long_size = facts->long_size,
		.big_endian = facts->big_endian,
	};
	bool absent;

	if (choose_named(f, err))
		return -1;
	run_collect(f->run, facts->machine, true);
	if (!run_bind(f->run, &formats, f->cpus, is_there, f, &absent, err))
		return 0;
	return absent ? explain_absence(f, err) : error_prefix(err, "%s", f->run->source.path);
}

/* --- Head --- */

static int choose_buffer(struct file *f, struct error *err)
{
	const struct settings *s = f->run->settings;
	char names[256] = "";
	size_t len = 0;

	f->buffer = tracedat_buffer(f->dat, s->buffer);
	if (f->buffer)
		return 0;
	if (!s->buffer)
		return error_set(err, "%s has no records", s->input);
	for (size_t i = 0; tracedat_buffer_at(f->dat, i); i++) {
		const char *name = tracedat_buffer_name(tracedat_buffer_at(f->dat, i));

		if (*name && len + strlen(name) + 8 < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s'%s'",
						len ? ", " : "", name);
	}
	return error_set(err, "%s has no buffer '%s'; %s%s", s->input, s->buffer,
			 *names ? "it has the main one and " : "it has only the main one", names);
}

static void fill_source(struct file *f)
{
	const struct tracedat_facts *facts = tracedat_facts(f->dat);
	struct run *run = f->run;

	run->source = (struct run_source){
		.kind = SOURCE_FILE,
		.path = run->settings->input,
		.kernel = facts->kernel,
		.machine = facts->machine,
		.host = facts->host,
		.clock = tracedat_buffer_clock(f->buffer),
		.cpus = f->cpus,
	};
	run->unmarked = facts->dropped;
}

/* What the clock is good for. */
static int check_clock(struct file *f, struct error *err)
{
	struct run *run = f->run;
	const struct settings *s = run->settings;
	const char *clock = run->source.clock;

	run->env.analysis.times = tracedat_clock_is_ns(f->dat, f->buffer);
	run->env.analysis.cpu_clocks = clock && clock_differs_by_cpu(clock);
	if (run->env.analysis.times)
		return 0;
	if (s->interval || s->duration)
		return error_set(err,
				 "%s was recorded with the clock '%s', which counts no time: "
				 "neither INTERVAL nor -d can be measured in it",
				 s->input, clock ? clock : "unknown");
	progress_say(run->progress,
		     "%s was recorded with the clock '%s', which counts no time: only "
		     "counts are shown",
		     s->input, clock ? clock : "unknown");
	return 0;
}

static const char *comm_of(void *ctx, int tid)
{
	struct file *f = ctx;

	return tracedat_comm(f->dat, tid);
}

/* --- Reading --- */

static double part_done(const struct file *f)
{
	uint64_t done = 0;

	for (unsigned int cpu = 0; cpu < f->cpus; cpu++)
		done += f->reader.done[cpu];
	return f->all ? (double)done / (double)f->all : 1;
}

static int peek(struct file *f, uint64_t *time, struct error *err)
{
	struct error why = { 0 };

	*time = stream_peek(f->run->stream, &why);
	if (!why.status)
		return 0;
	*err = why;
	return -1;
}

/* Everything before `until`, step by step. *more is false when nothing is left. */
static int advance(struct file *f, uint64_t until, uint64_t *step, bool *more, struct error *err)
{
	struct run *run = f->run;
	const struct stream_stats *stats = stream_stats(run->stream);
	uint64_t few = run->analysis->streams ? PACE_PRINT : PACE_COUNT;
	uint64_t next;

	for (;;) {
		uint64_t before = stats->records;

		if (peek(f, &next, err))
			return -1;
		*more = next != UINT64_MAX;
		if (next >= until || stop_asked(run->stop) || run_done(run))
			return 0;
		if (stream_advance(run->stream, min(pace_end(next, *step), until), err) ||
		    run_check(run, err))
			return -1;
		*step = pace_next(*step, stats->records - before, few);
		progress_show(run->progress, stats->records, stats->lost_records, part_done(f));
	}
}

/*
 * Empty intervals are reports, too. But nobody wants that many of them, and one damaged time can
 * ask for more than will ever be printed.
 */
static int check_gap(struct file *f, uint64_t boundary, struct error *err)
{
	const uint64_t most = 10000000;
	const struct run *run = f->run;
	const struct settings *s = run->settings;
	uint64_t next;

	if (!s->interval || (s->count && s->count <= most))
		return 0;
	if (peek(f, &next, err))
		return -1;
	if (s->duration && next > run->start && next - run->start > s->duration)
		next = run->start + s->duration;
	if (next <= boundary || (next - boundary) / s->interval <= most)
		return 0;
	return error_set(err,
			 "%s has no records for %llu intervals: its times are damaged, or INTERVAL"
			 " is too short for it",
			 s->input, (unsigned long long)((next - boundary) / s->interval));
}

/* Boundary by boundary, until the file or the run is at its end. */
static int read_file(struct file *f, struct error *err)
{
	struct run *run = f->run;
	uint64_t step = PACE_FIRST, boundary;
	bool more = true, over = false;

	while (more && !over && !stop_asked(run->stop)) {
		boundary = run_boundary(run);
		if (advance(f, boundary, &step, &more, err))
			return -1;
		if (!more || stop_asked(run->stop) || run_done(run))
			break;
		over = run_is_over(run, boundary);
		if (!over && check_gap(f, boundary, err))
			return -1;
		if (run_report(run, boundary, over, err))
			return -1;
	}
	if (over)
		return 0;
	/* Losses that nothing came after end here. */
	if (!more && (stream_advance(run->stream, UINT64_MAX, err) || run_check(run, err)))
		return -1;
	return run_report(run, max(stream_stats(run->stream)->last, run->reported), true, err);
}

/* -j, or the CPUs that we may run on. */
static unsigned int wanted_threads(const struct settings *s)
{
	enum { CPUS = 1 << 16, THREADS = 64 };
	uint64_t n = s->jobs;
	cpu_set_t *set;

	if (!n) {
		set = CPU_ALLOC(CPUS);
		if (set && !sched_getaffinity(0, CPU_ALLOC_SIZE(CPUS), set))
			n = (uint64_t)CPU_COUNT_S(CPU_ALLOC_SIZE(CPUS), set);
		CPU_FREE(set);
	}
	return (unsigned int)min(max(n, (uint64_t)1), (uint64_t)THREADS);
}

static bool show_pieces(void *ctx, const struct pieces_progress *progress)
{
	struct file *f = ctx;

	progress_show(f->run->progress, progress->records, progress->lost_records,
		      f->all ? (double)progress->pages / (double)f->all : 1);
	return !stop_asked(f->run->stop);
}

/* Where pieces of about the same size end; returns how many ends there are. */
static unsigned int find_seams(const struct file *f, unsigned int n, uint64_t *seams)
{
	uint64_t *pages = xcalloc(f->cpus + 1, sizeof(*pages));
	struct page_source source = f->source;
	struct reader reader = new_reader(f);
	unsigned int found;

	for (unsigned int cpu = 0; cpu < f->cpus; cpu++)
		pages[cpu] = tracedat_buffer_pages(f->buffer, cpu);
	source.ctx = &reader;
	found = piece_seams(&source, pages, n, seams);
	tracedat_pages_free(reader.pages);
	free(pages);
	return found;
}

/* With a reader for each. */
static bool run_pieces(struct file *f, struct pieces *pieces)
{
	unsigned int n = pieces->n_seams + 1;
	struct page_source *sources = xcalloc(n, sizeof(*sources));
	struct reader *readers = xcalloc(n, sizeof(*readers));
	bool done;

	for (unsigned int i = 0; i < n; i++) {
		readers[i] = new_reader(f);
		sources[i] = f->source;
		sources[i].ctx = &readers[i];
	}
	pieces->sources = sources;
	done = pieces_run(pieces);
	for (unsigned int i = 0; i < n; i++)
		tracedat_pages_free(readers[i].pages);
	free(readers);
	free(sources);
	return done;
}

/* The whole file, or up to a stop, as pieces; false: it has to be read as one. */
static bool read_pieces(struct file *f, unsigned int n)
{
	struct run *run = f->run;
	uint64_t *seams = xcalloc(n, sizeof(*seams));
	struct pieces pieces = {
		.analysis = run->analysis,
		.env = &run->env,
		.seams = seams,
		.n_seams = find_seams(f, n, seams),
		.meanwhile = show_pieces,
		.ctx = f,
	};
	bool done = pieces.n_seams && run_pieces(f, &pieces);

	free(seams);
	if (!done)
		return false;
	run->analysis->free(run->state);
	run->state = pieces.state;
	f->stats = pieces.stats;
	run->stats = &f->stats;
	return true;
}

/*
 * What the threads that were asked for do: returns how many pieces may be read at once. Where the
 * file can't be cut, because who is called what in a piece stands in those before, say, one decodes
 * ahead, and of a compressed one all others inflate, which is most of the work there. libtracecmd,
 * which reads foreign files, knows no threads.
 */
static unsigned int share_work(struct file *f)
{
	const struct run *run = f->run;
	unsigned int threads = wanted_threads(run->settings);

	if (threads < 2 || tracedat_facts(f->dat)->foreign)
		return 1;
	if (!run->settings->interval && !run->settings->duration && !run->env.follows &&
	    pieces_fit(run->analysis, &run->env, &f->source))
		return threads;
	threads -= tracedat_pages_threads(f->reader.pages, threads == 2 ? 1 : threads - 2);
	if (threads > 1)
		stream_decode_ahead(run->stream);
	return 1;
}

static int begin(struct file *f, struct error *err)
{
	struct run *run = f->run;
	unsigned int pieces;
	uint64_t first;

	make_source(f);
	run_connect(run, &f->source);
	pieces = share_work(f);
	if (peek(f, &first, err))
		return -1;
	if (first == UINT64_MAX)
		first = 0;
	run_begin(run, first, f->markers.has_time && run->env.analysis.times,
		  (int64_t)first + f->markers.time);
	if (pieces > 1 && read_pieces(f, pieces))
		return run_report(run, max(run->stats->last, run->reported), true, err);
	return read_file(f, err);
}

/* What would be read, for --dry-run. */
static void print_plan(const struct file *f)
{
	const struct run *run = f->run;
	FILE *out = output_stream(run->output);

	fprintf(out, "read %s, nothing else is touched\n", run->settings->input);
	for (unsigned int i = 0; i < binding_slots(run->binding); i++)
		fprintf(out, "event %s\n", binding_event_name(run->binding, i));
}

/* Of functions and of texts, where they will be printed. */
static int load_names(struct file *f, struct error *err)
{
	struct env *env = &f->run->env;
	struct tracedat_text text;

	if (env_wants_symbols(env)) {
		if (tracedat_kallsyms(f->dat, &text, err))
			return -1;
		env_symbols(env, text.text ? ksyms_new(text.text, text.len) : NULL);
	}
	if (env_prints(env)) {
		if (tracedat_printk(f->dat, &text, err))
			return -1;
		if (text.text)
			env_texts(env, text.text, text.len);
	}
	return 0;
}

static int analyse(struct file *f, struct error *err)
{
	struct run *run = f->run;

	if (choose_buffer(f, err))
		return -1;
	f->cpus = tracedat_buffer_cpus(f->buffer);
	f->layout = tracedat_layout(f->dat, f->buffer);
	fill_source(f);
	who_set_comms(run->env.who, comm_of, f);
	if (markers_read(run->env.who, f->dat, f->buffer, &f->markers, err) ||
	    env_begin(&run->env, run->settings, run->env.who, err) || check_clock(f, err) ||
	    bind(f, err))
		return -1;
	if (run->settings->dry_run) {
		print_plan(f);
		return 0;
	}
	if (load_names(f, err) || run_prepare(run, err))
		return -1;
	return begin(f, err);
}

/* --- The child --- */

struct job {
	struct run *run;
	int fd; /* of the file */
	bool incomplete; /* the parent's run doesn't see it by itself */
};

/* What is no file is read to its end first, however long that takes to come. */
static struct tracedat *open_dat(const struct job *job, struct error *err)
{
	const struct run *run = job->run;
	struct tracedat *dat;
	struct stat st;
	bool waits = !fstat(job->fd, &st) && !S_ISREG(st.st_mode);

	if (waits)
		stop_kills(run->stop, true);
	dat = tracedat_open_fd(job->fd, run->settings->input, err);
	if (waits)
		stop_kills(run->stop, false);
	return dat;
}

static int run_here(void *arg, struct error *err)
{
	struct job *job = arg;
	struct run *run = job->run;
	struct file f = { .run = run };
	int ret = -1;

	f.dat = open_dat(job, err);
	if (f.dat)
		ret = analyse(&f, err);
	progress_wipe(run->progress);
	job->incomplete = run->incomplete;
	run_end(run);
	tracedat_pages_free(f.reader.pages);
	tracedat_free(f.dat);
	free(f.clocks);
	free(f.reader.done);
	return ret;
}

/* A pipe may have nobody who writes to it yet. */
static int open_file(const struct run *run, const char *path)
{
	int fd, errnum;

	stop_interrupts(run->stop, true);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	errnum = errno;
	stop_interrupts(run->stop, false);
	errno = errnum;
	return fd;
}

int run_file(struct run *run, struct error *err)
{
	const char *path = run->settings->input;
	struct job job = { .run = run, .fd = open_file(run, path) };
	struct confined confined = {
		.job = run_here,
		.arg = &job,
		.file = path,
		.result = &job.incomplete,
		.result_size = sizeof(job.incomplete),
	};
	int ret;

	if (job.fd < 0)
		return error_errno(err, errno, "%s can't be opened", path);
	ret = confine_run(&confined, err);
	close(job.fd);
	run->incomplete = job.incomplete;
	return ret;
}
