// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of hypervisor tables, and the questions that can be asked of any of them. Nothing here
 * knows one by name: what differs between them stands in their rows.
 */
#include "hv/hypervisor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define HYPERVISOR(name) extern const struct hypervisor hypervisor_##name;
#include "hv/hypervisors.def"
#undef HYPERVISOR

const struct hypervisor *const hypervisors[] = {
#define HYPERVISOR(name) &hypervisor_##name,
#include "hv/hypervisors.def"
#undef HYPERVISOR
	NULL,
};

bool hypervisor_fits(const struct hypervisor *hv, const char *machine)
{
	if (!machine || !hv->machines)
		return true;
	for (const char *const *m = hv->machines; *m; m++)
		if (!strcmp(*m, machine))
			return true;
	return false;
}

const struct hv_names *hypervisor_names(const struct hypervisor *hv, uint8_t space)
{
	for (size_t i = 0; hv && i < hv->n_names; i++)
		if (hv->names[i].space == space)
			return &hv->names[i];
	return NULL;
}

bool hypervisor_idle(const struct hypervisor *hv, uint8_t space, uint64_t reason)
{
	const struct hv_names *names = hypervisor_names(hv, space);

	if (!names)
		return false;
	for (size_t i = 0; i < names->n_idle; i++)
		if (names->idle[i] == reason)
			return true;
	return false;
}

/* A signed field was sign-extended on its way here; its code shows the field's own bits. */
static uint64_t cut_to_field(uint64_t value, unsigned int bytes)
{
	return bytes && bytes < 8 ? value & ((UINT64_C(1) << (8 * bytes)) - 1) : value;
}

void hypervisor_code(const struct hypervisor *hv, uint8_t space, uint64_t reason, char *buf,
		     size_t size)
{
	const struct hv_names *names = hypervisor_names(hv, space);

	if (names && names->code) {
		names->code(reason, buf, size);
		return;
	}
	if (names)
		reason = cut_to_field(reason, names->bytes);
	if (names && names->field)
		snprintf(buf, size, "%s=0x%" PRIx64, names->field, reason);
	else
		snprintf(buf, size, "0x%" PRIx64, reason);
}
