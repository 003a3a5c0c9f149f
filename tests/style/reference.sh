#!/bin/sh
# The reference and the manual page are those of this qcc: `make reference` writes them.
. "$QCC_SRC/tests/lib.sh"

if ! command -v python3 >/dev/null; then
	skip "the reference" "no python3"
	finish
	exit
fi
if "$QCC" --version | grep -q '^built without'; then
	skip "the reference" "$("$QCC" --version | tail -n 1)"
	finish
	exit
fi
for file in reference.md qcc.1; do
	script=make_reference
	[ $file = qcc.1 ] && script=make_manual
	python3 "$QCC_SRC/scripts/$script" "$QCC" $file
	ok "docs/$file is up to date (make reference)" cmp $file "$QCC_SRC/docs/$file"
done
finish
