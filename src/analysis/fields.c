// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding fields in several events: what one of them lacks is said for that one.
 */
#include "analysis/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static int find_one(const struct analysis_env *env, uint32_t slot, const char *name,
		    struct field *field, struct error *err)
{
	if (*name != '$')
		return env->field(env->ctx, slot, name, field, err);
	if (strcmp(name, "$retval") != 0)
		return error_set(err,
				 "there is no %s here; there are $retval and, to count, "
				 "$latency",
				 name);
	if (!env->field(env->ctx, slot, "retval", field, NULL) ||
	    !env->field(env->ctx, slot, "ret", field, NULL))
		return 0;
	return error_set(err, "%s returns nothing: $retval is of returns, as r:FUNCTION",
			 env->event(env->ctx, slot));
}

int fields_find(const struct analysis_env *env, const char *name, struct field **fields,
		struct error *err)
{
	*fields = xcalloc(env->n_slots + 1, sizeof(**fields));
	for (size_t i = 0; i < env->n_slots; i++) {
		if (!find_one(env, env->slots[i], name, &(*fields)[i], err))
			continue;
		if (err)
			err->status = 2;
		free(*fields);
		*fields = NULL;
		return -1;
	}
	return 0;
}

int fields_place(const struct analysis_env *env, const struct fact *f)
{
	uint32_t slot = fact_slot(f);

	/* slots are given in order: mostly the first guess is right */
	if (slot < env->n_slots && env->slots[slot] == slot)
		return (int)slot;
	for (size_t i = 0; i < env->n_slots; i++)
		if (env->slots[i] == slot)
			return (int)i;
	return -1;
}

const struct field *fields_of(const struct analysis_env *env, const struct field *fields,
			      const struct fact *f)
{
	int place = fields_place(env, f);

	return place < 0 ? NULL : &fields[place];
}

void fields_text(struct expr_value value, bool hex, unsigned int size, char *text, size_t room)
{
	if (hex && size < sizeof(value.v))
		value.v &= (UINT64_C(1) << 8 * size) - 1;
	if (hex)
		snprintf(text, room, "0x%" PRIx64, value.v);
	else if (value.is_signed)
		snprintf(text, room, "%" PRId64, (int64_t)value.v);
	else
		snprintf(text, room, "%" PRIu64, value.v);
}
