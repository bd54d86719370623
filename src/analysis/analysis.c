// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of analyses. */
#include "analysis/analysis.h"

#include <string.h>

#include "base/util.h"

#define ANALYSIS(name) extern const struct analysis analysis_##name;
#include "analysis/analyses.def"
#undef ANALYSIS

const struct analysis *const analyses[] = {
#define ANALYSIS(name) &analysis_##name,
#include "analysis/analyses.def"
#undef ANALYSIS
	NULL,
};

const struct analysis *analysis_find(const char *name)
{
	for (const struct analysis *const *a = analyses; *a; a++)
		if (!strcmp((*a)->name, name))
			return *a;
	return NULL;
}
