// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making a probe costs 20 to 70 ms in the kernel, a batch not much more, so the first candidates of
 * all roles are tried in one write; only when the kernel refuses that does each go by itself.
 *
 * kprobe_events is everybody's: it is only ever appended to (opening it with O_TRUNC would remove
 * the probes of others).
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "trace/ksyms.h"
#include "trace/probe.h"

#define MAXACTIVE_MAX 4096 /* KRETPROBE_MAXACTIVE_MAX of the kernel */

/* A function that somebody asked for, and how often the kernel has it. */
struct symbol {
	char *name;   /* without module and offset */
	char *module; /* NULL: wherever it is */
	int count;    /* -1: kallsyms doesn't tell */
	char addresses[80];
};

struct wanted_role {
	const struct hv_probe *role;
	bool works[HV_CANDIDATES]; /* chosen and made */
	char refused[512]; /* room for HV_CANDIDATES that aren't there */
};

struct made {
	struct probe_event pub;
	char *name, *places;
	bool user, gone;
};

struct probes {
	struct tfs tfs;
	char *group;
	struct wanted_role *roles;
	const struct probe_definition **definitions;
	struct symbol *symbols;
	struct made *made;
	size_t n_roles, n_definitions, n_symbols, n_made;
};

struct probes *probes_new(const struct tfs *t, const char *group)
{
	struct probes *p = xcalloc(1, sizeof(*p));

	p->tfs = *t;
	p->group = xstrdup(group);
	return p;
}

void probes_add_role(struct probes *p, const struct hv_probe *role)
{
	p->roles = xreallocarray(p->roles, p->n_roles + 1, sizeof(*p->roles));
	p->roles[p->n_roles++] = (struct wanted_role){ .role = role };
}

void probes_add(struct probes *p, const struct probe_definition *d)
{
	p->definitions = xreallocarray(p->definitions, p->n_definitions + 1,
				       sizeof(struct probe_definition *));
	p->definitions[p->n_definitions++] = d;
}

static const char *events_file(bool user)
{
	return user ? "uprobe_events" : "kprobe_events";
}

/* An event's name from a role's: what the kernel takes in a name, "_" for the rest. */
char *probe_event_name(const char *role, bool is_return)
{
	char *name = xasprintf("%s%s", role, is_return ? PROBE_RETURN : "");

	for (char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9')))
			*p = '_';
	return name;
}

/* maxactive goes between the letter and the colon, and only with returns. */
char *probes_line(const char *group, const struct probe_definition *d)
{
	char active[16] = "";

	if (d->type == 'r' && d->maxactive && !d->user)
		snprintf(active, sizeof(active), "%u",
			 min(d->maxactive, (unsigned int)MAXACTIVE_MAX));
	return xasprintf("%c%s:%s/%s %s%s%s", d->type, active, group, d->name, d->place,
			 d->args && *d->args ? " " : "", d->args ? d->args : "");
}

char *probes_line_role(const char *group, const struct hv_probe *role, const char *function,
		       bool is_return)
{
	char *name = probe_event_name(role->role, is_return);
	const struct probe_definition d = {
		.type = is_return ? 'r' : 'p',
		.name = name,
		.place = function,
		.args = is_return ? role->ret : role->args,
		.maxactive = role->maxactive,
	};
	char *text = probes_line(group, &d);

	free(name);
	return text;
}

/* "module:function+offset" → "function". */
static char *bare_symbol(const char *place)
{
	const char *colon = strchr(place, ':');

	if (colon)
		place = colon + 1;
	return xstrndup(place, strcspn(place, "+"));
}

/* "module:function+offset" → "module", NULL without one. */
static char *module_of(const char *place)
{
	const char *colon = strchr(place, ':');

	return colon ? xstrndup(place, (size_t)(colon - place)) : NULL;
}

static const struct symbol *find_symbol(const struct probes *p, const char *place)
{
	char *name = bare_symbol(place), *module = module_of(place);
	const struct symbol *found = NULL;

	for (size_t i = 0; i < p->n_symbols && !found; i++) {
		const struct symbol *s = &p->symbols[i];

		if (!strcmp(s->name, name) && !s->module == !module &&
		    (!module || !strcmp(s->module, module)))
			found = s;
	}
	free(name);
	free(module);
	return found;
}

static void want_symbol(struct probes *p, const char *place)
{
	char *name = bare_symbol(place);

	/* "0xffffffff81000000" is no name. */
	if ((name[0] >= '0' && name[0] <= '9') || find_symbol(p, place)) {
		free(name);
		return;
	}
	p->symbols = xreallocarray(p->symbols, p->n_symbols + 1, sizeof(*p->symbols));
	p->symbols[p->n_symbols++] = (struct symbol){
		.name = name,
		.module = module_of(place),
		.count = -1,
	};
}

/* Whole addresses only; "…" stands for those that there is no room for. */
static void note_address(struct symbol *s, const char *address, size_t len)
{
	size_t used = strlen(s->addresses);
	const char *between = s->count++ ? ", " : "";

	if (used + len + sizeof(", 0x, …") <= sizeof(s->addresses))
		snprintf(s->addresses + used, sizeof(s->addresses) - used, "%s0x%.*s", between,
			 (int)len, address);
	else if (!strstr(s->addresses, "…"))
		snprintf(s->addresses + used, sizeof(s->addresses) - used, ", …");
}

/* Whether "\t[module]" behind a name is the symbol's. */
static bool in_module(const struct symbol *s, const char *from, const char *end)
{
	size_t len = s->module ? strlen(s->module) : 0;

	return !s->module || ((size_t)(end - from) == len + 3 && !strncmp(from, "\t[", 2) &&
			      !strncmp(from + 2, s->module, len));
}

/* One line of kallsyms: "ffffffff81000000 T name\t[module]". Only code counts. */
static void see_symbol(struct probes *p, const char *from, const char *end)
{
	const char *blank = memchr(from, ' ', end - from);

	if (!blank || end - blank < 4 || !strchr("tTwW", blank[1]))
		return;
	const char *name = blank + 3;
	const char *tab = memchr(name, '\t', end - name);
	size_t len = (tab ? tab : end) - name;

	for (struct symbol *s = p->symbols; s < p->symbols + p->n_symbols; s++)
		if (!strncmp(s->name, name, len) && !s->name[len] && in_module(s, name + len, end))
			note_address(s, from, blank - from);
}

/* One pass for all functions: kallsyms has 10 MB, made anew for each reader. */
static void look_up_symbols(struct probes *p)
{
	size_t len;
	char *text = p->n_symbols ? ksyms_text(&p->tfs.root, &len, NULL) : NULL;

	if (!text)
		return;
	for (size_t i = 0; i < p->n_symbols; i++)
		p->symbols[i].count = 0;
	for (const char *from = text, *end; from < text + len; from = end + 1) {
		end = memchr(from, '\n', text + len - from);
		if (!end)
			break;
		see_symbol(p, from, end);
	}
	free(text);
}

int probe_symbol_count(const struct root *root, const char *function, char *addresses, size_t size)
{
	struct probes p = { .tfs.root = root ? *root : (struct root){ 0 } };
	int count = -1;

	want_symbol(&p, function);
	look_up_symbols(&p);
	addresses[0] = '\0';
	if (p.n_symbols) {
		count = p.symbols[0].count;
		if (count > 1)
			snprintf(addresses, size, "%s", p.symbols[0].addresses);
		free(p.symbols[0].name);
		free(p.symbols[0].module);
	}
	free(p.symbols);
	return count;
}

/*
 * Whether a place can be tried at all: a symbol that exists twice never (older kernels would take
 * one of the two in silence), one that doesn't exist need not. Otherwise why, as a sentence's end.
 */
static bool unique(const struct probes *p, const char *place, char *why, size_t size)
{
	const struct symbol *s = find_symbol(p, place);

	if (!s || s->count < 0 || s->count == 1)
		return true;
	if (s->count)
		snprintf(why, size, "%s exists %d times (at %s)", s->name, s->count, s->addresses);
	else
		snprintf(why, size, "%s is not in this kernel", s->name);
	return false;
}

static struct made *find_made(const struct probes *p, const char *name)
{
	for (size_t i = 0; i < p->n_made; i++)
		if (!strcmp(p->made[i].name, name))
			return &p->made[i];
	return NULL;
}

static void note_made(struct probes *p, const char *name, const char *role, const char *place,
		      bool is_return, bool user)
{
	struct made *m = find_made(p, name);

	if (m) {
		char *both = xasprintf("%s %s", m->places, place);

		free(m->places);
		m->places = both;
	} else {
		p->made = xreallocarray(p->made, p->n_made + 1, sizeof(*p->made));
		m = &p->made[p->n_made++];
		*m = (struct made){ .name = xstrdup(name),
				    .places = xstrdup(place),
				    .user = user,
				    .pub = { .role = role, .is_return = is_return } };
	}
	m->pub.name = m->name;
	m->pub.places = m->places;
}

static void note_role(struct probes *p, const struct hv_probe *role, const char *function)
{
	char *name = probe_event_name(role->role, false);
	char *back = probe_event_name(role->role, true);

	note_made(p, name, role->role, function, false, false);
	if (role->with_return)
		note_made(p, back, role->role, function, true, false);
	free(name);
	free(back);
}

static int append(const struct probes *p, bool user, const char *text)
{
	return tfs_write(&p->tfs, true, text, "%s", events_file(user));
}

static char *join(char *text, char *more)
{
	char *both = xasprintf("%s%s\n", text, more);

	free(text);
	free(more);
	return both;
}

/* Puts another reason behind those that a role already has. */
static void refuse(struct wanted_role *w, const char *why)
{
	size_t used = strlen(w->refused);

	snprintf(w->refused + used, sizeof(w->refused) - used, "%s%s", used ? "; " : "", why);
}

/* The first function of a role that looks possible, or all; the lines that make them, joined. */
static char *choose(struct probes *p, struct wanted_role *w, char *text)
{
	const struct hv_probe *role = w->role;
	bool chosen = false;
	char why[256];

	for (size_t c = 0; c < HV_CANDIDATES && role->functions[c]; c++) {
		if (chosen && !role->every_candidate)
			break;
		w->works[c] = unique(p, role->functions[c], why, sizeof(why));
		if (!w->works[c]) {
			refuse(w, why);
			continue;
		}
		chosen = true;
		text = join(text, probes_line_role(p->group, role, role->functions[c], false));
		if (role->with_return)
			text = join(text,
				    probes_line_role(p->group, role, role->functions[c], true));
	}
	return text;
}

static bool make_roles_at_once(struct probes *p)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < p->n_roles; i++)
		text = choose(p, &p->roles[i], text);
	bool made = !*text || !append(p, false, text);

	free(text);
	return made;
}

/* One line to the kernel; otherwise why it was refused. */
static bool make_line(struct probes *p, bool user, const char *text, const char *place, char *why,
		      size_t size)
{
	int ret = append(p, user, text), caret;
	char message[128];

	if (!ret)
		return true;
	if (!tfs_error_log(&p->tfs, "", text, message, sizeof(message), &caret))
		snprintf(message, sizeof(message), "%s", strerror(-ret));
	snprintf(why, size, "%s: %s", place, message);
	return false;
}

/* A candidate is its entry and its return, or nothing. */
static bool make_candidate(struct probes *p, const struct hv_probe *role, const char *function,
			   char *why, size_t size)
{
	char *entry = probes_line_role(p->group, role, function, false);
	char *back = probes_line_role(p->group, role, function, true);
	bool ok = make_line(p, false, entry, function, why, size);

	if (ok && role->with_return && !make_line(p, false, back, function, why, size)) {
		/* Other functions may be behind the same event: only this place goes. */
		char *name = probe_event_name(role->role, false);
		char *only = xasprintf("-:%s/%s %s\n", p->group, name, function);

		append(p, false, only);
		free(only);
		free(name);
		ok = false;
	}
	free(entry);
	free(back);
	return ok;
}

static void make_roles_one_by_one(struct probes *p)
{
	char why[256];

	for (size_t i = 0; i < p->n_roles; i++) {
		struct wanted_role *w = &p->roles[i];
		bool done = false;

		w->refused[0] = '\0';
		for (size_t c = 0; c < HV_CANDIDATES && w->role->functions[c]; c++) {
			const char *function = w->role->functions[c];

			w->works[c] = false;
			if (done)
				continue;
			w->works[c] = unique(p, function, why, sizeof(why)) &&
				      make_candidate(p, w->role, function, why, sizeof(why));
			if (!w->works[c])
				refuse(w, why);
			else
				done = !w->role->every_candidate;
		}
	}
}

/* What works is an event of ours now; reasons stay only with roles that have none. */
static void note_roles(struct probes *p)
{
	for (size_t i = 0; i < p->n_roles; i++) {
		struct wanted_role *w = &p->roles[i];

		for (size_t c = 0; c < HV_CANDIDATES && w->role->functions[c]; c++) {
			if (!w->works[c])
				continue;
			note_role(p, w->role, w->role->functions[c]);
			w->refused[0] = '\0';
		}
	}
}

static void make_roles(struct probes *p)
{
	if (!make_roles_at_once(p)) {
		/* Lines before the refused one were made. */
		probes_remove_group(&p->tfs, p->group);
		make_roles_one_by_one(p);
	}
	note_roles(p);
}

/* "p:group/name place" or "r16:group/name place" is of the group: its event's name, cut out. */
static char *name_in_group(char *text, const char *group)
{
	char *name = strchr(text, ':');
	size_t len = strlen(group);

	if (!name || strncmp(name + 1, group, len) || name[len + 1] != '/')
		return NULL;
	name += len + 2;
	name[strcspn(name, " ")] = '\0';
	return name;
}

/* How many places the kernel has for our group: lines of a batch are made up to the refused one. */
static size_t count_group(const struct probes *p)
{
	char *text = tfs_read(&p->tfs, "kprobe_events");
	size_t n = 0;

	for (char *rest = text, *one; (one = strsep(&rest, "\n"));)
		n += name_in_group(one, p->group) != NULL;
	free(text);
	return n;
}

static int refuse_definition(struct probes *p, const struct probe_definition *d, int errnum,
			     struct error *err)
{
	char *text = probes_line(p->group, d);

	error_set(err, "the kernel refuses the probe on %s", d->place);
	tfs_refusal(err, &p->tfs, "", text, errnum);
	free(text);
	return -1;
}

/* All from the first on in one write: how many were made; *errnum when not all. */
static size_t make_batch(struct probes *p, const struct probe_definition *const *d, size_t n,
			 int *errnum)
{
	char *text = xstrdup("");
	size_t before = count_group(p);

	for (size_t i = 0; i < n; i++)
		text = join(text, probes_line(p->group, d[i]));
	*errnum = -append(p, false, text);
	free(text);
	return *errnum ? min(count_group(p) - before, n - 1) : n;
}

static void note_definition(struct probes *p, const struct probe_definition *d)
{
	note_made(p, d->name, NULL, d->place, d->type == 'r', d->user);
}

/* Kernel functions: batch after batch, each ends at one that the kernel refuses. */
static int make_batches(struct probes *p, const struct probe_definition *const *d, size_t n,
			struct error *err)
{
	for (size_t at = 0; at < n;) {
		int errnum;
		size_t made = make_batch(p, d + at, n - at, &errnum);

		for (size_t i = 0; i < made; i++)
			note_definition(p, d[at + i]);
		at += made;
		if (at < n && !d[at++]->optional)
			return refuse_definition(p, d[at - 1], errnum, err);
	}
	return 0;
}

static int make_kernel_definitions(struct probes *p, struct error *err)
{
	const struct probe_definition **possible = xcalloc(p->n_definitions + 1, sizeof(*possible));
	size_t n = 0;
	char why[256];
	int ret = 0;

	for (size_t i = 0; i < p->n_definitions && !ret; i++) {
		const struct probe_definition *d = p->definitions[i];

		if (d->user)
			continue;
		if (unique(p, d->place, why, sizeof(why)))
			possible[n++] = d;
		else if (!d->optional)
			ret = error_set(err, "no probe on %s is possible: %s", d->place, why);
	}
	if (!ret)
		ret = make_batches(p, possible, n, err);
	free(possible);
	return ret;
}

static int make_user_definitions(struct probes *p, struct error *err)
{
	for (size_t i = 0; i < p->n_definitions; i++) {
		const struct probe_definition *d = p->definitions[i];

		if (!d->user)
			continue;
		char *text = probes_line(p->group, d);
		int errnum = -append(p, true, text);

		free(text);
		if (!errnum)
			note_definition(p, d);
		else if (!d->optional)
			return refuse_definition(p, d, errnum, err);
	}
	return 0;
}

static int no_kprobes(struct probes *p, struct error *err)
{
	static const char none[] = "this kernel has no kprobes (CONFIG_KPROBE_EVENTS is off)";

	for (size_t i = 0; i < p->n_roles; i++)
		refuse(&p->roles[i], none);
	for (size_t i = 0; i < p->n_definitions; i++)
		if (!p->definitions[i]->user)
			return error_set(err, "%s: no probe on %s is possible", none,
					 p->definitions[i]->place);
	return 0;
}

static void want_symbols(struct probes *p)
{
	for (size_t i = 0; i < p->n_roles; i++)
		for (size_t c = 0; c < HV_CANDIDATES && p->roles[i].role->functions[c]; c++)
			want_symbol(p, p->roles[i].role->functions[c]);
	for (size_t i = 0; i < p->n_definitions; i++)
		if (!p->definitions[i]->user)
			want_symbol(p, p->definitions[i]->place);
	look_up_symbols(p);
}

int probes_create(struct probes *p, struct error *err)
{
	if (!tfs_exists(&p->tfs, "kprobe_events")) {
		if (no_kprobes(p, err))
			return -1;
	} else {
		want_symbols(p);
		make_roles(p);
		if (make_kernel_definitions(p, err))
			return -1;
	}
	return make_user_definitions(p, err);
}

/* Runs on the exit path too: it doesn't allocate. */
void probes_remove(struct probes *p)
{
	char text[512];

	for (size_t i = p->n_made; i-- > 0;) {
		struct made *m = &p->made[i];
		int n = snprintf(text, sizeof(text), "-:%s/%s\n", p->group, m->name);

		if (!m->gone && (size_t)n < sizeof(text))
			append(p, m->user, text);
		m->gone = true;
	}
}

void probes_free(struct probes *p)
{
	if (!p)
		return;
	probes_remove(p);
	for (size_t i = 0; i < p->n_made; i++) {
		free(p->made[i].name);
		free(p->made[i].places);
	}
	for (size_t i = 0; i < p->n_symbols; i++) {
		free(p->symbols[i].name);
		free(p->symbols[i].module);
	}
	free(p->made);
	free(p->symbols);
	free(p->roles);
	free(p->definitions);
	free(p->group);
	free(p);
}

static void remove_group(const struct tfs *t, const char *group, bool user)
{
	char *text = tfs_read(t, "%s", events_file(user)), remove[512];

	for (char *rest = text, *one; (one = strsep(&rest, "\n"));) {
		const char *name = name_in_group(one, group);

		if (!name)
			continue;
		int n = snprintf(remove, sizeof(remove), "-:%s/%s\n", group, name);

		if ((size_t)n < sizeof(remove))
			tfs_write(t, true, remove, "%s", events_file(user));
	}
	free(text);
}

void probes_remove_group(const struct tfs *t, const char *group)
{
	remove_group(t, group, false);
	remove_group(t, group, true);
}

size_t probes_count(const struct probes *p)
{
	return p->n_made;
}

const struct probe_event *probes_event(const struct probes *p, size_t i)
{
	return &p->made[i].pub;
}

const char *probes_refused(const struct probes *p, const char *role)
{
	for (size_t i = 0; i < p->n_roles; i++)
		if (!strcmp(p->roles[i].role->role, role))
			return p->roles[i].refused;
	return NULL;
}

bool probes_has(const struct probes *p, const char *role, bool is_return)
{
	char *name = probe_event_name(role, is_return);
	bool has = find_made(p, name);

	free(name);
	return has;
}

/*
 * A line of kprobe_profile is "  name hits missed", of uprobe_profile "  file name hits". Neither
 * tells the group, and others may have an event of the same name; but the lines stand in the order
 * of kprobe_events, which does. False when the two don't fit: somebody changed them meanwhile.
 */
static bool sum_profile(const struct probes *p, const struct made *m, char *events, char *profile,
			uint64_t *hits, uint64_t *missed)
{
	*hits = *missed = 0;
	for (char *one; (one = strsep(&events, "\n")) && *one;) {
		char *counts = strsep(&profile, "\n");
		char *slash = strchr(one, '/'), name[256];
		unsigned long long hit, miss = 0;

		if (!counts || !slash)
			return false;
		int n = m->user ? sscanf(counts, " %*s %255s %llu", name, &hit) :
				  sscanf(counts, " %255s %llu %llu", name, &hit, &miss);
		size_t len = strcspn(slash + 1, " ");

		if (n < 2 || strlen(name) != len || memcmp(name, slash + 1, len))
			return false;
		const char *ours = name_in_group(one, p->group);

		if (ours && !strcmp(ours, m->name)) {
			*hits += hit;
			*missed += miss;
		}
	}
	return true;
}

int probes_profile(struct probes *p, size_t i, uint64_t *hits, uint64_t *missed, struct error *err)
{
	const struct made *m = &p->made[i];
	bool fits = false;

	for (int tries = 0; tries < 5 && !fits; tries++) {
		char *events = tfs_read(&p->tfs, "%s", events_file(m->user));
		char *profile = tfs_read(&p->tfs, m->user ? "uprobe_profile" : "kprobe_profile");

		fits = events && profile && sum_profile(p, m, events, profile, hits, missed);
		free(events);
		free(profile);
	}
	return fits ? 0 : error_set(err, "hits and misses of the probe %s can't be read", m->name);
}
