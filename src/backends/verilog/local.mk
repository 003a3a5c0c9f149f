# The Verilog backend. Texts of modules/, which go into generated designs, become strings in verilog_text.c.
libqcc_la_SOURCES += \
	src/backends/verilog/backend.c \
	src/backends/verilog/board.c \
	src/backends/verilog/files.c \
	src/backends/verilog/layers.c \
	src/backends/verilog/memories.c \
	src/backends/verilog/top.c \
	src/backends/verilog/unrolled/activate.c \
	src/backends/verilog/unrolled/activate.h \
	src/backends/verilog/unrolled/heap.c \
	src/backends/verilog/unrolled/heap.h \
	src/backends/verilog/unrolled/netlist.c \
	src/backends/verilog/unrolled/netlist.h \
	src/backends/verilog/unrolled/share.c \
	src/backends/verilog/unrolled/share.h \
	src/backends/verilog/unrolled/tables.c \
	src/backends/verilog/unrolled/tables.h \
	src/backends/verilog/unrolled/unrolled.c \
	src/backends/verilog/unrolled/unrolled.h \
	src/backends/verilog/verilog.h
nodist_libqcc_la_SOURCES += src/backends/verilog/verilog_text.c

VERILOG_MODULES = \
	src/backends/verilog/modules/board.mk \
	src/backends/verilog/modules/board_bench.v \
	src/backends/verilog/modules/board_bytes.v \
	src/backends/verilog/modules/board_serial.v \
	src/backends/verilog/modules/board_uart_rx.v \
	src/backends/verilog/modules/board_uart_tx.v \
	src/backends/verilog/modules/board_words.v \
	src/backends/verilog/modules/host.py \
	src/backends/verilog/modules/ice40-hx8k-b-evn.pcf \
	src/backends/verilog/modules/ice40-up5k.pcf \
	src/backends/verilog/modules/prove.py \
	src/backends/verilog/modules/prove_ports.v \
	src/backends/verilog/modules/qcc_activate.v \
	src/backends/verilog/modules/qcc_channelwise.v \
	src/backends/verilog/modules/qcc_code.v \
	src/backends/verilog/modules/qcc_combine.v \
	src/backends/verilog/modules/qcc_constants.v \
	src/backends/verilog/modules/qcc_counter.v \
	src/backends/verilog/modules/qcc_crop.v \
	src/backends/verilog/modules/qcc_dot.v \
	src/backends/verilog/modules/qcc_eltwise.v \
	src/backends/verilog/modules/qcc_enlarge.v \
	src/backends/verilog/modules/qcc_fifo.v \
	src/backends/verilog/modules/qcc_fork.v \
	src/backends/verilog/modules/qcc_global_sum.v \
	src/backends/verilog/modules/qcc_label.v \
	src/backends/verilog/modules/qcc_larger.v \
	src/backends/verilog/modules/qcc_lookup.v \
	src/backends/verilog/modules/qcc_max_pool.v \
	src/backends/verilog/modules/qcc_mvau.v \
	src/backends/verilog/modules/qcc_number.v \
	src/backends/verilog/modules/qcc_pad.v \
	src/backends/verilog/modules/qcc_pool.v \
	src/backends/verilog/modules/qcc_rom.v \
	src/backends/verilog/modules/qcc_sample.v \
	src/backends/verilog/modules/qcc_span.v \
	src/backends/verilog/modules/qcc_table.v \
	src/backends/verilog/modules/qcc_threshold.v \
	src/backends/verilog/modules/qcc_tiles.v \
	src/backends/verilog/modules/qcc_widen.v \
	src/backends/verilog/modules/qcc_width.v \
	src/backends/verilog/modules/qcc_window.v \
	src/backends/verilog/modules/qcc_window_parallel.v \
	src/backends/verilog/modules/tb_sink.v \
	src/backends/verilog/modules/tb_source.v \
	src/backends/verilog/modules/testbench.cpp \
	src/backends/verilog/modules/ulx3s.lpf
EXTRA_DIST += $(VERILOG_MODULES)
BUILT_SOURCES += src/backends/verilog/verilog_text.c
CLEANFILES += src/backends/verilog/verilog_text.c

src/backends/verilog/verilog_text.c: $(VERILOG_MODULES)
	$(AM_V_GEN)$(MKDIR_P) src/backends/verilog && { echo '#include "backends/verilog/verilog.h"'; \
	echo 'const struct verilog_text verilog_texts[] = {'; \
	for f in $(VERILOG_MODULES); do \
		echo "{ \"$${f##*/}\", \"\""; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/$$f; \
		echo '},'; \
	done; echo '{ NULL, NULL } };'; } > $@.tmp && mv $@.tmp $@
