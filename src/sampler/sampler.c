// SPDX-License-Identifier: GPL-2.0-or-later
/* The samplers there are, and the array that a sample's facts grow in. */
#include "sampler/sampler.h"

#include "base/util.h"

static const struct sampler *const samplers[] = {
	&sampler_proc_stat,
};

const struct sampler *sampler_find(uint64_t facts)
{
	for (size_t i = 0; i < ARRAY_SIZE(samplers); i++)
		if (facts && (samplers[i]->facts & facts) == facts)
			return samplers[i];
	return NULL;
}

void sample_add(struct sample *sample, const struct fact *fact)
{
	sample->facts = xgrow(sample->facts, sample->n, &sample->room, sizeof(*sample->facts));
	sample->facts[sample->n++] = *fact;
}

void sample_free(struct sample *sample)
{
	free(sample->facts);
	*sample = (struct sample){ 0 };
}
