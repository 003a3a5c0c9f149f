# What scripts/demo and scripts/test share: installing packages, configuring and building. Read with `.`.

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

# What a build needs (Debian 12 names).
build_packages="autoconf automake libtool make gcc libc6-dev pkg-config protobuf-c-compiler libprotobuf-c-dev libjansson-dev
	liblua5.4-dev libedit-dev libzip-dev libgraphviz-dev libopenblas-dev"

say() {
	printf '%s\n' "== $*"
}

die() {
	printf '%s\n' "$0: $*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo DEBIAN_FRONTEND=noninteractive "$@"; fi
}

installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}

# install PACKAGE...: those that are missing, after saying which.
install_packages() {
	missing=
	for package in "$@"; do
		installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null || die "apt-get is missing; install by hand:$missing"
	say "installing with apt-get:$missing"
	as_root apt-get update -q >/dev/null || die "apt-get update failed"
	# shellcheck disable=SC2086 # a list of words
	as_root apt-get install -y -q --no-install-recommends $missing >/dev/null || die "apt-get install failed"
}

# configured FOLDER [configure's arguments]: bootstraps and configures where that is due.
configured() {
	folder=$1
	shift
	if [ ! -x "$top/configure" ] || [ "$top/configure" -ot "$top/configure.ac" ]; then
		(cd "$top" && ./bootstrap) >/dev/null 2>&1 || die "bootstrap failed; run ./bootstrap to see why"
	fi
	mkdir -p "$folder"
	if [ ! -f "$folder/Makefile" ]; then
		(cd "$folder" && "$top/configure" -q "$@") || die "configure failed in $folder"
	fi
}

# build FOLDER [configure's arguments]
build() {
	configured "$@"
	make -C "$1" -s -j "$jobs" || die "the build in $1 failed"
}
