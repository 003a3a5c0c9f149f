# Tests of backends: UNIT_TESTS += tests/backends/test_x, or scripts in TESTS and EXTRA_DIST.
UNIT_TESTS += tests/backends/test_dot tests/backends/test_plan
TESTS += tests/backends/hls_csim.sh tests/backends/hls_random.py
TESTS += tests/backends/verilog_board.sh tests/backends/verilog_prove.sh tests/backends/verilog_random.py tests/backends/verilog_sim.sh tests/backends/verilog_unrolled.sh
EXTRA_DIST += tests/backends/verilog_prove.sh tests/backends/verilog_random.py tests/backends/hls_csim.sh tests/backends/hls_random.py tests/backends/bipolar_net.py tests/backends/verilog_board.sh tests/backends/verilog_lib.sh tests/backends/verilog_sim.sh tests/backends/verilog_unrolled.sh
TESTS += tests/backends/hostile_names.py
EXTRA_DIST += tests/backends/hostile_names.py
TESTS += tests/backends/html_page.py
EXTRA_DIST += tests/backends/html_page.py tests/backends/browser.py
# ONNX's node tests as generated C.
check_PROGRAMS += tests/backends/emit_cases
C_TESTS = tests/backends/c_nodes.py tests/backends/c_forms.py tests/backends/c_goldens.py tests/backends/c_library.sh tests/backends/c_random.py tests/backends/c_options.sh tests/backends/c_stack.py tests/backends/c_targets.sh
TESTS += $(C_TESTS)
EXTRA_DIST += $(C_TESTS) tests/backends/c_batch.c examples/cortexm/board.c examples/cortexm/board.ld examples/cortexm/main.c
