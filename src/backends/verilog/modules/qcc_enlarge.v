// Repeats each pixel of a W pixels wide image FACTOR_W times in its row and each row FACTOR_H times.
module qcc_enlarge #(
	parameter WIDTH = 1,
	parameter H = 1,
	parameter W = 1,
	parameter FACTOR_H = 1,
	parameter FACTOR_W = 1,
	parameter BITS = 8,
	parameter X_BITS = 1
) (
	input wire clock,
	input wire reset,
	input wire [WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [WIDTH-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	reg [WIDTH-1:0] line [0:W-1];
	wire [BITS-1:0] x, y, x_phase, y_phase;
	wire x_last, y_last_unused;
	wire fresh = x_phase == {BITS{1'b0}} && y_phase == {BITS{1'b0}};
	wire step = out_valid && out_ready;
	assign out_valid = in_valid || !fresh;
	assign in_ready = fresh && out_ready;
	assign out_data = fresh ? in_data : line[x[X_BITS-1:0]];
	always @(posedge clock)
		if (step && fresh)
			line[x[X_BITS-1:0]] <= in_data;
	qcc_tiles #(.SIZE(W * FACTOR_W), .N(FACTOR_W), .BITS(BITS)) columns (
		.clock(clock), .reset(reset), .step(step), .tile(x), .phase(x_phase), .last(x_last));
	qcc_tiles #(.SIZE(H * FACTOR_H), .N(FACTOR_H), .BITS(BITS)) rows (
		.clock(clock), .reset(reset), .step(step && x_last), .tile(y), .phase(y_phase), .last(y_last_unused));
	wire unused = &{1'b0, x, y};
endmodule
