# SPDX-License-Identifier: GPL-2.0-or-later
#
# Macros of configure.ac: each library is one line there, and its absence one sentence.

# HV_WARNINGS(FLAGS): those of FLAGS that the compiler takes go to WARN_CFLAGS.
AC_DEFUN([HV_WARNINGS], [
  for hv_flag in $1; do
    hv_saved=$CFLAGS
    CFLAGS="$CFLAGS -Werror $hv_flag"
    AC_MSG_CHECKING([whether $CC takes $hv_flag])
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int main(void) { return 0; }]])],
      [AC_MSG_RESULT([yes])
       WARN_CFLAGS="$WARN_CFLAGS $hv_flag"],
      [AC_MSG_RESULT([no])])
    CFLAGS=$hv_saved
  done
  AC_SUBST([WARN_CFLAGS])
])

# HV_REQUIRE(PREFIX, MODULE, VERSION, DEBIAN, FEDORA): a library that nothing works without.
AC_DEFUN([HV_REQUIRE], [
  PKG_CHECK_MODULES([$1], [$2 >= $3], [],
    [AC_MSG_ERROR([$2 $3 or newer was not found; install $4 (Debian, Ubuntu) or $5 (Fedora).])])
])

# HV_OPTION(MODULE, PREFIX, SWITCH, DEBIAN, FEDORA, LOSS): a library that one can do without;
# LOSS says what the program can't do then. Defines HAVE_PREFIX.
AC_DEFUN([HV_OPTION], [
  AC_ARG_WITH([$3],
    [AS_HELP_STRING([--without-$3], [build without $1: $6])],
    [], [with_$3=check])
  AS_IF([test "x$with_$3" != xno],
    [PKG_CHECK_MODULES([$2], [$1],
      [with_$3=yes
       AC_DEFINE([HAVE_$2], [1], [Define to 1 if $1 is used.])],
      [AS_IF([test "x$with_$3" = xyes],
         [AC_MSG_ERROR([$1 was not found; install $4 (Debian, Ubuntu) or $5 (Fedora), or say --without-$3.])])
       AC_MSG_WARN([without $1 $6; install $4 (Debian, Ubuntu) or $5 (Fedora).])
       with_$3=no])])
])
