# Tests. Each case is a line of the TAP protocol and counts; see tests/lib.sh and tests/unit/test.h.
# A folder lists its programs, scripts and data in a local.mk of its own.
TEST_EXTENSIONS = .sh .py
TAP = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP)
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/run.sh
SH_LOG_DRIVER = $(TAP)
SH_LOG_COMPILER = $(SHELL)
PY_LOG_DRIVER = $(TAP)
PY_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/run.sh $${QCC_PYTHON:-python3}
AM_TESTS_ENVIRONMENT = \
	QCC='$(abs_top_builddir)/qcc'; export QCC; \
	QCC_SRC='$(abs_top_srcdir)'; export QCC_SRC; \
	QCC_SHARED="$${QCC_SHARED:-$(abs_top_srcdir)/../shared}"; export QCC_SHARED; \
	QCC_VERIFY=1; export QCC_VERIFY; \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	LSAN_OPTIONS='suppressions=$(abs_top_srcdir)/tests/lsan.supp:print_suppressions=0'; export LSAN_OPTIONS; \
	ASAN_OPTIONS='suppressions=$(abs_top_srcdir)/tests/asan.supp'; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS;

# A test program's source is its name with .c; it is linked with the library.
LDADD = libqcc.la $(CMOCKA_LIBS)
UNIT_TESTS =
if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
AM_CPPFLAGS += -I$(top_srcdir)/tests -I$(top_srcdir)/tests/unit $(CMOCKA_CFLAGS)
EXTRA_DIST += tests/compare.h tests/asan.supp tests/lib.sh tests/lsan.supp tests/run.sh tests/requirements.txt tests/requirements-nodeps.txt

# The test programs alone: scripts/test-machines builds them for other machines.
unit-programs: $(UNIT_TESTS)
.PHONY: unit-programs

# Which lines the tests reach: configure with --enable-gcov CFLAGS='-O0 -g'. The tests that compare many random networks, or run
# other compilers and simulators, are left out: they take hours without optimisation, and reach what the others reach.
COVERAGE_WITHOUT = tests/interop/random_* | tests/interop/finn_* | tests/interop/compare_* | tests/interop/faults* \
	| tests/backends/*random* | tests/backends/*sim* | tests/backends/c_targets* | tests/backends/c_stack* \
	| tests/python/* | tests/style/* | tests/fuzz/hostile* | tests/fuzz/failing* | tests/fuzz/allocations*
coverage: all
	find src -name '*.gcda' -exec rm -f {} +
	-for t in $(TESTS); do case $$t in $(COVERAGE_WITHOUT)) ;; *) printf '%s ' $$t;; esac; done >coverage.tests
	-$(MAKE) check TESTS="`cat coverage.tests`"
	$${QCC_PYTHON:-python3} $(top_srcdir)/tests/coverage.py . $(COVERAGE_LEAST)
COVERAGE_LEAST = 90
.PHONY: coverage
CLEANFILES += coverage.tests
EXTRA_DIST += tests/coverage.py tests/mutation.py tests/mutation_equivalent.txt

include tests/unit/local.mk
include tests/ops/local.mk
include tests/hw/local.mk
include tests/passes/local.mk
include tests/backends/local.mk
include tests/cli/local.mk
include tests/data/local.mk
include tests/train/local.mk
include tests/docs/local.mk
include tests/fuzz/local.mk
include tests/interop/local.mk
include tests/api/local.mk
include tests/python/local.mk
include tests/report/local.mk
include tests/style/local.mk
include tests/bench/local.mk

# What tests leave on purpose: screenshots to look at; and output folders, with their hidden lists of files.
clean-local:
	rm -rf html_page_shots test_api_page
