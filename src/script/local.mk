# Lua scripts. One file a line, alphabetical.
if WITHOUT_LUA
libqcc_la_SOURCES += \
	src/script/script.h \
	src/script/script_none.c
else
libqcc_la_SOURCES += \
	src/script/lines.c \
	src/script/lines.h \
	src/script/lua.c \
	src/script/lua_attr.c \
	src/script/lua_edit.c \
	src/script/lua_execute.c \
	src/script/lua_model.c \
	src/script/lua_model.h \
	src/script/lua_node.c \
	src/script/lua_output.c \
	src/script/lua_pass.c \
	src/script/lua_prompt.c \
	src/script/lua_tensor.c \
	src/script/script.h
endif
if !WITHOUT_LUA
if WITHOUT_EDIT
libqcc_la_SOURCES += src/script/lines_none.c
else
libqcc_la_SOURCES += src/script/lines_edit.c
endif
endif
