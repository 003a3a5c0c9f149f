#!/bin/sh
# libqcc in a program whose locale writes 0,5 for 0.5 (comma.c).
program=$(dirname "$QCC")/tests/api/comma
work=$(mktemp -d) || exit 99
trap 'cd / && rm -rf "$work"' EXIT
cd "$work" || exit 99
mkdir locales && localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 >/dev/null 2>&1
LOCPATH=$work/locales "$program"
