# Pipelines and scripts. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/pipeline/execute.c \
	src/pipeline/execute.h \
	src/pipeline/feed.c \
	src/pipeline/feed.h \
	src/pipeline/lua.c \
	src/pipeline/lua_execute.c \
	src/pipeline/lua_model.c \
	src/pipeline/lua_model.h \
	src/pipeline/lua_node.c \
	src/pipeline/pipeline.c \
	src/pipeline/pipeline.h \
	src/pipeline/script.h \
	src/pipeline/spec.c \
	src/pipeline/spec.h \
	src/pipeline/verifier.c \
	src/pipeline/verifier.h
