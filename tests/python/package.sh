#!/bin/sh
# The Python package: pip builds the wheel around the library and the program of this build; cases.py uses it.
. "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"
python=${QCC_PYTHON:-python3}
build=$(dirname "$QCC")
library=$build/.libs/libqcc.so

# skip_all WHY
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
"$python" -c 'import numpy' 2>/dev/null || skip_all "no numpy"
"$python" -m pip --version >/dev/null 2>&1 || skip_all "no pip"
"$python" -c 'import setuptools, wheel' 2>/dev/null || skip_all "no setuptools or no wheel"
[ -e "$library" ] || skip_all "this build has --disable-shared"
if nm -D "$library" | grep -q __asan_init; then skip_all "Python cannot load a library with AddressSanitizer"; fi

# The sources may be read-only, and pip builds in the folder that it is given.
mkdir tree
cp -R "$QCC_SRC/python" tree/python
chmod -R u+w tree
rm -rf tree/python/build tree/python/*.egg-info
ln -s "$QCC_SRC/src" "$QCC_SRC/configure.ac" tree
QCC_BUILD=$build
export QCC_BUILD
ok "pip builds the wheel" "$python" -m pip -q --disable-pip-version-check wheel --no-deps --no-build-isolation -w wheels tree/python
ok "... for any Python 3 of the platform" sh -c 'ls wheels/qcc-*-py3-none-linux*.whl'
ok "pip installs it" "$python" -m pip -q --disable-pip-version-check install --no-deps --target site wheels/*.whl
ok "... with its type hints" test -e site/qcc/py.typed

"$python" "$QCC_SRC/models/make_flows.py" --rows 600 --seed 3 >flows.csv
cp "$QCC_SRC/models/mlp_2w2a/model.onnx" "$QCC_SRC/models/mlp_2w2a/input.npy" .
PYTHONPATH=$PWD/site
export PYTHONPATH
unset QCC_BUILD
# cases.py goes on counting.
"$python" "$QCC_SRC/tests/python/cases.py" "$cases"
status=$?
[ $status -eq 0 ] || exit 99
