/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a --vm-map file: "tid pid name vcpu". The name is all that stands between the second
 * and the last word, so it may hold blanks.
 */
#ifndef HVSCOPE_SAMPLER_WHO_TEXT_H
#define HVSCOPE_SAMPLER_WHO_TEXT_H

#include "sampler/who.h"

/* 1 and *thread (its name lies in the line, which is changed), 0 an empty line or a comment, -1. */
int who_parse_map_line(char *line, struct who_thread *thread);

#endif
