#!/bin/sh
# qcc encode: small tables whose bits are known, and the rows of UNSW-NB15 where they are at hand.
. "$QCC_SRC/tests/lib.sh"

# bits FILE.npy: its rows of bits, a line each. (The header is a multiple of 64 long; its shape says how many there are.)
bits() {
	columns=$(head -c 128 "$1" | LC_ALL=C sed -n 's/.*([0-9]*, \([0-9]*\)).*/\1/p')
	tail -c +129 "$1" | od -An -v -tu1 -w"$columns" | tr -d ' '
}

# encodes NAME EXPECTED ARGUMENT...: the rows of bits are these, joined by commas.
encodes() {
	name=$1 expected=$2
	shift 2
	if ! "$QCC" encode "$@" -o out.npy >.stdout 2>.stderr; then
		fail "$name" "status not 0: $(cat .stderr)"
	elif [ "$(bits out.npy | paste -sd,)" = "$expected" ]; then
		pass "$name"
	else
		fail "$name" "bits are $(bits out.npy | paste -sd,), not $expected; $(cat .stderr)"
	fi
}

# warns NAME PATTERN: the last command said so.
warns() {
	if grep -q -e "$2" .stderr; then pass "$1"; else fail "$1" "no '$2' in: $(cat .stderr)"; fi
}

cat >spec.json <<'END'
{"total_bits": 9, "columns": [
 {"name": "kind", "bits": 2, "kind": "category", "codes": {"a": 0, "b,c": 1, "d\"e": 2, "f": 3}},
 {"name": "count", "bits": 3, "kind": "integer"},
 {"name": "time", "bits": 4, "kind": "scaled", "scale": 4}]}
END

# kind, count, time: 2 + 3 + 4 bits, most significant first.
printf 'kind,count,time,label\na,5,0.25,0\nf,7,3.75,1\n' >plain.csv
encodes "codes, most significant bit first" 001010001,111111111 plain.csv --spec spec.json
printf 'label,time,x,count,kind\n0,0.25,9,5,a\n1,3.75,,7,f\n' >other.csv
encodes "columns in another order, and others between" 001010001,111111111 other.csv --spec spec.json
printf '\357\273\277kind,count,time,label\r\na,5,0.25,0\r\n\r\nf,7,3.75,1\r\n' >windows.csv
encodes "byte order mark, CR LF, an empty line" 001010001,111111111 windows.csv --spec spec.json
printf 'kind,count,time,label\n"b,c","5",0.25,0\n"d""e",7,3.75,"1"' >quoted.csv
encodes "quotes, separators in quotes, no line end at the end" 011010001,101111111 quoted.csv --spec spec.json
printf 'kind\tcount\ttime\tlabel\na\t5\t0.25\t0\n' >tabs.csv
encodes "tabs" 001010001 tabs.csv --spec spec.json --separator tab
printf 'a,5,0.25,0\nf,7,3.75,1\n' >bare.csv
encodes "no header" 001010001,111111111 bare.csv --spec spec.json --no-header
printf 'kind,count,time,label\na,1.5,0.124,0\na,2.4999,0.125,0\na,-3,1e-1,0\n' >halves.csv
encodes "halves round up, negative numbers are 0, exponents" 000100000,000100001,000000000 halves.csv --spec spec.json
encodes "several files, one after the other" 001010001,111111111,001010001,111111111 plain.csv windows.csv --spec spec.json
encodes "one thread" 001010001,111111111 plain.csv --spec spec.json --threads 1

printf 'kind,count,time,label\nz,5,0.25,0\na,,0.25,0\na,x5,0.25,1\na,9,0.25,0\na,5\na,5,0.25,0,1\na,5,0.25,yes\n' >bad.csv
encodes "bad fields are 0" 001010001,000000001,000000001,001110001,001010001 bad.csv --spec spec.json
warns "unknown categories are counted" "column 'kind': 1 unknown categories, encoded as 0 (row 1)"
warns "missing fields are counted" "column 'count': 1 missing fields, encoded as 0 (row 2)"
warns "malformed numbers are counted" "column 'count': 1 fields that are no number, encoded as 0 (row 3)"
warns "values beyond the width are counted" "column 'count': 1 values beyond the width, encoded as the largest code (row 4)"
warns "short records are counted" "1 records with too few fields (row 5)"
warns "long records are counted" "1 records with too many fields (row 6)"
warns "labels that are no number are counted" "1 labels that are no class number, left out (row 7)"
printf 'kind,count,time,label\nz,5,0.25,0\na,5,0.25,0\n' >short.csv
encodes "rows with bad fields are left out on demand" 001010001 short.csv --spec spec.json --drop-bad
refuses "bad fields with --strict" "unknown categories" "$QCC" encode short.csv --spec spec.json --strict -o out2.npz
printf 'kind,count,label\na,5,0\n' >missing.csv
refuses "a missing column" "lacks column 'time'" "$QCC" encode missing.csv --spec spec.json -o out2.npz
printf 'kind,count,time\na,5,0.25\n' >nolabel.csv
refuses "a missing label" "no label column 'label'" "$QCC" encode nolabel.csv --spec spec.json -o out2.npz
encodes "no label on demand" 001010001 nolabel.csv --spec spec.json --no-label
refuses "a missing header" "names no column" "$QCC" encode bare.csv --spec spec.json -o out2.npz
: >empty.csv
refuses "an empty file" "is empty" "$QCC" encode empty.csv --spec spec.json -o out2.npz
printf 'kind,count,time,label\n' >header.csv
refuses "a header alone" "has no rows" "$QCC" encode header.csv --spec spec.json -o out2.npz
printf 'kind,count,time,label\n"a,5,0.25,0\n' >open.csv
refuses "a quote that stays open" "never closed" "$QCC" encode open.csv --spec spec.json -o out2.npz
printf '\377\376k\0' >utf16.csv
refuses "UTF-16" "UTF-16" "$QCC" encode utf16.csv --spec spec.json -o out2.npz
printf 'kind,kind,count,time,label\na,a,5,0.25,0\n' >twice.csv
refuses "a column twice" "both called 'kind'" "$QCC" encode twice.csv --spec spec.json -o out2.npz
refuses "no table" "No such file" "$QCC" encode nowhere.csv --spec spec.json -o out2.npz
refuses "a folder" "directory" "$QCC" encode / --spec spec.json -o out2.npz
refuses "another output" "no format" "$QCC" encode plain.csv --spec spec.json -o out2.txt
echo '{}' >none.json
refuses "a spec without columns" "no list" "$QCC" encode plain.csv --spec none.json -o out2.npz
refuses "a spec that is no JSON" "plain.csv: error: is no JSON, line 1" "$QCC" encode plain.csv --spec plain.csv -o out2.npz
if [ -w /dev/full ]; then
	ln -s /dev/full full.npz
	refuses "a full disk" "cannot write: No space left" "$QCC" encode plain.csv --spec spec.json -o full.npz
fi

# Fitting: texts in ASCII order, the smallest positive value below 1 scales, the largest says the width.
printf 'id,kind,size,time,zero,label\n1,b,3,0.5,0,0\n2,B,256,2,0,1\n3,a,0,0,0,1\n' >fit.csv
ok "fits an encoding" "$QCC" encode fit.csv --fit fit.json --ignore id
encodes "that encodes its rows" 100000000110010,001000000001000,010000000000000 fit.csv --spec fit.json
ok "fits and encodes at once" "$QCC" encode fit.csv --fit fit2.json --ignore id -o at_once.npz
ok "the same encoding" cmp fit.json fit2.json
refuses "fitting without a label" "no label column 'class'" "$QCC" encode fit.csv --fit fit3.json --label class
printf 'x,class\n1,good\n2,bad\n' >named.csv
ok "classes with names" "$QCC" encode named.csv --fit named.json --label class -o named.npy
if [ "$(tail -c 2 named.label.npy | od -An -tu1 | tr -s ' ')" = " 1 0" ]; then pass "in ASCII order"; else fail "in ASCII order"; fi

# Files of many blocks: one thread and several write the same.
awk 'BEGIN { print "kind,count,time,label"; for (i = 0; i < 200000; i++) printf "%s,%d,%.2f,%d\n", i % 3 ? "a" : "\"b,c\"", i % 8, i % 4 / 4, i % 2 }' >large.csv
ok "a file of several blocks by one thread" "$QCC" encode large.csv --spec spec.json --threads 1 -o one.npz
ok "and by three" "$QCC" encode large.csv --spec spec.json --threads 3 -o three.npz
ok "gives the same" cmp one.npz three.npz
ok "packed from a pipe" sh -c 'cat large.csv | "$QCC" encode /dev/stdin --spec spec.json --packed -o packed.npz'

unsw=$QCC_SHARED/unsw
if [ -f "$unsw/unsw_nb15_encoding.json" ] && "${QCC_PYTHON:-python3}" -c 'import numpy' 2>/dev/null; then
	for pair in unsw_rows_test:unsw_test_bits unsw_recon_test_sample8000:unsw_recon_test_sample8000_bits \
		unsw_recon_train_sample4000:unsw_recon_train_sample4000_bits; do
		ok "encodes ${pair%:*}" "$QCC" encode "$unsw/${pair%:*}.csv" --spec "$unsw/unsw_nb15_encoding.json" -o unsw.npz
		ok "bit for bit" "${QCC_PYTHON:-python3}" - "$unsw/${pair#*:}.npz" <<'END'
import sys, numpy as np
ours, given = np.load("unsw.npz"), np.load(sys.argv[1])
assert (ours["bits"] == given["bits"]).all() and (ours["label"] == given["label"]).all()
END
	done
else
	skip "the rows of UNSW-NB15" "not there"
fi
finish
