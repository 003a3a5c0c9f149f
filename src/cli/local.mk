# The command line, a file per subcommand. One file a line, alphabetical.
qcc_SOURCES += \
	src/cli/cli.c \
	src/cli/cli.h \
	src/cli/commands.def \
	src/cli/compile.c \
	src/cli/completion.c \
	src/cli/diff.c \
	src/cli/encode.c \
	src/cli/eval.c \
	src/cli/eval_c.c \
	src/cli/eval_c.h \
	src/cli/help.c \
	src/cli/import_weights.c \
	src/cli/info.c \
	src/cli/lists.c \
	src/cli/outputs.c \
	src/cli/outputs.h \
	src/cli/run.c \
	src/cli/stages.c \
	src/cli/stages.h \
	src/cli/train.c
