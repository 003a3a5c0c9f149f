# Lua scripts. One file a line, alphabetical.
if WITHOUT_LUA
libqcc_la_SOURCES += \
	src/script/script.h \
	src/script/script_none.c
else
libqcc_la_SOURCES += \
	src/script/lua.c \
	src/script/lua_execute.c \
	src/script/lua_model.c \
	src/script/lua_model.h \
	src/script/lua_node.c \
	src/script/script.h
endif
