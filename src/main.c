// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Find the command, run it.
 */
#include <stdio.h>

int main(void)
{
	puts(PACKAGE_STRING);
	return 0;
}
