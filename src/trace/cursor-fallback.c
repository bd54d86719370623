// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libtracecmd reads the records of a CPU whose number it doesn't check, and doesn't tell how many
 * there are. So all records are walked once by its iterator, which knows, before they are read.
 */
#include "trace/cursor-fallback.h"

#include <fcntl.h>
#include <string.h>
#include <trace-cmd.h>
#include <unistd.h>

#include "fact.h"

enum { RECORD_MAX = 1 << 16 }; /* a record fits a sub-buffer */

struct fallback {
	int fd; /* the caller's */
	struct tracecmd_input *input;
	struct tep_event **events;
	unsigned int *cpus; /* of each buffer */
	size_t n_buffers;
};

struct fallback_records {
	struct tracecmd_input *input; /* of the buffer */
	struct tracecmd_input *parent; /* of another than the top buffer: the file's */
	struct tep_record **held; /* by CPU: what was handed out last */
	struct page_source source;
};

/* Closing an input closes its descriptor. */
static struct tracecmd_input *open_input(int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct tracecmd_input *input;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	if (own < 0 || lseek(own, 0, SEEK_SET) < 0)
		input = NULL;
	else
		input = tracecmd_open_fd(own, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!input && own >= 0)
		close(own);
	return input;
}

/* The input of buffer n of a file; *parent is the file's, when that is another. */
static struct tracecmd_input *open_buffer(int fd, size_t n, struct tracecmd_input **parent)
{
	struct tracecmd_input *input = open_input(fd);

	*parent = n ? input : NULL;
	return n && input ? tracecmd_buffer_instance_handle(input, (int)n - 1) : input;
}

static void close_buffer(struct tracecmd_input *input, struct tracecmd_input *parent)
{
	if (input)
		tracecmd_close(input);
	if (parent)
		tracecmd_close(parent);
}

static int note_cpu(struct tracecmd_input *input, struct tep_record *rec, int cpu, void *ctx)
{
	unsigned int *cpus = ctx;

	(void)input, (void)cpu;
	if (rec->cpu >= 0)
		*cpus = max(*cpus, (unsigned int)rec->cpu + 1);
	return 0;
}

/* CPUs of buffer n that have records are below it; -1 when it can't be read. */
static int count_cpus(int fd, size_t n, unsigned int *cpus)
{
	struct tracecmd_input *parent, *input = open_buffer(fd, n, &parent);
	int ret = -1;

	*cpus = 0;
	if (input)
		ret = tracecmd_iterate_events(input, NULL, 0, note_cpu, cpus);
	close_buffer(input, parent);
	return ret;
}

struct fallback *fallback_open(int fd)
{
	struct fallback *f = xcalloc(1, sizeof(*f));
	size_t i;

	f->fd = fd;
	f->input = open_input(fd);
	if (!f->input) {
		fallback_free(f);
		return NULL;
	}
	f->n_buffers = 1 + (size_t)max(tracecmd_buffer_instances(f->input), 0);
	f->cpus = xcalloc(f->n_buffers, sizeof(*f->cpus));
	for (i = 0; i < f->n_buffers; i++) {
		if (count_cpus(fd, i, &f->cpus[i])) {
			fallback_free(f);
			return NULL;
		}
	}
	f->events = tep_list_events(tracecmd_get_tep(f->input), TEP_EVENT_SORT_SYSTEM);
	return f;
}

void fallback_free(struct fallback *f)
{
	if (!f)
		return;
	if (f->input)
		tracecmd_close(f->input);
	free(f->cpus);
	free(f);
}

const char *fallback_buffer(const struct fallback *f, size_t n)
{
	if (!n)
		return "";
	return n < f->n_buffers ? tracecmd_buffer_instance_name(f->input, (int)n - 1) : NULL;
}

static struct tep_handle *tep_of(const struct fallback *f)
{
	return tracecmd_get_tep(f->input);
}

unsigned int fallback_cpus(const struct fallback *f)
{
	return (unsigned int)max(tep_get_cpus(tep_of(f)), 0);
}

unsigned int fallback_long_size(const struct fallback *f)
{
	return tep_get_header_page_size(tep_of(f)) == 4 ? 4 : 8;
}

bool fallback_big_endian(const struct fallback *f)
{
	return tep_is_file_bigendian(tep_of(f));
}

uint64_t fallback_trace_id(const struct fallback *f)
{
	return tracecmd_get_traceid(f->input);
}

const struct tep_event *fallback_event(const struct fallback *f, size_t n)
{
	return n < (size_t)max(tep_get_events_count(tep_of(f)), 0) && f->events ? f->events[n] :
										     NULL;
}

const char *fallback_comm(const struct fallback *f, int tid)
{
	if (!tep_is_pid_registered(tep_of(f), tid))
		return NULL;
	return tep_data_comm_from_pid(tep_of(f), tid);
}

/* --- Records --- */

static int next_record(void *ctx, unsigned int cpu, struct page_record *rec, uint64_t *lost,
		       struct error *err)
{
	struct fallback_records *r = ctx;
	struct tep_record *next;

	tracecmd_free_record(r->held[cpu]);
	next = r->held[cpu] = tracecmd_read_data(r->input, (int)cpu);
	if (!next)
		return 0;
	if (next->size < 0)
		return error_set(err, "a record of CPU %u has a length below 0", cpu);
	*rec = (struct page_record){
		.data = next->data,
		.size = (uint32_t)next->size,
		.time = next->ts,
	};
	*lost = next->missed_events < 0 ? LOSS_UNKNOWN : (uint64_t)next->missed_events;
	return 1;
}

struct fallback_records *fallback_records_new(const struct fallback *f, size_t n,
					      struct error *err)
{
	struct fallback_records *r = xcalloc(1, sizeof(*r));

	r->input = open_buffer(f->fd, n, &r->parent);
	if (!r->input) {
		error_set(err, "libtracecmd can't read buffer \"%s\"", fallback_buffer(f, n));
		fallback_records_free(r);
		return NULL;
	}
	r->held = xcalloc(f->cpus[n] + 1, sizeof(struct tep_record *));
	r->source = (struct page_source){
		.record = next_record,
		.ctx = r,
		.n_cpus = f->cpus[n],
		.layout = { .long_size = 8, .data = 16, .size = RECORD_MAX },
	};
	return r;
}

void fallback_records_free(struct fallback_records *r)
{
	unsigned int cpu;

	if (!r)
		return;
	for (cpu = 0; cpu < r->source.n_cpus; cpu++)
		tracecmd_free_record(r->held[cpu]);
	free(r->held);
	close_buffer(r->input, r->parent);
	free(r);
}

const struct page_source *fallback_source(const struct fallback_records *r)
{
	return &r->source;
}
