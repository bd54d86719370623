/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event specs, the same in all general instruments, as users of BCC know them:
 *
 *	xen:*  t:xen:*  /^kvm:kvm_(exit|entry)$/	tracepoints, by glob or regular expression
 *							(POSIX extended) over system:event; with a
 *							colon in it t: may be left out
 *	vfs_read  vfs_*					a kernel function: the same as p:
 *	p:[MODULE/]FUNCTION[+OFFSET] [NAME=FETCH...]	its entry; glob or /regex/ over its name
 *	r:[MODULE/]FUNCTION [NAME=FETCH...]		its return
 *	u:PATH:SYMBOL  u:PATH:0xOFFSET			a user function's entry; the symbol starts
 *	ur:PATH:SYMBOL					after the last single colon; its return
 *
 * Arguments of a probe are in tracefs syntax, in the same word.
 */
#ifndef HVSCOPE_CMD_SPEC_H
#define HVSCOPE_CMD_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum spec_kind { SPEC_TRACEPOINT, SPEC_FUNCTION, SPEC_USER };

struct spec {
	const char *text; /* as it was given, the caller's */
	enum spec_kind kind;
	bool is_return;  /* r:, ur: */
	bool regex;      /* pattern was written between slashes */
	bool glob;       /* pattern has *, ? or [ */
	char *pattern;   /* "system:event", function or symbol; NULL with an offset of a file */
	char *module;    /* of p: and r:; NULL: not told */
	char *path;      /* of u: and ur: */
	uint64_t offset; /* of p: behind the function, of u: in the file */
	char *args;      /* behind the first blank; NULL none */
};

/* Returns -1 with a sentence and status 2. Nothing of the machine is asked: that is expanding. */
int spec_parse(const char *text, struct spec *spec, struct error *err);
void spec_free(struct spec *spec);

/* A pattern ready to match many names. */
struct spec_matcher;

/* -1/NULL with a sentence, status 2, for a regular expression that is none. */
struct spec_matcher *spec_matcher_new(const struct spec *spec, struct error *err);
bool spec_matches(const struct spec_matcher *m, const char *name);
void spec_matcher_free(struct spec_matcher *m);

#endif
