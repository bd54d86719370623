/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What formats for people say around their tables: what the report is about, what was lost, what
 * is to be noted.
 */
#ifndef HVSCOPE_RENDER_SENTENCES_H
#define HVSCOPE_RENDER_SENTENCES_H

#include "render/render.h"

enum { LINE_WIDTH = 100 }; /* columns of a line for people */

/* A sentence on as many lines as it takes, the further ones indented. */
void sentences_wrap(FILE *out, const char *text);

/* Before the tables: a blank line behind the last report, with -T the time, the subject. */
void sentences_begin(const struct render *render, const struct report *report);

/* Behind them: losses and notes. With -q neither says anything. */
void sentences_end(const struct render *render, const struct report *report);

#endif
