// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/stat (proc(5)): the cpuN lines, cumulative ticks of each category since boot.
 *
 * The line "cpu" of the sums is left aside: CPUs come and go, and the difference of its sums
 * would then speak of other CPUs than before. A line may have fewer fields than today's ten:
 * kernels before 2.6.11 have no steal, before 2.6.24 no guest; what isn't there is no fact.
 */
#include "sampler/sampler.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

enum { STAT_LIMIT = 64 << 20 }; /* bytes: its intr line alone takes megabytes on large hosts */

/* Decimal digits at *text, which goes behind them; false when there are none or too many. */
static bool read_number(const char **text, uint64_t *value)
{
	const char *p = *text;

	for (*value = 0; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*p - '0'), value))
			return false;
	if (p == *text)
		return false;
	*text = p;
	return true;
}

/* One "cpuN …" line. Returns 1 with facts added, 0 when the line is another's, -1 damaged. */
static int read_cpu(const char *line, uint64_t tick_ns, struct fact fact, struct sample *sample)
{
	uint64_t cpu, ticks;

	if (strncmp(line, "cpu", 3) != 0 || line[3] < '0' || line[3] > '9')
		return 0;
	line += 3;
	if (!read_number(&line, &cpu) || cpu > UINT16_MAX)
		return -1;
	fact.cpu = (uint16_t)cpu;
	fact.subject = (uint32_t)cpu;
	for (fact.aux = 0; fact.aux < CPU_TIMES && *line == ' '; fact.aux++) {
		line += strspn(line, " ");
		if (*line == '\n' || !*line)
			break;
		if (!read_number(&line, &ticks) ||
		    __builtin_mul_overflow(ticks, tick_ns, &fact.a))
			return -1;
		sample_add(sample, &fact);
	}
	return fact.aux > CPU_TIME_IDLE ? 1 : -1;
}

static int take(const struct root *root, uint64_t time, struct sample *sample, struct error *err)
{
	struct fact fact = { .time = time, .kind = FACT_CPU_TIME, .aux = CPU_TIME_SAMPLE };
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)(hz > 0 ? hz : 100);
	char *text = path_read_all(root, STAT_LIMIT, NULL, "/proc/stat");
	int found = 0;

	if (!text)
		return error_errno(err, errno, "can't read /proc/stat, which tells the CPUs' time");
	sample->n = 0;
	sample_add(sample, &fact);
	for (const char *line = text; line && *line;) {
		int got = read_cpu(line, tick_ns, fact, sample);

		if (got < 0) {
			free(text);
			return error_set(err, "/proc/stat has a cpu line that makes no sense: "
					      "is this a complete Linux /proc?");
		}
		found += got;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	free(text);
	if (!found)
		return error_set(
			err, "/proc/stat has no line of a CPU: is this a complete Linux /proc?");
	sample->facts[0].a = (uint64_t)found;
	return 0;
}

const struct sampler sampler_proc_stat = {
	.name = "/proc/stat",
	.facts = FACT_BIT(FACT_CPU_TIME),
	.take = take,
};
