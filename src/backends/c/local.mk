# The C backend. Texts of runtime/ that go into generated code become strings in runtime_text.c.
libqcc_a_SOURCES += \
	src/backends/c/backend.c \
	src/backends/c/batch.c \
	src/backends/c/dispatch.c \
	src/backends/c/emit.c \
	src/backends/c/emit.h \
	src/backends/c/files.c \
	src/backends/c/main_file.c \
	src/backends/c/packed.c \
	src/backends/c/packed.h \
	src/backends/c/packed_bits.c \
	src/backends/c/packed_blocks.c \
	src/backends/c/packed_bytes.c \
	src/backends/c/packed_floats.c \
	src/backends/c/packed_quantise.c \
	src/backends/c/packed_simple.c \
	src/backends/c/packed_stage.c \
	src/backends/c/plan.c \
	src/backends/c/plan.h \
	src/backends/c/plan_batch.c \
	src/backends/c/plan_hw.c \
	src/backends/c/plan_lower.c \
	src/backends/c/plan_lower.h \
	src/backends/c/plan_mac.c \
	src/backends/c/plan_move.c \
	src/backends/c/plan_product.c \
	src/backends/c/plan_simple.c \
	src/backends/c/plan_stage.c \
	src/backends/c/plan_unary.c \
	src/backends/c/ref_elementwise.c \
	src/backends/c/ref_layer.c \
	src/backends/c/ref_mac.c \
	src/backends/c/ref_move.c \
	src/backends/c/ref_pool.c \
	src/backends/c/reference.c \
	src/backends/c/runtime.h \
	src/backends/c/testbench.c \
	src/backends/c/tiny.c
nodist_libqcc_a_SOURCES += src/backends/c/runtime_text.c

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
