# The command line, a file per subcommand. One file a line, alphabetical.
qcc_SOURCES += \
	src/cli/cli.h
