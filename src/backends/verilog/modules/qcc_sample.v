// Every STRIDE-th pixel of every STRIDE-th row; pixels have FOLD words.
module qcc_sample #(
	parameter WIDTH = 1,
	parameter FOLD = 1,
	parameter H = 1,
	parameter W = 1,
	parameter STRIDE_H = 1,
	parameter STRIDE_W = 1,
	parameter BITS = 8
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
	wire [BITS-1:0] fold, fold_next_unused, x_tile, y_tile, x_phase, y_phase;
	wire fold_last, x_last, y_last_unused;
	wire kept = x_phase == {BITS{1'b0}} && y_phase == {BITS{1'b0}};
	wire step = in_valid && in_ready;
	assign out_valid = in_valid && kept;
	assign in_ready = out_ready || !kept;
	assign out_data = in_data;
	qcc_counter #(.N(FOLD), .BITS(BITS)) count_fold (
		.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last));
	qcc_tiles #(.SIZE(W), .N(STRIDE_W), .BITS(BITS)) columns (
		.clock(clock), .reset(reset), .step(step && fold_last), .tile(x_tile), .phase(x_phase), .last(x_last));
	qcc_tiles #(.SIZE(H), .N(STRIDE_H), .BITS(BITS)) rows (
		.clock(clock), .reset(reset), .step(step && fold_last && x_last), .tile(y_tile), .phase(y_phase),
		.last(y_last_unused));
	wire unused = &{1'b0, fold, x_tile, y_tile};
endmodule
