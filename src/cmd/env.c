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

static const struct subject_who *env_who(void *ctx, uint32_t subject)
{
	struct env *env = ctx;
	struct subject_who *s = answer(env, subject);
	const struct who_thread *thread;
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
	thread = who_thread(env->who, tid);
	s->pid = thread->pid;
	s->vcpu = thread->vcpu;
	s->comm = thread->comm;
	s->vm = thread->vm;
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

/*
 * A thread that was gone before it could be looked up is unknown. With -p or --vm the kernel gave
 * us only records of the asked-for processes and their children, so it is taken as one of them.
 */
static bool env_selected(void *ctx, uint32_t subject, uint64_t vcpu)
{
	struct env *env = ctx;
	const struct settings *s = env->settings;
	const struct subject_who *who = env_who(env, subject);
	bool gone = !s->input && who->pid < 0;

	if (who->cpu)
		return !s->pid && !s->vm && s->vcpu == UINT64_MAX;
	if (s->pid && !gone && (who->pid < 0 || (uint64_t)who->pid != s->pid))
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

int env_begin(struct env *env, const struct settings *settings, struct who *who, struct error *err)
{
	bool vm_known = who_knows_vms(who);

	if ((settings->pid || settings->vm) && !vm_known)
		return error_set(err,
				 "%s doesn't say which process its threads belong to, so %s "
				 "can't select: say it by --vm-map FILE",
				 settings->input, settings->pid ? "-p" : "--vm");
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
		.percentiles = settings->percentiles,
		.n_percentiles = settings->n_percentiles,
		.verbose = settings->verbose,
	};
	if (settings->pid || settings->vm || settings->vcpu != UINT64_MAX)
		env->analysis.selected = env_selected;
	if (settings->has_cpus)
		env->analysis.cpu_selected = env_cpu_selected;
	return 0;
}

void env_end(struct env *env)
{
	for (size_t i = 0; i < env->n_known; i++)
		free(env->known[i]);
	free(env->known);
	env->known = NULL;
	env->n_known = 0;
}

void env_forget(struct env *env, const struct fact *facts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t cpu;
		int32_t tid;

		if (likely(facts[i].kind != FACT_THREAD_END))
			continue;
		if (subjects_what(env->subjects, facts[i].subject, &tid, &cpu))
			who_ended(env->who, tid);
	}
}
