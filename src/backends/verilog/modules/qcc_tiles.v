// A coordinate from 0 to SIZE - 1 in tiles of N: coordinate = tile * N + phase.
module qcc_tiles #(
	parameter SIZE = 1,
	parameter N = 1,
	parameter BITS = 8
) (
	input wire clock,
	input wire reset,
	input wire step,
	output reg [BITS-1:0] tile,
	output reg [BITS-1:0] phase,
	output wire last
);
	localparam END = N - 1;
	localparam LAST_TILE = (SIZE - 1) / N;
	localparam LAST_PHASE = (SIZE - 1) % N;
	assign last = tile == LAST_TILE[BITS-1:0] && phase == LAST_PHASE[BITS-1:0];
	always @(posedge clock)
		if (reset || (step && last)) begin
			tile <= {BITS{1'b0}};
			phase <= {BITS{1'b0}};
		end else if (step && phase == END[BITS-1:0]) begin
			tile <= tile + 1'b1;
			phase <= {BITS{1'b0}};
		end else if (step) begin
			phase <= phase + 1'b1;
		end
endmodule
