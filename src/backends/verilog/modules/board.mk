# make bitstream BOARD=...: the design with a serial line as a bitstream; make program loads it; make board-sim sends the golden
# vectors bit by bit through the simulated board. BAUD, SEED, TIMEOUT (seconds for placing and routing) can be set, and YOSYS,
# NEXTPNR_ICE40, NEXTPNR_ECP5, ECPPACK where the tools are called otherwise (yowasp-...).
BOARD = ice40-hx8k-b-evn
BAUD = 115200
TIMEOUT = 600
YOSYS = yosys
NEXTPNR_ICE40 = nextpnr-ice40
NEXTPNR_ECP5 = nextpnr-ecp5
ECPPACK = ecppack
PYTHON = python3

ice40-hx8k-b-evn.file = bin
ice40-hx8k-b-evn.mhz = 12
ice40-hx8k-b-evn.device = --hx8k --package ct256
ice40-hx8k-b-evn.program = iceprog
ice40-up5k.file = bin
ice40-up5k.mhz = 12
ice40-up5k.device = --up5k --package sg48
ice40-up5k.program = iceprog
ulx3s.file = bit
ulx3s.mhz = 25
ulx3s.device = --85k --package CABGA381
ulx3s.program = openFPGALoader -b ulx3s

BOARD_SOURCES = board.v board_serial.v board_uart_rx.v board_uart_tx.v board_words.v board_bytes.v
DIVIDER = $(shell echo $$((($($(BOARD).mhz) * 1000000 + $(BAUD) / 2) / $(BAUD))))
READ = read_verilog -defer -DDIVIDER=$(DIVIDER) $(BOARD_SOURCES) $(SOURCES)

bitstream: $(if $($(BOARD).file),obj/$(BOARD).$($(BOARD).file),unknown-board)
unknown-board:
	@echo "make: BOARD=$(BOARD) is not known: ice40-hx8k-b-evn, ice40-up5k, ulx3s" >&2; false
program: bitstream
	$($(BOARD).program) obj/$(BOARD).$($(BOARD).file)
obj/%.bin: $(BOARD_SOURCES) $(SOURCES) %.pcf
	mkdir -p obj
	$(YOSYS) -q -l obj/$*.yosys.log -p '$(READ); synth_ice40 -top board -json obj/$*.json; tee -o obj/$*.stat stat'
	timeout $(TIMEOUT) $(NEXTPNR_ICE40) -q -l obj/$*.log $($*.device) --freq $($*.mhz) --seed $(SEED) --pcf $*.pcf --json obj/$*.json --asc obj/$*.asc
	icepack obj/$*.asc $@
obj/%.bit: $(BOARD_SOURCES) $(SOURCES) %.lpf
	mkdir -p obj
	$(YOSYS) -q -l obj/$*.yosys.log -p '$(READ); synth_ecp5 -top board -json obj/$*.json; tee -o obj/$*.stat stat'
	timeout $(TIMEOUT) $(NEXTPNR_ECP5) -q -l obj/$*.log $($*.device) --freq $($*.mhz) --seed $(SEED) --lpf $*.lpf --json obj/$*.json --textcfg obj/$*.config
	$(ECPPACK) obj/$*.config $@
board-sim: obj/board
	$(PYTHON) host.py --simulate --golden
obj/board: $(BOARD_SOURCES) $(SOURCES) board_bench.v
	mkdir -p obj
	iverilog -g2005 -DDIVIDER=8 -DPATIENCE=$(PATIENCE) -s board_bench -o $@ board_bench.v $(BOARD_SOURCES) $(SOURCES)
lint: lint-board
lint-board:
	verilator --language 1364-2005 --lint-only -Wall -y . --top-module board board.v
	iverilog -g2005 -Wall -t null -s board $(BOARD_SOURCES) $(SOURCES)
.PHONY: bitstream unknown-board program board-sim lint-board
