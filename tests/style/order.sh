#!/bin/sh
# The order of the folders is the order of includes: a file includes from its own folder and from folders to the left of
# it only. The first argument is another tree than the project's, for the check of this check.
. "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"
order="util ir ops exec hw passes pipeline plan report backends data train script api cli"
# against TREE: the includes against the order, a line each. A folder that is not in the list is against it too.
against() {
	(cd "$1" && grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include "[a-z_]+/' src) | awk -v order="$order" '
		BEGIN { n = split(order, name, " "); for (i = 1; i <= n; i++) rank[name[i]] = i }
		{
			split($0, place, ":"); file = place[1]; split(file, part, "/")
			included = $0; sub(/^[^"]*"/, "", included); sub(/".*/, "", included); split(included, to, "/")
			if (part[3] == "") next
			if (!(part[2] in rank)) print file ": folder " part[2] " has no place in the order"
			else if (to[1] in rank && rank[to[1]] > rank[part[2]]) print file ":" place[2] ": includes " included
		}'
}

found=$(against "$QCC_SRC")
if [ -z "$found" ]; then pass "no include against the order of the folders"; else fail "no include against the order of the folders" "$found"; fi

mkdir -p src/ir src/passes src/attic
printf '#include "passes/pass.h"\n' >src/ir/graph.c
printf '#include "ir/ir.h"\n#include "passes/pass.h"\n' >src/passes/fold.c
printf '#include "ir/ir.h"\n' >src/attic/old.c
found=$(against .)
case $found in
*src/attic/old.c*src/ir/graph.c:1:*) same=$(echo "$found" | wc -l) ;;
*src/ir/graph.c:1:*src/attic/old.c*) same=$(echo "$found" | wc -l) ;;
*) same=0 ;;
esac
if [ "$same" -eq 2 ]; then pass "one that is added is found"; else fail "one that is added is found" "$found"; fi
finish
