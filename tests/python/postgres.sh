#!/bin/sh
# qcc.tune with one PostgreSQL and two processes that share a study. The server is a real one, started here and reached
# through a socket in the test's folder. It needs Debian's package postgresql, and optuna and psycopg2:
#
#     apt-get install postgresql && pip install optuna psycopg2-binary && make check TESTS=tests/python/postgres.sh
. "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"
python=${QCC_PYTHON:-python3}

# skip_all WHY
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
for bin in "$(dirname "$(command -v initdb || echo /)")" /usr/lib/postgresql/*/bin; do
	[ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ] && break
done
[ -x "$bin/pg_ctl" ] || skip_all "no PostgreSQL server (Debian's package postgresql)"
"$python" -c 'import numpy, optuna, psycopg2' 2>/dev/null || skip_all "no numpy, optuna or psycopg2"
library=$(dirname "$QCC")/.libs/libqcc.so
[ -e "$library" ] || skip_all "this build has --disable-shared"
if nm -D "$library" | grep -q __asan_init; then skip_all "Python cannot load a library with AddressSanitizer"; fi

# PostgreSQL refuses to run as root: another user does it then. as_server COMMAND...
user=$(id -un)
if [ "$(id -u)" -eq 0 ]; then user=nobody; fi
as_server() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
	else
		"$@"
	fi
}

chmod 755 .
mkdir server
[ "$(id -u)" -ne 0 ] || chown nobody server
folder=$PWD/server
trap 'as_server "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; cd / && rm -rf "$work"' EXIT
ok "a database" as_server "$bin/initdb" -D "$folder/data" -A trust --no-sync
ok "a server" as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-c listen_addresses='' -k $folder -c fsync=off" start
QCC_LIBRARY=$library QCC_PROGRAM=$QCC PYTHONPATH=$QCC_SRC/python STORAGE="postgresql+psycopg2://$user@/postgres?host=$folder"
PYTHONDONTWRITEBYTECODE=1
export QCC_LIBRARY QCC_PROGRAM PYTHONPATH STORAGE PYTHONDONTWRITEBYTECODE
"$python" "$QCC_SRC/models/make_flows.py" --rows 400 --seed 3 >flows.csv

cat >tune.py <<'END'
import os, sys
import optuna, qcc

optuna.logging.set_verbosity(optuna.logging.WARNING)
rows = qcc.encode("flows.csv", ignore=["id", "attack_cat"])
qcc.tune(rows, trials=3, layers=(1, 1), widths=(4, 8), fan_in=(None,), epochs=(1, 2), batch=50, study_name="shared",
         storage=os.environ["STORAGE"], folder=sys.argv[1])
END
cat >look.py <<'END'
import os
import optuna

study = optuna.load_study(study_name="shared", storage=os.environ["STORAGE"])
names = [sorted(name for name in os.listdir(folder) if name.endswith(".onnx")) for folder in ("first", "second")]
assert len(names[0]) == len(names[1]) == 3, names
assert sorted(names[0] + names[1]) == [f"trial-{i}.onnx" for i in range(6)], names
assert [t.state.name for t in study.trials] == ["COMPLETE"] * 6
assert all(0 <= t.values[0] <= 1 and t.values[1] > 0 for t in study.trials) and study.best_trials
END
"$python" tune.py first >first.log 2>&1 &
first=$!
ok "a process tunes" "$python" tune.py second
if wait $first; then pass "another one does at the same time"; else fail "another one does at the same time" "$(cat first.log)"; fi
ok "both worked at one study, and no trial was done twice" "$python" look.py
ok "the server's study goes on" "$python" tune.py third
finish
