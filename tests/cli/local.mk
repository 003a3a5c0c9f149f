# Tests of the command line: shell scripts, listed in TESTS and EXTRA_DIST.
CLI_TESTS = \
	tests/cli/bad_input.sh \
	tests/cli/completion.sh \
	tests/cli/misuses.sh \
	tests/cli/options.sh \
	tests/cli/output.sh \
	tests/cli/reproducible.sh \
	tests/cli/scripts.sh
FLOWS = \
	scripts/flows/compare.lua \
	scripts/flows/custom_pass.lua \
	scripts/flows/finn_builder.lua \
	scripts/flows/inspect.lua \
	scripts/flows/stepwise.lua \
	scripts/flows/sweep.lua
TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) $(FLOWS)
