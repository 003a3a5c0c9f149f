#!/bin/sh
# cppcheck and clang-tidy over the sources. CPPFLAGS as make has them; files to look at may follow the source folder.
#     lint.sh SRCDIR [FILE]...
top=$1
shift
[ $# -gt 0 ] || set -- $(find "$top/src" -name '*.c' | sort)
status=0
if command -v cppcheck >/dev/null; then
	# shellcheck disable=SC2086 # lists of words
	cppcheck -q --std=c11 --enable=warning,portability --inline-suppr --library=posix --error-exitcode=1 \
		--suppress=preprocessorErrorDirective --suppressions-list="$top/tests/style/cppcheck.supp" \
		--library="$top/tests/style/jansson.cfg" -j 2 -I "$top/src" -I "$top/include" "$@" || status=1
else
	echo "cppcheck is not installed: left out"
fi
if command -v clang-tidy >/dev/null; then
	# CPPFLAGS is a shell's text: quotes in it are marked.
	said=$(printf '%s\n' "$@" | xargs -n 8 -P 2 sh -c 'eval "clang-tidy --quiet \"\$@\" -- -std=c11 $CPPFLAGS" 2>/dev/null' tidy)
	if [ -n "$said" ]; then
		printf '%s\n' "$said"
		status=1
	fi
else
	echo "clang-tidy is not installed: left out"
fi
exit $status
