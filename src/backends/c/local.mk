# The C backend. Texts of runtime/ that go into generated code become strings in runtime_text.c.
libqcc_la_SOURCES += \
	src/backends/c/backend.c \
	src/backends/c/batch.c \
	src/backends/c/constants.c \
	src/backends/c/emit.c \
	src/backends/c/emit.h \
	src/backends/c/files/dispatch.c \
	src/backends/c/files/entries.c \
	src/backends/c/files/files.c \
	src/backends/c/files/files.h \
	src/backends/c/files/library.c \
	src/backends/c/files/main_file.c \
	src/backends/c/files/testbench.c \
	src/backends/c/names.c \
	src/backends/c/packed/bits.c \
	src/backends/c/packed/blocks.c \
	src/backends/c/packed/bytes.c \
	src/backends/c/packed/depthwise.c \
	src/backends/c/packed/floats.c \
	src/backends/c/packed/packed.c \
	src/backends/c/packed/packed.h \
	src/backends/c/packed/quantise.c \
	src/backends/c/packed/simple.c \
	src/backends/c/packed/activation.c \
	src/backends/c/reference/elementwise.c \
	src/backends/c/reference/form.c \
	src/backends/c/reference/kernels.h \
	src/backends/c/reference/layer.c \
	src/backends/c/reference/mac.c \
	src/backends/c/reference/move.c \
	src/backends/c/reference/pool.c \
	src/backends/c/reference/reference.c \
	src/backends/c/reference/reference.h \
	src/backends/c/runtime.h \
	src/backends/c/styles.def \
	src/backends/c/tiny/tiny.c
nodist_libqcc_la_SOURCES += src/backends/c/runtime_text.c

C_RUNTIME = \
	src/backends/c/runtime/main.c \
	src/backends/c/runtime/packed.h \
	src/backends/c/runtime/tiny.h
EXTRA_DIST += $(C_RUNTIME)
BUILT_SOURCES += src/backends/c/runtime_text.c
CLEANFILES += src/backends/c/runtime_text.c

src/backends/c/runtime_text.c: $(C_RUNTIME)
	$(AM_V_GEN)$(MKDIR_P) src/backends/c && { echo '#include "backends/c/runtime.h"'; \
	for f in main.c packed.h tiny.h; do \
		echo "const char runtime_$${f%.*}[] = \"\""; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/src/backends/c/runtime/$$f; \
		echo ';'; \
	done; } > $@.tmp && mv $@.tmp $@
