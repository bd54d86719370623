/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace.dat with one of everything, and everything that can be asked of a trace.dat, whatever is
 * in it: for the tests that damage files.
 */
#ifndef HVSCOPE_TESTS_TRACEDAT_ALL_H
#define HVSCOPE_TESTS_TRACEDAT_ALL_H

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/tracedat-build.h"
#include "trace/tracedat.h"

/* --- one of everything --- */

static inline void put_option(struct blob *b, int id, const void *p, size_t len)
{
	put_u16(b, (uint16_t)id);
	put_u32(b, (uint32_t)len);
	put(b, p, len);
}

/* One of each option, TIME_SHIFT with samples for two CPUs among them. */
static inline struct blob all_options(void)
{
	struct blob b = { 0 }, shift_option = { 0 };
	uint64_t i;

	put_option(&b, 1, "0x12345", 8);
	put_option(&b, 2, "CPU: 0\ndropped events: 7\n", 26);
	put_option(&b, 5, "Linux host 6.1.0 x86_64", 24);
	put_option(&b, 6, "hook", 5);
	put_option(&b, 7, "-5", 3);
	put_option(&b, 9, "3.1.6", 6);
	put_option(&b, 10, "1 0 /bin/sh\n", 13);
	put_option(&b, 11, "\1\2\3\4\5\6\7\10", 8);
	put_u64(&shift_option, 1);
	put_u32(&shift_option, 1);
	put_u32(&shift_option, 2);
	put_u32(&shift_option, 3);
	for (i = 0; i < 9; i++)
		put_u64(&shift_option, i * 1000);
	put_u32(&shift_option, 1);
	for (i = 0; i < 3 + 4; i++)
		put_u64(&shift_option, i);
	put_option(&b, 12, shift_option.p, shift_option.len);
	free(shift_option.p);
	put_option(&b, 14, "\0\0\0\1\37\0\0\0\0\0\0\0\0\0\0\0", 16);
	return b;
}

static const char header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

/* Files with all options and three buffers of a few pages. */
struct everything {
	struct build build;
	struct blob options, pages;
};

static inline struct everything everything_new(void)
{
	struct everything e = { .options = all_options() };
	uint32_t i;

	for (i = 0; i < 3 * BUILD_PAGE / 8; i++)
		put_u64(&e.pages, i % 5 ? 0 : i * UINT64_C(0x9e3779b97f4a7c15));
	e.build = (struct build){
		.version = 6,
		.compression = "none",
		.header_page = header_page,
		.header_event = "type_len : 5 bits\n",
		.system = "kvm",
		.format = "name: kvm_exit\nID: 77\nformat:\n",
		.kallsyms = "ffffffff81000000 T _stext\n",
		.printk = "0xffffffff82000000 : \"hello\"\n",
		.cmdlines = "1 init\n42 some name\n",
		.options = e.options,
		.buffers = 3,
		.buffer = {
			{ "", "mono", 2, { e.pages, e.pages }, false },
			{ "guests", "mono", 2, { { 0 }, e.pages }, false },
			{ "one", "mono", 1, { e.pages }, true },
		},
		.chunk = BUILD_PAGE,
	};
	return e;
}

static inline void everything_free(struct everything *e)
{
	free(e->options.p);
	free(e->pages.p);
}

/* --- everything that can be asked of a file --- */

struct outcome {
	unsigned int refused, read, half; /* half: opened, but some of it was refused later */
	uint64_t sum; /* of all bytes handed out, so that none is left unread */
	bool mute; /* a refusal without a sentence */
};

static inline void touch(struct outcome *o, const void *p, size_t len)
{
	const unsigned char *byte = p;
	size_t i;

	for (i = 0; i < len; i++)
		o->sum += byte[i];
}

static inline void touch_string(struct outcome *o, const char *s)
{
	if (s)
		touch(o, s, strlen(s));
}

static inline bool failed(struct outcome *o, int ret, const struct error *err)
{
	if (ret < 0 && (err->status != 1 || !*err->text))
		o->mute = true;
	return ret < 0;
}

static inline bool read_texts(struct tracedat *t, struct outcome *o)
{
	struct tracedat_text text = tracedat_header_page(t);
	struct tracedat_event event;
	struct error err = { 0 };
	bool bad = false;
	size_t n = 0;
	int ret;

	touch(o, text.text, text.len);
	text = tracedat_header_event(t);
	touch(o, text.text, text.len);
	while ((ret = tracedat_event_at(t, n++, &event, &err)) == 1) {
		touch_string(o, event.system);
		touch_string(o, event.name);
		touch(o, event.format.text, event.format.len);
	}
	bad |= failed(o, ret, &err);
	bad |= failed(o, tracedat_event(t, "kvm", "kvm_exit", &event, &err), &err);
	bad |= failed(o, tracedat_kallsyms(t, &text, &err), &err);
	touch(o, text.text, text.len);
	bad |= failed(o, tracedat_printk(t, &text, &err), &err);
	touch(o, text.text, text.len);
	bad |= failed(o, tracedat_cmdlines(t, &text, &err), &err);
	touch(o, text.text, text.len);
	touch_string(o, tracedat_comm(t, 1));
	return bad;
}

static inline bool read_records(struct tracedat *t, const struct tracedat_buffer *b,
				struct outcome *o)
{
	struct tracedat_pages *pages = tracedat_pages_new(t, b);
	struct page_layout layout = tracedat_layout(t, b);
	struct error err = { 0 };
	bool bad = false;
	unsigned int cpu;

	for (cpu = 0; cpu <= tracedat_buffer_cpus(b); cpu++) {
		struct tracedat_clock clock = tracedat_clock(t, b, cpu);
		const void *page;
		uint64_t n;
		size_t size;
		int ret;

		for (n = 0;; n++) {
			ret = tracedat_pages_get(pages, cpu, n, &page, &size, &err);
			if (ret != 1)
				break;
			if (!size || size > layout.size)
				o->mute = true;
			touch(o, page, size);
			o->sum += tracedat_time(&clock, o->sum);
			tracedat_pages_release(pages, cpu, n);
		}
		bad |= failed(o, ret, &err);
		o->sum += tracedat_time(&clock, 0) + tracedat_time(&clock, UINT64_MAX);
	}
	tracedat_pages_free(pages);
	return bad;
}

static inline void read_all(const struct blob *file, struct outcome *o)
{
	int fd = memfd_create("damaged", MFD_CLOEXEC);
	struct error err = { 0 };
	struct tracedat *t;
	size_t i;
	bool bad;

	if (fd < 0 || write(fd, file->p, file->len) != (ssize_t)file->len) {
		printf("Bail out! no memory file\n");
		exit(1);
	}
	t = tracedat_open_fd(fd, "FILE", &err);
	close(fd);
	if (!t) {
		failed(o, -1, &err);
		o->refused++;
		return;
	}
	touch_string(o, tracedat_facts(t)->kernel);
	touch_string(o, tracedat_facts(t)->host);
	touch_string(o, tracedat_facts(t)->machine);
	touch_string(o, tracedat_facts(t)->recorder);
	bad = read_texts(t, o);
	for (i = 0; tracedat_buffer_at(t, i); i++) {
		touch_string(o, tracedat_buffer_name(tracedat_buffer_at(t, i)));
		touch_string(o, tracedat_buffer_clock(tracedat_buffer_at(t, i)));
		o->sum += tracedat_clock_is_ns(t, tracedat_buffer_at(t, i));
		bad |= read_records(t, tracedat_buffer_at(t, i), o);
	}
	tracedat_free(t);
	if (bad)
		o->half++;
	else
		o->read++;
}

#endif
