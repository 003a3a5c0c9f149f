# Tests of the sources themselves: scripts, listed in TESTS and EXTRA_DIST; what puts them right, and the linters.
STYLE_TESTS = \
	tests/style/format.sh \
	tests/style/order.sh \
	tests/style/reference.sh \
	tests/style/sequence.py \
	tests/style/twice.py
TESTS += $(STYLE_TESTS)
EXTRA_DIST += $(STYLE_TESTS) tests/style/lint.sh tests/style/cppcheck.supp tests/style/jansson.cfg

CLANG_FORMAT = clang-format-14

.PHONY: format lint
format:
	cd '$(srcdir)' && find src include tests examples -name '*.[ch]' | xargs $(CLANG_FORMAT) -i

# cppcheck and clang-tidy over the sources, with the flags of this build; ends with status 1 where either says anything.
lint: $(BUILT_SOURCES)
	@CC='$(CC)' CPPFLAGS='$(DEFS) $(AM_CPPFLAGS) $(CPPFLAGS)' $(SHELL) '$(srcdir)/tests/style/lint.sh' '$(srcdir)'
