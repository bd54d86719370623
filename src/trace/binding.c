// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Formats are parsed by libtraceevent, one event at a time and only those that are asked for.
 * Fields are found here, once, by name; what is left of them for the hot loop is numbers.
 *
 * A format is text from outside: a field that doesn't fit a record, or is no number, is refused
 * with a sentence and never read.
 */
#include "trace/binding.h"

#include <event-parse.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "trace/decode.h"
#include "trace/print-fmt.h"
#include "trace/symbols.h"

enum { MAX_RECORD = UINT16_MAX };

struct event {
	char *name; /* "system:name" */
	char *text; /* of its format, NULL: there is none */
	struct tep_event *tep;
};

struct slot {
	const struct hypervisor *hv;
	const struct hv_event *row; /* NULL: FACT_RECORD */
	struct event *event;
};

/* The names of one reason space of one hypervisor. */
struct reasons {
	const struct hypervisor *hv;
	const struct hv_names *names;
	struct symbols *symbols; /* NULL: the print fmt has none */
	struct hash found;	 /* value → its name, NULL when it has none */
};

/*
 * Number → text, owned by the hash. Blocks stand still: while one thread interns another may ask
 * for the texts of numbers that it was given. Block i has TEXTS_FIRST << i of them.
 */
enum { TEXTS_FIRST = 64, TEXTS_BLOCKS = 32 };

struct texts {
	const char **blocks[TEXTS_BLOCKS];
	uint64_t n;
};

struct binding {
	struct format_source source;
	struct tep_handle *tep;
	struct strhash events; /* "system:name" → struct event */
	struct slot *slots;
	unsigned int n_slots;
	size_t slots_room;
	struct decode_plan plan;
	size_t rows_room;
	struct strhash numbers; /* text → struct text's index + 1 */
	struct texts texts;
	struct reasons **reasons;
	size_t n_reasons;
};

/* The block of a number, and its place in there. */
static unsigned int text_place(uint64_t number, uint64_t *place)
{
	unsigned int block = 63 - (unsigned int)__builtin_clzll(number / TEXTS_FIRST + 1);

	*place = number - TEXTS_FIRST * ((UINT64_C(1) << block) - 1);
	return block;
}

static void add_text(struct texts *t, const char *text)
{
	uint64_t place;
	unsigned int block = text_place(t->n, &place);

	if (!t->blocks[block])
		t->blocks[block] = xcalloc((size_t)TEXTS_FIRST << block, sizeof(*t->blocks[block]));
	t->blocks[block][place] = text;
	t->n++;
}

/* Devices come and go for as long as a run lasts; beyond that many their names are one. */
enum { TEXTS_MAX = 65536 };

static uint64_t intern(void *ctx, const char *text)
{
	struct binding *b = ctx;
	void **number;

	if (b->texts.n >= TEXTS_MAX && !strhash_get(&b->numbers, text))
		text = "(more names)";
	number = strhash_insert(&b->numbers, text, NULL);
	if (!*number) {
		add_text(&b->texts, b->numbers.entries[b->numbers.nr - 1].key);
		*number = (void *)(uintptr_t)b->texts.n;
	}
	return (uintptr_t)*number - 1;
}

static bool host_big_endian(void)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

struct binding *binding_new(const struct format_source *source)
{
	struct binding *b = xcalloc(1, sizeof(*b));

	b->source = *source;
	/* what it can't parse is ours to say */
	tep_set_loglevel(TEP_LOG_NONE);
	b->tep = tep_alloc();
	if (!b->tep)
		fatal("out of memory");
	tep_set_long_size(b->tep, (int)source->long_size);
	tep_set_file_bigendian(b->tep, source->big_endian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_local_bigendian(b->tep, host_big_endian() ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	b->plan.swap = source->big_endian != host_big_endian();
	b->plan.intern = intern;
	b->plan.ctx = b;
	intern(b, "");
	return b;
}

void binding_free(struct binding *b)
{
	if (!b)
		return;
	strhash_each(&b->events, entry) {
		struct event *event = entry->value;

		free(event->name);
		free(event->text);
		free(event);
	}
	strhash_free(&b->events);
	for (size_t i = 0; i < b->n_reasons; i++) {
		hash_each(&b->reasons[i]->found, entry)
			free(entry->value.p);
		hash_free(&b->reasons[i]->found);
		symbols_free(b->reasons[i]->symbols);
		free(b->reasons[i]);
	}
	free(b->reasons);
	strhash_free(&b->numbers);
	for (unsigned int i = 0; i < TEXTS_BLOCKS; i++)
		free(b->texts.blocks[i]);
	free(b->slots);
	free(b->plan.rows);
	free(b->plan.first);
	tep_free(b->tep);
	free(b);
}

/* As libtraceevent understands it. */
static char *read_format(const struct binding *b, const char *system, const char *name)
{
	char *text = b->source.format(b->source.ctx, system, name);
	char *mended = text ? print_fmt_mend(text) : NULL;

	if (!mended)
		return text;
	free(text);
	return mended;
}

/* The event by name, its format read and parsed when it is asked for the first time. */
static struct event *find_event(struct binding *b, const char *system, const char *name)
{
	char *full = xasprintf("%s:%s", system ? system : "", name);
	struct event *event;
	void **place;
	bool is_new;

	place = strhash_insert(&b->events, full, &is_new);
	if (!is_new) {
		free(full);
		return *place;
	}
	event = xcalloc(1, sizeof(*event));
	*place = event;
	event->text = read_format(b, system, name);
	/* a print fmt beyond libtraceevent gives an error and yet an event: fields are enough */
	if (event->text)
		tep_parse_format(b->tep, &event->tep, event->text, strlen(event->text),
				 system ? system : "probe");
	event->name = system ? full : xstrdup(name);
	if (!system)
		free(full);
	return event;
}

/* The common fields that each record is read by; false when they aren't what they must be. */
static bool common_fields(struct binding *b, struct tep_event *tep)
{
	struct tep_format_field *pid = tep_find_common_field(tep, "common_pid");
	struct tep_format_field *flags = tep_find_common_field(tep, "common_flags");
	struct tep_format_field *type = tep_find_common_field(tep, "common_type");

	if (!pid || pid->size != 4 || pid->offset < 0 || pid->offset > 64 || !flags ||
	    flags->size != 1 || flags->offset < 0 || flags->offset > 64 || !type ||
	    type->offset != 0 || type->size != 2)
		return false;
	if (b->plan.n_rows &&
	    (b->plan.pid_offset != pid->offset || b->plan.flags_offset != flags->offset))
		return false;
	b->plan.pid_offset = (uint16_t)pid->offset;
	b->plan.flags_offset = (uint16_t)flags->offset;
	return true;
}

/* The event that a row or a user wants, fit to be read, or NULL. */
static struct event *usable_event(struct binding *b, const char *system, const char *name,
				  struct error *err)
{
	struct event *event = find_event(b, system, name);

	if (!event->text) {
		error_set_status(err, 0, "this kernel has no event %s", event->name);
		return NULL;
	}
	if (!event->tep) {
		error_set(err, "the format of %s can't be parsed", event->name);
		return NULL;
	}
	if (event->tep->id < 0 || event->tep->id > UINT16_MAX) {
		error_set(err, "event %s has the id %d, which no record can hold", event->name,
			  event->tep->id);
		return NULL;
	}
	if (!common_fields(b, event->tep)) {
		error_set(err, "the common fields of %s aren't what they are in Linux",
			  event->name);
		return NULL;
	}
	return event;
}

/* "a, b, c": the event's own fields, for people. The caller frees it. */
static char *list_fields(struct tep_event *tep)
{
	char *list = xstrdup("");

	for (struct tep_format_field *f = tep->format.fields; f; f = f->next) {
		char *longer = xasprintf("%s%s%s", list, *list ? ", " : "", f->name);

		free(list);
		list = longer;
	}
	return list;
}

static int no_field(struct event *event, const struct hv_arg *arg, struct error *err)
{
	char *list = list_fields(event->tep);

	error_set(err, "%s has no field %s (this kernel's fields: %s)", event->name, arg->names[0],
		  *list ? list : "none");
	free(list);
	return -1;
}

static struct tep_format_field *find_field(struct tep_event *tep, const struct hv_arg *arg)
{
	struct tep_format_field *field;

	for (int i = 0; i < HV_NAMES && arg->names[i]; i++) {
		field = tep_find_any_field(tep, arg->names[i]);
		if (field)
			return field;
	}
	return NULL;
}

static int bind_text(struct event *event, struct tep_format_field *field, struct decode_arg *to,
		     struct error *err)
{
	if (field->flags & TEP_FIELD_IS_DYNAMIC && field->size == 4)
		to->read = DECODE_TEXT_DATA;
	else if (field->flags & TEP_FIELD_IS_ARRAY && field->elementsize <= 1)
		to->read = DECODE_TEXT;
	else
		return error_set(err, "field %s of %s is no text", field->name, event->name);
	if (to->read == DECODE_TEXT_DATA && field->flags & TEP_FIELD_IS_RELATIVE)
		to->read = DECODE_TEXT_RELATIVE;
	return 0;
}

static int bind_number(struct event *event, struct tep_format_field *field, struct decode_arg *to,
		       struct error *err)
{
	if (field->flags & TEP_FIELD_IS_ARRAY)
		return error_set(err, "field %s of %s is an array, not a number", field->name,
				 event->name);
	if (field->size != 1 && field->size != 2 && field->size != 4 && field->size != 8)
		return error_set(err, "field %s of %s has %d bytes, no number has", field->name,
				 event->name, field->size);
	to->read = DECODE_NUMBER;
	to->is_signed = field->flags & TEP_FIELD_IS_SIGNED;
	return 0;
}

/* Resolves one argument; *min_size grows to what a record must have. *found may be NULL. */
static int bind_arg(struct binding *b, struct event *event, const struct hv_arg *arg,
		    struct decode_arg *to, uint16_t *min_size, bool *found, struct error *err)
{
	struct tep_format_field *field;

	*to = (struct decode_arg){ .read = DECODE_CONST, .value = arg->value };
	if (arg->read == HV_CONST || !arg->names[0])
		return 0;
	if (arg->read == HV_LITERAL) {
		to->value = intern(b, arg->names[0]);
		return 0;
	}
	field = find_field(event->tep, arg);
	if (!field)
		return arg->optional ? 0 : no_field(event, arg, err);
	if (field->offset < 0 || field->size < 0 || field->size > MAX_RECORD ||
	    field->offset > MAX_RECORD - field->size)
		return error_set(err, "field %s of %s lies outside of any record", field->name,
				 event->name);
	to->offset = (uint16_t)field->offset;
	to->size = (uint16_t)field->size;
	*min_size = max(*min_size, (uint16_t)(to->offset + to->size));
	if (found)
		*found = true;
	if (arg->read == HV_INTERNED || arg->read == HV_BYTES) {
		to->bytes = arg->read == HV_BYTES;
		return bind_text(event, field, to, err);
	}
	return bind_number(event, field, to, err);
}

static int bind_row(struct binding *b, struct event *event, const struct hv_event *row,
		    struct decode_row *to, struct error *err)
{
	*to = (struct decode_row){
		.kind = row->kind, .subject = row->subject, .decode = row->decode,
		.min_size = max((uint16_t)(b->plan.pid_offset + 4),
				(uint16_t)(b->plan.flags_offset + 1)),
	};
	if (bind_arg(b, event, &row->a, &to->a, &to->min_size, NULL, err) ||
	    bind_arg(b, event, &row->b, &to->b, &to->min_size, NULL, err) ||
	    bind_arg(b, event, &row->who, &to->who, &to->min_size, NULL, err) ||
	    bind_arg(b, event, &row->aux_arg, &to->aux, &to->min_size, NULL, err))
		return -1;
	if (!row->aux_arg.names[0])
		to->aux.value = row->aux;
	for (unsigned int i = 0; i < HV_EXTRA; i++) {
		bool found = false;

		if (bind_arg(b, event, &row->extra[i], &to->extra[i], &to->min_size, &found, err))
			return -1;
		to->present |= (uint64_t)found << i;
	}
	return 0;
}

/* Room in the index for an event's id, and the row at the end of that event's chain. */
static void add_row(struct binding *b, uint32_t id, const struct decode_row *row)
{
	struct decode_plan *plan = &b->plan;
	unsigned int chain = 1;
	uint32_t *last;

	if (id >= plan->n_ids) {
		plan->first = xreallocarray(plan->first, id + 1, sizeof(*plan->first));
		memset(plan->first + plan->n_ids, 0, (id + 1 - plan->n_ids) * sizeof(*plan->first));
		plan->n_ids = id + 1;
	}
	plan->rows = xgrow(plan->rows, plan->n_rows, &b->rows_room, sizeof(*plan->rows));
	for (last = &plan->first[id]; *last; last = &plan->rows[*last - 1].next)
		chain++;
	plan->rows[plan->n_rows] = *row;
	*last = ++plan->n_rows;
	plan->chain = max(plan->chain, chain);
}

static int add_slot(struct binding *b, const struct hypervisor *hv, const struct hv_event *row,
		    struct event *event, struct decode_row *decoded)
{
	b->slots = xgrow(b->slots, b->n_slots, &b->slots_room, sizeof(*b->slots));
	decoded->slot = b->n_slots;
	b->slots[b->n_slots] = (struct slot){ .hv = hv, .row = row, .event = event };
	add_row(b, (uint32_t)event->tep->id, decoded);
	return (int)b->n_slots++;
}

int binding_add(struct binding *b, const struct hypervisor *hv, const struct hv_event *row,
		struct error *err)
{
	struct decode_row decoded;
	struct event *event;

	for (unsigned int i = 0; i < b->n_slots; i++)
		if (b->slots[i].row == row)
			return (int)i;
	event = usable_event(b, row->system, row->name, err);
	if (!event || bind_row(b, event, row, &decoded, err))
		return -1;
	return add_slot(b, hv, row, event, &decoded);
}

int binding_add_record(struct binding *b, const char *system, const char *name, struct error *err)
{
	struct event *event = usable_event(b, system, name, err);
	struct decode_row decoded = { .kind = FACT_RECORD, .subject = SUBJECT_RECORDER };

	if (!event)
		return -1;
	for (unsigned int i = 0; i < b->n_slots; i++)
		if (!b->slots[i].row && b->slots[i].event == event)
			return (int)i;
	decoded.min_size = max((uint16_t)(b->plan.pid_offset + 4),
			       (uint16_t)(b->plan.flags_offset + 1));
	return add_slot(b, NULL, NULL, event, &decoded);
}

unsigned int binding_slots(const struct binding *b)
{
	return b->n_slots;
}

const struct decode_plan *binding_plan(const struct binding *b)
{
	return &b->plan;
}

const struct hv_event *binding_row(const struct binding *b, unsigned int slot)
{
	return b->slots[slot].row;
}

struct tep_event *binding_tep_event(const struct binding *b, unsigned int slot)
{
	return b->slots[slot].event->tep;
}

const char *binding_event_name(const struct binding *b, unsigned int slot)
{
	return b->slots[slot].event->name;
}

int binding_event_id(const struct binding *b, unsigned int slot)
{
	return b->slots[slot].event->tep->id;
}

const char *binding_string(const struct binding *b, uint64_t interned)
{
	uint64_t place;
	unsigned int block = text_place(interned, &place);
	const char *text = NULL;

	if (block < TEXTS_BLOCKS && b->texts.blocks[block])
		text = b->texts.blocks[block][place];
	return text ? text : "";
}

/* The names of a reason space, their table read from the print fmt the first time; NULL: no row. */
static struct reasons *find_reasons(struct binding *b, const struct hypervisor *hv, uint8_t space)
{
	const struct hv_names *names = hypervisor_names(hv, space);
	struct reasons *r;
	struct event *event;

	if (!names)
		return NULL;
	for (size_t i = 0; i < b->n_reasons; i++)
		if (b->reasons[i]->hv == hv && b->reasons[i]->names == names)
			return b->reasons[i];
	r = xcalloc(1, sizeof(*r));
	r->hv = hv;
	r->names = names;
	if (names->event) {
		event = find_event(b, names->system, names->event);
		if (event->text)
			r->symbols = symbols_parse(event->text, names->symbol_field, names->nth,
						   names->bytes);
	}
	b->reasons = xreallocarray(b->reasons, b->n_reasons + 1, sizeof(struct reasons *));
	b->reasons[b->n_reasons++] = r;
	return r;
}

static const char *fixed_name(const struct hv_symbol *fixed, uint64_t value)
{
	for (; fixed && fixed->name; fixed++)
		if (fixed->value == value)
			return fixed->name;
	return NULL;
}

/* "NAME FLAG FLAG 0x…": the reason's own name, its flags', and what has none. */
static char *with_flags(const char *name, const struct hv_symbol *flags, uint64_t rest)
{
	char *text = xstrdup(name), *longer;

	for (; flags && flags->name; flags++) {
		if (!flags->value || (rest & flags->value) != flags->value)
			continue;
		longer = xasprintf("%s %s", text, flags->name);
		free(text);
		text = longer;
		rest &= ~flags->value;
	}
	if (rest) {
		longer = xasprintf("%s 0x%llx", text, (unsigned long long)rest);
		free(text);
		text = longer;
	}
	return text;
}

static char *make_reason_name(const struct reasons *r, uint64_t value)
{
	const struct hv_names *names = r->names;
	const char *name = NULL;
	uint64_t mask;
	char buf[256];

	if (names->name && names->name(value, buf, sizeof(buf)))
		return xstrdup(buf);
	if (names->bytes && names->bytes < 8)
		value &= (UINT64_C(1) << (8 * names->bytes)) - 1;
	mask = names->mask ? names->mask : UINT64_MAX;
	if (r->symbols)
		name = symbols_name(r->symbols, value & mask);
	if (!name)
		name = fixed_name(names->fixed, value & mask);
	return name ? with_flags(name, names->flags, value & ~mask) : NULL;
}

const char *binding_reason_name(struct binding *b, const struct hypervisor *hv, uint8_t space,
				uint64_t value)
{
	struct reasons *r = find_reasons(b, hv, space);
	union hash_value *found;
	bool is_new;

	if (!r)
		return NULL;
	found = hash_insert(&r->found, value, &is_new);
	if (is_new)
		found->p = make_reason_name(r, value);
	return found->p;
}
