// Constants from a file in hexadecimal, read a cycle later: block RAM or LUTs, as synthesis finds better.
module qcc_rom #(
	parameter WIDTH = 8,
	parameter WORDS = 2,
	parameter BITS = 1,
	parameter FILE = "rom.hex"
) (
	input wire clock,
	input wire read,
	input wire [BITS-1:0] address,
	output reg [WIDTH-1:0] data
);
	reg [WIDTH-1:0] memory [0:WORDS-1];
	initial $readmemh(FILE, memory);
	always @(posedge clock)
		if (read)
			data <= memory[address];
endmodule
