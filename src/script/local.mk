# Lua scripts. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/script/lua.c \
	src/script/lua_execute.c \
	src/script/lua_model.c \
	src/script/lua_model.h \
	src/script/lua_node.c \
	src/script/script.h
