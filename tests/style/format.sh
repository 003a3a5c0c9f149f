#!/bin/sh
# The code follows .clang-format. `make format` makes it so.
. "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"
name="the code follows .clang-format"
for tool in "${CLANG_FORMAT:-clang-format-14}" clang-format; do
	case $("$tool" --version 2>/dev/null) in *"version 14."*) break ;; esac
	tool=
done
if [ -z "$tool" ]; then
	skip "$name" "needs clang-format 14; other versions lay some lines out differently"
else
	cd "$QCC_SRC" || exit 99
	found=$(find src include tests examples -name '*.[ch]' 2>/dev/null | sort | xargs "$tool" --dry-run 2>&1 | grep -E 'warning|error' | cut -d: -f1 | sort -u)
	if [ -z "$found" ]; then pass "$name"; else fail "$name" "make format changes: $found"; fi
fi
finish
