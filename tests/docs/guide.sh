#!/bin/sh
# The commands of the documentation, as they stand there, in order and in one folder for each page or chapter. Blocks
# that begin with ```sh are run; every line of a ```text block behind one stands in what it printed, ... being anything.
. "$QCC_SRC/tests/lib.sh"

if "$QCC" --version | grep -q '^built without'; then
	skip "the commands of the documentation" "$("$QCC" --version | tail -n 1)"
	finish
	exit
fi

# The names under which the pages call the programs.
mkdir bin
printf '#!/bin/sh\nexec "%s" "$@"\n' "$QCC" >bin/qcc
printf '#!/bin/sh\nexec "%s" "$@"\n' "$(command -v "${QCC_PYTHON:-python3}")" >bin/python3
chmod +x bin/*
PATH=$PWD/bin:$PATH

# split PAGE TITLE: block-1.sh, block-1.text, ... of the chapter "## TITLE", or of the whole page where TITLE is empty.
split() {
	awk -v title="$2" '
		!block && /^## / { inside = substr($0, 4) == title }
		/^```/ && block { close(block); block = ""; next }
		/^```sh$/ && (inside || title == "") { block = sprintf("block-%03d.sh", ++n); next }
		/^```text$/ && n && (inside || title == "") { block = sprintf("block-%03d.text", n); next }
		/^```/ { block = "/dev/null"; next }
		block { print >block }' "$1"
}

# shows NAME PRINTED EXPECTED: each line of EXPECTED is one of PRINTED, or begins with spaces less or more.
shows() {
	sed -e 's/[][\.*^$]/\\&/g' -e 's/\\\.\\\.\\\./.*/g' -e 's/  */ */g' "$3" >.patterns
	while IFS= read -r pattern; do
		if [ -n "$pattern" ] && ! grep -q -x -e "$pattern" "$2"; then
			fail "$1" "no line like '$pattern' in: $(cat "$2")"
			return
		fi
	done <.patterns
	pass "$1"
}

# missing PAGE TITLE: the programs and Python modules that the chapter needs (<!-- needs PROGRAM... -->, <!-- needs-python
# MODULE... -->) and that are not there.
missing() {
	awk -v title="$2" '/^## / { inside = substr($0, 4) == title } inside && /^<!-- needs/ { print $2, $0 }' "$QCC_SRC/docs/$1" |
		sed 's/<!-- needs[a-z-]* //; s/ -->//' | while read -r kind names; do
		for name in $names; do
			case $kind in
			needs) command -v "$name" >/dev/null || printf ' %s' "$name" ;;
			*) python3 -c "import $name" 2>/dev/null || printf ' %s (Python)' "$name" ;;
			esac
		done
	done
}

# chapter PAGE TITLE
chapter() {
	without=$(missing "$1" "$2")
	if [ -n "$without" ]; then
		skip "$1: $2" "there is no$without"
		return
	fi
	mkdir chapter
	ln -s "$QCC_SRC/models" "$QCC_SRC/scripts" "$QCC_SRC/examples" chapter
	cd chapter || exit 99
	split "$QCC_SRC/docs/$1" "$2"
	ls block-001.sh >/dev/null 2>&1 || fail "$1, $2" "no commands found"
	for block in block-*.sh; do
		name="$1: $(head -n 1 "$block")"
		if sh -e "./$block" >.printed 2>&1; then pass "$name"; else fail "$name" "$(cat .printed)"; fi
		[ ! -e "${block%.sh}.text" ] || shows "... prints what the page shows" .printed "${block%.sh}.text"
	done
	cd .. && rm -r chapter
}

# Every chapter of the guide that has commands.
awk '/^## / { title = substr($0, 4) } /^```sh$/ && title != last { print title; last = title }' "$QCC_SRC/docs/guide.md" >titles
while IFS= read -r title <&3; do
	chapter guide.md "$title"
done 3<titles
finish
