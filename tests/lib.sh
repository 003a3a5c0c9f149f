# What the shell tests share. A test is a script that reads this, calls the functions below, a case each, and ends
# with `finish`. Each case prints a line of the TAP protocol. They run in a folder of their own that goes at the end.
#
#     . "$QCC_SRC/tests/lib.sh"
#     ok "says its version" "$QCC" --version
#     finish

: "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${QCC_SHARED:=$QCC_SRC/../shared}"
: "${QCC:=$QCC_SRC/build/qcc}"
cases=0
work=$(mktemp -d) || exit 99
trap 'cd / && rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
cd "$work" || exit 99

# pass NAME, fail NAME [what is wrong]
pass() {
	cases=$((cases + 1))
	echo "ok $cases - $1"
}
fail() {
	cases=$((cases + 1))
	echo "not ok $cases - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$*" | sed 's/^/# /'
}

# skip NAME WHY
skip() {
	cases=$((cases + 1))
	echo "ok $cases - $1 # SKIP $2"
}

# sanitized: whether qcc was built with AddressSanitizer. What such a build writes is what the other one writes; tests that
# compile or simulate it at length leave that to the other build.
sanitized() {
	grep -q __asan_init "$QCC"
}

# lacks LIBRARY: whether qcc was built --without-LIBRARY.
lacks() {
	"$QCC" --version | grep -q "without.* $1"
}

# ok NAME COMMAND...: the command ends with status 0. Its output is left in .stdout and .stderr.
ok() {
	name=$1
	shift
	if "$@" >.stdout 2>.stderr; then pass "$name"; else fail "$name" "status $?: $(cat .stderr)"; fi
}

# prints NAME PATTERN COMMAND...: status 0 and a line of its output matches the basic regular expression.
prints() {
	name=$1 pattern=$2
	shift 2
	if ! "$@" >.stdout 2>.stderr; then
		fail "$name" "status $?: $(cat .stderr)"
	elif grep -q -e "$pattern" .stdout; then
		pass "$name"
	else
		fail "$name" "no line like '$pattern' in: $(head -n 20 .stdout)"
	fi
}

# refuses NAME PATTERN COMMAND...: status 1 (or $refusal, which `diff` sets to 2), nothing on standard output, one line on standard error that matches, and
# no new file or folder here.
refuses() {
	name=$1 pattern=$2
	shift 2
	find . ! -path './.*' | sort >.before
	"$@" >.stdout 2>.stderr
	status=$?
	find . ! -path './.*' | sort >.after
	if [ $status -ne "${refusal:-1}" ]; then
		fail "$name" "status $status, not ${refusal:-1}: $(cat .stderr)"
	elif [ "$(wc -l <.stderr)" -ne 1 ]; then
		fail "$name" "not one line: $(cat .stderr)"
	elif ! grep -q -e "$pattern" .stderr; then
		fail "$name" "no '$pattern' in: $(cat .stderr)"
	elif [ -s .stdout ]; then
		fail "$name" "standard output has: $(head -n 5 .stdout)"
	elif ! cmp -s .before .after; then
		fail "$name" "left behind: $(comm -13 .before .after)"
	else
		pass "$name"
	fi
}

# has NAME FILE: the file is there and not empty.
has() {
	if [ -s "$2" ]; then pass "$1"; else fail "$1" "no file $2"; fi
}

finish() {
	echo "1..$cases"
}
