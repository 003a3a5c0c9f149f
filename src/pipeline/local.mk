# Pipelines. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/pipeline/decisions.c \
	src/pipeline/decisions.h \
	src/pipeline/execute.c \
	src/pipeline/execute.h \
	src/pipeline/feed.c \
	src/pipeline/feed.h \
	src/pipeline/pipeline.c \
	src/pipeline/pipeline.h \
	src/pipeline/verifier.c \
	src/pipeline/verifier.h
