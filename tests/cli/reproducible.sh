#!/bin/sh
# The same input and options give the same bytes: in another run, folder, locale, time zone, and with another number of threads.
. "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"
mkdir -p here/model elsewhere/far/away
cp "$QCC_SRC/models/cnn_4w4a/model.onnx" "$QCC_SRC/models/cnn_4w4a/input.npy" here/model
cp -r here/model elsewhere/far/away
locale=C.UTF-8
mkdir locales
if localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 >/dev/null 2>&1; then locale=de_DE.UTF-8; fi

# compile INTO FOLDER COMMAND...: the model in that folder through passes, execution and every backend, qcc being called by the
# command. Times are taken out of the report, and the list of files with it, which has its hash.
compile() {
	into=$work/$1
	cd "$2/model" || exit 99
	shift 2
	env LOCPATH="$work/locales" "$@" "$QCC" model.onnx -p streamline,fold -b c,dot,finn,hls,verilog -o "$into" -q &&
		env LOCPATH="$work/locales" "$@" "$QCC" run model.onnx input.npy -q -o "$into/y.npy" &&
		sed -i -E 's/"[a-z_]*seconds[a-z_]*": [0-9.e+-]+//g' "$into/report.json" && rm -r "$into/.qcc"
	cd "$work" || exit 99
}

# same NAME FOLDER COMMAND...: as the first run, which ran without anything special.
same() {
	name=$1
	shift
	if compile other "$@" 2>.stderr && diff -r first other >.differences 2>&1; then
		pass "$name"
	else
		fail "$name" "$(head -n 20 .stderr .differences)"
	fi
	rm -rf other
}

compile first here env LC_ALL=C TZ=UTC || fail "the first run"
has "the first run writes C" first/c/model.c
same "a second run writes the same bytes" here env LC_ALL=C TZ=UTC
same "... in another folder" elsewhere/far/away env LC_ALL=C TZ=UTC
same "... in another locale ($locale)" here env LC_ALL=$locale LANG=$locale TZ=UTC
same "... in another time zone" here env LC_ALL=C TZ=Asia/Kathmandu
# Training says its number of threads.
printf 'a,b,label\n' >rows.csv
i=0
while [ $i -lt 300 ]; do
	echo "$((i % 7)),$((i * 3 % 5)),$((i % 7 > 3))" >>rows.csv
	i=$((i + 1))
done
"$QCC" encode rows.csv --fit rows.json -o rows.npz -q
for threads in 1 3; do
	"$QCC" train -q --arch 'mlp(6,8,1)' --data rows.npz --epochs 3 --batch 64 --threads $threads -o "trained$threads.onnx" >/dev/null 2>.stderr
done
if lacks zip; then
	skip "training with one thread and with three" "this qcc was built without libzip, which reads .npz archives"
elif cmp trained1.onnx trained3.onnx >.differences 2>&1; then pass "training with one thread and with three"; else fail "training with one thread and with three" "$(cat .stderr .differences)"; fi
finish
