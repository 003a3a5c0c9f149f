// For testbench.v: sends the words of a file again and again, TOTAL of them; with a seed it pauses at random.
module tb_source #(
	parameter WIDTH = 1,
	parameter WORDS = 1,
	parameter TOTAL = 1,
	parameter FILE = "in0.hex"
) (
	input wire clock,
	input wire reset,
	input wire [31:0] seed,
	output wire [WIDTH-1:0] data,
	output reg valid,
	input wire ready
);
	reg [WIDTH-1:0] memory [0:WORDS-1];
	integer sent, state;
	initial $readmemh(FILE, memory);
	assign data = memory[sent % WORDS];
	always @(posedge clock)
		if (reset) begin
			sent <= 0;
			valid <= 1'b0;
			state = seed;
		end else begin
			if (valid && ready)
				sent <= sent + 1;
			// A word that was offered stays until it is taken.
			if (!valid || ready)
				valid <= sent + (valid ? 1 : 0) < TOTAL && (seed == 0 || $random(state) % 3 != 0);
		end
endmodule
