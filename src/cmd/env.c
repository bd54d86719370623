// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers to analyses.
 */
#include "cmd/env.h"

#include <string.h>

/* Subjects' answers stand still in memory while the list of them grows. */
static struct subject_who *answer(struct env *env, uint32_t subject)
{
	if (subject >= env->n_known) {
		size_t n = (size_t)subject + subject / 2 + 64;

		env->known = xreallocarray(env->known, n, sizeof(*env->known));
		memset(env->known + env->n_known, 0, (n - env->n_known) * sizeof(*env->known));
		env->n_known = n;
	}
	if (!env->known[subject])
		env->known[subject] = xcalloc(1, sizeof(*env->known[subject]));
	return env->known[subject];
}

static struct who_thread find_thread(struct env *env, int32_t tid)
{
	struct who_thread thread;

	if (env->lock)
		pthread_mutex_lock(env->lock);
	thread = *who_thread(env->who, tid);
	if (env->lock)
		pthread_mutex_unlock(env->lock);
	return thread;
}

static const struct subject_who *env_who(void *ctx, uint32_t subject)
{
	struct env *env = ctx;
	struct subject_who *s = answer(env, subject);
	struct who_thread thread;
	uint32_t cpu;
	int32_t tid;

	*s = (struct subject_who){ .pid = -1, .vcpu = -1 };
	if (!env->subjects || !subjects_what(env->subjects, subject, &tid, &cpu)) {
		s->cpu = true;
		s->cpu_id = env->subjects ? cpu : subject;
		return s;
	}
	s->tid = tid;
	s->cpu_id = cpu;
	thread = find_thread(env, tid);
	s->pid = thread.pid;
	s->vcpu = thread.vcpu;
	s->comm = thread.comm;
	s->vm = thread.vm;
	return s;
}

static const char *env_reason_name(void *ctx, uint8_t space, uint64_t reason)
{
	struct env *env = ctx;

	return env->analysis.hv && env->binding ?
		       binding_reason_name(env->binding, env->analysis.hv, space, reason) :
		       NULL;
}

static const char *env_event(void *ctx, uint32_t slot)
{
	struct env *env = ctx;
	const struct event *event = env->events ? events_by_slot(env->events, slot) : NULL;

	return event ? event->label : binding_event_name(env->binding, slot);
}

static const char *env_string(void *ctx, uint64_t interned)
{
	struct env *env = ctx;

	return env->binding ? binding_string(env->binding, interned) : NULL;
}

static const char *env_block_device(void *ctx, uint32_t major, uint32_t minor, char *buf,
				    size_t size)
{
	const struct env *env = ctx;
	char target[4096];
	const char *base;

	if (path_readlink(&env->settings->root, target, sizeof(target), "/sys/dev/block/%u:%u",
			  major, minor) < 0)
		return NULL;
	base = strrchr(target, '/');
	snprintf(buf, size, "%s", base ? base + 1 : target);
	return buf;
}

/* --- Records --- */

static int env_field(void *ctx, uint32_t slot, const char *name, struct field *field,
		     struct error *err)
{
	struct env *env = ctx;
	const struct record_field *found = records_field(env->records, slot, name, err);

	if (!found)
		return -1;
	if (found->kind == RECORD_BYTES && found->item)
		return error_set(err, "%s: %s is an array, '%s': name an element of it, as %s[0]",
				 env_event(env, slot), name, found->type, name);
	if (found->kind == RECORD_BYTES)
		return error_set(err, "%s: %s is neither a number nor a text but '%s'",
				 env_event(env, slot), name, found->type);
	*field = (struct field){
		.handle = found,
		.text = found->kind == RECORD_TEXT,
		.is_signed = found->is_signed,
		.is_hex = found->is_hex,
		.size = found->size,
	};
	return 0;
}

static bool env_field_number(void *ctx, const struct field *field, const struct fact *f,
			     uint64_t *value)
{
	struct env *env = ctx;

	return records_number(env->records, field->handle, fact_record(f), fact_length(f), value);
}

static bool env_field_text(void *ctx, const struct field *field, const struct fact *f, char *text,
			   size_t room)
{
	struct env *env = ctx;

	return records_text(env->records, field->handle, fact_record(f), fact_length(f), text,
			    room);
}

static void env_print(void *ctx, const struct fact *f, char *text, size_t room)
{
	struct env *env = ctx;

	records_print(env->records, fact_slot(f), fact_record(f), fact_length(f), f->cpu, text,
		      room);
}

static unsigned int env_level(void *ctx, const struct fact *f)
{
	struct env *env = ctx;

	return records_level(env->records, fact_record(f), fact_length(f));
}

static size_t env_stack(void *ctx, const struct fact *f, uint64_t *addresses, size_t room)
{
	struct env *env = ctx;

	return records_stack(env->records, fact_slot(f), fact_record(f), fact_length(f), addresses,
			     room);
}

static const char *env_symbol(void *ctx, uint64_t address, const char **module, uint64_t *offset)
{
	struct env *env = ctx;
	struct ksym sym;

	if (!env->ksyms || !ksyms_find(env->ksyms, address, &sym))
		return NULL;
	*module = sym.module;
	*offset = sym.offset;
	return sym.name;
}

/* The event at a place among the user's that is the entry to this one's function; its slot. */
static uint32_t entry_slot(const struct events *events, const struct event *event)
{
	return event->entry < 0 ? FACT_NO_SLOT : (uint32_t)events->events[event->entry].slot;
}

void env_records(struct env *env, const struct events *events, int stack_slot)
{
	struct analysis_env *a = &env->analysis;

	env->events = events;
	env->records = records_new(env->binding);
	env->slots = xcalloc(events->n + 1, sizeof(*env->slots));
	env->entries = xcalloc(events->n + 1, sizeof(*env->entries));
	a->n_slots = 0;
	for (size_t i = 0; i < events->n; i++) {
		const struct event *event = &events->events[i];

		if (event->slot < 0 || event->is_entry)
			continue;
		env->slots[a->n_slots] = (uint32_t)event->slot;
		env->entries[a->n_slots++] = entry_slot(events, event);
	}
	a->slots = env->slots;
	a->entries = env->entries;
	a->stack_slot = stack_slot < 0 ? FACT_NO_SLOT : (uint32_t)stack_slot;
	a->field = env_field;
	a->field_number = env_field_number;
	a->field_text = env_field_text;
	a->print = env_print;
	a->level = env_level;
	a->stack = env_stack;
	a->symbol = env_symbol;
}

bool env_prints(const struct env *env)
{
	return env->records && env->analysis.n_slots && !env->analysis.format &&
	       env->settings->command.analysis->streams;
}

bool env_wants_symbols(const struct env *env)
{
	for (size_t i = 0; env_prints(env) && i < env->analysis.n_slots; i++)
		if (records_names_functions(env->records, env->slots[i]))
			return true;
	return env->analysis.stacks;
}

void env_texts(struct env *env, const char *lines, size_t len)
{
	records_texts(env->records, lines, len);
}

void env_symbols(struct env *env, struct ksyms *ksyms)
{
	env->ksyms = ksyms;
	if (ksyms && env_prints(env))
		records_functions(env->records, ksyms);
	if (ksyms && !ksyms_empty(ksyms))
		return;
	env->analysis.no_symbols = "The kernel hides the addresses of its functions "
				   "(kernel.kptr_restrict): stacks have no names.";
	if (env->settings->input)
		env->analysis.no_symbols =
			"The file has no list of kernel functions: stacks have no names.";
}

/* --- Selection --- */

/* -p PID, with --children those that it started, too. */
static bool is_of_process(const struct env *env, const struct subject_who *who)
{
	if (who->pid < 0)
		return false;
	return (uint64_t)who->pid == env->settings->pid ||
	       (env->family && family_has(env->family, who->pid, who->tid));
}

/*
 * A thread that was gone before it could be looked up is unknown. With -p or --vm the kernel gave
 * us only records of the asked-for processes and their children, so it is taken as one of them. Of
 * a process alone all threads are known where births are told: those that were there before, too.
 */
static bool env_selected(void *ctx, uint32_t subject, uint64_t vcpu)
{
	struct env *env = ctx;
	const struct settings *s = env->settings;
	const struct subject_who *who = env_who(env, subject);
	bool alone = env->births && s->pid && !env->family;
	bool gone = !s->input && who->pid < 0 && !alone;

	if (who->cpu)
		return !s->pid && !s->vm && s->vcpu == UINT64_MAX;
	if (s->pid && !gone && !is_of_process(env, who))
		return false;
	if (s->vm && !gone && (!who->vm || strcmp(who->vm, s->vm)))
		return false;
	if (vcpu == FACT_NO_VCPU && who->vcpu >= 0)
		vcpu = (uint64_t)who->vcpu;
	return s->vcpu == UINT64_MAX || vcpu == s->vcpu;
}

static bool env_cpu_selected(void *ctx, uint16_t cpu)
{
	struct env *env = ctx;

	return cpuset_has(&env->settings->cpus, cpu);
}

/* The keys in force, of those that the analysis has. */
static unsigned int choose_keys(const struct settings *settings, bool vm_known)
{
	const struct analysis *analysis = settings->command.analysis;

	if (settings->by)
		return settings->by;
	return vm_known ? analysis->by_live : analysis->by_file;
}

/* Of a file it must be known who its threads are, and the machine must be one of theirs. */
static int check_selection(const struct settings *s, const struct who *who, struct error *err)
{
	char others[400];

	if (!s->pid && !s->vm)
		return 0;
	if (!who_knows_vms(who))
		return error_set(err,
				 "%s doesn't say which process its threads belong to, so %s "
				 "can't select: say it by --vm-map FILE",
				 s->input, s->pid ? "-p" : "--vm");
	if (!s->input || !s->vm || who_has_vm(who, s->vm, others, sizeof(others)))
		return 0;
	return error_set(err, "%s has no virtual machine '%s'; %s%s", s->input, s->vm,
			 *others ? "there are " : "it names none", others);
}

int env_begin(struct env *env, const struct settings *settings, struct who *who, struct error *err)
{
	bool vm_known = who_knows_vms(who);

	if (check_selection(settings, who, err))
		return -1;
	*env = (struct env){ .settings = settings, .who = who };
	env->analysis = (struct analysis_env){
		.ctx = env,
		.who = env_who,
		.reason_name = env_reason_name,
		.event = env_event,
		.string = env_string,
		.by = choose_keys(settings, vm_known),
		.vm_known = vm_known,
		.times = true,
		.hist = settings->hist,
		.direct = settings->direct,
		.percentiles = settings->percentiles,
		.n_percentiles = settings->n_percentiles,
		.verbose = settings->verbose,
		.stack_slot = FACT_NO_SLOT,
		.expr = settings->expr,
		.format = settings->line_format,
		.linear = settings->linear,
		.stacks = settings->stack || settings->command.analysis->stacks,
		.limit = settings->limit,
		.timestamps = settings->timestamps,
	};
	if (!settings->input)
		env->analysis.block_device = env_block_device;
	if (settings->children && settings->pid <= INT32_MAX)
		env->family = family_new(&settings->root, (int32_t)settings->pid);
	if (settings->pid || settings->vm || settings->vcpu != UINT64_MAX)
		env->analysis.selected = env_selected;
	if (settings->has_cpus)
		env->analysis.cpu_selected = env_cpu_selected;
	return 0;
}

static void forget_subjects(struct env *env)
{
	for (size_t i = 0; i < env->n_known; i++)
		free(env->known[i]);
	free(env->known);
	env->known = NULL;
	env->n_known = 0;
}

void env_fork(struct env *to, const struct env *env, struct subjects *subjects,
	      pthread_mutex_t *lock, uint64_t begin)
{
	*to = *env;
	to->analysis.ctx = to;
	to->analysis.piece = true;
	to->analysis.piece_begin = begin;
	to->subjects = subjects;
	to->known = NULL;
	to->n_known = 0;
	to->lock = lock;
}

void env_fork_end(struct env *env)
{
	forget_subjects(env);
}

void env_end(struct env *env)
{
	forget_subjects(env);
	records_free(env->records);
	ksyms_free(env->ksyms);
	family_free(env->family);
	free(env->slots);
	free(env->entries);
	env->records = NULL;
	env->ksyms = NULL;
	env->family = NULL;
	env->slots = env->entries = NULL;
}

void env_told(struct env *env, const struct fact *f)
{
	int32_t tid, maker;
	char name[FACT_NAME_SIZE];
	uint32_t cpu;

	if (!subjects_what(env->subjects, f->subject, &tid, &cpu))
		return;
	if (f->kind == FACT_THREAD_NAME) {
		fact_name(f, name);
		who_named(env->who, tid, name);
		return;
	}
	maker = (int32_t)f->a;
	if (f->aux == BORN_THREAD)
		who_born(env->who, tid, who_thread(env->who, maker)->pid);
	else
		who_born(env->who, tid, tid);
	if (env->family && f->aux == BORN_PROCESS)
		family_born(env->family, tid, who_thread(env->who, maker)->pid, maker);
}

void env_forget(struct env *env, const struct fact *facts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t cpu;
		int32_t tid;

		if (likely(facts[i].kind != FACT_THREAD_END))
			continue;
		/* its last switch is still to come, and /proc doesn't know it any more */
		if (env->follows && facts[i].aux != END_NUMBER)
			continue;
		if (!subjects_what(env->subjects, facts[i].subject, &tid, &cpu))
			continue;
		who_ended(env->who, tid);
		if (env->family)
			family_ended(env->family, tid);
	}
}
