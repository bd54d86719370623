// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VM exits: which ones each guest takes, how many, and how long their handling lasts. Handling is
 * the span from an exit to the same thread's next entry.
 *
 * A counted exit ends as exactly one of
 *	timed		its entry came,
 *	discarded	its entry came, but some CPU lost records meanwhile (or clocks disagree),
 *	unpaired	another exit of the thread came first,
 *	open		neither came until the end, or the thread ended,
 * so exits = timed + discarded + unpaired + open in every bin. An entry without an exit is nothing.
 * What an exit counts for is settled when it happens: its bin, its CPU, its thread's selection.
 *
 * Of a file that is read in pieces, each piece notes what came first of each thread: that settles
 * an exit which is pending from pieces before it.
 */
#include "analysis/analysis.h"

#include <string.h>

#include "analysis/bins.h"
#include "analysis/losses.h"
#include "base/dist.h"
#include "base/hash.h"
#include "base/util.h"
#include "hv/hypervisor.h"

struct exit_bin {
	struct bin bin;
	uint64_t exits;
	uint64_t discarded;
	struct dist handling; /* of the timed ones */
	uint64_t unpaired;
	uint32_t ended; /* open ones whose thread ended since the last report */
	uint32_t open;	/* for a report: these and the pending ones */
};

/* One per subject, so of threads mostly: less than a cache line. */
struct thread {
	uint64_t since; /* of the pending exit */
	struct exit_bin *pending;
	uint64_t vcpu;
	struct bin_cache *cache; /* where its exits' bins are looked for first */
	uint32_t owner;	 /* 0: not met yet */
	bool unselected; /* its exits don't count */
	bool doomed;	 /* a loss lies behind the pending exit already */
	bool noted;	 /* in a piece: its seam knows what came first */
};

/* A thread at both ends of a piece. */
struct seam {
	uint8_t first; /* kind of its first fact; FACT_NONE: there was none */
	bool counted;  /* before its end, if it ended, it took an exit that made it a vCPU */
	bool ended;
	bool known;    /* it took an exit since */
	bool doomed;
	uint64_t time; /* of its first fact */
	const char *vm;
	struct exit_bin *pending;
	uint64_t since;
};

struct exits {
	const struct analysis_env *env;
	struct bins *bins;
	struct bin_mask mask;
	bool some_cpus; /* -C: whether an exit counts depends on its CPU */
	struct bin_cache nothing; /* of threads whose exits don't count, or not all of them */
	struct thread *threads; /* by subject */
	size_t n_threads;
	struct losses losses;
	uint64_t now; /* no later fact is older */
	struct exit_bin unselected; /* where exits go that don't count */
	uint64_t negative; /* intervals that ended before they began */
	uint64_t vcpus; /* threads that took an exit */
	uint64_t *away; /* bits by thread id: counted, and forgotten since; NULL: none was */
	struct strhash vms;
	struct hash seams;   /* of a piece, or of the joined ones: thread → struct seam */
	uint64_t lost_from;  /* where the first loss begins that ends in the piece or behind it */
	bool unsure;	     /* whose exits these are was told before the piece */
	struct seam spilt;   /* of all threads that are too many */
};

static void *exits_new(const struct analysis_env *env, struct error *err)
{
	struct exits *x = xcalloc(1, sizeof(*x));

	(void)err;
	x->env = env;
	x->bins = bins_new(env, sizeof(struct exit_bin), KEY_REASON);
	x->mask = bins_mask(x->bins);
	x->some_cpus = env->cpu_selected;
	x->lost_from = UINT64_MAX;
	return x;
}

static void release_bin(struct bin *bin)
{
	dist_free(&((struct exit_bin *)bin)->handling);
}

static void exits_free(void *state)
{
	struct exits *x = state;

	if (!x)
		return;
	bins_free(x->bins, release_bin);
	release_bin(&x->unselected.bin);
	losses_free(&x->losses);
	strhash_free(&x->vms);
	hash_each(&x->seams, entry)
		free(entry->value.p);
	hash_free(&x->seams);
	free(x->away);
	free(x->threads);
	free(x);
}

static void grow_threads(struct exits *x, uint32_t subject)
{
	size_t n = max((size_t)64, (size_t)subject + subject / 2 + 1);

	x->threads = xreallocarray(x->threads, n, sizeof(*x->threads));
	memset(x->threads + x->n_threads, 0, (n - x->n_threads) * sizeof(*x->threads));
	x->n_threads = n;
}

static inline struct thread *thread_of(struct exits *x, uint32_t subject)
{
	if (unlikely(subject >= x->n_threads))
		grow_threads(x, subject);
	return &x->threads[subject];
}

/* Thread ids that Linux gives out are below 2^22. */
enum { AWAY_BITS = 1 << 22 };

static uint64_t *away_word(struct exits *x, uint32_t subject, uint64_t *bit)
{
	uint32_t tid = (uint32_t)x->env->who(x->env->ctx, subject)->tid;

	*bit = UINT64_C(1) << tid % 64;
	return tid < AWAY_BITS ? &x->away[tid / 64] : NULL;
}

/* Whether the thread is counted already: there were too many to know all of them meanwhile. */
static bool was_away(struct exits *x, uint32_t subject)
{
	uint64_t bit, *word = x->away ? away_word(x, subject, &bit) : NULL;
	bool was = word && *word & bit;

	if (was)
		*word &= ~bit;
	return was;
}

static void goes_away(struct exits *x, uint32_t subject)
{
	uint64_t bit, *word;

	if (!x->away)
		x->away = xcalloc(AWAY_BITS / 64, sizeof(*x->away));
	word = away_word(x, subject, &bit);
	if (word)
		*word |= bit;
}

static struct seam *seam_of(struct hash *seams, uint64_t thread)
{
	union hash_value *value = hash_insert(seams, thread, NULL);

	if (!value->p)
		value->p = xcalloc(1, sizeof(struct seam));
	return value->p;
}

/* A subject as all pieces know it, whose numbers of subjects differ. */
static uint64_t thread_key(const struct exits *x, uint32_t subject)
{
	const struct subject_who *who = x->env->who(x->env->ctx, subject);

	if (who->cpu)
		return UINT64_C(2) << 32 | who->cpu_id;
	return who->tid ? (uint32_t)who->tid : UINT64_C(1) << 32 | who->cpu_id;
}

/*
 * In a piece: a fact that may be the thread's first. Where threads are too many to know all of them
 * the file has to be read as a whole.
 */
static struct seam *note(struct exits *x, const struct fact *f)
{
	struct seam *seam;

	if (x->seams.nr >= THREADS_KEPT) {
		x->unsure = true;
		return &x->spilt;
	}
	seam = seam_of(&x->seams, thread_key(x, f->subject));
	if (!seam->first) {
		seam->first = f->kind;
		seam->time = f->time;
	}
	return seam;
}

static void count_vcpu(struct exits *x, const char *vm)
{
	x->vcpus++;
	if (vm)
		strhash_insert(&x->vms, vm, NULL);
}

/* A thread takes its first exit. In a piece it may have taken others before that. */
static void count_thread(struct exits *x, const struct thread *t, const struct fact *f)
{
	const struct analysis_env *env = x->env;
	struct seam *seam = env->piece ? note(x, f) : NULL;
	const char *vm;

	if (t->unselected || (!seam && was_away(x, f->subject)))
		return;
	vm = env->who(env->ctx, f->subject)->vm;
	if (!seam || seam->ended) {
		count_vcpu(x, vm);
		return;
	}
	seam->counted = true;
	seam->vm = vm;
}

/* The thread is new, or its vCPU is known better now: decides who its exits belong to. */
static void meet(struct exits *x, struct thread *t, const struct fact *f)
{
	const struct analysis_env *env = x->env;
	bool is_new = !t->owner;

	/* an entry before the piece may have told */
	x->unsure |= is_new && f->b == FACT_NO_VCPU &&
		     (env->selected || env->by & KEY_BIT(KEY_VCPU));
	if (!is_new && f->b == FACT_NO_VCPU)
		return;
	t->vcpu = f->b;
	t->owner = bins_owner(x->bins, f->subject, f->b);
	t->unselected = env->selected && !env->selected(env->ctx, f->subject, f->b);
	t->cache = x->some_cpus || t->unselected ? &x->nothing : bins_cache(x->bins, t->owner);
	if (is_new)
		count_thread(x, t, f);
}

/* The bin of an exit that the thread didn't take before, or that may not count. */
static struct exit_bin *find_bin(struct exits *x, struct thread *t, const struct fact *f)
{
	const struct analysis_env *env = x->env;
	struct bin *bin;

	if (t->unselected || (env->cpu_selected && !env->cpu_selected(env->ctx, f->cpu)))
		return &x->unselected;
	bin = bins_get(x->bins, t->owner, f->cpu, f->aux, f->a);
	if (t->cache != &x->nothing)
		bin_cache_add(t->cache, bin);
	return (struct exit_bin *)bin;
}

static inline void on_exit_fact(struct exits *x, const struct fact *f)
{
	struct thread *t = thread_of(x, f->subject);
	struct exit_bin *bin;

	if (unlikely(!t->owner || f->b != t->vcpu))
		meet(x, t, f);
	if (unlikely(t->pending))
		t->pending->unpaired++;
	bin = (struct exit_bin *)bin_cached(t->cache, &x->mask, f->cpu, f->aux, f->a);
	if (unlikely(!bin))
		bin = find_bin(x, t, f);
	bin->exits++;
	t->pending = bin;
	t->since = f->time;
	t->doomed = false;
}

/* An entry without an exit: nothing, but in a piece the exit may be in another one. */
static void on_lone_entry(struct exits *x, struct thread *t, const struct fact *f)
{
	if (!x->env->piece || t->noted || t->owner)
		return;
	note(x, f);
	t->noted = true;
}

static inline void on_entry_fact(struct exits *x, const struct fact *f)
{
	struct thread *t = thread_of(x, f->subject);
	struct exit_bin *bin = t->pending;

	/* Kernels whose exits don't tell the vCPU: the entry does, for the exits to come. */
	if (unlikely(f->b != t->vcpu && f->b != FACT_NO_VCPU && t->owner))
		meet(x, t, f);
	if (unlikely(!bin)) {
		on_lone_entry(x, t, f);
		return;
	}
	t->pending = NULL;
	if (unlikely(f->time < t->since)) {
		bin->discarded++;
		x->negative++;
	} else if (unlikely(t->doomed || losses_meet(&x->losses, t->since, f->time))) {
		bin->discarded++;
	} else {
		dist_add(&bin->handling, f->time - t->since);
	}
}

/* What comes is another thread's, or this one's as if it were. */
static void on_thread_end(struct exits *x, const struct fact *f)
{
	struct thread *t = thread_of(x, f->subject);

	if (x->env->piece && f->aux == END_THREAD)
		note(x, f)->ended = true;
	else if (f->aux == END_THREAD)
		was_away(x, f->subject);
	else if (!x->env->piece && t->owner && !t->unselected)
		goes_away(x, f->subject);
	if (t->pending)
		t->pending->ended++;
	*t = (struct thread){ 0 };
}

static inline void on_fact(struct exits *x, const struct fact *f)
{
	if (f->kind == FACT_EXIT)
		on_exit_fact(x, f);
	else if (f->kind == FACT_ENTRY)
		on_entry_fact(x, f);
	else if (f->kind == FACT_THREAD_END)
		on_thread_end(x, f);
}

/* The last 8 bytes of a fact of the same subject on the same CPU, but for aux. */
static uint64_t meta_like(const struct fact *f, enum fact_kind kind)
{
	return (uint64_t)f->subject << META_SUBJECT | (uint64_t)f->cpu << META_CPU |
	       (uint64_t)kind << META_KIND;
}

/* Whether a fact tells no other vCPU than is known. */
static bool same_vcpu(const struct thread *t, const struct fact *f)
{
	return f->b == t->vcpu || f->b == FACT_NO_VCPU;
}

/*
 * Most exits are followed by their entry at once. While a thread does nothing else, nothing of it
 * changes, and of all that on_fact() does for such a pair only the counting in its bin is left:
 * that is done here, at half the cost. f is followed by another fact. Returns the first one that
 * has to go the other way. Not inline, so that all that stays the same is kept in registers.
 */
static __attribute__((noinline)) const struct fact *feed_pairs(struct exits *x,
							       const struct fact *f,
							       const struct fact *end)
{
	const uint64_t exit = meta_like(f, FACT_EXIT), entry = meta_like(f, FACT_ENTRY);
	const uint64_t exit_vcpu = f[0].b, entry_vcpu = f[1].b, lost_to = x->losses.to;
	const struct thread *t = thread_of(x, f->subject);
	const struct bin_cache cache = t->owner ? *t->cache : x->nothing;
	const struct bin_mask mask = x->mask;
	const uint16_t cpu = f->cpu;
	struct exit_bin *bin;

	if (!cache.slots || t->pending || !same_vcpu(t, &f[0]) || !same_vcpu(t, &f[1]))
		return f;
	for (; f + 1 < end; f += 2) {
		if (unlikely((fact_meta(f) & ~META_AUX_BITS) != exit || fact_meta(f + 1) != entry ||
			     f[0].b != exit_vcpu || f[1].b != entry_vcpu ||
			     f[1].time < f[0].time || f[0].time < lost_to))
			break;
		bin = (struct exit_bin *)bin_cached(&cache, &mask, cpu, f->aux, f->a);
		if (unlikely(!bin))
			break;
		bin->exits++;
		dist_add(&bin->handling, f[1].time - f[0].time);
	}
	return f;
}

static void feed_all(struct exits *x, const struct fact *f, const struct fact *end)
{
	while (f < end) {
		if (f + 1 < end && f->kind == FACT_EXIT)
			f = feed_pairs(x, f, end);
		if (f < end)
			on_fact(x, f++);
	}
}

/*
 * With thousands of threads nothing of a thread is in the processor's caches when its turn comes,
 * and the time of a fact is that of a handful of loads from memory, each of which needs the one
 * before. The facts that come are known, so all these loads are begun some facts ahead, one step of
 * the way at each distance; by then the step before has arrived.
 */
enum { AHEAD_THREAD = 104, AHEAD_CACHE = 80, AHEAD_SLOT = 56, AHEAD_BIN = 32, AHEAD_COUNTER = 10 };

/* Where the search for an exit's bin begins; NULL for other facts and unknown threads. */
static inline struct bin *const *slot_ahead(const struct exits *x, const struct fact *f)
{
	const struct bin_cache *cache;

	if (f->kind != FACT_EXIT || f->subject >= x->n_threads)
		return NULL;
	cache = x->threads[f->subject].cache;
	return cache && cache->slots ? bin_cache_place(cache, &x->mask, f) : NULL;
}

/* The bin that a fact will count in. An exit's is a guess: to verify it, it had to be loaded. */
static inline const struct exit_bin *bin_ahead(const struct exits *x, const struct fact *f)
{
	struct bin *const *slot = slot_ahead(x, f);

	if (slot)
		return (const struct exit_bin *)*slot;
	return f->kind == FACT_ENTRY && f->subject < x->n_threads ?
		       x->threads[f->subject].pending : NULL;
}

/* The counter of an entry's duration: its exit is the fact before it, or pending already. */
static inline const void *counter_ahead(const struct exits *x, const struct fact *f)
{
	bool both = f[-1].subject == f->subject;
	const struct exit_bin *bin = bin_ahead(x, both ? f - 1 : f);
	uint64_t since;

	if (f->kind != FACT_ENTRY || !bin)
		return NULL;
	since = both ? f[-1].time : x->threads[f->subject].since;
	return histogram_place(&bin->handling.histogram, f->time - since);
}

/*
 * Inline always: gcc 12 takes a function that does nothing but prefetch for one without effect, and
 * drops the call. A prefetch of NULL does nothing.
 */
static inline __attribute__((always_inline)) void look_ahead(const struct exits *x,
							     const struct fact *f)
{
	const struct exit_bin *bin = bin_ahead(x, f + AHEAD_BIN);

	__builtin_prefetch(&x->threads[f[AHEAD_THREAD].subject], 1);
	if (f[AHEAD_CACHE].subject < x->n_threads)
		__builtin_prefetch(x->threads[f[AHEAD_CACHE].subject].cache);
	__builtin_prefetch(slot_ahead(x, f + AHEAD_SLOT));
	__builtin_prefetch(bin, 1);
	if (bin)
		__builtin_prefetch(&bin->handling.histogram, 1);
	__builtin_prefetch(counter_ahead(x, f + AHEAD_COUNTER), 1);
}

/* How many bins are too many for the caches nearest to the processor; facts between two looks. */
enum { MANY_BINS = 4096, BLOCK = 16 };

static void exits_feed(void *state, const struct fact *facts, size_t n)
{
	const struct fact *f = facts, *end = facts + n;
	struct exits *x = state;

	if (bins_count(x->bins) > MANY_BINS)
		for (; f + AHEAD_THREAD + BLOCK < end; f += BLOCK) {
			for (int i = 0; i < BLOCK; i++)
				look_ahead(x, f + i);
			feed_all(x, f, f + BLOCK);
		}
	feed_all(x, f, end);
	if (n)
		x->now = max(x->now, facts[n - 1].time);
}

static bool exits_holds(const void *state, uint32_t subject)
{
	const struct exits *x = state;

	return subject < x->n_threads && x->threads[subject].pending &&
	       x->threads[subject].pending != &x->unselected;
}

/*
 * What is fed from now on is no older than x->now. So a pending exit that a loss has met by then
 * can only be discarded, and a loss that has ended by then can only have met those: it need not
 * be kept, however long a guest sleeps.
 */
static void exits_lost(void *state, const struct loss *losses, size_t n)
{
	struct exits *x = state;

	for (size_t i = 0; x->losses.n && i < x->n_threads; i++) {
		struct thread *t = &x->threads[i];

		if (t->pending && losses_meet(&x->losses, t->since, x->now))
			t->doomed = true;
	}
	losses_forget(&x->losses, x->now);
	losses_add(&x->losses, losses, n);
	for (size_t i = 0; x->env->piece && i < n; i++)
		if (losses[i].from <= losses[i].to && losses[i].to >= x->env->piece_begin)
			x->lost_from = min(x->lost_from, losses[i].from);
}

/* --- Joining --- */

/* What the piece's threads leave behind. A loss that ends behind their exit begins in the piece. */
static void end_piece(struct exits *x)
{
	for (size_t i = 0; i < x->n_threads; i++) {
		const struct thread *t = &x->threads[i];
		struct seam *seam;

		if (!t->owner)
			continue;
		seam = seam_of(&x->seams, thread_key(x, (uint32_t)i));
		seam->known = true;
		seam->pending = t->pending;
		seam->since = t->since;
		seam->doomed = t->pending && (t->doomed || losses_meet(&x->losses, t->since,
								       UINT64_MAX));
	}
}

static struct exit_bin *twin(struct exits *x, const uint32_t *owners, struct exits *next,
			     struct exit_bin *bin)
{
	if (!bin || bin == &next->unselected)
		return bin ? &x->unselected : NULL;
	return (struct exit_bin *)bins_twin(x->bins, owners, &bin->bin);
}

static void join_bins(struct exits *x, const uint32_t *owners, struct exits *next)
{
	for (size_t i = 0; i < bins_count(next->bins); i++) {
		struct exit_bin *from = (struct exit_bin *)bins_at(next->bins, i);
		struct exit_bin *to = twin(x, owners, next, from);

		to->exits += from->exits;
		to->discarded += from->discarded;
		to->unpaired += from->unpaired;
		to->ended += from->ended;
		dist_merge(&to->handling, &from->handling);
	}
}

/* The exit that is pending from pieces before meets what comes first of its thread. */
static void settle(struct seam *to, const struct seam *from, uint64_t lost_from)
{
	struct exit_bin *bin = to->pending;

	to->pending = NULL;
	if (from->first == FACT_EXIT)
		bin->unpaired++;
	else if (from->first == FACT_THREAD_END)
		bin->ended++;
	else if (to->doomed || lost_from < from->time)
		bin->discarded++;
	else
		dist_add(&bin->handling, from->time - to->since);
}

static void join_seam(struct exits *x, struct seam *to, const struct seam *from, uint64_t lost_from)
{
	if (to->pending && from->first)
		settle(to, from, lost_from);
	if (!to->known && from->counted)
		count_vcpu(x, from->vm);
	if (from->ended)
		*to = (struct seam){ 0 };
	if (!from->known)
		return;
	to->known = true;
	to->since = from->since;
	to->doomed = from->doomed;
}

static bool exits_join(void *state, void *following)
{
	struct exits *x = state, *next = following;
	uint32_t *owners;

	if (next->unsure)
		return false;
	end_piece(next);
	owners = bins_adopt(x->bins, next->bins);
	join_bins(x, owners, next);
	hash_each(&next->seams, entry) {
		const struct seam *from = entry->value.p;
		struct seam *to = seam_of(&x->seams, entry->key);

		join_seam(x, to, from, next->lost_from);
		if (from->pending)
			to->pending = twin(x, owners, next, from->pending);
	}
	/* those of which nothing came in this piece too: what it lost may be theirs */
	hash_each(&x->seams, entry)
		if (!hash_find(&next->seams, entry->key))
			((struct seam *)entry->value.p)->doomed |= next->lost_from != UINT64_MAX;
	free(owners);
	strhash_each(&next->vms, entry)
		strhash_insert(&x->vms, entry->key, NULL);
	x->vcpus += next->vcpus;
	x->negative += next->negative;
	return x->seams.nr <= THREADS_KEPT;
}

enum {
	REASON = BIN_COLUMNS,
	CODE,
	IDLE,
	EXITS,
	RATE,
	TIMED,
	DISCARDED,
	UNPAIRED,
	OPEN,
	SHARE,
	TOTAL,
	TIME_SHARE,
	MIN,
	MEAN,
	STDDEV,
	PERCENTILE,
	MAX,
	HIST,
	COLUMNS
};

static const struct column columns[COLUMNS] = {
	BIN_COLUMN_DEFS,
	[REASON] = { .key = "reason", .title = "REASON", .type = COLUMN_TEXT,
		     .flags = COLUMN_LABEL, .help = "Exit reason, by its name in the kernel" },
	[CODE] = { .key = "code", .title = "CODE", .type = COLUMN_HEX,
		   .flags = COLUMN_LABEL | COLUMN_WIDE, .help = "Exit reason, as it was recorded" },
	[IDLE] = { .key = "idle", .title = "IDLE", .type = COLUMN_BOOL, .flags = COLUMN_WIDE,
		   .help = "Whether the guest gave up the CPU" },
	[EXITS] = { .key = "exits", .title = "EXITS", .type = COLUMN_COUNT, .metric = "exits",
		    .help = "VM exits" },
	[RATE] = { .key = "rate", .title = "RATE", .type = COLUMN_RATE,
		   .derive = DERIVE_RATE, .of = "exits", .help = "VM exits per second" },
	[TIMED] = { .key = "timed", .title = "TIMED", .type = COLUMN_COUNT, .flags = COLUMN_WIDE,
		    .metric = "exits_timed", .help = "VM exits whose handling was timed" },
	[DISCARDED] = { .key = "discarded", .title = "DISC", .type = COLUMN_COUNT,
			.flags = COLUMN_WHEN_ANY, .metric = "exits_discarded",
			.help = "VM exits whose handling may have met a loss of records" },
	[UNPAIRED] = { .key = "unpaired", .title = "UNPAIRED", .type = COLUMN_COUNT,
		       .flags = COLUMN_WIDE, .metric = "exits_unpaired",
		       .help = "VM exits that another exit of the thread followed" },
	[OPEN] = { .key = "open", .title = "OPEN", .type = COLUMN_COUNT,
		   .flags = COLUMN_WIDE | COLUMN_GAUGE | COLUMN_SUM, .metric = "exits_open",
		   .help = "VM exits in handling at the end" },
	[SHARE] = { .key = "share", .title = "SHARE", .type = COLUMN_RATIO,
		    .derive = DERIVE_SHARE, .of = "exits", .help = "Share of all exits" },
	[TOTAL] = { .key = "total_ns", .title = "TOTAL", .type = COLUMN_NS, .flags = COLUMN_WIDE,
		    .derive = DERIVE_SUM, .metric = "exit_handling",
		    .help = "Time spent in handling" },
	[TIME_SHARE] = { .key = "time_share", .title = "TIME SHARE", .type = COLUMN_RATIO,
			 .flags = COLUMN_NOT_LAST, .derive = DERIVE_SHARE, .of = "total_ns",
			 .help = "Share of all handling time but that of idle reasons" },
	[MIN] = { .key = "min_ns", .title = "MIN", .type = COLUMN_NS,
		  .flags = COLUMN_WIDE | COLUMN_GAUGE, .derive = DERIVE_MIN,
		  .metric = "exit_handling_min", .help = "Shortest handling" },
	[MEAN] = { .key = "mean_ns", .title = "MEAN", .type = COLUMN_NS, .flags = COLUMN_GAUGE,
		   .derive = DERIVE_MEAN, .help = "Mean handling time" },
	[STDDEV] = { .key = "stddev_ns", .title = "STDDEV", .type = COLUMN_NS,
		     .flags = COLUMN_WIDE | COLUMN_GAUGE, .derive = DERIVE_STDDEV,
		     .help = "Standard deviation of the handling time" },
	[PERCENTILE] = { .key = "p%_ns", .title = "P%", .type = COLUMN_NS,
			 .flags = COLUMN_GAUGE, .derive = DERIVE_PERCENTILE,
			 .help = "Percentile of the handling time" },
	[MAX] = { .key = "max_ns", .title = "MAX", .type = COLUMN_NS, .flags = COLUMN_GAUGE,
		  .derive = DERIVE_MAX, .metric = "exit_handling_max",
		  .help = "Longest handling" },
	[HIST] = { .key = "hist", .title = "HISTOGRAM", .type = COLUMN_HISTOGRAM,
		   .derive = DERIVE_HISTOGRAM, .metric = "exit_handling_duration",
		   .help = "Handling time" },
};

/* Of the default percentiles, tables leave the middle one to -v: a row has to fit a line. */
static uint32_t wide_percentile(const struct analysis_env *env)
{
	static const uint32_t usual[] = { 500000, 900000, 990000 };
	bool same = env->n_percentiles == ARRAY_SIZE(usual);

	for (size_t i = 0; same && i < ARRAY_SIZE(usual); i++)
		same = env->percentiles[i] == usual[i];
	return same ? usual[1] : 0;
}

static struct table *new_table(const struct exits *x, struct report *report)
{
	const struct analysis_env *env = x->env;
	bool reasons = env->by & KEY_BIT(KEY_REASON);
	unsigned int show[COLUMNS], n = bins_show(x->bins, show);

	for (unsigned int i = reasons ? REASON : EXITS; i < COLUMNS; i++)
		show[n++] = i;
	return table_new(report, &(struct table_layout){
		.name = "exits",
		.title = "VM exits and the time of their handling",
		.columns = columns, .nr_columns = COLUMNS,
		.show = show, .nr_show = n,
		.percentiles = env->percentiles, .nr_percentiles = env->n_percentiles,
		.wide_ppm = wide_percentile(env),
		.histograms = env->hist,
		.sort = env->times ? "total_ns" : "exits",
	});
}

static void name_reason(const struct exits *x, const struct bin *bin, struct row *row)
{
	const struct analysis_env *env = x->env;
	const char *name = env->reason_name(env->ctx, bin_space(bin), bin->value);
	bool idle = hypervisor_idle(env->hv, bin_space(bin), bin->value);
	char code[64];

	hypervisor_code(env->hv, bin_space(bin), bin->value, code, sizeof(code));
	row_text(row, REASON, name ? name : code);
	row_text(row, CODE, code);
	row_bool(row, IDLE, idle);
	if (idle)
		row->flags |= ROW_LAST;
}

static void add_row(struct exits *x, struct table *table, struct exit_bin *bin)
{
	struct row *row = table_row(table);

	bins_label(x->bins, &bin->bin, row);
	if (x->env->by & KEY_BIT(KEY_REASON))
		name_reason(x, &bin->bin, row);
	row_count(row, EXITS, bin->exits);
	row_count(row, TIMED, bin->handling.count);
	row_count(row, DISCARDED, bin->discarded);
	row_count(row, UNPAIRED, bin->unpaired);
	row_count(row, OPEN, bin->open);
	if (x->env->times)
		row_lend(row, 0, &bin->handling);
}

/* Pending exits, and those that the end of their thread left open since the last report. */
static void count_open(struct exits *x)
{
	for (size_t i = 0; i < bins_count(x->bins); i++) {
		struct exit_bin *bin = (struct exit_bin *)bins_at(x->bins, i);

		bin->open = bin->ended;
		bin->ended = 0;
	}
	for (size_t i = 0; i < x->n_threads; i++)
		if (x->threads[i].pending)
			x->threads[i].pending->open++;
	hash_each(&x->seams, entry) {
		const struct seam *seam = entry->value.p;

		if (seam->pending)
			seam->pending->open++;
	}
}

static void add_notes(const struct exits *x, struct report *report)
{
	if (!bins_count(x->bins) && x->env->beside)
		report_note(report,
			    "No VM exits were seen, though guests run: this hypervisor emulates "
			    "them and tells no exits. Events that it does tell: %s.",
			    x->env->beside);
	else if (!bins_count(x->bins))
		report_note(report, "No VM exits were seen: no guest ran, or none that was asked "
				    "for, or this hypervisor emulates its guests and tells none.");
	if (x->negative)
		report_note(report, "%llu intervals ended before they began and were discarded: "
				    "the clocks of the CPUs differ.",
			    (unsigned long long)x->negative);
	if (x->env->cpu_clocks && x->env->verbose)
		report_note(report, "Each CPU has a clock of its own here: an interval that begins "
				    "and ends on different CPUs may be wrong by their difference.");
}

static void exits_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct exits *x = state;
	struct table *table = new_table(x, report);

	(void)now;
	(void)last;
	count_open(x);
	for (size_t i = 0; i < bins_count(x->bins); i++) {
		struct exit_bin *bin = (struct exit_bin *)bins_at(x->bins, i);

		add_row(x, table, bin);
		report->lost.intervals += bin->handling.count + bin->discarded;
		report->lost.intervals_discarded += bin->discarded;
	}
	report->vcpus = x->vcpus;
	report->vms = x->vms.nr;
	add_notes(x, report);
}

const struct analysis analysis_exits = {
	.name = "exits",
	.summary = "VM exits of guests: how many, why, and how long their handling lasts",
	.facts = FACT_BIT(FACT_EXIT) | FACT_BIT(FACT_ENTRY),
	.facts_optional = FACT_BIT(FACT_THREAD_END),
	.facts_beside = FACT_BIT(FACT_USEREXIT) | FACT_BIT(FACT_PORTIO),
	.order = ORDER_THREAD,
	.keys = KEY_BIT(KEY_VM) | KEY_BIT(KEY_PID) | KEY_BIT(KEY_VCPU) | KEY_BIT(KEY_TID) |
		KEY_BIT(KEY_COMM) | KEY_BIT(KEY_CPU) | KEY_BIT(KEY_REASON),
	.by_live = KEY_BIT(KEY_VM) | KEY_BIT(KEY_REASON),
	.by_file = KEY_BIT(KEY_TID) | KEY_BIT(KEY_REASON),
	.new = exits_new,
	.lost = exits_lost,
	.feed = exits_feed,
	.holds = exits_holds,
	.report = exits_report,
	.join = exits_join,
	.free = exits_free,
};
