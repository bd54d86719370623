// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expressions against values that were worked out by hand, by the rules of C: precedence, grouping,
 * signs, and what has no result; and the sentences for what is no expression.
 */
#include <string.h>

#include "analysis/expr.h"
#include "tests/tap.h"

/* Names stand for these, in the order in which they come: a = 7, b = -3, c = 2^64 - 1. */
static const struct {
	const char *name;
	struct expr_value value;
} names[] = {
	{ "a", { 7, true } },
	{ "b", { (uint64_t)-3, true } },
	{ "c", { UINT64_MAX, false } },
	{ "$retval", { (uint64_t)-11, true } },
};

static bool eval(const char *text, struct expr_value *result)
{
	struct expr_value values[8] = { { 0 } };
	struct error err = { 0 };
	struct expr *e = expr_parse(text, &err);
	bool got;

	if (!e) {
		diag("%s", err.text);
		return false;
	}
	for (unsigned int i = 0; i < expr_names(e); i++)
		for (unsigned int n = 0; n < ARRAY_SIZE(names); n++)
			if (!strcmp(names[n].name, expr_name(e, i)))
				values[i] = names[n].value;
	got = expr_eval(e, values, result);
	expr_free(e);
	return got;
}

static void is_value(const char *text, int64_t want)
{
	struct expr_value result = { 0 };
	bool got = eval(text, &result);

	if (!ok(got && (int64_t)result.v == want && result.is_signed, "%s = %lld", text,
		(long long)want))
		diag("got %lld, %s", (long long)result.v, result.is_signed ? "signed" : "unsigned");
}

static void is_unsigned(const char *text, uint64_t want)
{
	struct expr_value result = { 0 };
	bool got = eval(text, &result);

	if (!ok(got && result.v == want && !result.is_signed, "%s = %llu, unsigned", text,
		(unsigned long long)want))
		diag("got %llu, %s", (unsigned long long)result.v,
		     result.is_signed ? "signed" : "unsigned");
}

static void is_nothing(const char *text)
{
	struct expr_value result;

	ok(!eval(text, &result), "%s has no result", text);
}

static void is_refused(const char *text, const char *why)
{
	struct error err = { 0 };
	struct expr *e = expr_parse(text, &err);

	if (!ok(!e && err.status == 2 && strstr(err.text, why), "'%s' is refused: %s", text, why))
		diag("got: %s", e ? "an expression" : err.text);
	expr_free(e);
}

static void test_names(void)
{
	struct expr *e = expr_parse(" a + a*other ", NULL);

	ok(expr_names(e) == 2 && !strcmp(expr_name(e, 0), "a") && !strcmp(expr_name(e, 1), "other"),
	   "names, each once");
	ok(!expr_is_name(e), "more than a name");
	expr_free(e);
	e = expr_parse("(comm)", NULL);
	ok(expr_is_name(e), "a name alone, in parentheses or not");
	expr_free(e);
	e = expr_parse("args[ 0x2 ] + args[2] + args[3]", NULL);
	ok(e && expr_names(e) == 2 && !strcmp(expr_name(e, 0), "args[2]") &&
	   !strcmp(expr_name(e, 1), "args[3]"),
	   "elements of arrays, however their number is written");
	expr_free(e);
	e = expr_parse("args[2]", NULL);
	ok(e && expr_is_name(e), "an element is a name");
	expr_free(e);
	e = expr_parse("-a", NULL);
	ok(!expr_is_name(e), "its negative isn't one");
	expr_free(e);
	expr_free(NULL);
}

static void test_depth(void)
{
	char text[2001];

	memset(text, '(', 1000);
	text[1000] = '\0';
	is_refused(text, "nested too deep");
	memset(text, '-', 2000);
	text[2000] = '\0';
	is_refused(text, "nested too deep");
}

int main(void)
{
	is_value("1 + 2 * 3", 7);
	is_value("(1 + 2) * 3", 9);
	is_value("10 - 4 - 3", 3);
	is_value("100 / 10 / 5", 2);
	is_value("-7 / 2", -3);
	is_value("-7 % 3", -1);
	is_value("1 << 4 + 1", 32);
	is_value("0x10 | 1 & 3 ^ 2", 0x13);
	is_value("6 & 3 == 3", 0);
	is_value("1 || 0 && 0", 1);
	is_value("!a + ~0", -1);
	is_value("- -a", 7);
	is_value("+a", 7);
	is_value("010", 8);
	is_value("a*a-b", 52);
	is_value("a <= 7 && b < 0", 1);
	is_value("a >= 8 || b > 0", 0);
	is_value("a!=7", 0);
	is_value("$retval == -11", 1);
	is_value("b >> 1", -2);
	is_value("b >> 64", -1);
	is_value("a << 64", 0);
	is_value("c > 0", 1);
	is_value("b < c", 1);
	is_value("c == -1", 1);
	is_unsigned("c", UINT64_MAX);
	is_unsigned("c / 2", UINT64_MAX / 2);
	is_unsigned("b / c", 0);
	is_unsigned("c >> 60", 15);
	is_unsigned("0xffffffffffffffff", UINT64_MAX);
	is_nothing("a / 0");
	is_nothing("a % (b + 3)");
	is_nothing("a / 0 + 1");
	is_nothing("a / 0 == a / 0");
	is_nothing("1 && a / 0");
	is_nothing("a / 0 && 0");
	is_value("0 && a / 0", 0);
	is_value("a == 0 && a / 0 > 1 || 3", 1);
	is_value("a || a / 0", 1);
	is_value("(0 && 1 % 0) + 5", 5);
	is_nothing("!(a / 0)");
	is_nothing("(-9223372036854775807 - 1) / -1");
	is_refused("", "is missing at its end");
	is_refused("a +", "is missing at its end");
	is_refused("a b", "an operator is missing at 'b'");
	is_refused("(a", "a closing parenthesis is missing at its end");
	is_refused("a)", "an operator is missing at ')'");
	is_refused("3x", "no number at '3x'");
	is_refused("18446744073709551616", "too great");
	is_refused("a[", "the number of the array's element is missing");
	is_refused("a[]", "the number of the array's element is missing");
	is_refused("a[b]", "the number of the array's element is missing");
	is_refused("a[-1]", "the number of the array's element is missing");
	is_refused("a[1", "a closing bracket is missing");
	is_refused("a[18446744073709551616]", "too great");
	is_refused("a[1][2]", "an operator is missing");
	is_refused("a @ b", "an operator is missing at '@ b'");
	test_names();
	test_depth();
	return tap_done();
}
