// Counts 0, 1, ... N - 1, 0, ...; steps where `step` is set. `next` is what `at` will be after this cycle.
module qcc_counter #(
	parameter N = 2,
	parameter BITS = 1
) (
	input wire clock,
	input wire reset,
	input wire step,
	output reg [BITS-1:0] at,
	output wire [BITS-1:0] next,
	output wire last
);
	localparam END = N - 1;
	assign last = at == END[BITS-1:0];
	assign next = !step ? at : last ? {BITS{1'b0}} : at + 1'b1;
	always @(posedge clock)
		if (reset)
			at <= {BITS{1'b0}};
		else
			at <= next;
endmodule
